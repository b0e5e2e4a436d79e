//! Names every verdict on an intent, with its stable word and its text for people. Pure.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::api::Mutation;
use crate::dossier::DossierState;
use crate::ids::InstructeurId;
use crate::intent::{Waits, Witness};
use crate::platform::Platform;

/// Says what is to be done about an intent now.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The platform shows what was wanted.
    Done {
        /// The ids of what shows it: a message, a row, steps of the history.
        made: Vec<String>,
    },
    /// Send this, read the dossier again, and judge again.
    Send(Box<MutationStep>),
    /// It may still arrive: look again then, and send nothing before.
    Wait {
        /// When to look again.
        until: Timestamp,
        /// The reason why it waits.
        waits: Waits,
    },
    /// It cannot be done.
    Refuse(Refusal),
    /// The dossier is not what the person decided on.
    Conflict(Conflict),
    /// Nobody can tell if it was done: a person must look.
    Ambiguous(Doubt),
}

/// Says why nobody can tell if something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Doubt {
    /// No answer came, and the dossier does not tell.
    #[error("its answer was lost, and the dossier does not tell whether it was done")]
    LostAnswer,
    /// The platform said that it was done, and the dossier does not show it.
    #[error("the platform answered that it was done, and the dossier does not show it")]
    NotSeen,
    /// A message of the author is there that says the same, or nearly, and may be this one.
    #[error("a message like this one is there since it was asked for, and may be this one")]
    Alike,
    /// A message of the author was deleted that may have been this one.
    #[error("a message of the same author was deleted since, which may have been this one")]
    Deleted,
    /// A row is there that may be this one.
    #[error("a row was added since it was asked for, which may be this one")]
    SomebodysRow,
    /// The message was sent without the correction that it asks for.
    #[error("the message is there, and the correction that it asks for is not")]
    NoCorrection,
}

impl Doubt {
    /// Gives a stable word.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::LostAnswer => "lost_answer",
            Self::NotSeen => "not_seen",
            Self::Alike => "alike",
            Self::Deleted => "deleted",
            Self::SomebodysRow => "somebodys_row",
            Self::NoCorrection => "correction_forgotten",
        }
    }
}

/// Says where in a mutation an uploaded file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSlot {
    /// The justificatif of a decision.
    Decision,
    /// The attachment of a message.
    Message,
    /// The annotation at this place among those that the mutation writes.
    Annotation(usize),
}

/// Holds one mutation to send, with what must be known of it afterwards.
#[derive(Clone, Debug, PartialEq)]
pub struct MutationStep {
    /// The mutation. Files go into it once they are uploaded.
    pub mutation: Mutation,
    /// Identifies it if it is looked for later.
    pub key: String,
    /// Files of this machine that are uploaded first, and where each goes.
    pub files: Vec<(FileSlot, PathBuf)>,
    /// The instructeur in whose name it is sent.
    pub by: InstructeurId,
    /// Asks the platform to send no e-mail for it.
    pub silent: bool,
    /// The state to compare the dossier with if the answer is lost.
    pub witness: Witness,
    /// The names of the mutations that follow, as things stand.
    pub then: Vec<&'static str>,
}

/// Says how the dossier differs from what the person decided on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// It moved meanwhile.
    #[error("the person decided on {expected}, the dossier is {found} now")]
    Moved {
        /// The dossier as the person saw it, in words.
        expected: String,
        /// The dossier as it is, in words.
        found: String,
    },
    /// Another decision was taken.
    #[error("the dossier is decided already: {found}, not {wanted}")]
    Decided {
        /// The state that it has.
        found: DossierState,
        /// The state that was wanted.
        wanted: DossierState,
    },
    /// It was done in this name, and somebody moved the dossier on since.
    #[error("the dossier was {done} in this name since it was asked for, and somebody made it {found} since")]
    Undone {
        /// The state that it had.
        done: DossierState,
        /// The state that it has.
        found: DossierState,
    },
    /// An annotation was written by somebody else since it was sent.
    #[error("an annotation was written by somebody else since")]
    Rewritten,
    /// The decision that it goes with was on the platform already, by nobody of this outbox.
    #[error("the decision that it goes with was on the platform already, and was not made from here")]
    Foreign,
    /// The same decision was taken, with another file or with none.
    #[error("the dossier is {found} already, without the file that this decision is to have")]
    OtherFile {
        /// The state that it has.
        found: DossierState,
    },
    /// The same decision was taken, for another reason.
    #[error("the dossier is {found} already, with another motivation")]
    OtherMotivation {
        /// The state that it has.
        found: DossierState,
    },
}

impl Conflict {
    /// Gives a stable word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Moved { .. } | Self::Decided { .. } | Self::OtherMotivation { .. } | Self::OtherFile { .. } => {
                "conflict"
            }
            Self::Undone { .. } => "undone",
            Self::Rewritten => "rewritten",
            Self::Foreign => "decided_elsewhere",
        }
    }
}

