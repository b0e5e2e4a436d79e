//! Checks commands that people tick in a document and `dn run` carries out.

use demarche_numerique::sandbox::grist::{Grist, Row};
use demarche_numerique::sandbox::world::Demandeur;
use demarche_numerique::sandbox::{Fault, FaultPlan};
use serde_json::{Value, json};

use super::harness::{DOSSIERS, GristHarness};
use crate::cli::harness::DEMARCHE;
use crate::cli::workers::Worker;

/// The table of commands.
const TABLE: &str = "Dn_commandes";
/// A tick that does not come while the tests run.
const NEW_YEAR: &str = "0 0 1 1 *";

pub(super) fn configure(harness: &GristHarness, target: &str, run: &str, demarche: &str) {
    let (url, document) = (harness.url(), &harness.document);
    harness.base.write(
        "dn.toml",
        &format!(
            "[instances.dn]\n[targets.equipe]\ntype = 'grist'\nurl = '{url}'\ndocument = '{document}'\n{target}\n\
             [run]\nschedule = '{NEW_YEAR}'\njitter = '0s'\n{run}\n[[demarches]]\nnumber = {DEMARCHE}\n{demarche}\n"
        ),
    );
}

pub(super) fn start(harness: &GristHarness) -> Worker {
    Worker::start(&harness.base, &["--config", "dn.toml", "run"], &[("GRIST_API_KEY", Grist::OWNER)])
}

/// A document whose people may ask, and the program that reads what they ask.
async fn offered(target: &str) -> (GristHarness, Worker) {
    let harness = GristHarness::with(3).await;
    configure(&harness, target, "grist-poll = '1s'", "");
    let mut worker = start(&harness);
    worker.says("people may ask for runs in the table Commandes").await;
    (harness, worker)
}

pub(super) fn row(harness: &GristHarness) -> Row {
    let mut rows = harness.grist.rows(&harness.document, TABLE);
    assert_eq!(rows.len(), 1, "a démarche has one row: {rows:?}");
    rows.remove(0)
}

/// Ticks boxes as one edit.
fn tick(harness: &GristHarness, boxes: &[&str]) {
    let row = row(harness).id;
    let cells: serde_json::Map<String, Value> = boxes.iter().map(|id| ((*id).to_owned(), json!(true))).collect();
    harness.grist.person(&harness.document).act(json!([["UpdateRecord", TABLE, row, cells]]));
}

/// Waits for the answer, and returns it without the time. Every box is empty again, and no run holds the row.
async fn answer(harness: &GristHarness, worker: &mut Worker) -> String {
    worker.says("the document says what came of it").await;
    let row = row(harness);
    for id in ["synchroniser", "verifier", "relire", "quarantaine", "envoyer"] {
        assert_eq!(row.cell(id), &json!(false), "{id} of {row:?}");
    }
    assert_eq!(row.text("prise"), "");
    row.text("reponse").to_owned()
}

