//! A few dossiers that were just read, taken in at once.

use super::error::SyncError;
use super::run::{Job, begin, present};
use crate::dossier::Dossier;
use crate::plan::Counts;
use crate::sink::Sink;

/// What the runs that take in what a push did begin with: the change feed tells them apart from what others did.
pub const PUSH: &str = "push-";

/// Takes in dossiers as the platform shows them after a push, so that the next run finds nothing new in them. Changes
/// carry a run whose id begins with [`PUSH`]; the checkpoint does not move, and no line is added to the run history.
///
/// A target that never saw the démarche, or that holds it under another privacy policy, is left to the next run: `None`.
///
/// # Errors
/// The target, or the platform when a dossier answers questions that the form in the target does not have.
pub async fn refresh<S: Sink>(job: &Job<'_, S>, dossiers: Vec<Dossier>) -> Result<Option<Counts>, SyncError> {
    let stored = job.sink.checkpoint(&job.scope).await?;
    let policy = Some(job.filter.digest());
    let ready = stored.as_ref().is_some_and(|stored| stored.policy == policy && !stored.remap);
    if !ready {
        return Ok(None);
    }
    let mut engine = begin(job, stored, None, job.client.stats()).await?;
    engine.report.run.insert_str(0, PUSH);
    let observed = engine.rows(dossiers).await?.into_iter().map(present).collect();
    let checkpoint = engine.checkpoint.clone();
    engine.commit(observed, Vec::new(), checkpoint).await.map(Some)
}
