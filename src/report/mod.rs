//! Reports of runs, as plain values: the versioned object that `dn sync --json` prints, and the run history that keeps
//! it.
//!
//! Facts about a run after its end belong here; events while it works are [`sync::Event`](crate::sync::Event)s.

mod counts;
mod record;
mod retention;
mod rows;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use counts::Counts;
pub use record::{RETENTION, RunOutcome, RunRecord};
pub use retention::{RetentionReport, RuleReport};
pub use rows::{RowDifference, RowFault, RowsReport};

use crate::ids::{DescriptorId, DossierNumber, Scope};

/// The version of [`Report`] and [`Verification`](crate::sync::Verification) as JSON. It grows if a field changes its
/// meaning or is removed; new fields leave it as it is.
pub const REPORT_VERSION: u32 = 1;

/// Report of a run.
///
/// Deserialization is lenient, so that the history of older and newer versions can be read: missing fields are as in an
/// empty report, and unknown fields are ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
    /// Its outcome.
    pub outcome: RunOutcome,
    /// When it began.
    pub started_at: Timestamp,
    /// Its duration, in milliseconds.
    pub duration_ms: u64,
    /// Requests sent to the platform, retries included.
    pub requests: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// Pages of dossiers received.
    pub pages: u64,
    /// The changes, counted.
    #[serde(flatten)]
    pub counts: Counts,
    /// Rows written to the tables of the démarche, children included.
    pub rows_written: u64,
    /// True if it was a sweep: every dossier was read again.
    pub sweep: bool,
    /// The dossiers in quarantine when the run ended, and the reason of each.
    pub quarantined: BTreeMap<DossierNumber, String>,
    /// The newest `dateDerniereModification` up to which everything is in the target or in quarantine.
    pub watermark: Option<Timestamp>,
    /// The comparison with the complete light listing, if it was due.
    pub listing: Option<ListingReport>,
    /// The brake, if it held deletions back.
    pub brake: Option<Brake>,
    /// The changes made to the tables, in words.
    pub schema: Vec<String>,
    /// Values of the platform that this version does not know.
    pub drift: Vec<String>,
    /// The dossiers of which some values could not be read, and which ones: the values that came in another form are kept
    /// as text in the document, the others are missing until the platform can make them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<DossierNumber, Vec<String>>,
    /// True if a list of deletions could not be read to its end.
    pub suppressions_incomplete: bool,
    /// Notices of the target: columns that people deleted, values that it could not hold.
    pub notices: Vec<String>,
    /// The questions that stored dossiers answer and that no revision of the form has: their answers are in the documents,
    /// and in no column.
    pub strangers: Vec<DescriptorId>,
    /// The differences between rows and documents, if they were compared and differed.
    pub rows: Option<RowsReport>,
    /// The dossiers whose stored document is damaged, and that the platform does not show any more or could not show.
    pub damaged: Vec<DossierNumber>,
    /// The transfer of files, if the target keeps them and was asked to.
    pub files: Option<FilesReport>,
    /// The dossiers whose term is over, in a run that looked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<RetentionReport>,
    /// The error that ended the run early.
    pub error: Option<String>,
    /// The kind of that error, in one word for programs; `None` where an older version did not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<String>,
}

impl Report {
    /// Begins the report of a run.
    #[must_use]
    pub fn begin(run: String, scope: &Scope, target: &str, started_at: Timestamp) -> Self {
        Self {
            version: REPORT_VERSION,
            run,
            instance: scope.instance.clone(),
            demarche: scope.demarche.get(),
            target: target.to_owned(),
            outcome: RunOutcome::Done,
            started_at,
            ..Self::default()
        }
    }

    /// Records the error that ended the run early.
    pub fn end_early(&mut self, outcome: RunOutcome, error: impl ToString) {
        self.outcome = outcome;
        self.error = Some(error.to_string());
    }

    /// Builds the line of the run history.
    #[must_use]
    pub fn record(&self, ended_at: Timestamp) -> RunRecord {
        RunRecord {
            id: self.run.clone(),
            started_at: self.started_at,
            ended_at,
            outcome: self.outcome,
            report: self.clone(),
        }
    }

    /// Returns true if the run changed nothing but the checkpoint. Drift and notices of the target do not count, as
    /// every run reports them again.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.counts.is_zero()
            && self.rows_written == 0
            && self.schema.is_empty()
            && self.brake.is_none()
            && self.rows.is_none()
    }
}

/// Comparison with the complete light listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Brake {
    /// The number of deletions.
    pub deletions: u64,
    /// Out of how many dossiers.
    pub alive: u64,
}

/// Transfer of the files that a target wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilesReport {
    /// Files whose bytes are in the target since this run.
    pub kept: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows that show, since this run, a file that was in the target before.
    pub linked: u64,
    /// Files that were not fetched, by the reason: `gone`, `not_safe`, `differs`, `expired`, `unavailable`, `refused`. The
    /// next run tries again.
    pub left: BTreeMap<String, u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DemarcheNumber;

    fn report() -> Report {
        let scope = Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(12) };
        Report::begin("r".to_owned(), &scope, "memory", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_report_that_another_version_stored_is_read() {
        let text = r#"{ "inserted": 3, "quarantined": { "12": "timeout" }, "outcome": "done", "of_tomorrow": [1] }"#;
        let read: Report = serde_json::from_str(text).expect("a report");
        assert_eq!((read.counts.inserted, read.counts.updated, read.version), (3, 0, 0));
        assert_eq!(read.quarantined, BTreeMap::from([(DossierNumber::new(12), "timeout".to_owned())]));
        assert_eq!((read.outcome, read.error), (RunOutcome::Done, None));
    }

    #[test]
    fn a_line_of_the_history_survives_its_text_form_and_says_whether_it_is_quiet() {
        let mut report = report();
        report.quarantined.insert(DossierNumber::new(7), "timeout".to_owned());
        for (inserted, outcome, quiet) in [
            (0, RunOutcome::Done, true),
            (1, RunOutcome::Done, false),
            (0, RunOutcome::Quarantine, false),
            (0, RunOutcome::Failed, false),
        ] {
            report.counts.inserted = inserted;
            report.outcome = outcome;
            let line = report.record(Timestamp::UNIX_EPOCH);
            let text = serde_json::to_value(&line).expect("plain data");
            assert_eq!(text["quiet"], quiet, "{inserted} {outcome:?}");
            assert_eq!(serde_json::from_value::<RunRecord>(text).expect("a line"), line);
        }
    }
}
