//! Errors of a run.

use crate::api::ApiError;
use crate::ids::Scope;
use crate::report::RunOutcome;
use crate::sink::{InstanceAddress, SinkError};

/// Errors that end a run early. Earlier commits stay, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The platform failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The target.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A stored document cannot be decoded.
    #[error("the stored document of dossier {number} cannot be read: {reason}")]
    Document {
        /// The dossier.
        number: crate::ids::DossierNumber,
        /// The reason.
        reason: String,
    },
    /// The run was asked to stop; the last commit is complete.
    #[error("stopped on request; the last commit is complete")]
    Interrupted,
    /// The target holds dossiers of another instance under the same name.
    #[error(
        "{target} keeps dossiers of {} ({}) under the name `{instance}`, and {} ({}) is another instance",
        kept.url, kept.platform, found.url, found.platform
    )]
    OtherInstance {
        /// The name.
        instance: String,
        /// The target.
        target: String,
        /// The instance whose dossiers are kept.
        kept: Box<InstanceAddress>,
        /// The instance of the run.
        found: Box<InstanceAddress>,
    },
    /// The démarche was never synced into this target.
    #[error("{scope} was never synced into {target}")]
    NeverSynced {
        /// The démarche.
        scope: String,
        /// The target.
        target: String,
    },
}

impl SyncError {
    pub(crate) fn never_synced(scope: &Scope, target: &str) -> Self {
        Self::NeverSynced { scope: scope.to_string(), target: target.to_owned() }
    }

    /// Returns the outcome of a run with this error. A run that finds the lock taken has not failed: the other run goes
    /// on.
    #[must_use]
    pub fn outcome(&self) -> RunOutcome {
        match self {
            Self::Interrupted | Self::Sink(SinkError::Locked { .. }) => RunOutcome::Interrupted,
            Self::Api(_)
            | Self::Sink(_)
            | Self::Document { .. }
            | Self::OtherInstance { .. }
            | Self::NeverSynced { .. } => RunOutcome::Failed,
        }
    }

    /// Names the kind of the error in one word, for the run history and for programs.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Api(error) => error.kind(),
            Self::Sink(SinkError::Locked { .. }) => "target_locked",
            Self::Sink(SinkError::Unusable { .. } | SinkError::Foreign { .. }) => "target_unusable",
            Self::Sink(SinkError::NewerVersion { .. }) => "target_newer",
            Self::Sink(SinkError::Altered { .. } | SinkError::Backward { .. }) => "target_altered",
            Self::Sink(SinkError::Unavailable { .. }) => "target_unavailable",
            Self::Sink(SinkError::CannotHold { .. }) => "target_cannot_hold",
            Self::Sink(SinkError::Refused { .. }) => "target_refused",
            Self::Sink(SinkError::Encoding { .. }) => "target_encoding",
            Self::Document { .. } => "damaged_document",
            Self::Interrupted => "interrupted",
            Self::OtherInstance { .. } => "other_instance",
            Self::NeverSynced { .. } => "never_synced",
        }
    }

    /// Returns the next step for the operator, if there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Api(error) => error.hint(),
            Self::Sink(error) => error.hint(),
            Self::Document { .. } => {
                Some("`dn verify --repair` reads it again from the platform; `dn verify` tells of all of them")
            }
            Self::Interrupted => Some("run the same command again to go on"),
            Self::OtherInstance { kept, found, .. } if kept.platform == found.platform => Some(
                "give each its own name (`--instance NAME`, or `[instances.NAME]` in the configuration); when the same \
                 instance moved to another address, run `dn sync --accept-address` once",
            ),
            Self::OtherInstance { .. } => {
                Some("give each its own name (`--instance NAME`, or `[instances.NAME]` in the configuration)")
            }
            Self::NeverSynced { .. } => Some("run `dn sync` first, and check the number of the démarche"),
        }
    }
}
