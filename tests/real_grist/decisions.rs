//! Compares intents and decisions on the imitation with a real Grist.

use demarche_numerique::Platform;
use demarche_numerique::intent::Status;
use demarche_numerique::sandbox::world::Demandeur;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::{GristSink, MemorySink, Outbox, Sink};
use demarche_numerique::sync::{self, Job};
use demarche_numerique::writeback::{Push, push};
use grist_client::{Action, Doc, Repeat, SqlRow};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::document;
use crate::sync_runs::lab::Lab;
use crate::writeback::contract;

const TABLE: &str = "Demarche_1001_dossiers";

#[tokio::test]
async fn an_outbox_in_a_document_keeps_the_contract() {
    if super::client().is_none() {
        return;
    }
    contract::check(async |part| {
        println!("{part}");
        let (_, doc) = document(part).await.expect("a real Grist is named");
        GristSink::of(doc).open().await.expect("a document")
    })
    .await;
}

async fn open(doc: &Doc) -> GristSink {
    GristSink::of(doc.clone()).decisions(true).open().await.expect("a document")
}

async fn row(doc: &Doc, number: u32) -> SqlRow {
    let rows = doc.records(TABLE, &[("number", vec![json!(number)])]).await.expect("rows");
    rows.into_iter().next().expect("its row")
}

#[tokio::test]
async fn a_tick_is_sent_once_and_told() {
    let Some((_, doc)) = document("decisions").await else { return };
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(6);
    let lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, MemorySink::default()).await;
    for number in lab.sandbox.snapshot(DEMARCHE_COMPLETE).dossiers.into_keys() {
        // Nothing is decided before the register has told who asks.
        let known = Demandeur::PersonneMorale { siret: "99999999999999".to_owned(), enriched: true };
        lab.sandbox.world().set_demandeur(number, known);
    }
    let sink = open(&doc).await;
    let run = lab.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    sink.close().await.expect("a clean end");

    let truth = lab.sandbox.snapshot(DEMARCHE_COMPLETE).dossiers;
    let (number, truth) = truth.iter().find(|(_, truth)| truth.state.as_str() == "en_construction").expect("one");
    let form = lab.client.demarche(lab.scope.demarche).await.expect("a démarche");
    let groupe = form.groupes_instructeurs.iter().find(|groupe| groupe.number.get() == truth.groupe);
    let agent = &groupe.and_then(|groupe| groupe.instructeurs.first()).expect("a member").email;
    let before = row(&doc, *number).await;
    let score = before.keys().find(|column| column.starts_with("a_ecrire_") && column.ends_with("score"));
    let score = score.expect("an annotation of numbers").clone();
    assert_eq!((&before[&score], &before["envoyer"]), (&Value::Null, &json!(false)), "no zero in a new row");

    let asked = json!({
        "decision": "Accepter", "message_a_l_usager": "Bonjour", (&score): 12, "agent": agent, "envoyer": true,
    });
    let cells: Map<String, Value> = asked.as_object().expect("cells").clone();
    let id = before["id"].as_i64().expect("an id");
    let ask = Action::UpdateRecord { table: TABLE.to_owned(), row: id, values: cells };
    doc.apply(&[ask], Repeat::Never).await.expect("somebody decides");

    let sink = open(&doc).await;
    let taken = sink.take_decisions(&lab.scope, lab.sandbox.now()).await.expect("what is ticked");
    assert_eq!((taken.intents.len(), taken.declined.len()), (3, 0));
    let waiting = row(&doc, *number).await;
    assert_eq!((&waiting["envoyer"], &waiting["suite_donnee"]), (&json!(false), &json!("En attente d’envoi")));
    let sandbox = lab.sandbox.clone();
    let clock = move || sandbox.now();
    let work = Push {
        client: &lab.client,
        outbox: &sink,
        scope: &lab.scope,
        filter: &lab.filter,
        author: None,
        quiet: SignedDuration::ZERO,
        once: false,
        events: &|_| {},
        stop: &lab.stop,
        clock: &clock,
    };
    let job = Job {
        client: &lab.client,
        sink: &sink,
        scope: lab.scope.clone(),
        filter: &lab.filter,
        settings: lab.settings,
        events: &|_| {},
        stop: lab.stop.clone(),
        clock: &clock,
    };
    let pushed = push(&work, &|dossiers| Box::pin(async { Ok(sync::refresh(&job, dossiers).await.map(drop)?) })).await;
    assert_eq!(pushed.expect("a push").count(Status::Done), 3);
    assert_eq!(sink.depth(&lab.scope).await.expect("counts"), [(Status::Done, 3)]);
    assert_eq!(sink.notices(), Vec::<String>::new());
    sink.close().await.expect("a clean end");

    let after = row(&doc, *number).await;
    let told = after["suite_donnee"].as_str().expect("a text");
    assert_eq!(told.lines().filter(|line| line.contains(" le ")).count(), 3, "{told}");
    for column in ["decision", "message_a_l_usager", &score] {
        let empty = [Value::Null, json!("")].contains(&after[column]);
        assert!(empty, "{column}: {}", after[column]);
    }
    assert_eq!(after["state"], "accepte");
    let audit = lab.sandbox.audit();
    let sent = audit.iter().filter(|entry| entry.mutation == "dossierEnvoyerMessage").count();
    assert_eq!(sent, 1);
    println!("left in {}", doc.id().as_str());
}
