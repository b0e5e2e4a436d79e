//! Decides what commands of a document mean, and says in French what came of them. Asks nobody, and knows no target.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::kind::ErrorKind;
use super::push::PushOutcome;
use crate::intent::Status;
use crate::report::{Report, RunOutcome};
use crate::sink::grist::DocumentCommand;
use crate::sync::Verification;

/// Holds the work that commands ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// True if dossiers are to be read.
    pub sync: bool,
    /// True if all of them are read again.
    pub full: bool,
    /// True if those in quarantine are read again now.
    pub retry_quarantine: bool,
    /// True if the decisions that wait are sent.
    pub push: bool,
    /// True if the document is compared with the platform.
    pub verify: bool,
    /// Why something of it is refused.
    pub refused: Option<&'static str>,
}

/// Refuses everything.
const PAUSED: &str = "la synchronisation de cette démarche est en pause";
/// Refuses to send.
const NO_DECISIONS: &str = "ce document ne prend pas de décisions (`decisions` dans la configuration)";

impl Order {
    /// Decides what is done. `decides`: the operator lets people decide in the document, so sending is theirs too.
    pub(super) fn of(commands: &BTreeSet<DocumentCommand>, paused: bool, decides: bool) -> Self {
        if paused {
            return Self { refused: Some(PAUSED), ..Self::default() };
        }
        commands.iter().fold(Self::default(), |order, command| match command {
            DocumentCommand::Sync => Self { sync: true, ..order },
            DocumentCommand::Full => Self { sync: true, full: true, ..order },
            DocumentCommand::RetryQuarantine => Self { sync: true, retry_quarantine: true, ..order },
            DocumentCommand::Push if decides => Self { push: true, ..order },
            DocumentCommand::Push => Self { refused: Some(NO_DECISIONS), ..order },
            DocumentCommand::Verify => Self { verify: true, ..order },
        })
    }
}

/// Says that commands are under way.
pub(super) fn under_way(commands: &BTreeSet<DocumentCommand>, now: Timestamp, zone: &TimeZone) -> String {
    let titles: Vec<&str> = commands.iter().map(|command| command.title()).collect();
    format!("En cours depuis {} : {}", clock(now, zone), titles.join(", "))
}

/// Collects what came of commands, step by step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CommandAnswer {
    done: Vec<String>,
    failed: Vec<String>,
    refused: Option<&'static str>,
}

impl CommandAnswer {
    /// Begins with what is refused.
    pub(super) fn of(order: Order) -> Self {
        Self { refused: order.refused, ..Self::default() }
    }

    /// Adds a run. One that failed says why.
    pub(super) fn synced(&mut self, report: &Report, failure: Option<ErrorKind>) {
        match (report.outcome, failure) {
            (RunOutcome::Done | RunOutcome::Quarantine, None) => self.done.push(counts(report)),
            (RunOutcome::Interrupted, _) => self.failed(ErrorKind::Interrupted),
            (_, failure) => self.failed(failure.unwrap_or(ErrorKind::Unexpected)),
        }
    }

    /// Adds a push.
    pub(super) fn pushed(&mut self, outcome: &PushOutcome) {
        let counted = outcome.pushed.iter().flat_map(|pushed| &pushed.counts).filter(|(_, count)| **count > 0);
        let counted: Vec<String> = counted.map(|(status, count)| settled(*status, *count)).collect();
        match (counted.is_empty(), &outcome.error) {
            (true, None) => self.done.push("aucune décision à envoyer".to_owned()),
            (true, Some(_)) => {}
            (false, _) => self.done.push(format!("décisions : {}", counted.join(", "))),
        }
        if let Some(error) = &outcome.error {
            self.failed(error.into());
        }
    }

    /// Adds a comparison.
    pub(super) fn verified(&mut self, verification: &Verification) {
        let compared = many(verification.listed, "dossier comparé", "dossiers comparés");
        if verification.is_exact() {
            self.done.push(format!("{compared}, aucun écart"));
            return;
        }
        let found = [
            (verification.missing.len(), "dossier manquant", "dossiers manquants"),
            (verification.stale.len(), "dossier pas à jour", "dossiers pas à jour"),
            (verification.ghost.len(), "dossier en trop", "dossiers en trop"),
            (verification.rows.len(), "écart dans les lignes", "écarts dans les lignes"),
            (verification.damaged.len(), "dossier endommagé", "dossiers endommagés"),
            (verification.strangers.len(), "question sans colonne", "questions sans colonne"),
        ];
        let found = found.into_iter().filter(|(count, _, _)| *count > 0);
        let found: Vec<String> = found.map(|(count, one, several)| many(count as u64, one, several)).collect();
        self.done.push(format!("{compared} : {}", found.join(", ")));
    }

    /// Adds a step that failed.
    pub(super) fn failed(&mut self, kind: ErrorKind) {
        self.failed.push(
            match kind {
                ErrorKind::Unavailable => "la plateforme ou Grist n’a pas répondu, un prochain passage réessaie",
                ErrorKind::Refused => "la plateforme ou Grist refuse (voir « Exécutions », ou l’exploitant)",
                ErrorKind::Configuration => "la configuration est à corriger par l’exploitant",
                ErrorKind::Locked => "un autre passage a pris la suite",
                ErrorKind::Interrupted => "le programme s’arrête, et continuera à son retour",
                ErrorKind::Unexpected => "une erreur inattendue, à signaler à l’exploitant",
            }
            .to_owned(),
        );
    }

