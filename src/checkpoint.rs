//! Checkpoint of a démarche: the watermark and the rest of the state that the next run starts from. Plain values.
//!
//! State that must survive a killed run belongs here. Its computation belongs to
//! [`observe::watermark`](crate::observe::watermark) and [`sync`](crate::sync), its storage to each target.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::demarche::DemarcheHead;
use crate::fingerprint::Digest;
use crate::ids::{DescriptorId, DossierNumber};
use crate::privacy::Selection;

/// State that the next run of a démarche starts from. The sink stores it in the same commit as the rows: a checkpoint
/// ahead of its rows would lose dossiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The newest `dateDerniereModification` such that every change up to it was committed or is in quarantine, but no
    /// later than the platform's instant at which the walk began. It consists of the platform's dates only, as our
    /// clock may differ, and never moves backward. `None` until the first page is committed.
    pub watermark: Option<Timestamp>,
    /// The sweep in progress, and the date that it reached.
    #[doc(hidden)]
    pub sweep: Option<Sweep>,
    /// The démarche as last seen, to notice new revisions.
    #[doc(hidden)]
    pub demarche: Option<DemarcheHead>,
    /// The digest of the privacy policy under which everything stored was filtered.
    #[doc(hidden)]
    pub policy: Option<Digest>,
    /// The digest of the fields that were requested beyond the pinned documents; `None` if there were none.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_fields: Option<Digest>,
    /// The fields that the platform had when its schema was last read; `None` if it never was.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_fields: Option<PlatformFields>,
    /// The selection of dossiers that the target keeps.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "Selection::is_everything")]
    pub selection: Selection,
    /// Dossiers outside that selection are yet to get a tombstone.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaving: bool,
    /// Stored rows are yet to be written again from their documents (columns or policy changed).
    #[doc(hidden)]
    #[serde(default)]
    pub remap: bool,
    /// The questions that stored dossiers answer and that the tables have no column for.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub strangers: BTreeSet<DescriptorId>,
    /// The digest of the lists of deletions that were last applied in full. As long as it is the same, the target need
    /// not be asked about them.
    #[doc(hidden)]
    #[serde(default)]
    pub suppressions: Option<Digest>,
    /// Dossiers with more in them than a row of the target holds, and how many quarters of their answers are in columns.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub narrowed: BTreeMap<DossierNumber, u8>,
    /// The side requests that failed, and when they are retried.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub setbacks: BTreeMap<SideQuestion, Setback>,
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

/// Fields that a platform has beyond the pinned documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[doc(hidden)]
pub struct PlatformFields {
    /// Their names.
    pub has: BTreeSet<String>,
    /// The digest of all fields that the version which read the schema knew to request.
    pub catalogue: Digest,
    /// When the schema was read (our clock: it only decides when to read it again).
    pub at: Timestamp,
}

/// List of deletions: the platform has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeletionList {
    /// Dossiers that wait to be purged.
    Pending,
    /// Dossiers that were purged.
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

/// Side request: it is sent beside the dossiers, and its failure ends no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[doc(hidden)]
pub enum SideQuestion {
    /// The list of dossiers that wait to be purged.
    Pending,
    /// The list of purged dossiers.
    Deleted,
    /// The schema of the platform.
    Schema,
}

impl From<DeletionList> for SideQuestion {
    fn from(list: DeletionList) -> Self {
        match list {
            DeletionList::Pending => Self::Pending,
            DeletionList::Deleted => Self::Deleted,
        }
    }
}

/// Backoff of a side request that failed: it is retried less and less often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[doc(hidden)]
pub struct Setback {
    /// The number of failures in a row.
    pub attempts: u32,
    /// When to ask again (our clock).
    pub next_try: Timestamp,
}

impl Setback {
    /// The longest wait.
    const LONGEST: SignedDuration = SignedDuration::from_hours(24);

    /// Returns true if the request is not due yet. No wait is longer than a day: a clock that was set back makes it due.
    #[must_use]
    pub fn waits(&self, now: Timestamp) -> bool {
        let latest = now.checked_add(Self::LONGEST).unwrap_or(Timestamp::MAX);
        self.next_try > now && self.next_try <= latest
    }
}

/// Sweep: reading every dossier again, by the ordinary walk since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[doc(hidden)]
pub struct Sweep {
    /// The `dateDerniereModification` that it reached; `None` at its start.
    pub reached: Option<Timestamp>,
}
