//! Changes on the platform.

use std::time::Duration;

use demarche_numerique::Platform;
use demarche_numerique::sandbox::world::form::Question;
use demarche_numerique::sandbox::world::{Poison, Refused, State, World};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE as DEMARCHE, Kind, Random, Value};

use super::odd::Oddity;
use super::plan::{Item, Terms, When, small};

/// Prefix of every value that is written in a life: no log may contain it.
pub const PRIVATE: &str = "confidence";

/// Something that happens to a dossier, or to the démarche. Dossiers are drawn when it happens, from those that are there.
#[derive(Clone, Debug)]
pub enum Change {
    /// A dossier is submitted.
    Submit,
    /// An answer, or an annotation, is given.
    Edit { of: u32, value: u32 },
    /// The dossier goes on in whatever way its state lets it.
    Proceed { of: u32, way: u32 },
    /// Somebody writes.
    Message { of: u32 },
    /// A date and nothing else.
    Touch { of: u32 },
    /// It is set aside, or taken back.
    Archive { of: u32 },
    /// Another team.
    Groupe { of: u32 },
    /// It goes, in one of all ways.
    Leave { of: u32, way: u32 },
    /// Hidden dossiers come back.
    Restore { of: u32 },
    /// Something of it changes without a date.
    Silent { of: u32, way: u32 },
    /// A label of the démarche gets another name, or a team loses an instructeur.
    Rename { way: u32 },
    /// Another revision of the form.
    Revise { way: u32 },
    /// Another revision asks a new question, which open dossiers answer at once, and the platform goes on telling the form
    /// as it was for a while.
    Publish { way: u32, minutes: u64 },
    /// The dossier makes the platform fail.
    Poison { of: u32, how: Poison, hours: u64 },
    /// A value of the dossier is not what the schema promises, as often as it is asked for.
    Odd { of: u32, how: Oddity, hours: u64 },
    /// The platform, or the token, is not what it should be for a while.
    Outage { way: u32, minutes: u64 },
    /// It is dated now, and seen so many seconds later.
    Late { by: u64, change: Box<Change> },
    /// It is dated by a machine whose clock is so many seconds ahead.
    Ahead { by: i64, change: Box<Change> },
}

/// Effect of a change, for the oracle.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// The dossiers that it was about.
    pub numbers: Vec<u32>,
    /// True if their content changed without a date.
    pub silent: bool,
    /// True if this concerns all dossiers.
    pub all: bool,
}

impl Change {
    /// One or several that belong together.
    pub fn draw(random: &mut Random, terms: &Terms, life: Duration, requests: u64) -> Vec<Item> {
        let rank = small(1 + random.below(requests));
        let when = match random.below(10) {
            0..=4 => When::At(Duration::from_millis(random.below(small_life(life)))),
            5..=7 => When::After(rank),
            _ => When::Before(rank),
        };
        let of = small(random.below(1_000));
        if random.chance(12) {
            // Twice within one second, and a request between.
            let edit = |value| Self::Edit { of, value };
            let (first, second) = (edit(small(random.below(1_000))), edit(small(random.below(1_000))));
            return vec![
                Item::World { when: When::Before(rank), change: first },
                Item::World { when: When::After(rank), change: second },
            ];
        }
        let change = Self::one(random, of);
        let lateness = terms.overlap.unsigned_abs() * 60 - 240;
        let change = match random.below(10) {
            0 | 1 if change.may_be_late() => {
                // Most are seconds late, some minutes.
                let most = lateness.min(1 << random.below(12));
                Self::Late { by: 1 + random.below(most), change: Box::new(change) }
            }
            2 if change.may_be_late() => {
                Self::Ahead { by: i64::try_from(random.below(120)).unwrap_or(0) - 60, change: Box::new(change) }
            }
            _ => change,
        };
        vec![Item::World { when, change }]
    }

    fn one(random: &mut Random, of: u32) -> Self {
        let way = small(random.below(1_000));
        match random.below(40) {
            0..=3 => Self::Submit,
            4..=13 => Self::Edit { of, value: way },
            14..=18 => Self::Proceed { of, way },
            19 => Self::Message { of },
            20 => Self::Touch { of },
            21 => Self::Archive { of },
            22 => Self::Groupe { of },
            23..=27 => Self::Leave { of, way },
            28 | 29 => Self::Restore { of },
            30..=33 => Self::Silent { of, way },
            34 => Self::Rename { way },
            35 if way.is_multiple_of(2) => Self::Revise { way },
            35 => Self::Publish { way, minutes: u64::from(way % 40) },
            36 | 37 => {
                let how = *random.pick(&[Poison::Crash, Poison::NullNode, Poison::Timeout, Poison::Unfindable]);
                Self::Poison { of, how, hours: 1 + random.below(200) }
            }
            38 => Self::Outage { way, minutes: 1 + random.below(120) },
            _ => Self::Edit { of, value: way },
        }
    }

