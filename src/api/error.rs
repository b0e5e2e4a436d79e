//! Errors of requests to the platform, grouped by what the caller may do next.

use jiff::Timestamp;

pub use bearer_http::PermanentFailure;
use bearer_http::Unfit;

/// Errors of a request to the platform.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The token is wrong, expired, or not accepted from this network (traps 18 and 57). Not retried: another attempt
    /// gets the same answer.
    #[error("the platform refused the token: {message} (code `{code}`)")]
    TokenRefused {
        /// The platform's code, or the HTTP status.
        code: String,
        /// The platform's words.
        message: String,
    },
    /// The token does not cover what was asked (trap 17). Never read as "deleted".
    #[error("the platform refused the token for {what} (code `unauthorized`)")]
    OutOfScope {
        /// The object of the request: `démarche 1234`.
        what: String,
    },
    /// The platform does not know the number, or hides it: deleted, hidden, expired, never submitted (trap 35).
    #[error("the platform does not know {what} (code `not_found`)")]
    NotFound {
        /// The object of the request: `dossier 5678`.
        what: String,
    },
    /// Too many requests with this token (trap 54).
    #[error("the platform asks to slow down{}", until.map(|t| format!(" until {t}")).unwrap_or_default())]
    RateLimited {
        /// When the platform takes requests again.
        until: Option<Timestamp>,
    },
    /// Nothing was sent, as there is no permit: the rate limit that several processes share does not answer, and others
    /// may be using all of its requests.
    #[error("no request was sent: the shared rate limit is unavailable: {reason}")]
    NoPermit {
        /// The reason, without credentials.
        reason: String,
    },
    /// The platform, or something before it, is not available now: maintenance, a proxy's page (trap 55).
    #[error("the platform is not available (HTTP {status})")]
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
    /// The platform failed on this very request (HTTP 500). Possibly because of one dossier (trap 4).
    #[error("the platform failed on {what} (HTTP 500{})", exception.as_ref().map(|e| format!(", exception {e}")).unwrap_or_default())]
    ServerError {
        /// The object of the request.
        what: String,
        /// The platform's name of the failure, for its support.
        exception: Option<String>,
    },
    /// The platform gave up on the request after its own time-out, or answered parts of it with errors (traps 2 and 3).
    #[error("the platform answered {what} in part only: {message}{}", code.as_ref().map(|c| format!(" (code `{c}`)")).unwrap_or_default())]
    Partial {
        /// The object of the request.
        what: String,
        /// The first error's code, when it has one.
        code: Option<String>,
        /// The first error's message.
        message: String,
    },
    /// The connection failed.
    #[error("the connection to {host} {failure}")]
    Transport {
        /// The host.
        host: String,
        /// The kind of failure.
        failure: TransportFailure,
        /// The cause.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The address answers with a redirection, which would lose the body of a request (trap 55).
    #[error("{host} redirects to {location}")]
    Redirected {
        /// The host that was asked.
        host: String,
        /// Where it points.
        location: String,
    },
    /// The platform does not accept the operation: its schema is not the one that this version was made for.
    #[error("the platform rejected the operation `{operation}`: {message}{}", code.as_ref().map(|c| format!(" (code `{c}`)")).unwrap_or_default())]
    Rejected {
        /// The operation.
        operation: String,
        /// The first error's code, when it has one.
        code: Option<String>,
        /// The first error's message.
        message: String,
    },
    /// The answer is not what the schema promises: cut, not JSON, or of another shape.
    #[error("the answer to {what} cannot be read at `{path}`: {reason}")]
    Undecodable {
        /// The object of the request.
        what: String,
        /// Where in the answer.
        path: String,
        /// The reason.
        reason: String,
    },
    /// The answer is larger than the limit of the client.
    #[error("the answer to {what} is larger than {limit} bytes")]
    TooLarge {
        /// The object of the request.
        what: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A cursor of another listing was given, or one that the platform cannot have made (traps 8 and 9).
    #[error("this cursor does not belong to {what}")]
    ForeignCursor {
        /// The object of the request.
        what: String,
    },
    /// The client cannot be built from these settings.
    #[error("{setting}: {reason}")]
    Settings {
        /// The setting at fault.
        setting: &'static str,
        /// The reason.
        reason: String,
    },
}

/// Returns true if the platform refuses a token for the address of its caller: it has one code for all its reasons, and
/// says which in words.
fn names_network(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("network") || message.contains("réseau")
}

impl From<Unfit> for ApiError {
    fn from(Unfit { setting, reason }: Unfit) -> Self {
        Self::Settings { setting, reason }
    }
}

/// Kinds of failures of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportFailure {
    /// It could not be opened.
    Connect,
    /// It could not be opened, and will not be until somebody changes something.
    Permanent(PermanentFailure),
    /// It took longer than allowed.
    Timeout,
    /// It broke before the answer was complete: whether the request was handled is unknown.
    Broken,
}