/// Says why an intent cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The platform does not know the dossier, or hides it.
    #[error("the platform does not show this dossier")]
    NoDossier,
    /// The dossier belongs to another démarche.
    #[error("this dossier belongs to another démarche")]
    OtherDemarche,
    /// The dossier is not one of those that the target keeps.
    #[error("this dossier is outside what is kept of the démarche")]
    Outside,
    /// No step leads there.
    #[error("a dossier that is {from} cannot become {to}")]
    NoWay {
        /// The state that it has.
        from: DossierState,
        /// The state that was wanted.
        to: DossierState,
    },
    /// A démarche whose silence means a decision (SVA, SVR) does not give dossiers back. Démat Social, and Démarche
    /// Numérique before August 2026, fail with HTTP 500 instead of a refusal (trap 62).
    #[error("a dossier of a démarche with SVA/SVR cannot go back to construction by the API")]
    SvaSvr,
    /// Only decided dossiers are archived.
    #[error("a dossier is archived once it is decided; this one is {0}")]
    NotDecided(DossierState),
    /// A decision of this kind needs words.
    #[error("a motivation is required")]
    NoMotivation,
    /// There is nothing to say.
    #[error("the message is empty")]
    EmptyMessage,
    /// Archived dossiers take no messages.
    #[error("an archived dossier takes no message")]
    Archived,
    /// The usager's account is closed.
    #[error("the usager's account is closed: nobody would read the message")]
    NoUsager,
    /// Démat Social, and Démarche Numérique before August 2026, would send the message and forget the correction.
    #[error("a correction cannot be asked: {0}")]
    NoCorrection(&'static str),
    /// Neither the intent nor the settings name an instructeur.
    #[error("no instructeur is named")]
    NoAuthor,
    /// The one who is named may not act on the dossier.
    #[error("the instructeur is not a member of groupe {groupe}, which has the dossier")]
    NotInGroupe {
        /// The number of the groupe.
        groupe: u32,
    },
    /// The platform has no such thing.
    #[error("{what} is not available on {platform}")]
    NotAvailable {
        /// What.
        what: &'static str,
        /// The platform.
        platform: Platform,
    },
    /// Something that the intent names does not exist.
    #[error("{0}")]
    Unknown(String),
    /// A value that the annotation cannot hold.
    #[error("annotation `{annotation}`: {reason}")]
    Value {
        /// Which, as the intent names it.
        annotation: String,
        /// The reason.
        reason: String,
    },
    /// A file that cannot be sent.
    #[error("the file cannot be sent: {0}")]
    File(String),
    /// An intent that this one depends on was not done.
    #[error("it depends on `{0}`, which was not done")]
    Requires(String),
    /// The intent itself cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// The platform said no, in its own words.
    #[error("{}", .0.join(" "))]
    Platform(Vec<String>),
    /// The platform fails while the usager owes a correction (Démat Social; Démarche Numérique says it in words).
    #[error(
        "a correction is awaited from the usager, and the platform fails (HTTP 500) on what it does not allow before; sent {0} times"
    )]
    CorrectionAwaited(u32),
    /// It was sent, and the dossier shows nothing of it.
    #[error("it was sent {times} times and the dossier shows nothing of it{}", said.as_ref().map(|said| format!(" ({said})")).unwrap_or_default())]
    NoEffect {
        /// The number of times.
        times: u32,
        /// The last answer.
        said: Option<String>,
    },
}

impl Refusal {
    /// Gives a stable word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoDossier => "no_dossier",
            Self::Outside => "outside_selection",
            Self::OtherDemarche => "other_demarche",
            Self::NoWay { .. } => "no_way",
            Self::SvaSvr => "sva_svr",
            Self::NotDecided(_) => "not_decided",
            Self::NoMotivation => "no_motivation",
            Self::EmptyMessage => "empty_message",
            Self::Archived => "archived",
            Self::NoUsager => "no_usager",
            Self::NoCorrection(_) => "no_correction",
            Self::NoAuthor => "no_author",
            Self::NotInGroupe { .. } => "not_in_groupe",
            Self::NotAvailable { .. } => "not_available",
            Self::Unknown(_) => "unknown",
            Self::Value { .. } => "value",
            Self::File(_) => "file",
            Self::Requires(_) => "requires",
            Self::Unreadable(_) => "unreadable",
            Self::Platform(_) => "platform",
            Self::CorrectionAwaited(_) => "correction_awaited",
            Self::NoEffect { .. } => "no_effect",
        }
    }

    /// Says what a person may do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Outside => {
                "send it from the target that keeps this dossier, or widen `groupes`, `states` or `deposited-since`"
            }
            Self::NoDossier => "check the number; a dossier that was deleted or never submitted takes no decision",
            Self::OtherDemarche => "check the number of the dossier and that of the démarche",
            Self::NoWay { .. } | Self::NotDecided(_) => "look at the dossier on the platform, and ask for a legal step",
            Self::SvaSvr => "ask the usager for a correction instead, or do it on the platform",
            Self::NoMotivation => "say why: the usager reads it",
            Self::EmptyMessage => "write the message",
            Self::Archived => "take the dossier out of \"à archiver\" first",
            Self::NoUsager => "reach the usager by other means",
            Self::NoCorrection(_) => "send the message without a correction",
            Self::NoAuthor => "name the instructeur with the intent, or set `push.instructeur`",
            Self::NotInGroupe { .. } => "name a member of that groupe, or add the instructeur to it on the platform",
            Self::NotAvailable { .. } => "do it on the platform's own pages",
            Self::Unknown(_) => "check the name; `dn dossier N` shows those that the dossier has",
            Self::Value { .. } => "correct the value and ask again under another id",
            Self::File(_) => "check the file on this machine",
            Self::Requires(_) => "settle that one first",
            Self::Unreadable(_) => "correct it and ask again under another id",
            Self::Platform(words) if words.iter().any(|words| words.contains("déjà en instruction")) => {
                "mandatory annotations may be missing or invalid: the platform says it in these words"
            }
            Self::Platform(words) if words.iter().any(|words| words.contains("en attente de correction")) => {
                "wait for the usager's correction, or take the request for it back on the platform"
            }
            Self::Platform(_) => return None,
            Self::CorrectionAwaited(_) => "wait for it, or take the request for it back on the platform",
            Self::NoEffect { .. } => "look at the dossier on the platform; if its pages fail too, tell its support",
        })
    }
}
