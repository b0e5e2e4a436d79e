//! Checks the HTTP endpoint of `dn run`: health, readiness, and metrics that agree with the run history.

use std::collections::{BTreeMap, BTreeSet};

use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DemarcheSpec, FormSpec, WorldSpec};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::harness::{DEMARCHE, Harness};
use super::workers::Worker;
use crate::packaging::judged_text;
use crate::packaging::monitoring::METRICS;

/// A tick that does not come while the tests run.
const NEW_YEAR: &str = "0 0 1 1 *";

async fn harness(run: &str) -> Harness {
    let demarches = vec![DemarcheSpec::new(DEMARCHE, FormSpec::Simple { champs: 3 }, 5)];
    let harness = Harness::in_world(&WorldSpec { demarches, ..WorldSpec::new(Platform::DemarcheNumerique) }).await;
    harness.write(
        "dn.toml",
        &format!(
            "[instances.dn]\ntoken-expires = '2031-01-31'\n[targets.local]\ntype = 'sqlite'\npath = 'd.db'\n\
             [run]\njitter = '0s'\n{run}\n[[demarches]]\nnumber = {DEMARCHE}\n"
        ),
    );
    harness
}

/// Starts it, and waits for the address of its endpoint.
pub(super) async fn open(harness: &Harness) -> (Worker, String) {
    let mut worker = Worker::start(harness, &["--config", "dn.toml", "run"], &[]);
    let endpoint = endpoint_of(&mut worker).await;
    (worker, endpoint)
}

/// Reads the address of the endpoint from the log of a process that was just started.
pub(super) async fn endpoint_of(worker: &mut Worker) -> String {
    let line = worker.says("listening on http://").await;
    let (_, rest) = line.split_once("http://").expect("an address");
    rest.split(": ").next().expect("an address").to_owned()
}

