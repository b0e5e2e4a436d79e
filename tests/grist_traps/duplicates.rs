//! Checks that no row is written twice (Grist traps 13, 14 and 17 to 19).

use demarche_numerique::plan::Change;
use demarche_numerique::sink::{Sink, SinkError};
use futures_util::future::join_all;
use grist_client::{Action, GristError, OnMany};
use serde_json::{Map, Value, json};

use super::fixture::{DOSSIERS, Fixture, again, ready};
use super::proxy::Fault;
use crate::contracts::world::*;

traps!(
    trap_13_of_four_runs_that_begin_together_one_writes,
    trap_13_a_question_that_fails_is_not_taken_for_an_empty_answer,
    trap_14_a_bundle_whose_answer_was_lost_is_applied_once,
    trap_14_a_bundle_that_arrives_late_is_not_taken_for_another,
    trap_17_a_key_that_a_person_retyped_stops_the_run_or_is_still_found,
    trap_18_a_key_that_is_a_text_among_numbers_is_read_as_one,
    trap_19_keys_that_the_engine_takes_for_one_never_go_in_one_upsert,
);

async fn trap_13_of_four_runs_that_begin_together_one_writes(fixture: &Fixture) {
    let run = async || {
        let sink = fixture.try_open().await?;
        let prefix = sink.schema(&scope()).await?.prefix;
        let prepared = sink.prepare(&scope(), &form(), creation(layout(&prefix))).await?;
        sink.known(&scope(), &[number(1)]).await?;
        sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await?;
        Ok(sink)
    };
    let ended: Vec<Result<_, SinkError>> = join_all((0..4).map(|_| run())).await;
    let locked = |ended: &Result<_, SinkError>| matches!(ended, Err(SinkError::Locked { .. }));
    let (held, done) = (ended.iter().filter(|ended| locked(ended)).count(), ended.iter().filter(|e| e.is_ok()).count());
    assert_eq!((held, done), (3, 1), "{:?}", ended.iter().filter_map(|e| e.as_ref().err()).collect::<Vec<_>>());
    assert_eq!(fixture.column(DOSSIERS, "number").await, [1, 2]);
    fixture.assert_sound().await;
}

