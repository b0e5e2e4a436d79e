//! Describes what somebody wants done to a dossier. Pure.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::api::CorrectionReason;
use crate::dossier::DossierState;
use crate::fingerprint::Fingerprint;
use crate::ids::{DossierNumber, MessageId};

/// The stable name of an intent, chosen by whoever asks. Asking twice under one name is asking once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntentId(String);

/// The longest name of an intent, in bytes.
const LONGEST_ID: usize = 200;

/// The text cannot name an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of an intent is a text of 1 to {LONGEST_ID} bytes without control characters")]
pub struct InvalidIntentId;

impl IntentId {
    /// Takes a name.
    ///
    /// # Errors
    /// An empty or overlong text, or one with control characters.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidIntentId> {
        let text = text.into();
        let fits = !text.trim().is_empty() && text.len() <= LONGEST_ID && !text.chars().any(char::is_control);
        if fits { Ok(Self(text)) } else { Err(InvalidIntentId) }
    }

    /// Takes the name that another program gave to a row, whatever it is: what becomes of the row is reported under it.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn of_row(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that one person wrote to another. Shown to nobody else: its `Debug` tells the length alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(String);

impl Words {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if it says nothing.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({} characters)", self.0.chars().count())
    }
}

/// One thing that somebody wants done to one dossier.
///
/// It says what should be, not what to send: what is sent is judged from the dossier as it is at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its stable name.
    pub id: IntentId,
    /// The dossier.
    pub dossier: DossierNumber,
    /// The author: the e-mail address or the platform's id of an instructeur of the dossier's groupe. `None` leaves it
    /// to the default of whoever sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Words>,
    /// What.
    pub action: Action,
    /// The dossier as the person saw it when deciding. Nothing is sent for a dossier that moved since, unless by ourselves.
    #[serde(default)]
    pub expected: Expected,
    /// An intent without whose success this one makes no sense: a message that announces a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires: Option<IntentId>,
    /// Asks the platform to send no e-mail (state changes only; the message stays in the mailbox).
    #[serde(default)]
    pub silent: bool,
    /// An operator's explicit word that another decision may be overwritten.
    #[serde(default)]
    pub overrule: bool,
}

/// The dossier as the person saw it when deciding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<DossierState>,
    /// The fingerprint in the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
}

/// Action that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Under examination.
    PasserEnInstruction,
    /// Back to the usager.
    RepasserEnConstruction,
    /// A decision is taken back.
    RepasserEnInstruction,
    /// Accepted. Goes through `en_instruction` by itself, as the next two.
    Accepter {
        /// The motivation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        motivation: Option<Words>,
        /// A file joined to the decision, on this machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        justificatif: Option<PathBuf>,
    },
    /// Refused.
    Refuser {
        /// The motivation.
        motivation: Words,
        /// A file joined to the decision, on this machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        justificatif: Option<PathBuf>,
    },
    /// Closed without a decision.
    ClasserSansSuite {
        /// The motivation.
        motivation: Words,
        /// A file joined to the decision, on this machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        justificatif: Option<PathBuf>,
    },
    /// Marked "à archiver". The platform wants a decision first.
    Archiver,
    /// The mark taken back (Démarche Numérique only).
    Desarchiver,
    /// A message to the usager.
    Message {
        /// The text.
        body: Words,
        /// A file joined to it, on this machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attachment: Option<PathBuf>,
        /// The correction that it asks for; it moves a dossier in instruction back to construction.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        correction: Option<CorrectionReason>,
    },
    /// A message of the author's deleted (Démarche Numérique only).
    SupprimerMessage {
        /// Which.
        message: MessageId,
    },
    /// The correction that is awaited taken back; the message that asked for it stays (a newer Démarche Numérique only).
    AnnulerDemandeCorrection,
    /// Private annotations filled in.
    Annotations {
        /// Each with its value; those that hold it already are left alone.
        edits: Vec<Edit>,
    },
    /// A row more in a repetition of annotations.
    AjouterLigne {
        /// The repetition, by descriptor id or by label.
        annotation: String,
    },
    /// Handed to another groupe d'instructeurs of the démarche.
    ChangerGroupe {
        /// Its number or its label.
        groupe: String,
    },
    /// A label put on the dossier, or taken off (Démarche Numérique only).
    Label {
        /// Its name or its id.
        label: String,
        /// True to put it on, false to take it off.
        present: bool,
    },
    /// The author follows the dossier, or does not (Démarche Numérique only).
    Suivre {
        /// Whether.
        follow: bool,
    },
}

