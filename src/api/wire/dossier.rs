//! Wire types of dossiers.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::champ::{WireAddress, WireChamp};
use super::demarche::{WireGroupe, WireLabel};
use super::scalar::{NumberText, WireInstant};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireDossier {
    pub id: String,
    // States are texts: a state that this version does not know must not cost the dossier (trap 41).
    pub number: u32,
    pub state: String,
    pub archived: bool,
    pub demarche: WireOfRevision,
    pub date_depot: WireInstant,
    pub date_passage_en_construction: WireInstant,
    pub date_passage_en_instruction: Option<WireInstant>,
    pub date_traitement: Option<WireInstant>,
    pub date_derniere_modification: WireInstant,
    pub date_derniere_modification_champs: Option<WireInstant>,
    pub date_derniere_modification_annotations: Option<WireInstant>,
    pub date_derniere_modification_champs_par_instructeur: Option<WireInstant>,
    pub date_accuse_lecture_agreement: Option<WireInstant>,
    pub assignments: Option<Vec<WireAssignment>>,
    pub date_expiration: Option<WireInstant>,
    pub date_suppression_par_usager: Option<WireInstant>,
    pub date_suppression_par_administration: Option<WireInstant>,
    pub date_derniere_correction_en_attente: Option<WireInstant>,
    #[serde(rename = "datePrevisionnelleDecisionSVASVR")]
    pub date_previsionnelle_decision_sva_svr: Option<jiff::civil::Date>,
    #[serde(rename = "dateTraitementSVASVR")]
    pub date_traitement_sva_svr: Option<WireInstant>,
    pub motivation: Option<String>,
    pub motivation_attachment: Option<WireFile>,
    pub attestation: Option<WireFile>,
    pub usager: WireProfile,
    pub connection_usager: Option<String>,
    pub demandeur: WireDemandeur,
    pub depose_par_un_tiers: Option<bool>,
    pub prenom_mandataire: Option<String>,
    pub nom_mandataire: Option<String>,
    // Démat Social names the mandataire with these three, Démarche Numérique with the three before
    // (docs/platform.md#démat-social).
    pub for_tiers: Option<bool>,
    pub mandataire_first_name: Option<String>,
    pub mandataire_last_name: Option<String>,
    pub groupe_instructeur: WireGroupe,
    pub instructeurs: Vec<WireProfile>,
    // Démat Social has no labels.
    #[serde(default)]
    pub labels: Vec<WireLabel>,
    pub traitements: Vec<WireTraitement>,
    pub avis: Vec<WireAvis>,
    pub messages: Vec<WireMessage>,
    pub champs: Vec<WireChamp>,
    pub annotations: Vec<WireChamp>,
    /// The fields that could not be decoded, each with the text that came.
    #[serde(skip)]
    pub unread: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireLight {
    pub number: u32,
    pub state: String,
    pub archived: bool,
    pub demarche: WireOfRevision,
    pub date_derniere_modification: WireInstant,
    pub date_expiration: Option<WireInstant>,
    pub date_suppression_par_usager: Option<WireInstant>,
    pub date_derniere_correction_en_attente: Option<WireInstant>,
    pub connection_usager: Option<String>,
    // Its presence alone tells that it was made: making it in the background moves no date (trap 22).
    pub attestation: Option<Present>,
    pub usager: WireId,
    pub groupe_instructeur: WireId,
    pub instructeurs: Vec<WireId>,
    #[serde(default)]
    pub labels: Vec<WireId>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WirePosition {
    pub number: u32,
    pub date_derniere_modification: WireInstant,
}

/// Object whose presence is all that matters.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct Present {}

#[derive(Debug, Deserialize)]
pub(in crate::api) struct WireId {
    pub id: String,
}

/// Démarche of a dossier, with the dossier's own revision only.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct WireOfRevision {
    /// Requested if a dossier is read by its number alone.
    pub number: Option<u32>,
    pub revision: WireId,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireDeleted {
    pub number: u32,
    /// The platform's own spelling.
    pub date_supression: Option<WireInstant>,
    pub reason: Option<String>,
    pub state: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::api) struct WireProfile {
    #[serde(default)]
    pub id: String,
    pub email: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireFile {
    pub filename: String,
    pub content_type: Option<String>,
    // It overflows above 2 GiB (trap 42), so it is read as the digits that came.
    pub byte_size: Option<NumberText>,
    // Files that are made on demand (attestation, PDF) have none, and another date at each reading (trap 26).
    pub checksum: Option<String>,
    pub created_at: Option<WireInstant>,
    pub virus_scan_result: Option<String>,
    pub url: Option<String>,
}

/// Demandeur of any kind.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireDemandeur {
    #[serde(rename = "__typename", default)]
    pub typename: String,
    pub civilite: Option<String>,
    pub nom: Option<String>,
    pub prenom: Option<String>,
    pub date_de_naissance: Option<jiff::civil::Date>,
    pub email: Option<String>,
    pub siret: Option<String>,
    pub siege_social: Option<bool>,
    pub naf: Option<String>,
    pub libelle_naf: Option<String>,
    pub naf_2025: Option<String>,
    pub libelle_naf_2025: Option<String>,
    pub address: Option<Box<WireAddress>>,
    pub entreprise: Option<Box<WireEntreprise>>,
    pub association: Option<Box<WireAssociation>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireMorale {
    pub siret: Option<String>,
    pub siege_social: Option<bool>,
    pub naf: Option<String>,
    pub libelle_naf: Option<String>,
    pub naf_2025: Option<String>,
    pub libelle_naf_2025: Option<String>,
    pub address: Option<Box<WireAddress>>,
    pub entreprise: Option<Box<WireEntreprise>>,
    pub association: Option<Box<WireAssociation>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireEntreprise {
    pub siren: Option<String>,
    pub raison_sociale: Option<String>,
    pub nom_commercial: Option<String>,
    pub enseigne: Option<String>,
    pub nom: Option<String>,
    pub prenom: Option<String>,
    pub forme_juridique: Option<String>,
    pub forme_juridique_code: Option<String>,
    pub capital_social: Option<NumberText>,
    pub code_effectif_entreprise: Option<String>,
    pub numero_tva_intracommunautaire: Option<String>,
    pub siret_siege_social: Option<String>,
    pub date_creation: Option<jiff::civil::Date>,
    pub etat_administratif: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireAssociation {
    pub rna: Option<String>,
    pub titre: Option<String>,
    pub objet: Option<String>,
    pub date_creation: Option<jiff::civil::Date>,
    pub date_declaration: Option<jiff::civil::Date>,
    pub date_publication: Option<jiff::civil::Date>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireTraitement {
    pub id: String,
    pub state: String,
    pub event: Option<String>,
    pub date_traitement: WireInstant,
    pub email_agent_traitant: Option<String>,
    pub motivation: Option<String>,
    pub revision: Option<WireId>,
    pub changed_columns: Option<Vec<WireLabelled>>,
}

/// Object of which only the label is requested.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct WireLabelled {
    pub label: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireAssignment {
    pub assigned_at: Option<WireInstant>,
    pub assigned_by: Option<String>,
    pub mode: Option<String>,
    pub groupe_instructeur_label: Option<String>,
    pub groupe_instructeur_number: Option<NumberText>,
    pub previous_groupe_instructeur_label: Option<String>,
    pub previous_groupe_instructeur_number: Option<NumberText>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireAvis {
    pub id: String,
    pub question: Option<String>,
    pub question_label: Option<String>,
    pub question_answer: Option<bool>,
    pub reponse: Option<String>,
    pub date_question: WireInstant,
    pub date_reponse: Option<WireInstant>,
    pub claimant: Option<WireProfile>,
    pub expert: Option<WireProfile>,
    #[serde(default)]
    pub attachments: Vec<WireFile>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireMessage {
    pub id: String,
    pub email: Option<String>,
    pub body: Option<String>,
    pub created_at: WireInstant,
    pub discarded_at: Option<WireInstant>,
    pub correction: Option<WireCorrection>,
    #[serde(default)]
    pub attachments: Vec<WireFile>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WireCorrection {
    pub reason: Option<String>,
    pub date_resolution: Option<WireInstant>,
}
