//! Names the status of an intent. Pure.

use serde::{Deserialize, Serialize};

/// Status of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// To be done.
    Pending,
    /// Done by us, and seen on the platform.
    Done,
    /// The platform showed it already: nothing was sent.
    AlreadyDone,
    /// It cannot be done.
    Refused,
    /// The dossier is not what the person decided on.
    Conflict,
    /// Nobody can tell if it was done: a person must look.
    Ambiguous,
    /// Somebody took it back before anything was sent.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Done, Self::AlreadyDone, Self::Refused, Self::Conflict, Self::Ambiguous, Self::Cancelled];

    /// Returns its word in outboxes and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::AlreadyDone => "already_done",
            Self::Refused => "refused",
            Self::Conflict => "conflict",
            Self::Ambiguous => "ambiguous",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns true if the platform shows what was wanted.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Done | Self::AlreadyDone)
    }
}
