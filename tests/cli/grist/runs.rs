//! Runs the everyday commands of an operator.

use demarche_numerique::sandbox::grist::Grist;
use serde_json::Value;

use super::harness::GristHarness;
use crate::cli::harness::{DEMARCHE, end};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_filled_then_left_alone_then_followed() {
    let harness = GristHarness::with(30).await;
    let plan = harness.run("plan", &["--exit-code"]).await.expect(10).stdout;
    assert_eq!(plan.matches("+ dossier").count(), 30, "{plan}");
    let first = json(&harness.run("sync", &["--json"]).await.expect(0).stdout);
    assert_eq!((&first["inserted"], &first["target"]), (&30.into(), &format!("grist:{}", harness.document).into()));
    harness.expect_each_dossier_once();
    // A run without news may leave one line; those that follow it leave none.
    harness.run("sync", &[]).await.expect(0);
    let before = harness.grist.state_number(&harness.document);
    harness.grist.reset_log();
    let second = json(&harness.run("sync", &["--json"]).await.expect(0).stdout);
    assert_eq!((&second["inserted"], &second["updated"]), (&0.into(), &0.into()));
    let asked = harness.grist.count();
    assert!(asked.requests <= 3 && asked.writes == 0, "{:?}", harness.grist.requests());
    assert_eq!(harness.grist.state_number(&harness.document), before, "people keep their history");
    harness.run("plan", &["--exit-code"]).await.expect(0);
    harness.run("verify", &[]).await.expect(0);
    let number = harness.base.sandbox.world().submit(DEMARCHE).expect("a new dossier");
    let found = json(&harness.run("verify", &["--json"]).await.expect(9).stdout);
    assert_eq!(found["missing"], serde_json::json!([number]));
    let third = json(&harness.run("sync", &["--json"]).await.expect(0).stdout);
    assert_eq!(third["inserted"], 1);
    harness.expect_each_dossier_once();
    let status = json(&harness.run("status", &["--json"]).await.expect(0).stdout);
    assert_eq!((&status["alive"], &status["gone"]), (&31.into(), &0.into()));
    harness.run("remap", &[]).await.expect(0);
    harness.run("verify", &[]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_names_a_document_and_doctor_looks_at_it() {
    let harness = GristHarness::with(2).await;
    std::fs::write(harness.base.path("grist.key"), format!("{}\n", Grist::OWNER)).expect("written");
    let config = format!(
        "[instances.here]\n[targets.equipe]\ntype = 'grist'\ndocument = '{}/doc/{}'\nkey-file = 'grist.key'\n\
         [[demarches]]\nnumber = {DEMARCHE}\n",
        harness.url(),
        harness.document
    );
    std::fs::write(harness.base.path("dn.toml"), config).expect("written");
    // Neither variable of Grist is set.
    let dn = async |args: &[&str]| end(harness.base.command(&["--config", "dn.toml"]).args(args)).await;
    let doctor = dn(&["doctor"]).await.expect(0).stdout;
    for line in ["ok    Grist key: found in", "the key is an owner", "SQL is open to the key", "can be written"] {
        assert!(doctor.contains(line), "`{line}` is not in:\n{doctor}");
    }
    assert_eq!(harness.grist.count().writes, 0, "doctor writes nothing");
    let told = json(&dn(&["doctor", "--json"]).await.expect(0).stdout);
    let settings = told["settings"].as_array().expect("a list");
    let from = |key: &str| settings.iter().rfind(|told| told["setting"] == key).map(|told| told["origin"].clone());
    assert_eq!(from("restore-columns"), Some("default".into()));
    assert_eq!(from("key"), Some("dn.toml:5".into()));
    dn(&["sync"]).await.expect(0);
    harness.expect_each_dossier_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_in_no_output() {
    let harness = GristHarness::with(3).await;
    let commands: &[&[&str]] =
        &[&["plan"], &["sync"], &["sync", "--json", "--full"], &["status"], &["verify"], &["remap"], &["doctor"]];
    for args in commands {
        for log in [&["-vvv"][..], &["-vvv", "--log-format", "json"]] {
            let more: Vec<&str> = args[1..].iter().chain(log).copied().collect();
            let ended = harness.run(args[0], &more).await.expect(0);
            let shown = ended.stdout.contains(Grist::OWNER) || ended.stderr.contains(Grist::OWNER);
            assert!(!shown, "{args:?} shows the key");
        }
    }
    // And when it is refused.
    for args in [["sync", "-vvv"], ["doctor", "-vvv"]] {
        let mut command = harness.on_document(args[0], &args[1..]);
        let ended = end(command.env("GRIST_API_KEY", "une-cle-perimee")).await.expect(4);
        assert!(!ended.stdout.contains("une-cle") && !ended.stderr.contains("une-cle"), "{args:?} shows the key");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_ends_with_an_exact_document() {
    let harness = GristHarness::with(1).await;
    let to = format!("grist:{}", harness.document);
    let ended = harness.dn(&["demo", "--dossiers", "30", "--to", &to]).await.expect(0).stdout;
    assert!(ended.contains("0 missing, 0 stale, 0 ghost"), "{ended}");
    assert!(ended.contains(&format!("document: {}/doc/{}", harness.url(), harness.document)), "{ended}");
}
