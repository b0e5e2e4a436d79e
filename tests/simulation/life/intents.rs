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

/// Draws what is asked for next, after what was asked for before. Names are new; words are new, except those of a message
/// that is asked for once more.
pub fn draw(world: &World, before: &[Asked], count: u32, from: u64) -> Vec<Asked> {
    let (random, again) = (&mut Random::of(&[from]), &mut Random::of(&[from, 1]));
    let shown = |number: &u32| world.dossier(*number).is_some_and(|dossier| dossier.is_visible());
    let numbers: Vec<u32> = world.numbers(DEMARCHE).into_iter().filter(shown).collect();
    let mut asked = Vec::new();
    for rank in (before.len()..).take(if numbers.is_empty() { 0 } else { count as usize }) {
        let number = *random.pick(&numbers);
        let mut intent = Intent {
            id: IntentId::new(format!("intent-{rank}")).expect("a short line"),
            dossier: DossierNumber::new(number),
            author: None,
            action: action(world, number, rank, random),
            expected: Expected::default(),
            requires: None,
            silent: random.chance(20),
            overrule: random.chance(10),
        };
        let messages = before.iter().chain(&asked).filter(|asked| is_message(&asked.intent.action));
        let messages: Vec<&Asked> = messages.collect();
        if !messages.is_empty() && again.chance(15) {
            let same = &again.pick(&messages).intent;
            (intent.dossier, intent.action) = (same.dossier, same.action.clone());
        }
        asked.push(Asked { intent, restored: false, forgotten: false });
    }
    asked
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
    if let Some((Asked { intent, .. }, _)) = asked.iter().find(|(_, status)| *status == Some(Status::Pending)) {
        return Err(format!("{} is still pending", named(intent)));
    }
    for (first, (Asked { intent, .. }, _)) in asked.iter().enumerate() {
        let same = |(other, _): &&(Asked, Option<Status>)| {
            other.intent.dossier == intent.dossier && other.intent.action == intent.action
        };
        // Those that ask for the same are counted together, once.
        if is_unique(&intent.action) && !asked[..first].iter().any(|other| same(&other)) {
            once(&asked[first..].iter().filter(same).collect::<Vec<_>>(), audit)?;
        }
    }
    passages(asked, audit)?;
    rows(asked, audit)
}

fn named(intent: &Intent) -> String {
    format!("{} ({}) on dossier {}", intent.id, intent.action.word(), intent.dossier)
}

fn is_message(action: &Action) -> bool {
    matches!(action, Action::Message { .. })
}

/// Returns true if an action has words by which its effect is found.
fn is_unique(action: &Action) -> bool {
    is_message(action)
        || matches!(action, Action::Accepter { .. } | Action::Refuser { .. } | Action::ClasserSansSuite { .. })
}

/// Checks intents that ask for the same, most often one: each was done as often as it says.
fn once(same: &[&(Asked, Option<Status>)], audit: &[AuditEntry]) -> Result<(), String> {
    let Some((Asked { intent, .. }, _)) = same.first() else { return Ok(()) };
    let effects = audit.iter().filter(|entry| entry.dossier == Some(intent.dossier.get()));
    let times = effects.filter(|entry| is_of(&entry.effect, &intent.action)).count();
    let restored = same.iter().any(|(asked, _)| asked.restored);
    let (mut least, mut most) = (0, 0);
    for (asked, status) in same {
        match status {
            Some(Status::Done) => (least, most) = (least + 1, most + 1),
            Some(Status::Ambiguous) => most += 1,
            // Nobody else writes these words in this name: it was done before the target went back.
            Some(Status::AlreadyDone) if is_message(&intent.action) => {
                (least, most) = (least + 1, most + usize::from(restored));
            }
            // Before the target went back it was done perhaps, and somebody undid it or the dossier left.
            Some(Status::AlreadyDone | Status::Refused | Status::Conflict | Status::Cancelled | Status::Pending) => {
                most += usize::from(asked.restored)
            }
            // Forgotten, or never put into the outbox.
            None => most += usize::from(asked.forgotten),
        }
    }
    if (least..=most).contains(&times) {
        return Ok(());
    }
    let told: Vec<&str> = same.iter().map(|(_, status)| status.map_or("forgotten", Status::as_str)).collect();
    Err(format!("{} is {}, and the platform did it {times} times", named(intent), told.join(", ")))
}

/// Checks that no intent takes a dossier out of `en_construction` a second time, over whoever put it back.
fn passages(asked: &[(Asked, Option<Status>)], audit: &[AuditEntry]) -> Result<(), String> {
    for (first, _) in asked {
        let dossier = first.intent.dossier;
        let done = |entry: &&AuditEntry| {
            entry.dossier == Some(dossier.get()) && entry.mutation == "dossierPasserEnInstruction"
        };
        let done = audit.iter().filter(done).count();
        let passes =
            |action: &Action| !is_message(action) && (is_unique(action) || *action == Action::PasserEnInstruction);
        let may = asked.iter().filter(|(other, _)| other.intent.dossier == dossier && passes(&other.intent.action));
        let may: usize = may.map(|(other, _)| 1 + usize::from(other.restored)).sum();
        if done > may {
            return Err(format!(
                "dossier {dossier} was taken into instruction {done} times, and asked for {may} times"
            ));
        }
    }
    Ok(())
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
