//! Measures how fresh data is with webhooks and without: a working day of a démarche, in virtual time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::hints::{Hint, Hinted};
use super::service_tests::job;
use super::*;
use crate::ids::DossierNumber;
use crate::report::RunOutcome;
use crate::sync::Stop;

/// Eight hours.
const DAY: u64 = 8 * 3600;
/// The number of changes of state in it, and of others, of which no webhook tells.
const CHANGES: (u64, u64) = (100, 100);
/// After how long a change can be read: webhooks come early (trap 71).
const VISIBLE: Duration = Duration::from_secs(2);
/// The duration of a run.
const RUN: Duration = Duration::from_secs(5);

/// A runner that notes when it read the platform, and when what it read was in the target.
#[derive(Clone)]
struct Watched {
    start: Instant,
    runs: Arc<Mutex<Vec<(Duration, Duration)>>>,
}

impl Watched {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-03-02T08:00:00Z".parse().expect("an instant");
        start + SignedDuration::try_from(self.start.elapsed()).expect("not so long")
    }
}

impl JobRunner for Watched {
    async fn attempt(&self, _: &Planned, _: Option<&Hinted>, _: &Stop) -> JobOutcome {
        let read = self.start.elapsed();
        sleep(RUN).await;
        self.runs.lock().expect("no panic under the lock").push((read, self.start.elapsed()));
        JobOutcome::Ran(Ended { outcome: RunOutcome::Done, at: self.now(), quiet: false })
    }
}

/// When the changes of one kind happen.
fn changes(kind: &str, count: u64) -> Vec<Duration> {
    let mut at: Vec<_> =
        (0..count).map(|n| Duration::from_millis(seed(&format!("{kind} {n}")) % (1000 * (DAY - 1800)))).collect();
    at.sort_unstable();
    at
}

/// The runs of a day with a tick every ten minutes, where each of these instants is told by a call.
async fn day(calls: &[Duration]) -> Vec<(Duration, Duration)> {
    let watched = Watched { start: Instant::now(), runs: Arc::default() };
    let clock = watched.clone();
    let clock: Clock = Arc::new(move || clock.now());
    let options = ServiceOptions {
        board: StatusBoard::default(),
        stop: Stop::default(),
        clock,
        asked: AskedJobs::default(),
        tie_breaker: 0,
    };
    let plan = ServicePlan { jobs: vec![job(1)], runner: Arc::new(watched.clone()), workers: 1 };
    let (_reloads, plans) = mpsc::channel(1);
    let (sender, hints) = mpsc::channel(1000);
    let script = async {
        for (at, dossier) in calls.iter().zip(1..) {
            sleep_until(watched.start + *at).await;
            let hint = Hint { scope: job(1).key.scope, dossier: DossierNumber::new(dossier) };
            sender.send(hint).await.expect("the loop listens");
        }
        sleep_until(watched.start + Duration::from_secs(DAY)).await;
        options.stop.ask();
    };
    tokio::join!(serve(plan, &options, plans, hints), script);
    watched.runs.lock().expect("no panic under the lock").clone()
}

/// Gives the age of changes when they were in the target, in seconds: median, ninth decile, maximum.
fn ages(changes: &[Duration], runs: &[(Duration, Duration)]) -> [u64; 3] {
    let age = |at: &Duration| {
        let (_, stored) =
            runs.iter().find(|(read, _)| *read >= *at + VISIBLE).expect("the day goes on for half an hour");
        (*stored - *at).as_secs()
    };
    let mut ages: Vec<u64> = changes.iter().map(age).collect();
    ages.sort_unstable();
    [50, 90, 100].map(|share| ages[(ages.len() * share).div_ceil(100) - 1])
}

#[tokio::test(start_paused = true)]
async fn what_webhooks_do_for_freshness() {
    let (states, others) = (changes("state", CHANGES.0), changes("other", CHANGES.1));
    let lossy: Vec<Duration> = states.iter().enumerate().filter(|(n, _)| n % 20 != 7).map(|(_, at)| *at).collect();
    let mut told = BTreeMap::new();
    println!("seconds until a change is in the target (half, nine in ten, all), and runs in {} hours:", DAY / 3600);
    for (name, calls) in [("no webhook", &[][..]), ("webhooks", &states), ("one in twenty lost", &lossy)] {
        let runs = day(calls).await;
        let found = (ages(&states, &runs), ages(&others, &runs), runs.len());
        println!("{name:<20} state {:?}  other {:?}  runs {}", found.0, found.1, found.2);
        told.insert(name, found);
    }
    let (polled, hinted, lossy) = (told["no webhook"], told["webhooks"], told["one in twenty lost"]);
    // A call is followed by a run when the window is over, and the one before has had its rest.
    let window = job(1).hint_window.as_secs();
    assert!(hinted.0[2] <= 2 * (window + RUN.as_secs()), "{hinted:?}");
    assert!(hinted.0[0] * 4 < polled.0[0] && lossy.0[0] * 4 < polled.0[0], "{told:?}");
    // What no webhook tells of is no later than before, and what is lost comes with the rhythm.
    let rhythm = 600 + RUN.as_secs() + VISIBLE.as_secs() + 1;
    assert!([polled, hinted, lossy].iter().all(|(states, others, _)| states[2] <= rhythm && others[2] <= rhythm));
}
