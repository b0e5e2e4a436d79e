//! One step, sent.

use std::path::Path;

use super::annotation::LocalFile;
use super::verdict::{Refusal, Step};
use crate::api::{
    AnnotationValue, ApiError, Author, Client, Mutation, MutationError, MutationReceipt, SignedBlobId, Upload,
    UploadError,
};
use crate::dossier::Dossier;
use crate::intent::Action;

/// What came of it.
pub(super) enum Sent {
    /// The platform said that it did it.
    Taken(MutationReceipt),
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
    let Step { mut mutation, file, joined, by, .. } = step;
    for (at, path) in joined {
        match upload(client, dossier, &mutation, &path).await {
            Ok(blob) => join(&mut mutation, at, blob),
            Err(sent) => return sent,
        }
    }
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

/// What a file of this machine is, as the platform would know it; why it cannot be sent otherwise.
pub(super) async fn digested(path: &Path, action: &Action) -> Result<LocalFile, String> {
    let (name, bytes) = read(path).await?;
    let file = match action {
        Action::Message { .. } => Upload::for_message(name.clone(), bytes),
        Action::Annotations { .. } => Upload::for_annotation(name.clone(), bytes),
        _ => Upload::for_decision(name.clone(), bytes),
    };
    let file = file.map_err(|error| error.to_string())?;
    Ok(LocalFile { name, checksum: file.checksum().to_owned(), size: file.byte_size() })
}

/// The name and the bytes of a file of this machine.
async fn read(path: &Path) -> Result<(String, Vec<u8>), String> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = path.to_owned();
    match tokio::task::spawn_blocking(move || std::fs::read(path)).await {
        Ok(Ok(bytes)) => Ok((name, bytes)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it could not be read".to_owned()),
    }
}

/// Reads a file of this machine and uploads it. A file that was uploaded and joined to nothing does no harm.
async fn upload(client: &Client, dossier: &Dossier, mutation: &Mutation, path: &Path) -> Result<SignedBlobId, Sent> {
    let cannot = |reason: String| Sent::Cannot(Refusal::File(reason));
    let (name, bytes) = read(path).await.map_err(cannot)?;
    let file = match mutation {
        Mutation::EnvoyerMessage { .. } => Upload::for_message(name, bytes),
        Mutation::ModifierAnnotation { .. } | Mutation::ModifierAnnotations { .. } => {
            Upload::for_annotation(name, bytes)
        }
        _ => Upload::for_decision(name, bytes),
    };
    let file = file.map_err(|error| cannot(error.to_string()))?;
    client.upload(&dossier.id, &file).await.map_err(|error| match error {
        UploadError::Api(ApiError::NotFound { .. }) => Sent::Cannot(Refusal::NoDossier),
        UploadError::Api(error) => Sent::Not(MutationError::NotSent(error)),
        other => cannot(other.to_string()),
    })
}

/// Puts an uploaded file into the annotation that it is for.
fn join(mutation: &mut Mutation, at: usize, blob: SignedBlobId) {
    let value = match mutation {
        Mutation::ModifierAnnotations { edits } => edits.get_mut(at).map(|edit| &mut edit.value),
        Mutation::ModifierAnnotation { value, .. } => Some(value),
        _ => None,
    };
    if let Some(AnnotationValue::PieceJustificative(files)) = value {
        files.push(blob);
    }
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
