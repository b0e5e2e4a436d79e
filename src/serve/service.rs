//! The loop: jobs are begun when they are due, so many at a time, until somebody asks to stop.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep};

use super::asked::AskedJobs;
use super::due::{Due, Ended, History, due};
use super::entry::{Hints, ScheduledJob};
use super::hints::{Hint, Hinted, due_by_hint};
use super::pick::{Waiting, first};
use super::schedule::{Schedule, seed};
use super::status_board::{JobKey, StatusBoard};
use crate::report::RunRecord;
use crate::sync::Stop;

/// The longest sleep: a clock that was set is noticed within this.
const LONGEST_NAP: Duration = Duration::from_secs(30);

/// A job and its rhythm.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Which job.
    pub key: JobKey,
    /// When it runs.
    pub schedule: Schedule,
    /// True if only one job at a time may work on its target.
    pub alone: bool,
    /// For how long what webhooks name of it is gathered before somebody looks.
    pub hint_window: Duration,
}

impl Planned {
    /// Decides if it is due after these runs, newest first.
    #[must_use]
    pub fn due(&self, runs: &[RunRecord], now: Timestamp) -> Due {
        due(&self.schedule, self.seed(), &History::of(runs), now)
    }

    /// Decides if it is due after these runs, newest first, because of hints that were gathered for long enough. A job that is
    /// paused never is.
    #[must_use]
    pub fn due_by_hint(&self, runs: &[RunRecord], now: Timestamp) -> Due {
        match self.schedule.paused {
            true => Due::Never,
            false => due_by_hint(&History::of(runs), self.hint_window, self.hint_window, now),
        }
    }

    /// From when on its data counts as old, after a success at this instant.
    pub(super) fn late_from(&self, success: Timestamp) -> Option<Timestamp> {
        self.schedule.late_from(success, self.seed())
    }

    fn seed(&self) -> u64 {
        seed(&self.key.to_string())
    }
}

/// The outcome of an attempt to do a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// Another worker has it, or has just done it; it is worth looking again after this long.
    Taken {
        /// The wait.
        again: Duration,
    },
    /// It was not due any more: another worker has done it.
    NotDue(History),
    /// It ran, or failed to begin.
    Ran(Ended),
}

/// Who does the work.
///
/// [`serve`] calls [`attempt`](Self::attempt) for a job that seems due, never twice at once for the same job, nor for two
/// jobs of a target on which one works alone. The runner takes the job (a lock, a lease), asks the target whether it is due
/// indeed, runs it and lets it go. It obeys `stop`. Dropping its future leaves the target as any crash does.
pub trait JobRunner: Send + Sync + 'static {
    /// Does a job if it can be taken and is due.
    ///
    /// `hinted`: what webhooks named of it, gathered for long enough. The job is then due by [`Planned::due_by_hint`] too, and
    /// these dossiers are read before it runs.
    fn attempt(&self, job: &Planned, hinted: Option<&Hinted>, stop: &Stop) -> impl Future<Output = JobOutcome> + Send;
}

/// Holds the jobs and their runner: from the start, or after a reload.
#[derive(Debug)]
pub struct ServicePlan<D> {
    /// The jobs.
    pub jobs: Vec<Planned>,
    /// Who does them.
    pub runner: Arc<D>,
    /// The number of runs at once, at least one.
    pub workers: usize,
}

/// Who knows the present instant.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Holds the surroundings of the loop.
pub struct ServiceOptions {
    /// Where the state of jobs is told.
    pub board: StatusBoard,
    /// Asks for the end: nothing new begins, and runs end at their next safe point.
    pub stop: Stop,
    /// The present instant.
    pub clock: Clock,
    /// The jobs that somebody asks for now.
    pub asked: AskedJobs,
    /// The tie-breaker of this process: among jobs that are due for as long, each worker then tries another one first.
    pub tie_breaker: u64,
}

/// Does jobs when they are due, until it is asked to stop and the last run has ended. Each plan that arrives replaces the
/// one before; runs under way end under the plan that began them. Hints make jobs due sooner ([`due_by_hint`]), and change
/// nothing else.
pub async fn serve<D: JobRunner>(
    plan: ServicePlan<D>,
    options: &ServiceOptions,
    mut reloads: mpsc::Receiver<ServicePlan<D>>,
    mut hints: mpsc::Receiver<Hint>,
) {
    let mut service = Service {
        entries: BTreeMap::new(),
        runner: Arc::clone(&plan.runner),
        workers: 1,
        options,
        running: JoinSet::new(),
        tasks: HashMap::new(),
    };
    service.adopt(plan);
    let (mut reloadable, mut hintable) = (true, true);
    loop {
        let stopping = options.stop.is_asked();
        if !stopping {
            service.begin();
        } else if service.running.is_empty() {
            return;
        }
        let nap = service.nap();
        tokio::select! {
            biased;
            Some(ended) = service.running.join_next_with_id() => service.end(ended),
            () = options.stop.asked(), if !stopping => {}
            plan = reloads.recv(), if reloadable && !stopping => match plan {
                Some(plan) => service.adopt(plan),
                None => reloadable = false,
            },
            hint = hints.recv(), if hintable && !stopping => match hint {
                Some(hint) => service.hint(&hint),
                None => hintable = false,
            },
            keys = options.asked.next(), if !stopping => service.ask(&keys),
            () = sleep(nap), if !stopping => {}
        }
    }
}

struct Service<'o, D> {
    entries: BTreeMap<JobKey, ScheduledJob>,
    runner: Arc<D>,
    workers: usize,
    options: &'o ServiceOptions,
    running: JoinSet<JobOutcome>,
    tasks: HashMap<Id, Task>,
}

