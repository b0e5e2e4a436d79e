//! The loop over a runner that only pretends to work, in a time that passes by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::facts::Runs;
use super::hints::Hinted;
use super::*;
use crate::ids::{DemarcheNumber, Scope};
use crate::report::RunOutcome;
use crate::sync::Stop;

/// The behaviour of a runner for a job.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Work(Duration),
    Fail,
    Taken(Duration),
    DoneElsewhere,
    Panic,
}

/// A world whose clock follows the paused one, but for how far it is wrong.
#[derive(Default)]
pub(super) struct World {
    wrong_by: Mutex<SignedDuration>,
    acts: Mutex<BTreeMap<u32, Act>>,
    /// Each attempt: the seconds from the start, and the démarche.
    begun: Mutex<Vec<(u64, u32)>>,
    /// The hints of an attempt, and when.
    hinted: Mutex<Vec<(u64, Vec<u32>)>>,
    most_at_once: Mutex<(usize, usize)>,
}

#[derive(Clone)]
pub(super) struct Pretence {
    world: Arc<World>,
    start: Instant,
}

impl Pretence {
    pub(super) fn new() -> Self {
        Self { world: Arc::default(), start: Instant::now() }
    }

    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-03-02T08:00:00Z".parse().expect("an instant");
        let passed = SignedDuration::try_from(self.start.elapsed()).expect("not so long");
        start + passed + *self.world.wrong_by.lock().expect("no panic under the lock")
    }

    pub(super) fn act(&self, job: u32, act: Act) {
        self.world.acts.lock().expect("no panic under the lock").insert(job, act);
    }

    pub(super) fn begun(&self) -> Vec<(u64, u32)> {
        self.world.begun.lock().expect("no panic under the lock").clone()
    }

    pub(super) fn hinted(&self) -> Vec<(u64, Vec<u32>)> {
        self.world.hinted.lock().expect("no panic under the lock").clone()
    }

    pub(super) fn options(&self) -> ServiceOptions {
        let clock = self.clone();
        let clock = Arc::new(move || clock.now());
        ServiceOptions {
            board: StatusBoard::default(),
            stop: Stop::default(),
            clock,
            asked: AskedJobs::default(),
            tie_breaker: 0,
        }
    }

    pub(super) fn plan(&self, jobs: &[Planned], workers: usize) -> ServicePlan<Self> {
        ServicePlan { jobs: jobs.to_vec(), runner: Arc::new(self.clone()), workers }
    }

    /// Lets jobs run for so many seconds, then asks to stop.
    async fn during(&self, jobs: &[Planned], workers: usize, seconds: u64) -> BTreeMap<JobKey, JobState> {
        let options = self.options();
        let (_sender, plans) = mpsc::channel(1);
        let stop = async {
            sleep(Duration::from_secs(seconds)).await;
            options.stop.ask();
        };
        tokio::join!(serve(self.plan(jobs, workers), &options, plans, unhinted()), stop);
        options.board.snapshot()
    }
}

impl JobRunner for Pretence {
    async fn attempt(&self, job: &Planned, hinted: Option<&Hinted>, _: &Stop) -> JobOutcome {
        let number = job.key.scope.demarche.get();
        self.world.begun.lock().expect("no panic under the lock").push((self.start.elapsed().as_secs(), number));
        if let Some(hinted) = hinted {
            let named = hinted.to_read().iter().map(|dossier| dossier.get()).collect();
            let at = self.start.elapsed().as_secs();
            self.world.hinted.lock().expect("no panic under the lock").push((at, named));
        }
        let act = self.world.acts.lock().expect("no panic under the lock").get(&number).copied();
        {
            let mut at_once = self.world.most_at_once.lock().expect("no panic under the lock");
            at_once.0 += 1;
            at_once.1 = at_once.1.max(at_once.0);
        }
        let ended = |outcome| Ended { outcome, at: self.now(), quiet: false };
        let attempt = match act.unwrap_or(Act::Work(Duration::from_secs(5))) {
            Act::Work(long) => {
                sleep(long).await;
                JobOutcome::Ran(ended(RunOutcome::Done))
            }
            Act::Fail => JobOutcome::Ran(ended(RunOutcome::Failed)),
            Act::Taken(again) => JobOutcome::Taken { again },
            Act::DoneElsewhere => JobOutcome::NotDue(History::default().and(ended(RunOutcome::Done))),
            Act::Panic => panic!("a defect"),
        };
        self.world.most_at_once.lock().expect("no panic under the lock").0 -= 1;
        attempt
    }
}

