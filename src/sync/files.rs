//! The bytes of files, into a target that keeps them.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::SyncError;
use super::run::{Job, until_stopped};
use crate::api::DownloadError;
use crate::dossier::Dossier;
use crate::sink::{FileStore, WantedFile};

/// How many files are looked up at a time.
const BATCH: u32 = 200;

/// What became of the files that a target wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesReport {
    /// Files whose bytes are in the target now.
    pub kept: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were not fetched, by the reason: `gone`, `not_safe`, `differs`, `expired`, `unavailable`. The next run
    /// tries again.
    pub left: BTreeMap<String, u64>,
}

/// Fetches what the target wants, dossier by dossier: addresses of files come with single dossiers, and are good for an
/// hour (trap 56).
///
/// # Errors
/// Those of the platform that stop a run, and those of the target. A single file that cannot be had is counted, and the
/// rest goes on.
pub async fn files<S: FileStore>(job: &Job<'_, S>) -> Result<FilesReport, SyncError> {
    let mut report = FilesReport::default();
    let mut after = None;
    loop {
        let wanted = job.sink.wanted_files(&job.scope, after, BATCH).await?;
        // A dossier cut in two by the limit comes whole in the next batch, unless it is the only one.
        let Some((first, last)) = wanted.first().zip(wanted.last()).map(|(a, b)| (a.number, b.number)) else {
            return Ok(report);
        };
        let whole = wanted.len() < BATCH as usize || first == last;
        for of_dossier in wanted.chunk_by(|a, b| a.number == b.number) {
            let number = of_dossier[0].number;
            if number == last && !whole {
                break;
            }
            fetch(job, of_dossier, &mut report).await?;
            after = Some(number);
        }
        if wanted.len() < BATCH as usize {
            return Ok(report);
        }
    }
}

async fn fetch<S: FileStore>(
    job: &Job<'_, S>,
    wanted: &[WantedFile],
    report: &mut FilesReport,
) -> Result<(), SyncError> {
    let Some(number) = wanted.first().map(|file| file.number) else { return Ok(()) };
    let mut dossier = until_stopped(&job.stop, job.client.dossier(number)).await?;
    for file in wanted {
        let mut outcome = download(job, dossier.as_ref(), file).await?;
        if outcome == Err("expired") {
            dossier = until_stopped(&job.stop, job.client.dossier(number)).await?;
            outcome = download(job, dossier.as_ref(), file).await?;
        }
        match outcome {
            Ok(bytes) => {
                let size = bytes.len() as u64;
                job.sink.keep_file(&job.scope, file, bytes).await?;
                report.kept += 1;
                report.bytes += size;
            }
            Err(reason) => *report.left.entry(reason.to_owned()).or_default() += 1,
        }
    }
    Ok(())
}

/// The bytes, or a word for why they cannot be had.
async fn download<S>(
    job: &Job<'_, S>,
    dossier: Option<&Dossier>,
    wanted: &WantedFile,
) -> Result<Result<Bytes, &'static str>, SyncError> {
    let placed = dossier.map(Dossier::files).unwrap_or_default();
    let Some(placed) = placed.iter().find(|placed| placed.file.checksum == wanted.checksum) else {
        return Ok(Err("gone"));
    };
    let outcome = tokio::select! {
        biased;
        () = job.stop.asked() => return Err(SyncError::Interrupted),
        outcome = job.client.download(placed.file, wanted.byte_size) => outcome,
    };
    Ok(outcome.map_err(|error| match error {
        DownloadError::NotSafe { .. } => "not_safe",
        DownloadError::Differs { .. } | DownloadError::TooLarge { .. } => "differs",
        DownloadError::Expired { .. } | DownloadError::NoAddress => "expired",
        DownloadError::Api(_) => "unavailable",
    }))
}
