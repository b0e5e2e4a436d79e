//! Checks `config/monitoring`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::{judged, read, understands, written, yaml};

/// Every metric, with its labels. tests/cli compares them with those of the program.
pub const METRICS: &[(&str, &[&str])] = &[
    ("dn_brake_pulled", JOB),
    ("dn_dossiers_changed_total", &["instance", "demarche", "target", "kind"]),
    ("dn_hints_total", &["instance", "outcome"]),
    ("dn_lag_seconds", JOB),
    ("dn_last_success_timestamp_seconds", JOB),
    ("dn_outbox_depth", &["instance", "demarche", "target", "status"]),
    ("dn_quarantine_size", JOB),
    ("dn_rate_limit_wait_seconds_total", &["instance"]),
    ("dn_requests_total", &["instance", "outcome"]),
    ("dn_run_age_seconds", JOB),
    ("dn_runs_total", &["instance", "demarche", "target", "outcome"]),
    ("dn_schema_drift_total", JOB),
    ("dn_ticks_skipped_total", JOB),
    ("dn_token_expiry_timestamp_seconds", &["instance"]),
    ("dn_unknown_questions", JOB),
];
const JOB: &[&str] = &["instance", "demarche", "target"];

fn rules() -> Vec<Value> {
    let file = yaml("config/monitoring/alerts.yml");
    file["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .flat_map(|group| group["rules"].as_array().cloned().expect("rules"))
        .collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&read("config/monitoring/dashboard.json")).expect("JSON")
}

/// The panels that ask something.
fn panels() -> Vec<Value> {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().expect("panels");
    panels.iter().filter(|panel| panel["type"] != "row").cloned().collect()
}

/// Reads the queries of the panels, without the variables of Grafana.
fn asked() -> Vec<String> {
    let targets = panels().into_iter().flat_map(|panel| panel["targets"].as_array().cloned().expect("questions"));
    targets.map(|target| text(&target["expr"]).replace("$__rate_interval", "5m")).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The metrics of an expression, each with the labels that are asked of it.
fn metrics(expression: &str) -> Vec<(String, Vec<String>)> {
    let starts = expression.match_indices("dn_").map(|(at, _)| at);
    let whole = starts.filter(|at| !expression[..*at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
    let metric = |at: usize| {
        let rest = &expression[at..];
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
        let labels = rest[end..].strip_prefix('{').and_then(|rest| rest.split('}').next()).unwrap_or_default();
        let labels = labels.split(',').filter_map(|label| label.split(['=', '!']).next());
        (
            rest[..end].to_owned(),
            labels.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty()).collect(),
        )
    };
    whole.map(metric).collect()
}

#[test]
fn rules_and_dashboard_ask_for_metrics_and_labels_that_there_are_and_the_dashboard_for_all() {
    let known: BTreeMap<_, _> = METRICS.iter().copied().collect();
    let variables = dashboard()["templating"]["list"].as_array().cloned().expect("variables");
    let variables = variables.iter().filter_map(|variable| variable["definition"].as_str().map(str::to_owned));
    let rules = rules().iter().map(|rule| text(&rule["expr"])).collect::<Vec<_>>();
    for expression in rules.into_iter().chain(asked()).chain(variables) {
        let found = metrics(&expression);
        assert!(!found.is_empty(), "{expression}");
        for (name, labels) in found {
            let has = known.get(name.as_str()).unwrap_or_else(|| panic!("{name} is no metric: {expression}"));
            assert!(labels.iter().all(|label| has.contains(&label.as_str())), "{name} has {has:?}: {expression}");
        }
    }
    let shown: BTreeSet<_> = asked().iter().flat_map(|expression| metrics(expression)).map(|(name, _)| name).collect();
    assert_eq!(shown, METRICS.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn an_alert_says_how_urgent_it_is_what_happened_and_what_to_do() {
    let mut names = BTreeSet::new();
    for rule in rules() {
        let name = text(&rule["alert"]);
        assert!(["page", "ticket"].contains(&text(&rule["labels"]["severity"]).as_str()), "{name}");
        let said = [text(&rule["annotations"]["summary"]), text(&rule["annotations"]["description"])].concat();
        // The commands that it names are commands.
        for command in said.split('`').skip(1).step_by(2).filter_map(|command| command.strip_prefix("dn ")) {
            understands(command.split_whitespace());
        }
        assert!(names.insert(name.clone()), "{name} is there twice");
    }
    let tests = yaml("tests/packaging/alerts.test.yml").to_string();
    for name in names {
        assert!(tests.contains(&format!("alertname=\\\"{name}\\\"")), "{name} is never seen firing");
    }
}

#[test]
fn alerts_put_together_what_several_workers_tell() {
    for rule in rules() {
        let expression = text(&rule["expr"]);
        assert!([" by (instance", "absent("].iter().any(|words| expression.contains(words)), "{expression}");
    }
}

#[test]
fn panels_have_a_title_an_explanation_and_a_place_of_their_own() {
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in dashboard()["panels"].as_array().expect("panels") {
        let title = text(&panel["title"]);
        assert!(ids.insert(panel["id"].as_u64().expect("a number")), "{title}");
        let number = |key: &str| panel["gridPos"][key].as_u64().unwrap_or_else(|| panic!("{title} has no {key}"));
        assert!(number("x") + number("w") <= 24, "{title}");
        for x in number("x")..number("x") + number("w") {
            for y in number("y")..number("y") + number("h") {
                assert!(taken.insert((x, y)), "{title} lies on another panel");
            }
        }
    }
    for panel in panels() {
        assert!(!text(&panel["description"]).is_empty(), "{}", panel["title"]);
        // The source of data is chosen by whoever imports it.
        assert_eq!(panel["datasource"], json!({ "type": "prometheus", "uid": "${datasource}" }), "{}", panel["title"]);
    }
}

#[test]
fn prometheus_keeps_the_name_of_the_instance_and_reads_the_rules() {
    let file = yaml("config/monitoring/prometheus.yml");
    assert_eq!(file["rule_files"], json!(["alerts.yml"]));
    assert_eq!(file["scrape_configs"][0]["honor_labels"], true);
}

#[test]
fn promtool_finds_no_fault_and_the_alerts_fire_when_they_should() {
    judged("promtool", &["check", "config", "config/monitoring/prometheus.yml"]);
    judged("promtool", &["test", "rules", "tests/packaging/alerts.test.yml"]);
    // It reads no dashboards: their questions are shown to it as rules.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let question = |(number, expression)| json!({ "record": format!("panel:{number}"), "expr": expression });
    let rules: Vec<_> = asked().into_iter().enumerate().map(question).collect();
    let text = json!({ "groups": [{ "name": "dashboard", "rules": rules }] }).to_string();
    let path = written(&folder, "dashboard.yml", &text);
    judged("promtool", &["check", "rules", Path::to_str(&path).expect("a temporary path is text")]);
}
