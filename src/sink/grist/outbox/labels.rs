//! Says in French what becomes of intents. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::kept::OutboxLine;
use crate::demarche::Demarche;
use crate::dossier::DossierState;
use crate::intent::{Action, Answer, Status};
use crate::sink::{Happening, TrailLine};

/// In which zone people read times.
const ZONE: &str = "Europe/Paris";

const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// An instant: `3 mars 2026 à 14 h 05`.
fn moment(at: Timestamp) -> String {
    let local = at.to_zoned(TimeZone::get(ZONE).unwrap_or(TimeZone::UTC));
    let month = usize::try_from(local.month() - 1).ok().and_then(|month| MONTHS.get(month)).unwrap_or(&"");
    let day = if local.day() == 1 { "1er".to_owned() } else { local.day().to_string() };
    format!("{day} {month} {} à {} h {:02}", local.year(), local.hour(), local.minute())
}

/// The words of statuses, with their colours.
pub(super) const STATUSES: [(&str, &str, &str); 7] = [
    ("À envoyer", "#E8EDFF", "#0063CB"),
    ("Fait", "#B8FEC9", "#18753C"),
    ("Déjà fait", "#DDFFCC", "#18753C"),
    ("Refusé", "#FFE9E9", "#CE0500"),
    ("Conflit", "#FEECC2", "#716043"),
    ("À vérifier", "#FFE8B3", "#B34000"),
    ("Annulé", "#EEEEEE", "#3A3A3A"),
];

pub(super) fn status(status: Status) -> &'static str {
    let place = Status::ALL.into_iter().position(|known| known == status).unwrap_or_default();
    STATUSES[place].0
}

/// Names an action in French.
fn action(action: &Action) -> &'static str {
    match action {
        Action::PasserEnInstruction => "Passer en instruction",
        Action::RepasserEnConstruction => "Repasser en construction",
        Action::RepasserEnInstruction => "Repasser en instruction",
        Action::Accepter { .. } => "Accepter",
        Action::Refuser { .. } => "Refuser",
        Action::ClasserSansSuite { .. } => "Classer sans suite",
        Action::Archiver => "Archiver",
        Action::Desarchiver => "Désarchiver",
        Action::Message { .. } => "Envoyer un message",
        Action::SupprimerMessage { .. } => "Supprimer un message",
        Action::AnnulerDemandeCorrection => "Annuler la demande de correction",
        Action::Annotations { .. } => "Écrire des annotations",
        Action::AjouterLigne { .. } => "Ajouter une ligne",
        Action::ChangerGroupe { .. } => "Changer de groupe instructeur",
        Action::Label { present: true, .. } => "Poser une étiquette",
        Action::Label { present: false, .. } => "Retirer une étiquette",
        Action::Suivre { follow: true } => "Suivre",
        Action::Suivre { follow: false } => "Ne plus suivre",
    }
}

/// Names the action of an intent in French.
pub(in crate::sink::grist) fn named(line: &OutboxLine) -> &'static str {
    line.intent().map_or("Illisible", |intent| action(&intent.action))
}

/// The same once it is done.
fn done(action: &Action) -> &'static str {
    match action {
        Action::PasserEnInstruction => "Passé en instruction",
        Action::RepasserEnConstruction => "Repassé en construction",
        Action::RepasserEnInstruction => "Repassé en instruction",
        Action::Accepter { .. } => "Accepté",
        Action::Refuser { .. } => "Refusé",
        Action::ClasserSansSuite { .. } => "Classé sans suite",
        Action::Archiver => "Archivé",
        Action::Desarchiver => "Désarchivé",
        Action::Message { .. } => "Message envoyé",
        Action::SupprimerMessage { .. } => "Message supprimé",
        Action::AnnulerDemandeCorrection => "Demande de correction annulée",
        Action::Annotations { .. } => "Annotations écrites",
        Action::AjouterLigne { .. } => "Ligne ajoutée",
        Action::ChangerGroupe { .. } => "Groupe instructeur changé",
        Action::Label { present: true, .. } => "Étiquette posée",
        Action::Label { present: false, .. } => "Étiquette retirée",
        Action::Suivre { follow: true } => "Suivi",
        Action::Suivre { follow: false } => "Plus suivi",
    }
}