    fn may_be_late(&self) -> bool {
        matches!(
            self,
            Self::Submit | Self::Edit { .. } | Self::Proceed { .. } | Self::Touch { .. } | Self::Message { .. }
        )
    }

    /// Does it. What the platform refuses is no change.
    pub fn apply(&self, world: &mut World) -> Touched {
        let number = self.of().and_then(|of| pick(world, of));
        let done = match (self, number) {
            (Self::Submit, _) => return Touched::dated(world.submit(DEMARCHE)),
            (Self::Rename { way }, _) => return rename(world, *way),
            (Self::Revise { way }, _) => return revise(world, *way),
            (Self::Publish { way, .. }, _) => return publish(world, *way),
            (Self::Restore { of }, _) => return restore(world, *of),
            (Self::Edit { value, .. }, Some(number)) => edit(world, number, *value, false),
            (Self::Proceed { way, .. }, Some(number)) => proceed(world, number, *way),
            (Self::Message { .. }, Some(number)) => {
                world.envoyer_message(number, None, &format!("{PRIVATE} d’un usager"), None, Vec::new()).map(drop)
            }
            (Self::Touch { .. }, Some(number)) => {
                world.touch(number);
                Ok(())
            }
            (Self::Archive { .. }, Some(number)) => world.archiver(number).or_else(|_| world.desarchiver(number)),
            (Self::Groupe { of }, Some(number)) => world.changer_groupe(number, DEMARCHE * 10 + 1 + of % 2),
            (Self::Leave { way, .. }, Some(number)) => leave(world, number, *way),
            (Self::Silent { way, .. }, Some(number)) => {
                silent(world, number, *way);
                return Touched { numbers: vec![number], silent: true, all: false };
            }
            // The stage does it to the answers.
            (Self::Odd { .. }, _) => return Touched::default(),
            (Self::Poison { how, .. }, Some(number)) => {
                world.poison(number, *how);
                return Touched::default();
            }
            _ => return Touched::default(),
        };
        Touched::dated(number.filter(|_| done.is_ok()))
    }

    fn of(&self) -> Option<u32> {
        match self {
            Self::Edit { of, .. }
            | Self::Proceed { of, .. }
            | Self::Message { of }
            | Self::Touch { of }
            | Self::Archive { of }
            | Self::Groupe { of }
            | Self::Leave { of, .. }
            | Self::Silent { of, .. }
            | Self::Odd { of, .. }
            | Self::Poison { of, .. } => Some(*of),
            _ => None,
        }
    }

    /// The dossier that it is about, as things stand.
    pub fn number(&self, world: &World) -> Option<u32> {
        self.of().and_then(|of| pick(world, of))
    }
}

impl Touched {
    /// One dossier, if it changed.
    pub fn dated(number: Option<u32>) -> Self {
        Self { numbers: number.into_iter().collect(), silent: false, all: false }
    }
}

fn small_life(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX)
}

/// A dossier that the platform shows.
pub fn pick(world: &World, of: u32) -> Option<u32> {
    let shown = |number: &u32| world.dossier(*number).is_some_and(|dossier| dossier.is_visible());
    let numbers: Vec<u32> = world.numbers(DEMARCHE).into_iter().filter(shown).collect();
    numbers.get(of as usize % numbers.len().max(1)).copied()
}

/// The questions whose answers are texts.
fn texts(world: &World, number: u32) -> Vec<u64> {
    let form = world.dossier(number).and_then(|dossier| world.form_of(dossier));
    let questions = form.into_iter().flat_map(|form| form.champs.iter().chain(&form.annotations));
    let is_text = |kind| [Kind::Text, Kind::Textarea].contains(&kind);
    questions.filter(|question| is_text(question.kind)).map(|question| question.stable_id).collect()
}

fn edit(world: &mut World, number: u32, value: u32, silently: bool) -> Result<(), Refused> {
    let ids = texts(world, number);
    let Some(id) = ids.get(value as usize % ids.len().max(1)).copied() else {
        return Err(Refused("no question takes a text".to_owned()));
    };
    let value = Value::Text(format!("{PRIVATE} {value}"));
    if silently { world.silently(|world| world.edit(number, id, value)) } else { world.edit(number, id, value) }
}

