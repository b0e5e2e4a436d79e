//! Plan of a life: all that a seed decides, before anything happens.

use std::collections::BTreeSet;
use std::time::Duration;

use demarche_numerique::Platform;
use demarche_numerique::privacy::Preset;
use demarche_numerique::sandbox::{FormSpec, Random};

use super::change::Change;
use super::lost_answers::{self, WriteTrouble};
use super::odd::Oddity;
use super::trouble::{Failure, Trouble};

/// A whole life: what holds all the time, and what happens in it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// The terms of the whole life.
    pub terms: Terms,
    /// The items, each with a number that stays when others are left out.
    pub items: Vec<(usize, Item)>,
}

/// Terms of a whole life.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Whose manners the platform has.
    pub platform: Platform,
    /// The form: one with every kind of question, or a short one, whose lives are shorter to live.
    pub form: FormSpec,
    /// The number of dossiers at the beginning.
    pub dossiers: u32,
    /// The largest page that is asked for.
    pub page: u8,
    /// The overlap, in minutes.
    pub overlap: i64,
    /// The interval of runs that begin further back, in hours.
    pub follow_up: i64,
    /// The interval of the complete listing, in hours.
    pub listing: i64,
    /// The client's limit of requests a minute.
    pub limit: u32,
    /// The platform's limit of requests a minute.
    pub platform_limit: Option<u32>,
    /// More dossiers than this on a page are too many for the platform.
    pub heavy: Option<usize>,
    /// The privacy policy at the beginning.
    pub policy: Preset,
    /// Our clock minus the platform's at the beginning, in seconds.
    pub skew: i64,
    /// The largest number of deletions that need no word of an operator.
    pub floor: u64,
}

/// When something happens on the platform.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// So long after the beginning.
    At(Duration),
    /// Just before the platform looks at the request of this rank.
    Before(u32),
    /// Just after.
    After(u32),
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Item {
    /// The operator waits, then does something.
    Step(Step),
    /// The process dies in the step of this rank, after being polled so often.
    Death {
        /// The rank of the step among all steps of the seed.
        step: u32,
        /// The number of polls before the drop.
        polls: u32,
        /// The kind.
        how: Death,
    },
    /// The platform lives.
    World {
        /// When.
        when: When,
        /// The object.
        change: Change,
    },
    /// Requests go wrong.
    Request {
        /// From this rank on.
        rank: u32,
        /// So many in a row.
        times: u32,
        /// The kind.
        trouble: Trouble,
    },
    /// A write to the platform goes wrong.
    Write {
        /// The rank of the write among all of them.
        rank: u32,
        /// The kind.
        trouble: WriteTrouble,
    },
    /// The target cannot hold a dossier.
    Refusal {
        /// From so long after the beginning on.
        at: Duration,
        /// Which, drawn from those that are there then.
        of: u32,
        /// For so many hours.
        hours: u64,
    },
    /// A call of the target goes wrong.
    Call {
        /// The rank of the call.
        rank: u32,
        /// The kind.
        failure: Failure,
    },
}

/// Way in which a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// The future is dropped; the process goes on, with its count of requests.
    Dropped,
    /// The process is gone.
    Killed,
    /// It is asked to stop.
    Stopped,
}

/// Step of an operator: an act, and the wait before it.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its rank among all steps of the seed.
    pub rank: u32,
    /// The wait before the step.
    pub wait: Duration,
    /// By how many seconds our clock is set meanwhile.
    pub jump: i64,
    /// The action.
    pub act: Act,
}

/// Act of an operator.
#[derive(Clone, Debug)]
pub enum Act {
    /// A run.
    Sync {
        /// True if everything is read again.
        full: bool,
    },
    /// A run, and another one that takes its place so long after.
    Rival(Duration),
    /// A comparison with the complete listing that mends.
    Repair,
    /// Remap: writes the stored documents again.
    Remap,
    /// Another privacy policy from now on.
    Policy(Preset),
    /// Somebody asks for things to be done: so many, of kinds drawn from this number.
    Ask(u32, u64),
    /// Pushes the intents.
    Push,
    /// The target goes back to what it was before one of the steps so far: a copy is put back, a standby takes over.
    Restore(u32),
}

impl Plan {
    /// The life of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let random = &mut Random::of(&[seed, 0x11fe]);
        let mut terms = Terms::draw(random);
        let mut items = steps(random);
        let lost_answers = lost_answers::is_full(seed);
        if lost_answers {
            items = lost_answers::steps(seed, &mut terms);
        } else {
            put_back(seed, &mut items);
        }
        let steps: Vec<&Step> = items.iter().filter_map(step_of).collect();
        let (count, life) = (steps.len() as u64, steps.iter().map(|step| step.wait).sum::<Duration>());
        // More or less as many requests as there will be.
        let requests = count * (6 + u64::from(terms.dossiers) / u64::from(terms.page));
        let deaths = random.below(count);
        for _ in 0..deaths {
            let step = small(random.below(count));
            let most = 1 << (1 + random.below(9));
            let polls = small(1 + random.below(most));
            let how = *random.pick(&[Death::Dropped, Death::Killed, Death::Killed, Death::Stopped]);
            items.push(Item::Death { step, polls, how });
        }
        let many = if lost_answers { 0 } else { random.below(60) * random.below(2) };
        let changes = many + random.below(25) + 3;
        for _ in 0..changes {
            items.extend(Change::draw(random, &terms, life, requests));
        }
        let troubles = if random.chance(25) { 0 } else { random.below(2 + requests / 8) };
        for _ in 0..troubles {
            let rank = small(1 + random.below(requests));
            let times = if random.chance(70) { 1 } else { small(1 + random.below(9)) };
            items.push(Item::Request { rank, times, trouble: Trouble::draw(random) });
        }
        let failures = if random.chance(30) { 0 } else { random.below(2 + count * 2) };
        for _ in 0..failures {
            items.push(Item::Call { rank: small(1 + random.below(requests * 3)), failure: Failure::draw(random) });
        }
        hardships(seed, life, &mut items);
        lost_answers::troubles(seed, &mut items);
        Self { seed, terms, items: items.into_iter().enumerate().collect() }
    }

    /// The same without some of what happens.
    #[must_use]
    pub fn without(mut self, left_out: &BTreeSet<usize>) -> Self {
        self.items.retain(|(number, _)| !left_out.contains(number));
        self
    }

    /// The steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.items.iter().filter_map(|(_, item)| step_of(item))
    }

    /// Finds the death of a step: after how many polls, and of what kind.
    #[must_use]
    pub fn death(&self, step: u32) -> Option<(u32, Death)> {
        self.items.iter().find_map(|(_, item)| match item {
            Item::Death { step: of, polls, how } if *of == step => Some((*polls, *how)),
            _ => None,
        })
    }
}

