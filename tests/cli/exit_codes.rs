//! Checks each exit code in a test of its own.

use std::process::Stdio;
use std::time::Duration;

use demarche_numerique::sandbox::{Fault, FaultPlan, world::Poison};
use demarche_numerique::sink::SqliteSink;
use serde_json::Value;
use sqlx::{Connection as _, Executor as _};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use super::harness::{DEMARCHE, Harness, end};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn code_0_a_sync_that_did_everything_then_one_that_changes_nothing() {
    let harness = Harness::with(12).await;
    let first = harness.on_target("sync", &["--json"]).await.expect(0);
    let report = json(&first.stdout);
    assert_eq!((&report["version"], &report["inserted"], &report["outcome"]), (&1.into(), &12.into(), &"done".into()));
    for key in
        ["requests", "pages", "updated", "unchanged", "deleted", "restored", "quarantined", "watermark", "duration_ms"]
    {
        assert!(report.get(key).is_some(), "`{key}` is missing");
    }
    assert_eq!(first.stderr, "", "nothing is told when a program reads");
    let second = json(&harness.on_target("sync", &["--json"]).await.expect(0).stdout);
    assert_eq!((&second["inserted"], &second["rows_written"]), (&0.into(), &0.into()));
    // The head, one page, both lists of deletions; the schema was read a moment ago.
    assert!(second["requests"].as_u64() <= Some(3), "{second}");
    let verified = json(&harness.on_target("verify", &["--json"]).await.expect(0).stdout);
    for key in ["missing", "stale", "ghost"] {
        assert_eq!(verified[key], Value::Array(Vec::new()), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_1_a_stored_document_that_cannot_be_read() {
    let harness = Harness::with(3).await;
    harness.on_target("sync", &[]).await.expect(0);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(harness.path("d.db"));
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("the database");
    connection.execute("UPDATE dn_dossiers SET document = '{'").await.expect("an accident");
    connection.close().await.expect("closed");
    harness.on_target("remap", &[]).await.expect(1).says("cannot be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_2_a_wrong_command_line() {
    let harness = Harness::with(1).await;
    for args in [&["sinc"][..], &["sync", "--page-size", "500"], &["sync", "--demarche", "x"], &["dossier"], &[]] {
        let ended = harness.dn(args).await.expect(2);
        assert_eq!(ended.stdout, "", "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_3_a_wrong_configuration() {
    let harness = Harness::with(1).await;
    std::fs::write(harness.path("dn.toml"), "[instances.dn]\nurll = 'x'\npage-size = 0\n").expect("written");
    let ended = harness.dn(&["--config", "dn.toml", "config", "check"]).await.expect(3);
    let ended = ended.says("dn.toml:2:1: instances.dn.urll: unknown key (did you mean `url`?)");
    ended.says("dn.toml:3:13: instances.dn.page-size: 0 is not between 1 and 100");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_4_a_token_that_the_platform_refuses() {
    let harness = Harness::with(1).await;
    let mut command = harness.command(&["sync", "--demarche", &DEMARCHE.to_string(), "--to", "sqlite:d.db"]);
    end(command.env("DN_TOKEN", "bm9ib2R5O25vdGhpbmc=")).await.expect(4).says("refused the token");
    assert!(!harness.path("d.db").exists(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_5_done_with_a_dossier_in_quarantine_then_healed() {
    let harness = Harness::with(4).await;
    let poisoned = harness.sandbox.snapshot(DEMARCHE).dossiers.keys().next().copied().expect("a dossier");
    harness.sandbox.world().poison(poisoned, Poison::NullNode);
    let report = json(&harness.on_target("sync", &["--json"]).await.expect(5).stdout);
    assert_eq!(report["inserted"], 3);
    assert!(report["quarantined"].get(poisoned.to_string()).is_some(), "{report}");
    let status = harness.on_target("status", &[]).await.expect(0);
    assert!(status.stdout.contains(&poisoned.to_string()), "{}", status.stdout);
    harness.sandbox.world().heal(poisoned);
    let report = json(&harness.on_target("sync", &["--full", "--json"]).await.expect(0).stdout);
    assert_eq!((&report["inserted"], &report["quarantined"]), (&1.into(), &json("{}")));
    harness.on_target("verify", &[]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_6_a_platform_that_fails_and_a_target_left_as_it_was() {
    let harness = Harness::with(2).await;
    harness.on_target("sync", &[]).await.expect(0);
    let before = std::fs::read(harness.path("d.db")).expect("the database");
    harness.sandbox.plan(FaultPlan::new(Fault::Crash));
    harness.on_target("verify", &[]).await.expect(6).says("HTTP 500");
    assert_eq!(std::fs::read(harness.path("d.db")).expect("the database"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_7_another_run_works_on_the_target() {
    let harness = Harness::with(1).await;
    let sink = SqliteSink::open(harness.path("d.db")).await.expect("the target");
    harness.on_target("sync", &[]).await.expect(7).says("another run works on sqlite:d.db");
    let doctor = harness.on_target("doctor", &[]).await.expect(0);
    assert!(doctor.stdout.contains("warn  target: another run works on"), "{}", doctor.stdout);
    sink.close().await.expect("closed");
    harness.on_target("sync", &[]).await.expect(0);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn code_8_a_signal_finishes_the_commit_and_the_next_run_goes_on() {
    let harness = Harness::with(40).await;
    // Each answer takes its time, so that the signal surely finds the run at work.
    harness.sandbox.plan(FaultPlan::new(Fault::Slow(Duration::from_millis(200))));
    let number = DEMARCHE.to_string();
    let mut command =
        harness.command(&["sync", "--demarche", &number, "--to", "sqlite:d.db", "--page-size", "2", "--json", "-vv"]);
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    while let Some(line) = log.next_line().await.expect("a line") {
        if line.contains("page of 2 dossiers") {
            break;
        }
    }
    let pid = child.id().expect("it runs").to_string();
    let killed = std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill starts");
    assert!(killed.success());
    while log.next_line().await.expect("a line").is_some() {}
    let mut answer = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut answer).await.expect("the report");
    assert_eq!(child.wait().await.expect("it ends").code(), Some(8));
    let report = json(&answer);
    assert_eq!(report["outcome"], "interrupted");
    let committed = report["inserted"].as_u64().expect("a number");
    assert!((2..40).contains(&committed), "{committed}");
    harness.sandbox.clear_faults();
    let report = json(&harness.on_target("sync", &["--json"]).await.expect(0).stdout);
    assert_eq!(report["inserted"].as_u64(), Some(40 - committed), "what was committed is not inserted again");
    harness.on_target("verify", &[]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_9_verify_finds_differences_and_repair_mends_them() {
    let harness = Harness::with(8).await;
    harness.on_target("sync", &[]).await.expect(0);
    harness.sandbox.world().submit(DEMARCHE).expect("a new dossier");
    let numbers: Vec<u32> = harness.sandbox.snapshot(DEMARCHE).dossiers.keys().copied().collect();
    harness.sandbox.world().delete_without_trace(numbers[0]);
    let found = json(&harness.on_target("verify", &["--json"]).await.expect(9).stdout);
    assert_eq!((found["missing"].as_array().map(Vec::len), &found["ghost"][0]), (Some(1), &numbers[0].into()));
    harness.on_target("verify", &["--repair"]).await.expect(0);
    harness.on_target("verify", &[]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_10_plan_finds_changes_and_makes_none() {
    let harness = Harness::with(3).await;
    let plan = harness.on_target("plan", &["--exit-code"]).await.expect(10);
    assert_eq!(plan.stdout.matches("+ dossier").count(), 3, "{}", plan.stdout);
    assert!(!harness.path("d.db").exists(), "a plan creates nothing");
    harness.on_target("plan", &[]).await.expect(0);
    harness.on_target("sync", &[]).await.expect(0);
    let plan = json(&harness.on_target("plan", &["--exit-code", "--json"]).await.expect(0).stdout);
    assert_eq!((&plan["version"], plan["changes"].as_object().map(serde_json::Map::len)), (&1.into(), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn code_11_the_safety_brake_holds_until_somebody_says_so() {
    let harness = Harness::with(30).await;
    harness.on_target("sync", &[]).await.expect(0);
    let numbers: Vec<u32> = harness.sandbox.snapshot(DEMARCHE).dossiers.keys().copied().collect();
    for number in &numbers[..15] {
        harness.sandbox.world().delete_without_trace(*number);
    }
    harness.on_target("verify", &["--repair"]).await.expect(11);
    assert_eq!(json(&harness.on_target("status", &["--json"]).await.expect(0).stdout)["alive"], 30);
    harness.on_target("verify", &["--repair", "--allow-deletes"]).await.expect(0);
    assert_eq!(json(&harness.on_target("status", &["--json"]).await.expect(0).stdout)["alive"], 15);
}
