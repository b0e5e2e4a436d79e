//! Keys that may do less, and documents that are not there.

use demarche_numerique::plan::SchemaPlan;
use demarche_numerique::sandbox::grist::{AccessRules, Fault, FaultPlan, Grist, Role};
use demarche_numerique::sink::{GristSink, Sink, SinkError};
use grist_client::{Client, DocId};

use super::Place;
use crate::contracts::sink::check;
use crate::contracts::world::*;

#[tokio::test]
async fn the_contract_holds_for_an_editor_to_whom_rules_close_sql() {
    let places = std::sync::Mutex::new(Vec::new());
    check(async |_| {
        let place = Place::new().await;
        place.grist.add_key("editeur", Some(Role::Editor));
        place.grist.set_rules(&place.document, AccessRules { any: true, ..AccessRules::default() });
        let sink = GristSink::of(place.doc("editeur")).open().await.expect("a document");
        places.lock().expect("no panic").push(place);
        sink
    })
    .await;
    for place in places.into_inner().expect("no panic") {
        place.assert_sound();
        let sql = place.grist.count_by_route().get("POST sql").map_or(0, |count| count.requests);
        assert_eq!(sql, 1, "it is asked for once");
    }
}

#[tokio::test]
async fn a_key_that_may_not_write_is_told_so() {
    let place = Place::new().await;
    place.grist.add_key("lectrice", Some(Role::Viewer));
    let sink = GristSink::of(place.doc("lectrice")).open().await.expect("it may read");
    let plan = creation(layout(&sink.schema(&scope()).await.expect("a schema").prefix));
    let error = sink.prepare(&scope(), &form(), plan).await.expect_err("a refusal");
    assert!(matches!(&error, SinkError::Unusable { .. }) && error.to_string().contains("No write access"), "{error}");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn a_wrong_key_and_an_unknown_document_are_told() {
    let place = Place::new().await;
    for (key, words) in [("une-autre", "does not accept the key"), ("sans-droits", "refuses access")] {
        place.grist.add_key("sans-droits", None);
        let error = GristSink::of(place.doc(key)).open().await.expect_err("a refusal");
        assert!(matches!(&error, SinkError::Unusable { .. }) && error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains(key), "{error}");
    }
    let server = place.grist.serve_locally().await.expect("a free port");
    let client = Client::builder(server.url()).key(Grist::OWNER).retry_base(std::time::Duration::ZERO).build();
    let doc = client.expect("a client").doc(DocId::parse("unknownDocument0000000").expect("an id"));
    let error = GristSink::of(doc).open().await.expect_err("there is none");
    assert!(error.to_string().contains("does not know the document"), "{error}");
}

#[tokio::test]
async fn a_document_that_is_away_is_told_and_nothing_is_lost() {
    let place = Place::new().await;
    let sink = place.open().await;
    let prepared = prepare(&sink, &scope()).await;
    for fault in [Fault::in_flux(), Fault::engine_died(), Fault::too_many(&place.document), Fault::CloseBefore] {
        place.grist.plan(FaultPlan::new(fault.clone()));
        let error = sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect_err("it is away");
        assert!(matches!(&error, SinkError::Unavailable { .. }), "{fault:?}: {error}");
        assert!(!error.to_string().contains("un\""), "{error}");
        place.grist.clear_faults();
    }
    place.grist.fault(Fault::delete_only());
    let error = sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect_err("it takes no rows");
    assert!(matches!(&error, SinkError::Unusable { .. }), "{error}");
    sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("it is back");
    assert_eq!(place.rows("Dn_dossiers").len(), 1);
    place.assert_sound();
}

#[tokio::test]
async fn a_column_that_a_rule_hides_is_not_told_as_deleted() {
    let place = Place::new().await;
    let sink = place.open().await;
    let prepared = prepare(&sink, &scope()).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    sink.close().await.expect("a clean end");
    place.grist.add_key("editeur", Some(Role::Editor));
    let hide = |table: &str, column: &str| {
        let hidden = [(table.to_owned(), column.to_owned())].into();
        place.grist.set_rules(&place.document, AccessRules { hidden, ..AccessRules::default() });
    };
    let again = || SchemaPlan { layout: layout("demarche_12"), changes: Vec::new() };
    hide("Demarche_12_dossiers", "nom");
    let sink = GristSink::of(place.doc("editeur")).open().await.expect("a document");
    assert!(sink.hidden().await.expect("an answer")[0].contains("of Demarche_12_dossiers"));
    sink.prepare(&scope(), &form(), again()).await.expect("the same tables");
    let notices = sink.notices();
    assert!(notices.len() == 1 && notices[0].contains("an access rule hides it"), "{notices:?}");
    sink.close().await.expect("a clean end");
    // A column without which nothing is found.
    hide("Demarche_12_dossiers", "number");
    let sink = GristSink::of(place.doc("editeur")).open().await.expect("a document");
    let error = sink.prepare(&scope(), &form(), again()).await.expect_err("a key is needed");
    assert!(error.to_string().contains("an access rule hides it"), "{error}");
    sink.close().await.expect("a clean end");
    // Nothing of it was remembered: to an owner all of it is there.
    let sink = place.open().await;
    let prepared = sink.prepare(&scope(), &form(), again()).await.expect("the same tables");
    assert_eq!((sink.notices().len(), prepared.owes_remap()), (0, false));
}
