//! Writing stored dossiers again in other columns, or under a stricter policy, without the network.

use super::commit::Misfits;
use super::documents::{Documents, read_document};
use super::error::SyncError;
use super::event::Event;
use super::run::{Engine, Job, Run, begin_offline};
use crate::plan::{Change, Plan};
use crate::sink::Sink;

/// Writes every stored dossier again from its document, through the privacy filter and the form in the target, without
/// the network. Tombstones stay tombstones.
pub async fn remap<S: Sink>(job: &Job<'_, S>) -> Run {
    let mut engine = match begin_offline(job).await {
        Ok(engine) => engine,
        Err(error) => return Run::failed(job, error).await,
    };
    engine.checkpoint.remap = true;
    let result = engine.remap().await;
    engine.end(result).await
}

impl<S: Sink> Engine<'_, S> {
    /// Does it, until nothing is left that does not fit its column. Begins anew when interrupted: doing it twice changes
    /// nothing more.
    pub(super) async fn remap(&mut self) -> Result<(), SyncError> {
        loop {
            let mut misfits = Misfits::new();
            let mut stored = Documents::default();
            let mut done = 0;
            while let Some(documents) = stored.next(self.job.sink, &self.job.scope).await? {
                done += documents.len() as u64;
                let mut plan = Plan::default();
                for stored in documents {
                    let dossier = read_document(stored.number, &stored.document)?;
                    let (row, _) = self.row(dossier, stored.light, &mut misfits);
                    plan.changes.push(Change::Rewrite { row: Box::new(row), was: stored.fingerprint });
                }
                if !misfits.is_empty() {
                    break;
                }
                let counts = plan.counts();
                self.put(plan).await?;
                self.report.counts.add(counts);
                (self.job.events)(&Event::Remapped { dossiers: done });
                self.check_stop()?;
            }
            if misfits.is_empty() {
                break;
            }
            self.widen(&misfits).await?;
        }
        self.checkpoint.remap = false;
        self.put(Plan::default()).await
    }

    /// Commits changes that no reading of the platform gave: where the walks stand stays as it is.
    pub(super) async fn put(&mut self, plan: Plan) -> Result<(), SyncError> {
        self.hand_over(self.batch(plan, self.checkpoint.clone())).await
    }
}
