//! Checks the output of commands: stdout is data, pipes may close, every shell has completions.

use std::process::Stdio;

use demarche_numerique::Platform;

use super::harness::{DEMARCHE, Harness, end};

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_seen_enough_is_no_error() {
    let harness = Harness::with(1).await;
    let number = DEMARCHE.to_string();
    for args in [&["schema", "--demarche", &number][..], &["config", "example"], &["completions", "zsh"], &["--help"]] {
        let mut command = harness.command(args);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().await.expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
        assert_eq!(output.status.code(), Some(0), "{args:?}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_a_table_or_json_and_needs_no_token_when_the_form_is_open() {
    let harness = Harness::with(1).await;
    let number = DEMARCHE.to_string();
    let table = harness.dn(&["schema", "--demarche", &number]).await.expect(0).stdout;
    assert!(table.contains("Q2hhbXAt") && table.contains("1 →"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let json = harness.dn(&["schema", "--demarche", &number, "--json"]).await.expect(0).stdout;
    let demarche: demarche_numerique::Demarche = serde_json::from_str(&json).expect("the domain type");
    assert_eq!(demarche.number.get(), DEMARCHE);
    for platform in Platform::ALL {
        let harness = Harness::on(platform, 1).await;
        let mut command = harness.command(&["schema", "--demarche", &number]);
        let open = end(command.env_remove("DN_TOKEN")).await.expect(0).stdout;
        assert!(open.contains("Q2hhbXAt"), "{platform}: {open}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dossier_is_readable_or_json_or_unknown() {
    let harness = Harness::with(2).await;
    let number = *harness.sandbox.snapshot(DEMARCHE).dossiers.keys().next().expect("a dossier");
    let text = harness.dn(&["dossier", &number.to_string()]).await.expect(0).stdout;
    assert!(text.contains(&number.to_string()) && text.contains("state"), "{text}");
    let json = harness.dn(&["dossier", &number.to_string(), "--json"]).await.expect(0).stdout;
    let dossier: demarche_numerique::Dossier = serde_json::from_str(&json).expect("the domain type");
    assert_eq!(dossier.number.get(), number);
    assert!(!json.contains("http://127.0.0.1"), "no signed address");
    harness.dn(&["dossier", "77"]).await.expect(4).says("does not know dossier 77");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_where_each_setting_comes_from() {
    let harness = Harness::with(1).await;
    let config = format!(
        "[instances.here]\npage-size = 50\n[targets.t]\ntype = 'sqlite'\npath = 'd.db'\n[[demarches]]\nnumber = {DEMARCHE}\n"
    );
    std::fs::write(harness.path("dn.toml"), config).expect("written");
    let json = harness.dn(&["--config", "dn.toml", "doctor", "--policy", "integral", "--json"]).await.expect(0).stdout;
    let diagnosis: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let from = |setting: &str| {
        let settings = diagnosis["settings"].as_array().expect("a list");
        let found = settings.iter().find(|told| told["setting"] == setting);
        found.and_then(|told| told["origin"].as_str()).unwrap_or_default().to_owned()
    };
    assert_eq!(from("url"), "$DN_URL");
    assert_eq!(from("token"), "$DN_TOKEN");
    assert_eq!(from("page-size"), "dn.toml:2");
    assert_eq!(from("privacy"), "--policy");
    assert_eq!(from("overlap"), "default");
    let checks = diagnosis["checks"].as_array().expect("a list");
    assert!(checks.iter().all(|check| check["verdict"] != "fail"), "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_ends_with_an_exact_copy() {
    let harness = Harness::with(1).await;
    let ended = harness.dn(&["demo", "--dossiers", "30", "--to", "sqlite:demo.db"]).await.expect(0);
    assert!(ended.stdout.contains("0 missing, 0 stale, 0 ghost"), "{}", ended.stdout);
    assert!(ended.stdout.contains("demo.db"), "{}", ended.stdout);
    assert!(harness.path("demo.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_example_that_can_be_checked() {
    let harness = Harness::with(1).await;
    let example = harness.dn(&["config", "example"]).await.expect(0).stdout;
    std::fs::write(harness.path("dn.toml"), example).expect("written");
    let checked = harness.command(&["config", "check"]).env("DN_CONFIG", "dn.toml").output().await.expect("it runs");
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stderr));
    harness.dn(&["config", "check"]).await.expect(2).says("no configuration file is named");
}
