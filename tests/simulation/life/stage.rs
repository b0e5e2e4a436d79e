//! Platform in virtual time, with its scheduled changes and faults.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use demarche_numerique::sandbox::world::{Late, World};
use demarche_numerique::sandbox::{
    DEMARCHE_COMPLETE as DEMARCHE, DemarcheSpec, Incoming, Outgoing, Sandbox, WorldSpec,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use tokio::time::Instant;

use super::change::{Change, Touched, pick};
use super::journal::Journal;
use super::lost_answers::{Colleague, Cut, Write, Writes};
use super::odd::{Oddity, spoil};
use super::plan::{Item, Plan, When};
use super::trouble::{Failure, Trouble};

/// The platform, its time and what is to happen to it. The world stands still between two requests: what fell due meanwhile
/// is done, in order and at its own instant, before the next one is looked at.
#[derive(Debug)]
pub struct Stage {
    /// The platform.
    pub sandbox: Sandbox,
    /// The plan.
    pub seed: u64,
    began: Instant,
    start: Timestamp,
    state: Mutex<State>,
}

/// Mutable part.
pub struct State {
    /// The journal.
    pub journal: Journal,
    /// The violations of an invariant.
    pub broken: Option<String>,
    /// Our clock minus the platform's, in seconds.
    pub skew: i64,
    /// Dossiers that changed without a date, so that only a complete reading must have seen it.
    pub silent: BTreeSet<u32>,
    /// The same of all dossiers.
    pub all_silent: bool,
    /// When the platform last did not show a dossier.
    pub unseen: BTreeMap<u32, Timestamp>,
    /// Dossiers that the target cannot hold.
    pub refused: BTreeSet<u32>,
    /// Dossiers of which a value is odd.
    pub odd: BTreeMap<u32, Oddity>,
    writes: Writes,
    due: BTreeMap<(Timestamp, u64), Due>,
    ends: BTreeMap<(Timestamp, u64), End>,
    order: u64,
    before: BTreeMap<u32, Vec<Change>>,
    after: BTreeMap<u32, Vec<Change>>,
    troubles: BTreeMap<u32, Trouble>,
    failures: BTreeMap<u32, Failure>,
    requests: u32,
    calls: u32,
    calm: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

/// Troubles that are over after some hours.
enum End {
    Poison(u32),
    Odd(u32),
    Refusal(u32),
}

enum Due {
    Change(Change),
    Refusal { of: u32, hours: u64 },
    Colleague { number: u32, how: Colleague, words: Option<String> },
    Commit(Late, Arc<Mutex<Touched>>),
    Back,
    Form,
    Execute(Incoming),
}

/// So many requests are a life without end.
const MOST_REQUESTS: u32 = 30_000;

impl Stage {
    /// The stage of a life.
    pub fn new(plan: &Plan, readable: bool) -> Arc<Self> {
        let terms = &plan.terms;
        let mut spec = WorldSpec::new(terms.platform);
        spec.demarches = vec![DemarcheSpec::new(DEMARCHE, terms.form, terms.dossiers)];
        spec.seed = plan.seed;
        spec.rate_limit = terms.platform_limit;
        let sandbox = Sandbox::new(&spec);
        sandbox.world().timeout_after = terms.heavy;
        let start = sandbox.now();
        let mut state = State {
            journal: Journal::new(readable),
            broken: None,
            skew: terms.skew,
            silent: BTreeSet::new(),
            all_silent: false,
            unseen: BTreeMap::new(),
            refused: BTreeSet::new(),
            odd: BTreeMap::new(),
            writes: Writes::default(),
            due: BTreeMap::new(),
            ends: BTreeMap::new(),
            order: 0,
            before: BTreeMap::new(),
            after: BTreeMap::new(),
            troubles: BTreeMap::new(),
            failures: BTreeMap::new(),
            requests: 0,
            calls: 0,
            calm: false,
        };
        for (_, item) in &plan.items {
            state.take(start, item.clone());
        }
        Arc::new(Self { sandbox, seed: plan.seed, began: Instant::now(), start, state: Mutex::new(state) })
    }

    /// Locks the mutable part.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The instant on the platform's clock.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or(SignedDuration::MAX);
        self.start.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// The instant on our clock.
    pub fn ours(&self) -> Timestamp {
        let skew = self.state().skew;
        self.now().checked_add(SignedDuration::from_secs(skew)).unwrap_or(Timestamp::MAX)
    }

    /// Something happened.
    pub fn tell(&self, line: &str) {
        self.state().journal.tell(self.began.elapsed(), line);
    }

    /// One more of these was met.
    pub fn count(&self, what: &'static str) {
        self.state().journal.count(what);
    }

    /// Records a violation of an invariant.
    pub fn broke(&self, what: String) {
        self.tell(&format!("BROKEN: {what}"));
        self.state().broken.get_or_insert(what);
    }

    /// One more request: its rank, and what goes wrong with it.
    pub fn request(&self) -> (u32, Option<Trouble>) {
        let mut state = self.state();
        state.requests += 1;
        let rank = state.requests;
        if rank == MOST_REQUESTS {
            state.broken.get_or_insert_with(|| "requests without end".to_owned());
        }
        if rank >= MOST_REQUESTS {
            return (rank, Some(Trouble::Fault(demarche_numerique::sandbox::Fault::Redirect)));
        }
        let trouble = if state.calm { None } else { state.troubles.get(&rank).cloned() };
        (rank, state.writes.deaf.clone().or(trouble))
    }

    /// The same request, if it is a write that goes wrong.
    pub fn write(&self, name: &str, variables: &Json) -> Option<Write> {
        let now = self.now();
        let mut state = self.state();
        let write = state.writes.request(name, variables).filter(|_| !state.calm)?;
        state.journal.count("writes that go wrong");
        state.writes.deaf.clone_from(&write.trouble.deaf);
        state.writes.dies = matches!(write.trouble.cut, Cut::Death { arrived: false });
        if let Some((after, how)) = write.trouble.colleague {
            let (number, words) = (write.number, write.words.clone());
            state.push(now + after, Due::Colleague { number, how, words });
        }
        Some(write)
    }

    /// The platform has looked at a write that goes wrong.
    pub fn arrived(&self, write: &Write) {
        let mut state = self.state();
        match write.trouble.cut {
            Cut::Death { arrived: true } => state.writes.dies = true,
            Cut::Call(failure) => state.writes.call = Some(failure),
            Cut::Death { arrived: false } | Cut::Request(_) | Cut::Nothing => {}
        }
    }

    /// Returns true if the process is to die in the middle of a write.
    pub fn dies(&self) -> bool {
        std::mem::take(&mut self.state().writes.dies)
    }

    /// The step of the operator ends, and what a fault of a write left behind.
    pub fn recover(&self) {
        self.state().writes.recover();
    }

    /// One more call of the target: its rank, and what goes wrong with it.
    pub fn call(&self) -> (u32, Option<Failure>) {
        let mut state = self.state();
        state.calls += 1;
        let rank = state.calls;
        let after_a_write = state.writes.call.take();
        (rank, after_a_write.or(if state.calm { None } else { state.failures.get(&rank).copied() }))
    }

    /// The platform looks at a request: `rank` is `None` for one whose sender has given up.
    pub fn execute(&self, rank: Option<u32>, request: &Incoming) -> Outgoing {
        self.catch_up();
        let around = |lists: fn(&mut State) -> &mut BTreeMap<u32, Vec<Change>>| {
            let mut state = self.state();
            lists(&mut state).remove(&rank?).filter(|_| !state.calm)
        };
        for change in around(|state| &mut state.before).unwrap_or_default() {
            self.happen(change);
        }
        let mut answer = self.sandbox.answer(request);
        let odd = self.state().odd.clone();
        for _ in 0..spoil(&mut answer, &odd) {
            self.count("dossiers that are answered with an odd value");
        }
        for change in around(|state| &mut state.after).unwrap_or_default() {
            self.happen(change);
        }
        answer
    }

    /// A request that is still on its way arrives so long after now.
    pub fn arrives(&self, after: Duration, request: Incoming) {
        let at = self.now() + after;
        self.state().push(at, Due::Execute(request));
    }

    /// Everything that fell due happens.
    pub fn catch_up(&self) {
        let now = self.now();
        loop {
            let next = {
                let mut state = self.state();
                for end in state.take_ends(now) {
                    match end {
                        End::Poison(number) => self.sandbox.world().heal(number),
                        End::Odd(number) => drop(state.odd.remove(&number)),
                        End::Refusal(number) => drop(state.refused.remove(&number)),
                    }
                }
                match state.due.first_entry() {
                    Some(first) if first.key().0 <= now => Some((first.key().0, first.remove())),
                    _ => None,
                }
            };
            let Some((at, due)) = next else { break };
            self.pass(at);
            match due {
                Due::Change(change) => self.happen(change),
                Due::Refusal { of, hours } => {
                    let number = pick(&self.sandbox.world(), of);
                    if let Some(number) = number {
                        self.tell(&format!("the target cannot hold dossier {number} for {hours} hours"));
                        self.count("dossiers that the target cannot hold");
                        self.state().refused.insert(number);
                        self.ends(hours, End::Refusal(number));
                    }
                }
                Due::Colleague { number, how, words } => {
                    let done = how.act(&mut self.sandbox.world(), number, words.as_deref());
                    if done.is_ok() {
                        self.count("colleagues who act after a write");
                    }
                    let touched = Touched::dated(Some(number).filter(|_| done.is_ok()));
                    self.note(&format!("a colleague {how:?}"), &touched);
                }
                Due::Commit(late, touched) => {
                    self.looked(|world| world.commit(late));
                    let touched = std::mem::take(&mut *touched.lock().unwrap_or_else(PoisonError::into_inner));
                    self.note("late commit", &touched);
                }
                Due::Back => self.back(),
                Due::Form => {
                    self.tell("the platform tells the form as it is");
                    self.sandbox.world().release_form(DEMARCHE);
                }
                Due::Execute(request) => {
                    let answer = self.sandbox.answer(&request);
                    self.count("requests executed after their sender was gone");
                    self.tell(&format!("a request arrives whose sender is gone: {}", answer.status));
                }
            }
        }
        self.pass(now);
    }

    /// The platform's clock goes on.
    fn pass(&self, to: Timestamp) {
        let late = to.duration_since(self.sandbox.now());
        if late.is_positive() {
            self.looked(|world| world.advance(late));
        }
    }

    /// Does something to the world, and notes what it does not show.
    fn looked(&self, change: impl FnOnce(&mut World)) {
        let now = self.now();
        let mut world = self.sandbox.world();
        let hidden = |world: &World| -> Vec<u32> {
            let hidden = |number: &u32| world.dossier(*number).is_some_and(|dossier| !dossier.is_visible());
            world.numbers(DEMARCHE).into_iter().filter(hidden).collect()
        };
        let known = world.numbers(DEMARCHE);
        let mut unseen = hidden(&world);
        change(&mut world);
        unseen.extend(hidden(&world));
        unseen.extend(known.into_iter().filter(|number| world.dossier(*number).is_none()));
        drop(world);
        self.state().unseen.extend(unseen.into_iter().map(|number| (number, now)));
    }

    fn happen(&self, change: Change) {
        if let Change::Late { by, change } = change {
            let touched = Arc::new(Mutex::new(Touched::default()));
            let told = Arc::clone(&touched);
            let late = self.sandbox.world().begin(move |world| {
                *told.lock().unwrap_or_else(PoisonError::into_inner) = change.apply(world);
            });
            let at = self.sandbox.now() + Duration::from_secs(by);
            self.count("late commits");
            self.tell(&format!("a change begins that will be seen {by} s later"));
            self.state().push(at, Due::Commit(late, touched));
            return;
        }
        let mut touched = Touched::default();
        self.looked(|world| {
            touched = match &change {
                Change::Ahead { by, change } => {
                    let now = world.now();
                    world.set_now(now + SignedDuration::from_secs(*by));
                    let touched = change.apply(world);
                    world.set_now(now);
                    touched
                }
                Change::Outage { way, .. } => {
                    outage(world, *way);
                    Touched::default()
                }
                change => change.apply(world),
            };
        });
        match &change {
            Change::Outage { minutes, .. } => {
                let back = self.sandbox.now() + Duration::from_secs(minutes * 60);
                self.count("outages");
                self.state().push(back, Due::Back);
            }
            Change::Publish { minutes, .. } => {
                let told = self.sandbox.now() + Duration::from_secs(minutes * 60);
                self.count("forms told late");
                self.state().push(told, Due::Form);
            }
            Change::Poison { hours, .. } => {
                let poisoned = change.number(&self.sandbox.world());
                if let Some(number) = poisoned {
                    self.ends(*hours, End::Poison(number));
                }
                self.count("poisoned dossiers");
            }
            Change::Odd { how, hours, .. } => {
                let number = change.number(&self.sandbox.world());
                if let Some(number) = number {
                    self.state().odd.insert(number, *how);
                    self.ends(*hours, End::Odd(number));
                }
            }
            _ => {}
        }
        self.note(&format!("{change:?}"), &touched);
    }

    /// Something that began now is over after so many hours.
    fn ends(&self, hours: u64, end: End) {
        let at = self.sandbox.now() + Duration::from_secs(hours * 3_600);
        let mut state = self.state();
        let order = state.next_order();
        state.ends.insert((at, order), end);
    }

    fn note(&self, what: &str, touched: &Touched) {
        self.tell(&format!("world: {what} -> {:?}", touched.numbers));
        let mut state = self.state();
        state.all_silent |= touched.all;
        for number in &touched.numbers {
            if touched.silent {
                state.silent.insert(*number)
            } else {
                state.silent.remove(number)
            };
        }
        state.journal.count(if touched.silent { "changes without a date" } else { "changes" });
    }

    /// Ends all outages.
    fn back(&self) {
        self.tell("the outage is over");
        let mut world = self.sandbox.world();
        world.maintenance = false;
        world.restore_to_scope(DEMARCHE);
        world.restore_demarche(DEMARCHE);
        let token = world.token_mut();
        token.revoked = false;
        token.write_access = true;
    }

    /// From now on nothing goes wrong any more; everything that was begun comes to its end.
    pub async fn calm(&self) {
        self.state().calm = true;
        loop {
            let last = self.state().due.last_key_value().map(|((at, _), _)| *at);
            let Some(last) = last else { break };
            let wait = Duration::try_from(last.duration_since(self.now())).unwrap_or_default();
            tokio::time::sleep(wait).await;
            self.catch_up();
        }
        self.back();
    }

    /// No dossier makes the platform fail any more, none is odd, and the target holds every one.
    pub fn heal(&self) {
        {
            let mut state = self.state();
            state.ends.clear();
            state.odd.clear();
            state.refused.clear();
        }
        let mut world = self.sandbox.world();
        world.poison.clear();
    }
}

impl State {
    fn take(&mut self, start: Timestamp, item: Item) {
        match item {
            Item::Step(_) | Item::Death { .. } => {}
            Item::World { when: When::At(after), change } => self.push(start + after, Due::Change(change)),
            Item::World { when: When::Before(rank), change } => self.before.entry(rank).or_default().push(change),
            Item::World { when: When::After(rank), change } => self.after.entry(rank).or_default().push(change),
            Item::Request { rank, times, trouble } => {
                self.troubles.extend((rank..rank + times).map(|rank| (rank, trouble.clone())));
            }
            Item::Write { rank, trouble } => self.writes.plan(rank, trouble),
            Item::Refusal { at, of, hours } => self.push(start + at, Due::Refusal { of, hours }),
            Item::Call { rank, failure } => _ = self.failures.insert(rank, failure),
        }
    }

    fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    fn push(&mut self, at: Timestamp, due: Due) {
        let order = self.next_order();
        self.due.insert((at, order), due);
    }

    fn take_ends(&mut self, now: Timestamp) -> Vec<End> {
        let later = self.ends.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.ends, later).into_values().collect()
    }
}

/// Outage of the platform, or of the token.
fn outage(world: &mut World, way: u32) {
    match way % 5 {
        0 => world.maintenance = true,
        1 => world.remove_from_scope(DEMARCHE),
        2 => world.discard_demarche(DEMARCHE),
        3 => world.token_mut().revoked = true,
        _ => world.token_mut().write_access = false,
    }
}
