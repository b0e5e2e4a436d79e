//! Checks leases: one run for a démarche, several for several, expiry without heartbeat.

use demarche_numerique::report::{Report, RunOutcome, RunRecord};
use demarche_numerique::sink::{PostgresSink, Sink, SinkError};
use tokio::runtime::{Builder, Runtime};

use super::super::world::*;
use super::{filled, scopes};
use crate::support::postgres::Database;

/// Asks again until the answer is yes. The clock is the server's: each question takes it a little further.
async fn until(mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..100_000 {
        if condition().await {
            return;
        }
    }
    panic!("the condition never came true");
}

/// A process of its own, as far as a test can have one: when nobody drives it, it is paused whole.
fn process() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn line(id: &str) -> RunRecord {
    RunRecord {
        id: id.to_owned(),
        started_at: at(0),
        ended_at: at(1),
        outcome: RunOutcome::Done,
        report: Report::default(),
    }
}

async fn is_locked(sink: &PostgresSink) -> bool {
    match sink.schema(&scope()).await {
        Ok(_) => false,
        Err(SinkError::Locked { .. }) => true,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn one_run_works_on_a_demarche_and_the_next_is_told_which() {
    let database = Database::new().await;
    let (first, second) = (database.sink().await, database.sink().await);
    let prepared = filled(&first).await;
    for refused in [
        second.schema(&scope()).await.map(drop),
        second.checkpoint(&scope()).await.map(drop),
        second.commit(&prepared, &batch(2, vec![])).await.map(drop),
    ] {
        let Err(SinkError::Locked { holder: Some(holder), target }) = refused else { panic!("{refused:?}") };
        let process = format!(", process {}, since 2", std::process::id());
        assert!(holder.contains(&process) && !holder.starts_with(','), "{holder}");
        assert!(target.ends_with("for dn/12"), "{target}");
    }
    // Reading takes no lease, and a lease ends with the run: with its line in the history.
    assert_eq!(second.totals(&scope()).await.expect("an answer").alive, 2);
    first.record_run(&scope(), &line("run-1")).await.expect("a line");
    second.schema(&scope()).await.expect("a free démarche");
    assert!(is_locked(&first).await);
    second.close().await.expect("a clean end");
    assert!(!is_locked(&first).await);
}

#[tokio::test]
async fn several_demarches_of_one_schema_are_written_at_once() {
    let database = Database::new().await;
    let mut workers = Vec::new();
    for scope in scopes(4) {
        let sink = database.sink().await;
        workers.push(tokio::spawn(async move {
            let prepared = prepare(&sink, &scope).await;
            for second in 1..6 {
                let first = second as u32 * 10;
                let changes = (first..first + 7).map(|of| insert(of, "x")).collect();
                sink.commit(&prepared, &batch(second, changes)).await.expect("a commit");
            }
            assert_eq!(sink.totals(&scope).await.expect("an answer").alive, 35);
            sink.close().await.expect("a clean end");
        }));
    }
    for worker in workers {
        worker.await.expect("no panic");
    }
    database.sink().await.check().await.expect("a sound schema");
    assert_eq!(database.column("SELECT max(seq)::text FROM dn_changes").await, ["140"]);
}

#[test]
fn a_holder_that_was_paused_loses_its_lease_and_cannot_commit() {
    let (paused, other) = (process(), process());
    let database = other.block_on(Database::new());
    let (sleeper, prepared) = paused.block_on(async {
        let sink = database.sink_with_lease(300).await;
        let prepared = filled(&sink).await;
        (sink, prepared)
    });
    // From here on nobody drives the first process: no heartbeat, no commit.
    let heir = other.block_on(async {
        let sink = database.sink_with_lease(60_000).await;
        until(async || !is_locked(&sink).await).await;
        let prepared = prepare(&sink, &scope()).await;
        sink.commit(&prepared, &batch(5, vec![update(1, "UN")])).await.expect("a commit of the heir");
        sink
    });
    assert_eq!(other.block_on(database.column("SELECT token::text FROM dn_leases")), ["2"]);
    paused.block_on(async {
        let late = batch(9, vec![update(1, "trop tard"), insert(3, "trop tard")]);
        // Twice: a run that lost its lease gets no other in its middle, even by insisting.
        for _ in 0..2 {
            let error = sleeper.commit(&prepared, &late).await.expect_err("a fence");
            assert!(matches!(error, SinkError::Locked { holder: Some(_), .. }), "{error}");
        }
        let plan = demarche_numerique::plan::SchemaPlan { layout: prepared.layout().clone(), changes: Vec::new() };
        let error = sleeper.prepare(&scope(), &form(), plan).await.expect_err("a fence");
        assert!(matches!(error, SinkError::Locked { .. }), "{error}");
        // Its last words are allowed, and give nothing back that is not its own.
        sleeper.record_run(&scope(), &line("late")).await.expect("a line");
    });
    other.block_on(async {
        assert_eq!(database.column("SELECT nom FROM demarche_12_dossiers ORDER BY number").await, ["UN", "deux"]);
        assert_eq!(database.column("SELECT token::text FROM dn_leases WHERE holder IS NOT NULL").await, ["2"]);
        heir.close().await.expect("a clean end");
    });
    // A new run of the first process is a run like another.
    paused.block_on(async {
        let prepared = prepare(&sleeper, &scope()).await;
        sleeper.commit(&prepared, &batch(9, vec![insert(3, "trois")])).await.expect("a commit");
    });
    assert_eq!(other.block_on(database.column("SELECT token::text FROM dn_leases")), ["3"]);
}

#[test]
fn a_holder_that_fell_silent_and_was_not_replaced_goes_on() {
    let (paused, other) = (process(), process());
    let database = other.block_on(Database::new());
    let (sleeper, prepared) = paused.block_on(async {
        let sink = database.sink_with_lease(50).await;
        let prepared = filled(&sink).await;
        (sink, prepared)
    });
    other.block_on(until(async || {
        database.column("SELECT 'x' FROM dn_leases WHERE until < clock_timestamp()").await.len() == 1
    }));
    paused.block_on(sleeper.commit(&prepared, &batch(2, vec![insert(3, "trois")]))).expect("nobody took it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_keeps_a_lease_for_longer_than_its_time() {
    let database = Database::new().await;
    let sink = database.sink_with_lease(1_500).await;
    let prepared = filled(&sink).await;
    let other = database.sink_with_lease(1_500).await;
    let old = "SELECT 'x' FROM dn_leases WHERE until > clock_timestamp() AND seen > since + interval '2 seconds'";
    until(async || {
        assert!(is_locked(&other).await, "the lease was lost under a living holder");
        !database.column(old).await.is_empty()
    })
    .await;
    sink.commit(&prepared, &batch(2, vec![insert(3, "trois")])).await.expect("a commit");
    assert_eq!(database.column("SELECT token::text FROM dn_leases").await, ["1"]);
}

#[test]
fn work_is_claimed_once_and_what_a_dead_worker_had_is_claimed_again() {
    let (dead, living) = (process(), process());
    let database = living.block_on(Database::new());
    let wanted = scopes(3);
    let first = dead.block_on(async {
        let sink = database.sink_with_lease(200).await;
        let lease = sink.leases().expect("a writer").claim(&wanted).await.expect("an answer").expect("a free démarche");
        assert_eq!((lease.scope(), lease.token(), lease.is_lost()), (&wanted[0], 1, false));
        (sink, lease)
    });
    living.block_on(async {
        let sink = database.sink().await;
        let leases = sink.leases().expect("a writer");
        let second = leases.claim(&wanted[1..]).await.expect("an answer").expect("a free démarche");
        let third = leases.claim(&wanted[1..]).await.expect("an answer").expect("a free démarche");
        assert_eq!((second.scope(), third.scope()), (&wanted[1], &wanted[2]));
        assert!(leases.claim(&wanted[1..]).await.expect("an answer").is_none());
        // A run on what was claimed needs no other lease, and leaves this one to who claimed it.
        let prepared = prepare(&sink, &wanted[1]).await;
        sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
        sink.record_run(&wanted[1], &line("run")).await.expect("a line");
        let other = database.sink().await;
        assert!(matches!(other.schema(&wanted[1]).await, Err(SinkError::Locked { .. })));
        second.release().await.expect("a lease given back");
        other.schema(&wanted[1]).await.expect("a free démarche");
        // The first worker says nothing any more.
        let mut inherited = None;
        until(async || {
            inherited = leases.claim(&wanted[..1]).await.expect("an answer");
            inherited.is_some()
        })
        .await;
        assert_eq!(inherited.expect("a lease").token(), 2);
    });
    dead.block_on(async {
        let (sink, lease) = first;
        let error = prepare_again(&sink, lease.scope()).await.expect_err("a fence");
        assert!(matches!(error, SinkError::Locked { .. }), "{error}");
        assert!(lease.is_lost());
    });
}

async fn prepare_again(sink: &PostgresSink, scope: &demarche_numerique::ids::Scope) -> Result<(), SinkError> {
    sink.prepare(scope, &form(), creation(layout("demarche_12"))).await.map(drop)
}
