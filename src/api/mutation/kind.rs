//! Mutations of a dossier.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::annotation::{AnnotationEdit, AnnotationValue};
use super::newer::Newer;
use crate::api::upload::SignedBlobId;
use crate::ids::{ChampId, GroupeInstructeurId, InstructeurId, LabelId, MessageId};
use crate::platform::Platform;

/// Instructeur of a mutation, and whether it sends e-mails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The instructeur in whose name it is done: a member of the dossier's present groupe, or the platform refuses.
    pub instructeur: InstructeurId,
    /// No e-mail to the usager for a change of state (`disableNotification`). The platform still writes a message into
    /// the mailbox of the dossier. Mutations that notify nobody, and messages, are not affected.
    pub silent: bool,
}

/// Reason for asking the usager for a correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionReason {
    /// An answer is wrong.
    Incorrect,
    /// An answer is missing.
    Incomplete,
    /// An answer is no longer true.
    Outdated,
}

/// Mutation of a dossier, under the platform's names.
///
/// Its JSON form (serde) is `"passer_en_instruction"` or `{"refuser": {"motivation": "…"}}`. `Debug` shows ids and never
/// a motivation, a message or the value of an annotation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mutation {
    /// From en_construction. The instructeur begins to follow the dossier, and what the usager has changed without
    /// submitting it is lost (docs/platform.md#mutations).
    PasserEnInstruction,
    /// From en_instruction. On a démarche under SVA or SVR the platform fails instead of refusing (trap 62).
    RepasserEnConstruction,
    /// From a decision. The motivation, the justificatif and the attestation of that decision go.
    RepasserEnInstruction,
    /// From en_instruction.
    Accepter {
        /// Why; read by the usager.
        motivation: Option<String>,
        /// A file joined to the decision.
        justificatif: Option<SignedBlobId>,
    },
    /// From en_instruction.
    Refuser {
        /// Why; read by the usager.
        motivation: String,
        /// A file joined to the decision.
        justificatif: Option<SignedBlobId>,
    },
    /// From en_instruction.
    ClasserSansSuite {
        /// Why; read by the usager.
        motivation: String,
        /// A file joined to the decision.
        justificatif: Option<SignedBlobId>,
    },
    /// Marks a decided dossier "à archiver".
    Archiver,
    /// Removes that mark (Démarche Numérique only).
    Desarchiver,
    /// Writes to the usager, by e-mail too. Not idempotent: sent twice, there are two messages (trap 59).
    EnvoyerMessage {
        /// The text.
        body: String,
        /// A file.
        attachment: Option<SignedBlobId>,
        /// Asks for a correction, which brings a dossier en_instruction back to en_construction. The platform ignores
        /// it, and sends the message all the same, if the dossier is decided or a correction is awaited already (trap
        /// 63).
        correction: Option<CorrectionReason>,
    },
    /// Empties a message of the same instructeur (Démarche Numérique only).
    SupprimerMessage {
        /// The message.
        message: MessageId,
    },
    /// Cancels a request for a correction, and leaves the message that asked for it (a newer Démarche Numérique only).
    AnnulerDemandeCorrection {
        /// The message that asked for it.
        message: MessageId,
    },
    /// Hands the dossier to another groupe of the démarche.
    ChangerGroupeInstructeur {
        /// The groupe.
        groupe: GroupeInstructeurId,
    },
    /// Makes the instructeur follow the dossier, or no longer follow it (Démarche Numérique only).
    Suivre {
        /// True to follow, false to stop following.
        follow: bool,
    },
    /// Puts a label of the démarche on the dossier (Démarche Numérique only).
    AjouterLabel {
        /// The label.
        label: LabelId,
    },
    /// Removes a label (Démarche Numérique only).
    SupprimerLabel {
        /// The label.
        label: LabelId,
    },
    /// Writes one annotation, by the platform's mutation for this kind of value; by [`Self::ModifierAnnotations`] for the
    /// kinds that have none.
    ModifierAnnotation {
        /// The annotation; of a row of a repetition, the one whose id carries the row.
        annotation: ChampId,
        /// The new value.
        value: AnnotationValue,
    },
    /// Writes several annotations (Démarche Numérique only). Not one transaction: some may be written and others refused
    /// (trap 64).
    ModifierAnnotations {
        /// The annotations and their new values.
        edits: Vec<AnnotationEdit>,
    },
    /// Adds an empty row to a repetition among the annotations. Not idempotent: sent twice, there are two rows.
    AjouterLigne {
        /// The repetition.
        annotation: ChampId,
    },
}

