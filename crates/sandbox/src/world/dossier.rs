//! Dossiers and what hangs on them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::value::{FileRecord, Value};

/// State of a dossier, in the platform's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum State {
    Brouillon,
    EnConstruction,
    EnInstruction,
    Accepte,
    Refuse,
    SansSuite,
}

impl State {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brouillon => "brouillon",
            Self::EnConstruction => "en_construction",
            Self::EnInstruction => "en_instruction",
            Self::Accepte => "accepte",
            Self::Refuse => "refuse",
            Self::SansSuite => "sans_suite",
        }
    }

    /// The words of the platform's sentences.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Brouillon => "brouillon",
            Self::EnConstruction => "en construction",
            Self::EnInstruction => "en instruction",
            Self::Accepte => "accepté",
            Self::Refuse => "refusé",
            Self::SansSuite => "classé sans suite",
        }
    }

    /// Returns `true` if a decision was taken.
    #[must_use]
    pub fn is_terminated(self) -> bool {
        matches!(self, Self::Accepte | Self::Refuse | Self::SansSuite)
    }
}

/// The reason of a deletion, in the platform's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Reason {
    UserRequest,
    ManagerRequest,
    UserRemoved,
    ProcedureRemoved,
    Expired,
    InstructeurRequest,
    UserExpired,
}

impl Reason {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserRequest => "user_request",
            Self::ManagerRequest => "manager_request",
            Self::UserRemoved => "user_removed",
            Self::ProcedureRemoved => "procedure_removed",
            Self::Expired => "expired",
            Self::InstructeurRequest => "instructeur_request",
            Self::UserExpired => "user_expired",
        }
    }
}

/// Authenticates the caller.
#[derive(Clone, Debug, PartialEq)]
pub enum Demandeur {
    /// A person.
    PersonnePhysique {
        /// `M` or `Mme`.
        civilite: Option<&'static str>,
        /// Last name.
        nom: String,
        /// First name.
        prenom: String,
    },
    /// A legal entity.
    PersonneMorale {
        /// Its SIRET number.
        siret: String,
        /// False while the companies register has told nothing.
        enriched: bool,
    },
}

/// The account that owns a dossier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Signed in with a password.
    Password,
    /// Signed in with `FranceConnect`.
    FranceConnect,
    /// The account is gone: the usager's id reads `<deleted>`.
    Deleted,
}

/// One step of the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Traitement {
    /// Number of the row.
    pub id: u64,
    /// Event of Démarche Numérique, e.g. `depose`.
    pub event: &'static str,
    /// State that it led to.
    pub state: State,
    /// When.
    pub at: Timestamp,
    /// Which instructeur; nobody for automatic steps and for the usager.
    pub agent: Option<u32>,
    /// The motivation of a decision.
    pub motivation: Option<String>,
}

/// A message exchanged about the dossier.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Number of the row.
    pub id: u64,
    /// The owner of its address.
    pub email: String,
    /// HTML; empty once withdrawn.
    pub body: String,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When it was withdrawn.
    pub discarded_at: Option<Timestamp>,
    /// Files joined.
    pub attachments: Vec<FileRecord>,
    /// The correction that it asks for.
    pub correction: Option<Correction>,
    /// The instructeur who wrote it.
    pub instructeur: Option<u32>,
}

/// A request to correct the dossier.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// `incorrect`, `incomplete` or `outdated`.
    pub reason: String,
    /// When the usager answered it.
    pub resolved_at: Option<Timestamp>,
}

/// An opinion asked from an expert.
#[derive(Clone, Debug, PartialEq)]
pub struct Avis {
    /// Number of the row.
    pub id: u64,
    /// The question.
    pub question: String,
    /// The answer.
    pub reponse: Option<String>,
    /// A second, yes/no question.
    pub question_label: Option<String>,
    /// Its answer.
    pub question_answer: Option<bool>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When the row last changed: served as `dateReponse` even without an answer.
    pub updated_at: Timestamp,
    /// The expert.
    pub expert: String,
    /// Which instructeur asks; null makes the deprecated `instructeur` field fail.
    pub claimant: Option<u32>,
    /// Files joined.
    pub attachments: Vec<FileRecord>,
}

/// A passage from one team to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// When.
    pub at: Timestamp,
    /// The team before, and its name then.
    pub from: (u32, String),
    /// The team after, and its name then.
    pub to: (u32, String),
}

/// An answer given after the dossier was generated.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The content now.
    pub value: Value,
    /// When it changed.
    pub at: Timestamp,
}

