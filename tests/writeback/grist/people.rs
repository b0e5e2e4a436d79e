//! Edits the columns and tables of decisions, and lets several people work on one document.

use demarche_numerique::Platform;
use demarche_numerique::sandbox::grist::Grist;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::grist::Taken;
use demarche_numerique::sink::{GristSink, MemorySink, Outbox, Sink, SinkError};
use serde_json::{Value, json};

use super::{Office, TABLE};
use crate::contracts::grist::Place;
use crate::sync_runs::lab::Lab;

#[tokio::test]
async fn people_rename_move_and_delete_columns_of_decisions() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    let person = office.place.person();
    person.rename_column(TABLE, "decision", "choix_du_service");
    person.relabel_column(TABLE, "envoyer", "C’est parti");
    person.rename_table(TABLE, "Demandes");
    let row = office.row_in("Demandes", number);
    for (column, value) in [("choix_du_service", json!("Accepter")), ("agent", json!(office.agents[&number]))] {
        person.edit("Demandes", row.id, column, value);
    }
    person.edit("Demandes", row.id, "envoyer", json!(true));
    office.push().await;
    assert_eq!(office.done(number), ["dossierAccepter"]);
    assert!(office.row_in("Demandes", number).text("suite_donnee").starts_with("Accepté le"));

    let other = office.dossier("en_construction");
    person.remove_column("Demandes", "choix_du_service");
    person.remove_column("Demandes", "suite_donnee");
    let notices = office.sync().await;
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices[0].contains("“Décision” of Demandes was deleted"), "{notices:?}");
    let row = office.row_in("Demandes", other);
    for (column, value) in [("message_a_l_usager", json!("Bonjour")), ("agent", json!(office.agents[&other]))] {
        person.edit("Demandes", row.id, column, value);
    }
    person.edit("Demandes", row.id, "envoyer", json!(true));
    office.push().await;
    assert_eq!(office.done(other), ["dossierEnvoyerMessage"], "the other columns go on");
    let sink = GristSink::of(office.place.doc(Grist::OWNER)).decisions(true).restore_columns(true).open().await;
    let sink = sink.expect("a document");
    let run = office.lab.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    sink.close().await.expect("a clean end");
    assert!(person.columns("Demandes").contains(&"decision".to_owned()));
}

#[tokio::test]
async fn columns_of_decisions_are_there_when_they_are_asked_for_and_new_rows_have_no_zeros() {
    let office = Office::new().await;
    let columns = office.place.person().columns(TABLE);
    let place = |id: &str| columns.iter().position(|column| column == id).expect("a column");
    assert!(place("decision") < place("motivation_a_envoyer") && place("agent") < place("envoyer"));
    assert!(place("suite_donnee") < place("dn_gone_reason"), "before the technical ones: {columns:?}");
    let decision = office.place.person().column(TABLE, "decision");
    assert!(decision.text("widgetOptions").contains("Classer sans suite"));
    assert!(decision.text("widgetOptions").contains("fillColor"));
    let score = office.column("À écrire : Score");
    assert_eq!(office.place.person().column(TABLE, &score).text("type"), "Int");
    for row in office.place.rows(TABLE) {
        assert_eq!(row.cell(&score), &Value::Null, "an answer that nobody gave");
        assert_eq!(row.cell("envoyer"), &json!(false));
    }
    let plain = Place::new().await;
    let run = office.lab.run_into(&plain.open().await).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    assert!(!plain.person().columns(TABLE).contains(&"envoyer".to_owned()));
    assert!(plain.person().tables().iter().all(|table| !table.contains("envois")));
    // Asked for later, they come to the rows that are there, and a second run changes nothing.
    let sink = GristSink::of(plain.doc(Grist::OWNER)).decisions(true).open().await.expect("a document");
    let run = office.lab.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    sink.close().await.expect("a clean end");
    let columns = plain.person().columns(TABLE);
    for row in plain.rows(TABLE) {
        assert_eq!(row.cell(&score), &Value::Null);
    }
    let sink = GristSink::of(plain.doc(Grist::OWNER)).decisions(true).open().await.expect("a document");
    office.lab.run_into(&sink).await;
    sink.close().await.expect("a clean end");
    assert_eq!(plain.person().columns(TABLE), columns);
}

