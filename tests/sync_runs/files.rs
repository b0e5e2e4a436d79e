//! Contents of files, into a target that keeps them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use demarche_numerique::ids::Scope;
use demarche_numerique::report::FilesReport;
use demarche_numerique::sandbox::Sandbox;
use demarche_numerique::sink::{FileStore, Keeping, SinkError, WantedFile};
use demarche_numerique::sync::{self, SyncError};
use demarche_numerique::{DossierNumber, Platform};
use jiff::SignedDuration;

use super::lab::Lab;

/// A target that keeps bytes and nothing else.
struct MemoryStore {
    wanted: Vec<WantedFile>,
    kept: Mutex<BTreeMap<String, Bytes>>,
    /// Two hours pass each time that it keeps something.
    slow: Option<Sandbox>,
}

impl FileStore for MemoryStore {
    async fn link_files(&self, _: &Scope) -> Result<u64, SinkError> {
        Ok(0)
    }

    async fn wanted_files(
        &self,
        _: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<WantedFile>, SinkError> {
        let kept = self.kept.lock().expect("no panic");
        let left = self.wanted.iter().filter(|file| Some(file.number) > after && !kept.contains_key(&file.checksum));
        Ok(left.take(limit as usize).cloned().collect())
    }

    async fn keep_file(&self, _: &Scope, file: &WantedFile, bytes: Bytes) -> Result<Keeping, SinkError> {
        if let Some(sandbox) = &self.slow {
            sandbox.advance(SignedDuration::from_hours(2));
        }
        self.kept.lock().expect("no panic").insert(file.checksum.clone(), bytes);
        Ok(Keeping::Kept)
    }
}

/// A store that wants every file of a démarche once.
async fn store(lab: &Lab) -> MemoryStore {
    let numbers = lab.sandbox.world().numbers(lab.demarche());
    let mut wanted: Vec<WantedFile> = Vec::new();
    for number in numbers {
        let number = DossierNumber::new(number);
        let Some(dossier) = lab.client.dossier(number).await.expect("an answer") else { continue };
        for placed in dossier.files() {
            let file = placed.file;
            if !file.checksum.is_empty() && wanted.iter().all(|other| other.checksum != file.checksum) {
                wanted.push(WantedFile {
                    number,
                    checksum: file.checksum.clone(),
                    filename: file.filename.clone(),
                    content_type: file.content_type.clone(),
                    byte_size: file.byte_size,
                });
            }
        }
    }
    assert!(wanted.len() > 3, "the world has files");
    MemoryStore { wanted, kept: Mutex::default(), slow: None }
}

async fn fill(lab: &Lab, store: &MemoryStore) -> Result<FilesReport, SyncError> {
    lab.job(store, async |job| sync::files(&job).await).await
}

#[tokio::test]
async fn every_file_is_fetched_once_and_those_not_found_safe_wait() {
    let lab = Lab::new(Platform::DemarcheNumerique, 30).await;
    let store = store(&lab).await;
    let report = fill(&lab, &store).await.expect("files");
    let left: u64 = report.left.values().sum();
    assert_eq!(report.kept + left, store.wanted.len() as u64, "{report:?}");
    assert!(report.kept > 0 && report.left.keys().all(|reason| reason == "not_safe"), "{report:?}");
    for (checksum, bytes) in &*store.kept.lock().expect("no panic") {
        let wanted = store.wanted.iter().find(|file| file.checksum == *checksum).expect("it was wanted");
        assert_eq!(bytes.len() as u64, wanted.byte_size);
    }
    let requests = lab.client.stats().requests;
    let again = fill(&lab, &store).await.expect("files");
    assert_eq!((again.kept, again.left), (0, report.left));
    assert!(lab.client.stats().requests - requests <= left, "dossiers whose files are kept are not read again");
}

#[tokio::test]
async fn an_address_that_expired_on_the_way_is_asked_for_again() {
    let lab = Lab::new(Platform::DematSocial, 30).await;
    let mut store = store(&lab).await;
    store.slow = Some(lab.sandbox.clone());
    let report = fill(&lab, &store).await.expect("files");
    assert_eq!(report.left.get("expired"), None, "{report:?}");
    assert_eq!(report.kept + report.left.values().sum::<u64>(), store.wanted.len() as u64);
}

#[tokio::test]
async fn a_request_to_stop_is_obeyed_between_two_files() {
    let lab = Lab::new(Platform::DemarcheNumerique, 30).await;
    let store = store(&lab).await;
    lab.stop.ask();
    assert!(matches!(fill(&lab, &store).await, Err(SyncError::Interrupted)));
    assert!(store.kept.lock().expect("no panic").is_empty());
}
