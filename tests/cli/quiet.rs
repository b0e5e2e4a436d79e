//! `--quiet`: what was done is told by the exit code alone; what needs a person, and what was asked for, is shown.

use super::harness::{DEMARCHE, Ended, Harness};

fn silent(ended: &Ended, what: &str) {
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_command_that_does_something_says_nothing() {
    let harness = Harness::with(4).await;
    let number = *harness.sandbox.snapshot(DEMARCHE).dossiers.keys().next().expect("a dossier");
    harness.write("d.csv", &format!("id;dossier;action;message\na;{number};message;Bonjour\n"));
    let demarche = DEMARCHE.to_string();
    for (command, more) in [
        ("sync", &[][..]),
        ("sync", &["--full"]),
        ("remap", &[]),
        ("verify", &[]),
        ("verify", &["--repair"]),
        ("retention", &["--apply"]),
        ("push", &["--apply"]),
    ] {
        let ended = harness.on_target(command, &[more, &["--quiet"]].concat()).await.expect(0);
        silent(&ended, &format!("{command} {more:?}"));
    }
    let author = "instructeur-1@example.org";
    let push = ["push", "--demarche", &demarche, "--from", "d.csv", "--as", author, "--apply", "-q"];
    silent(&harness.dn(&push).await.expect(0), "push of a file");
    assert_eq!(harness.sandbox.audit().len(), 1, "it was sent");
    let by_hand = ["dossier", &number.to_string(), "message", "--message", "Encore", "--as", author, "--yes", "-q"];
    silent(&harness.dn(&by_hand).await.expect(0), "one dossier by hand");
    let mut demo = harness.command(&["demo", "--dossiers", "5", "-q"]);
    silent(&super::harness::end(demo.env("TMPDIR", harness.path(""))).await.expect(0), "demo");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_command_shows_what_was_asked_for_and_what_needs_a_person() {
    let harness = Harness::with(30).await;
    for (command, more) in [("plan", &[][..]), ("sync", &["--json"]), ("status", &[]), ("push", &[]), ("trail", &[])] {
        let ended = harness.on_target(command, &[more, &["-q"]].concat()).await.expect(0);
        assert!(!ended.stdout.is_empty() && ended.stderr.is_empty(), "{command}: {ended:?}");
    }
    let numbers: Vec<u32> = harness.sandbox.snapshot(DEMARCHE).dossiers.keys().copied().collect();
    for number in &numbers[..15] {
        harness.sandbox.world().delete_without_trace(*number);
    }
    let found = harness.on_target("verify", &["-q"]).await.expect(9);
    assert!(found.stdout.contains("15 ghost") || found.stdout.contains("ghost"), "{found:?}");
    let held = harness.on_target("verify", &["--repair", "-q"]).await.expect(11);
    assert!(held.stdout.contains("15 of 30"), "the brake is told: {held:?}");
    // Nobody can archive what is not decided.
    let open =
        harness.sandbox.snapshot(DEMARCHE).dossiers.values().find(|d| !d.state.is_terminated()).map(|d| d.number);
    let open = open.expect("a dossier that is not decided");
    harness.write("d.csv", &format!("id;dossier;action\na;{open};archiver\n"));
    let demarche = DEMARCHE.to_string();
    let author = "instructeur-1@example.org";
    let push = ["push", "--demarche", &demarche, "--from", "d.csv", "--as", author, "--apply", "-q"];
    let refused = harness.dn(&push).await.expect(12);
    assert!(refused.stdout.contains("refused"), "{refused:?}");
}
