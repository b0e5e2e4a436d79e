//! What a back office asks for, and what must have become of it.

use demarche_numerique::DossierNumber;
use demarche_numerique::intent::{Action, Edit, Expected, Intent, IntentId, Status, Words};
use demarche_numerique::sandbox::world::{AuditEntry, Effect, World};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE as DEMARCHE, Kind, Random};
use jiff::Timestamp;

use super::change::PRIVATE;

/// In whose name: a member of both teams.
pub const AUTHOR: &str = "instructeur-2@example.org";

/// Something that was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What.
    pub intent: Intent,
    /// When, on the platform's clock.
    pub at: Timestamp,
}

/// Draws what is asked for next. `first` makes names and texts that no other intent has.
pub fn draw(world: &World, first: usize, count: u32, from: u64) -> Vec<Asked> {
    let random = &mut Random::of(&[from]);
    let shown = |number: &u32| world.dossier(*number).is_some_and(|dossier| dossier.is_visible());
    let numbers: Vec<u32> = world.numbers(DEMARCHE).into_iter().filter(shown).collect();
    if numbers.is_empty() {
        return Vec::new();
    }
    let asked = (first..first + count as usize).map(|rank| {
        let number = *random.pick(&numbers);
        let intent = Intent {
            id: IntentId::new(format!("intent-{rank}")).expect("a short line"),
            dossier: DossierNumber::new(number),
            author: None,
            action: action(world, number, rank, random),
            expected: Expected::default(),
            requires: None,
            silent: random.chance(20),
            overrule: random.chance(10),
        };
        Asked { intent, at: world.now() }
    });
    asked.collect()
}

fn action(world: &World, number: u32, rank: usize, random: &mut Random) -> Action {
    let words = Words::new(format!("{PRIVATE} de l’intention {rank}"));
    let form = world.dossier(number).and_then(|dossier| world.form_of(dossier));
    let annotation = |kind| form.and_then(|form| form.annotation_of(kind)).map(|question| question.label.clone());
    match random.below(12) {
        0..=3 => Action::Message { body: words, attachment: None, correction: None },
        4 => Action::Accepter { motivation: Some(words), justificatif: None },
        5 => Action::Refuser { motivation: words, justificatif: None },
        6 => Action::ClasserSansSuite { motivation: words, justificatif: None },
        7 => Action::PasserEnInstruction,
        8 => match annotation(Kind::Repetition) {
            Some(annotation) => Action::AjouterLigne { annotation },
            None => Action::Archiver,
        },
        9 => match annotation(Kind::Text).or_else(|| annotation(Kind::Textarea)) {
            Some(annotation) => {
                let value = format!("{PRIVATE} {rank}").into();
                Action::Annotations { edits: vec![Edit { annotation, row: None, value }] }
            }
            None => Action::Archiver,
        },
        10 => Action::ChangerGroupe { groupe: (DEMARCHE * 10 + 1 + u32::from(random.chance(50))).to_string() },
        _ => Action::Label { label: "Urgent".to_owned(), present: random.chance(70) },
    }
}

/// Compares what became of intents with what the platform did: each was done once, or not at all and it says so.
/// `disturbed` tells whether people did something to a dossier since an instant.
pub fn judge(
    asked: &[(Asked, Option<Status>)],
    audit: &[AuditEntry],
    disturbed: impl Fn(DossierNumber, Timestamp) -> bool,
) -> Result<(), String> {
    let wanted = |entry: &&AuditEntry| asked.iter().any(|(asked, _)| entry.dossier == Some(asked.intent.dossier.get()));
    if let Some(entry) = audit.iter().find(|entry| !wanted(entry)) {
        return Err(format!("the platform was asked for {} on dossier {:?}, by nobody", entry.mutation, entry.dossier));
    }
    for (Asked { intent, at }, status) in asked {
        let Some(status) = status else { continue };
        let what = format!("{} ({}) on dossier {}", intent.id, intent.action.word(), intent.dossier);
        if *status == Status::Pending {
            return Err(format!("{what} is still pending"));
        }
        let effects = audit.iter().filter(|entry| entry.dossier == Some(intent.dossier.get()));
        let times = effects.filter(|entry| is_of(&entry.effect, &intent.action)).count();
        let unique = matches!(
            intent.action,
            Action::Message { .. } | Action::Accepter { .. } | Action::Refuser { .. } | Action::ClasserSansSuite { .. }
        );
        if !unique {
            continue;
        }
        let fits = match status {
            Status::Done => times == 1,
            Status::Ambiguous => times <= 1,
            Status::AlreadyDone | Status::Refused | Status::Conflict | Status::Cancelled | Status::Pending => {
                times == 0
            }
        };
        // Messages are known by their words, whatever people do; a decision that somebody takes back may be taken again.
        let message = matches!(intent.action, Action::Message { .. });
        let excused = !message && times <= 2 && disturbed(intent.dossier, *at);
        if !fits && !excused {
            return Err(format!("{what} is {}, and the platform did it {times} times", status.as_str()));
        }
    }
    rows(asked, audit)
}

/// Rows have no words by which to tell one from another: those of a dossier are counted together.
fn rows(asked: &[(Asked, Option<Status>)], audit: &[AuditEntry]) -> Result<(), String> {
    let of = |dossier: DossierNumber, wanted: Status| {
        let rows = asked.iter().filter(|(asked, _)| matches!(asked.intent.action, Action::AjouterLigne { .. }));
        rows.filter(|(asked, status)| asked.intent.dossier == dossier && *status == Some(wanted)).count()
    };
    for (asked, _) in asked {
        let dossier = asked.intent.dossier;
        let effects = audit.iter().filter(|entry| entry.dossier == Some(dossier.get()));
        let added = effects.filter(|entry| matches!(entry.effect, Effect::Rows { .. })).count();
        let (done, perhaps) = (of(dossier, Status::Done), of(dossier, Status::Ambiguous));
        if added < done || added > done + perhaps {
            return Err(format!(
                "dossier {dossier} has {added} rows more, {done} are told as done, {perhaps} as doubtful"
            ));
        }
    }
    Ok(())
}

/// Whether this effect is what the action wanted, by the words that only this intent has.
fn is_of(effect: &Effect, action: &Action) -> bool {
    match (effect, action) {
        (Effect::Message { body, .. }, Action::Message { body: words, .. }) => body == words.as_str(),
        (
            Effect::State { motivation: Some(motivation), .. },
            Action::Accepter { motivation: Some(words), .. }
            | Action::Refuser { motivation: words, .. }
            | Action::ClasserSansSuite { motivation: words, .. },
        ) => motivation == words.as_str(),
        _ => false,
    }
}
