//! Sends what waits in the outbox of a target, and lets the target ingest what moved.

use futures_util::future::BoxFuture;

use super::error::CycleError;
use super::event::CycleEvent;
use super::log;
use super::steps::Cycle;
use crate::api::Client;
use crate::dossier::Dossier;
use crate::intent::Status;
use crate::sink::grist::Taken;
use crate::sink::{AnySink, GristSink, MemoryOutbox, Outbox, Sink as _, with_outbox};
use crate::sync::{Job, check_instance, client_of, refresh};
use crate::writeback::{Push, PushError, Pushed, QUIET, plan, push};

/// Says what a push did, or would do, and what ended it early.
#[derive(Debug)]
pub struct PushOutcome {
    /// The report; `None` if the push ended before its first intent.
    pub pushed: Option<Pushed>,
    /// The error that ended it early.
    pub error: Option<PushError>,
    /// The number of intents that are still pending, counted where an error kept the report from saying it.
    pub left: Option<u64>,
}

impl PushOutcome {
    /// Joins two pushes, the other one after this one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let pushed = match (self.pushed, other.pushed) {
            (Some(mut pushed), Some(more)) => {
                pushed.append(more);
                Some(pushed)
            }
            (one, other) => one.or(other),
        };
        Self { pushed, error: self.error.or(other.error), left: self.left.or(other.left) }
    }
}

impl From<Result<Pushed, PushError>> for PushOutcome {
    fn from(result: Result<Pushed, PushError>) -> Self {
        match result {
            Ok(pushed) => Self { pushed: Some(pushed), error: None, left: None },
            Err(error) => {
                let (pushed, error) = error.split();
                Self { pushed, error: Some(error), left: None }
            }
        }
    }
}

