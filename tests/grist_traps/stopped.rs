//! Checks slow and stopped documents (Grist traps 25, 30 and 37).

use demarche_numerique::plan::Change;
use demarche_numerique::sink::{Sink, SinkError};
use demarche_numerique::table::{Cell, CellKind};
use serde_json::json;

use super::fixture::{DOSSIERS, Fixture, again, ready};
use super::proxy::Fault;
use crate::contracts::world::*;

traps!(
    trap_25_what_an_answer_means_is_told_by_its_words_and_not_by_its_status,
    trap_30_a_column_that_takes_no_values_any_more_costs_no_dossier,
    trap_37_a_change_of_many_columns_that_was_not_heard_of_is_not_made_twice,
);

/// The answer of Grist after its data engine was killed.
const DEAD: &str = r#"{"error":"Error manipulating data: [Sandbox] PipeToSandbox is closed: [INFO] Ready"}"#;

async fn trap_25_what_an_answer_means_is_told_by_its_words_and_not_by_its_status(fixture: &Fixture) {
    fixture.fill().await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    if fixture.is_real() {
        let kill = "import os, signal\nif $coup:\n  os.kill(os.getpid(), signal.SIGKILL)\nreturn 0";
        fixture
            .act(json!([
                ["AddTable", "Coups", [{ "id": "coup", "type": "Bool", "isFormula": false }]],
                ["AddVisibleColumn", "Coups", "effet", { "isFormula": true, "formula": kill }],
            ]))
            .await;
        let blow = json!([["AddRecord", "Coups", null, { "coup": true }]]);
        let (status, answer) = fixture.send("POST", "apply", Some(blow)).await;
        assert!([400, 500].contains(&status) && answer.to_string().contains("Sandbox is closed"), "{answer}");
    } else {
        fixture.proxy.fail_a_write(Fault::Answer(400, DEAD));
    }
    fixture.proxy.forget();
    sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect("the document is opened again");
    assert!(fixture.proxy.asked().iter().any(|asked| asked.path.ends_with("/force-reload")));
    assert_eq!(fixture.column(DOSSIERS, "nom").await, ["un", "deux", "quatre"]);

    // A 500 that is a decision is asked once.
    fixture.proxy.forget();
    let nowhere = grist_client::Action::Raw(json!(["UpdateRecord", DOSSIERS, 1, { "absente": 1 }]));
    let error = fixture.doc().apply(&[nowhere], grist_client::Repeat::Safe).await.expect_err("no column");
    assert_eq!(error.kind(), "no_column");
    let asked = fixture.proxy.asked();
    assert_eq!((asked.len(), asked[0].status), (1, 500));
}

async fn trap_30_a_column_that_takes_no_values_any_more_costs_no_dossier(fixture: &Fixture) {
    fixture.fill().await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    // While the run is at work: one column becomes a formula, another goes.
    fixture
        .act(json!([
            ["ModifyColumn", DOSSIERS, "nom", { "isFormula": true, "formula": "'dossier ' + str(int($number))" }],
        ]))
        .await;
    let many = (3..=1_000).map(|of| insert(of, "un")).collect();
    sink.commit(&prepared, &batch(2, many)).await.expect("the other columns");
    fixture.act(json!([["RemoveColumn", DOSSIERS, "effectif"]])).await;
    sink.commit(&prepared, &batch(3, vec![insert(1_001, "un"), update(1, "UN")])).await.expect("the others");
    let sent = fixture.proxy.writes().len();
    assert!(sent < 20, "{sent} writes: not row by row");
    let choices = fixture.column(DOSSIERS, "choix").await;
    assert!(choices.len() == 1_001 && choices.iter().all(|choice| choice == "l'un"), "{}", choices.len());
    sink.close().await.expect("a clean end");

    let sink = fixture.open().await;
    ready(&sink).await;
    let notices = sink.notices();
    assert!(notices.iter().any(|notice| notice.contains("is a formula now")), "{notices:?}");
    assert!(
        notices.iter().any(|notice| notice.contains("“Effectif”") && notice.contains("was deleted")),
        "{notices:?}"
    );
    fixture.assert_sound().await;
}

async fn trap_37_a_change_of_many_columns_that_was_not_heard_of_is_not_made_twice(fixture: &Fixture) {
    fixture.fill().await;
    let before = fixture.columns(DOSSIERS).await.len();
    let mut form = layout("demarche_12");
    form.tables[0]
        .columns
        .extend((0..50).map(|id| column(100 + id, &format!("q{id}"), &format!("Question {id}"), CellKind::Text)));
    // The first run dies after its request: the next one sees what became of it.
    let sink = fixture.open().await;
    fixture.proxy.die_at_a_write(Fault::LoseAnswer);
    let error = again(&sink, form.clone()).await.expect_err("the network is gone");
    assert!(matches!(error, SinkError::Unavailable { .. }), "{error}");
    fixture.proxy.mend();
    drop(sink);
    assert_eq!(fixture.columns(DOSSIERS).await.len(), before + 50, "they are made in one request");

    let sink = fixture.open().await;
    fixture.proxy.fail_a_write(Fault::LoseAnswer);
    let prepared = again(&sink, form).await.expect("they are found");
    let mut answers = row(4, "quatre");
    answers.cells.extend((0..50).map(|id| Cell::Text(format!("réponse {id}"))));
    sink.commit(&prepared, &batch(2, vec![Change::Present(answers)])).await.expect("a commit");
    let columns = fixture.columns(DOSSIERS).await;
    assert_eq!(columns.len(), before + 50, "{columns:?}");
    let row = fixture.rows(DOSSIERS).await.pop().expect("the dossier");
    for id in 0..50 {
        assert_eq!(row[&format!("q{id}")], format!("réponse {id}"));
    }
}