/// A run under way.
struct Task {
    planned: Planned,
    since: Timestamp,
    hints: Option<Hints>,
}

impl<D: JobRunner> Service<'_, D> {
    fn now(&self) -> Timestamp {
        (self.options.clock)()
    }

    fn adopt(&mut self, plan: ServicePlan<D>) {
        let now = self.now();
        let mut before = std::mem::take(&mut self.entries);
        for planned in plan.jobs {
            let old = before.remove(&planned.key);
            let running = self.tasks.values().any(|task| task.planned.key == planned.key);
            let asked = old.as_ref().is_some_and(|entry| entry.asked);
            let (history, not_before, hints) =
                old.map_or((None, None, None), |entry| (entry.history, entry.not_before, entry.hints));
            let hints = hints.filter(|_| !planned.schedule.paused);
            let entry = ScheduledJob { seed: planned.seed(), planned, history, not_before, hints, asked, running };
            self.options.board.change(&entry.planned.key, |state| entry.tell(state, state.last_success, now));
            self.entries.insert(entry.planned.key.clone(), entry);
        }
        (self.runner, self.workers) = (plan.runner, plan.workers.max(1));
        self.options.board.keep(|key| self.entries.contains_key(key));
    }

    /// A call named a dossier: whatever follows its démarche may be due sooner.
    fn hint(&mut self, hint: &Hint) {
        let now = self.now();
        for entry in self.entries.values_mut().filter(|entry| entry.planned.key.scope == hint.scope) {
            entry.hint(hint.dossier);
            self.options.board.change(&entry.planned.key, |state| state.plan(entry.due(now)));
        }
    }

    /// Somebody asks for jobs now. One that is not there any more is nobody's.
    fn ask(&mut self, keys: &BTreeSet<JobKey>) {
        let now = self.now();
        for key in keys {
            if let Some(entry) = self.entries.get_mut(key) {
                // What another had a moment ago may be free, and a person waits.
                (entry.asked, entry.not_before) = (true, None);
                self.options.board.change(key, |state| state.plan(entry.due(now)));
            }
        }
    }

    /// Begins what is due, as long as a worker is free.
    fn begin(&mut self) {
        while self.running.len() < self.workers {
            let now = self.now();
            let alone = self.tasks.values().map(|task| &task.planned).filter(|job| job.alone);
            let busy: BTreeSet<String> = alone.map(|job| job.key.target.clone()).collect();
            let ready = self.entries.values().filter(|entry| entry.wait(now) == Some(Duration::ZERO));
            let waiting = ready.filter_map(|entry| {
                let (Due::Since(since) | Due::At(since)) = entry.due(now) else { return None };
                // What was never looked at may have waited for longest, and a person waits for what was asked.
                let since = entry.history.filter(|_| !entry.asked).map_or(Timestamp::MIN, |_| since);
                let Planned { key, alone, .. } = &entry.planned;
                let alone = alone.then_some(key.target.as_str());
                Some(Waiting { key, since, alone, tie_breaker: entry.seed ^ self.options.tie_breaker })
            });
            let Some(key) = first(waiting, &busy).cloned() else { return };
            let Some(entry) = self.entries.get_mut(&key) else { return };
            (entry.running, entry.asked, entry.not_before) = (true, false, None);
            let hints = entry.take_hints();
            let (planned, runner, stop) = (entry.planned.clone(), Arc::clone(&self.runner), self.options.stop.clone());
            let (job, hinted) = (planned.clone(), hints.as_ref().map(|hints| hints.named.clone()));
            let task = self.running.spawn(async move { runner.attempt(&job, hinted.as_ref(), &stop).await });
            self.options.board.change(&key, |state| (state.running_since, state.progress) = (Some(now), None));
            self.tasks.insert(task.id(), Task { planned, since: now, hints });
        }
    }

    /// Gives the time until something may have to begin. A job that waits for a worker or a target is woken by the end of a run.
    fn nap(&self) -> Duration {
        let now = self.now();
        let waits = self.entries.values().filter_map(|entry| entry.wait(now));
        waits.filter(|wait| !wait.is_zero()).min().unwrap_or(LONGEST_NAP).min(LONGEST_NAP)
    }

    fn end(&mut self, ended: Result<(Id, JobOutcome), JoinError>) {
        let now = self.now();
        let (id, attempt) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), JobOutcome::Ran(Ended::failed(now))),
        };
        let Some(Task { planned, since, hints }) = self.tasks.remove(&id) else { return };
        let key = &planned.key;
        let entry = self.entries.get_mut(key);
        self.options.board.change(key, |state| (state.running_since, state.progress) = (None, None));
        // A job that a reload took away has nothing more to be told.
        let Some(entry) = entry else { return self.options.board.keep(|other| other != key) };
        entry.running = false;
        let success = match attempt {
            JobOutcome::Taken { again } => {
                entry.not_before = Some(Instant::now() + again);
                entry.give_back(hints);
                self.options.board.change(key, |state| state.taken_elsewhere += 1);
                None
            }
            JobOutcome::NotDue(history) => {
                entry.history = Some(history);
                history.success
            }
            JobOutcome::Ran(ended) => {
                entry.ran(ended, hints);
                let skipped = entry.planned.schedule.between(since, now, entry.seed);
                self.options.board.change(key, |state| {
                    state.runs.add(ended.outcome);
                    (state.last_outcome, state.last_ended) = (Some(ended.outcome), Some(ended.at));
                    state.skipped_ticks += skipped;
                });
                History::default().and(ended).success
            }
        };
        let history = entry.history.unwrap_or_default();
        self.options.board.change(key, |state| {
            (state.failures_in_a_row, state.failing_since) = (history.failures, history.failing_since);
            entry.tell(state, success.or(state.last_success), now);
        });
    }
}
