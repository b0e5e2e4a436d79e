//! Says in French what a run met and what to do about it, for the page *Synchronisation*. Pure.

use crate::report::{RunOutcome, RunRecord};

/// A notice: in English for the report, and in French for the people who read the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub english: String,
    /// `None` for a notice that is for the operator alone, or that people were told of before.
    pub french: Option<String>,
}

impl Notice {
    /// Makes a notice for the operator and for the people who read the document.
    pub(super) fn new(english: String, french: String) -> Self {
        Self { english, french: Some(french) }
    }
}

impl From<String> for Notice {
    fn from(english: String) -> Self {
        Self { english, french: None }
    }
}

/// The results of runs, with their colours.
pub(super) const RESULTS: [(&str, &str, &str); 5] = [
    ("Terminé", "#B8FEC9", "#18753C"),
    ("Terminé, rien de nouveau", "#EEEEEE", "#3A3A3A"),
    ("Terminé, sauf les dossiers en quarantaine", "#FEECC2", "#716043"),
    ("Interrompu, à reprendre", "#FEECC2", "#716043"),
    ("En échec", "#FFE9E9", "#CE0500"),
];

/// Names the result of a run.
pub(super) fn result(run: &RunRecord) -> &'static str {
    let place = match run.outcome {
        RunOutcome::Done if run.is_quiet() => 1,
        RunOutcome::Done => 0,
        RunOutcome::Quarantine => 2,
        RunOutcome::Interrupted => 3,
        RunOutcome::Failed => 4,
    };
    RESULTS[place].0
}

