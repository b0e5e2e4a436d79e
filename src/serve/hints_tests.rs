//! Calls of webhooks and the loop, in a time that passes by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::hints::{Hint, HintCounts, MOST_READ, Outcome, SecretPath, Webhooks};
use super::service_tests::{Act, Pretence, job, seconds};
use super::*;
use crate::api::Client;
use crate::ids::DossierNumber;
use crate::platform::Platform;

/// At a second, a call names a dossier of démarche 1.
type Call = (u64, u32);

impl Pretence {
    /// Lets jobs run for so many seconds while calls come, then asks to stop.
    async fn called(&self, jobs: &[Planned], calls: &[Call], seconds: u64) -> BTreeMap<JobKey, JobState> {
        let options = self.options();
        let (_reloads, plans) = mpsc::channel(1);
        let (sender, hints) = mpsc::channel(1000);
        let start = Instant::now();
        let script = async {
            for (second, dossier) in calls {
                sleep_until(start + Duration::from_secs(*second)).await;
                sender.send(hint(*dossier)).await.expect("the loop listens");
            }
            sleep_until(start + Duration::from_secs(seconds)).await;
            options.stop.ask();
        };
        tokio::join!(serve(self.plan(jobs, 1), &options, plans, hints), script);
        options.board.snapshot()
    }
}

fn hint(dossier: u32) -> Hint {
    Hint { scope: job(1).key.scope, dossier: DossierNumber::new(dossier) }
}

fn paused(number: u32) -> Planned {
    Planned { schedule: Schedule { paused: true, ..job(number).schedule }, ..job(number) }
}