async fn trap_13_a_question_that_fails_is_not_taken_for_an_empty_answer(fixture: &Fixture) {
    fixture.fill().await;
    let refusals = [
        Fault::Cut,
        Fault::Answer(500, "{}"),
        Fault::Answer(503, r#"{"error":"Document in flux - try again later"}"#),
        Fault::Answer(429, r#"{"error":"Exceeded daily limit for document"}"#),
        Fault::Answer(200, "<html>"),
    ];
    for refusal in refusals {
        let sink = fixture.open().await;
        let prepared = ready(&sink).await;
        fixture.proxy.forget();
        fixture.proxy.fail(refusal, usize::MAX, |asked| !asked.writes());
        assert!(sink.known(&scope(), &[number(1)]).await.is_err(), "{refusal:?}");
        sink.commit(&prepared, &batch(2, vec![insert(1, "un"), insert(4, "quatre")])).await.expect_err("no answer");
        assert!(fixture.proxy.writes().is_empty(), "{refusal:?}");
        fixture.proxy.mend();
    }
    assert_eq!(fixture.column(DOSSIERS, "number").await, [1, 2]);
}

async fn trap_14_a_bundle_whose_answer_was_lost_is_applied_once(fixture: &Fixture) {
    let sink = fixture.open().await;
    fixture.proxy.fail_a_write(Fault::LoseAnswer);
    let prepared = prepare(&sink, &scope()).await;
    for of in 1..=5 {
        fixture.proxy.fail_a_write(if of % 2 == 0 { Fault::LoseAnswer } else { Fault::Cut });
        let receipt = sink.commit(&prepared, &batch(i64::from(of), vec![insert(of, "un")])).await.expect("a commit");
        assert_eq!(receipt.events, 1);
    }
    assert_eq!(fixture.column(DOSSIERS, "number").await, [1, 2, 3, 4, 5]);
    let bundles = fixture.proxy.writes();
    let lost = bundles.iter().filter(|asked| asked.status == 0).count();
    assert_eq!(lost, 6, "each was lost once");
    fixture.assert_sound().await;
}

async fn trap_14_a_bundle_that_arrives_late_is_not_taken_for_another(fixture: &Fixture) {
    fixture.fill().await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    for given_up in [4, 7] {
        fixture.proxy.fail(Fault::Late, usize::MAX, super::proxy::RecordedRequest::writes);
        let error = sink
            .commit(&prepared, &batch(i64::from(given_up), vec![insert(given_up, "tard")]))
            .await
            .expect_err("it is on its way");
        assert!(matches!(error, SinkError::Unavailable { .. }), "{error}");
        fixture.proxy.mend();
        assert!(fixture.proxy.deliver().await > 1, "it was sent more than once, and arrives once");
        let next = batch(i64::from(given_up) + 1, vec![insert(given_up + 1, "à temps")]);
        assert_eq!(sink.commit(&prepared, &next).await.expect("a commit").events, 1);
    }
    assert_eq!(fixture.column(DOSSIERS, "number").await, [1, 2, 4, 5, 7, 8]);
    assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, 6);
    fixture.assert_sound().await;
}

async fn trap_17_a_key_that_a_person_retyped_stops_the_run_or_is_still_found(fixture: &Fixture) {
    fixture.fill().await;
    let retype = async |kind: &str| fixture.act(json!([["ModifyColumn", DOSSIERS, "number", { "type": kind }]])).await;
    for kind in ["Date", "Text"] {
        retype(kind).await;
        let before = fixture.state_number().await;
        let sink = fixture.open().await;
        let error = again(&sink, layout("demarche_12")).await.expect_err("a key is looked up by its value");
        assert!(
            matches!(&error, SinkError::Altered { .. }) && error.to_string().contains("column number is"),
            "{error}"
        );
        assert!(error.hint().is_some());
        assert_eq!(fixture.state_number().await, before);
        drop(sink);
        retype("Int").await;
    }
    // A number with a fraction is a number too.
    retype("Numeric").await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    sink.commit(&prepared, &batch(2, vec![update(2, "DEUX"), insert(4, "quatre")])).await.expect("a commit");
    assert_eq!(fixture.column(DOSSIERS, "nom").await, ["un", "DEUX", "quatre"]);
    fixture.assert_sound().await;
}

async fn trap_18_a_key_that_is_a_text_among_numbers_is_read_as_one(fixture: &Fixture) {
    fixture.fill().await;
    fixture.act(json!([["UpdateRecord", DOSSIERS, 2, { "number": "n° 2" }]])).await;
    let rows = fixture.doc().sql(&format!("SELECT number FROM {DOSSIERS} ORDER BY id"), &[]).await.expect("rows");
    assert_eq!(rows.iter().map(|row| &row["number"]).collect::<Vec<_>>(), [&json!(1), &json!("n° 2")]);

    // The row is not the dossier's any more: it comes again, beside what the person wrote, and only once.
    for turn in 2..4 {
        let sink = fixture.open().await;
        let known = sink.known(&scope(), &[number(1), number(2)]).await.expect("an answer");
        let prepared = ready(&sink).await;
        let change = if known.contains_key(&number(2)) { update(2, "deux") } else { insert(2, "deux") };
        sink.commit(&prepared, &batch(turn, vec![change])).await.expect("a commit");
        sink.close().await.expect("a clean end");
    }
    assert_eq!(fixture.column(DOSSIERS, "number").await, [json!(1), json!("n° 2"), json!(2)]);
    fixture.assert_sound().await;
}

async fn trap_19_keys_that_the_engine_takes_for_one_never_go_in_one_upsert(fixture: &Fixture) {
    fixture.act(json!([["AddTable", "Essais", [{ "id": "cle", "type": "Any", "isFormula": false }]]])).await;
    let row = |key: &Value| Map::from_iter([("cle".to_owned(), key.clone())]);
    let pairs = [
        ([json!("a"), json!("a")], false),
        ([json!(1), json!(1.0)], false),
        ([json!(1), json!(true)], false),
        ([json!(1), json!("1")], true),
    ];
    for (pair, taken) in pairs {
        let raw = json!([["BulkAddOrUpdateRecord", "Essais", { "cle": &pair }, {}, {}]]);
        let (status, answer) = fixture.send("POST", "apply?noparse=1", Some(raw)).await;
        assert_eq!(status == 200, taken, "{pair:?}: {answer}");
        let ours = Action::upserts("Essais", &["cle"], pair.iter().map(row), OnMany::First);
        assert_eq!(ours.is_ok(), taken, "{pair:?}: as the engine decides, before anything is sent");
        assert!(taken || matches!(ours, Err(GristError::KeysRepeat)), "{ours:?}");
    }
    // A batch that names a dossier twice is refused whole.
    fixture.fill().await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    fixture.proxy.forget();
    let twice = batch(2, vec![insert(4, "quatre"), Change::Present(crate::contracts::world::row(4, "QUATRE"))]);
    let error = sink.commit(&prepared, &twice).await.expect_err("a refusal");
    assert!(matches!(error, SinkError::Refused { .. }), "{error}");
    assert!(fixture.proxy.writes().is_empty());
}
