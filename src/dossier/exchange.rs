//! Files, messages, opinions and decisions of a dossier.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::DossierState;
use crate::champ::File;
use crate::demarche::Profile;
use crate::ids::{GroupeInstructeurNumber, RevisionId};

/// A message of the dossier's mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The sender's address; the contact address of the platform for what it writes itself.
    pub email: String,
    /// The text, in HTML. Empty for a message that was deleted.
    pub body: String,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When it was deleted (Démarche Numérique only; elsewhere an empty body is the only sign, trap 50).
    pub discarded_at: Option<Timestamp>,
    /// The correction that it asks for.
    pub correction: Option<Correction>,
    /// Its files.
    pub attachments: Vec<File>,
}

/// A correction asked from the usager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// `incorrect`, `incomplete`, `outdated`, or another word.
    pub reason: String,
    /// When it was answered.
    pub date_resolution: Option<Timestamp>,
}

/// An opinion asked from an expert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Avis {
    /// Its id.
    pub id: String,
    /// The question to the expert.
    pub question: String,
    /// A yes-or-no question beside.
    pub question_label: Option<String>,
    /// The answer to the yes-or-no question.
    pub question_answer: Option<bool>,
    /// The answer; `None` until it comes.
    pub reponse: Option<String>,
    /// When it was asked.
    pub date_question: Timestamp,
    /// When it was answered; `None` until then, whatever date the platform shows (trap 50).
    pub date_reponse: Option<Timestamp>,
    /// Who asked.
    pub claimant: Option<Profile>,
    /// Who is asked.
    pub expert: Option<Profile>,
    /// Its files.
    pub attachments: Vec<File>,
}

/// A step in the history of a dossier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traitement {
    /// Its id.
    pub id: String,
    /// The state that it led to.
    pub state: DossierState,
    /// The event in finer words (Démarche Numérique only).
    pub event: Option<String>,
    /// When.
    pub date_traitement: Timestamp,
    /// Who; `None` when the platform did it by itself.
    pub email_agent_traitant: Option<String>,
    /// The motivation given.
    pub motivation: Option<String>,
    /// The revision of the form that the dossier answered then. Only platforms newer than the pinned schema have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionId>,
    /// The labels of what was changed. Only platforms newer than the pinned schema have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed_columns: Vec<String>,
}

/// Assignment of the dossier to another groupe d'instructeurs. Only platforms newer than the pinned schema have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Assignment {
    /// When.
    pub assigned_at: Option<Timestamp>,
    /// The label of the groupe, as it was then.
    pub groupe_instructeur: String,
    /// Its number; `None` once it is gone.
    pub groupe_instructeur_number: Option<GroupeInstructeurNumber>,
    /// The label of the groupe before, as it was then.
    pub previous: Option<String>,
    /// Its number.
    pub previous_number: Option<GroupeInstructeurNumber>,
    /// `auto`, `manual`, `bulk_routing`, `tech`, or another word.
    pub mode: String,
    /// Who did it, by e-mail.
    pub assigned_by: Option<String>,
}
