//! Why a mutation is not known to be applied, by what its sender may do next.

use crate::api::disposition::surely_without_effect;
use crate::api::error::ApiError;
use crate::ids::ChampId;
use crate::platform::Platform;

/// What the platform says to a token that may only read (docs/platform.md#tokens). It has no code.
const READ_ONLY: &str = "Le jeton utilisé est configuré seulement en lecture";

/// Why a mutation is not known to be applied.
///
/// The words of the platform are in it as they came; what was to be written is not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MutationError {
    /// The platform has no such mutation. Nothing was sent.
    #[error("{mutation} is not available on {platform}")]
    NotAvailable {
        /// The mutation.
        mutation: &'static str,
        /// The platform that lacks it.
        platform: Platform,
    },
    /// It cannot be sent without changing what it says. Nothing was sent.
    #[error("{mutation} cannot be sent: {reason}")]
    Unfit {
        /// The mutation.
        mutation: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The token may only read. Nothing was applied.
    #[error("the platform refused {mutation}: the token may only read")]
    ReadOnlyToken {
        /// The mutation.
        mutation: &'static str,
    },
    /// The platform refused it, in its own words. They may name the wrong cause: a dossier whose mandatory annotations
    /// are empty is "déjà en instruction" to whoever accepts it (trap 60). Read the dossier again rather than the words.
    #[error("the platform refused {mutation}: {}", messages.join(" · "))]
    Refused {
        /// The mutation.
        mutation: &'static str,
        /// The platform's words, at least one.
        messages: Vec<String>,
        /// The annotations of a batch that were written all the same (trap 64).
        applied: Vec<ChampId>,
    },
    /// It was surely not applied: it did not arrive, or was turned away before it was executed.
    #[error(transparent)]
    NotSent(ApiError),
    /// It may have been applied. Read the dossier again: never send it again blindly (trap 59).
    #[error("the answer was lost on the way, and what was asked may have been done")]
    Unknown(#[source] ApiError),
}

impl MutationError {
    /// What became of a request that failed.
    pub(in crate::api) fn of(error: ApiError) -> Self {
        if surely_without_effect(&error) { Self::NotSent(error) } else { Self::Unknown(error) }
    }

    /// A refusal in the platform's words.
    pub(super) fn refused(mutation: &'static str, messages: Vec<String>, applied: Vec<ChampId>) -> Self {
        // Were these words ever to change, it would be a refusal like another, in its own words.
        if messages.iter().any(|message| message == READ_ONLY) {
            Self::ReadOnlyToken { mutation }
        } else {
            Self::Refused { mutation, messages, applied }
        }
    }

    /// A stable word for logs, metrics and the audit trail.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::NotAvailable { .. } => "not_available",
            Self::Unfit { .. } => "unfit",
            Self::ReadOnlyToken { .. } => "read_only_token",
            Self::Refused { .. } => "refused",
            Self::NotSent(error) => error.kind(),
            Self::Unknown(_) => "unknown_outcome",
        }
    }

    /// What the operator may do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotAvailable { .. } => Some("do it by hand on the platform's pages"),
            Self::Unfit { .. } => Some("correct what is to be written, and try again"),
            Self::ReadOnlyToken { .. } => {
                Some("give the token the right to write, in the profile page of its administrator, or use another one")
            }
            Self::Refused { .. } => Some(
                "read the dossier again: it may have moved, its mandatory annotations may be empty, or the instructeur may not be of its groupe",
            ),
            Self::NotSent(error) => error.hint(),
            Self::Unknown(_) => Some("read the dossier again to see whether it was done before trying anything"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::disposition::{Attempt, Disposition, disposition_of_write};
    use crate::api::error::{PermanentFailure, TransportFailure};

    /// What is sent again by itself, and what is told to the sender in the end.
    #[test]
    fn the_table_of_what_a_failure_leaves_behind() {
        let broken = |failure| ApiError::Transport { host: "localhost".into(), failure, source: None };
        let partial = ApiError::Partial { what: "a".into(), code: Some("timeout".into()), message: "Timeout".into() };
        let undecodable = ApiError::Undecodable { what: "a".into(), path: "data".into(), reason: "cut".into() };
        let rejected = ApiError::Rejected { operation: "a".into(), code: None, message: "undefined field".into() };
        let refused = ApiError::TokenRefused { code: "forbidden".into(), message: String::new() };
        let redirected = ApiError::Redirected { host: "a".into(), location: "b".into() };
        let settings = ApiError::Settings { setting: "token", reason: "empty".into() };
        // (case, error, surely not applied, sent again by itself)
        let rows = [
            ("the connection could not be opened", broken(TransportFailure::Connect), true, true),
            (
                "a proxy asks for an account",
                broken(TransportFailure::Permanent(PermanentFailure::ProxyAuthentication)),
                true,
                false,
            ),
            ("the connection broke", broken(TransportFailure::Broken), false, false),
            ("no answer came in time", broken(TransportFailure::Timeout), false, false),
            ("429", ApiError::RateLimited { until: None }, true, true),
            ("maintenance", ApiError::Unavailable { status: 503 }, false, false),
            ("a proxy's page", ApiError::Unavailable { status: 502 }, false, false),
            ("HTTP 500", ApiError::ServerError { what: "a".into(), exception: None }, false, false),
            ("the platform's own time-out", partial, false, false),
            ("an answer that cannot be read", undecodable, false, false),
            ("a refused token", refused, true, false),
            ("a token without the démarche", ApiError::OutOfScope { what: "a".into() }, false, false),
            ("an unknown dossier", ApiError::NotFound { what: "a".into() }, false, false),
            ("an operation of another schema", rejected, true, false),
            ("a redirection", redirected, true, false),
            ("a client that cannot send", settings, true, false),
        ];
        let now = "2026-01-15T00:00:00Z".parse().expect("a date");
        for (case, error, surely_not_applied, repeated) in rows {
            let disposition = disposition_of_write(&error, Attempt { tried: 0, page_size: 0, now });
            assert_eq!(matches!(disposition, Disposition::Retry { .. }), repeated, "{case}");
            let error = MutationError::of(error);
            assert_eq!(matches!(error, MutationError::NotSent(_)), surely_not_applied, "{case}");
            assert_eq!(matches!(error, MutationError::Unknown(_)), !surely_not_applied, "{case}");
        }
    }
}
