//! Reason and date of a dossier that left: the content of its tombstone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Reason and date of a dossier that left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// The reason.
    pub reason: GoneReason,
    /// The platform's date; `None` for a dossier that left without a trace.
    pub at: Option<Timestamp>,
}

/// Reason for which a dossier is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoneReason {
    /// Waiting to be purged: it may come back. With the platform's word for the reason.
    Pending(String),
    /// Purged. With the platform's word for the reason.
    Deleted(String),
    /// In no list, and the platform answers "not found": expired, hidden, or a test dossier (traps 33 to 35).
    Missing,
    /// Still on the platform, and outside the selection of the target.
    Filtered,
    /// Purged here when its term was over. The platform may still show it.
    Retention,
}

impl GoneReason {
    /// Returns the platform's word for the reason, or `missing`, `filtered`, `retention`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending(word) | Self::Deleted(word) => word,
            Self::Missing => "missing",
            Self::Filtered => "filtered",
            Self::Retention => "retention",
        }
    }
}
