//! Reads the commands that people tick in documents, and carries them out under the lease of the document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tracing::{debug, info, warn};

use super::answers::{CommandAnswer, Order, under_way};
use super::error::CycleError;
use super::event::CycleEvent;
use super::job::CycleJob;
use super::kind::ErrorKind;
use super::log;
use super::runner::{CycleEnd, CycleRunner};
use super::steps::Cycle;
use super::targets::grist::doc;
use super::targets::{TargetKind as _, kind_of};
use crate::config::GristTarget;
use crate::report::RunRecord;
use crate::serve::hints::Hinted;
use crate::serve::{AskedJobs, History, JobKey, Planned};
use crate::sink::grist::{CommandRow, TakenCommands};
use crate::sink::{AnySink, GristSink, SinkError};
use crate::sync::{Settings, Stop, SyncError};

/// Returns true if the operator lets people decide in the document of a job: sending decisions is theirs too then.
pub(super) fn decides(job: &CycleJob) -> bool {
    kind_of(&job.target).document().is_some_and(|target| target.options.decisions.value)
}

/// Holds what the last reading of documents found.
#[derive(Debug, Default)]
pub(super) struct SeenCommands(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// The jobs whose rows ask for something.
    asked: BTreeSet<JobKey>,
    /// The jobs that have no row yet.
    without_row: BTreeSet<JobKey>,
    /// The jobs that were attempted for want of a row.
    offered: BTreeSet<JobKey>,
    /// The rows, as they were.
    rows: BTreeMap<JobKey, CommandRow>,
}

impl SeenCommands {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the documents of the present runner at its rhythm, and asks for the jobs whose rows ask for something. Ends with
/// the sender.
///
/// `look`: somebody knows that a row changed, and it is read at once.
pub async fn watch_commands(mut runners: watch::Receiver<Arc<CycleRunner>>, asked: AskedJobs, look: Arc<Notify>) {
    loop {
        let runner = Arc::clone(&runners.borrow_and_update());
        let Some(every) = runner.grist_poll() else {
            if runners.changed().await.is_err() {
                return;
            }
            continue;
        };
        runner.look_for_commands().await.into_iter().for_each(|key| asked.ask(key));
        tokio::select! {
            () = sleep(every) => {}
            () = look.notified() => {}
            changed = runners.changed() => if changed.is_err() { return },
        }
    }
}

/// A document with its jobs.
pub(super) type DocumentJobs<'r> = (&'r GristTarget, Vec<(&'r JobKey, &'r CycleJob)>);

impl CycleRunner {
    /// Gives the interval at which the documents of the jobs are read for commands; `None` if no target takes commands, or
    /// if the configuration says so.
    #[must_use]
    pub fn grist_poll(&self) -> Option<Duration> {
        let takes = |(_, job): &(Planned, CycleJob)| kind_of(&job.target).document().is_some();
        (!self.grist_poll.is_zero() && self.jobs.values().any(takes)).then_some(self.grist_poll)
    }

