//! Writes and reads the line that a run leaves in the run history. Pure.

use std::sync::Arc;

use jiff::SignedDuration;

use super::bundles::{RowShape, Upsert};
use super::encoding::seconds;
use super::known::{DocRecord, text};
use super::state::RunHistory;
use super::value;
use super::{journal, shared};
use crate::ids::Scope;
use crate::report::{RunOutcome, RunRecord};

/// The number of lines that a démarche keeps.
pub(super) const KEPT: u32 = 500;

/// The number of lines beyond that before the oldest go.
pub(super) const SLACK: u32 = 50;

/// For how long runs without news leave no line after one that left one, so that they do not push the changes of people
/// out of the document's history (Grist trap 32).
const QUIET: SignedDuration = SignedDuration::from_hours(1);

/// The same for a run that had to write where it stands: its request is spent.
const SPENT: SignedDuration = SignedDuration::from_hours(6);

/// Returns true if a run may go without a line.
pub(super) fn is_skipped(last: &RunHistory, run: &RunRecord, wrote: bool) -> bool {
    let patience = if wrote { SPENT } else { QUIET };
    let recent = last.ended_at.is_some_and(|at| run.ended_at.duration_since(at) < patience);
    run.is_quiet() && (last.quiet || last.done) && recent
}

/// The line of a run; `told` are notices for people.
pub(super) fn line(scope: &Scope, run: &RunRecord, title: Option<&str>, told: &[String]) -> Upsert {
    let columns = [
        "demarche",
        "debut",
        "fin",
        "resultat",
        "nouveaux",
        "modifies",
        "supprimes",
        "quarantaine",
        "message",
        "rapport",
    ];
    let form = RowShape {
        rank: 0,
        table: shared::RUNS.to_owned(),
        key: "cle".to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        adds: true,
    };
    let report = &run.report;
    let demarche = match title {
        Some(title) => format!("{} – {title}", scope.demarche),
        None => scope.demarche.to_string(),
    };
    Upsert {
        form: Arc::new(form),
        key: format!("{scope}/{}", run.id).into(),
        values: vec![
            demarche.into(),
            seconds(run.started_at),
            seconds(run.ended_at),
            journal::result(run).into(),
            report.counts.inserted.into(),
            report.counts.updated.into(),
            report.counts.deleted.into(),
            report.quarantined.len().into(),
            journal::message(run, told).into(),
            value::write(run).into(),
        ],
    }
}

/// A line again; `None` for one that somebody edited, or made.
pub(super) fn read(row: &DocRecord) -> Option<RunRecord> {
    serde_json::from_str(&value::unpack(text(row, "rapport"))?).ok()
}

/// Computes what is kept of the history after a line.
pub(super) fn after(last: &RunHistory, run: &RunRecord, removed: u32) -> RunHistory {
    let lines = (last.lines + 1).saturating_sub(removed);
    let done = run.outcome == RunOutcome::Done && run.report.brake.is_none();
    RunHistory { lines, ended_at: Some(run.ended_at), quiet: run.is_quiet(), done }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::ids::{DemarcheNumber, DossierNumber};
    use crate::report::{Report, RunOutcome};

    fn run(quiet: bool, minute: i64) -> RunRecord {
        let at = Timestamp::from_second(60 * minute).expect("an instant");
        let mut report = Report { error: Some("rien ne va".to_owned()), ..Report::default() };
        report.counts.inserted = if quiet { 0 } else { 3 };
        report.quarantined.insert(DossierNumber::new(12), "timeout".to_owned());
        RunRecord { id: "r".into(), started_at: at, ended_at: at, outcome: RunOutcome::Done, report }
    }

    #[test]
    fn runs_without_news_leave_a_line_an_hour() {
        let last = |quiet| after(&RunHistory::default(), &run(quiet, 0), 0);
        let failed = RunRecord { outcome: RunOutcome::Failed, ..run(false, 0) };
        let failed = after(&RunHistory::default(), &failed, 0);
        let older = RunHistory { done: false, ..last(false) };
        for (last, quiet, minute, wrote, skipped) in [
            (RunHistory::default(), true, 0, false, false),
            (last(true), true, 59, false, true),
            (last(true), true, 60, false, false),
            (last(true), true, 60, true, true),
            (last(true), true, 360, true, false),
            (last(false), true, 1, false, true),
            (last(false), true, 60, false, false),
            (failed, true, 1, false, false),
            (older, true, 1, false, false),
            (last(true), false, 1, false, false),
        ] {
            assert_eq!(is_skipped(&last, &run(quiet, minute), wrote), skipped, "{last:?} {quiet} {minute} {wrote}");
        }
    }

    #[test]
    fn a_line_says_in_french_what_happened_and_gives_the_run_back() {
        let scope = Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(12) };
        let line = line(&scope, &run(false, 1), Some("Aides"), &["La colonne « Nom »".to_owned()]);
        assert_eq!(line.key, json!("dn/12/r"));
        let told = "Le passage s’est arrêté sur une erreur, que l’exploitant lit avec `dn status`. Le suivant reprend.\n\
                    La colonne « Nom »";
        assert_eq!(
            line.values[..9],
            *json!(["12 – Aides", 60, 60, "Terminé", 3, 0, 0, 1, told]).as_array().expect("a list")
        );
        let row = shared::row(json!({ "rapport": line.values[9] }));
        assert_eq!(read(&row), Some(run(false, 1)));
        assert_eq!(read(&shared::row(json!({ "rapport": "édité" }))), None);
    }
}
