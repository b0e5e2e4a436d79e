//! Reads stored documents back, batch by batch.

use serde::de::DeserializeOwned;

use super::error::SyncError;
use crate::fingerprint::Digest;
use crate::ids::{DossierNumber, Scope};
use crate::sink::{Sink, StoredDocument};

/// The number of documents that are read at a time, and of dossiers that one commit writes again or empties.
pub(super) const BATCH: u32 = 200;

/// Stored documents of a démarche in order of number, batch by batch. Between two batches they may be written again.
#[derive(Default)]
pub(super) struct Documents {
    after: Option<DossierNumber>,
}

impl Documents {
    /// Starts at a number.
    pub(super) fn from(first: DossierNumber) -> Self {
        Self { after: first.get().checked_sub(1).map(DossierNumber::new) }
    }

    /// Reads the next batch; `None` after the last one.
    pub(super) async fn next<S: Sink>(
        &mut self,
        sink: &S,
        scope: &Scope,
    ) -> Result<Option<Vec<StoredDocument>>, SyncError> {
        self.take(sink, scope, BATCH).await
    }

    /// Reads the first document.
    pub(super) async fn first<S: Sink>(mut self, sink: &S, scope: &Scope) -> Result<Option<StoredDocument>, SyncError> {
        Ok(self.take(sink, scope, 1).await?.into_iter().flatten().next())
    }

    async fn take<S: Sink>(
        &mut self,
        sink: &S,
        scope: &Scope,
        limit: u32,
    ) -> Result<Option<Vec<StoredDocument>>, SyncError> {
        let documents = sink.documents(scope, self.after, limit).await?;
        let Some(last) = documents.last() else { return Ok(None) };
        self.after = Some(last.number);
        Ok(Some(documents))
    }
}

/// Decodes a stored document, or the part that `T` needs. `None` if it is damaged: it cannot be decoded, or does not
/// match its fingerprint.
pub(super) fn document_of<T: DeserializeOwned>(stored: &StoredDocument) -> Option<T> {
    let whole = Digest::of(stored.document.as_bytes()) == stored.fingerprint;
    whole.then(|| serde_json::from_str(&stored.document).ok()).flatten()
}

/// Decodes a document, or the part that `T` needs.
pub(super) fn read_document<T: DeserializeOwned>(number: DossierNumber, document: &str) -> Result<T, SyncError> {
    serde_json::from_str(document).map_err(|error| SyncError::Document { number, reason: error.to_string() })
}
