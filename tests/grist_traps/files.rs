//! Checks files as attachments (Grist traps 21 and 22).

use demarche_numerique::Platform;
use demarche_numerique::report::FilesReport;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::{FileLimits, FileStore as _, GristSink, MemorySink};
use demarche_numerique::sync::{self, SyncError};
use serde_json::{Value, json};

use super::fixture::Fixture;
use super::proxy::Fault;
use crate::sync_runs::lab::Lab;

traps!(
    trap_21_each_content_is_uploaded_once_whatever_is_repeated,
    trap_22_an_upload_that_no_row_came_to_name_is_made_again_and_none_is_named_that_is_gone,
);

const PIECES: &str = "Demarche_1001_pieces_jointes";

async fn lab() -> Lab {
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(8);
    Lab::with_sink(spec, DEMARCHE_COMPLETE, MemorySink::default()).await
}

async fn open(fixture: &Fixture) -> GristSink {
    GristSink::of(fixture.doc()).files(FileLimits::default()).open().await.expect("a document")
}

/// The files of dossiers that were copied.
async fn files(lab: &Lab, sink: &GristSink) -> Result<FilesReport, SyncError> {
    lab.job(sink, async |job| sync::files(&job).await).await
}

/// A whole run.
async fn sync(fixture: &Fixture, lab: &Lab) -> FilesReport {
    let sink = open(fixture).await;
    let run = lab.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    let report = files(lab, &sink).await.expect("files");
    sink.close().await.expect("a clean end");
    report
}

/// The uploads of the document, and those that rows name.
async fn uploads(fixture: &Fixture) -> (Vec<i64>, Vec<i64>) {
    let all = fixture.column("_grist_Attachments", "id").await.iter().filter_map(Value::as_i64).collect();
    let cells = fixture.column(PIECES, "fichier").await;
    let mut named: Vec<i64> = cells.iter().filter_map(|cell| cell.as_array()?.get(1)?.as_i64()).collect();
    named.sort_unstable();
    named.dedup();
    (all, named)
}

async fn trap_21_each_content_is_uploaded_once_whatever_is_repeated(fixture: &Fixture) {
    let lab = lab().await;
    let first = sync(fixture, &lab).await;
    assert!(first.kept > 8 && first.left.keys().all(|reason| reason == "not_safe"), "{first:?}");
    let made = uploads(fixture).await;
    assert_eq!((made.0.len() as u64, &made.0), (first.kept, &made.1));
    lab.wait_minutes(5);
    let second = sync(fixture, &lab).await;
    assert_eq!((second.kept, second.linked, second.left), (0, 0, first.left.clone()));
    assert_eq!(uploads(fixture).await, made);

    // A person empties cells: what is known is shown again without a download. What no row names goes from what is known.
    let nothing = [Value::Null, Value::Null, Value::Null, Value::Null];
    fixture
        .act(json!([
            ["BulkUpdateRecord", PIECES, [1, 2, 3, 4], { "fichier": nothing }],
            ["AddRecord", "Dn_fichiers", null, { "cle": "1B2M2Y8AsgTpgAmY7PhCfg==", "piece": ["L", 1] }],
        ]))
        .await;
    let sink = open(fixture).await;
    assert!(sink.link_files(&lab.scope).await.expect("links") > 0);
    assert_eq!(uploads(fixture).await, made);
    assert_eq!(fixture.rows("Dn_fichiers").await.len() as u64, first.kept);
}

async fn trap_22_an_upload_that_no_row_came_to_name_is_made_again_and_none_is_named_that_is_gone(fixture: &Fixture) {
    let lab = lab().await;
    let sink = open(fixture).await;
    let run = lab.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    // The first upload arrives, and the run dies before any row names it.
    fixture.proxy.fail(Fault::Cut, usize::MAX, |asked| asked.writes() && !asked.path.ends_with("/attachments"));
    files(&lab, &sink).await.expect_err("the network is gone");
    fixture.proxy.mend();
    drop(sink);
    let (orphans, named) = uploads(fixture).await;
    assert!(!orphans.is_empty() && named.is_empty(), "{orphans:?} {named:?}");
    // Grist forgets what no cell names.
    fixture.must("POST", "attachments/removeUnused", None).await;
    assert_eq!(uploads(fixture).await, (vec![], vec![]));

    let report = sync(fixture, &lab).await;
    let (all, named) = uploads(fixture).await;
    assert_eq!((all.len() as u64, &all), (report.kept, &named));
    fixture.must("POST", "attachments/removeUnused", None).await;
    assert_eq!(uploads(fixture).await.0, named, "all of them are in use");
    for id in named {
        assert!(!fixture.doc().download_attachment(id).await.expect("a file that is there").is_empty());
    }
}