/// A state, as an adjective of the dossier.
fn state(state: &DossierState) -> &str {
    match state {
        DossierState::EnConstruction => "en construction",
        DossierState::EnInstruction => "en instruction",
        DossierState::Accepte => "accepté",
        DossierState::Refuse => "refusé",
        DossierState::SansSuite => "classé sans suite",
        DossierState::Inconnu(name) => name,
    }
}

/// Says in one French sentence what became of an intent.
pub(in crate::sink::grist) fn outcome(line: &OutboxLine, form: Option<&Demarche>) -> String {
    let intent = line.intent();
    let ended = line.kept.ended.as_ref();
    let at = moment(ended.map_or(line.kept.asked_at, |ended| ended.at));
    match line.status {
        Status::Pending => pending(line),
        Status::Done => format!("{} le {at}", intent.as_ref().map_or("Fait", |intent| done(&intent.action))),
        Status::AlreadyDone => {
            let done = intent.as_ref().map_or("fait", |intent| done(&intent.action)).to_lowercase();
            format!("Déjà sur la plateforme : {done} (vu le {at})")
        }
        Status::Refused => refused(line, form),
        Status::Conflict => conflict(line),
        Status::Ambiguous => ambiguous(ended.and_then(|ended| ended.reason.as_deref()).unwrap_or_default()),
        Status::Cancelled => format!("Annulé le {at}"),
    }
}

fn pending(line: &OutboxLine) -> String {
    let Some(until) = line.kept.progress.not_before.map(moment) else { return "En attente d’envoi".to_owned() };
    let said = match line.kept.progress.last.as_ref().map(|last| &last.answer) {
        Some(Answer::Refused(said)) => format!(" (« {} »)", said.join(" ")),
        _ => String::new(),
    };
    match line.kept.progress.waits.as_ref().map(|waits| waits.reason.as_str()) {
        Some("lost_answer") => {
            format!("En attente : la réponse de la plateforme s’est perdue ; le dossier est relu après le {until}")
        }
        Some("correction_awaited") => {
            format!("En attente : une correction est attendue de l’usager ; nouvel essai après le {until}")
        }
        _ => format!("En attente : la plateforme demande d’attendre{said} ; nouvel essai après le {until}"),
    }
}

/// Says in French why nobody can tell if it was done.
fn ambiguous(reason: &str) -> String {
    let sentence = match reason {
        "not_seen" => "la plateforme a répondu que c’est fait, et le dossier ne le montre pas",
        "alike" => "un message semblable du même agent est déjà là depuis la demande",
        "deleted" => "un message du même agent a été supprimé depuis, peut-être celui-ci",
        "somebodys_row" => "une ligne a été ajoutée depuis la demande, peut-être celle-ci",
        "correction_forgotten" => "le message est là, mais sans la demande de correction",
        "no_dossier" => "la réponse a été perdue, et la plateforme ne montre plus ce dossier",
        _ => "la réponse a été perdue, et le dossier ne dit pas si cela a été fait",
    };
    format!("À vérifier : {sentence} ; regardez-le sur la plateforme")
}

fn conflict(line: &OutboxLine) -> String {
    match line.kept.ended.as_ref().and_then(|ended| ended.reason.as_deref()) {
        Some("undone") => {
            return "Conflit : c’était fait, et quelqu’un est revenu dessus ; relisez le dossier".to_owned();
        }
        Some("rewritten") => {
            return "Conflit : quelqu’un a écrit cette annotation entre-temps ; relisez le dossier".to_owned();
        }
        Some("decided_elsewhere") => {
            return "Pas envoyé : la décision était déjà prise, et pas d’ici ; l’usager a peut-être été prévenu"
                .to_owned();
        }
        _ => {}
    }
    let seen = line.kept.after.as_ref().map(|seen| &seen.state);
    let expected = line.intent().ok().and_then(|intent| intent.expected.state);
    match seen {
        Some(found) if expected.as_ref() == Some(found) => {
            "Conflit : le dossier a changé depuis ; relisez-le".to_owned()
        }
        Some(found) => format!("Conflit : le dossier est {} depuis ; relisez-le", state(found)),
        None => "Conflit : le dossier a changé depuis ; relisez-le".to_owned(),
    }
}