#[tokio::test]
async fn a_line_that_is_deleted_in_the_list_of_sendings_is_told_and_sent_once() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Message à l’usager", json!("Bonjour"))]);
    let sink = office.try_open().await.expect("a document");
    let taken = sink.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await.expect("taken");
    for row in office.place.rows("Dn_envois") {
        office.place.person().remove_row("Dn_envois", row.id);
    }
    sink.begin(&office.lab.scope).await.expect("a beginning");
    assert!(sink.notices().iter().any(|notice| notice.contains("still to be sent")));
    sink.end(&office.lab.scope).await.expect("an end");
    sink.close().await.expect("a clean end");
    assert_eq!(office.place.rows("Dn_envois").len(), 1);
    office.push().await;
    for table in ["Dn_envois", "Dn_journal"] {
        for row in office.place.rows(table) {
            office.place.person().remove_row(table, row.id);
        }
    }
    let sink = office.try_open().await.expect("a document");
    let again = sink.put(&office.lab.scope, &taken.intents, office.lab.sandbox.now()).await.expect("known");
    assert_eq!((again.new, again.known), (0, 1), "what people delete there is not what is believed");
    sink.close().await.expect("a clean end");
    office.push().await;
    assert_eq!(office.done(number), ["dossierEnvoyerMessage"]);
}

#[tokio::test]
async fn nothing_is_sent_while_a_row_that_is_believed_is_missing_or_edited() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Message à l’usager", json!("Bonjour"))]);
    let sink = office.try_open().await.expect("a document");
    let taken = sink.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await.expect("taken");
    sink.close().await.expect("a clean end");
    let whole = office.place.grist.snapshot(&office.place.document);
    let row = office.place.rows("Dn_intentions").remove(0);

    office.place.person().remove_row("Dn_intentions", row.id);
    let error = office.try_push().await.expect_err("a row is gone");
    assert!(error.to_string().contains("1 rows of Dn_intentions were deleted"), "{error}");
    let sink = office.try_open().await.expect("a document");
    let error = sink.put(&office.lab.scope, &taken.intents, office.lab.sandbox.now()).await.expect_err("a row is gone");
    assert!(matches!(error, SinkError::Altered { .. }), "{error}");
    sink.close().await.expect("a clean end");

    office.place.grist.restore(&office.place.document, &whole);
    office.place.person().edit("Dn_intentions", row.id, "valeur", json!("t:{}"));
    let error = office.try_push().await.expect_err("a row was edited");
    assert!(error.to_string().contains("row 1 of Dn_intentions was edited"), "{error}");

    office.place.grist.restore(&office.place.document, &whole);
    office.place.person().remove_table("Dn_intentions");
    let error = office.try_push().await.expect_err("the table is gone");
    assert!(error.to_string().contains("the table Dn_intentions is missing"), "{error}");
    assert!(office.done(number).is_empty());

    office.place.grist.restore(&office.place.document, &whole);
    office.push().await;
    assert_eq!(office.done(number), ["dossierEnvoyerMessage"]);
}

#[tokio::test]
async fn of_two_pushes_one_works() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Message à l’usager", json!("Bonjour"))]);
    let (first, second) = (office.try_open().await.expect("a document"), office.try_open().await.expect("a document"));
    first.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await.expect("taken");
    first.begin(&office.lab.scope).await.expect("a beginning");
    let error = second.begin(&office.lab.scope).await.expect_err("held");
    assert!(matches!(error, SinkError::Locked { .. }), "{error}");
    let late = second.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await;
    assert_eq!(late.expect("nothing is ticked"), Taken::default());
    first.end(&office.lab.scope).await.expect("an end");
    first.close().await.expect("a clean end");
    drop(second);
    let third = office.try_open().await.expect("the lease is free");
    third.begin(&office.lab.scope).await.expect("a beginning");
    third.end(&office.lab.scope).await.expect("an end");
    third.close().await.expect("a clean end");
}

#[tokio::test]
async fn two_demarches_of_a_document_decide_apart() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    let spec = WorldSpec::new(Platform::DematSocial).only(&[DEMARCHE_COMPLETE]).dossiers(3);
    let mut other = Lab::with_sink(spec, DEMARCHE_COMPLETE, MemorySink::default()).await;
    other.scope.instance = "autre".to_owned();
    let sink = office.try_open().await.expect("a document");
    let run = other.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    office.ask(number, &[("Message à l’usager", json!("Bonjour"))]);
    let now = office.lab.sandbox.now();
    assert_eq!(sink.take_decisions(&other.scope, now).await.expect("none"), Taken::default());
    assert_eq!(sink.depth(&other.scope).await.expect("none"), []);
    sink.close().await.expect("a clean end");
    office.push().await;
    assert_eq!(office.done(number), ["dossierEnvoyerMessage"]);
    let tables = office.place.person().tables();
    let outboxes = tables.iter().filter(|table| table.starts_with("Dn_envois")).count();
    assert_eq!(outboxes, 1, "one for the document: {tables:?}");
}