impl std::fmt::Display for TransportFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "could not be opened",
            Self::Permanent(failure) => return write!(f, "could not be opened: {failure}"),
            Self::Timeout => "took longer than allowed",
            Self::Broken => "broke before the answer was complete",
        })
    }
}

impl ApiError {
    /// Returns a stable word for logs, metrics and the quarantine.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::TokenRefused { .. } => "token_refused",
            Self::OutOfScope { .. } => "out_of_scope",
            Self::NotFound { .. } => "not_found",
            Self::RateLimited { .. } => "rate_limited",
            // Operators and quarantines hold this word: it stays as it was first published.
            Self::NoPermit { .. } => "no_place",
            Self::Unavailable { .. } => "unavailable",
            Self::ServerError { .. } => "internal_server_error",
            Self::Partial { code, .. } => code.as_deref().unwrap_or("partial"),
            Self::Transport { .. } => "transport",
            Self::Redirected { .. } => "redirected",
            Self::Rejected { .. } => "rejected",
            Self::Undecodable { .. } => "undecodable",
            Self::TooLarge { .. } => "too_large",
            Self::ForeignCursor { .. } => "foreign_cursor",
            Self::Settings { .. } => "settings",
        }
    }

    /// Returns true if another request may well succeed: the failure may come from what this one asked for.
    #[must_use]
    pub fn may_be_of_this_question(&self) -> bool {
        match self {
            Self::ServerError { .. }
            | Self::Partial { .. }
            | Self::Undecodable { .. }
            | Self::TooLarge { .. }
            | Self::Unavailable { .. }
            | Self::Transport { .. } => true,
            Self::TokenRefused { .. }
            | Self::OutOfScope { .. }
            | Self::NotFound { .. }
            | Self::RateLimited { .. }
            | Self::NoPermit { .. }
            | Self::Redirected { .. }
            | Self::Rejected { .. }
            | Self::ForeignCursor { .. }
            | Self::Settings { .. } => false,
        }
    }

    /// Returns true if an outage of the platform looks the same. Another request shows the difference.
    pub(crate) fn may_be_an_outage(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Transport { .. })
    }

    /// Returns the next step for the operator, if there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TokenRefused { message, .. } if names_network(message) => Some(
                "a new token belongs to the address of its first call, so one that was tried elsewhere refuses this \
                 machine: add the address that the platform names to the networks of the token, in the profile page of \
                 its administrator, or make a new token and let this machine call first",
            ),
            Self::TokenRefused { .. } => Some(
                "check the token, its end date and the networks it accepts, in the profile page of its administrator",
            ),
            Self::OutOfScope { .. } => {
                Some("check that the token covers this démarche and that its owner still administers it")
            }
            Self::NotFound { .. } => Some("check the number, and that the address is that of the right platform"),
            Self::RateLimited { .. } | Self::Unavailable { .. } => Some("try again later; nothing was lost"),
            Self::NoPermit { .. } => {
                Some("check the database of the target; the next run goes on from what was committed")
            }
            Self::ServerError { .. } => {
                Some("try again later; if it lasts, give the exception to the platform's support")
            }
            Self::Partial { .. } | Self::Undecodable { .. } => {
                Some("try again later; if it lasts, `dn doctor` compares the schemas")
            }
            Self::Transport { failure: TransportFailure::Permanent(failure), .. } => Some(failure.hint()),
            Self::TooLarge { .. } => Some("a dossier of this size is set aside; nothing else waits for it"),
            Self::Transport { .. } => Some("check the address, the proxy and the network of this machine"),
            Self::Redirected { .. } => Some("set the address to the one it redirects to, if you trust it; https only"),
            Self::Rejected { .. } => Some(
                "check that the platform kind fits the address; `dn doctor` compares its schema with the pinned one",
            ),
            Self::ForeignCursor { .. } => None,
            Self::Settings { .. } => None,
        }
    }
}
