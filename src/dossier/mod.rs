//! Dossiers: state, dates, demandeur, answers, messages, opinions and history.

mod canonical;
mod exchange;
mod files;
mod gone;
mod people;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use exchange::{Assignment, Avis, Correction, Message, Traitement};
pub use files::PlacedFile;
pub use gone::{Gone, GoneReason};
pub use people::{Demandeur, Mandataire};

use crate::champ::{Champ, ChampNotFound, ChampValue, File, find};
use crate::demarche::{GroupeInstructeur, Label, Profile};
use crate::fingerprint::Digest;
use crate::ids::{DossierId, DossierNumber, RevisionId};

/// State of a dossier. No date tells it: the dates of earlier states survive a step back (trap 49).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DossierState {
    /// Submitted, the usager may still change it.
    EnConstruction,
    /// Under examination.
    EnInstruction,
    /// Accepted.
    Accepte,
    /// Refused.
    Refuse,
    /// Closed without a decision.
    SansSuite,
    /// A state that this version does not know (trap 41).
    Inconnu(String),
}

impl DossierState {
    /// Returns the platform's name of the state.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::EnConstruction => "en_construction",
            Self::EnInstruction => "en_instruction",
            Self::Accepte => "accepte",
            Self::Refuse => "refuse",
            Self::SansSuite => "sans_suite",
            Self::Inconnu(name) => name,
        }
    }

    /// Returns true if a decision was taken (accepted, refused or closed).
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Accepte | Self::Refuse | Self::SansSuite)
    }
}

impl From<&str> for DossierState {
    fn from(name: &str) -> Self {
        match name {
            "en_construction" => Self::EnConstruction,
            "en_instruction" => Self::EnInstruction,
            "accepte" => Self::Accepte,
            "refuse" => Self::Refuse,
            "sans_suite" => Self::SansSuite,
            other => Self::Inconnu(other.to_owned()),
        }
    }
}

impl fmt::Display for DossierState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for DossierState {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for DossierState {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::from(name.as_ref()))
    }
}

/// A dossier as the platform shows it to an administrator's token.
///
/// Targets keep its JSON form (serde), so that columns can be computed again without the network. The JSON holds no
/// signed address. Instants have a precision of one second, as in the API (trap 27).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dossier {
    /// The id for mutations.
    pub id: DossierId,
    /// The number that people use.
    pub number: DossierNumber,
    /// Its state.
    pub state: DossierState,
    /// Marked "à archiver" by an instructeur.
    pub archived: bool,
    /// The revision of the form that it answers.
    pub revision: RevisionId,
    /// When it was submitted.
    pub date_depot: Timestamp,
    /// When it last entered construction.
    pub date_passage_en_construction: Timestamp,
    /// When it last entered instruction; kept when it goes back.
    pub date_passage_en_instruction: Option<Timestamp>,
    /// When it was last decided; kept when it goes back (trap 49).
    pub date_traitement: Option<Timestamp>,
    /// When anything of it last moved, to the second. A hint, not a version (traps 1, 20, 27).
    pub date_derniere_modification: Timestamp,
    /// When the usager's answers last moved (Démarche Numérique only).
    pub date_derniere_modification_champs: Option<Timestamp>,
    /// When the annotations last moved by hand (Démarche Numérique only).
    pub date_derniere_modification_annotations: Option<Timestamp>,
    /// When an instructeur last changed the usager's answers. Only platforms newer than the pinned schema have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_derniere_modification_champs_par_instructeur: Option<Timestamp>,
    /// When the usager confirmed that they read the decision. Only platforms newer than the pinned schema have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_accuse_lecture_agreement: Option<Timestamp>,
    /// When the platform will stop keeping it.
    pub date_expiration: Option<Timestamp>,
    /// When the usager deleted it from their own view; it stays listed once decided (trap 38).
    pub date_suppression_par_usager: Option<Timestamp>,
    /// When the administration deleted it.
    pub date_suppression_par_administration: Option<Timestamp>,
    /// Since when a correction is awaited from the usager.
    pub date_derniere_correction_en_attente: Option<Timestamp>,
    /// When silence will mean a decision (SVA/SVR).
    pub date_previsionnelle_decision_sva_svr: Option<Date>,
    /// When silence became a decision (SVA/SVR).
    pub date_traitement_sva_svr: Option<Timestamp>,
    /// The motivation of the decision.
    pub motivation: Option<String>,
    /// The file joined to the decision.
    pub motivation_attachment: Option<File>,
    /// The attestation; it appears some seconds after the decision (trap 22).
    pub attestation: Option<File>,
    /// The account that submitted it.
    pub usager: Profile,
    /// The kind of connection of that account: `password`, `france_connect`, `deleted`, or another word.
    pub connection_usager: String,
    /// Who asks.
    pub demandeur: Demandeur,
    /// The person who submits for the demandeur.
    pub mandataire: Option<Mandataire>,
    /// The groupe in charge.
    pub groupe_instructeur: GroupeInstructeur,
    /// The instructeurs who follow it.
    pub instructeurs: Vec<Profile>,
    /// Its labels (Démarche Numérique only). Changing them moves no date (trap 20).
    pub labels: Vec<Label>,
    /// The history of its states.
    pub traitements: Vec<Traitement>,
    /// Its passages from one groupe d'instructeurs to another. Only platforms newer than the pinned schema have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignments: Vec<Assignment>,
    /// The opinions asked from experts.
    pub avis: Vec<Avis>,
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// The usager's answers.
    pub champs: Vec<Champ>,
    /// The instructeurs' private annotations.
    pub annotations: Vec<Champ>,
    /// The fields outside its answers that could not be decoded, each with the text that came in another form than the
    /// platform promises. Those of an answer are in [`Champ::unread`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, String>,
}