impl Intent {
    /// Returns the same without what people wrote in it, and without the author; `word` stands where something must.
    #[cfg(feature = "grist")]
    pub(crate) fn emptied(&self, word: &str) -> Self {
        let action = match &self.action {
            Action::Accepter { motivation, justificatif: _ } => {
                let motivation = motivation.as_ref().map(|_| Words::new(word));
                Action::Accepter { motivation, justificatif: None }
            }
            Action::Refuser { .. } => Action::Refuser { motivation: Words::new(word), justificatif: None },
            Action::ClasserSansSuite { .. } => {
                Action::ClasserSansSuite { motivation: Words::new(word), justificatif: None }
            }
            Action::Message { body: _, attachment: _, correction } => {
                Action::Message { body: Words::new(word), attachment: None, correction: *correction }
            }
            Action::Annotations { edits } => {
                let edits = edits.iter().map(|edit| Edit { value: serde_json::Value::Null, ..edit.clone() });
                Action::Annotations { edits: edits.collect() }
            }
            other => other.clone(),
        };
        let author = self.author.as_ref().map(|_| Words::new(word));
        Self { author, action, ..self.clone() }
    }
}

impl Action {
    /// Returns the path of the file that is joined to a message or a decision.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Accepter { justificatif: file, .. }
            | Self::Refuser { justificatif: file, .. }
            | Self::ClasserSansSuite { justificatif: file, .. }
            | Self::Message { attachment: file, .. } => file.as_deref(),
            Self::PasserEnInstruction
            | Self::RepasserEnConstruction
            | Self::RepasserEnInstruction
            | Self::Archiver
            | Self::Desarchiver
            | Self::SupprimerMessage { .. }
            | Self::AnnulerDemandeCorrection
            | Self::Annotations { .. }
            | Self::AjouterLigne { .. }
            | Self::ChangerGroupe { .. }
            | Self::Label { .. }
            | Self::Suivre { .. } => None,
        }
    }

    /// Words of all actions.
    pub const WORDS: [&'static str; 18] = [
        "passer_en_instruction",
        "repasser_en_construction",
        "repasser_en_instruction",
        "accepter",
        "refuser",
        "classer_sans_suite",
        "archiver",
        "desarchiver",
        "message",
        "supprimer_message",
        "annotations",
        "ajouter_ligne",
        "changer_groupe",
        "ajouter_label",
        "supprimer_label",
        "suivre",
        "ne_plus_suivre",
        "annuler_demande_correction",
    ];

    /// Returns the action's word, in outboxes, on the command line and in reports.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::PasserEnInstruction => "passer_en_instruction",
            Self::RepasserEnConstruction => "repasser_en_construction",
            Self::RepasserEnInstruction => "repasser_en_instruction",
            Self::Accepter { .. } => "accepter",
            Self::Refuser { .. } => "refuser",
            Self::ClasserSansSuite { .. } => "classer_sans_suite",
            Self::Archiver => "archiver",
            Self::Desarchiver => "desarchiver",
            Self::Message { .. } => "message",
            Self::SupprimerMessage { .. } => "supprimer_message",
            Self::AnnulerDemandeCorrection => "annuler_demande_correction",
            Self::Annotations { .. } => "annotations",
            Self::AjouterLigne { .. } => "ajouter_ligne",
            Self::ChangerGroupe { .. } => "changer_groupe",
            Self::Label { present: true, .. } => "ajouter_label",
            Self::Label { present: false, .. } => "supprimer_label",
            Self::Suivre { follow: true } => "suivre",
            Self::Suivre { follow: false } => "ne_plus_suivre",
        }
    }
}

/// The value that an annotation should have.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The annotation, by descriptor id or by label.
    pub annotation: String,
    /// The row, from 1, when it is inside a repetition: `annotation` then names the question inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<usize>,
    /// The value: a text, a number, a boolean or a list of texts. Texts are read as the annotation's type wants.
    pub value: serde_json::Value,
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edit").field("annotation", &self.annotation).field("row", &self.row).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_reads_as_it_is_written_in_a_file() {
        let text = r#"{"id": "d-1", "dossier": 42, "action": {"action": "refuser", "motivation": "Hors délai"}}"#;
        let intent: Intent = serde_json::from_str(text).expect("an intent");
        assert_eq!(intent.action.word(), "refuser");
        assert_eq!(intent.expected, Expected::default());
        let again: Intent = serde_json::from_str(&serde_json::to_string(&intent).expect("JSON")).expect("an intent");
        assert_eq!(again, intent);
    }

    #[test]
    fn what_people_wrote_is_in_no_debug_text() {
        let edit = Edit { annotation: "Avis".to_owned(), row: None, value: "très privé".into() };
        let action = Action::Message { body: Words::new("très privé"), attachment: None, correction: None };
        assert!(!format!("{edit:?} {action:?}").contains("privé"));
    }

    #[test]
    fn an_id_is_a_short_line() {
        for text in ["", "  ", "a\nb", &"x".repeat(201)] {
            assert_eq!(IntentId::new(text), Err(InvalidIntentId), "{text:?}");
        }
        assert!(IntentId::new("grist:doc:12/décision").is_ok());
    }
}
