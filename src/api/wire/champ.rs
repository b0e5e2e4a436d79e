//! Wire types of champs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::dossier::{WireFile, WireMorale};
use super::scalar::{NumberText, WireInstant};

/// Champ of any type: the fields of every type side by side, those of other types absent.
///
/// It is moved more often than it is read, so large and rare fields are boxed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireChamp {
    #[serde(rename = "__typename", default)]
    pub typename: String,
    pub id: String,
    // Démat Social does not have it: the descriptor is read from the id (docs/platform.md#champs).
    pub champ_descriptor_id: Option<String>,
    pub label: Option<String>,
    pub updated_at: Option<WireInstant>,
    pub prefilled: Option<bool>,
    pub columns: Option<Vec<WireColumn>>,
    pub string_value: Option<String>,
    /// Not selected by this crate's operations; other selections' text.
    pub value: Option<Box<Value>>,
    // `BigInt` is served as a text, a decimal as a double whose digits are lossy: both are kept as they came (trap
    // 42).
    pub integer_number: Option<NumberText>,
    pub decimal_number: Option<NumberText>,
    pub checked: Option<bool>,
    // Served as `checked` if the document has no fragment on `YesNoChamp`; then null becomes false (traps 40 and 43).
    pub yes_no: Option<bool>,
    pub date: Option<String>,
    pub datetime: Option<String>,
    pub civilite: Option<String>,
    pub choice: Option<String>,
    pub values: Option<Vec<String>>,
    pub primary_value: Option<String>,
    pub secondary_value: Option<String>,
    pub commune: Option<Box<WireCommune>>,
    pub departement: Option<Box<WirePlace>>,
    pub region: Option<Box<WirePlace>>,
    pub pays: Option<Box<WirePlace>>,
    pub epci: Option<Box<WirePlace>>,
    pub address: Option<Box<WireAddress>>,
    pub etablissement: Option<Box<WireMorale>>,
    pub rna: Option<Box<WireRegistration>>,
    pub rnf: Option<Box<WireRegistration>>,
    pub geo_areas: Option<Vec<WireGeoArea>>,
    pub files: Option<Vec<WireFile>>,
    pub nature: Option<String>,
    pub filled: Option<bool>,
    pub grant_type: Option<String>,
    pub data: Option<Box<Value>>,
    /// The rows of a repetition.
    pub rows: Option<Vec<WireRow>>,
    /// The champs of every row of a repetition, flat (Démat Social).
    pub champs: Option<Vec<WireChamp>>,
    /// The fields that could not be decoded, each with the text that came.
    #[serde(skip)]
    pub unread: BTreeMap<String, String>,
}

impl WireChamp {
    /// Returns the instant at which the platform last touched it.
    pub fn touched(&self) -> Option<Timestamp> {
        self.updated_at.map(|instant| instant.0)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireColumn {
    pub id: String,
    pub label: String,
    pub string_value: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(in crate::api) struct WireRow {
    pub id: String,
    pub champs: Vec<WireChamp>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireCommune {
    pub code: Option<String>,
    pub name: Option<String>,
    pub postal_code: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(in crate::api) struct WirePlace {
    pub code: Option<String>,
    pub name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireAddress {
    pub label: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub street_address: Option<String>,
    pub street_number: Option<String>,
    pub street_name: Option<String>,
    pub postal_code: Option<String>,
    pub city_name: Option<String>,
    pub city_code: Option<String>,
    pub department_name: Option<String>,
    pub department_code: Option<String>,
    pub region_name: Option<String>,
    pub region_code: Option<String>,
    pub country_name: Option<String>,
    pub country_code: Option<String>,
    pub geometry: Option<WireGeometry>,
}

#[derive(Debug, Deserialize)]
pub(in crate::api) struct WireGeometry {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub coordinates: Value,
}

#[derive(Debug, Deserialize)]
pub(in crate::api) struct WireRegistration {
    pub id: Option<String>,
    pub title: Option<String>,
    pub address: Option<Box<WireAddress>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireGeoArea {
    #[serde(rename = "__typename", default)]
    pub typename: String,
    pub id: String,
    pub source: String,
    pub description: Option<String>,
    pub geometry: Option<WireGeometry>,
    pub commune: Option<String>,
    pub section: Option<String>,
    pub prefixe: Option<String>,
    pub numero: Option<String>,
    pub surface: Option<NumberText>,
    pub rpg_commune: Option<String>,
    pub rpg_numero: Option<String>,
    pub rpg_surface: Option<NumberText>,
}
