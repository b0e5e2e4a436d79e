//! Checks that no run depends on its log: full disks, closed pipes, a reader that never reads.

use std::fs::File;
use std::io::Write as _;
use std::process::Stdio;

use demarche_numerique::sandbox::{DEMARCHE_CLONE, WorldSpec};
use serde_json::Value;

use tokio::process::Command;

use super::harness::{DEMARCHE, Ended, Harness};

/// A device on which every write fails for want of room.
fn full() -> Stdio {
    Stdio::from(File::options().write(true).open("/dev/full").expect("Linux has it"))
}

/// A pipe whose reader has gone.
fn broken() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    Stdio::from(writer)
}

/// Runs a command with the outputs that it was given; those that are pipes are read.
async fn end(command: &mut Command) -> Ended {
    let output = command.spawn().expect("the binary starts").wait_with_output().await.expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("outputs are UTF-8");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Every command that ends by itself, with what it needs to do its work.
fn commands(dossier: u32) -> Vec<Vec<String>> {
    let (number, dossier) = (DEMARCHE.to_string(), dossier.to_string());
    let on_target = ["--demarche", &number, "--to", "sqlite:d.db"];
    let mut all: Vec<Vec<&str>> = Vec::new();
    for command in ["sync", "plan", "verify", "status", "push", "trail", "remap", "retention", "register", "doctor"] {
        for form in [&[][..], &["--json"]] {
            all.push([&[command], &on_target[..], form].concat());
        }
    }
    all.push([&["verify", "--repair"], &on_target[..]].concat());
    all.push([&["trail", "--csv"], &on_target[..]].concat());
    all.push([&["push", "--apply"], &on_target[..]].concat());
    all.push([&["retention", "--apply"], &on_target[..]].concat());
    all.push(vec!["schema", "--demarche", &number]);
    all.push(vec!["schema", "--demarche", &number, "--json"]);
    all.push(vec!["dossier", &dossier]);
    all.push(vec!["dossier", &dossier, "--json"]);
    all.push(vec!["config", "example"]);
    all.push(vec!["config", "check"]);
    all.push(vec!["completions", "bash"]);
    all.push(vec!["demo", "--dossiers", "5"]);
    all.push(vec!["help"]);
    all.push(vec!["help", "sync"]);
    all.push(vec!["--version"]);
    all.push(vec!["sinc"]);
    all.into_iter().map(|command| command.into_iter().map(str::to_owned).collect()).collect()
}

fn code_of(words: &[String], told: &Ended) -> i32 {
    let code = told.code.unwrap_or_else(|| panic!("{words:?} was killed"));
    assert_ne!(code, 101, "{words:?} panicked:\n{}", told.stderr);
    code
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_depends_on_who_reads_it() {
    let harness = Harness::with(3).await;
    harness.write(
        "dn.toml",
        &format!("[instances.dn]\n[targets.t]\ntype = 'sqlite'\npath = 'd.db'\n[[demarches]]\nnumber = {DEMARCHE}\n"),
    );
    harness.on_target("sync", &[]).await.expect(0);
    let dossier = *harness.sandbox.snapshot(DEMARCHE).dossiers.keys().next().expect("a dossier");
    for words in commands(dossier) {
        let args: Vec<&str> = words.iter().map(String::as_str).chain(["-vv"]).collect();
        let command = || {
            let mut command = harness.command(&args);
            if words[0] == "config" {
                command.env("DN_CONFIG", "dn.toml");
            }
            // The demonstration makes its file there.
            command.env("TMPDIR", harness.path(""));
            command
        };
        let whole = code_of(&words, &end(&mut command()).await);
        let gone = end(command().stdout(broken()).stderr(broken())).await;
        assert_eq!(code_of(&words, &gone), whole, "{words:?}: a reader that has gone is no error");
        let silent = end(command().stderr(full())).await;
        assert_eq!(code_of(&words, &silent), whole, "{words:?}: a log that cannot be written is no error");
        // An answer that a program was to read is missing: that alone is told.
        let told = end(command().stdout(full())).await;
        let code = code_of(&words, &told);
        assert!(code == whole || code == 1, "{words:?}: {code}\n{}", told.stderr);
        if code != whole {
            assert!(told.stderr.contains("error: the output cannot be written"), "{words:?}: {}", told.stderr);
            assert!(told.stderr.contains("hint: "), "{words:?}: {}", told.stderr);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_demarche_is_synced_though_no_report_can_be_written() {
    let spec = WorldSpec::default().only(&[DEMARCHE, DEMARCHE_CLONE]).dossiers(4);
    let harness = Harness::in_world(&spec).await;
    let numbers = [DEMARCHE.to_string(), DEMARCHE_CLONE.to_string()];
    let both = ["--demarche", &numbers[0], "--demarche", &numbers[1], "--to", "sqlite:d.db"];
    // For people the code is that of the runs; a program that was to read the reports learns that they are missing.
    for (form, code) in [(&[][..], 0), (&["--json"], 1)] {
        let args = [&["sync", "-v"], &both[..], form].concat();
        end(harness.command(&args).stdout(full())).await.expect(code);
    }
    let verified = harness.dn(&[&["verify", "--json"], &both[..]].concat()).await.expect(0).stdout;
    for line in verified.lines() {
        let verified: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!((&verified["held"], &verified["missing"]), (&4.into(), &Value::Array(Vec::new())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_standard_error_changes_nothing() {
    let harness = Harness::with(2).await;
    let number = DEMARCHE.to_string();
    let args = ["sync", "-vv", "--demarche", &number, "--to", "sqlite:d.db"];
    end(&mut harness.command_under("exec >&- 2>&-", &args)).await.expect(0);
    harness.on_target("verify", &[]).await.expect(0);
}

/// A pipe that somebody holds open and never reads, filled to the brim.
fn stuck() -> (Stdio, std::io::PipeReader) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut filler = writer.try_clone().expect("a second handle");
    // It waits for room for as long as the test lasts, and so does whoever else writes.
    std::thread::spawn(move || filler.write_all(&vec![b'.'; 4 << 20]));
    (Stdio::from(writer), reader)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unattended_run_goes_on_when_its_log_cannot_be_written() {
    for case in ["full", "broken", "stuck"] {
        let harness = Harness::with(3).await;
        harness.write(
            "dn.toml",
            &format!(
                "[instances.dn]\n[targets.t]\ntype = 'sqlite'\npath = 'd.db'\n[run]\nschedule = '1s'\njitter = '0s'\n\
                 [[demarches]]\nnumber = {DEMARCHE}\n"
            ),
        );
        let mut command = harness.command(&["--config", "dn.toml", "run", "-vvv"]);
        let mut unread = None;
        let log = match case {
            "full" => full(),
            "broken" => broken(),
            _ => {
                let (log, reader) = stuck();
                unread = Some(reader);
                log
            }
        };
        let mut child = command.stdout(full()).stderr(log).spawn().expect("the binary starts");
        // Its history grows, run by run.
        let runs = async {
            loop {
                let status = harness.dn(&["--config", "dn.toml", "status", "--json"]).await;
                let runs = serde_json::from_str(&status.stdout)
                    .map_or(0, |status: Value| status["runs"].as_array().map_or(0, Vec::len));
                if runs >= 3 {
                    return;
                }
            }
        };
        tokio::select! {
            () = runs => {}
            ended = child.wait() => panic!("{case}: it ended with {ended:?}"),
        }
        let pid = child.id().expect("it runs").to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill starts").success());
        assert_eq!(child.wait().await.expect("it ends").code(), Some(0), "{case}");
        drop(unread);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_done_once_though_it_cannot_be_told() {
    const AGENT: &str = "instructeur-1@example.org";
    for case in ["full", "broken"] {
        let output = || if case == "full" { full() } else { broken() };
        let harness = Harness::with(0).await;
        let numbers: Vec<u32> =
            (0..4).map(|_| harness.sandbox.world().submit(DEMARCHE).expect("the démarche exists")).collect();
        let demarche = DEMARCHE.to_string();
        harness.write("d.csv", &format!("id;dossier;action;message\na;{};message;Bonjour\n", numbers[0]));
        let push = ["push", "--demarche", &demarche, "--from", "d.csv", "--as", AGENT];
        let apply = [&push[..], &["--apply"]].concat();
        let unseen = async |args: &[&str]| end(harness.command(args).stdout(output()).stderr(output())).await;
        let done = || harness.sandbox.audit().len();

        // Whoever misses a report must not conclude that nothing was sent.
        unseen(&apply).await.expect(0);
        assert_eq!(done(), 1, "{case}");
        assert!(harness.dn(&apply).await.expect(0).stdout.contains("Nothing waits"), "{case}");

        let by_hand = ["dossier", &numbers[1].to_string(), "message", "--message", "Bonjour", "--as", AGENT, "--yes"];
        unseen(&by_hand).await.expect(0);
        assert_eq!(done(), 2, "{case}");
        let unasked = ["dossier", &numbers[1].to_string(), "message", "--message", "Encore", "--as", AGENT];
        let code = unseen(&unasked).await.code;
        assert!(matches!(code, Some(1 | 2)), "{case}: a plan that nobody can read is agreed to by nobody: {code:?}");
        assert_eq!(done(), 2, "{case}");

        // Each of several ids is decided about.
        harness.write(
            "d.csv",
            &format!("id;dossier;action\nb;{};suivre\nc;{};archiver\nd;9998;suivre\n", numbers[0], numbers[1]),
        );
        harness.dn(&apply).await.expect(12);
        unseen(&[&push[..], &["--cancel", "c", "--cancel", "d"]].concat()).await.expect(0);
        let resolved = ["trail", "--demarche", &demarche, "--to", "sqlite:d.csv.outbox.db", "--json"];
        let trail = harness.dn(&resolved).await.expect(0).stdout;
        assert_eq!(trail.matches("\"resolved\"").count(), 2, "{case}: {trail}");

        harness.on_target("sync", &[]).await.expect(0);
        harness.sandbox.world().delete_without_trace(numbers[3]);
        unseen(&["verify", "--demarche", &demarche, "--to", "sqlite:d.db"]).await.expect(9);
    }
}
