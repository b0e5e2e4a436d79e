//! Checks alerts of `dn run`: one when a condition begins, one when it ends.

use demarche_numerique::Platform;
use demarche_numerique::sandbox::world::Poison;
use demarche_numerique::sandbox::{DemarcheSpec, FormSpec, WorldSpec};
use serde_json::Value;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::harness::{DEMARCHE, Harness};
use super::workers::Worker;

async fn harness(alerts: &str) -> Harness {
    let demarches = vec![DemarcheSpec::new(DEMARCHE, FormSpec::Simple { champs: 3 }, 5)];
    let harness = Harness::in_world(&WorldSpec { demarches, ..WorldSpec::new(Platform::DemarcheNumerique) }).await;
    // What the program is told is kept in a file, a line each.
    harness.write("keep.sh", "cat >> \"$1\"\n");
    harness.write(
        "dn.toml",
        &format!(
            "[instances.dn]\ntoken-expires = '2001-01-31'\n[targets.local]\ntype = 'sqlite'\npath = 'd.db'\n\
             [run]\njitter = '0s'\nschedule = '1s'\n[run.alerts]\n{alerts}\n[[demarches]]\nnumber = {DEMARCHE}\n"
        ),
    );
    harness
}

fn told(harness: &Harness) -> Vec<Value> {
    let text = std::fs::read_to_string(harness.path("told")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_told_once_when_it_begins_and_once_when_it_is_over() {
    let harness = harness("command = ['sh', 'keep.sh', 'told']\nquarantine-after = '0s'").await;
    let number = harness.sandbox.snapshot(DEMARCHE).dossiers.keys().next().copied().expect("a dossier");
    harness.sandbox.world().poison(number, Poison::NullNode);
    let mut worker = Worker::start(&harness, &["--config", "dn.toml", "run"], &[]);
    worker.says("alert by command: démarche").await;
    // Two more runs find it again and wake nobody.
    worker.says("ends: done, some in quarantine").await;
    worker.says("ends: done, some in quarantine").await;
    harness.sandbox.world().heal(number);
    harness.sandbox.world().touch(number);
    worker.says("alert by command: over: ").await;
    assert_eq!(worker.stop().await.code, Some(0));
    let told = told(&harness);
    let seen: Vec<_> = told.iter().map(|line| (line["alert"].as_str(), line["state"].as_str())).collect();
    let expected = [("token", "begins"), ("quarantine", "begins"), ("quarantine", "ends")];
    assert_eq!(seen, expected.map(|(alert, state)| (Some(alert), Some(state))));
    assert_eq!(told[0]["text"], "the token of dn ended on 2001-01-31");
    assert_eq!(
        (told[1]["demarche"].as_u64(), told[1]["target"].as_str()),
        (Some(DEMARCHE.into()), Some("sqlite:d.db"))
    );
    let text = told[1]["text"].as_str().expect("a text");
    assert!(!text.contains(&number.to_string()), "a dossier is not named: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_does_not_leave_stops_nothing_and_is_tried_by_each_way_alone() {
    let harness = harness("command = ['./no-such-program']\nwebhook-env = 'ALERTS'").await;
    let chat = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/s3cr3t"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&chat)
        .await;
    let address = format!("{}/s3cr3t", chat.uri());
    let mut worker = Worker::start(&harness, &["--config", "dn.toml", "run"], &[("ALERTS", &address)]);
    worker.says("the alert could not be sent by command and is tried again: `./no-such-program`").await;
    worker.says("alert by webhook: the token of dn ended").await;
    worker.says("ends: done").await;
    worker.says("ends: done").await;
    let stopped = worker.stop().await;
    assert_eq!(stopped.code, Some(0));
    assert!(stopped.lines.iter().all(|line| !line.contains("s3cr3t")), "the address is a secret");
    let body: Value = chat.received_requests().await.expect("they are kept")[0].body_json().expect("JSON");
    assert_eq!(body["text"], "the token of dn ended on 2001-01-31");
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_that_reach_nobody_are_refused_at_the_start() {
    for (alerts, words) in [
        ("failing-after = '1h'", "nobody is told"),
        ("command = []", "the program is missing"),
        ("webhook-env = 'NOT_THERE'", "NOT_THERE"),
        ("webhook-env = 'CLEAR'", "http would send"),
    ] {
        let harness = harness(alerts).await;
        let mut command = harness.command(&["--config", "dn.toml", "run"]);
        let ended = super::harness::end(command.env("CLEAR", "http://chat.example.org/s3cr3t")).await.expect(3);
        assert!(ended.stderr.contains(words) && !ended.stderr.contains("s3cr3t"), "{}", ended.stderr);
    }
}
