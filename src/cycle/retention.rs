//! Anonymises and purges the dossiers whose term is over.

use std::collections::BTreeSet;

use super::error::CycleError;
use super::event::CycleEvent;
use super::log;
use super::steps::Cycle;
use crate::ids::DossierNumber;
use crate::plan::retention::is_time;
use crate::report::RetentionReport;
use crate::sink::{AnySink, Outbox as _, Sink as _, with_outbox};
use crate::sync::{self, Run, SyncError};

/// The number of pending intents that are read at a time.
const PAGE: u32 = 500;

impl Cycle<'_> {
    /// Anonymises and purges the dossiers of one target whose term is over. What ends the work is in the run.
    ///
    /// # Errors
    /// The outbox cannot be read.
    pub async fn retain(&self, sink: &AnySink) -> Result<Run, CycleError> {
        let busy = self.busy(sink).await?;
        let run = sync::retain(&self.engine_job(sink, &self.run_events()), &self.job.retention.rules(), &busy).await;
        (self.events)(&CycleEvent::StepEnded);
        Ok(run)
    }

    /// Says which dossiers [`retain`](Self::retain) would anonymise and purge. Nothing is written.
    ///
    /// # Errors
    /// The target cannot be read.
    pub async fn plan_retention(&self, sink: &AnySink) -> Result<RetentionReport, CycleError> {
        sync::check_instance(&self.job.client, sink, &self.job.scope).await?;
        let busy = self.busy(sink).await?;
        let rules = self.job.retention.rules();
        Ok(sync::retention_due(sink, &self.job.scope, &rules, &busy, (self.clock)()).await?)
    }

    /// Does the retention once a day, if a term is configured. What fails is logged and tried again with the next cycle: the
    /// run before it is done.
    pub(super) async fn retain_on_schedule(&self, sink: &AnySink) -> Result<Option<Run>, CycleError> {
        let retention = &self.job.retention;
        if !retention.on_schedule.value || retention.rules().is_empty() {
            return Ok(None);
        }
        let last = sink.checkpoint(&self.job.scope).await?.and_then(|checkpoint| checkpoint.retained_at);
        if !is_time(last, (self.clock)()) {
            return Ok(None);
        }
        let Run { report, error } = self.retain(sink).await?;
        log::log_retained(&self.job.scope, &report);
        let error = match error {
            Some(error @ SyncError::Sink(_)) => return Err(error.into()),
            error => error,
        };
        if let Some(error) = &error {
            log::log_sync_error(&self.job.scope, error);
        }
        Ok(Some(Run { report, error }))
    }

    /// Finds the dossiers about which an intent waits, or a decision that somebody ticked in a document: they stay as they are.
    async fn busy(&self, sink: &AnySink) -> Result<BTreeSet<DossierNumber>, CycleError> {
        let scope = &self.job.scope;
        let mut busy = BTreeSet::new();
        if let Some(document) = sink.document() {
            busy.extend(document.decisions(scope).await?.intents.iter().map(|intent| intent.dossier));
        }
        let mut after = None;
        loop {
            let entries = with_outbox!(sink, outbox => outbox.pending(scope, after, PAGE).await?).unwrap_or_default();
            let Some(last) = entries.last() else { return Ok(busy) };
            after = Some(last.seq);
            busy.extend(entries.iter().map(|entry| entry.dossier));
        }
    }
}
