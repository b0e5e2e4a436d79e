//! A dossier that left: what its tombstone says.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How and when a dossier went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// Why.
    pub reason: GoneReason,
    /// When, by the platform's date; unknown for a dossier that left without a trace.
    pub at: Option<Timestamp>,
}

/// Why a dossier is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoneReason {
    /// Waiting to be purged: it may come back. The platform's word for why.
    Pending(String),
    /// Purged. The platform's word for why.
    Deleted(String),
    /// In no list, and the platform answers "not found": expired, hidden, or a test dossier (traps 33 to 35).
    Missing,
    /// Still there on the platform, and outside what the operator wants to keep of the démarche.
    Filtered,
    /// Purged here, when its term was over. The platform may still show it, and the target holds nothing of it.
    Retention,
}

impl GoneReason {
    /// The platform's word for why, or `missing`, `filtered`, `retention`.
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
