//! Facts about runs for metrics and alerts: counts and instants, nothing of a dossier. Pure.

use jiff::Timestamp;
use serde::Serialize;

use crate::report::{Report, RunOutcome, RunRecord};

/// Counts the runs that ended in this process, by their outcome. A run that could not even begin has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// Everything that the platform shows is in the target.
    pub done: u64,
    /// The same, but for dossiers in quarantine.
    pub quarantine: u64,
    /// Stopped after a complete commit.
    pub interrupted: u64,
    /// Stopped by an error.
    pub failed: u64,
}

impl Runs {
    /// Counts one more.
    pub(super) fn add(&mut self, outcome: RunOutcome) {
        *match outcome {
            RunOutcome::Done => &mut self.done,
            RunOutcome::Quarantine => &mut self.quarantine,
            RunOutcome::Interrupted => &mut self.interrupted,
            RunOutcome::Failed => &mut self.failed,
        } += 1;
    }
}

/// Counts the dossiers that the runs of this process changed in the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// New ones.
    pub inserted: u64,
    /// Those whose content moved.
    pub updated: u64,
    /// Those newly gone.
    pub deleted: u64,
    /// Those that came back.
    pub restored: u64,
}

impl Changed {
    /// Adds what one more run did, however it ended.
    pub(super) fn add(&mut self, report: &Report) {
        let counts = report.counts;
        self.inserted += counts.inserted;
        self.updated += counts.updated;
        self.deleted += counts.deleted;
        self.restored += counts.restored;
    }
}

/// Holds the findings of the last run that did its work, whoever did it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The number of dossiers in quarantine when it ended.
    pub quarantine: u64,
    /// The newest modification up to which everything is in the target or in quarantine.
    pub watermark: Option<Timestamp>,
    /// True if the safety brake held deletions back.
    pub brake: bool,
    /// The number of questions that dossiers answer and that no revision of the form has.
    pub strangers: u64,
}

impl Found {
    /// Of the last runs, newest first, as a target gives them.
    #[must_use]
    pub fn of(runs: &[RunRecord]) -> Option<Self> {
        let last = runs.iter().find(|run| run.outcome.did_its_work())?;
        Some(Self::told(&last.report))
    }

    /// Of a run that ended here; `None` when it did not do its work, and so did not look everywhere.
    #[must_use]
    pub fn in_report(report: &Report) -> Option<Self> {
        report.outcome.did_its_work().then(|| Self::told(report))
    }

    fn told(report: &Report) -> Self {
        Self {
            quarantine: report.quarantined.len() as u64,
            watermark: report.watermark,
            brake: report.brake.is_some(),
            strangers: report.strangers.len() as u64,
        }
    }
}

/// Since when runs have found dossiers in quarantine, of the last ones, newest first: the end of the oldest of those that
/// found some in a row.
pub(super) fn quarantined_since(runs: &[RunRecord]) -> Option<Timestamp> {
    let worked = runs.iter().filter(|run| run.outcome.did_its_work());
    worked.take_while(|run| run.outcome == RunOutcome::Quarantine).last().map(|run| run.ended_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DescriptorId, DossierNumber};
    use crate::report::Brake;

    #[test]
    fn what_was_found_is_that_of_the_last_run_that_did_its_work() {
        let run = |outcome, report| Report { outcome, ..report }.record(Timestamp::UNIX_EPOCH);
        let good = Report {
            quarantined: [42, 43].map(|number| (DossierNumber::new(number), "crash".to_owned())).into(),
            watermark: "2026-03-02T08:00:00Z".parse().ok(),
            brake: Some(Brake { deletions: 12, alive: 20 }),
            strangers: vec![DescriptorId::new("Q2hhbXAtOQ==")],
            ..Report::default()
        };
        let runs = [
            run(RunOutcome::Failed, Report::default()),
            run(RunOutcome::Quarantine, good),
            run(RunOutcome::Done, Report::default()),
        ];
        let expected =
            Found { quarantine: 2, watermark: "2026-03-02T08:00:00Z".parse().ok(), brake: true, strangers: 1 };
        assert_eq!(Found::of(&runs), Some(expected));
        assert_eq!(Found::of(&runs[..1]), None);
        assert_eq!(Found::of(&runs[2..]), Some(Found::default()));
    }
}
