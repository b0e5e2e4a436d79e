//! Checks bad input: one clear error, a hint, an exit code, and an unchanged target.

use super::harness::{DEMARCHE, Harness, end};

#[tokio::test(flavor = "multi_thread")]
async fn a_demarche_outside_the_scope_of_the_token() {
    let harness = Harness::with(2).await;
    harness.on_target("sync", &[]).await.expect(0);
    let before = std::fs::read(harness.path("d.db")).expect("the database");
    harness.sandbox.world().remove_from_scope(DEMARCHE);
    harness.on_target("verify", &[]).await.expect(4).says(&format!("démarche {DEMARCHE}"));
    assert_eq!(std::fs::read(harness.path("d.db")).expect("the database"), before);
    harness.on_target("sync", &[]).await.expect(4);
    harness.sandbox.world().restore_to_scope(DEMARCHE);
    harness.on_target("verify", &[]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_to_another_machine_sends_nothing() {
    let harness = Harness::with(1).await;
    let number = DEMARCHE.to_string();
    let args = ["sync", "--demarche", &number, "--to", "sqlite:d.db", "--url", "http://example.org/api"];
    harness.dn(&args).await.expect(3).says("--url: plain http to example.org");
    let mut command = harness.command(&args[..5]);
    end(command.env("DN_URL", "http://example.org/api")).await.expect(3).says("DN_URL: plain http to example.org");
    assert!(!harness.path("d.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_nowhere() {
    let harness = Harness::with(1).await;
    let number = DEMARCHE.to_string();
    let args = ["sync", "--demarche", &number, "--to", "sqlite:d.db"];
    end(harness.command(&args).env_remove("DN_TOKEN")).await.expect(3).says("there is no token in $DN_TOKEN");
    let mut command = harness.command(&args);
    command.env_remove("DN_TOKEN").env("DN_TOKEN_FILE", "nowhere");
    end(&mut command).await.expect(3).says("the file of a secret nowhere cannot be read");
    std::fs::write(harness.path("token"), format!("{}\n", harness.sandbox.token())).expect("written");
    end(command.env("DN_TOKEN_FILE", "token")).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_redirects_is_not_followed() {
    let harness = Harness::with(1).await;
    harness.sandbox.redirect(true);
    harness.on_target("sync", &[]).await.expect(3).says("redirects to");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_cannot_be_written() {
    let harness = Harness::with(1).await;
    let number = DEMARCHE.to_string();
    for path in ["sqlite:nowhere/d.db", "sqlite:."] {
        harness.dn(&["sync", "--demarche", &number, "--to", path]).await.expect(4).says("cannot be");
        let doctor = harness.dn(&["doctor", "--demarche", &number, "--to", path]).await.expect(4);
        assert!(doctor.stdout.contains("FAIL  target"), "{}", doctor.stdout);
    }
    harness.dn(&["sync", "--demarche", &number, "--to", "d.db"]).await.expect(3).says("did you mean `sqlite:d.db`?");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_and_one_that_is_cut() {
    let harness = Harness::with(20).await;
    let text = b"Dear diary, this is not a database. ".repeat(100);
    std::fs::write(harness.path("d.db"), &text).expect("written");
    for command in ["sync", "plan", "verify", "status", "remap"] {
        harness.on_target(command, &[]).await.expect(4).says("was not made by this tool");
    }
    assert_eq!(std::fs::read(harness.path("d.db")).expect("still there"), text);
    std::fs::remove_file(harness.path("d.db")).expect("removed");
    harness.on_target("sync", &[]).await.expect(0);
    let whole = std::fs::read(harness.path("d.db")).expect("the database");
    std::fs::write(harness.path("d.db"), &whole[..whole.len() / 2]).expect("written");
    harness.on_target("sync", &[]).await.expect(4).says("sqlite:d.db");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_was_never_synced() {
    let harness = Harness::with(1).await;
    for (command, more) in [("status", &[][..]), ("verify", &[]), ("verify", &["--repair"]), ("remap", &[])] {
        harness.on_target(command, more).await.expect(4).says("there is no database yet");
        assert!(!harness.path("d.db").exists(), "{command} {more:?} made a file");
    }
    harness.on_target("sync", &[]).await.expect(0);
    let args = ["status", "--demarche", "77", "--to", "sqlite:d.db"];
    harness.dn(&args).await.expect(3).says("was never synced");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_demarche_that_fails_does_not_stop_the_others() {
    let harness = Harness::with(2).await;
    harness.on_target("sync", &[]).await.expect(0);
    harness.sandbox.world().submit(DEMARCHE).expect("a new dossier");
    let number = DEMARCHE.to_string();
    let args = ["sync", "--demarche", "77", "--demarche", &number, "--to", "sqlite:d.db", "--json", "-q"];
    let ended = harness.dn(&args).await.expect(4);
    let reports: Vec<serde_json::Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(reports.len(), 2, "{}", ended.stdout);
    assert_eq!((&reports[0]["outcome"], &reports[1]["outcome"]), (&"failed".into(), &"done".into()));
    assert_eq!(reports[1]["inserted"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_policy_without_a_key() {
    let harness = Harness::with(1).await;
    harness.on_target("sync", &["--policy", "strict"]).await.expect(3).says("key of pseudonyms");
    harness.on_target("sync", &["--policy", "strickt"]).await.expect(3).says("did you mean `strict`?");
    assert!(!harness.path("d.db").exists());
}
