//! Four days, with a change of clocks, an hour of maintenance and an hour without a target.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use demarche_numerique::privacy::{Filter, Policy};
use demarche_numerique::report::{RunOutcome, RunRecord};
use demarche_numerique::sandbox::world::Poison;
use demarche_numerique::sandbox::{Fault, FaultPlan, Reset};
use demarche_numerique::serve::{AskedJobs, News, ServiceOptions, ServicePlan, Trouble, metrics, serve};
use demarche_numerique::sink::Sink as _;
use demarche_numerique::sync::{self, Stop};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::life::{DEMARCHE, Hand, Life};

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

/// Lets time pass, with a look at the board every minute.
async fn rest(life: &Life, during: Duration) {
    for _ in 0..during.as_secs() / 60 {
        sleep(MINUTE).await;
        life.look();
    }
}

/// The same, with one change on the platform every twenty minutes.
async fn live(life: &Life, during: Duration, seed: &mut u64) {
    for _ in 0..during.as_secs() / 1_200 {
        rest(life, 20 * MINUTE).await;
        life.now();
        *seed += 1;
        life.sandbox.live(DEMARCHE, 1, *seed);
    }
}

/// Lives the four days. Returns, in order: when the two bad hours began and ended, and the dossier that could not be
/// read.
async fn story(life: &Life) -> [(Timestamp, Timestamp, usize); 2] {
    let mut seed = 20_261_122;
    live(life, 20 * HOUR, &mut seed).await;
    // Now and then something goes wrong on the way, as on every day.
    for (rank, fault) in [Fault::BadGateway, Fault::CloseBefore, Fault::Truncate, Fault::RateLimited(Reset::In(20))]
        .into_iter()
        .enumerate()
    {
        life.sandbox.plan(FaultPlan::new(fault).share(3, 7 + rank as u64));
    }
    live(life, 24 * HOUR, &mut seed).await;
    life.sandbox.clear_faults();

    let (begun, before) = (life.now(), life.sandbox.requests().len());
    life.sandbox.plan(FaultPlan::new(Fault::Maintenance));
    live(life, HOUR, &mut seed).await;
    life.sandbox.clear_faults();
    let maintenance = (begun, life.now(), life.sandbox.requests().len() - before);
    live(life, 5 * HOUR, &mut seed).await;

    let (begun, before) = (life.now(), life.sandbox.requests().len());
    life.down.store(true, Ordering::SeqCst);
    live(life, HOUR, &mut seed).await;
    life.down.store(false, Ordering::SeqCst);
    let outage = (begun, life.now(), life.sandbox.requests().len() - before);
    live(life, 5 * HOUR, &mut seed).await;

    let poisoned = life.sandbox.snapshot(DEMARCHE).dossiers.keys().next().copied().expect("a dossier");
    life.sandbox.world().poison(poisoned, Poison::NullNode);
    life.sandbox.world().touch(poisoned);
    live(life, 6 * HOUR, &mut seed).await;
    life.sandbox.world().heal(poisoned);
    live(life, 6 * HOUR, &mut seed).await;
    // What changed without a date is seen within a day.
    rest(life, 26 * HOUR).await;
    [maintenance, outage]
}

