//! The steps of a work cycle on an open target, and all of them in order.

use jiff::Timestamp;

use super::error::CycleError;
use super::event::CycleEvent;
use super::job::CycleJob;
use super::log;
use super::push::PushOutcome;
use super::targets::kind_of;
use crate::serve::hints::Hinted;
use crate::sink::{AnySink, Sink};
use crate::sync::{self, Event, Job, Looked, Run, Stop, SyncError, Verification};

/// Works on one démarche whose target is open. Its methods are the steps of a work cycle; [`run`](Self::run) does all of them.
#[derive(Clone, Copy)]
pub struct Cycle<'a> {
    /// The démarche, its client, its settings.
    pub job: &'a CycleJob,
    /// Asks for the end: a step ends at its next safe point.
    pub stop: &'a Stop,
    /// Gives the present instant.
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    /// Receives what happens.
    pub events: &'a (dyn Fn(&CycleEvent<'_>) + Send + Sync),
}

/// Says what a work cycle did.
#[derive(Debug)]
pub struct CycleReport {
    /// The dossiers that webhooks named, read before the run; `None` where none were named, or where reading them failed.
    pub looked: Option<Looked>,
    /// The sync, with the files that its dossiers name where the target keeps them.
    pub run: Run,
    /// The intents that were sent; `None` where the job sends none, or where the run failed.
    pub pushed: Option<PushOutcome>,
    /// The retention; `None` where it was not time for it, or where the run failed.
    pub retained: Option<Run>,
}

impl Cycle<'_> {
    /// Does a whole cycle: reads what webhooks named, syncs, fetches files, sends what waits in the outbox if the job says so,
    /// and once a day anonymises and purges the dossiers whose term is over.
    ///
    /// Each end is written to the log. A step that fails because of the platform does not keep the dossiers from being synced,
    /// and is tried again with the next cycle; the failure of the sync itself is in the report.
    ///
    /// # Errors
    /// The target fails, or it was asked to stop, in a step other than the sync.
    pub async fn run(&self, sink: &AnySink, hinted: Option<&Hinted>) -> Result<CycleReport, CycleError> {
        let looked = match hinted {
            Some(hinted) => self.look(sink, hinted).await?,
            None => None,
        };
        let run = self.sync(sink).await;
        log::log_run_end(&run);
        (self.events)(&CycleEvent::Synced(&run.report));
        let mut report = CycleReport { looked, run, pushed: None, retained: None };
        if report.run.error.is_none() {
            if self.job.push_on_schedule {
                report.pushed = Some(self.push_on_schedule(sink).await?);
            }
            report.retained = self.retain_on_schedule(sink).await?;
        }
        Ok(report)
    }

    /// Reads the dossiers that webhooks named, before the run that finds out everything. What cannot be read here the run
    /// reads, or reports.
    async fn look(&self, sink: &AnySink, hinted: &Hinted) -> Result<Option<Looked>, CycleError> {
        let named = hinted.to_read();
        match Box::pin(sync::look(&self.engine_job(sink, &|_| {}), named)).await {
            Ok(looked) => {
                log::log_looked(&self.job.scope, named.len(), &looked);
                Ok(Some(looked))
            }
            Err(error @ (SyncError::Sink(_) | SyncError::Interrupted)) => Err(error.into()),
            Err(error) => {
                log::log_error(&self.job.scope, &error.into());
                Ok(None)
            }
        }
    }

    /// Syncs, then fetches the files that the dossiers name where the target keeps them. If the files fail, the dossiers are
    /// in the target already, and the run says that it failed.
    pub async fn sync(&self, sink: &AnySink) -> Run {
        let mut run = self.sync_dossiers(sink).await;
        if run.error.is_none() && kind_of(&self.job.target).keeps_files() {
            self.fetch_files(sink, &mut run).await;
        }
        run
    }

    /// Syncs without files.
    pub async fn sync_dossiers(&self, sink: &AnySink) -> Run {
        // Boxed, as the futures of the engine are large: nested in those of `dn run`, they overflow the stack of a thread of tokio.
        let run = Box::pin(sync::run(&self.engine_job(sink, &self.run_events()))).await;
        (self.events)(&CycleEvent::StepEnded);
        run
    }

    async fn fetch_files(&self, sink: &AnySink, run: &mut Run) {
        let events = self.run_events();
        match Box::pin(sync::files(&self.engine_job(sink, &events))).await {
            Ok(files) => run.report.files = Some(files),
            Err(error) => {
                run.report.end_early(error.outcome(), &error);
                run.error = Some(error);
            }
        }
        for notice in sink.notices() {
            events(&Event::Notice(notice.clone()));
            run.report.notices.push(notice);
        }
        (self.events)(&CycleEvent::StepEnded);
    }

    /// Compares the target with the platform. Only reads; given up when somebody asks to stop.
    ///
    /// # Errors
    /// As [`sync::verify`]; [`SyncError::Interrupted`].
    pub async fn verify(&self, sink: &AnySink) -> Result<Verification, SyncError> {
        let seen = |seen| (self.events)(&CycleEvent::Run(&Event::Listing { seen }));
        let result = tokio::select! {
            biased;
            () = self.stop.asked() => Err(SyncError::Interrupted),
            verification = sync::verify(&self.job.client, sink, &self.job.scope, &self.job.filter, seen) => verification,
        };
        (self.events)(&CycleEvent::StepEnded);
        result
    }

    /// Gives the engine's job over a sink, for a step that this module does not have.
    pub fn engine_job<'j, S: Sink>(&'j self, sink: &'j S, events: &'j (dyn Fn(&Event) + Send + Sync)) -> Job<'j, S> {
        Job {
            client: &self.job.client,
            sink,
            scope: self.job.scope.clone(),
            filter: &self.job.filter,
            settings: self.job.settings,
            events,
            stop: self.stop.clone(),
            clock: self.clock,
        }
    }

    /// Passes the events of the engine on.
    pub fn run_events(&self) -> impl Fn(&Event) + Send + Sync + '_ {
        |event| (self.events)(&CycleEvent::Run(event))
    }
}
