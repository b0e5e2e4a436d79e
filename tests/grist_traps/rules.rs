//! Checks keys with restricted rights (Grist traps 20, 28 and 31).

use demarche_numerique::sink::{GristSink, Sink, SinkError};
use serde_json::json;

use super::fixture::{DOSSIERS, Fixture, Rules, ready};
use super::proxy::Fault;
use crate::contracts::world::*;

traps!(
    trap_20_rows_that_a_rule_hides_are_not_added_again,
    trap_28_a_document_that_was_just_shared_opens,
    trap_31_a_rule_that_closes_sql_changes_nothing_and_one_that_hides_is_told,
);

/// The document in the hands of an editor; `None` where there is nobody else.
async fn edited(fixture: &Fixture) -> Option<GristSink> {
    let guest = fixture.guest()?;
    fixture.fill().await;
    fixture.share().await;
    let doc = guest.build().expect("a client").doc(fixture.id.clone());
    Some(GristSink::of(doc).open().await.expect("a document that was shared"))
}

async fn trap_20_rows_that_a_rule_hides_are_not_added_again(fixture: &Fixture) {
    let Some(sink) = edited(fixture).await else { return };
    let prepared = ready(&sink).await;
    fixture.rule(Rules::Rows).await;
    let before = fixture.rows(DOSSIERS).await;
    // Where it cannot see a row it must not think that there is none.
    for change in [insert(2, "DEUX"), update(2, "DEUX"), insert(4, "quatre")] {
        let error = sink.commit(&prepared, &batch(2, vec![change])).await.expect_err("a rule stands against it");
        assert!(matches!(&error, SinkError::Unusable { .. }), "{error}");
    }
    assert_eq!(fixture.rows(DOSSIERS).await, before);
    fixture.lift_rules().await;
    let prepared = ready(&sink).await;
    sink.commit(&prepared, &batch(2, vec![update(2, "DEUX")])).await.expect("the rule is lifted");
    assert_eq!(fixture.column(DOSSIERS, "nom").await, ["un", "DEUX"]);
}

async fn trap_28_a_document_that_was_just_shared_opens(fixture: &Fixture) {
    let Some(guest) = fixture.guest() else { return };
    fixture.fill().await;
    // At its usual pace the client waits longer than Grist remembers.
    let pace = std::time::Duration::from_millis(if fixture.is_real() { 500 } else { 0 });
    let guest = guest.retry_base(pace).build().expect("a client");
    let refused = guest.doc(fixture.id.clone()).info().await.expect_err("nothing is shared yet");
    assert_eq!(refused.kind(), "forbidden");
    fixture.share().await;
    if !fixture.is_real() {
        // The fake forgets at once.
        fixture.proxy.fail(Fault::Answer(403, r#"{"error":"No view access"}"#), 1, |_| true);
    }
    let before = guest.stats();
    let doc = guest.doc(fixture.id.clone());
    let sink = GristSink::of(doc).open().await.expect("a document that was shared a moment ago");
    assert_eq!(guest.stats().retries - before.retries, 1);
    assert_eq!(sink.census(&scope(), None, 9).await.expect("an answer").len(), 2);
}

async fn trap_31_a_rule_that_closes_sql_changes_nothing_and_one_that_hides_is_told(fixture: &Fixture) {
    let Some(sink) = edited(fixture).await else { return };
    sink.close().await.expect("a clean end");
    fixture.rule(Rules::Structure).await;
    let doc = fixture.guest().expect("the editor").build().expect("a client").doc(fixture.id.clone());
    let refused = doc.sql("select 1", &[]).await.expect_err("SQL is closed");
    assert_eq!(refused.kind(), "no_sql");
    let sink = GristSink::of(doc).open().await.expect("the document");
    let prepared = ready(&sink).await;
    let changes = vec![update(2, "DEUX"), delete(1), insert(4, "quatre")];
    sink.commit(&prepared, &batch(2, changes)).await.expect("rows may still be written");
    assert_eq!(fixture.column(DOSSIERS, "nom").await, ["un", "DEUX", "quatre"]);
    let known = sink.known(&scope(), &[1, 2, 3, 4].map(number)).await.expect("an answer");
    assert_eq!(known.values().filter(|known| known.gone.is_none()).count(), 2);

    fixture.rule(Rules::Rows).await;
    let error = sink.commit(&prepared, &batch(3, vec![insert(5, "cinq")])).await.expect_err("a rule stands against it");
    assert!(matches!(&error, SinkError::Unusable { .. }) && error.to_string().contains("access rule"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("rule")), "{:?}", error.hint());
    assert_eq!(fixture.column(DOSSIERS, "number").await, [json!(1), json!(2), json!(4)]);
}
