//! One step, sent.

use std::path::Path;

use super::verdict::{Refusal, Step};
use crate::api::{ApiError, Author, Client, Mutation, MutationError, Receipt, SignedBlobId, Upload, UploadError};
use crate::dossier::Dossier;

/// What came of it.
pub(super) enum Sent {
    /// The platform said that it did it.
    Taken(Receipt),
    /// The platform said no.
    Refused(Vec<String>),
    /// It may have been done or not.
    Lost(ApiError),
    /// It was surely not done, and nothing else will be now.
    Not(MutationError),
    /// It was surely not done, and never will be as it is.
    Cannot(Refusal),
}

/// Sends one step, its file first. Nothing is sent twice.
pub(super) async fn send(client: &Client, dossier: &Dossier, silent: bool, step: Step) -> Sent {
    let Step { mut mutation, file, by, .. } = step;
    if let Some(path) = &file {
        match upload(client, dossier, &mutation, path).await {
            Ok(blob) => mutation = with_file(mutation, blob),
            Err(sent) => return sent,
        }
    }
    let author = Author { instructeur: by, silent };
    match client.apply(&dossier.id, &author, &mutation).await {
        Ok(receipt) => Sent::Taken(receipt),
        Err(MutationError::Refused { messages, .. }) => Sent::Refused(messages),
        Err(MutationError::Unknown(error)) => Sent::Lost(error),
        Err(MutationError::NotAvailable { mutation, platform }) => {
            Sent::Cannot(Refusal::NotAvailable { what: mutation, platform })
        }
        Err(error @ MutationError::Unfit { .. }) => Sent::Cannot(Refusal::Unreadable(error.to_string())),
        Err(error) => Sent::Not(error),
    }
}

/// Reads a file of this machine and uploads it. A file that was uploaded and joined to nothing does no harm.
async fn upload(client: &Client, dossier: &Dossier, mutation: &Mutation, path: &Path) -> Result<SignedBlobId, Sent> {
    let cannot = |reason: String| Sent::Cannot(Refusal::File(reason));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    let bytes = match read {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(cannot(error.to_string())),
        Err(_) => return Err(cannot("it could not be read".to_owned())),
    };
    let file = match mutation {
        Mutation::EnvoyerMessage { .. } => Upload::for_message(name, bytes),
        _ => Upload::for_decision(name, bytes),
    };
    let file = file.map_err(|error| cannot(error.to_string()))?;
    client.upload(&dossier.id, &file).await.map_err(|error| match error {
        UploadError::Api(ApiError::NotFound { .. }) => Sent::Cannot(Refusal::NoDossier),
        UploadError::Api(error) => Sent::Not(MutationError::NotSent(error)),
        other => cannot(other.to_string()),
    })
}

fn with_file(mutation: Mutation, blob: SignedBlobId) -> Mutation {
    let blob = Some(blob);
    match mutation {
        Mutation::Accepter { motivation, .. } => Mutation::Accepter { motivation, justificatif: blob },
        Mutation::Refuser { motivation, .. } => Mutation::Refuser { motivation, justificatif: blob },
        Mutation::ClasserSansSuite { motivation, .. } => Mutation::ClasserSansSuite { motivation, justificatif: blob },
        Mutation::EnvoyerMessage { body, correction, .. } => {
            Mutation::EnvoyerMessage { body, attachment: blob, correction }
        }
        // Nothing else has a file.
        other => other,
    }
}