impl Dossier {
    /// Finds the answer to a question, by descriptor id or by label.
    ///
    /// # Errors
    /// [`ChampNotFound`] names the nearest label, or the ids that share the label.
    pub fn champ(&self, id_or_label: &str) -> Result<&Champ, ChampNotFound> {
        find(&self.champs, id_or_label)
    }

    /// Finds a private annotation, by descriptor id or by label.
    ///
    /// # Errors
    /// [`ChampNotFound`] names the nearest label, or the ids that share the label.
    pub fn annotation(&self, id_or_label: &str) -> Result<&Champ, ChampNotFound> {
        find(&self.annotations, id_or_label)
    }

    /// Lists the fields that could not be read, in the dossier and in its answers; those of an answer under the id of
    /// its question. Names and ids only, never values.
    #[must_use]
    pub fn unread_fields(&self) -> Vec<String> {
        fn of_champs(champs: &[Champ], found: &mut Vec<String>) {
            for champ in champs {
                found.extend(champ.unread.keys().map(|field| format!("{}.{field}", champ.descriptor)));
                if let ChampValue::Repetition(rows) = &champ.value {
                    rows.iter().for_each(|row| of_champs(&row.champs, found));
                }
            }
        }
        let mut found: Vec<String> = self.unread.keys().cloned().collect();
        of_champs(&self.champs, &mut found);
        of_champs(&self.annotations, &mut found);
        found.dedup();
        found
    }

    /// Reduces this dossier to its line in the light listing.
    #[must_use]
    pub fn light(&self) -> DossierLight {
        let mut labels: Vec<String> = self.labels.iter().map(|label| label.id.clone()).collect();
        let mut instructeurs: Vec<String> = self.instructeurs.iter().map(|profile| profile.id.clone()).collect();
        labels.sort_unstable();
        instructeurs.sort_unstable();
        DossierLight {
            number: self.number,
            state: self.state.clone(),
            archived: self.archived,
            revision: self.revision.clone(),
            date_derniere_modification: self.date_derniere_modification,
            date_expiration: self.date_expiration,
            date_suppression_par_usager: self.date_suppression_par_usager,
            date_derniere_correction_en_attente: self.date_derniere_correction_en_attente,
            attestation: self.attestation.is_some(),
            usager: self.usager.id.clone(),
            connection_usager: self.connection_usager.clone(),
            groupe_instructeur: self.groupe_instructeur.id.as_str().to_owned(),
            instructeurs,
            labels,
        }
    }
}

/// Line of the complete light listing: enough to detect that a dossier left, moved, or changed in a way that changes no
/// date (traps 20 and 25), for a small part of the cost of reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DossierLight {
    /// The number.
    pub number: DossierNumber,
    /// The state.
    pub state: DossierState,
    /// True if it is archived.
    pub archived: bool,
    /// The revision it answers.
    pub revision: RevisionId,
    /// When it last moved.
    pub date_derniere_modification: Timestamp,
    /// When it expires.
    pub date_expiration: Option<Timestamp>,
    /// When the usager deleted it.
    pub date_suppression_par_usager: Option<Timestamp>,
    /// Since when a correction is awaited.
    pub date_derniere_correction_en_attente: Option<Timestamp>,
    /// True if there is an attestation.
    pub attestation: bool,
    /// The usager's id.
    pub usager: String,
    /// The kind of connection of the usager's account.
    pub connection_usager: String,
    /// The id of the groupe in charge.
    pub groupe_instructeur: String,
    /// The ids of the instructeurs who follow it, sorted.
    pub instructeurs: Vec<String>,
    /// The ids of its labels, sorted.
    pub labels: Vec<String>,
}

impl DossierLight {
    /// Computes the digest of this line: as long as it is the same, the dossier need not be read.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).expect("a light dossier is plain data with text keys"))
    }
}

/// Dossier that the platform lists as deleted, or as waiting for its deletion.
///
/// Only the number identifies it: the ids of the two lists collide (trap 31).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedDossier {
    /// The number.
    pub number: DossierNumber,
    /// When it was deleted; possibly dated two weeks before it appeared in the list (trap 32).
    pub date_suppression: Option<Timestamp>,
    /// The reason, in the platform's words: `user_request`, `expired`, `instructeur_request`...
    pub reason: String,
    /// Its last state.
    pub state: DossierState,
}
