//! Declares the values that the engine passes to a sink and gets back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::dossier::Gone;
use crate::fingerprint::Digest;
use crate::ids::{DossierNumber, Scope};
use crate::plan::Plan;
use crate::report::Counts;
use crate::table::Layout;

/// Tables that were prepared: only [`Sink::prepare`](super::Sink::prepare) makes one.
#[derive(Clone, Debug)]
pub struct Prepared {
    scope: Scope,
    layout: Layout,
    owes_remap: bool,
}

impl Prepared {
    pub(super) fn new(scope: Scope, layout: Layout) -> Self {
        Self { scope, layout, owes_remap: false }
    }

    /// Marks that the target itself needs its rows to be written again.
    #[cfg(feature = "grist")]
    pub(super) fn owing(self, owes_remap: bool) -> Self {
        Self { owes_remap, ..self }
    }

    /// The démarche of the tables.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The layout of the tables.
    #[doc(hidden)]
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns `true` if the target has columns without the values of stored dossiers that the plan does not know: users
    /// deleted a column and want it back. The same transaction marked it in the stored checkpoint.
    #[must_use]
    pub fn owes_remap(&self) -> bool {
        self.owes_remap
    }
}

/// The content of one commit.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The run that does it.
    pub run: String,
    /// The time of observation, for the change feed.
    pub seen_at: Timestamp,
    /// The changes.
    #[doc(hidden)]
    pub plan: Plan,
    /// The checkpoint once this is durable.
    pub checkpoint: Checkpoint,
    /// Dossiers that enter, stay in or leave quarantine.
    pub quarantine: Vec<QuarantineChange>,
}

/// A change to the quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuarantineChange {
    /// The dossier could not be read (again).
    Put(QuarantineEntry),
    /// The dossier was read, or is known to be gone.
    Release(DossierNumber),
}

/// A dossier that could not be read: kept by number, tried again by later runs (trap 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineEntry {
    /// The dossier.
    pub number: DossierNumber,
    /// A stable word for why: `invalid_null`, `timeout`, `internal_server_error`, `undecodable`...
    pub reason: String,
    /// The error, without personal data.
    pub message: String,
    /// The time of its first failure.
    pub since: Timestamp,
    /// Number of attempts.
    pub attempts: u32,
    /// The time of the next attempt.
    pub next_try: Timestamp,
}

/// The result of a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Rows written in all tables of the démarche, children included.
    pub rows_written: u64,
    /// Changes that the feed tells of; counted also by a target that keeps no feed.
    pub events: u64,
    /// The effects of the changes, decided by the stored dossiers.
    pub counts: Counts,
}

/// Numbers of dossiers of a démarche in a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Dossiers without tombstone.
    pub alive: u64,
    /// Dossiers with a tombstone.
    pub gone: u64,
}

/// A stored dossier, for comparison with the complete listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CensusEntry {
    /// The dossier.
    pub number: DossierNumber,
    /// The digest of its line in the light listing when it was stored.
    pub light: Digest,
    /// Its tombstone.
    pub gone: Option<Gone>,
}

/// A stored document.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDocument {
    /// The dossier.
    pub number: DossierNumber,
    /// Its filtered JSON.
    pub document: String,
    /// The digest of its line in the light listing when it was stored (it cannot be computed from a filtered document).
    pub light: Digest,
    /// The fingerprint of the document.
    pub fingerprint: Digest,
    /// Its tombstone.
    pub gone: Option<Gone>,
    /// The time at which this version, or this tombstone, was first seen.
    pub last_changed: Timestamp,
}