pub(super) fn job(number: u32) -> Planned {
    let scope = Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(number) };
    let ticks = "*/10 * * * *".parse().unwrap_or_else(|error| panic!("{error}"));
    let schedule = Schedule { ticks, zone: TimeZone::UTC, jitter: Duration::ZERO, adaptive: false, paused: false };
    Planned {
        key: JobKey { scope, target: "postgres:x".to_owned() },
        schedule,
        alone: false,
        hint_window: Duration::from_secs(30),
    }
}

/// Nobody calls.
fn unhinted() -> mpsc::Receiver<hints::Hint> {
    mpsc::channel(1).1
}

pub(super) fn seconds(begun: &[(u64, u32)]) -> Vec<u64> {
    begun.iter().map(|(second, _)| *second).collect()
}

#[tokio::test(start_paused = true)]
async fn a_job_runs_at_the_start_and_then_at_each_tick() {
    let world = Pretence::new();
    let board = world.during(&[job(1)], 1, 3001).await;
    assert_eq!(seconds(&world.begun()), [0, 600, 1200, 1800, 2400, 3000]);
    let state = &board[&job(1).key];
    assert_eq!((state.runs, state.skipped_ticks), (Runs { done: 6, ..Runs::default() }, 0));
    assert_eq!(state.last_outcome, Some(RunOutcome::Done));
    assert_eq!(state.running_since, None);
}

#[tokio::test(start_paused = true)]
async fn ticks_that_pass_during_a_run_are_skipped_and_counted() {
    let world = Pretence::new();
    world.act(1, Act::Work(Duration::from_secs(1500)));
    let board = world.during(&[job(1)], 1, 2000).await;
    assert_eq!(seconds(&world.begun()), [0, 1800]);
    assert_eq!(board[&job(1).key].skipped_ticks, 2 + 2);
}

