//! What a run did, as plain values: the versioned object that `dn sync --json` prints, and the run history that keeps it.
//!
//! What is told of a run after its end belongs here; what is told while it works is [`sync::Event`](crate::sync::Event).

mod record;
mod retention;
mod rows;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use record::{RETENTION, RunOutcome, RunRecord};
pub use retention::{RetentionReport, RuleReport};
pub use rows::{RowDifference, RowFault, RowsReport};

use crate::ids::{DescriptorId, DossierNumber, Scope};
use crate::plan::Counts;

/// The version of [`Report`] and [`Verification`](crate::sync::Verification) as JSON. It grows when a field changes its meaning
/// or goes; new fields leave it as it is.
pub const REPORT_VERSION: u32 = 1;

/// What a run did.
///
/// Reading one is lenient: what a stored report lacks is as in an empty one, and what this version does not know is left
/// out. So the history that older and newer versions wrote can be read.
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
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<DossierNumber, Vec<String>>,
    /// Whether a list of deletions could not be read to its end.
    pub suppressions_incomplete: bool,
    /// What the target has to tell of itself: columns that people deleted, values that it could not hold.
    pub notices: Vec<String>,
    /// The questions that stored dossiers answer and that no revision of the form has: their answers are in the documents,
    /// and in no column.
    pub strangers: Vec<DescriptorId>,
    /// How the rows of the target differed from its documents, when they were compared and did.
    pub rows: Option<RowsReport>,
    /// The dossiers whose stored document is damaged, and that the platform does not show any more or could not show.
    pub damaged: Vec<DossierNumber>,
    /// What became of files, where the target keeps them and was asked to.
    pub files: Option<FilesReport>,
    /// What had been kept for its term, in a run that looked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<RetentionReport>,
    /// What ended the run early.
    pub error: Option<String>,
}

impl Report {
    /// The report of a run that begins, and that nothing ended early yet.
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

    /// Says what ended the run early.
    pub fn end_early(&mut self, outcome: RunOutcome, error: impl ToString) {
        self.outcome = outcome;
        self.error = Some(error.to_string());
    }

    /// The line of the run history.
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

    /// Whether the run found everything as it was, as far as it came: nothing was written but where the walks stand. What
    /// is told at every run anew (drift, notices of the target) is no news.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.counts.is_zero()
            && self.rows_written == 0
            && self.schema.is_empty()
            && self.brake.is_none()
            && self.rows.is_none()
    }
}

/// What the complete light listing showed.
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
    /// How many deletions.
    pub deletions: u64,
    /// Out of how many dossiers.
    pub alive: u64,
}

/// What became of the files that a target wanted.
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
