//! Intents of a back office, and the check that each was applied once or reported.

use demarche_numerique::DossierNumber;
use demarche_numerique::intent::{Action, Edit, Expected, Intent, IntentId, Status, Words};
use demarche_numerique::sandbox::world::{AuditEntry, Effect, World};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE as DEMARCHE, Kind, Random};

use super::change::PRIVATE;

/// In whose name: a member of both teams.
pub const AUTHOR: &str = "instructeur-2@example.org";

/// Something that was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The object.
    pub intent: Intent,
    /// True if the target was restored to an earlier state since.
    pub restored: bool,
    /// True if the target was restored to a state before the intent.
    pub forgotten: bool,
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
        Asked { intent, restored: false, forgotten: false }
    });
    asked.collect()
}

fn action(world: &World, number: u32, rank: usize, random: &mut Random) -> Action {
    // As Word writes it: the platform stores no U+000B.
    let line = if random.chance(30) { "\u{b}" } else { " " };
    let words = Words::new(format!("{PRIVATE} de{line}l’intention {rank}"));
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

/// Compares what became of intents with what the platform did: each was done once, or not at all and it says so, whatever
/// people did meanwhile.
pub fn judge(asked: &[(Asked, Option<Status>)], audit: &[AuditEntry]) -> Result<(), String> {
    let wanted = |entry: &&AuditEntry| asked.iter().any(|(asked, _)| entry.dossier == Some(asked.intent.dossier.get()));
    if let Some(entry) = audit.iter().find(|entry| !wanted(entry)) {
        return Err(format!("the platform was asked for {} on dossier {:?}, by nobody", entry.mutation, entry.dossier));
    }
    for (Asked { intent, restored, .. }, status) in asked {
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
        // Before the target went back it was done perhaps, and somebody undid it or the dossier left.
        let perhaps = usize::from(*restored);
        let message = matches!(intent.action, Action::Message { .. });
        let fits = match status {
            Status::Done => times == 1,
            Status::Ambiguous => times <= 1,
            // Nobody else writes these words.
            Status::AlreadyDone if message => times == 1 && *restored,
            Status::AlreadyDone | Status::Refused | Status::Conflict | Status::Cancelled | Status::Pending => {
                times <= perhaps
            }
        };
        if !fits {
            return Err(format!("{what} is {}, and the platform did it {times} times", status.as_str()));
        }
    }
    rows(asked, audit)
}

/// Rows have no words by which to tell one from another: those of a dossier are counted together.
fn rows(asked: &[(Asked, Option<Status>)], audit: &[AuditEntry]) -> Result<(), String> {
    let wanted: Vec<&(Asked, Option<Status>)> =
        asked.iter().filter(|(asked, _)| matches!(asked.intent.action, Action::AjouterLigne { .. })).collect();
    for (first, _) in asked {
        let dossier = first.intent.dossier;
        let effects = audit.iter().filter(|entry| entry.dossier == Some(dossier.get()));
        let added = effects.filter(|entry| matches!(entry.effect, Effect::Rows { .. })).count();
        let here = || wanted.iter().filter(|(other, _)| other.intent.dossier == dossier);
        let done = here().filter(|(_, status)| *status == Some(Status::Done)).count();
        // In doubt; or done before the target went back, which forgot it, or saw the dossier leave since.
        let perhaps = here().filter(|(other, status)| match status {
            Some(Status::Done) => false,
            Some(Status::Ambiguous) => true,
            _ => other.restored,
        });
        let perhaps = perhaps.count();
        if added < done || added > done + perhaps {
            return Err(format!(
                "dossier {dossier} has {added} rows more, {done} are told as done, {perhaps} as doubtful"
            ));
        }
    }
    Ok(())
}

/// Returns true if this effect belongs to the action, by words that only this intent has.
fn is_of(effect: &Effect, action: &Action) -> bool {
    match (effect, action) {
        (Effect::Message { body, .. }, Action::Message { body: words, .. }) => {
            *body == words.as_str().replace('\u{b}', "")
        }
        (
            Effect::State { motivation: Some(motivation), .. },
            Action::Accepter { motivation: Some(words), .. }
            | Action::Refuser { motivation: words, .. }
            | Action::ClasserSansSuite { motivation: words, .. },
        ) => motivation == words.as_str(),
        _ => false,
    }
}