/// Says what a run met; `told` are notices for people. Empty if there is nothing to say.
pub(super) fn message(run: &RunRecord, told: &[String]) -> Option<String> {
    let report = &run.report;
    let mut lines: Vec<String> = Vec::new();
    if report.error.is_some() {
        lines.push(error(report.error_kind.as_deref()).to_owned());
    }
    if let Some(brake) = &report.brake {
        lines.push(format!(
            "{} suppressions sur {} dossiers n’ont pas été faites, par prudence : c’est beaucoup à la fois. L’exploitant \
             les confirme avec `dn sync --allow-deletes`, si elles sont voulues.",
            brake.deletions, brake.alive
        ));
    }
    lines.extend(told.iter().cloned());
    let strangers = report.strangers.len();
    if strangers > 0 {
        lines.push(format!(
            "{strangers} question{s} du formulaire {are} pas encore de colonne : les réponses sont gardées, et arriveront \
             avec elle.",
            s = if strangers > 1 { "s" } else { "" },
            are = if strangers > 1 { "n’ont" } else { "n’a" },
        ));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Says in French why a run ended early, and what to do.
fn error(kind: Option<&str>) -> &'static str {
    match kind.unwrap_or_default() {
        "token_refused" => {
            "La plateforme refuse le jeton : il est expiré, retiré, ou limité à un autre réseau. L’exploitant en donne un \
             nouveau, puis relance le passage."
        }
        "out_of_scope" | "not_found" => {
            "Le jeton ne donne pas accès à cette démarche. Un administrateur de la démarche l’y ajoute sur la plateforme."
        }
        "rate_limited" | "no_place" => {
            "La plateforme demande de ralentir. Rien à faire : le passage suivant reprend là où celui-ci s’est arrêté."
        }
        "unavailable" | "transport" | "internal_server_error" | "partial" | "timeout" => {
            "La plateforme n’a pas répondu. Rien à faire : le passage suivant reprend là où celui-ci s’est arrêté."
        }
        "redirected" | "settings" => {
            "L’adresse de la plateforme, ou un réglage, n’est pas bon. L’exploitant corrige sa configuration : `dn doctor` \
             dit laquelle."
        }
        "rejected" | "undecodable" | "too_large" | "foreign_cursor" => {
            "La plateforme a répondu autre chose que ce qui est attendu. L’exploitant met `dn` à jour ; sinon, il \
             le signale."
        }
        "interrupted" => "Le passage a été arrêté. Rien à faire : le suivant reprend là où il s’est arrêté.",
        "target_locked" => "Un autre passage était en cours dans ce document. Rien à faire.",
        "target_altered" => {
            "Une table ou une colonne de la synchronisation a été supprimée, ou a un type qui ne garde pas ses valeurs. \
             Annulez ce changement (Ctrl+Z, ou l’historique du document), puis relancez le passage."
        }
        "target_unavailable" => {
            "Ce document n’a pas répondu à temps. Le passage suivant reprend ; si cela dure, regardez les formules et les \
             automatisations du document."
        }
        "target_unusable" => {
            "La clé de l’exploitant ne peut pas tout lire ou écrire ici. Un propriétaire du document lui rend l’accès."
        }
        "target_newer" => {
            "Ce document a été écrit par une version plus récente de `dn` : l’exploitant met la sienne à jour."
        }
        "target_refused" | "target_cannot_hold" => {
            "Grist a refusé une écriture. L’exploitant en lit la raison avec `dn status`, et le passage suivant réessaie."
        }
        "damaged_document" => {
            "Une valeur des tables masquées a été modifiée. L’exploitant la répare avec `dn verify --repair`."
        }
        "other_instance" => {
            "Ce document contient les dossiers d’une autre plateforme sous le même nom. L’exploitant corrige sa \
             configuration."
        }
        _ => "Le passage s’est arrêté sur une erreur, que l’exploitant lit avec `dn status`. Le suivant reprend.",
    }
}

/// Why dossiers are in quarantine, with colours.
pub(super) const MOTIVES: [(&str, &str, &str); 8] = [
    ("Erreur de la plateforme", "#FEECC2", "#716043"),
    ("Pas de réponse", "#FEECC2", "#716043"),
    ("Réponse illisible", "#FFE9E9", "#CE0500"),
    ("Pas d’accès", "#FFE9E9", "#CE0500"),
    ("Trop volumineux", "#FFE9E9", "#CE0500"),
    ("Annoncé, puis introuvable", "#EEEEEE", "#3A3A3A"),
    ("Refusé par Grist", "#FFE9E9", "#CE0500"),
    ("Autre raison", "#EEEEEE", "#3A3A3A"),
];

/// Says why a dossier is in quarantine, and what to do: the motive and a sentence.
pub(super) fn quarantined(reason: &str) -> (&'static str, String) {
    let (place, sentence) = match reason {
        "timeout" | "internal_server_error" | "partial" | "invalid_null" => (
            0,
            "La plateforme échoue sur ce dossier. Si cela dure plusieurs jours, signalez son numéro à son assistance.",
        ),
        "transport" | "unavailable" | "rate_limited" | "no_place" => {
            (1, "La plateforme n’a pas répondu. Rien à faire : le dossier est relu tout seul.")
        }
        "undecodable" => (2, "La réponse de la plateforme n’est pas celle attendue. L’exploitant met `dn` à jour."),
        "out_of_scope" | "token_refused" => {
            (3, "Le jeton ne donne pas accès à ce dossier. Un administrateur de la démarche l’y ajoute.")
        }
        "too_large" => (4, "Ce dossier dépasse la taille permise. L’exploitant l’augmente dans sa configuration."),
        "listed_not_found" | "not_found" => {
            (5, "La plateforme l’annonce, puis dit ne pas le connaître. Rien à faire : le dossier est relu tout seul.")
        }
        "refused_by_target" => {
            (6, "Une valeur de ce dossier ne tient pas dans Grist. L’exploitant en lit la raison avec `dn status`.")
        }
        other => {
            let sentence = format!("La plateforme n’a pas su le donner (code {other}). Le dossier est relu tout seul.");
            return (MOTIVES[7].0, sentence);
        }
    };
    (MOTIVES[place].0, sentence.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Brake, Report};

    fn run(report: Report) -> RunRecord {
        report.record(jiff::Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_a_run_met_is_told_in_french_with_what_to_do() {
        let failed = |kind: &str| Report {
            outcome: RunOutcome::Failed,
            error: Some("the table Demarche_12_dossiers: column number is missing".to_owned()),
            error_kind: Some(kind.to_owned()),
            ..Report::default()
        };
        for kind in ["token_refused", "unavailable", "target_altered", "a kind of tomorrow"] {
            let told = message(&run(failed(kind)), &[]).expect("a sentence");
            assert!(!told.contains("Demarche_12") && !told.contains("column"), "{kind}: {told}");
        }
        assert!(message(&run(failed("target_altered")), &[]).expect("a sentence").contains("Ctrl+Z"));
        let report = Report { outcome: RunOutcome::Done, ..Report::default() };
        assert_eq!(message(&run(report.clone()), &[]), None);
        let brake = Some(Brake { deletions: 60, alive: 100 });
        let told = message(&run(Report { brake, ..report.clone() }), &["La colonne « Nom »".to_owned()]);
        let told = told.expect("sentences");
        assert!(told.starts_with("60 suppressions sur 100") && told.ends_with("\nLa colonne « Nom »"), "{told}");
    }

    #[test]
    fn every_motive_has_a_sentence_and_an_unknown_one_its_code() {
        for reason in ["timeout", "transport", "undecodable", "out_of_scope", "too_large", "listed_not_found"] {
            assert_ne!(quarantined(reason).0, "Autre raison", "{reason}");
        }
        let (motive, sentence) = quarantined("demain");
        assert_eq!(motive, "Autre raison");
        assert!(sentence.contains("demain"), "{sentence}");
    }
}