fn refused(line: &OutboxLine, form: Option<&Demarche>) -> String {
    let ended = line.kept.ended.as_ref();
    let words = ended.and_then(|ended| ended.words.as_deref()).unwrap_or_default();
    let found = line.kept.after.as_ref().map(|seen| state(&seen.state));
    let sentence = match ended.and_then(|ended| ended.reason.as_deref()).unwrap_or_default() {
        "platform" => {
            // The platform's own words, without what was added to them for operators.
            let said = match line.kept.progress.last.as_ref().map(|last| &last.answer) {
                Some(Answer::Refused(said)) => said.join(" "),
                _ => words.to_owned(),
            };
            let hint = if said.contains("déjà en instruction") {
                " (des annotations obligatoires manquent peut-être, ou ne sont pas valides)"
            } else {
                ""
            };
            return format!("Refusé par la plateforme : {said}{hint}");
        }
        "requires" => return "Pas envoyé : ce qui devait être fait avant ne l’a pas été".to_owned(),
        "no_dossier" => "la plateforme ne montre pas ce dossier",
        "outside_selection" => "ce dossier n’est pas de ceux que ce document garde",
        "other_demarche" => "ce dossier est d’une autre démarche",
        "no_way" => {
            let found = found.unwrap_or("dans cet état");
            return format!("Impossible : un dossier {found} ne peut pas recevoir cette décision");
        }
        "sva_svr" => "avec le SVA/SVR, un dossier ne peut pas repasser en construction : demandez une correction",
        "not_decided" => "un dossier s’archive une fois décidé",
        "no_motivation" => "il manque la motivation, que l’usager lira",
        "empty_message" => "le message est vide",
        "archived" => "un dossier archivé ne prend plus de message",
        "no_usager" => "le compte de l’usager est fermé : personne ne lirait le message",
        "no_correction" => "une correction ne peut pas être demandée sur ce dossier",
        "no_author" => "il manque l’instructeur : remplissez « Agent »",
        "not_in_groupe" => return not_in_groupe(line, form, words),
        "not_available" => "la plateforme ne le permet pas de l’extérieur : faites-le sur ses pages",
        "unknown" => "ce que l’envoi nomme n’existe pas sur ce dossier (annotation, groupe, étiquette ou message)",
        "value" => return value_refused(line),
        "file" => "le fichier joint ne peut pas être envoyé",
        "unreadable" => "cette demande ne peut pas être lue",
        "no_effect" => "envoyé, sans effet visible ; regardez le dossier sur la plateforme",
        "correction_awaited" => "une correction est attendue de l’usager, et la plateforme refuse tout avant elle",
        _ => words,
    };
    format!("Impossible : {sentence}")
}

/// Says who may not act, in which groupe, and what to do. `words` name the groupe by its number.
fn not_in_groupe(line: &OutboxLine, form: Option<&Demarche>, words: &str) -> String {
    let author = line.intent().ok().and_then(|intent| intent.author);
    let who = author.as_ref().map_or("l’instructeur", |author| person(form, author.as_str()));
    let number = words.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse::<u32>().ok());
    let groupes = form.into_iter().flat_map(|form| &form.groupes_instructeurs);
    let groupe = groupes.into_iter().find(|groupe| Some(groupe.number.get()) == number);
    let where_ = match (groupe, number) {
        (Some(groupe), _) => format!("du groupe {}", groupe.label),
        (None, Some(number)) => format!("du groupe n° {number}"),
        (None, None) => "du groupe".to_owned(),
    };
    format!(
        "Impossible : {who} n’est pas {where_}, qui a le dossier. Mettez dans « Agent » l’adresse d’un instructeur de ce \
         groupe, ou ajoutez cette personne au groupe sur la plateforme, puis cochez de nouveau"
    )
}

/// Who an author is for people: the address of the instructeur whom the platform's id names, where the form knows it.
pub(super) fn person<'a>(form: Option<&'a Demarche>, author: &'a str) -> &'a str {
    let groupes = form.into_iter().flat_map(|form| &form.groupes_instructeurs);
    let mut people = groupes.flat_map(|groupe| &groupe.instructeurs);
    people.find(|profile| profile.id == author && !profile.email.is_empty()).map_or(author, |profile| &profile.email)
}

