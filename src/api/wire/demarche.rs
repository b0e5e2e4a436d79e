//! Wire types of démarches.

use serde::Deserialize;

use super::dossier::{WireDeleted, WireId, WireProfile};
use super::envelope::{Connection, Numbered};
use super::scalar::{NumberText, WireInstant};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireDemarche {
    pub number: u32,
    pub title: String,
    pub state: String,
    pub date_derniere_modification: WireInstant,
    pub active_revision: WireId,
    pub revisions: Vec<WireRevision>,
    pub groupe_instructeurs: Vec<WireGroupe>,
    #[serde(default)]
    pub labels: Vec<WireLabel>,
    pub service: Option<WireService>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireHead {
    pub number: u32,
    pub title: String,
    pub state: String,
    pub date_derniere_modification: WireInstant,
    pub revisions: Vec<WireRevisionHead>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireNews {
    pub number: u32,
    pub title: String,
    pub state: String,
    pub date_derniere_modification: WireInstant,
    pub revisions: Vec<WireRevisionHead>,
    pub pending_deleted_dossiers: Option<Connection<WireDeleted>>,
    pub deleted_dossiers: Option<Connection<WireDeleted>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireRevisionHead {
    pub id: String,
    pub date_creation: WireInstant,
    pub date_publication: Option<WireInstant>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireRevision {
    pub id: String,
    /// The platform's own stored query lacks it.
    pub date_creation: Option<WireInstant>,
    pub date_publication: Option<WireInstant>,
    pub champ_descriptors: Vec<WireDescriptor>,
    #[serde(default)]
    pub annotation_descriptors: Vec<WireDescriptor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireDescriptor {
    #[serde(rename = "__typename", default)]
    pub typename: String,
    pub id: String,
    pub label: String,
    pub description: Option<String>,
    pub required: Option<bool>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The choices of a list. The platform's own stored query also lists places here, as objects.
    pub options: Option<Vec<serde_json::Value>>,
    pub champ_descriptors: Option<Vec<WireDescriptor>>,
}

#[derive(Debug, Deserialize)]
pub(in crate::api) struct WireGroupe {
    pub id: String,
    pub number: NumberText,
    pub label: String,
    #[serde(default)]
    pub closed: bool,
    #[serde(default)]
    pub instructeurs: Vec<WireProfile>,
}

#[derive(Debug, Deserialize)]
pub(in crate::api) struct WireLabel {
    pub id: String,
    pub name: String,
    pub color: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(in crate::api) struct WireService {
    #[serde(default)]
    pub id: String,
    pub nom: Option<String>,
    pub organisme: Option<String>,
    pub siret: Option<String>,
}

/// The public form of a démarche.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireForm {
    pub number: u32,
    pub title: String,
    pub description: Option<String>,
    pub state: String,
    pub date_derniere_modification: Option<WireInstant>,
    pub opendata: Option<bool>,
    pub revision: Option<WireRevision>,
    pub service: Option<WireService>,
}

/// A dossier, as far as it names its démarche.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct WireOwner {
    pub demarche: Numbered,
}