/// Takes the time out of an answer.
fn without_time(answer: &str) -> String {
    let (head, tail) = answer.split_once(" à ").expect("a time");
    format!("{head}{}", &tail[5..])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_in_the_document_starts_a_run_whose_counts_stand_beside_it() {
    let (harness, mut worker) = offered("").await;
    assert_eq!(harness.dossiers().len(), 3);
    harness.base.sandbox.world().submit(DEMARCHE).expect("the démarche exists");
    tick(&harness, &["synchroniser"]);
    let answer = answer(&harness, &mut worker).await;
    assert_eq!(without_time(&answer), "Terminé : 1 dossier nouveau");
    harness.expect_each_dossier_once();
    assert_eq!(harness.dossiers().len(), 4);
    // Nothing is ticked any more, so nothing more is written.
    let before = harness.state();
    let polls = || harness.grist.requests().iter().filter(|request| request.route == "GET tables/records").count();
    let seen = polls();
    while polls() < seen + 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(harness.state(), before);
    assert_eq!(worker.stop().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_is_carried_out_and_answered_in_numbers() {
    let (harness, mut worker) = offered("").await;
    tick(&harness, &["verifier"]);
    let verified = answer(&harness, &mut worker).await;
    assert_eq!(without_time(&verified), "Terminé : 3 dossiers comparés, aucun écart");
    // A row that a person removed is a difference that the comparison counts.
    let gone = harness.dossiers()[0].id;
    harness.grist.person(&harness.document).remove_row(DOSSIERS, gone);
    tick(&harness, &["verifier"]);
    let verified = answer(&harness, &mut worker).await;
    assert!(verified.contains("3 dossiers comparés : 1 "), "{verified}");
    let lists = || {
        let requests = harness.base.sandbox.requests();
        requests.iter().filter(|request| request.operation.as_deref() == Some("ReadDossier")).count()
    };
    let before = lists();
    tick(&harness, &["relire", "verifier"]);
    let both = answer(&harness, &mut worker).await;
    assert!(both.ends_with("3 dossiers comparés, aucun écart"), "{both}");
    assert_eq!(harness.dossiers().len(), 3, "reading everything again brings the row back");
    assert_eq!(lists(), before, "a sweep reads pages");
    tick(&harness, &["quarantaine", "envoyer"]);
    let refused = answer(&harness, &mut worker).await;
    assert!(refused.contains("rien de nouveau"), "{refused}");
    assert!(refused.contains("Refusé : ce document ne prend pas de décisions"), "{refused}");
    assert_eq!(worker.stop().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_demarche_refuses_and_says_so() {
    let harness = GristHarness::with(3).await;
    configure(&harness, "", "grist-poll = '1s'", "");
    let mut worker = start(&harness);
    worker.says("people may ask for runs in the table Commandes").await;
    configure(&harness, "", "grist-poll = '1s'", "paused = true");
    worker.signal("HUP");
    worker.says("the configuration was read again").await;
    tick(&harness, &["synchroniser"]);
    let refused = answer(&harness, &mut worker).await;
    assert_eq!(refused, "Refusé : la synchronisation de cette démarche est en pause");
    assert_eq!(worker.stop().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_killed_at_work_says_at_its_next_start_that_it_was_not_done() {
    let (harness, mut worker) = offered("").await;
    let waits = std::time::Duration::from_secs(600);
    harness.base.sandbox.plan(FaultPlan::new(Fault::Slow(waits)).operation("ListDossiers").times(1));
    let (sender, mut asked) = tokio::sync::mpsc::unbounded_channel();
    harness.base.sandbox.on_request(move |request, _| {
        let _ = sender.send(request.fault.is_some());
    });
    tick(&harness, &["relire"]);
    worker.says("somebody asks in the document: relire").await;
    while !asked.recv().await.expect("the hook lives as long as the sandbox") {}
    let row = row(&harness);
    assert!(row.text("reponse").starts_with("En cours depuis "), "{row:?}");
    assert_eq!(row.cell("relire"), &json!(false), "what is taken is not ticked any more");
    worker.kill().await;
    let worker = start(&harness);
    let told = loop {
        let told = self::row(&harness);
        if told.text("prise").is_empty() {
            break told.text("reponse").to_owned();
        }
        tokio::task::yield_now().await;
    };
    assert!(told.starts_with("Non terminé (Relire tout) : le programme s’est arrêté"), "{told}");
    assert_eq!(worker.stop().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_reads_commands_where_the_configuration_says_so() {
    let harness = GristHarness::with(3).await;
    configure(&harness, "", "grist-poll = '0s'", "");
    let mut worker = start(&harness);
    worker.says("ends: done").await;
    assert_eq!(worker.stop().await.code, Some(0));
    assert!(!harness.grist.person(&harness.document).tables().contains(&TABLE.to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_that_wait_are_sent_by_a_tick_and_a_second_tick_sends_nothing() {
    let harness = GristHarness::with(0).await;
    {
        let mut world = harness.base.sandbox.world();
        let number = world.submit(DEMARCHE).expect("the démarche exists");
        let (nom, prenom) = ("Exemple".to_owned(), "Ariane".to_owned());
        world.set_demandeur(number, Demandeur::PersonnePhysique { civilite: None, nom, prenom });
    }
    let author = "instructeur = 'instructeur-1@example.org'";
    configure(&harness, "decisions = true", "grist-poll = '1s'", author);
    let mut worker = start(&harness);
    worker.says("people may ask for runs in the table Commandes").await;
    let columns = harness.grist.rows(&harness.document, "_grist_Tables_column");
    let column = |title: &str| {
        let found = columns.iter().find(|column| column.text("label") == title);
        found.unwrap_or_else(|| panic!("no column is called {title}")).text("colId").to_owned()
    };
    let dossier = harness.dossiers()[0].id;
    let person = harness.grist.person(&harness.document);
    person.edit(DOSSIERS, dossier, &column("Décision"), json!("Passer en instruction"));
    person.edit(DOSSIERS, dossier, &column("Envoyer"), json!(true));
    tick(&harness, &["envoyer"]);
    let sent = answer(&harness, &mut worker).await;
    assert_eq!(without_time(&sent), "Terminé : décisions : 1 faite");
    let done = || harness.base.sandbox.audit().into_iter().map(|entry| entry.mutation).collect::<Vec<_>>();
    assert_eq!(done(), ["dossierPasserEnInstruction"]);
    tick(&harness, &["envoyer"]);
    let again = answer(&harness, &mut worker).await;
    assert_eq!(without_time(&again), "Terminé : aucune décision à envoyer");
    assert_eq!(done(), ["dossierPasserEnInstruction"]);
    assert_eq!(worker.stop().await.code, Some(0));
}