    /// Lists the documents of the configuration, each with its jobs.
    pub(super) fn documents(&self) -> Vec<DocumentJobs<'_>> {
        let mut documents: BTreeMap<String, DocumentJobs<'_>> = BTreeMap::new();
        for (key, (_, job)) in &self.jobs {
            if let Some(target) = kind_of(&job.target).document() {
                documents.entry(target.identity()).or_insert((target, Vec::new())).1.push((key, job));
            }
        }
        documents.into_values().collect()
    }

    /// Reads the commands of every document, each in one request, and lists the jobs whose rows ask for something. The next
    /// attempts of these jobs take them.
    pub async fn look_for_commands(&self) -> BTreeSet<JobKey> {
        let mut all = BTreeSet::new();
        for (target, jobs) in self.documents() {
            let rows = match self.read_commands(target).await {
                Ok(rows) => rows,
                Err(error) => {
                    // Runs tell of a document that does not answer.
                    debug!(error = error.in_one_line(), "the commands of {} were not read", target.document);
                    continue;
                }
            };
            let now = (self.clock)();
            let mut seen = self.seen.lock();
            for (key, job) in jobs {
                let own: Vec<&CommandRow> = rows.iter().flatten().filter(|row| row.is_of(&job.scope)).collect();
                if own.iter().any(|row| row.is_whole) {
                    seen.without_row.remove(key);
                } else {
                    seen.without_row.insert(key.clone());
                    // Once, not at each reading: a document may refuse the table.
                    if seen.offered.insert(key.clone()) {
                        all.insert(key.clone());
                    }
                    continue;
                }
                if let Some(row) = own.first() {
                    seen.rows.insert(key.clone(), (*row).clone());
                }
                if own.iter().any(|row| row.needs_work(now)) {
                    seen.asked.insert(key.clone());
                    all.insert(key.clone());
                }
            }
        }
        all
    }

    async fn read_commands(&self, target: &GristTarget) -> Result<Option<Vec<CommandRow>>, CycleError> {
        Ok(GristSink::read_commands(&doc(target, &self.secrets)?).await?)
    }

    /// Gives the row of a job as the last reading found it.
    pub(super) fn row_of(&self, key: &JobKey) -> Option<CommandRow> {
        self.seen.lock().rows.get(key).cloned()
    }

    /// Takes the commands that the last reading found for a job.
    pub(super) async fn take_commands(
        &self,
        planned: &Planned,
        job: &CycleJob,
        sink: &AnySink,
    ) -> Result<Option<TakenCommands>, CycleError> {
        let Some(document) = sink.document().filter(|_| self.seen.lock().asked.remove(&planned.key)) else {
            return Ok(None);
        };
        let (now, zone) = ((self.clock)(), planned.schedule.zone.clone());
        let taken = match document.take_commands(&job.scope, now, &|commands| under_way(commands, now, &zone)).await {
            Ok(taken) => taken,
            Err(error @ SinkError::Locked { .. }) => return Err(error.into()),
            // What people did to the table keeps no run from its work.
            Err(error) => {
                warn!(%error, "démarche {}: what people asked for in the document was not read", job.scope.demarche.get());
                return Ok(None);
            }
        };
        if let Some(taken) = &taken {
            let words: Vec<&str> = taken.commands.iter().map(|command| command.word()).collect();
            let number = job.scope.demarche.get();
            info!(commands = words.join(","), "démarche {number}: somebody asks in the document: {}", words.join(", "));
        }
        Ok(taken)
    }

    /// Carries out commands that were taken, and writes what came of them into the document, however they ended.
    pub(super) async fn carry_out(
        &self,
        planned: &Planned,
        job: &CycleJob,
        hinted: Option<&Hinted>,
        stop: &Stop,
        (sink, runs): (&AnySink, &[RunRecord]),
        taken: &TakenCommands,
    ) -> Result<CycleEnd, CycleError> {
        let order = Order::of(&taken.commands, planned.schedule.paused, decides(job));
        let mut answer = CommandAnswer::of(order);
        let end = Box::pin(self.follow(planned, job, hinted, stop, sink, (order, &mut answer))).await;
        if let Err(error) = &end {
            answer.failed(error.kind());
        }
        if let Some(document) = sink.document() {
            self.answer(job, document, taken, &answer.text((self.clock)(), &planned.schedule.zone)).await;
        }
        Ok(end?.unwrap_or_else(|| CycleEnd::NotDue(History::of(runs))))
    }

    async fn answer(&self, job: &CycleJob, document: &GristSink, taken: &TakenCommands, words: &str) {
        let number = job.scope.demarche.get();
        match document.answer_commands(&job.scope, taken, words).await {
            Ok(()) => info!("démarche {number}: the document says what came of it"),
            // The row then says that it was not done, as soon as a run finds it.
            Err(error) => warn!(%error, "démarche {number}: what came of a command could not be written"),
        }
    }

    /// Does what was asked for. `None` where no run was asked for.
    async fn follow(
        &self,
        planned: &Planned,
        job: &CycleJob,
        hinted: Option<&Hinted>,
        stop: &Stop,
        sink: &AnySink,
        (order, answer): (Order, &mut CommandAnswer),
    ) -> Result<Option<CycleEnd>, CycleError> {
        let settings = Settings {
            full: job.settings.full || order.full,
            retry_quarantine: order.retry_quarantine,
            ..job.settings
        };
        let job = &CycleJob { settings, push_on_schedule: job.push_on_schedule || order.push, ..job.clone() };
        let events = |event: &CycleEvent<'_>| self.hear(planned, job, event);
        let cycle = Cycle { job, stop, clock: &*self.clock, events: &events };
        let mut end = None;
        if order.sync {
            let report = Box::pin(cycle.run(sink, hinted)).await?;
            let failure = report.run.error.as_ref().map(ErrorKind::from);
            answer.synced(&report.run.report, failure);
            if let Some(outcome) = report.pushed.as_ref().filter(|_| order.push) {
                answer.pushed(outcome);
            }
            match self.ended(job, report)? {
                failed if failure.is_some() => return Ok(Some(failed)),
                ended => end = Some(ended),
            }
        } else if order.push {
            answer.pushed(&Box::pin(cycle.push_on_schedule(sink)).await?);
        }
        if order.verify {
            match Box::pin(cycle.verify(sink)).await {
                Ok(verification) => answer.verified(&verification),
                // Nothing of the run before is lost by it.
                Err(error) => {
                    answer.failed((&error).into());
                    if !matches!(error, SyncError::Interrupted) {
                        log::log_sync_error(&job.scope, &error);
                    }
                }
            }
        }
        Ok(end)
    }

    /// Gives a job its row in the table of commands if the last reading found none. Without it people cannot ask; runs go on.
    pub(super) async fn offer_commands(&self, planned: &Planned, job: &CycleJob, sink: &AnySink) {
        let Some(document) = sink.document().filter(|_| self.seen.lock().without_row.remove(&planned.key)) else {
            return;
        };
        let number = job.scope.demarche.get();
        match document.offer_commands(&job.scope).await {
            Ok(()) => info!("démarche {number}: people may ask for runs in the table Commandes of the document"),
            Err(error) => {
                warn!(%error, "démarche {number}: the table of commands could not be made; the next reading tries again");
            }
        }
    }
}