/// Rare properties of dossiers, kept aside so that a hundred thousand plain ones fit in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra {
    /// Answers and annotations given since, by stable id.
    pub edits: BTreeMap<u64, Edit>,
    /// Messages, oldest first.
    pub messages: Vec<Message>,
    /// Opinions, oldest first.
    pub avis: Vec<Avis>,
    /// Its passages from one team to another, by hand.
    pub passages: Vec<Passage>,
    /// When the usager confirmed that they read the decision.
    pub acknowledged_at: Option<Timestamp>,
    /// When an instructeur last changed an answer.
    pub edited_by_instructeur_at: Option<Timestamp>,
    /// Numbers of its labels.
    pub labels: BTreeSet<u64>,
    /// The attestation, once made.
    pub attestation: Option<FileRecord>,
    /// The file joined to the decision.
    pub justificatif: Option<FileRecord>,
    /// The demandeur, if not generated.
    pub demandeur: Option<Demandeur>,
    /// The date of birth of a person, as the platform sends it: possibly blank, or no date.
    pub date_de_naissance: Option<String>,
    /// The usager's address, when not generated.
    pub usager: Option<String>,
    /// The account of the usager, when not generated.
    pub connection: Option<Connection>,
    /// Number of the instructeurs who follow it.
    pub instructeurs: BTreeSet<u32>,
    /// The last name and first name of the one who filed it for somebody else.
    pub mandataire: Option<(String, String)>,
    /// When it expires, when not computed.
    pub expires_at: Option<Timestamp>,
    /// When the platform is to decide by itself.
    pub sva_at: Option<jiff::civil::Date>,
}

/// One dossier.
#[derive(Clone, Debug, PartialEq)]
pub struct Dossier {
    /// The number that people see, which is also the number of its row.
    pub number: u32,
    /// Its démarche.
    pub demarche: u32,
    /// Rank of its revision.
    pub revision: usize,
    /// Number of its groupe instructeur.
    pub groupe: u32,
    /// Its state.
    pub state: State,
    /// Set aside.
    pub archived: bool,
    /// Last dated change.
    pub updated_at: Timestamp,
    /// First submission.
    pub depose_at: Timestamp,
    /// Last passage to `en_construction`.
    pub en_construction_at: Timestamp,
    /// Last passage to `en_instruction`.
    pub en_instruction_at: Option<Timestamp>,
    /// Last decision.
    pub processed_at: Option<Timestamp>,
    /// Last submission of champs.
    pub champs_at: Option<Timestamp>,
    /// Last annotation by hand.
    pub annotations_at: Option<Timestamp>,
    /// Hidden by its usager.
    pub hidden_by_user_at: Option<Timestamp>,
    /// Hidden by the administration.
    pub hidden_by_administration_at: Option<Timestamp>,
    /// Hidden because it expired.
    pub hidden_by_expired_at: Option<Timestamp>,
    /// The reason of its deletion.
    pub hidden_reason: Option<Reason>,
    /// Its history, oldest first.
    pub history: Vec<Traitement>,
    /// The rest.
    pub extra: Option<Box<Extra>>,
}

impl Dossier {
    /// Rare properties, to change them.
    pub fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Returns `true` if a listing of the platform shows it.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        self.state != State::Brouillon
            && self.hidden_by_administration_at.is_none()
            && self.hidden_by_expired_at.is_none()
            && (self.hidden_by_user_at.is_none() || self.state != State::EnConstruction)
    }

    /// Returns `true` if the listing of hidden dossiers shows it: expiry alone does not put it there.
    #[must_use]
    pub fn is_pending_deletion(&self) -> bool {
        self.hidden_by_expired_at.is_none()
            && (self.hidden_by_administration_at.is_some()
                || self.state == State::EnConstruction && self.hidden_by_user_at.is_some())
    }

    /// The motivation of the decision, while there is one.
    #[must_use]
    pub fn motivation(&self) -> Option<&str> {
        if !self.state.is_terminated() {
            return None;
        }
        self.history.last().and_then(|traitement| traitement.motivation.as_deref())
    }

    /// When the correction was asked that still waits for the usager.
    #[must_use]
    pub fn pending_correction(&self) -> Option<Timestamp> {
        let messages = &self.extra.as_ref()?.messages;
        let waits = |message: &&Message| message.correction.as_ref().is_some_and(|c| c.resolved_at.is_none());
        messages.iter().rev().find(waits).map(|message| message.created_at)
    }
}

/// The trace of a purged dossier.
#[derive(Clone, Debug, PartialEq)]
pub struct Tombstone {
    /// Number of the row: another numbering than that of dossiers, so that ids collide.
    pub row: u32,
    /// The dossier that went away.
    pub number: u32,
    /// Its last state.
    pub state: State,
    /// Its groupe instructeur.
    pub groupe: u32,
    /// The reason.
    pub reason: Reason,
    /// When; back-dated to the usager's request on Démarche Numérique.
    pub deleted_at: Timestamp,
}
