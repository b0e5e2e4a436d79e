//! The state of every job in this process: what a door for signals, or a person, may ask.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use super::due::Due;
use crate::sink::{RunOutcome, Scope};

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

/// What is known of a job since this process began. What happened before, and elsewhere, is in the history of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JobState {
    /// Since when it runs here.
    pub running_since: Option<Timestamp>,
    /// How the last run here ended.
    pub last_outcome: Option<RunOutcome>,
    /// When the last run here ended.
    pub last_ended: Option<Timestamp>,
    /// When the last run that did its work ended, wherever it was.
    pub last_success: Option<Timestamp>,
    /// How many runs ended here.
    pub runs: u64,
    /// How many of them failed.
    pub failures: u64,
    /// How many of the last failed in a row, wherever they were.
    pub failures_in_a_row: u32,
    /// Ticks that passed while a run was under way, and were skipped.
    pub skipped_ticks: u64,
    /// How often another worker had it.
    pub taken_elsewhere: u64,
    /// When it is to run next; `None` while it is paused.
    pub next: Option<Timestamp>,
}

impl JobState {
    pub(super) fn plan(&mut self, due: Due) {
        self.next = match due {
            Due::Since(at) | Due::At(at) => Some(at),
            Due::Never => None,
        };
    }
}

/// The state of every job. Clones are handles on the same board.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<BTreeMap<JobKey, JobState>>>);

impl Board {
    /// How everything stands at this moment.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<JobKey, JobState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn change(&self, key: &JobKey, change: impl FnOnce(&mut JobState)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_default());
    }

    /// Forgets the jobs that are no more.
    pub(super) fn keep(&self, wanted: impl Fn(&JobKey) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| wanted(key));
    }
}