    /// Says all of it.
    pub(super) fn text(&self, now: Timestamp, zone: &TimeZone) -> String {
        let mut parts = Vec::new();
        if !self.done.is_empty() {
            parts.push(format!("Terminé à {} : {}", clock(now, zone), self.done.join(" ; ")));
        }
        if !self.failed.is_empty() {
            parts.push(format!("En échec à {} : {}", clock(now, zone), self.failed.join(" ; ")));
        }
        if let Some(refused) = self.refused {
            parts.push(format!("Refusé : {refused}"));
        }
        parts.join(". ")
    }
}

/// The counts of a run.
fn counts(report: &Report) -> String {
    let counts = &report.counts;
    let found = [
        (counts.inserted, "dossier nouveau", "dossiers nouveaux"),
        (counts.updated, "modifié", "modifiés"),
        (counts.restored, "revenu", "revenus"),
        (counts.deleted, "supprimé", "supprimés"),
    ];
    let mut found: Vec<String> = found
        .into_iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, one, several)| many(count, one, several))
        .collect();
    if found.is_empty() {
        found.push("rien de nouveau".to_owned());
    }
    if !report.quarantined.is_empty() {
        found.push(format!("{} en quarantaine", report.quarantined.len()));
    }
    if let Some(brake) = report.brake {
        found.push(format!("{} suppressions retenues, à confirmer par l’exploitant", brake.deletions));
    }
    found.join(", ")
}

fn settled(status: Status, count: u64) -> String {
    match status {
        Status::Pending => format!("{count} en attente"),
        Status::Done => many(count, "faite", "faites"),
        Status::AlreadyDone => many(count, "déjà faite", "déjà faites"),
        Status::Refused => many(count, "refusée", "refusées"),
        Status::Conflict => format!("{count} en conflit"),
        Status::Ambiguous => format!("{count} à vérifier"),
        Status::Cancelled => many(count, "annulée", "annulées"),
    }
}

fn many(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count < 2 { one } else { several })
}

fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Brake;

    fn of(commands: &[DocumentCommand]) -> BTreeSet<DocumentCommand> {
        commands.iter().copied().collect()
    }

    #[test]
    fn commands_add_up_and_a_pause_or_the_operator_refuses() {
        let order = |commands: &[DocumentCommand], paused, decides| Order::of(&of(commands), paused, decides);
        let sync = Order { sync: true, ..Order::default() };
        assert_eq!(order(&[DocumentCommand::Sync], false, false), sync);
        assert_eq!(order(&[DocumentCommand::Sync, DocumentCommand::Full], false, true), Order { full: true, ..sync });
        assert_eq!(order(&[DocumentCommand::RetryQuarantine], false, true), Order { retry_quarantine: true, ..sync });
        let both = order(&[DocumentCommand::Push, DocumentCommand::Verify], false, true);
        assert_eq!(both, Order { push: true, verify: true, ..Order::default() });
        let refused = order(&[DocumentCommand::Push, DocumentCommand::Verify], false, false);
        assert_eq!(refused, Order { verify: true, refused: Some(NO_DECISIONS), ..Order::default() });
        assert_eq!(order(&DocumentCommand::ALL, true, true), Order { refused: Some(PAUSED), ..Order::default() });
    }

    #[test]
    fn an_answer_says_when_and_what_in_french() {
        let zone = TimeZone::get("Europe/Paris").expect("a zone");
        let now: Timestamp = "2026-03-02T13:05:00Z".parse().expect("an instant");
        let text = |answer: &CommandAnswer| answer.text(now, &zone);
        let mut report = Report { outcome: RunOutcome::Done, ..Report::default() };
        let synced = |report: &Report, failure| {
            let mut answer = CommandAnswer::default();
            answer.synced(report, failure);
            text(&answer)
        };
        assert_eq!(synced(&report, None), "Terminé à 14:05 : rien de nouveau");
        (report.counts.inserted, report.counts.updated, report.counts.deleted) = (3, 1, 2);
        assert_eq!(synced(&report, None), "Terminé à 14:05 : 3 dossiers nouveaux, 1 modifié, 2 supprimés");
        report.brake = Some(Brake { deletions: 40, alive: 100 });
        assert!(synced(&report, None).ends_with("40 suppressions retenues, à confirmer par l’exploitant"));
        report.outcome = RunOutcome::Failed;
        let failed = synced(&report, Some(ErrorKind::Unavailable));
        assert_eq!(failed, "En échec à 14:05 : la plateforme ou Grist n’a pas répondu, un prochain passage réessaie");
        let order = Order { refused: Some(PAUSED), ..Order::default() };
        assert_eq!(text(&CommandAnswer::of(order)), "Refusé : la synchronisation de cette démarche est en pause");
        let commands = under_way(&of(&[DocumentCommand::Verify, DocumentCommand::Sync]), now, &zone);
        assert_eq!(commands, "En cours depuis 14:05 : Synchroniser, Vérifier");
    }

    #[test]
    fn a_push_and_a_comparison_are_told_in_numbers() {
        let zone = TimeZone::UTC;
        let now = Timestamp::UNIX_EPOCH;
        let mut answer = CommandAnswer::default();
        answer.pushed(&PushOutcome { pushed: None, error: None, left: None });
        let verification: Verification = serde_json::from_value(serde_json::json!({
            "version": 1, "instance": "dn", "demarche": 1, "target": "t", "listed": 12, "held": 11,
            "missing": [4], "stale": [], "ghost": [7, 8], "quarantined": [],
        }))
        .expect("a comparison");
        answer.verified(&verification);
        let exact = Verification { missing: Vec::new(), ghost: Vec::new(), ..verification };
        answer.verified(&exact);
        assert_eq!(
            answer.text(now, &zone),
            "Terminé à 00:00 : aucune décision à envoyer ; 12 dossiers comparés : 1 dossier manquant, 2 dossiers en trop ; \
             12 dossiers comparés, aucun écart"
        );
    }
}
