//! Errors of mutations, grouped by what the sender may do next.

use crate::api::disposition::surely_without_effect;
use crate::api::error::ApiError;
use crate::ids::ChampId;
use crate::platform::Platform;

/// Message for a token that may only read (docs/platform.md#tokens). It has no code.
const READ_ONLY: &str = "Le jeton utilisé est configuré seulement en lecture";

/// Errors of a mutation: surely not applied, or maybe applied.
///
/// It quotes the platform's messages as they came, and never the values that were to be written.
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
    /// A value cannot be sent without changing it. Nothing was sent.
    #[error("{mutation} cannot be sent: {reason}")]
    Unfit {
        /// The mutation.
        mutation: &'static str,
        /// The reason.
        reason: &'static str,
    },
    /// The token may only read. Nothing was applied.
    #[error("the platform refused {mutation}: the token may only read")]
    ReadOnlyToken {
        /// The mutation.
        mutation: &'static str,
    },
    /// The platform refused it. Its message may name the wrong cause: accepting a dossier whose mandatory annotations
    /// are empty answers "déjà en instruction" (trap 60). Read the dossier again rather than the message.
    #[error("the platform refused {mutation}: {}", messages.join(" · "))]
    Refused {
        /// The mutation.
        mutation: &'static str,
        /// The platform's messages, at least one.
        messages: Vec<String>,
        /// The annotations of a batch that were written all the same (trap 64).
        applied: Vec<ChampId>,
    },
    /// It was surely not applied: it did not arrive, or was refused before it was executed.
    #[error(transparent)]
    NotSent(ApiError),
    /// It may have been applied. Read the dossier again; a retry may apply it twice (trap 59).
    #[error("the answer was lost: the mutation may have been applied")]
    Unknown(#[source] ApiError),
}

impl MutationError {
    /// Classifies a failed request: surely not applied, or maybe applied.
    pub(in crate::api) fn of(error: ApiError) -> Self {
        if surely_without_effect(&error) { Self::NotSent(error) } else { Self::Unknown(error) }
    }

    /// Returns the error of a refusal with the platform's messages.
    pub(super) fn refused(mutation: &'static str, messages: Vec<String>, applied: Vec<ChampId>) -> Self {
        // There is no code: if the platform changes this text, the error becomes an ordinary refusal.
        if messages.iter().any(|message| message == READ_ONLY) {
            Self::ReadOnlyToken { mutation }
        } else {
            Self::Refused { mutation, messages, applied }
        }
    }

    /// Returns a stable word for logs, metrics and the trail.
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

    /// Returns the next step for the operator, if there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotAvailable { .. } => Some("do it by hand on the platform's pages"),
            Self::Unfit { .. } => Some("correct the value and try again"),
            Self::ReadOnlyToken { .. } => {
                Some("give the token the right to write, in the profile page of its administrator, or use another one")
            }
            Self::Refused { .. } => Some(
                "read the dossier again: it may have moved, its mandatory annotations may be empty, or the instructeur may not be of its groupe",
            ),
            Self::NotSent(error) => error.hint(),
            Self::Unknown(_) => Some("read the dossier again before a retry: the mutation may have been applied"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::disposition::{Attempt, Disposition, disposition_of_write};
    use crate::api::error::{PermanentFailure, TransportFailure};

    /// Covers each failure: is the request repeated by itself, and which error does the sender get?
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
