//! Writes a few dossiers into the target between runs: those that a push changed, and those that a webhook named.

use std::collections::BTreeSet;

use super::address::check_instance;
use super::error::SyncError;
use super::fields::{client_of, digest_of};
use super::run::{Job, begin};
use crate::checkpoint::Checkpoint;
use crate::dossier::Dossier;
use crate::ids::DossierNumber;
use crate::observe::walk::unread;
use crate::report::Counts;
use crate::sink::Sink;

/// Prefix of the ids of runs after a push: the change feed distinguishes our own changes from those of others by it.
pub const PUSH: &str = "push-";
/// Prefix of the ids of runs for dossiers that a webhook named.
pub const HINT: &str = "hint-";

/// Commits dossiers as the platform shows them after a push, so that the next run finds nothing new in them. Changes
/// carry a run whose id begins with [`PUSH`]; the checkpoint does not move, and no line is added to the run history.
///
/// A target that never saw the démarche, or that holds it under another privacy policy, is left to the next run: `None`. So is
/// one whose runs read dossiers with other fields than the job's client: [`client_of`](super::client_of) makes one that reads
/// as they do.
///
/// # Errors
/// Those of the target, and of the platform if a dossier answers questions that the form in the target lacks.
pub async fn refresh<S: Sink>(job: &Job<'_, S>, dossiers: Vec<Dossier>) -> Result<Option<Counts>, SyncError> {
    let Some(stored) = ready(job).await? else { return Ok(None) };
    // A dossier that is read with other fields would look changed: leave it to the next run.
    if stored.newer_fields != digest_of(job.client).await {
        return Ok(None);
    }
    take_in(job, stored, PUSH, dossiers).await.map(Some)
}

/// Result of reading dossiers that a webhook named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// The number of dossiers of the démarche that could be read.
    pub read: usize,
    /// Their changes in the target, counted.
    pub counts: Counts,
}

/// Reads dossiers that a webhook named, each once, and commits them as [`refresh`] does; changes carry a run whose id
/// begins with [`HINT`].
///
/// The webhook is untrusted. A number that is no dossier of the démarche, or that the platform does not show, changes
/// nothing: runs find out about deletions and unreadable dossiers. Targets that [`refresh`] leaves to the next run are
/// left here too, without a request.
///
/// # Errors
/// As [`refresh`]; and [`SyncError::Interrupted`]. An outage of the platform is no error: dossiers that were read
/// before it are committed.
pub async fn look<S: Sink>(job: &Job<'_, S>, numbers: &BTreeSet<DossierNumber>) -> Result<Looked, SyncError> {
    let Some(stored) = ready(job).await? else { return Ok(Looked::default()) };
    let client = client_of(job.client, Some(&stored));
    let mut dossiers = Vec::new();
    if stored.newer_fields != digest_of(&client).await {
        return Ok(Looked::default());
    }
    for number in numbers {
        let answer = tokio::select! {
            biased;
            () = job.stop.asked() => return Err(SyncError::Interrupted),
            answer = client.dossier_of(job.scope.demarche, *number) => answer,
        };
        match answer {
            Ok(dossier) => dossiers.extend(dossier),
            // An error of one dossier concerns no other. An error of all of them also occurs in the next run, which
            // reports it.
            Err(error) => {
                if unread(*number, error).is_err() {
                    break;
                }
            }
        }
    }
    if dossiers.is_empty() {
        return Ok(Looked::default());
    }
    let read = dossiers.len();
    let counts = take_in(job, stored, HINT, dossiers).await?;
    Ok(Looked { read, counts })
}

/// Reads the checkpoint, if a run has prepared the target for dossiers.
async fn ready<S: Sink>(job: &Job<'_, S>) -> Result<Option<Checkpoint>, SyncError> {
    let stored = job.sink.checkpoint(&job.scope).await?;
    check_instance(job.client, job.sink, &job.scope).await?;
    let policy = Some(job.filter.digest());
    let selection = job.filter.selection();
    Ok(stored.filter(|stored| stored.policy == policy && stored.selection == *selection && !stored.remap))
}

async fn take_in<S: Sink>(
    job: &Job<'_, S>,
    stored: Checkpoint,
    prefix: &str,
    dossiers: Vec<Dossier>,
) -> Result<Counts, SyncError> {
    let mut engine = begin(job, Some(stored), None, job.client.stats()).await?;
    engine.report.run.insert_str(0, prefix);
    let observed = engine.observed(dossiers).await?;
    let checkpoint = engine.checkpoint.clone();
    engine.commit(observed, Vec::new(), checkpoint).await
}
