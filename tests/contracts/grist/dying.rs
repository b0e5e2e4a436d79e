//! A run that dies, or loses an answer, at any of its requests; and the run after it.

use demarche_numerique::plan::{Change, SchemaPlan};
use demarche_numerique::report::{Report, RunOutcome, RunRecord};
use demarche_numerique::sandbox::grist::{Fault, FaultPlan};
use demarche_numerique::sink::{Batch, GristSink, QuarantineChange, QuarantineEntry, Sink, SinkError};

use super::Place;
use crate::contracts::look::{Look, Shown};
use crate::contracts::world::*;

/// Dossiers that come, change, lose children, go and come back, and one that cannot be read.
fn batches() -> Vec<Batch> {
    let mut fewer = row(2, "DEUX");
    fewer.children.remove(0);
    let mut waiting = batch(2, vec![Change::Present(fewer), delete(1)]);
    let entry = QuarantineEntry {
        number: number(9),
        reason: "timeout".to_owned(),
        message: "trop long".to_owned(),
        since: at(2),
        attempts: 1,
        next_try: at(60),
    };
    waiting.quarantine.push(QuarantineChange::Put(entry));
    let mut last = batch(3, vec![Change::Present(row(1, "un")), insert(8, "huit")]);
    last.quarantine.push(QuarantineChange::Release(number(9)));
    vec![batch(1, vec![insert(1, "un"), insert(2, "deux"), insert(5, "cinq")]), waiting, last]
}

/// One run: what is not committed yet, and its line.
async fn run(sink: &GristSink) -> Result<(), SinkError> {
    let scope = scope();
    let schema = sink.schema(&scope).await?;
    let layout = layout(&schema.prefix);
    let plan = if schema.tables.is_empty() { creation(layout) } else { SchemaPlan { layout, changes: Vec::new() } };
    let prepared = sink.prepare(&scope, &form(), plan).await?;
    for batch in batches() {
        let stored = sink.checkpoint(&scope).await?.and_then(|checkpoint| checkpoint.watermark);
        if stored < batch.checkpoint.watermark {
            let numbers = [1, 2, 5, 8].map(number);
            sink.known(&scope, &numbers).await?;
            sink.commit(&prepared, &batch).await?;
        }
    }
    let line = RunRecord {
        id: "run".to_owned(),
        started_at: at(0),
        ended_at: at(9),
        outcome: RunOutcome::Done,
        report: Report::default(),
    };
    sink.record_run(&scope, &line).await
}

/// Everything that must be the same in the end: the rows, the pages, the tables, the quarantine.
async fn result(place: &Place, sink: &GristSink) -> (Shown, Vec<String>, Vec<usize>) {
    place.assert_sound();
    let mut tables = place.person().tables();
    tables.sort();
    let counts = ["Dn_etat", "Dn_dossiers", "Dn_executions", "Dn_quarantaine", "_grist_Pages", "_grist_Views_section"];
    let counts = counts.map(|table| place.rows(table).len()).to_vec();
    (sink.look(&scope()).await, tables, counts)
}

/// An undisturbed run: what it leaves, and how many requests it takes.
async fn undisturbed() -> ((Shown, Vec<String>, Vec<usize>), u32) {
    let place = Place::new().await;
    let sink = place.open().await;
    run(&sink).await.expect("a run");
    let requests = place.grist.count().requests;
    (result(&place, &sink).await, u32::try_from(requests).expect("a few"))
}

#[tokio::test]
async fn a_run_that_dies_before_or_after_any_request_is_finished_by_the_next_one() {
    let (expected, requests) = undisturbed().await;
    assert!((9..23).contains(&requests), "{requests} requests");
    for after in 0..requests {
        for applied in [false, true] {
            let place = Place::new().await;
            if applied {
                place.grist.plan(FaultPlan::new(Fault::LoseAnswer).after(after).times(1));
            }
            place.grist.plan(FaultPlan::new(Fault::CloseBefore).after(after));
            let died = async { run(&place.try_open().await?).await };
            died.await.expect_err("the network is gone");
            place.grist.clear_faults();

            let sink = place.open().await;
            run(&sink).await.unwrap_or_else(|error| panic!("after {after} requests, {applied}: {error}"));
            let left = result(&place, &sink).await;
            assert_eq!(left.1, expected.1, "tables after {after} requests, {applied}");
            assert_eq!(left.2, expected.2, "rows after {after} requests, {applied}");
            assert_eq!(left.0, expected.0, "after {after} requests, {applied}");
        }
    }
}

#[tokio::test]
async fn a_run_goes_on_by_itself_when_one_answer_is_lost_or_the_engine_dies() {
    let (expected, requests) = undisturbed().await;
    for after in 0..requests {
        for fault in [Fault::LoseAnswer, Fault::CloseBefore, Fault::engine_died(), Fault::in_flux()] {
            let place = Place::new().await;
            place.grist.plan(FaultPlan::new(fault.clone()).after(after).times(1));
            let sink = place.open().await;
            run(&sink).await.unwrap_or_else(|error| panic!("{fault:?} after {after} requests: {error}"));
            let left = result(&place, &sink).await;
            assert_eq!(left.2, expected.2, "{fault:?} after {after} requests");
            assert_eq!(left.0, expected.0, "{fault:?} after {after} requests");
        }
    }
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_is_there_whole_or_not_at_all() {
    let place = Place::new().await;
    let sink = place.open().await;
    let prepared = prepare(&sink, &scope()).await;
    for times in 0..30_u32 {
        let first = times * 10 + 2;
        let next = batch(i64::from(times), vec![insert(first, "un"), insert(first + 1, "deux")]);
        {
            let mut left = times / 2;
            let mut commit = std::pin::pin!(sink.commit(&prepared, &next));
            let hold = place.grist.hold();
            std::future::poll_fn(|context| {
                if left == 0 || commit.as_mut().poll(context).is_ready() {
                    return std::task::Poll::Ready(());
                }
                left -= 1;
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await;
            drop(hold);
        }
        let committed = sink.commit(&prepared, &next).await.expect("the same commit");
        assert!([0, 2].contains(&committed.events), "{committed:?}");
        assert_eq!(sink.known(&scope(), &[number(first), number(first + 1)]).await.expect("an answer").len(), 2);
    }
    place.assert_sound();
    assert_eq!(place.rows("Dn_dossiers").len(), 60);
    assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, 60);
}
