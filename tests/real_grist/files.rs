//! Files as attachments: the fake and the real one agree.

use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::{FileLimits, FileStore, GristSink, MemorySink};
use demarche_numerique::sync::{self, FilesReport, Job};
use serde_json::{Value, json};

use super::document;
use crate::sync_runs::lab::Lab;

async fn files(lab: &Lab, sink: &GristSink) -> FilesReport {
    let run = lab.run_into(sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    let sandbox = lab.sandbox.clone();
    let job = Job {
        client: &lab.client,
        sink,
        scope: lab.scope.clone(),
        filter: &lab.filter,
        settings: lab.settings,
        events: &|_| {},
        stop: lab.stop.clone(),
        clock: &move || sandbox.now(),
    };
    sync::files(&job).await.expect("files")
}

#[tokio::test]
async fn each_content_is_uploaded_once_and_shown_in_every_row_that_names_it() {
    let Some((_, doc)) = document("files").await else { return };
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(8);
    let lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, MemorySink::default()).await;
    // A document that had none before, then one that is asked for them.
    let sink = GristSink::of(doc.clone()).open().await.expect("a document");
    assert_eq!(files(&lab, &sink).await, FilesReport::default());
    sink.close().await.expect("a clean end");
    let open = async || GristSink::of(doc.clone()).files(FileLimits::default()).open().await.expect("a document");
    let sink = open().await;
    let first = files(&lab, &sink).await;
    assert!(first.kept > 8, "{first:?}");
    assert!(first.left.keys().all(|reason| reason == "not_safe"), "{first:?}");
    sink.close().await.expect("a clean end");
    let counted = async || {
        let sql = "SELECT (SELECT count(*) FROM _grist_Attachments) AS envois, (SELECT count(*) FROM Dn_fichiers) AS tenus, \
                   count(*) AS nues FROM Demarche_1001_pieces_jointes \
                   WHERE checksum IN (SELECT cle FROM Dn_fichiers) AND fichier IS NULL";
        Value::Object(doc.sql(sql, &[]).await.expect("counts").remove(0))
    };
    let expected = json!({ "envois": first.kept, "tenus": first.kept, "nues": 0 });
    assert_eq!(counted().await, expected);

    let sink = open().await;
    let second = files(&lab, &sink).await;
    assert_eq!((second.kept, second.linked, second.left), (0, 0, first.left), "trap 21");
    // What is known is shown again without a download, and what no row names goes.
    let bundle = [
        json!(["BulkUpdateRecord", "Demarche_1001_pieces_jointes", [1, 2, 3, 4], { "fichier": [null, null, null, null] }]),
        json!(["AddRecord", "Dn_fichiers", null, { "cle": "1B2M2Y8AsgTpgAmY7PhCfg==", "piece": ["L", 1] }]),
    ];
    let bundle = bundle.map(demarche_numerique::grist::Action::Raw);
    doc.apply(&bundle, demarche_numerique::grist::Repeat::Never).await.expect("a person's changes");
    assert!(sink.link_files(&lab.scope).await.expect("links") > 0);
    assert_eq!(counted().await, expected);
    sink.close().await.expect("a clean end");
}
