//! What walks between the engine and a sink.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::demarche::DemarcheHead;
use crate::ids::{DemarcheNumber, DescriptorId, DossierNumber};
use crate::plan::{Gone, Plan};
use crate::privacy::Selection;
use crate::table::{Digest, Layout};

/// Which dossiers: one démarche of one instance of a platform. Numbers of two instances collide, so both are needed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// The short name of the instance, as configured.
    pub instance: String,
    /// The démarche.
    pub demarche: DemarcheNumber,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.instance, self.demarche)
    }
}

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

    /// The same, where the target itself wants its rows to be written again.
    #[cfg(feature = "grist")]
    pub(super) fn owing(self, owes_remap: bool) -> Self {
        Self { owes_remap, ..self }
    }

    /// Whose tables.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// How they are.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether the target has columns without the values of stored dossiers that the plan does not know of: people took
    /// a column away and want it back. The stored checkpoint says so since the same transaction.
    #[must_use]
    pub fn owes_remap(&self) -> bool {
        self.owes_remap
    }
}

/// Where the walks of a démarche stand. Stored by the sink that stored the rows, in the same commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The newest `dateDerniereModification` such that every change up to it was committed or is in quarantine, but no
    /// later than the platform's instant at which the walk began. Made of the platform's dates only; never moves backward. `None` until the first page is committed.
    pub watermark: Option<Timestamp>,
    /// A complete re-reading under way, and how far it came.
    pub sweep: Option<Sweep>,
    /// The démarche as last seen, to notice new revisions.
    pub demarche: Option<DemarcheHead>,
    /// The digest of the privacy policy under which everything stored was filtered.
    pub policy: Option<Digest>,
    /// The digest of what was asked of dossiers beyond the pinned documents; `None` where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_fields: Option<Digest>,
    /// Which dossiers of the démarche the target keeps.
    #[serde(default, skip_serializing_if = "Selection::is_everything")]
    pub selection: Selection,
    /// Dossiers outside that selection are yet to get a tombstone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaving: bool,
    /// Stored rows are yet to be written again from their documents (columns or policy changed).
    #[serde(default)]
    pub remap: bool,
    /// The questions that stored dossiers answer and that the tables have no column for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub strangers: BTreeSet<DescriptorId>,
    /// The digest of the lists of deletions as they were last applied in full: as long as they say the same, there is
    /// nothing to ask the target about them.
    #[serde(default)]
    pub suppressions: Option<Digest>,
    /// Dossiers with more in them than a row of the target holds, and how many quarters of their answers are in columns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub narrowed: BTreeMap<DossierNumber, u8>,
    /// The lists of deletions that could not be read, and when they are asked for again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub setbacks: BTreeMap<DeletionList, Setback>,
    /// When the last wide overlap was read (our clock: it only decides when to look again).
    pub followed_up_at: Option<Timestamp>,
    /// When the last complete light listing was compared (our clock).
    pub listed_at: Option<Timestamp>,
    /// When the last complete re-reading ended (our clock).
    pub swept_at: Option<Timestamp>,
    /// When a newly published revision makes a complete re-reading necessary (after the platform's rebase, trap 25).
    #[serde(default)]
    pub sweep_due: Option<Timestamp>,
    /// When it was last looked which dossiers' terms are over (our clock: it only decides when to look again).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retained_at: Option<Timestamp>,
}

/// One of the platform's two lists of what is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionList {
    /// Those that wait to be purged.
    Pending,
    /// Those that were purged.
    Deleted,
}

impl DeletionList {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Pending, Self::Deleted];
}

impl fmt::Display for DeletionList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "the list of dossiers that wait to be purged",
            Self::Deleted => "the list of purged dossiers",
        })
    }
}

/// A side question that failed: asked again, less and less often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setback {
    /// How many times in a row it failed.
    pub attempts: u32,
    /// When to ask again (our clock).
    pub next_try: Timestamp,
}

/// A complete re-reading: the ordinary walk, since the beginning of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// The `dateDerniereModification` up to which it came; `None` at its start.
    pub reached: Option<Timestamp>,
}

/// What is committed together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The run that does it.
    pub run: String,
    /// When it was seen, for the change feed.
    pub seen_at: Timestamp,
    /// The changes.
    pub plan: Plan,
    /// Where the walks stand once this is durable.
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
    /// What happened, without personal data.
    pub message: String,
    /// When it was first put here.
    pub since: Timestamp,
    /// How many runs tried.
    pub attempts: u32,
    /// When to try again.
    pub next_try: Timestamp,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Rows written in all tables of the démarche, children included.
    pub rows_written: u64,
    /// Changes that the feed tells of; counted also by a target that keeps no feed.
    pub events: u64,
}

/// How many dossiers a target holds of a démarche.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Those that the platform shows.
    pub alive: u64,
    /// Those that have a tombstone.
    pub gone: u64,
}

/// What a target holds of a dossier, for comparison with the complete listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CensusEntry {
    /// The dossier.
    pub number: DossierNumber,
    /// The digest of what the light listing showed when it was stored.
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
    /// The digest of what the light listing showed when it was stored (it cannot be computed from a filtered document).
    pub light: Digest,
    /// The fingerprint of the document.
    pub fingerprint: Digest,
    /// Its tombstone.
    pub gone: Option<Gone>,
    /// When this version, or this tombstone, was first seen.
    pub last_changed: Timestamp,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Everything that the platform shows is in the target.
    Done,
    /// The same, but for dossiers in quarantine.
    Quarantine,
    /// Stopped after a complete commit: by a signal, or because another run had taken its place.
    Interrupted,
    /// Stopped by an error.
    Failed,
}

impl RunOutcome {
    /// Whether it looked everywhere: everything that could be read is in the target.
    #[must_use]
    pub const fn did_its_work(self) -> bool {
        matches!(self, Self::Done | Self::Quarantine)
    }
}

/// What the ids of runs begin with that only looked at the target, for what had been kept for its term.
pub const RETENTION: &str = "retention-";

/// A line of the run history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The run.
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Whether it found everything as it was: nothing was written but where the walks stand. Told to the target when the
    /// line is written; a target may answer `false` later.
    #[serde(default)]
    pub quiet: bool,
    /// Its report as JSON (the object that `dn sync --json` prints).
    pub report: serde_json::Value,
}

impl RunRecord {
    /// Whether the run tells nothing of the platform: it looked for what had been kept for its term.
    #[must_use]
    pub fn is_retention(&self) -> bool {
        self.id.starts_with(RETENTION)
    }
}
