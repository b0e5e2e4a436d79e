//! Writes the state of jobs and instances as the text that Prometheus reads (its format 0.0.4). Pure.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use jiff::{Timestamp, tz::TimeZone};

use super::hints::HintCounts;
use super::status_board::{InstanceState, JobKey, JobState};

type Jobs = BTreeMap<JobKey, JobState>;
type Instances = BTreeMap<String, InstanceState>;

/// The text of all metrics. Every job has its counters from the start; a gauge is left out as long as nothing is known.
///
/// `instance` is an instance of the platform, `target` a target without credentials.
#[must_use]
pub fn metrics(jobs: &Jobs, instances: &Instances, now: Timestamp) -> String {
    let mut page = Page(String::new());
    freshness(&mut page, jobs, now);
    work(&mut page, jobs);
    platform(&mut page, instances);
    page.0
}

fn freshness(page: &mut Page, jobs: &Jobs, now: Timestamp) {
    let age = |at: Timestamp| now.duration_since(at).as_secs().max(0);
    page.gauge(
        "dn_last_success_timestamp_seconds",
        "When the last run that did its work ended, wherever it was.",
        of_jobs(jobs, |state| state.last_success.map(Timestamp::as_second)),
    );
    page.gauge(
        "dn_run_age_seconds",
        "How long ago that was; not told of what is paused.",
        of_jobs(jobs, |state| state.last_success.filter(|_| !state.paused).map(age)),
    );
    page.gauge(
        "dn_lag_seconds",
        "The age of the newest change of a dossier up to which everything is in the target or in quarantine.",
        of_jobs(jobs, |state| state.found.and_then(|found| found.watermark).map(age)),
    );
    page.gauge(
        "dn_quarantine_size",
        "Dossiers in quarantine after the last run that did its work.",
        of_jobs(jobs, |state| state.found.map(|found| found.quarantine)),
    );
    page.gauge(
        "dn_unknown_questions",
        "Questions that dossiers answer and that no revision of the form has, after the last run that did its work.",
        of_jobs(jobs, |state| state.found.map(|found| found.strangers)),
    );
    page.gauge(
        "dn_brake_pulled",
        "Whether the last run that did its work held deletions back (1).",
        of_jobs(jobs, |state| state.found.map(|found| u8::from(found.brake))),
    );
}

fn work(page: &mut Page, jobs: &Jobs) {
    page.counter(
        "dn_runs_total",
        "Runs that ended in this process, by how.",
        of_kinds(jobs, "outcome", |state| {
            let runs = state.runs;
            vec![
                ("done", runs.done),
                ("quarantine", runs.quarantine),
                ("interrupted", runs.interrupted),
                ("failed", runs.failed),
            ]
        }),
    );
    page.counter(
        "dn_ticks_skipped_total",
        "Ticks that passed while a run was under way.",
        of_jobs(jobs, |state| Some(state.skipped_ticks)),
    );
    page.counter(
        "dn_dossiers_changed_total",
        "Dossiers that runs of this process changed in the target, by how.",
        of_kinds(jobs, "kind", |state| {
            let changed = state.changed;
            vec![
                ("inserted", changed.inserted),
                ("updated", changed.updated),
                ("deleted", changed.deleted),
                ("restored", changed.restored),
            ]
        }),
    );
    page.counter(
        "dn_schema_drift_total",
        "Things that the platform sent to runs of this process and that this version does not know.",
        of_jobs(jobs, |state| Some(state.drift)),
    );
    page.gauge(
        "dn_outbox_depth",
        "Intents in the outbox of the target, by status, when somebody last looked.",
        of_kinds(jobs, "status", |state| state.outbox.iter().map(|(status, count)| (*status, *count)).collect()),
    );
}

fn platform(page: &mut Page, instances: &Instances) {
    let each = |name: &String| vec![("instance", name.clone())];
    page.counter(
        "dn_requests_total",
        "Requests to the platform, by how they ended: ok, rate_limited (429), failed.",
        instances.iter().flat_map(|(name, state)| {
            let stats = state.stats;
            let outcomes = [("ok", stats.answered), ("rate_limited", stats.rate_limited), ("failed", stats.failed)];
            outcomes.map(|(outcome, count)| ([each(name), vec![("outcome", outcome.to_owned())]].concat(), count))
        }),
    );
    page.counter(
        "dn_rate_limit_wait_seconds_total",
        "How long requests waited for a place under the rate limit.",
        instances.iter().map(|(name, state)| (each(name), format!("{:.3}", state.stats.waited.as_secs_f64()))),
    );
    page.counter(
        "dn_hints_total",
        "Calls of the platform's webhooks, by what became of them: accepted, unknown, ignored, limited.",
        instances.iter().flat_map(|(name, state)| {
            let HintCounts { accepted, unknown, ignored, limited } = state.hints;
            let outcomes = [("accepted", accepted), ("unknown", unknown), ("ignored", ignored), ("limited", limited)];
            outcomes.map(|(outcome, count)| ([each(name), vec![("outcome", outcome.to_owned())]].concat(), count))
        }),
    );
    page.gauge(
        "dn_token_expiry_timestamp_seconds",
        "When the day begins on which the token expires, in UTC, as the configuration says.",
        instances.iter().filter_map(|(name, state)| {
            let begins = state.token_expires?.to_zoned(TimeZone::UTC).ok()?;
            Some((each(name), begins.timestamp().as_second()))
        }),
    );
}

type Labels = Vec<(&'static str, String)>;

fn labels(key: &JobKey) -> Labels {
    let JobKey { scope, target } = key;
    vec![("instance", scope.instance.clone()), ("demarche", scope.demarche.to_string()), ("target", target.clone())]
}

/// One sample a job of which there is something to tell.
fn of_jobs<V>(jobs: &Jobs, value: impl Fn(&JobState) -> Option<V>) -> impl Iterator<Item = (Labels, V)> {
    jobs.iter().filter_map(move |(key, state)| Some((labels(key), value(state)?)))
}

/// One sample for each kind of something, which the label names.
fn of_kinds(
    jobs: &Jobs,
    label: &'static str,
    values: impl Fn(&JobState) -> Vec<(&'static str, u64)>,
) -> impl Iterator<Item = (Labels, u64)> {
    jobs.iter().flat_map(move |(key, state)| {
        let of = labels(key);
        let one = move |(kind, value): (&str, u64)| ([of.clone(), vec![(label, kind.to_owned())]].concat(), value);
        values(state).into_iter().map(one)
    })
}

struct Page(String);

impl Page {
    fn gauge<V: Display>(&mut self, name: &str, help: &str, samples: impl Iterator<Item = (Labels, V)>) {
        self.family(name, "gauge", help, samples);
    }

    fn counter<V: Display>(&mut self, name: &str, help: &str, samples: impl Iterator<Item = (Labels, V)>) {
        self.family(name, "counter", help, samples);
    }

    fn family<V: Display>(&mut self, name: &str, kind: &str, help: &str, samples: impl Iterator<Item = (Labels, V)>) {
        let mut samples = samples.peekable();
        if samples.peek().is_none() {
            return;
        }
        // Writing to a text does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let labels = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value)));
            let _ = writeln!(self.0, "{name}{{{}}} {value}", labels.collect::<Vec<_>>().join(","));
        }
    }
}

/// The value of a label: backslash, quote and end of line are written with a backslash.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
