//! Classifies errors by what has to be done about them. An exit code and a level of the log follow from it.

use grist_client::GristError;

use crate::api::{ApiError, MutationError, TransportFailure};
use crate::sink::SinkError;
use crate::sync::SyncError;
use crate::writeback::PushError;

/// Groups errors by what has to be done about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The settings have to be corrected.
    Configuration,
    /// The platform or the target refuses: a token, a right or the target itself has to be looked at.
    Refused,
    /// The platform or the target is not available: the same may work later.
    Unavailable,
    /// Another run works on the target.
    Locked,
    /// It was asked to stop.
    Interrupted,
    /// It should not have happened.
    Unexpected,
}

impl From<&ApiError> for ErrorKind {
    fn from(error: &ApiError) -> Self {
        match error {
            ApiError::TokenRefused { .. }
            | ApiError::OutOfScope { .. }
            | ApiError::NotFound { .. }
            | ApiError::Rejected { .. } => Self::Refused,
            ApiError::Redirected { .. }
            | ApiError::Transport { failure: TransportFailure::Permanent(_), .. }
            | ApiError::Settings { .. } => Self::Configuration,
            ApiError::RateLimited { .. }
            | ApiError::NoPermit { .. }
            | ApiError::Unavailable { .. }
            | ApiError::ServerError { .. }
            | ApiError::Partial { .. }
            | ApiError::Transport { .. }
            | ApiError::TooLarge { .. }
            | ApiError::Undecodable { .. } => Self::Unavailable,
            ApiError::ForeignCursor { .. } => Self::Unexpected,
        }
    }
}

impl From<&GristError> for ErrorKind {
    fn from(error: &GristError) -> Self {
        match error {
            GristError::Settings { .. } | GristError::Redirected { .. } | GristError::Unreachable { .. } => {
                Self::Configuration
            }
            GristError::SlowSql
            | GristError::Busy { .. }
            | GristError::Quota { .. }
            | GristError::Unavailable { .. }
            | GristError::TooSlow { .. }
            | GristError::Unclear { .. }
            | GristError::Storage { .. }
            | GristError::EngineDown { .. }
            | GristError::Undecodable { .. } => Self::Unavailable,
            GristError::WrongKey { .. }
            | GristError::Forbidden { .. }
            | GristError::Blocked { .. }
            | GristError::NoDocument { .. }
            | GristError::NoTable { .. }
            | GristError::NoColumn { .. }
            | GristError::NoRow { .. }
            | GristError::FormulaColumn { .. }
            | GristError::NoSql { .. }
            | GristError::TooLarge { .. }
            | GristError::DeleteOnly
            | GristError::AttachmentsFull { .. }
            | GristError::Refused { .. } => Self::Refused,
            GristError::KeysRepeat | GristError::Sql { .. } | GristError::Malformed { .. } => Self::Unexpected,
        }
    }
}

impl From<&SinkError> for ErrorKind {
    fn from(error: &SinkError) -> Self {
        match error {
            SinkError::Locked { .. } => Self::Locked,
            SinkError::Unavailable { .. } => Self::Unavailable,
            SinkError::Encoding { .. } => Self::Configuration,
            SinkError::Unusable { .. }
            | SinkError::Foreign { .. }
            | SinkError::NewerVersion { .. }
            | SinkError::Altered { .. }
            | SinkError::Backward { .. }
            | SinkError::CannotHold { .. }
            | SinkError::Refused { .. } => Self::Refused,
        }
    }
}

impl From<&SyncError> for ErrorKind {
    fn from(error: &SyncError) -> Self {
        match error {
            SyncError::Api(error) => error.into(),
            SyncError::Sink(error) => error.into(),
            SyncError::Document { .. } => Self::Unexpected,
            SyncError::Interrupted => Self::Interrupted,
            SyncError::NeverSynced { .. } | SyncError::OtherInstance { .. } => Self::Configuration,
        }
    }
}

impl From<&MutationError> for ErrorKind {
    fn from(error: &MutationError) -> Self {
        match error {
            MutationError::NotSent(error) | MutationError::Unknown(error) => error.into(),
            MutationError::NotAvailable { .. }
            | MutationError::Unfit { .. }
            | MutationError::ReadOnlyToken { .. }
            | MutationError::Refused { .. } => Self::Refused,
        }
    }
}

impl From<&PushError> for ErrorKind {
    fn from(error: &PushError) -> Self {
        match error {
            PushError::Api(error) => error.into(),
            PushError::Mutation(error) => error.into(),
            PushError::Outbox(error) => error.into(),
            PushError::Sync(error) => error.into(),
            PushError::Interrupted => Self::Interrupted,
            PushError::Halfway { error, .. } => error.as_ref().into(),
        }
    }
}