fn step_of(item: &Item) -> Option<&Step> {
    match item {
        Item::Step(step) => Some(step),
        _ => None,
    }
}

impl Terms {
    fn draw(random: &mut Random) -> Self {
        let platform = if random.chance(65) { Platform::DemarcheNumerique } else { Platform::DematSocial };
        let often = *random.pick(&[1, 24, NEVER, NEVER]);
        Self {
            platform,
            form: if random.chance(15) { FormSpec::Complete } else { FormSpec::Simple { champs: 6 } },
            dossiers: *random.pick(&[0, 1, 2, 3, 3, 4, 5, 6, 8, 10, 12, 16, 24]) + small(random.below(3)),
            page: *random.pick(&[1, 2, 3, 4, 5, 7, 10, 10, 25, 100]),
            overlap: *random.pick(&[10, 15, 15, 30]),
            follow_up: often,
            listing: *random.pick(&[2, 24, 24, NEVER]),
            limit: *random.pick(&[20, 60, 400, 400]),
            platform_limit: random.chance(20).then_some(60),
            heavy: random.chance(15).then(|| 1 + random.below(5) as usize),
            policy: *random.pick(&[Preset::Default, Preset::Default, Preset::Integral, Preset::Strict]),
            skew: *random.pick(&[0, 0, 0, 3, -3, 90, -90, 3_600, -7_200, 200_000]),
            floor: *random.pick(&[10, 10, 100, 0]),
        }
    }
}

/// Further away than any life lasts, in hours.
const NEVER: i64 = 100_000;

fn steps(random: &mut Random) -> Vec<Item> {
    let count = 2 + random.below(9);
    let writes = random.chance(60);
    let mut items = Vec::new();
    for rank in 0..small(count) {
        let wait = match random.below(20) {
            0..=11 => 60 + random.below(20 * 60),
            12..=16 => 3_600 + random.below(3 * 3_600),
            17 | 18 => 86_400 + random.below(86_400),
            _ => 15 * 86_400,
        };
        let jump = if random.chance(8) { *random.pick(&[-4_000, -30, 30, 4_000, 90_000]) } else { 0 };
        let act = match random.below(20) {
            _ if rank == 0 => Act::Sync { full: false },
            0 | 1 => Act::Rival(Duration::from_millis(random.below(20_000))),
            2 => Act::Repair,
            3 if random.chance(40) => Act::Remap,
            3 => Act::Policy(*random.pick(&[Preset::Default, Preset::Integral, Preset::Strict])),
            4..=7 if writes => Act::Ask(small(1 + random.below(4)), random.next()),
            8..=11 if writes => Act::Push,
            12 => Act::Sync { full: true },
            _ => Act::Sync { full: false },
        };
        items.push(Item::Step(Step { rank, wait: Duration::from_secs(wait), jump, act }));
    }
    items
}

/// In some lives the target goes back to an earlier instant, right after something was sent more often than not. Whoever
/// sets our clock as well cannot expect that anybody knows what was asked for when.
fn put_back(seed: u64, items: &mut [Item]) {
    let random = &mut Random::of(&[seed, 0xbac4]);
    if !random.chance(30) {
        return;
    }
    let steps = items.iter_mut().filter_map(|item| match item {
        Item::Step(step) => Some(step),
        _ => None,
    });
    let mut pushed = false;
    for step in steps {
        step.jump = 0;
        let sends = matches!(step.act, Act::Push);
        if step.rank > 1 && !sends && random.chance(if pushed { 60 } else { 15 }) {
            step.act = Act::Restore(small(random.below(4)));
        }
        pushed = sends;
    }
}

/// In some lives the target cannot hold a dossier, or a value of one is odd as often as it is asked for.
fn hardships(seed: u64, life: Duration, items: &mut Vec<Item>) {
    let random = &mut Random::of(&[seed, 0x0dd5]);
    let most = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
    if random.chance(25) {
        for _ in 0..1 + random.below(2) {
            let at = Duration::from_millis(random.below(most));
            items.push(Item::Refusal { at, of: small(random.below(1_000)), hours: 1 + random.below(300) });
        }
    }
    if random.chance(30) {
        for _ in 0..1 + random.below(3) {
            let at = Duration::from_millis(random.below(most));
            let way = small(random.below(1_000));
            let how = if random.chance(50) { Oddity::Scalar(way) } else { Oddity::Null(way) };
            let change = Change::Odd { of: small(random.below(1_000)), how, hours: 1 + random.below(300) };
            items.push(Item::World { when: When::At(at), change });
        }
    }
}

/// A number that is small by construction.
pub fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