impl Cycle<'_> {
    /// Sends what waits in the outbox of a target, and lets the target ingest what moved. `author`: the instructeur for
    /// intents that name none, instead of that of the job.
    ///
    /// # Errors
    /// The target belongs to another instance, has no outbox, or cannot be read before the first intent. What ends the push
    /// later is in the outcome.
    pub async fn push(&self, sink: &AnySink, author: Option<&str>) -> Result<PushOutcome, CycleError> {
        let client = &self.client_for(sink).await?;
        if let Some(outbox) = sink.document() {
            // What people ticked becomes intents first.
            let taken = outbox.take_decisions(&self.job.scope, (self.clock)()).await?;
            self.tell_untaken(&taken, true);
            let outcome = self.send_with(client, outbox, Some(sink), author).await;
            self.tell_notices(outbox);
            return Ok(outcome);
        }
        with_outbox!(sink, outbox => self.send_with(client, outbox, Some(sink), author).await)
            .ok_or(CycleError::NoOutbox)
    }

    /// Says what [`push`](Self::push) would send. Nothing is sent or written.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub async fn plan_push(&self, sink: &AnySink, author: Option<&str>) -> Result<PushOutcome, CycleError> {
        let client = &self.client_for(sink).await?;
        if let Some(outbox) = sink.document() {
            let kept = self.plan_with(client, outbox, author).await;
            let ticked = MemoryOutbox::default();
            let taken = outbox.decisions(&self.job.scope).await?;
            self.tell_untaken(&taken, false);
            ticked.put(&self.job.scope, &taken.intents, (self.clock)()).await?;
            let planned = kept.and(self.plan_with(client, &ticked, author).await);
            if planned.pushed.as_ref().is_some_and(|pushed| !pushed.items.is_empty())
                && let Some(of) = outbox.copied_from().await?
            {
                (self.events)(&CycleEvent::CopyOf(&of.to_string()));
            }
            self.tell_notices(outbox);
            return Ok(planned);
        }
        with_outbox!(sink, outbox => self.plan_with(client, outbox, author).await).ok_or(CycleError::NoOutbox)
    }

    /// Sends what waits in this outbox; `sink` ingests the dossiers that moved, where there is one.
    pub async fn send_from<O: Outbox>(&self, outbox: &O, sink: Option<&AnySink>, author: Option<&str>) -> PushOutcome {
        self.send_with(&self.job.client, outbox, sink, author).await
    }

    /// Clones the client of the job so that it reads dossiers as the runs into a target do: the next run then finds nothing new in
    /// what a push moved. Refuses a target of another instance.
    async fn client_for(&self, sink: &AnySink) -> Result<Client, CycleError> {
        // Numbers of two instances collide: a decision must not reach a stranger's dossier.
        check_instance(&self.job.client, sink, &self.job.scope).await?;
        let stored = sink.checkpoint(&self.job.scope).await?;
        Ok(client_of(&self.job.client, stored.as_ref()))
    }

    async fn send_with<O: Outbox>(
        &self,
        client: &Client,
        outbox: &O,
        sink: Option<&AnySink>,
        author: Option<&str>,
    ) -> PushOutcome {
        let events = self.run_events();
        let job = sink.map(|sink| Job { client, ..self.engine_job(sink, &events) });
        let ingest = |dossiers: Vec<Dossier>| -> BoxFuture<'_, Result<(), PushError>> {
            Box::pin(async {
                if let Some(job) = &job {
                    refresh(job, dossiers).await?;
                }
                Ok(())
            })
        };
        let outcome = PushOutcome::from(push(&self.work(client, outbox, author), &ingest).await);
        if outcome.error.is_none() {
            return outcome;
        }
        // The report ends where the error came: the outbox says what waits.
        let depth = outbox.depth(&self.job.scope).await.unwrap_or_default();
        let pending = depth.into_iter().find(|(status, _)| *status == Status::Pending);
        PushOutcome { left: Some(pending.map_or(0, |(_, count)| count)), ..outcome }
    }

    /// Says what [`send_from`](Self::send_from) would send.
    pub async fn plan_from<O: Outbox>(&self, outbox: &O, author: Option<&str>) -> PushOutcome {
        self.plan_with(&self.job.client, outbox, author).await
    }

    async fn plan_with<O: Outbox>(&self, client: &Client, outbox: &O, author: Option<&str>) -> PushOutcome {
        plan(&self.work(client, outbox, author)).await.into()
    }

    fn work<'w, O: Outbox>(&'w self, client: &'w Client, outbox: &'w O, author: Option<&'w str>) -> Push<'w, O> {
        Push {
            client,
            outbox,
            scope: &self.job.scope,
            filter: &self.job.filter,
            author: author.or(self.job.instructeur.as_deref()),
            quiet: QUIET,
            once: false,
            events: &|_| {},
            stop: self.stop,
            clock: self.clock,
        }
    }

    /// Sends what waits after a run. What the platform does not take now waits for the next cycle.
    pub(super) async fn push_on_schedule(&self, sink: &AnySink) -> Result<PushOutcome, CycleError> {
        let outcome = self.push(sink, None).await?;
        if let Some(pushed) = outcome.pushed.as_ref().filter(|pushed| !pushed.items.is_empty()) {
            log::log_pushed(pushed);
        }
        let PushOutcome { pushed, error, left } = outcome;
        let error = match error {
            Some(PushError::Outbox(error)) => return Err(error.into()),
            error => error,
        };
        if let Some(error) = &error {
            log::log_push_error(&self.job.scope, error);
        }
        Ok(PushOutcome { pushed, error, left })
    }

    fn tell_untaken(&self, taken: &Taken, sending: bool) {
        if let Some(reason) = &taken.impossible {
            (self.events)(&CycleEvent::NothingTaken(reason));
        }
        for decision in &taken.declined {
            (self.events)(&CycleEvent::Declined { decision, sending });
        }
    }

    fn tell_notices(&self, sink: &GristSink) {
        for notice in sink.notices() {
            (self.events)(&CycleEvent::TargetNotice(&notice));
        }
    }
}