impl Mutation {
    /// Returns the platform's name of the mutation: `dossierAccepter`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::PasserEnInstruction => "dossierPasserEnInstruction",
            Self::RepasserEnConstruction => "dossierRepasserEnConstruction",
            Self::RepasserEnInstruction => "dossierRepasserEnInstruction",
            Self::Accepter { .. } => "dossierAccepter",
            Self::Refuser { .. } => "dossierRefuser",
            Self::ClasserSansSuite { .. } => "dossierClasserSansSuite",
            Self::Archiver => "dossierArchiver",
            Self::Desarchiver => "dossierDesarchiver",
            Self::EnvoyerMessage { .. } => "dossierEnvoyerMessage",
            Self::SupprimerMessage { .. } => "dossierSupprimerMessage",
            Self::AnnulerDemandeCorrection { .. } => "dossierAnnulerDemandeCorrection",
            Self::ChangerGroupeInstructeur { .. } => "dossierChangerGroupeInstructeur",
            Self::Suivre { .. } => "dossierBasculeSuivi",
            Self::AjouterLabel { .. } => "dossierAjouterLabel",
            Self::SupprimerLabel { .. } => "dossierSupprimerLabel",
            Self::ModifierAnnotation { value, .. } => value.single_mutation().unwrap_or("dossierModifierAnnotations"),
            Self::ModifierAnnotations { .. } => "dossierModifierAnnotations",
            Self::AjouterLigne { .. } => "dossierModifierAnnotationAjouterLigne",
        }
    }

    /// Returns true if a platform has it as it is. [`Self::compose`] may compose a missing one from others. An instance
    /// of Démarche Numérique may be older than the mutation: the client checks its schema before it sends one.
    #[must_use]
    pub fn is_available_on(&self, platform: Platform) -> bool {
        match (platform, self) {
            // Of the pinned schema. Newer ones are checked by `newer` against the schema that the instance has.
            (Platform::DemarcheNumerique, _) => true,
            (
                Platform::DematSocial,
                Self::Desarchiver
                | Self::SupprimerMessage { .. }
                | Self::AnnulerDemandeCorrection { .. }
                | Self::Suivre { .. }
                | Self::AjouterLabel { .. }
                | Self::SupprimerLabel { .. }
                | Self::ModifierAnnotations { .. },
            ) => false,
            (Platform::DematSocial, Self::ModifierAnnotation { value, .. }) => {
                // The schema of Démat Social lacks these two.
                let lacks = matches!(value, AnnotationValue::DecimalNumber(_) | AnnotationValue::DropDownList(_));
                !lacks && value.single_mutation().is_some()
            }
            (
                Platform::DematSocial,
                Self::PasserEnInstruction
                | Self::RepasserEnConstruction
                | Self::RepasserEnInstruction
                | Self::Accepter { .. }
                | Self::Refuser { .. }
                | Self::ClasserSansSuite { .. }
                | Self::Archiver
                | Self::EnvoyerMessage { .. }
                | Self::ChangerGroupeInstructeur { .. }
                | Self::AjouterLigne { .. },
            ) => true,
        }
    }

    /// Names the facts that the platform's schema must have for it, if the pinned one lacks them.
    pub(in crate::api) fn newer(&self) -> Vec<Newer> {
        match self {
            Self::ModifierAnnotation { value, .. } => value.newer().into_iter().collect(),
            Self::ModifierAnnotations { edits } => edits.iter().filter_map(|edit| edit.value.newer()).collect(),
            Self::AnnulerDemandeCorrection { .. } => {
                let what = "taking back a request for a correction";
                vec![Newer { fact: "Mutation.dossierAnnulerDemandeCorrection", what }]
            }
            Self::PasserEnInstruction
            | Self::RepasserEnConstruction
            | Self::RepasserEnInstruction
            | Self::Accepter { .. }
            | Self::Refuser { .. }
            | Self::ClasserSansSuite { .. }
            | Self::Archiver
            | Self::Desarchiver
            | Self::EnvoyerMessage { .. }
            | Self::SupprimerMessage { .. }
            | Self::ChangerGroupeInstructeur { .. }
            | Self::Suivre { .. }
            | Self::AjouterLabel { .. }
            | Self::SupprimerLabel { .. }
            | Self::AjouterLigne { .. } => Vec::new(),
        }
    }

    /// Returns true if it is idempotent, so that it may be sent again if the dossier, read again, shows that it was not
    /// applied. A message, a row and a file would be there twice.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        match self {
            // `clientMutationId` is no idempotency key: the platform does twice what is sent twice (trap 59).
            Self::EnvoyerMessage { .. } | Self::AjouterLigne { .. } => false,
            Self::ModifierAnnotation { value, .. } => !value.adds(),
            Self::ModifierAnnotations { edits } => !edits.iter().any(|edit| edit.value.adds()),
            Self::PasserEnInstruction
            | Self::RepasserEnConstruction
            | Self::RepasserEnInstruction
            | Self::Accepter { .. }
            | Self::Refuser { .. }
            | Self::ClasserSansSuite { .. }
            | Self::Archiver
            | Self::Desarchiver
            | Self::SupprimerMessage { .. }
            | Self::AnnulerDemandeCorrection { .. }
            | Self::ChangerGroupeInstructeur { .. }
            | Self::Suivre { .. }
            | Self::AjouterLabel { .. }
            | Self::SupprimerLabel { .. } => true,
        }
    }
}

/// Placeholder of a text in `Debug`.
struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl fmt::Debug for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(self.name());
        match self {
            Self::PasserEnInstruction
            | Self::RepasserEnConstruction
            | Self::RepasserEnInstruction
            | Self::Archiver
            | Self::Desarchiver => &mut shown,
            Self::Accepter { motivation, justificatif } => {
                shown.field("motivation", &motivation.as_ref().map(|_| Hidden)).field("justificatif", justificatif)
            }
            Self::Refuser { motivation: _, justificatif } | Self::ClasserSansSuite { motivation: _, justificatif } => {
                shown.field("motivation", &Hidden).field("justificatif", justificatif)
            }
            Self::EnvoyerMessage { body: _, attachment, correction } => {
                shown.field("body", &Hidden).field("attachment", attachment).field("correction", correction)
            }
            Self::SupprimerMessage { message } | Self::AnnulerDemandeCorrection { message } => {
                shown.field("message", message)
            }
            Self::ChangerGroupeInstructeur { groupe } => shown.field("groupe", groupe),
            Self::Suivre { follow } => shown.field("follow", follow),
            Self::AjouterLabel { label } | Self::SupprimerLabel { label } => shown.field("label", label),
            Self::ModifierAnnotation { annotation, value } => {
                shown.field("annotation", annotation).field("value", value)
            }
            Self::ModifierAnnotations { edits } => shown.field("edits", edits),
            Self::AjouterLigne { annotation } => shown.field("annotation", annotation),
        }
        .finish()
    }
}