#[tokio::test(start_paused = true)]
async fn as_many_run_at_once_as_there_are_workers_and_one_on_a_target_that_is_for_one() {
    let jobs: Vec<Planned> = (1..=6).map(job).collect();
    for (alone, workers, expected) in [(false, 3, 3), (false, 1, 1), (true, 3, 1)] {
        let world = Pretence::new();
        let jobs: Vec<Planned> = jobs.iter().map(|job| Planned { alone, ..job.clone() }).collect();
        let options = world.options();
        let (_sender, plans) = mpsc::channel(1);
        let stop = async {
            sleep(Duration::from_secs(100)).await;
            options.stop.ask();
        };
        tokio::join!(serve(world.plan(&jobs, workers), &options, plans, unhinted()), stop);
        let mut done: Vec<u32> = world.begun().iter().map(|(_, number)| *number).collect();
        done.sort_unstable();
        assert_eq!(done, [1, 2, 3, 4, 5, 6], "{alone} {workers}");
        assert_eq!(world.world.most_at_once.lock().expect("no panic under the lock").1, expected, "{alone} {workers}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_has_is_tried_again_and_what_another_has_done_is_left() {
    let world = Pretence::new();
    world.act(1, Act::Taken(Duration::from_secs(20)));
    world.act(2, Act::DoneElsewhere);
    let board = world.during(&[job(1), job(2)], 1, 101).await;
    let of = |wanted| world.begun().iter().filter(|(_, number)| *number == wanted).count();
    assert_eq!((of(1), of(2)), (6, 1));
    assert_eq!((board[&job(1).key].taken_elsewhere, board[&job(1).key].runs), (6, Runs::default()));
    assert!(board[&job(2).key].last_success.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_is_tried_again_ever_later_and_the_others_go_on() {
    let world = Pretence::new();
    world.act(1, Act::Fail);
    world.act(2, Act::Panic);
    let board = world.during(&[job(1), job(2), job(3)], 3, 1000).await;
    let of = |wanted| world.begun().into_iter().filter(|(_, number)| *number == wanted).collect::<Vec<_>>();
    assert_eq!(seconds(&of(1)), [0, 60, 180, 420, 900]);
    assert_eq!(seconds(&of(2)).len(), 5);
    assert_eq!(of(3).len(), 2);
    let failures = |number| board[&job(number).key].failures_in_a_row;
    assert_eq!((failures(1), failures(2), failures(3)), (5, 5, 0));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_or_ahead_stops_nothing() {
    let world = Pretence::new();
    let options = world.options();
    let (_sender, plans) = mpsc::channel(1);
    let jobs = [job(1)];
    let script = async {
        sleep(Duration::from_secs(700)).await;
        *world.world.wrong_by.lock().expect("no panic under the lock") = SignedDuration::from_hours(-24 * 365);
        sleep(Duration::from_secs(700)).await;
        *world.world.wrong_by.lock().expect("no panic under the lock") = SignedDuration::from_hours(24 * 365);
        sleep(Duration::from_secs(700)).await;
        options.stop.ask();
    };
    tokio::join!(serve(world.plan(&jobs, 1), &options, plans, unhinted()), script);
    // A change of the clock makes a run, within half a minute; ticks go on by the clock that is.
    let begun = seconds(&world.begun());
    assert_eq!(begun.len(), 6, "{begun:?}");
    assert!((700..=730).contains(&begun[2]) && (1400..=1430).contains(&begun[4]), "{begun:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_the_run_at_hand_end_and_begins_nothing() {
    let world = Pretence::new();
    for number in [1, 2] {
        world.act(number, Act::Work(Duration::from_secs(300)));
    }
    let board = world.during(&[job(1), job(2)], 1, 10).await;
    // One worker: the other job never began.
    assert_eq!(world.begun().len(), 1);
    assert_eq!(board.values().map(|state| state.runs.done).sum::<u64>(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_plan_takes_the_place_of_the_old_one_and_keeps_what_is_known() {
    let world = Pretence::new();
    world.act(1, Act::Work(Duration::from_secs(100)));
    let options = world.options();
    let (sender, plans) = mpsc::channel(1);
    let script = async {
        sleep(Duration::from_secs(50)).await;
        let paused = Planned { schedule: Schedule { paused: true, ..job(3).schedule }, ..job(3) };
        // The first goes on to its end, the second is no more, the third waits, the fourth is new.
        assert!(sender.send(world.plan(&[job(1), paused, job(4)], 4)).await.is_ok());
        sleep(Duration::from_secs(1000)).await;
        options.stop.ask();
    };
    tokio::join!(serve(world.plan(&[job(1), job(2), job(3)], 4), &options, plans, unhinted()), script);
    let of = |wanted| world.begun().into_iter().filter(|(_, number)| *number == wanted).collect::<Vec<_>>();
    assert_eq!(seconds(&of(1)), [0, 600]);
    assert_eq!(seconds(&of(2)), [0]);
    assert_eq!(seconds(&of(3)), [0]);
    assert_eq!(seconds(&of(4)), [50, 600]);
    let board = options.board.snapshot();
    assert_eq!(board.keys().map(|key| key.scope.demarche.get()).collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!(board[&job(3).key].next, None);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_somebody_asks_for_runs_now_once_be_it_paused_or_held_a_moment_ago() {
    let world = Pretence::new();
    world.act(2, Act::Taken(Duration::from_secs(300)));
    let paused = Planned { schedule: Schedule { paused: true, ..job(3).schedule }, ..job(3) };
    let options = world.options();
    let (_sender, plans) = mpsc::channel(1);
    let script = async {
        sleep(Duration::from_secs(100)).await;
        for number in [1, 1, 2, 3, 9] {
            options.asked.ask(job(number).key);
        }
        sleep(Duration::from_secs(100)).await;
        options.stop.ask();
    };
    tokio::join!(serve(world.plan(&[job(1), job(2), paused], 1), &options, plans, unhinted()), script);
    let asked: Vec<(u64, u32)> = world.begun().into_iter().filter(|(at, _)| (100..200).contains(at)).collect();
    let mut numbers: Vec<u32> = asked.iter().map(|(_, number)| *number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3], "each once: {asked:?}");
}