fn value_refused(line: &OutboxLine) -> String {
    let intent = line.intent().ok();
    match intent.as_ref().map(|intent| &intent.action) {
        Some(Action::Annotations { edits }) if edits.len() == 1 => {
            "Impossible : la valeur à écrire ne convient pas à cette annotation".to_owned()
        }
        _ => "Impossible : une des valeurs à écrire ne convient pas à son annotation".to_owned(),
    }
}

/// Names an event of the trail in French.
pub(super) fn happening(happening: Happening) -> &'static str {
    match happening {
        Happening::Asked => "Demandé",
        Happening::Sending => "Envoi",
        Happening::Answered => "Réponse",
        Happening::PutOff => "Remis à plus tard",
        Happening::Settled => "Réglé",
        Happening::Resolved => "Décidé par l’exploitant",
    }
}

/// Says in French what the platform answered, or what is decided, for a line of the trail; `intent` is as it is after it.
pub(super) fn answered(line: &TrailLine, intent: &OutboxLine, form: Option<&Demarche>) -> String {
    match line.happening {
        Happening::Asked => String::new(),
        Happening::Sending => line.mutation.clone().unwrap_or_default(),
        Happening::Answered => match intent.kept.progress.last.as_ref().map(|last| &last.answer) {
            Some(Answer::Taken) => "Fait".to_owned(),
            Some(Answer::Refused(said)) => said.join(" "),
            Some(Answer::Unknown) => "Réponse perdue, ou pas envoyé : le dossier est relu".to_owned(),
            None => "Pas envoyé".to_owned(),
        },
        Happening::PutOff => {
            let until = intent.kept.progress.not_before;
            until.map(|until| format!("Pas avant le {}", moment(until))).unwrap_or_default()
        }
        Happening::Settled | Happening::Resolved => outcome(intent, form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Digest;
    use crate::ids::DossierNumber;
    use crate::intent::{Expected, Intent, IntentId, Progress, Seen, Sending, Witness, Words};
    use crate::sink::Settlement;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn line(action: Action) -> OutboxLine {
        let expected = Expected { state: Some(DossierState::EnInstruction), fingerprint: None };
        let intent = Intent {
            id: IntentId::new("d-1").expect("an id"),
            dossier: DossierNumber::new(42),
            author: None,
            action,
            expected,
            requires: None,
            silent: false,
            overrule: false,
        };
        OutboxLine::new(1, &intent, at("2026-03-01T08:00:00Z"), None)
    }

    fn accept() -> Action {
        Action::Accepter { motivation: None, justificatif: None }
    }

    fn settled(line: OutboxLine, status: Status, reason: Option<&'static str>, after: Option<DossierState>) -> String {
        let after = after.map(|state| Seen { state, fingerprint: Digest::of(b"") });
        let settled = Settlement { status, reason, words: Some("in English".to_owned()), after };
        let progress = line.kept.progress.clone();
        outcome(&line.after(&progress, Some(&settled), at("2026-03-03T13:05:00Z")), None)
    }

    #[test]
    fn an_instant_is_told_as_in_france() {
        for (instant, told) in [
            ("2026-03-03T13:05:00Z", "3 mars 2026 à 14 h 05"),
            ("2026-08-01T22:30:00Z", "2 août 2026 à 0 h 30"),
            ("2026-12-31T23:00:00Z", "1er janvier 2027 à 0 h 00"),
        ] {
            assert_eq!(moment(at(instant)), told);
        }
    }

    #[test]
    fn an_agent_reads_in_french_what_became_of_a_decision() {
        assert_eq!(settled(line(accept()), Status::Done, None, None), "Accepté le 3 mars 2026 à 14 h 05");
        let found = settled(line(accept()), Status::Conflict, Some("conflict"), Some(DossierState::Refuse));
        assert_eq!(found, "Conflit : le dossier est refusé depuis ; relisez-le");
        let moved = settled(line(accept()), Status::Conflict, Some("conflict"), Some(DossierState::EnInstruction));
        assert_eq!(moved, "Conflit : le dossier a changé depuis ; relisez-le");
        let no_author = settled(line(accept()), Status::Refused, Some("no_author"), None);
        assert_eq!(no_author, "Impossible : il manque l’instructeur : remplissez « Agent »");
        assert!(settled(line(accept()), Status::Ambiguous, None, None).starts_with("À vérifier"));
    }

    #[test]
    fn the_platform_is_quoted_without_what_was_added_for_operators() {
        let mut line = line(accept());
        let said = vec!["Le dossier est déjà en instruction".to_owned()];
        let last = Sending {
            key: "accepter".to_owned(),
            at: at("2026-03-03T13:05:00Z"),
            witness: Witness::State,
            answer: Answer::Refused(said),
            times: 1,
            seen: None,
            failure: None,
        };
        line.kept.progress = Progress { last: Some(last), ..Progress::default() };
        let told = settled(line, Status::Refused, Some("platform"), None);
        assert!(told.starts_with("Refusé par la plateforme : Le dossier est déjà en instruction (des"), "{told}");
    }

    #[test]
    fn the_guide_quotes_what_agents_read() {
        // Read, not included: an image is built without the documents.
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/grist.md");
        let guide = std::fs::read_to_string(path).expect("the guide");
        let table = guide.split("| Suite donnée | sens | à faire |").nth(1).expect("the table of outcomes");
        let quoted = table.lines().skip(2).map_while(|line| line.strip_prefix("| ")?.split(" |").next());
        let waiting = |not_before| {
            let mut line = line(accept());
            line.kept.progress.not_before = not_before;
            outcome(&line, None)
        };
        let end = |status, reason, after| settled(line(accept()), status, reason, after);
        let mut said = vec![
            waiting(None),
            waiting(Some(at("2026-03-03T13:05:00Z"))),
            crate::sink::grist::decisions::CHANGED.to_owned(),
            "Il manque la motivation, que l’usager lira".to_owned(),
            "Rien à envoyer : ni décision, ni message, ni annotation".to_owned(),
        ];
        for (status, reason, after) in [
            (Status::Done, None, None),
            (Status::AlreadyDone, None, None),
            (Status::Conflict, Some("conflict"), Some(DossierState::Accepte)),
            (Status::Conflict, Some("conflict"), Some(DossierState::EnInstruction)),
            (Status::Refused, Some("platform"), None),
            (Status::Refused, Some("no_way"), None),
            (Status::Refused, Some("requires"), None),
            (Status::Ambiguous, Some("lost_answer"), None),
        ] {
            said.push(end(status, reason, after));
        }
        let mut lines = 0;
        for quote in quoted {
            let begin = quote.trim_end_matches(" …").trim_end_matches('…');
            assert!(said.iter().any(|said| said.starts_with(begin)), "nobody reads “{quote}”: {said:#?}");
            lines += 1;
        }
        assert_eq!(lines, said.len());
    }

    #[test]
    fn every_reason_has_a_french_sentence_without_what_people_wrote() {
        let message = Action::Message { body: Words::new("très privé"), attachment: None, correction: None };
        for reason in [
            "no_dossier",
            "outside_selection",
            "other_demarche",
            "no_way",
            "sva_svr",
            "not_decided",
            "no_motivation",
            "empty_message",
            "archived",
            "no_usager",
            "no_correction",
            "no_author",
            "not_in_groupe",
            "not_available",
            "unknown",
            "file",
            "requires",
            "unreadable",
            "value",
            "no_effect",
            "correction_awaited",
        ] {
            let told = settled(line(message.clone()), Status::Refused, Some(reason), None);
            assert!(!told.contains("English") && !told.contains("privé"), "{reason}: {told}");
        }
        let alone = settled(line(message.clone()), Status::Ambiguous, None, None);
        for reason in ["not_seen", "alike", "deleted", "somebodys_row", "correction_forgotten", "no_dossier"] {
            assert_ne!(settled(line(message.clone()), Status::Ambiguous, Some(reason), None), alone, "{reason}");
        }
        let moved = settled(line(message.clone()), Status::Conflict, Some("conflict"), None);
        for reason in ["undone", "rewritten", "decided_elsewhere"] {
            assert_ne!(settled(line(message.clone()), Status::Conflict, Some(reason), None), moved, "{reason}");
        }
    }
}
