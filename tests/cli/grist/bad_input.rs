//! Checks bad input: one clear error, a hint, an exit code, and an unchanged document.

use demarche_numerique::sandbox::grist::{Fault, FaultPlan, Role};

use super::harness::GristHarness;
use crate::cli::harness::{DEMARCHE, end};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_grist_does_not_know_and_one_that_is_nowhere() {
    let harness = GristHarness::with(1).await;
    let before = harness.state();
    for command in ["sync", "plan", "verify", "status", "remap"] {
        let mut command = harness.on_document(command, &[]);
        end(command.env("GRIST_API_KEY", "pas-une-cle")).await.expect(4).says("key");
    }
    let mut command = harness.on_document("sync", &[]);
    end(command.env_remove("GRIST_API_KEY")).await.expect(3).says("there is no API key of Grist in $GRIST_API_KEY");
    let mut command = harness.on_document("sync", &[]);
    end(command.env_remove("GRIST_URL")).await.expect(3).says("it is not said on which Grist the document is");
    assert_eq!(harness.state(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_only_read() {
    let harness = GristHarness::with(2).await;
    harness.grist.add_key("cle-de-lecteur", Some(Role::Viewer));
    let before = harness.state();
    let viewer =
        async |command: &str| end(harness.on_document(command, &[]).env("GRIST_API_KEY", "cle-de-lecteur")).await;
    viewer("sync").await.expect(4).says("No write access");
    let doctor = viewer("doctor").await.expect(4).stdout;
    assert!(doctor.contains("FAIL  document") && doctor.contains("may only read it"), "{doctor}");
    assert_eq!(harness.state(), before);
    // Reading is enough for what only reads.
    harness.run("sync", &[]).await.expect(0);
    for command in ["status", "plan", "verify"] {
        viewer(command).await.expect(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_not_there() {
    let harness = GristHarness::with(1).await;
    let number = DEMARCHE.to_string();
    let args = ["sync", "--demarche", &number, "--to", "grist:kZ8mQv2Xw9LrTn3FpB6sYd"];
    harness.dn(&args).await.expect(4).says("document");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_moves_or_whose_engine_dies_is_waited_for() {
    let harness = GristHarness::with(3).await;
    harness.grist.plan(FaultPlan::new(Fault::in_flux()).times(1));
    harness.grist.plan(FaultPlan::new(Fault::engine_died()).writes().times(1));
    harness.grist.plan(FaultPlan::new(Fault::LoseAnswer).writes().after(1).times(1));
    harness.run("sync", &[]).await.expect(0);
    harness.expect_each_dossier_once();
    harness.run("verify", &[]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_takes_no_more_for_now() {
    let harness = GristHarness::with(2).await;
    for (fault, code, words) in [
        (Fault::quota(&harness.document), 6, "daily limit"),
        (Fault::delete_only(), 4, "delete-only"),
        (Fault::Answer { status: 413, body: "<html>Request Entity Too Large</html>".to_owned() }, 4, "too large"),
    ] {
        harness.grist.plan(FaultPlan::new(fault).writes());
        harness.run("sync", &[]).await.expect(code).says(words);
        harness.grist.clear_faults();
    }
    harness.run("sync", &[]).await.expect(0);
    harness.expect_each_dossier_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_was_never_synced() {
    let harness = GristHarness::with(1).await;
    for (command, code) in [("status", 3), ("verify", 3), ("remap", 3), ("plan", 0)] {
        let ended = harness.run(command, &[]).await.expect(code);
        assert!(code == 0 || ended.stderr.contains("was never synced"), "{command}: {}", ended.stderr);
    }
    assert_eq!(harness.grist.count().writes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_that_concerns_documents_only() {
    let harness = GristHarness::with(1).await;
    let ended = harness.base.on_target("sync", &["--restore-columns"]).await.expect(3);
    ended.says("--restore-columns: people delete columns of a Grist document only");
}