/// The samples of the metrics, by name and outcome.
fn samples(page: &str, name: &str) -> BTreeMap<String, f64> {
    let lines = page.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{'));
    let of = |line: &str| {
        let (labels, value) = line.rsplit_once(' ').expect("a value");
        let last = labels.trim_end_matches('}').rsplit(',').next().expect("a label");
        let label = last.split('"').nth(1).expect("a quoted label").to_owned();
        (label, value.parse().expect("a number"))
    };
    lines.map(of).collect()
}

fn good(run: &&RunRecord) -> bool {
    run.outcome.did_its_work()
}

#[tokio::test(start_paused = true)]
async fn days_of_changes_and_failures_end_with_an_exact_copy_and_one_story() {
    // In the night that follows, clocks in Paris go from two to three.
    let life = Life::new("2026-03-28T09:00:00Z".parse().expect("an instant"));
    life.board.watch([("essai".to_owned(), life.client.clone(), "2031-01-31".parse().ok())]);
    let options = ServiceOptions {
        board: life.board.clone(),
        stop: Stop::default(),
        clock: life.clock(),
        asked: AskedJobs::default(),
        tie_breaker: 1,
    };
    let plan = ServicePlan { jobs: vec![life.job()], runner: Arc::new(Hand(Arc::clone(&life))), workers: 1 };
    let ((_sender, plans), (_calls, hints)) = (mpsc::channel(1), mpsc::channel(1));
    let telling = async {
        let story = story(&life).await;
        options.stop.ask();
        story
    };
    let ((), [maintenance, outage]) = tokio::join!(serve(plan, &options, plans, hints), telling);

    // Nothing was lost: whatever the platform lists is there, and nothing else.
    let filter = Filter::new(Policy::default(), None).expect("the default policy needs no key");
    let verification = sync::verify(&life.client, &life.sink, &life.scope, &filter, |_| {}).await.expect("a listing");
    assert!(verification.is_exact(), "{verification:?}");
    assert_eq!(verification.quarantined, []);
    assert_eq!(life.sandbox.violations(), Vec::<String>::new());

    // The metrics are the history, but for runs whose target could not be opened: those lie in no history.
    let runs = life.sink.runs(&life.scope, 100_000).await.expect("the history");
    let page = metrics(&life.board.snapshot(), &life.board.instances(), life.now());
    let counted = samples(&page, "dn_runs_total");
    let of = |outcome| runs.iter().filter(|run| run.outcome == outcome).count() as f64;
    let within =
        |run: &RunRecord, (begun, ended, _): (Timestamp, Timestamp, usize)| (begun..=ended).contains(&run.started_at);
    assert_eq!(counted["done"], of(RunOutcome::Done));
    assert_eq!(counted["quarantine"], of(RunOutcome::Quarantine));
    let unopened = counted["failed"] - of(RunOutcome::Failed);
    assert!((3.0..=12.0).contains(&unopened), "an hour of ever longer waits: {unopened}");
    for (kind, count) in samples(&page, "dn_dossiers_changed_total") {
        let told: u64 =
            runs.iter().filter_map(|run| serde_json::to_value(&run.report).expect("plain data")[&kind].as_u64()).sum();
        assert_eq!(count, told as f64, "{kind}");
    }

    // An hour away is no storm of requests, and is made up for soon after.
    assert!(!runs.iter().filter(good).any(|run| within(run, maintenance)));
    // Seven for each of the runs.
    assert!(maintenance.2 <= 7 * 12, "{} requests to a platform in maintenance", maintenance.2);
    assert!(outage.2 == 0, "{} requests for a target that is away", outage.2);
    for (_, ended, _) in [maintenance, outage] {
        let next = runs.iter().filter(good).map(|run| run.ended_at).filter(|at| *at > ended).min().expect("a good run");
        // The clock of the platform jumps by up to an hour when something happens on it.
        assert!(next.duration_since(ended) <= SignedDuration::from_mins(80), "{next} after {ended}");
    }

    // Whoever is woken is woken once for each, and told when it is over.
    let told = life.told.lock().expect("no panic under the lock");
    let told: Vec<(Trouble, bool)> = told
        .1
        .iter()
        .map(|(_, news)| match news {
            News::Begins(incident, _) => (incident.trouble, true),
            News::Ends(incident, _) => (incident.trouble, false),
        })
        .collect();
    let failing = [(Trouble::Failing, true), (Trouble::Failing, false)];
    let quarantine = [(Trouble::Quarantine, true), (Trouble::Quarantine, false)];
    assert_eq!(told, [failing, failing, quarantine].concat());
}
