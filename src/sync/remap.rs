//! Writes stored dossiers again in other columns, or under a stricter policy, without the network.

use std::collections::BTreeSet;

use super::documents::{Documents, document_of};
use super::error::SyncError;
use super::event::Event;
use super::run::{Engine, Job, Run, begin_offline};
use crate::plan::{Backfill, Change, Plan};
use crate::report::Counts;
use crate::sink::Sink;

/// Writes every stored dossier again from its document, through the privacy filter and the form in the target, without
/// the network. Tombstones stay tombstones.
pub async fn remap<S: Sink>(job: &Job<'_, S>) -> Run {
    let mut engine = match begin_offline(job).await {
        Ok(engine) => engine,
        Err(error) => return Run::failed(job, error).await,
    };
    engine.checkpoint.remap = true;
    engine.owed = Backfill::Everything;
    let mut result = engine.remap().await;
    if let (Ok(()), Some(number)) = (&result, engine.damaged.first()) {
        // All others were written.
        let reason = "it is damaged, or not the one that was stored".to_owned();
        result = Err(SyncError::Document { number: *number, reason });
    }
    engine.end(result).await
}

impl<S: Sink> Engine<'_, S> {
    /// Writes the dossiers of the backfill again. After an interruption it starts again with all of them: it is
    /// idempotent. Damaged documents are left for later.
    pub(super) async fn remap(&mut self) -> Result<(), SyncError> {
        let mut strangers = BTreeSet::new();
        loop {
            let mut stored = Documents::default();
            let mut done = 0;
            while let Some(documents) = stored.next(self.job.sink, &self.job.scope).await? {
                done += documents.len() as u64;
                let mut plan = Plan::default();
                for stored in documents {
                    let Some(dossier) = document_of(&stored) else {
                        self.damaged.insert(stored.number);
                        continue;
                    };
                    let (row, unknown) = self.row(dossier, stored.light);
                    strangers.extend(unknown);
                    let moved = row.fingerprint != stored.fingerprint;
                    if moved || self.owed.concerns(self.form.prepared.layout(), &row) {
                        plan.changes.push(Change::Rewrite(Box::new(row)));
                    }
                }
                if !plan.is_empty() {
                    let counts = self.put(plan).await?;
                    self.report.counts.add(counts);
                }
                (self.job.events)(&Event::Remapped { dossiers: done });
                self.check_stop()?;
            }
            if self.unplaced.is_empty() {
                break;
            }
            // Some documents hold sub-values without a column: create the columns first.
            self.place_columns().await?;
            self.owed = Backfill::Everything;
        }
        self.checkpoint.remap = false;
        self.checkpoint.strangers = strangers;
        self.owed = Backfill::Nothing;
        self.put(Plan::default()).await?;
        Ok(())
    }

    /// Commits changes that come from no reading of the platform: the checkpoint stays. Returns the counts.
    pub(super) async fn put(&mut self, plan: Plan) -> Result<Counts, SyncError> {
        self.hand_over(self.batch(plan, self.checkpoint.clone())).await
    }
}
