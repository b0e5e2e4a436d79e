//! Sends one mutation, and uploads its files before.

use std::path::Path;

use super::judge::{FileSlot, LocalFile, MutationStep, Refusal};
use crate::api::{
    AnnotationValue, ApiError, Author, Client, Mutation, MutationError, MutationReceipt, SignedBlobId, Upload,
    UploadError,
};
use crate::ids::DossierId;
use crate::intent::Action;

/// Says what came of it.
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

/// Sends one mutation, its files first. Nothing is sent twice.
pub(super) async fn send(client: &Client, dossier: &DossierId, step: MutationStep) -> Sent {
    let MutationStep { mut mutation, files, by, silent, .. } = step;
    for (slot, path) in files {
        match upload(client, dossier, slot, &path).await {
            Ok(blob) => attach(&mut mutation, slot, blob),
            Err(sent) => return sent,
        }
    }
    let author = Author { instructeur: by, silent };
    match client.apply(dossier, &author, &mutation).await {
        Ok(receipt) => Sent::Taken(receipt),
        Err(MutationError::Refused { messages, .. }) => Sent::Refused(messages),
        // It may have been applied (trap 59): the dossier is read before anything else is sent.
        Err(MutationError::Unknown(error)) => Sent::Lost(error),
        Err(MutationError::NotAvailable { mutation, platform }) => {
            Sent::Cannot(Refusal::NotAvailable { what: mutation, platform })
        }
        Err(error @ MutationError::Unfit { .. }) => Sent::Cannot(Refusal::Unreadable(error.to_string())),
        Err(error @ (MutationError::ReadOnlyToken { .. } | MutationError::NotSent(_))) => Sent::Not(error),
    }
}

/// Describes a file of this machine as the platform would; gives the reason if it cannot be read.
pub(super) async fn digested(path: &Path, action: &Action) -> Result<LocalFile, String> {
    let (name, bytes) = read(path).await?;
    let file = match action {
        Action::Message { .. } => Upload::for_message(name.clone(), bytes),
        Action::Annotations { .. } => Upload::for_annotation(name.clone(), bytes),
        Action::Accepter { .. } | Action::Refuser { .. } | Action::ClasserSansSuite { .. } => {
            Upload::for_decision(name.clone(), bytes)
        }
        Action::PasserEnInstruction
        | Action::RepasserEnConstruction
        | Action::RepasserEnInstruction
        | Action::Archiver
        | Action::Desarchiver
        | Action::SupprimerMessage { .. }
        | Action::AnnulerDemandeCorrection
        | Action::AjouterLigne { .. }
        | Action::ChangerGroupe { .. }
        | Action::Label { .. }
        | Action::Suivre { .. } => return Err("the action takes no file".to_owned()),
    };
    let file = file.map_err(|error| error.to_string())?;
    Ok(LocalFile { name, checksum: file.checksum().to_owned(), size: file.byte_size() })
}

/// Reads the name and the bytes of a file of this machine.
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
async fn upload(client: &Client, dossier: &DossierId, slot: FileSlot, path: &Path) -> Result<SignedBlobId, Sent> {
    let cannot = |reason: String| Sent::Cannot(Refusal::File(reason));
    let (name, bytes) = read(path).await.map_err(cannot)?;
    let file = match slot {
        FileSlot::Message => Upload::for_message(name, bytes),
        FileSlot::Annotation(_) => Upload::for_annotation(name, bytes),
        FileSlot::Decision => Upload::for_decision(name, bytes),
    };
    let file = file.map_err(|error| cannot(error.to_string()))?;
    client.upload(dossier, &file).await.map_err(|error| match error {
        // A dossier that left is loaded no more (trap 69).
        UploadError::Api(ApiError::NotFound { .. }) => Sent::Cannot(Refusal::NoDossier),
        UploadError::Api(error) => Sent::Not(MutationError::NotSent(error)),
        other => cannot(other.to_string()),
    })
}

/// Puts an uploaded file into the mutation that it is for.
fn attach(mutation: &mut Mutation, slot: FileSlot, blob: SignedBlobId) {
    let value = match (mutation, slot) {
        (
            Mutation::Accepter { justificatif: file, .. }
            | Mutation::Refuser { justificatif: file, .. }
            | Mutation::ClasserSansSuite { justificatif: file, .. }
            | Mutation::EnvoyerMessage { attachment: file, .. },
            _,
        ) => {
            *file = Some(blob);
            return;
        }
        (Mutation::ModifierAnnotations { edits }, FileSlot::Annotation(at)) => {
            edits.get_mut(at).map(|edit| &mut edit.value)
        }
        (Mutation::ModifierAnnotation { value, .. }, _) => Some(value),
        // Nothing else takes a file.
        (
            Mutation::ModifierAnnotations { .. }
            | Mutation::PasserEnInstruction
            | Mutation::RepasserEnConstruction
            | Mutation::RepasserEnInstruction
            | Mutation::Archiver
            | Mutation::Desarchiver
            | Mutation::SupprimerMessage { .. }
            | Mutation::AnnulerDemandeCorrection { .. }
            | Mutation::ChangerGroupeInstructeur { .. }
            | Mutation::Suivre { .. }
            | Mutation::AjouterLabel { .. }
            | Mutation::SupprimerLabel { .. }
            | Mutation::AjouterLigne { .. },
            _,
        ) => None,
    };
    if let Some(AnnotationValue::PieceJustificative(files)) = value {
        files.push(blob);
    }
}
