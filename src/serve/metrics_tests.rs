//! The text, as Prometheus gets it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::facts::{Changed, Found, Runs};
use super::hints::HintCounts;
use super::metrics::metrics;
use super::status_board::{InstanceState, JobKey, JobState};
use crate::api::Stats;
use crate::ids::{DemarcheNumber, Scope};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn key(number: u32, target: &str) -> JobKey {
    let scope = Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(number) };
    JobKey { scope, target: target.to_owned() }
}

#[test]
fn every_metric_is_told_in_the_format_of_prometheus() {
    let state = JobState {
        last_success: Some(at("2026-03-02T08:00:00Z")),
        runs: Runs { done: 5, quarantine: 1, interrupted: 2, failed: 3 },
        skipped_ticks: 4,
        changed: Changed { inserted: 10, updated: 20, deleted: 1, restored: 0 },
        found: Some(Found { quarantine: 2, watermark: Some(at("2026-03-02T07:59:00Z")), brake: true, strangers: 3 }),
        drift: 1,
        outbox: BTreeMap::from([("pending", 3), ("done", 9)]),
        ..JobState::default()
    };
    let stats = Stats {
        requests: 103,
        answered: 100,
        rate_limited: 1,
        failed: 2,
        waited: Duration::from_millis(1500),
        ..Stats::default()
    };
    let hints = HintCounts { accepted: 7, unknown: 1, ignored: 2, limited: 300 };
    let instances =
        BTreeMap::from([("dn".to_owned(), InstanceState { stats, token_expires: "2026-03-12".parse().ok(), hints })]);
    let jobs = BTreeMap::from([(key(12, "sqlite:d.db"), state)]);
    insta::assert_snapshot!(metrics(&jobs, &instances, at("2026-03-02T08:10:00Z")), @r##"
    # HELP dn_last_success_timestamp_seconds When the last run that did its work ended, wherever it was.
    # TYPE dn_last_success_timestamp_seconds gauge
    dn_last_success_timestamp_seconds{instance="dn",demarche="12",target="sqlite:d.db"} 1772438400
    # HELP dn_run_age_seconds How long ago that was; not told of what is paused.
    # TYPE dn_run_age_seconds gauge
    dn_run_age_seconds{instance="dn",demarche="12",target="sqlite:d.db"} 600
    # HELP dn_lag_seconds The age of the newest change of a dossier up to which everything is in the target or in quarantine.
    # TYPE dn_lag_seconds gauge
    dn_lag_seconds{instance="dn",demarche="12",target="sqlite:d.db"} 660
    # HELP dn_quarantine_size Dossiers in quarantine after the last run that did its work.
    # TYPE dn_quarantine_size gauge
    dn_quarantine_size{instance="dn",demarche="12",target="sqlite:d.db"} 2
    # HELP dn_unknown_questions Questions that dossiers answer and that no revision of the form has, after the last run that did its work.
    # TYPE dn_unknown_questions gauge
    dn_unknown_questions{instance="dn",demarche="12",target="sqlite:d.db"} 3
    # HELP dn_brake_pulled Whether the last run that did its work held deletions back (1).
    # TYPE dn_brake_pulled gauge
    dn_brake_pulled{instance="dn",demarche="12",target="sqlite:d.db"} 1
    # HELP dn_runs_total Runs that ended in this process, by how.
    # TYPE dn_runs_total counter
    dn_runs_total{instance="dn",demarche="12",target="sqlite:d.db",outcome="done"} 5
    dn_runs_total{instance="dn",demarche="12",target="sqlite:d.db",outcome="quarantine"} 1
    dn_runs_total{instance="dn",demarche="12",target="sqlite:d.db",outcome="interrupted"} 2
    dn_runs_total{instance="dn",demarche="12",target="sqlite:d.db",outcome="failed"} 3
    # HELP dn_ticks_skipped_total Ticks that passed while a run was under way.
    # TYPE dn_ticks_skipped_total counter
    dn_ticks_skipped_total{instance="dn",demarche="12",target="sqlite:d.db"} 4
    # HELP dn_dossiers_changed_total Dossiers that runs of this process changed in the target, by how.
    # TYPE dn_dossiers_changed_total counter
    dn_dossiers_changed_total{instance="dn",demarche="12",target="sqlite:d.db",kind="inserted"} 10
    dn_dossiers_changed_total{instance="dn",demarche="12",target="sqlite:d.db",kind="updated"} 20
    dn_dossiers_changed_total{instance="dn",demarche="12",target="sqlite:d.db",kind="deleted"} 1
    dn_dossiers_changed_total{instance="dn",demarche="12",target="sqlite:d.db",kind="restored"} 0
    # HELP dn_schema_drift_total Things that the platform sent to runs of this process and that this version does not know.
    # TYPE dn_schema_drift_total counter
    dn_schema_drift_total{instance="dn",demarche="12",target="sqlite:d.db"} 1
    # HELP dn_outbox_depth Intents in the outbox of the target, by status, when somebody last looked.
    # TYPE dn_outbox_depth gauge
    dn_outbox_depth{instance="dn",demarche="12",target="sqlite:d.db",status="done"} 9
    dn_outbox_depth{instance="dn",demarche="12",target="sqlite:d.db",status="pending"} 3
    # HELP dn_requests_total Requests to the platform, by how they ended: ok, rate_limited (429), failed.
    # TYPE dn_requests_total counter
    dn_requests_total{instance="dn",outcome="ok"} 100
    dn_requests_total{instance="dn",outcome="rate_limited"} 1
    dn_requests_total{instance="dn",outcome="failed"} 2
    # HELP dn_rate_limit_wait_seconds_total How long requests waited for a place under the rate limit.
    # TYPE dn_rate_limit_wait_seconds_total counter
    dn_rate_limit_wait_seconds_total{instance="dn"} 1.500
    # HELP dn_hints_total Calls of the platform's webhooks, by what became of them: accepted, unknown, ignored, limited.
    # TYPE dn_hints_total counter
    dn_hints_total{instance="dn",outcome="accepted"} 7
    dn_hints_total{instance="dn",outcome="unknown"} 1
    dn_hints_total{instance="dn",outcome="ignored"} 2
    dn_hints_total{instance="dn",outcome="limited"} 300
    # HELP dn_token_expiry_timestamp_seconds When the day begins on which the token expires, in UTC, as the configuration says.
    # TYPE dn_token_expiry_timestamp_seconds gauge
    dn_token_expiry_timestamp_seconds{instance="dn"} 1773273600
    "##);
}

#[test]
fn counters_are_there_from_the_start_and_gauges_when_something_is_known() {
    let jobs = BTreeMap::from([(key(12, "sqlite:d.db"), JobState::default())]);
    let instances = BTreeMap::from([("dn".to_owned(), InstanceState::default())]);
    let text = metrics(&jobs, &instances, at("2026-03-02T08:10:00Z"));
    let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(samples.len(), 4 + 1 + 4 + 1 + 3 + 1 + 4, "{text}");
    assert!(samples.iter().all(|sample| sample.contains("_total{")), "{text}");
    assert!(samples.iter().all(|sample| sample.ends_with(" 0") || sample.ends_with(" 0.000")), "{text}");
}

#[test]
fn what_is_paused_has_no_age() {
    let paused = JobState { paused: true, last_success: Some(at("2026-03-02T08:00:00Z")), ..JobState::default() };
    let text = metrics(&BTreeMap::from([(key(12, "t"), paused)]), &BTreeMap::new(), at("2026-03-02T08:10:00Z"));
    assert!(text.contains("dn_last_success_timestamp_seconds{") && !text.contains("dn_run_age_seconds"), "{text}");
}

#[test]
fn no_value_of_a_label_ends_it() {
    let jobs = BTreeMap::from([(key(12, "sqlite:a\"b\\c\nd"), JobState::default())]);
    let text = metrics(&jobs, &BTreeMap::new(), at("2026-03-02T08:10:00Z"));
    let line = r#"dn_ticks_skipped_total{instance="dn",demarche="12",target="sqlite:a\"b\\c\nd"} 0"#;
    assert!(text.lines().any(|found| found == line), "{text}");
}
