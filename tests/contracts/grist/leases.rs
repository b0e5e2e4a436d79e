//! One run at a time, whoever wakes up late.

use demarche_numerique::sink::{GristSink, Sink, SinkError};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Place;
use crate::contracts::look::Look;
use crate::contracts::world::*;

/// Writes into the row in force, as a process of elsewhere would have.
fn held_elsewhere(place: &Place, seen: Timestamp) {
    let lease = place.rows("Dn_baux").pop().expect("a lease");
    for (column, value) in [
        ("hote", json!("ailleurs")),
        ("jeton", json!("autre")),
        ("libre", json!(false)),
        ("vu", json!(seen.to_string())),
    ] {
        place.person().edit("Dn_baux", lease.id, column, value);
    }
}

#[tokio::test]
async fn a_document_is_written_by_one_run_at_a_time() {
    let place = Place::new().await;
    let sink = place.open().await;
    assert!(!GristSink::is_locked(sink.doc().clone()).await.expect("an answer"), "nothing was written");
    let prepared = prepare(&sink, &scope()).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    let error = place.try_open().await.expect_err("another sink of this process holds it");
    let SinkError::Locked { holder: Some(holder), .. } = &error else { panic!("{error}") };
    assert!(holder.contains(&format!("process {}", std::process::id())) && error.hint().is_some(), "{holder}");
    assert!(GristSink::is_locked(sink.doc().clone()).await.expect("an answer"));
    let reader = GristSink::of(sink.doc().clone()).open_read_only().await.expect("readers take no lease");
    assert_eq!(reader.census(&scope(), None, 9).await.expect("an answer").len(), 1);
    sink.close().await.expect("a clean end");
    place.open().await;
}

#[tokio::test]
async fn a_run_that_ended_without_a_word_is_not_waited_for() {
    let place = Place::new().await;
    let sink = place.open().await;
    prepare(&sink, &scope()).await;
    drop(sink);
    place.open().await;

    held_elsewhere(&place, Timestamp::now());
    let error = place.try_open().await.expect_err("it may live");
    assert!(matches!(error, SinkError::Locked { .. }), "{error}");
    held_elsewhere(&place, Timestamp::now() - SignedDuration::from_mins(6));
    let sink = place.open().await;
    let prepared = prepare(&sink, &scope()).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    place.assert_sound();
}

#[tokio::test]
async fn a_run_that_wakes_up_after_another_took_over_writes_nothing() {
    let place = Place::new().await;
    let sleeper = place.open().await;
    let prepared = prepare(&sleeper, &scope()).await;
    sleeper.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    held_elsewhere(&place, Timestamp::now() - SignedDuration::from_mins(6));
    // What moved in the row is not its id, so the sleeper would still be believed: the other one takes it over.
    let other = place.open().await;
    let theirs = prepare(&other, &scope()).await;
    other.commit(&theirs, &batch(2, vec![update(1, "UN")])).await.expect("a commit");
    let before = other.look(&scope()).await;

    let late = batch(3, vec![update(1, "en retard"), insert(2, "deux")]);
    for _ in 0..2 {
        let error = sleeper.commit(&prepared, &late).await.expect_err("a fence");
        assert!(matches!(error, SinkError::Locked { .. }), "{error}");
    }
    assert_eq!(other.look(&scope()).await, before);
    other.commit(&theirs, &batch(4, vec![insert(4, "quatre")])).await.expect("the other one goes on");
    place.assert_sound();
}

#[tokio::test]
async fn of_two_runs_that_begin_together_one_goes_on() {
    let place = Place::new().await;
    let (one, two) = (place.open().await, place.open().await);
    let prepared = prepare(&one, &scope()).await;
    let schema = two.schema(&scope()).await.expect("a schema");
    let plan = creation(layout(&schema.prefix));
    let error = two.prepare(&scope(), &form(), plan).await.expect_err("the document is not new any more");
    assert!(matches!(error, SinkError::Locked { .. }), "{error}");
    one.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    assert_eq!(place.person().tables().iter().filter(|table| table.starts_with("Demarche")).count(), 2);
    place.assert_sound();
}

#[tokio::test]
async fn a_reader_writes_nothing() {
    let place = Place::new().await;
    let reader = GristSink::of(place.doc(demarche_numerique::sandbox::grist::Grist::OWNER));
    let reader = reader.open_read_only().await.expect("a reader of a new document");
    let plan = creation(layout("demarche_12"));
    let error = reader.prepare(&scope(), &form(), plan).await.expect_err("a refusal");
    assert!(matches!(error, SinkError::Unusable { action: "written", .. }), "{error}");
    assert_eq!(place.person().tables(), ["Table1"]);
}
