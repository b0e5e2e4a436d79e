//! What a good guest of a document does (Grist traps 32, 33, 36 and 40).

use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::{GristSink, MemorySink, Sink};
use serde_json::{Value, json};

use super::ground::{DOSSIERS, Ground, ready};
use crate::cli::desk::{DEMARCHE, Desk, end};
use crate::contracts::world::*;
use crate::sync_runs::lab::Lab;

traps!(
    trap_32_runs_without_news_leave_the_history_to_people,
    trap_33_the_documented_purge_forgets_what_cells_held,
    trap_36_a_document_that_we_make_is_french_and_empty,
    trap_40_the_key_is_in_the_header_alone,
);

async fn trap_32_runs_without_news_leave_the_history_to_people(ground: &Ground) {
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(60);
    let lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, MemorySink::default()).await;
    let run = async || {
        let sink = ground.open().await;
        let run = lab.run_into(&sink).await;
        assert!(run.error.is_none(), "{:?}", run.error);
        lab.wait_minutes(5);
        run.report
    };
    let first = run().await;
    let bundles = ground.wire.writes();
    assert!(first.rows_written > 300 && bundles.len() <= 10, "{} writes: {first:?}", bundles.len());
    let per_row = ["\"AddRecord\",\"Demarche", "\"UpdateRecord\",\"Demarche", "\"AddOrUpdateRecord\""];
    assert!(bundles.iter().all(|asked| per_row.iter().all(|action| !asked.body.contains(action))));
    run().await;
    let before = ground.state_number().await;
    for _ in 0..3 {
        assert_eq!(run().await.rows_written, 0);
    }
    assert_eq!(ground.state_number().await, before);
}

async fn trap_33_the_documented_purge_forgets_what_cells_held(ground: &Ground) {
    ground.fill().await;
    let sink = ground.open().await;
    let prepared = ready(&sink).await;
    sink.commit(&prepared, &batch(2, vec![update(1, "un", "masqué")])).await.expect("a commit");
    sink.close().await.expect("a clean end");
    let states = async || ground.must("GET", "states", None).await["states"].as_array().map_or(0, Vec::len);
    assert!(states().await > 2, "what was there can be read in the history");
    // The words of the page for analysts.
    let page = include_str!("../../docs/grist.md");
    let (_, command) = page.split_once("$ curl -X POST").expect("a command");
    let (command, _) = command.split_once("```").expect("its end");
    let (_, body) = command.split_once("-d '").expect("a body");
    let (body, rest) = body.split_once('\'').expect("its end");
    let path = rest.split_once("/DOCUMENT/").expect("an address").1.trim().trim_end_matches('"');
    let body: Value = serde_json::from_str(body).expect("JSON");
    ground.must("POST", path, Some(body)).await;
    assert_eq!(states().await, 1);
    assert_eq!(ground.column(DOSSIERS, "nom").await, ["masqué", "deux"]);
    let sink = ground.open().await;
    let prepared = ready(&sink).await;
    sink.commit(&prepared, &batch(3, vec![insert(4, "quatre")])).await.expect("the document is as good as before");
}

async fn trap_36_a_document_that_we_make_is_french_and_empty(ground: &Ground) {
    let info = ground.rows("_grist_DocInfo").await.remove(0);
    assert_eq!(info["timezone"], "UTC", "as Grist makes it");
    assert_eq!(ground.columns("Table1").await, ["A", "B", "C"]);

    let desk = Desk::with(3).await;
    let (workspace, number) = (ground.workspace().to_string(), DEMARCHE.to_string());
    let name = format!("dn: made beside {}", ground.id);
    let flags = ["init", "grist", "--new", &name, "--workspace", &workspace, "--demarche", &number, "--yes"];
    let mut command = desk.command(&flags);
    command.env("GRIST_URL", ground.wire.url()).env("GRIST_API_KEY", ground.key());
    let ended = end(&mut command).await.expect(0);
    let client = ground.client().build().expect("a client");
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
    // A document of somebody else keeps its settings and its table.
    ground.fill().await;
    let info = ground.rows("_grist_DocInfo").await.remove(0);
    assert_eq!(info["timezone"], "UTC");
    assert_eq!(ground.columns("Table1").await, ["A", "B", "C"]);
}

async fn trap_40_the_key_is_in_the_header_alone(ground: &Ground) {
    ground.fill().await;
    let sink = ground.open().await;
    assert!(!format!("{sink:?} {:?}", ground.client()).contains(ground.key()));
    let wrong = "0123456789abcdef0123456789abcdef01234567";
    let stranger = ground.client().key(wrong).build().expect("a client").doc(ground.id.clone());
    let error = GristSink::of(stranger).open().await.expect_err("a wrong key");
    let told = format!("{error} {error:?} {:?}", error.hint());
    assert!(told.contains("does not accept the key") && !told.contains(wrong), "{told}");
    for asked in ground.wire.asked() {
        assert!(!asked.path.contains(ground.key()) && !asked.body.contains(ground.key()), "{}", asked.path);
    }
}
