//! State of every job in this process, for the endpoint, metrics and alerts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use tokio::sync::Notify;

use super::due::{Due, Ended, History};
use super::facts::{Changed, Found, Runs, quarantined_since};
use super::hints::{HintCounts, Outcome};
use super::service::Planned;
use crate::api::{Client, Stats};
use crate::ids::Scope;
use crate::report::{Report, RunOutcome, RunRecord};

/// A job: a démarche and where its dossiers go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct JobKey {
    /// Which démarche of which instance.
    pub scope: Scope,
    /// The target, without credentials.
    pub target: String,
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.scope, self.target)
    }
}

/// Tells how far a run under way is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunProgress {
    /// The number of dossiers that were read.
    pub read: u64,
    /// The number of dossiers in the target before the run.
    pub alive: u64,
    /// True if it reads every dossier.
    pub sweep: bool,
}

/// Sums a run up in one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RunLine {
    /// When it ended.
    pub ended_at: Timestamp,
    /// Its outcome.
    pub outcome: RunOutcome,
    /// The number of new dossiers.
    pub inserted: u64,
    /// The number of dossiers that moved.
    pub updated: u64,
    /// The number of dossiers that are newly gone.
    pub deleted: u64,
}

impl RunLine {
    fn of(outcome: RunOutcome, ended_at: Timestamp, report: &Report) -> Self {
        let counts = report.counts;
        Self { ended_at, outcome, inserted: counts.inserted, updated: counts.updated, deleted: counts.deleted }
    }
}

/// The number of runs that the board remembers of a job.
const RECENT: usize = 5;

/// Holds the state of a job since this process began. What happened before, and elsewhere, is in the run history of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JobState {
    /// Since when it runs here.
    pub running_since: Option<Timestamp>,
    /// The progress of the run under way; `None` before it says so.
    pub progress: Option<RunProgress>,
    /// The last runs, newest first, wherever they were: as the target told at the last look, and those here since.
    pub recent: Vec<RunLine>,
    /// The outcome of the last run here.
    pub last_outcome: Option<RunOutcome>,
    /// When the last run here ended.
    pub last_ended: Option<Timestamp>,
    /// When the last run that did its work ended, wherever it was.
    pub last_success: Option<Timestamp>,
    /// From when on the data of that run is older than the rhythm makes it.
    pub late_from: Option<Timestamp>,
    /// The number of runs that ended here, by outcome.
    pub runs: Runs,
    /// The number of the last runs that failed in a row, wherever they were.
    pub failures_in_a_row: u32,
    /// When the first of these ended, as far back as was looked.
    pub failing_since: Option<Timestamp>,
    /// Ticks that passed while a run was under way, and were skipped.
    pub skipped_ticks: u64,
    /// The number of times that another worker had it.
    pub taken_elsewhere: u64,
    /// When it is to run next; `None` while it is paused.
    pub next: Option<Timestamp>,
    /// True if it is paused.
    pub paused: bool,
    /// The number of dossiers that the runs here changed.
    pub changed: Changed,
    /// The findings of the last run that did its work, wherever it was; `None` before the first look at the target.
    pub found: Option<Found>,
    /// Since when runs have found dossiers in quarantine, as far back as was looked.
    pub quarantined_since: Option<Timestamp>,
    /// When a run here last met something of the platform that this version does not know.
    pub drift_at: Option<Timestamp>,
    /// The number of times that the platform sent something that this version does not know.
    pub drift: u64,
    /// The number of intents in the outbox of the target, by the word of their status, at the last look.
    pub outbox: BTreeMap<&'static str, u64>,
}

impl JobState {
    pub(super) fn plan(&mut self, due: Due) {
        self.next = match due {
            Due::Since(at) | Due::At(at) => Some(at),
            Due::Never => None,
        };
    }

    /// Takes what a run found, or that nothing is known.
    fn find(&mut self, found: Option<Found>, since: Option<Timestamp>) {
        self.found = found;
        let full = found.is_some_and(|found| found.quarantine > 0);
        self.quarantined_since = if full { self.quarantined_since.into_iter().chain(since).min() } else { None };
    }

    pub(super) fn succeeded(&mut self, planned: &Planned, at: Option<Timestamp>) {
        (self.last_success, self.late_from) = (at, at.and_then(|at| planned.late_from(at)));
    }
}

/// Holds the state of an instance since this process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InstanceState {
    /// The counts of its requests.
    pub stats: Stats,
    /// The day on which its token ends, where the configuration says it.
    pub token_expires: Option<Date>,
    /// The counts of the calls of its webhooks.
    pub hints: HintCounts,
}

