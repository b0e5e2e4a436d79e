//! Downloads files into a target that keeps them.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::error::SyncError;
use super::event::Event;
use super::run::{Job, until_stopped};
use crate::api::{Client, DownloadError};
use crate::dossier::Dossier;
use crate::ids::DossierNumber;
use crate::report::FilesReport;
use crate::sink::{FileStore, Keeping, WantedFile};

/// The number of files that are looked up at a time.
const BATCH: u32 = 200;

/// Downloads the files that the target wants, dossier by dossier: addresses come with single dossiers only, and expire
/// after an hour (trap 56).
///
/// # Errors
/// Those of the platform that stop a run, and those of the target. A single file that cannot be downloaded is counted,
/// and the others go on.
pub async fn files<S: FileStore>(job: &Job<'_, S>) -> Result<FilesReport, SyncError> {
    let linked = job.sink.link_files(&job.scope).await?;
    let report = FilesReport { linked, ..FilesReport::default() };
    // Only addresses are wanted: the platform need not be asked what it has.
    let client = job.client.with_fields(None);
    let mut fetching = Fetching { job, client, report, done: BTreeSet::new() };
    let (mut after, mut limit) = (None, BATCH);
    loop {
        let wanted = job.sink.wanted_files(&job.scope, after, limit).await?;
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { break };
        let (first, last) = (first.number, last.number);
        let full = wanted.len() >= limit as usize;
        if full && first == last {
            // One dossier has more files than that: read it once, with all of them.
            limit = limit.saturating_mul(2);
            continue;
        }
        for of_dossier in wanted.chunk_by(|one, next| one.number == next.number) {
            let number = of_dossier[0].number;
            // The limit may have cut the last dossier in two: it comes whole in the next batch.
            if number == last && full {
                break;
            }
            fetching.fetch(number, of_dossier).await?;
            after = Some(number);
        }
        if !full {
            break;
        }
        limit = BATCH;
    }
    Ok(fetching.report)
}

struct Fetching<'a, S> {
    job: &'a Job<'a, S>,
    client: Client,
    report: FilesReport,
    /// The files that this run has brought.
    done: BTreeSet<String>,
}

impl<S: FileStore> Fetching<'_, S> {
    async fn fetch(&mut self, number: DossierNumber, wanted: &[WantedFile]) -> Result<(), SyncError> {
        let job = self.job;
        let wanted: Vec<&WantedFile> = wanted.iter().filter(|file| !self.done.contains(&file.checksum)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut dossier = until_stopped(&job.stop, self.client.dossier(number)).await?;
        for file in wanted {
            let mut outcome = self.download(dossier.as_ref(), file).await?;
            if outcome == Err("expired") {
                dossier = until_stopped(&job.stop, self.client.dossier(number)).await?;
                outcome = self.download(dossier.as_ref(), file).await?;
            }
            let outcome = match outcome {
                Ok(bytes) => {
                    let size = bytes.len() as u64;
                    match job.sink.keep_file(&job.scope, file, bytes).await? {
                        Keeping::Kept => Ok(size),
                        Keeping::Refused => Err("refused"),
                    }
                }
                Err(reason) => Err(reason),
            };
            match outcome {
                Ok(size) => {
                    self.done.insert(file.checksum.clone());
                    self.report.kept += 1;
                    self.report.bytes += size;
                    let (kept, bytes) = (self.report.kept, self.report.bytes);
                    (job.events)(&Event::Files { kept, bytes });
                }
                Err(reason) => *self.report.left.entry(reason.to_owned()).or_default() += 1,
            }
        }
        Ok(())
    }

    /// Downloads a file; a word for the reason if that fails.
    async fn download(
        &self,
        dossier: Option<&Dossier>,
        wanted: &WantedFile,
    ) -> Result<Result<Bytes, &'static str>, SyncError> {
        let placed = dossier.map(Dossier::files).unwrap_or_default();
        let Some(placed) = placed.iter().find(|placed| placed.file.checksum == wanted.checksum) else {
            return Ok(Err("gone"));
        };
        let outcome = tokio::select! {
            biased;
            () = self.job.stop.asked() => return Err(SyncError::Interrupted),
            outcome = self.job.client.download(placed.file, wanted.byte_size) => outcome,
        };
        Ok(outcome.map_err(|error| match error {
            DownloadError::NotSafe { .. } => "not_safe",
            DownloadError::Differs { .. } | DownloadError::TooLarge { .. } => "differs",
            DownloadError::Expired { .. } | DownloadError::NoAddress => "expired",
            DownloadError::Api(_) => "unavailable",
        }))
    }
}