/// Sends a request to the endpoint and returns status and body.
pub(super) async fn ask(address: &str, request: &str) -> (u16, String) {
    let mut line = TcpStream::connect(address).await.expect("the endpoint accepts a connection");
    let request = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    line.write_all(request.as_bytes()).await.expect("it listens");
    let mut answer = String::new();
    line.read_to_string(&mut answer).await.expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

/// The samples: name and labels, and the value.
pub(super) async fn metrics(address: &str) -> BTreeMap<String, f64> {
    let (status, text) = ask(address, "GET /metrics").await;
    assert_eq!(status, 200);
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    samples.map(sample).collect()
}

fn of(name: &str, more: &str) -> String {
    format!("{name}{{instance=\"dn\",demarche=\"{DEMARCHE}\",target=\"sqlite:d.db\"{more}}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_tell_the_same_story_as_the_run_history() {
    let harness = harness("schedule = '1s'\nlisten = '127.0.0.1:0'").await;
    let (mut worker, endpoint) = open(&harness).await;
    worker.says(&format!("run of démarche {DEMARCHE} ends: done")).await;
    worker.says(&format!("run of démarche {DEMARCHE} ends: done")).await;
    assert_eq!(ask(&endpoint, "GET /healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(ask(&endpoint, "GET /readyz").await, (200, "ready\n".to_owned()));
    for request in ["GET /", "POST /metrics", "GET /metrics/"] {
        assert_eq!(ask(&endpoint, request).await.0, 404, "{request}");
    }
    harness.sandbox.world().token_mut().revoked = true;
    worker.says(&format!("run of démarche {DEMARCHE} ends: failed")).await;
    // The line is written before the loop hears of it. The next attempt is a minute away.
    let told = loop {
        let told = metrics(&endpoint).await;
        if told[&of("dn_runs_total", ",outcome=\"failed\"")] > 0.0 {
            break told;
        }
    };
    let status = harness.dn(&["--config", "dn.toml", "status", "--json", "--runs", "200"]).await.expect(0).stdout;
    let status: Value = serde_json::from_str(&status).expect("one object");
    let runs = status["runs"].as_array().expect("runs");
    for outcome in ["done", "quarantine", "interrupted", "failed"] {
        let count = runs.iter().filter(|run| run["outcome"] == outcome).count();
        let sample = of("dn_runs_total", &format!(",outcome=\"{outcome}\""));
        assert_eq!(told[&sample], count as f64, "{sample}");
    }
    for kind in ["inserted", "updated", "deleted", "restored"] {
        let count: u64 = runs.iter().filter_map(|run| run["report"][kind].as_u64()).sum();
        let sample = of("dn_dossiers_changed_total", &format!(",kind=\"{kind}\""));
        assert_eq!(told[&sample], count as f64, "{sample}");
    }
    assert_eq!(told[&of("dn_dossiers_changed_total", ",kind=\"inserted\"")], 5.0);
    let success: jiff::Timestamp = status["last_success"].as_str().expect("an instant").parse().expect("an instant");
    assert_eq!(told[&of("dn_last_success_timestamp_seconds", "")], success.as_second() as f64);
    assert_eq!(told[&of("dn_quarantine_size", "")], 0.0);
    assert_eq!(told[&of("dn_outbox_depth", ",status=\"pending\"")], 0.0);
    assert!(told["dn_requests_total{instance=\"dn\",outcome=\"ok\"}"] > 0.0);
    assert!(told["dn_requests_total{instance=\"dn\",outcome=\"failed\"}"] > 0.0);

    // These and no others are what rules and dashboard ask for.
    let shape = |sample: &String| {
        let (name, labels) = sample.split_once('{').expect("labels");
        let labels = labels.split(',').filter_map(|label| label.split('=').next()).map(str::to_owned);
        (name.to_owned(), labels.collect::<Vec<_>>())
    };
    let promised = METRICS.iter().map(|(name, labels)| ((*name).to_owned(), labels.iter().map(|l| (*l).to_owned())));
    let promised: BTreeSet<_> = promised.map(|(name, labels)| (name, labels.collect())).collect();
    assert_eq!(told.keys().map(shape).collect::<BTreeSet<_>>(), promised);
    assert_eq!(worker.stop().await.code, Some(0));
    assert!(TcpStream::connect(&endpoint).await.is_err(), "the endpoint is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_is_too_old_is_not_ready_and_says_which() {
    let run = format!("schedule = '{NEW_YEAR}'\nlisten = '127.0.0.1:0'\nready-within = '0s'");
    let harness = harness(&run).await;
    let (mut worker, endpoint) = open(&harness).await;
    worker.says(&format!("run of démarche {DEMARCHE} ends: done")).await;
    let words = loop {
        let (status, words) = ask(&endpoint, "GET /readyz").await;
        assert_eq!(status, 503);
        if words.contains("ended") {
            break words;
        }
    };
    assert!(words.starts_with(&format!("démarche {DEMARCHE} of dn into sqlite:d.db: ")), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");
    // A reload does not change the endpoint.
    let text = std::fs::read_to_string(harness.path("dn.toml")).expect("it is there");
    harness.write("dn.toml", &text.replace("ready-within = '0s'", ""));
    worker.signal("HUP");
    worker.says("that needs a restart").await;
    assert_eq!(ask(&endpoint, "GET /readyz").await.0, 503);
    assert_eq!(worker.stop().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_another_program_has_ends_the_start() {
    let other = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = other.local_addr().expect("an address");
    let harness = harness(&format!("listen = '{address}'")).await;
    let ended = harness.dn(&["--config", "dn.toml", "run"]).await.expect(3);
    ended.says(&format!("nothing can listen on {address}"));
    assert!(!harness.path("d.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_idle_connections_takes_no_descriptor_from_the_runs() {
    let harness = harness("schedule = '1s'\nlisten = '127.0.0.1:0'").await;
    let mut worker = Worker::of(harness.command_under("ulimit -n 128", &["--config", "dn.toml", "run"]));
    let endpoint = endpoint_of(&mut worker).await;
    let mut idle = Vec::new();
    for number in 0..200 {
        let mut line = TcpStream::connect(&endpoint).await.expect("the endpoint accepts a connection");
        if number % 2 == 0 {
            let _ = line.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").await;
        }
        idle.push(line);
    }
    assert_eq!(ask(&endpoint, "GET /healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(ask(&endpoint, "HEAD /healthz").await, (200, String::new()));
    // Two whole runs, each of which opens the database, its log and its lock.
    for _ in 0..2 {
        worker.says(&format!("run of démarche {DEMARCHE} ends: done")).await;
    }
    drop(idle);
    assert_eq!(worker.stop().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_finds_no_fault_in_the_metrics() {
    let harness = harness("schedule = '1s'\nlisten = '127.0.0.1:0'").await;
    let (mut worker, endpoint) = open(&harness).await;
    worker.says(&format!("run of démarche {DEMARCHE} ends: done")).await;
    // A second run begins after the first one is on the board.
    worker.says(&format!("run of démarche {DEMARCHE} ends: done")).await;
    let (_, text) = ask(&endpoint, "GET /metrics").await;
    assert!(text.contains("dn_run_age_seconds"), "{text}");
    judged_text("promtool", &["check", "metrics"], &text);
    assert_eq!(worker.stop().await.code, Some(0));
}