#[tokio::test(start_paused = true)]
async fn what_is_named_within_a_window_is_looked_at_once_at_its_end() {
    let world = Pretence::new();
    world.called(&[job(1), job(2)], &[(100, 7), (100, 8), (101, 7), (120, 9)], 500).await;
    assert_eq!(world.hinted(), [(130, vec![7, 8, 9])]);
    let of = |wanted| world.begun().into_iter().filter(|(_, number)| *number == wanted).count();
    // The démarche that nobody called for waits for its tick.
    assert_eq!((of(1), of(2)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_named_at_the_last_moment_is_read_at_once_and_looked_for_once_more() {
    let world = Pretence::new();
    // What it tells of may not be there to be read for another second (trap 71).
    world.called(&[job(1)], &[(100, 7), (129, 8)], 500).await;
    assert_eq!(world.hinted(), [(130, vec![7, 8]), (165, vec![])]);
}

#[tokio::test(start_paused = true)]
async fn however_many_calls_come_there_is_one_run_a_window_and_a_rest_between_two() {
    let world = Pretence::new();
    let flood: Vec<Call> = (10..900).flat_map(|second| [(second, 1), (second, second as u32)]).collect();
    let board = world.called(&[job(1)], &flood, 1000).await;
    let begun = seconds(&world.begun());
    // Each run takes five seconds, and the rest is a window of thirty; a tick is not put off by it.
    assert!(begun.windows(2).all(|two| two[1] - two[0] >= 35 || two[1] % 600 == 0), "{begun:?}");
    assert!(begun.len() <= 2 + 1000 / 35, "{begun:?}");
    assert!(world.hinted().iter().all(|(_, named)| named.len() <= MOST_READ));
    assert_eq!(board[&job(1).key].runs.done, begun.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_tick_does_not_use_up_a_call_that_came_just_before() {
    let world = Pretence::new();
    world.called(&[job(1)], &[(599, 7)], 700).await;
    assert_eq!(seconds(&world.begun()), [0, 600, 635]);
    assert_eq!(world.hinted(), [(635, vec![7])]);
}

#[tokio::test(start_paused = true)]
async fn a_tick_takes_along_what_was_gathered_and_a_rhythm_shorter_than_the_window_starves_nobody() {
    let world = Pretence::new();
    let ticks = Ticks::Every(Duration::from_secs(10));
    let often = Planned { schedule: Schedule { ticks, ..job(1).schedule }, ..job(1) };
    world.called(&[often], &[(101, 7)], 200).await;
    let [(at, named)] = &world.hinted()[..] else { panic!("{:?}", world.hinted()) };
    assert!((131..=141).contains(at), "{at}");
    assert_eq!(named, &[7]);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_is_away_is_not_asked_more_often_because_it_calls() {
    let world = Pretence::new();
    world.act(1, Act::Fail);
    let flood: Vec<Call> = (0..990).map(|second| (second, 7)).collect();
    world.called(&[job(1)], &flood, 1000).await;
    assert_eq!(seconds(&world.begun()), [0, 60, 180, 420, 900]);
}

#[tokio::test(start_paused = true)]
async fn what_failed_with_a_call_is_tried_again_without_its_dossiers() {
    let world = Pretence::new();
    let script = async {
        tokio::time::sleep(Duration::from_secs(50)).await;
        world.act(1, Act::Fail);
        tokio::time::sleep(Duration::from_secs(100)).await;
        world.act(1, Act::Work(Duration::from_secs(5)));
    };
    let jobs = [job(1)];
    tokio::join!(world.called(&jobs, &[(100, 7)], 400), script);
    // Not only at the next tick, and no dossier that a call named keeps a démarche from running.
    assert_eq!(world.hinted(), [(130, vec![7]), (190, vec![])]);
    assert_eq!(seconds(&world.begun()), [0, 130, 190]);
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_while_another_has_the_job() {
    let world = Pretence::new();
    let script = async {
        tokio::time::sleep(Duration::from_secs(50)).await;
        world.act(1, Act::Taken(Duration::from_secs(20)));
        tokio::time::sleep(Duration::from_secs(90)).await;
        world.act(1, Act::Work(Duration::from_secs(5)));
    };
    let jobs = [job(1)];
    tokio::join!(world.called(&jobs, &[(100, 7), (135, 8)], 400), script);
    assert_eq!(world.hinted(), [(130, vec![7]), (150, vec![7, 8])]);
}

#[tokio::test(start_paused = true)]
async fn a_call_wakes_nothing_that_is_paused() {
    let world = Pretence::new();
    world.called(&[paused(1)], &[(10, 7), (100, 8)], 700).await;
    assert_eq!(world.begun(), []);
}

#[tokio::test(start_paused = true)]
async fn a_new_plan_keeps_what_was_named_unless_it_pauses_the_job() {
    for (next, expected) in [(job(1), vec![(130, vec![7])]), (paused(1), vec![])] {
        let world = Pretence::new();
        let options = world.options();
        let (reloads, plans) = mpsc::channel(1);
        let (sender, hints) = mpsc::channel(1);
        let start = Instant::now();
        let script = async {
            sleep_until(start + Duration::from_secs(100)).await;
            sender.send(hint(7)).await.expect("the loop listens");
            sleep_until(start + Duration::from_secs(110)).await;
            assert!(reloads.send(world.plan(std::slice::from_ref(&next), 1)).await.is_ok());
            sleep_until(start + Duration::from_secs(120)).await;
            assert!(reloads.send(world.plan(&[job(1)], 1)).await.is_ok());
            sleep_until(start + Duration::from_secs(500)).await;
            options.stop.ask();
        };
        tokio::join!(serve(world.plan(&[job(1)], 1), &options, plans, hints), script);
        assert_eq!(world.hinted(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_a_call_is_counted() {
    let board = StatusBoard::default();
    board.change(&job(1).key, |_| {});
    board.change(&job(2).key, |state| state.paused = true);
    let client = Client::builder(Platform::DemarcheNumerique).build().expect("valid settings");
    board.watch([("dn".to_owned(), client, None)]);
    let (sender, mut hints) = mpsc::channel(300);
    let webhooks = Webhooks::new(sender);
    webhooks.admit([("dn".to_owned(), SecretPath::of("x"))]);
    let call = |body: &str| {
        let outcome = webhooks.take("dn", body.as_bytes(), &board);
        board.called("dn", outcome);
        outcome
    };
    assert_eq!(call("procedure_id=1&dossier_id=7&state=accepte"), Outcome::Accepted);
    assert_eq!(call("procedure_id=2&dossier_id=7"), Outcome::Ignored);
    assert_eq!(call("procedure_id=3&dossier_id=7"), Outcome::Unknown);
    assert_eq!(call("bonjour"), Outcome::Ignored);
    assert_eq!(hints.try_recv(), Ok(hint(7)));
    // Two hundred at once, whatever they say.
    let limited = (0..1000).filter(|_| call("procedure_id=1&dossier_id=7") == Outcome::Limited).count();
    assert_eq!(limited, 1000 - 196);
    let expected = HintCounts { accepted: 1 + 196, unknown: 1, ignored: 2, limited: 804 };
    assert_eq!(board.instances()["dn"].hints, expected);
    // A loop that does not listen is no reason to keep them.
    drop(hints);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(call("procedure_id=1&dossier_id=7"), Outcome::Limited);
}
