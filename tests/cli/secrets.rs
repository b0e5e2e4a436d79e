//! Checks that no output of any command, at any verbosity, contains a secret.

use super::harness::{DEMARCHE, Harness, end};

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_in_no_output_and_in_no_file() {
    let harness = Harness::with(5).await;
    let token = harness.sandbox.token();
    let key = "a-key-of-pseudonyms-that-nobody-may-see";
    let number = DEMARCHE.to_string();
    let dossier = harness.sandbox.snapshot(DEMARCHE).dossiers.keys().next().expect("a dossier").to_string();
    let config = format!(
        "[instances.here]\nurl = '{}'\ntoken-env = 'DN_TOKEN'\n[targets.t]\ntype = 'sqlite'\npath = 'd.db'\n\
         [privacy.p]\npreset = 'strict'\nkey-env = 'KEY'\n[[demarches]]\nnumber = {number}\nprivacy = 'p'\n",
        harness.url()
    );
    std::fs::write(harness.path("dn.toml"), config).expect("written");
    let commands: &[&[&str]] = &[
        &["plan"],
        &["sync"],
        &["sync", "--json", "--full"],
        &["status"],
        &["status", "--json"],
        &["verify"],
        &["remap"],
        &["schema"],
        &["schema", "--json"],
        &["dossier", &dossier],
        &["dossier", &dossier, "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &["config", "check"],
        &["config", "example"],
        &["completions", "bash"],
        &["--help"],
        &["sync", "--help"],
    ];
    for args in commands {
        for log in [&["-vvv"][..], &["-vvv", "--log-format", "json"]] {
            let mut command = harness.command(&["--config", "dn.toml"]);
            command.args(log).args(*args).env("KEY", key);
            let ended = end(&mut command).await.expect(0);
            for secret in [token.as_str(), key] {
                assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "{args:?} shows a secret");
            }
        }
    }
    // And when things go wrong.
    harness.sandbox.world().remove_from_scope(DEMARCHE);
    for args in [&["sync"][..], &["doctor"], &["schema"], &["dossier", "77"]] {
        let mut command = harness.command(&["--config", "dn.toml", "-vvv"]);
        let ended = end(command.args(args).env("KEY", key)).await;
        assert_ne!(ended.code, Some(0), "{args:?}");
        assert!(!ended.stdout.contains(&token) && !ended.stderr.contains(&token), "{args:?} shows the token");
    }
    for file in ["d.db", "d.db-wal", "d.db.lock"] {
        let Ok(bytes) = std::fs::read(harness.path(file)) else { continue };
        let found = bytes.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!found, "{file} holds the token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_configuration_is_refused_and_not_repeated() {
    let harness = Harness::with(1).await;
    let token = harness.sandbox.token();
    for line in [format!("token = '{token}'"), format!("token-env = '{token}'"), format!("token = {token}")] {
        std::fs::write(harness.path("dn.toml"), format!("[instances.dn]\n{line}\n")).expect("written");
        let ended = harness.dn(&["--config", "dn.toml", "-vvv", "config", "check"]).await.expect(3);
        assert!(!ended.stderr.contains(&token[..12]), "{}", ended.stderr);
    }
}
