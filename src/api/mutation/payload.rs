//! Reads the payloads of mutations.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::MutationError;
use crate::api::wire::{Numbered, WireGroupe, WireInstant};
use crate::dossier::DossierState;
use crate::ids::{ChampId, DossierNumber, MessageId, RowId};

/// Platform's answer to an applied mutation. Holds the parts that the mutation touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MutationReceipt {
    /// The platform's name of the mutation.
    pub mutation: &'static str,
    /// The dossier after the mutation; `None` for messages and annotations.
    pub dossier: Option<DossierMark>,
    /// The message that was sent or emptied.
    pub message: Option<MessageMark>,
    /// The annotations that were written, or whose rows were.
    pub annotations: Vec<ChampId>,
    /// The rows of a repetition after one was added, the new one last; empty for anything else.
    pub rows: Vec<RowId>,
}

/// Dossier after a mutation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DossierMark {
    /// Its number.
    pub number: DossierNumber,
    /// Its state.
    pub state: DossierState,
    /// True if it is marked "à archiver".
    pub archived: bool,
    /// When it last moved: the instant of this mutation, to the second.
    pub date_derniere_modification: Timestamp,
}

/// Message after a mutation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MessageMark {
    /// Its id, by which it can be emptied again where the platform allows it.
    pub id: MessageId,
    /// When it was sent.
    pub created_at: Timestamp,
}

/// Payload of any mutation: each has some of these fields.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WirePayload {
    dossier: Option<WireMark>,
    message: Option<WireMessageMark>,
    annotation: Option<WireAnnotation>,
    annotations: Option<Vec<WireAnnotation>>,
    pub groupe_instructeur: Option<WireGroupe>,
    pub demarche: Option<Numbered>,
    /// Null, or empty, when nothing was refused (docs/platform.md#mutations).
    errors: Option<Vec<WireWords>>,
    warnings: Option<Vec<WireWords>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMark {
    number: u32,
    state: DossierState,
    archived: bool,
    date_derniere_modification: WireInstant,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMessageMark {
    id: String,
    created_at: WireInstant,
}

#[derive(Debug, Deserialize)]
struct WireAnnotation {
    id: String,
    #[serde(default)]
    rows: Vec<WireRow>,
}

#[derive(Debug, Deserialize)]
struct WireRow {
    id: String,
}

#[derive(Debug, Deserialize)]
struct WireWords {
    message: String,
}

fn words(list: Option<Vec<WireWords>>) -> Vec<String> {
    list.into_iter().flatten().map(|words| words.message).collect()
}

impl WirePayload {
    /// Returns an error if the payload has refusals.
    pub fn accepted(mut self, mutation: &'static str) -> Result<Self, MutationError> {
        let messages = words(self.errors.take());
        // Démat Social answers `errors: []` to a success, Démarche Numérique null (docs/platform.md#mutations).
        if messages.is_empty() {
            return Ok(self);
        }
        // A batch is not atomic: beside the refusals stand the annotations that were written (trap 64).
        let applied = self.annotations.into_iter().flatten().map(|annotation| ChampId::new(annotation.id)).collect();
        Err(MutationError::refused(mutation, messages, applied))
    }

    /// Takes the warnings: inputs that the platform did not like and applied all the same.
    pub fn warnings(&mut self) -> Vec<String> {
        words(self.warnings.take())
    }

    /// Converts the payload of a mutation of a dossier; `None` if it holds nothing that such mutations answer.
    pub fn receipt(self, mutation: &'static str) -> Option<MutationReceipt> {
        let Self {
            dossier,
            message,
            annotation,
            annotations,
            groupe_instructeur: _,
            demarche: _,
            errors: _,
            warnings: _,
        } = self;
        if dossier.is_none() && message.is_none() && annotation.is_none() && annotations.is_none() {
            return None;
        }
        let mut receipt =
            MutationReceipt { mutation, dossier: None, message: None, annotations: Vec::new(), rows: Vec::new() };
        receipt.dossier = dossier.map(|mark| DossierMark {
            number: DossierNumber::new(mark.number),
            state: mark.state,
            archived: mark.archived,
            date_derniere_modification: mark.date_derniere_modification.0,
        });
        receipt.message =
            message.map(|message| MessageMark { id: MessageId::new(message.id), created_at: message.created_at.0 });
        for WireAnnotation { id, rows } in annotation.into_iter().chain(annotations.into_iter().flatten()) {
            receipt.annotations.push(ChampId::new(id));
            receipt.rows.extend(rows.into_iter().map(|row| RowId::new(row.id)));
        }
        Some(receipt)
    }
}
