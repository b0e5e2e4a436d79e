//! Checks reused row ids (Grist traps 6 and 7).

use demarche_numerique::sink::{Sink, SinkError};
use serde_json::json;

use super::fixture::{DOSSIERS, ENFANTS, Fixture, ready};
use crate::contracts::world::*;

traps!(
    trap_6_a_row_that_takes_the_place_of_a_deleted_one_is_not_written_into,
    trap_7_a_document_of_the_past_is_caught_up_with_and_a_run_that_was_at_work_stops,
);

async fn trap_6_a_row_that_takes_the_place_of_a_deleted_one_is_not_written_into(fixture: &Fixture) {
    fixture.fill().await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    assert_eq!(sink.known(&scope(), &[number(1), number(2)]).await.expect("an answer").len(), 2);
    fixture.act(json!([["RemoveRecord", DOSSIERS, 2]])).await;
    let theirs = fixture.act(json!([["AddRecord", DOSSIERS, null, { "nom": "une note" }]])).await;
    assert_eq!(theirs, json!([2]), "Grist gives the id again");
    // What is known is a moment old by now.
    sink.commit(&prepared, &batch(2, vec![update(2, "DEUX")])).await.expect("a commit");
    assert_eq!(fixture.column(DOSSIERS, "nom").await, ["un", "une note", "DEUX"]);
    let parents = fixture.column(ENFANTS, "dossier").await;
    assert_eq!(parents, [json!(1), json!(3), json!(3)], "children find their dossier by its number");
    assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, 2);
}

async fn trap_7_a_document_of_the_past_is_caught_up_with_and_a_run_that_was_at_work_stops(fixture: &Fixture) {
    fixture.fill().await;
    let past = fixture.past().await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    let news = || batch(2, vec![delete(1), insert(4, "quatre")]);
    sink.commit(&prepared, &news()).await.expect("a commit");
    fixture.restore(&past).await;
    let before = fixture.rows(DOSSIERS).await;
    let error =
        sink.commit(&prepared, &batch(3, vec![insert(5, "cinq")])).await.expect_err("its lease is of another time");
    assert!(matches!(error, SinkError::Locked { .. }), "{error}");
    assert_eq!(fixture.rows(DOSSIERS).await, before);
    drop(sink);

    let sink = fixture.open().await;
    let watermark = sink.checkpoint(&scope()).await.expect("an answer").and_then(|checkpoint| checkpoint.watermark);
    assert_eq!(watermark, Some(at(1)), "rows and checkpoint are of one moment");
    let prepared = ready(&sink).await;
    sink.commit(&prepared, &news()).await.expect("the same news");
    assert_eq!(fixture.column(DOSSIERS, "nom").await, ["un", "deux", "quatre"]);
    assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, 2);
    fixture.assert_sound().await;
}
