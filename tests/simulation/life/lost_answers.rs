//! Writes of which nobody knows whether they were done, and colleagues who act before anybody looks again: the fault, and
//! the lives that are full of it.
//!
//! Faults by the rank of a request rarely meet a write: few requests are. These are counted by the rank of the write.

use std::collections::BTreeMap;
use std::time::Duration;

use demarche_numerique::sandbox::world::{Refused, State, World};
use demarche_numerique::sandbox::{Fault, Random};
use serde_json::Value as Json;

use super::change::PRIVATE;
use super::plan::{Act, Item, Step, Terms, small};
use super::trouble::{Failure, Trouble};

/// Fault of one write to the platform.
#[derive(Clone, Debug)]
pub struct WriteTrouble {
    /// The part that fails.
    pub cut: Cut,
    /// The fault of all requests after it, until the step of the operator ends: nobody can look at the dossier.
    pub deaf: Option<Trouble>,
    /// The act of a colleague on the same dossier, so long after the write left.
    pub colleague: Option<(Duration, Colleague)>,
}

/// Part of a write that fails.
#[derive(Clone, Debug)]
pub enum Cut {
    /// The request or its answer.
    Request(Trouble),
    /// The process dies, before the platform looks at the request or after.
    Death {
        /// True if the request has arrived.
        arrived: bool,
    },
    /// The call of the target that records the answer.
    Call(Failure),
    /// Nothing: only what comes after it.
    Nothing,
}

/// Act of an instructeur on the platform's own pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colleague {
    /// Takes back the last step.
    TakesBack,
    /// Takes back the last step, and decides for another reason.
    DecidesOtherwise(u32),
    /// Sends the words of the message in the colleague's own name.
    SaysTheSame,
}

/// The colleague: another instructeur than the one in whose name intents are sent.
const COLLEAGUE: Option<u32> = Some(1);

impl WriteTrouble {
    fn draw(random: &mut Random) -> Self {
        let cut = match random.below(10) {
            0..=5 => Cut::Request(lost(random)),
            6 => Cut::Death { arrived: random.chance(70) },
            7 | 8 => Cut::Call(Failure::draw(random)),
            _ => Cut::Nothing,
        };
        let deaf = [
            Trouble::Refused,
            Trouble::Lost { silent: false },
            Trouble::Fault(Fault::Crash),
            Trouble::Fault(Fault::BadGateway),
            Trouble::Fault(Fault::Maintenance),
        ];
        let deaf = random.chance(65).then(|| random.pick(&deaf).clone());
        let colleague = random.chance(70).then(|| {
            // After the request has arrived, most often before anybody can look.
            let most = if random.chance(60) { 1_000 } else { 120_000 };
            (Duration::from_millis(250 + random.below(most)), Colleague::draw(random))
        });
        Self { cut, deaf, colleague }
    }
}

/// A fault after which nobody knows whether the request was executed.
fn lost(random: &mut Random) -> Trouble {
    match random.below(10) {
        0..=2 => Trouble::Unheard { silent: random.chance(50) },
        3 | 4 => Trouble::Late(Duration::from_secs(1 + random.below(29))),
        5 => Trouble::Lost { silent: random.chance(50) },
        6 => Trouble::Fault(Fault::Crash),
        _ => Trouble::Fault(
            random
                .pick(&[
                    Fault::Truncate,
                    Fault::GatewayTimeout,
                    Fault::CrashAfter,
                    Fault::BadRequestAfter,
                    Fault::NoData,
                ])
                .clone(),
        ),
    }
}

impl Colleague {
    fn draw(random: &mut Random) -> Self {
        match random.below(6) {
            0..=2 => Self::TakesBack,
            3 | 4 => Self::DecidesOtherwise(small(random.below(1_000))),
            _ => Self::SaysTheSame,
        }
    }

    /// Acts on a dossier, about which these words were sent.
    ///
    /// # Errors
    /// The platform does not let the colleague do it.
    pub fn act(self, world: &mut World, number: u32, words: Option<&str>) -> Result<(), Refused> {
        match self {
            Self::TakesBack => take_back(world, number),
            Self::DecidesOtherwise(way) => {
                // What cannot be taken back is decided as it is.
                let _ = take_back(world, number);
                let _ = world.passer_en_instruction(number, COLLEAGUE);
                let motivation = format!("{PRIVATE} d’une collègue {way}");
                match way % 3 {
                    0 => world.accepter(number, &motivation, COLLEAGUE),
                    1 => world.refuser(number, &motivation, COLLEAGUE),
                    _ => world.classer_sans_suite(number, &motivation, COLLEAGUE),
                }
            }
            Self::SaysTheSame => {
                let words = words.ok_or_else(|| Refused("nothing was said".to_owned()))?;
                world.envoyer_message(number, COLLEAGUE, words, None, Vec::new()).map(drop)
            }
        }
    }
}

