//! Checks history, purge, locale and keys of a document (Grist traps 32, 33, 36 and 40).

use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::{GristSink, MemorySink, Sink};
use serde_json::{Value, json};

use super::fixture::{DOSSIERS, Fixture, ready};
use crate::cli::harness::{DEMARCHE, Harness, end};
use crate::contracts::world::*;
use crate::sync_runs::lab::Lab;

traps!(
    trap_32_runs_without_news_leave_the_history_to_people,
    trap_33_the_documented_purge_forgets_what_cells_held,
    trap_36_a_document_that_we_make_is_french_and_empty,
    trap_40_the_key_is_in_the_header_alone,
);

async fn trap_32_runs_without_news_leave_the_history_to_people(fixture: &Fixture) {
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(60);
    let lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, MemorySink::default()).await;
    let run = async || {
        let sink = fixture.open().await;
        let run = lab.run_into(&sink).await;
        assert!(run.error.is_none(), "{:?}", run.error);
        lab.wait_minutes(5);
        run.report
    };
    let first = run().await;
    let bundles = fixture.proxy.writes();
    assert!(first.rows_written > 300 && bundles.len() <= 10, "{} writes: {first:?}", bundles.len());
    let per_row = ["\"AddRecord\",\"Demarche", "\"UpdateRecord\",\"Demarche", "\"AddOrUpdateRecord\""];
    assert!(bundles.iter().all(|asked| per_row.iter().all(|action| !asked.body.contains(action))));
    run().await;
    let before = fixture.state_number().await;
    for _ in 0..3 {
        assert_eq!(run().await.rows_written, 0);
    }
    assert_eq!(fixture.state_number().await, before);
}

async fn trap_33_the_documented_purge_forgets_what_cells_held(fixture: &Fixture) {
    fixture.fill().await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    sink.commit(&prepared, &batch(2, vec![update(1, "masqué")])).await.expect("a commit");
    sink.close().await.expect("a clean end");
    let states = async || fixture.must("GET", "states", None).await["states"].as_array().map_or(0, Vec::len);
    assert!(states().await > 2, "what was there can be read in the history");
    // The words of the page for analysts.
    let page = include_str!("../../docs/grist.md");
    let (_, command) = page.split_once("$ curl -X POST").expect("a command");
    let (command, _) = command.split_once("```").expect("its end");
    let (_, body) = command.split_once("-d '").expect("a body");
    let (body, rest) = body.split_once('\'').expect("its end");
    let path = rest.split_once("/DOCUMENT/").expect("an address").1.trim().trim_end_matches('"');
    let body: Value = serde_json::from_str(body).expect("JSON");
    fixture.must("POST", path, Some(body)).await;
    assert_eq!(states().await, 1);
    assert_eq!(fixture.column(DOSSIERS, "nom").await, ["masqué", "deux"]);
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    sink.commit(&prepared, &batch(3, vec![insert(4, "quatre")])).await.expect("the document is as good as before");
}

async fn trap_36_a_document_that_we_make_is_french_and_empty(fixture: &Fixture) {
    let info = fixture.rows("_grist_DocInfo").await.remove(0);
    assert_eq!(info["timezone"], "UTC", "as Grist makes it");
    assert_eq!(fixture.columns("Table1").await, ["A", "B", "C"]);

    let harness = Harness::with(3).await;
    let (workspace, number) = (fixture.workspace().to_string(), DEMARCHE.to_string());
    let name = format!("dn: made beside {}", fixture.id);
    let flags = ["init", "grist", "--new", &name, "--workspace", &workspace, "--demarche", &number, "--yes"];
    let mut command = harness.command(&flags);
    command.env("GRIST_URL", fixture.proxy.url()).env("GRIST_API_KEY", fixture.key());
    let ended = end(&mut command).await.expect(0);
    let client = fixture.client().build().expect("a client");
    let folders = client.workspaces("current").await.expect("folders");
    let made = folders.iter().flat_map(|folder| &folder.docs).find(|(_, found)| *found == name);
    let doc = client.doc(made.expect("the document").0.clone());
    let info = doc.table_rows("_grist_DocInfo").await.expect("its settings").remove(0);
    assert_eq!(info["timezone"], "Europe/Paris");
    let settings: Value = serde_json::from_str(info["documentSettings"].as_str().expect("settings")).expect("JSON");
    assert_eq!((&settings["locale"], &settings["engine"]), (&json!("fr-FR"), &json!("python3")));
    let tables = doc.tables().await.expect("tables");
    assert!(tables.iter().all(|table| table.id != "Table1"), "{}", ended.stderr);
    assert_eq!(doc.table_rows("Demarche_1003_dossiers").await.expect("dossiers").len(), 3);
    // A document of somebody else keeps its settings, and a table that nobody used goes.
    fixture.fill().await;
    let info = fixture.rows("_grist_DocInfo").await.remove(0);
    assert_eq!(info["timezone"], "UTC");
    assert!(fixture.tables().await.iter().all(|table| table.id != "Table1"));
}

async fn trap_40_the_key_is_in_the_header_alone(fixture: &Fixture) {
    fixture.fill().await;
    let sink = fixture.open().await;
    assert!(!format!("{sink:?} {:?}", fixture.client()).contains(fixture.key()));
    let wrong = "0123456789abcdef0123456789abcdef01234567";
    let stranger = fixture.client().key(wrong).build().expect("a client").doc(fixture.id.clone());
    let error = GristSink::of(stranger).open().await.expect_err("a wrong key");
    let told = format!("{error} {error:?} {:?}", error.hint());
    assert!(told.contains("does not accept the key") && !told.contains(wrong), "{told}");
    for asked in fixture.proxy.asked() {
        assert!(!asked.path.contains(fixture.key()) && !asked.body.contains(fixture.key()), "{}", asked.path);
    }
}
