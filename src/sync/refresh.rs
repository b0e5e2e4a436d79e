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

/// What the runs that take in what a push did begin with: the change feed tells them apart from what others did.
pub const PUSH: &str = "push-";
/// What the runs that take in dossiers somebody outside named begin with.
pub const HINT: &str = "hint-";

/// Takes in dossiers as the platform shows them after a push, so that the next run finds nothing new in them. Changes
/// carry a run whose id begins with [`PUSH`]; the checkpoint does not move, and no line is added to the run history.
///
/// A target that never saw the démarche, or that holds it under another privacy policy, is left to the next run: `None`. So is
/// one whose runs read dossiers with other fields than the job's client: [`client_of`](super::client_of) makes one that reads
/// as they do.
///
/// # Errors
/// The target, or the platform when a dossier answers questions that the form in the target does not have.
pub async fn refresh<S: Sink>(job: &Job<'_, S>, dossiers: Vec<Dossier>) -> Result<Option<Counts>, SyncError> {
    let Some(stored) = ready(job).await? else { return Ok(None) };
    // A dossier that was read with other fields would look changed.
    if stored.newer_fields != digest_of(job.client).await {
        return Ok(None);
    }
    take_in(job, stored, PUSH, dossiers).await.map(Some)
}

/// What a look at dossiers that somebody named came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// How many of them are dossiers of the démarche that could be read.
    pub read: usize,
    /// What they changed in the target.
    pub counts: Counts,
}

/// Reads dossiers that somebody outside named, each once, and takes them in as [`refresh`] does; changes carry a run whose
/// id begins with [`HINT`].
///
/// Who named them need not be believed. A number that is no dossier of the démarche, or that the platform does not show,
/// changes nothing: how a dossier went is for runs to find out, and so is what cannot be read. The same targets as there are
/// left to the next run, without a single request.
///
/// # Errors
/// As [`refresh`]; and [`SyncError::Interrupted`]. A platform that is away is none: what was read before is taken in.
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
            // One that cannot be read is in nobody's way; what concerns all of them the run meets as well, and tells.
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

/// Where the target stands, if a run has made it ready for dossiers.
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
