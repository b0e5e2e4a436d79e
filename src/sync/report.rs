//! What a run did: the versioned object that `dn sync --json` prints.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::files::FilesReport;
use super::retention::RetentionReport;
use super::rows::RowsReport;
use crate::ids::{DescriptorId, DossierNumber};
use crate::plan::Counts;
use crate::sink::RunOutcome;

/// The version of [`Report`] and [`Verification`](super::Verification) as JSON. It grows when a field changes its meaning
/// or goes; new fields leave it as it is.
pub const REPORT_VERSION: u32 = 1;

/// What a run did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this object.
    pub version: u32,
    /// The run.
    pub run: String,
    /// The instance.
    pub instance: String,
    /// The démarche.
    pub demarche: u32,
    /// The target, without credentials.
    pub target: String,
    /// How it ended.
    pub outcome: RunOutcome,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Requests sent to the platform, retries included.
    pub requests: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// Pages of dossiers received.
    pub pages: u64,
    /// What changed.
    #[serde(flatten)]
    pub counts: Counts,
    /// Rows written to the tables of the démarche, children included.
    pub rows_written: u64,
    /// Whether everything was read again.
    pub sweep: bool,
    /// The dossiers in quarantine when the run ended, and the reason of each.
    pub quarantined: BTreeMap<DossierNumber, String>,
    /// The newest `dateDerniereModification` up to which everything is in the target or in quarantine.
    pub watermark: Option<Timestamp>,
    /// What the complete light listing showed, when it was due.
    pub listing: Option<ListingReport>,
    /// The safety brake, when it held deletions back.
    pub brake: Option<Brake>,
    /// The changes made to the tables, in words.
    pub schema: Vec<String>,
    /// What the platform sent that this version does not know.
    pub drift: Vec<String>,
    /// The dossiers of which some values could not be read, and which ones: the values that came in another form are kept
    /// as text in the document, the others are missing until the platform can make them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<DossierNumber, Vec<String>>,
    /// Whether a list of deletions could not be read to its end.
    pub suppressions_incomplete: bool,
    /// What the target has to tell of itself: columns that people deleted, values that it could not hold.
    #[serde(default)]
    pub notices: Vec<String>,
    /// The questions that stored dossiers answer and that no revision of the form has: their answers are in the documents,
    /// and in no column.
    #[serde(default)]
    pub strangers: Vec<DescriptorId>,
    /// How the rows of the target differed from its documents, when they were compared and did.
    #[serde(default)]
    pub rows: Option<RowsReport>,
    /// The dossiers whose stored document is damaged, and that the platform does not show any more or could not show.
    #[serde(default)]
    pub damaged: Vec<DossierNumber>,
    /// What became of files, where the target keeps them and was asked to.
    #[serde(default)]
    pub files: Option<FilesReport>,
    /// What had been kept for its term, in a run that looked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<RetentionReport>,
    /// What ended the run early.
    pub error: Option<String>,
}

/// What the complete light listing showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingReport {
    /// Dossiers that the platform lists.
    pub listed: u64,
    /// Listed, and not in the target.
    pub missing: u64,
    /// Listed, and different in the target.
    pub stale: u64,
    /// In the target, and not listed.
    pub ghost: u64,
}

/// Deletions that were held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brake {
    /// How many deletions.
    pub deletions: u64,
    /// Out of how many dossiers.
    pub alive: u64,
}
