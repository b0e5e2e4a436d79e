//! Checks the contract of `Sink`, each part in its own document, and whole runs.

use demarche_numerique::Platform;
use demarche_numerique::report::Report;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::{GristSink, MemorySink};
use grist_client::{Client, Doc};

use super::{client, make};
use crate::contracts::sink::check;
use crate::sync_runs::lab::Lab;

async fn new(client: &Client, name: &str) -> Doc {
    client.doc(make(client, name).await.1)
}

#[tokio::test]
async fn the_contract_holds() {
    let Some(client) = client() else { return };
    check(async |part| {
        println!("{part}");
        GristSink::of(new(&client, part).await).open().await.expect("a document")
    })
    .await;
}

async fn run(lab: &Lab<MemorySink>, doc: &Doc) -> Report {
    let sink = GristSink::of(doc.clone()).open().await.expect("a document");
    let run = lab.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    run.report
}

#[tokio::test]
async fn whole_runs_leave_the_truth_of_both_platforms_in_one_document() {
    let Some(client) = client() else { return };
    let doc = new(&client, "whole runs").await;
    for (instance, platform) in [("dn", Platform::DemarcheNumerique), ("ds", Platform::DematSocial)] {
        let spec = WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(120);
        let mut lab = Lab::of(spec, DEMARCHE_COMPLETE).await;
        lab.scope.instance = instance.to_owned();
        let before = client.stats();
        run(&lab, &doc).await;
        let stats = client.stats();
        println!(
            "{instance}: {} requests, {} writes, {} bytes sent, {} received",
            stats.requests - before.requests,
            stats.writes - before.writes,
            stats.bytes_sent - before.bytes_sent,
            stats.bytes_received - before.bytes_received
        );
        lab.wait_minutes(5);
        run(&lab, &doc).await;
        lab.wait_minutes(5);
        let before = client.stats();
        assert_eq!(run(&lab, &doc).await.rows_written, 0);
        let asked = client.stats();
        assert!(asked.requests - before.requests <= 3 && asked.writes == before.writes, "{before:?} {asked:?}");
        let sink = GristSink::of(doc.clone()).open_read_only().await.expect("a document");
        let verification = demarche_numerique::sync::verify(&lab.client, &sink, &lab.scope, &lab.filter, |_| {}).await;
        assert!(verification.expect("a listing").is_exact());
    }
    println!("left in {}", doc.id().as_str());
}
