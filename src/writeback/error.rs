//! Names what ends a push early.

use super::report::Pushed;
use crate::api::{ApiError, MutationError};
use crate::sink::SinkError;
use crate::sync::SyncError;

/// Reports what ended a push early. What was settled before stays settled; everything else is still pending.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The platform.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The platform takes nothing from this token.
    #[error(transparent)]
    Mutation(#[from] MutationError),
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] SinkError),
    /// The target, when it took in what moved.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// Asked to stop.
    #[error("stopped on request; what was settled is settled")]
    Interrupted,
    /// One of these, after some of the work.
    #[error("{error}")]
    Halfway {
        /// The cause.
        #[source]
        error: Box<PushError>,
        /// The report of what was done before.
        done: Box<Pushed>,
    },
}

impl PushError {
    /// Joins what was done before to an error.
    pub(super) fn after(self, done: Pushed) -> Self {
        if done.items.is_empty() { self } else { Self::Halfway { error: Box::new(self), done: Box::new(done) } }
    }

    /// Splits what was done before from what ended it.
    #[must_use]
    pub fn split(self) -> (Option<Pushed>, Self) {
        match self {
            Self::Halfway { error, done } => (Some(*done), *error),
            other => (None, other),
        }
    }

    /// Names the next step for the operator.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Api(error) => error.hint(),
            Self::Mutation(error) => error.hint(),
            Self::Outbox(error) => error.hint(),
            Self::Sync(error) => error.hint(),
            Self::Interrupted => Some("run the same command again to go on"),
            Self::Halfway { error, .. } => error.hint(),
        }
    }
}