fn proceed(world: &mut World, number: u32, way: u32) -> Result<(), Refused> {
    let agent = Some(2);
    let motivation = format!("{PRIVATE} {way}");
    match world.dossier(number).map(|dossier| dossier.state) {
        Some(State::EnConstruction) if way.is_multiple_of(4) => world.submit_again(number),
        Some(State::EnConstruction) => world.passer_en_instruction(number, agent),
        Some(State::EnInstruction) => match way % 4 {
            0 => world.repasser_en_construction(number, agent),
            1 => world.refuser(number, &motivation, agent),
            2 => world.classer_sans_suite(number, &motivation, agent),
            _ => world.accepter(number, &motivation, agent),
        },
        _ => world.repasser_en_instruction(number, agent),
    }
}

fn leave(world: &mut World, number: u32, way: u32) -> Result<(), Refused> {
    match way % 8 {
        0 => world.expire(number),
        1 => {
            world.delete_without_trace(number);
            Ok(())
        }
        2 if way.is_multiple_of(3) => world.hide_without_reason(number),
        3 => {
            let email = world.dossier(number).map(|dossier| world.usager(dossier).0);
            world.delete_account(&email.unwrap_or_default());
            Ok(())
        }
        4 => world.delete_by_administration(number).or_else(|_| world.delete_by_user(number)),
        _ => world.delete_by_user(number).or_else(|_| world.delete_by_administration(number)),
    }
}

fn restore(world: &mut World, of: u32) -> Touched {
    let hidden = |number: &u32| world.dossier(*number).is_some_and(|dossier| !dossier.is_visible());
    let numbers: Vec<u32> = world.numbers(DEMARCHE).into_iter().filter(hidden).collect();
    let Some(number) = numbers.get(of as usize % numbers.len().max(1)).copied() else { return Touched::default() };
    Touched::dated(world.restore(number).ok().map(|()| number))
}

fn silent(world: &mut World, number: u32, way: u32) {
    let label = u64::from(DEMARCHE) * 10 + u64::from(1 + way % 3);
    let at = world.now();
    let done = match way % 8 {
        0 if Platform::from(world.platform) == Platform::DemarcheNumerique => {
            world.add_label(number, label).or_else(|_| world.remove_label(number, label))
        }
        1 => {
            world.deliver_attestation(number);
            Ok(())
        }
        2 => {
            world.enrich_demandeur(number);
            Ok(())
        }
        3 => {
            world.transfer(number, &format!("{PRIVATE}-{way}@example.org"));
            Ok(())
        }
        4 => {
            world.set_expiration(number, at);
            Ok(())
        }
        5 => {
            world.resolve_corrections(number);
            Ok(())
        }
        6 => {
            world.suivre(number, 2, way % 16 < 8);
            Ok(())
        }
        _ => edit(world, number, way, true),
    };
    // Already so: no change.
    drop(done);
}

fn rename(world: &mut World, way: u32) -> Touched {
    match way % 3 {
        0 => world.remove_instructeur(DEMARCHE, 3),
        1 => drop(world.change_groupe(DEMARCHE * 10 + 2, Some(&format!("Groupe {way}")), None)),
        _ => world.rename_label(DEMARCHE, u64::from(DEMARCHE) * 10 + 1, &format!("Label {way}")),
    }
    Touched { numbers: Vec::new(), silent: true, all: true }
}

fn revise(world: &mut World, way: u32) -> Touched {
    world.publish_revision(DEMARCHE, |form| {
        let texts: Vec<u64> = form
            .champs
            .iter()
            .filter(|question| question.kind == Kind::Text)
            .map(|question| question.stable_id)
            .collect();
        let Some(id) = texts.get(way as usize % texts.len().max(1)).copied() else { return };
        match way % 3 {
            0 => form.remove(id),
            1 => form.question_mut(id).into_iter().for_each(|question| question.label = format!("Question {way}")),
            _ => form.question_mut(id).into_iter().for_each(|question| question.kind = Kind::Textarea),
        }
    });
    Touched { numbers: Vec::new(), silent: true, all: true }
}

/// The stable ids of questions that are published late begin here.
const PUBLISHED: u64 = 50_000;

fn publish(world: &mut World, way: u32) -> Touched {
    world.hold_form(DEMARCHE);
    let id = PUBLISHED + u64::from(way);
    world.publish_revision(DEMARCHE, |form| {
        if form.question(id).is_none() {
            form.champs.push(Question::new(id, Kind::Text, &format!("Question {way}")));
        }
    });
    world.rebase_all(DEMARCHE);
    let open = |number: &u32| {
        world.dossier(*number).is_some_and(|dossier| dossier.is_visible() && !dossier.state.is_terminated())
    };
    let open: Vec<u32> = world.numbers(DEMARCHE).into_iter().filter(open).take(3).collect();
    for number in open {
        // What cannot be edited has no answer.
        drop(world.edit(number, id, Value::Text(format!("{PRIVATE} {way}"))));
    }
    Touched { numbers: Vec::new(), silent: true, all: true }
}