fn take_back(world: &mut World, number: u32) -> Result<(), Refused> {
    match world.dossier(number).map(|dossier| dossier.state) {
        Some(State::EnInstruction) => world.repasser_en_construction(number, COLLEAGUE),
        _ => world.repasser_en_instruction(number, COLLEAGUE),
    }
}

/// The writes of a life so far, their faults, and what such a fault leaves behind until the step ends.
#[derive(Debug, Default)]
pub struct Writes {
    planned: BTreeMap<u32, WriteTrouble>,
    count: u32,
    /// The dossier that was read last: a write is about it.
    read: Option<u32>,
    /// The fault of all requests.
    pub deaf: Option<Trouble>,
    /// True if the process is to die at once.
    pub dies: bool,
    /// The fault of the next call of the target.
    pub call: Option<Failure>,
}

/// A write to the platform of which something goes wrong.
#[derive(Clone, Debug)]
pub struct Write {
    /// The fault.
    pub trouble: WriteTrouble,
    /// The dossier.
    pub number: u32,
    /// The words of a message.
    pub words: Option<String>,
}

impl Writes {
    /// Plans a fault.
    pub fn plan(&mut self, rank: u32, trouble: WriteTrouble) {
        self.planned.insert(rank, trouble);
    }

    /// Counts a request, if it writes, and gives its fault.
    pub fn request(&mut self, name: &str, variables: &Json) -> Option<Write> {
        if name == "ReadDossier" {
            self.read = variables["number"].as_u64().and_then(|number| u32::try_from(number).ok());
        }
        if !name.starts_with("Dossier") {
            return None;
        }
        self.count += 1;
        let (trouble, number) = (self.planned.remove(&self.count)?, self.read?);
        Some(Write { trouble, number, words: variables["input"]["body"].as_str().map(str::to_owned) })
    }

    /// Ends what a fault left behind.
    pub fn recover(&mut self) {
        (self.deaf, self.dies, self.call) = (None, false, None);
    }
}

/// Returns true if the life of this seed is one of those that are full of it.
pub fn is_full(seed: u64) -> bool {
    Random::of(&[seed, 0x105d]).chance(33)
}

/// Plans the faults of writes.
pub fn troubles(seed: u64, items: &mut Vec<Item>) {
    let random = &mut Random::of(&[seed, 0x105e]);
    let percent = if is_full(seed) { 75 } else { 30 };
    for rank in 1..=8 {
        if random.chance(percent) {
            items.push(Item::Write { rank, trouble: WriteTrouble::draw(random) });
        }
    }
}

/// The terms and steps of a life that is full of it: few dossiers, about which much is asked and pushed.
pub fn steps(seed: u64, terms: &mut Terms) -> Vec<Item> {
    let random = &mut Random::of(&[seed, 0x105f]);
    terms.dossiers = 1 + small(random.below(4));
    // Whoever puts a copy back and sets our clock as well cannot expect that anybody knows what was asked for when.
    let goes_back = random.chance(35);
    let mut acts = vec![Act::Sync { full: false }];
    for _ in 0..1 + random.below(3) {
        acts.push(Act::Ask(small(1 + random.below(3)), random.next()));
        acts.push(Act::Push);
        if goes_back && random.chance(70) {
            acts.push(Act::Restore(small(random.below(2))));
        }
        if random.chance(50) {
            acts.push(Act::Push);
        }
        if random.chance(20) {
            acts.push(Act::Sync { full: false });
        }
    }
    let step = |(rank, act): (u32, Act)| {
        let wait = if random.chance(80) { 60 + random.below(20 * 60) } else { 3_600 + random.below(3 * 86_400) };
        // Set back behind the instant at which something was asked for, the clock tells nothing about what came since.
        let jump =
            if !goes_back && random.chance(30) { *random.pick(&[-4_000, -4_000, -30, 4_000, 90_000]) } else { 0 };
        Item::Step(Step { rank, wait: Duration::from_secs(wait), jump, act })
    };
    (0..).zip(acts).map(step).collect()
}