/// The state of every job and instance. Clones are handles on the same board.
///
/// The loop tells it of runs and ticks, the runner of what it reads in targets and reports.
#[derive(Clone, Debug, Default)]
pub struct StatusBoard(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    content: Mutex<Content>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Content {
    jobs: BTreeMap<JobKey, JobState>,
    /// Each with what earlier clients of the same instance were asked.
    instances: BTreeMap<String, (Client, InstanceState)>,
}

impl StatusBoard {
    /// Copies the state of every job.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<JobKey, JobState> {
        self.content().jobs.clone()
    }

    /// Copies the state of every instance.
    #[must_use]
    pub fn instances(&self) -> BTreeMap<String, InstanceState> {
        let content = self.content();
        let now = |(client, before): &(Client, InstanceState)| InstanceState {
            stats: before.stats + client.stats(),
            ..*before
        };
        content.instances.iter().map(|(name, known)| (name.clone(), now(known))).collect()
    }

    /// Watches these clients, by the names of their instances, each with the day on which its token ends. What is known of
    /// the ones before them is kept.
    pub fn watch(&self, clients: impl IntoIterator<Item = (String, Client, Option<Date>)>) {
        let before = self.instances();
        let watched = clients.into_iter().map(|(name, client, token_expires)| {
            let before = before.get(&name).copied().unwrap_or_default();
            (name, (client, InstanceState { token_expires, ..before }))
        });
        self.content().instances = watched.collect();
        self.0.changed.notify_one();
    }

    /// True if a démarche that is followed here is not paused in every target; `None` when none is followed under this number.
    pub(super) fn is_awake(&self, scope: &Scope) -> Option<bool> {
        let content = self.content();
        let paused = content.jobs.iter().filter(|(key, _)| key.scope == *scope).map(|(_, state)| state.paused);
        paused.reduce(|all, one| all && one).map(|paused| !paused)
    }

    /// Tells what became of a call of an instance's webhook.
    pub(super) fn called(&self, instance: &str, outcome: Outcome) {
        if let Some((_, state)) = self.content().instances.get_mut(instance) {
            state.hints.add(outcome);
        }
    }

    /// Tells what the target says of the last runs, newest first.
    pub fn looked(&self, planned: &Planned, runs: &[RunRecord]) {
        self.add(&planned.key, |state| {
            state.succeeded(planned, History::of(runs).success);
            let lines = runs.iter().take(RECENT).map(|run| RunLine::of(run.outcome, run.ended_at, &run.report));
            state.recent = lines.collect();
            state.find(Found::of(runs), quarantined_since(runs));
        });
    }

    /// Tells what a run of this process did, however it ended.
    pub fn reported(&self, key: &JobKey, report: &Report) {
        self.add(key, |state| {
            state.changed.add(report);
            state.drift += report.drift.len() as u64;
            let ended = Ended::of(report).at;
            state.recent.insert(0, RunLine::of(report.outcome, ended, report));
            state.recent.truncate(RECENT);
            if !report.drift.is_empty() {
                state.drift_at = Some(ended);
            }
            if let Some(found) = Found::in_report(report) {
                state.find(Some(found), Some(ended));
            }
        });
    }

    /// Tells how far a run is.
    pub fn progressed(&self, key: &JobKey, change: impl FnOnce(&mut RunProgress)) {
        self.add(key, |state| change(state.progress.get_or_insert_default()));
    }

    /// Tells how many intents the outbox of the target holds, by the word of their status.
    pub fn counted(&self, key: &JobKey, outbox: BTreeMap<&'static str, u64>) {
        self.add(key, |state| state.outbox = outbox);
    }

    /// Changes what is known of a job, unless a reload has taken it away.
    fn add(&self, key: &JobKey, change: impl FnOnce(&mut JobState)) {
        if let Some(state) = self.content().jobs.get_mut(key) {
            change(state);
            self.0.changed.notify_one();
        }
    }

    pub(super) fn change(&self, key: &JobKey, change: impl FnOnce(&mut JobState)) {
        change(self.content().jobs.entry(key.clone()).or_default());
        self.0.changed.notify_one();
    }

    /// Forgets the jobs that are no more.
    pub(super) fn keep(&self, wanted: impl Fn(&JobKey) -> bool) {
        self.content().jobs.retain(|key, _| wanted(key));
        self.0.changed.notify_one();
    }

    /// Waits until something has changed since the last time that somebody waited. For one reader.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
