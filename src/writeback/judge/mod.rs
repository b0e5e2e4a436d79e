//! Decides what to do about an intent, from the dossier as it is now. Pure.
//!
//! What is wanted is compared with what the dossier shows. Where that does not tell if something was done (a message, a row,
//! a decision that somebody took back), it is compared with the [`Witness`](crate::intent::Witness) of the last sending, and
//! before the first one with what came since the intent was asked for. Here belongs whatever can be decided from a [`Case`];
//! reading, writing and sending do not.
//!
//! - `states`, `path`: changes of state and the history;
//! - `messages`, `text`: messages, compared as the platform keeps them;
//! - `annotations`, `values`, `files`: annotations, and rows of a repetition;
//! - `marks`: archive, groupe, labels, followers;
//! - `unanswered`: what follows a lost answer;
//! - `expected`: whether the dossier is what the person saw;
//! - `origin`: whose effect something is.

mod annotations;
mod author;
mod expected;
mod files;
mod lacking;
mod marks;
mod messages;
mod origin;
mod path;
mod states;
mod text;
mod unanswered;
mod values;
mod verdict;

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use self::lacking::{Candidate, Lacking};
use crate::api::Mutation;
use crate::demarche::{Demarche, Profile};
use crate::dossier::{Dossier, DossierState};
use crate::ids::InstructeurId;
use crate::intent::{Action, Answer, Intent, Progress, Seen, Sending, There, Waits, Witness, Words};
use crate::platform::Platform;
use crate::sink::Recorded;

pub(super) use annotations::files_of;
pub use files::{LocalFile, LocalFiles};
pub(super) use states::goal;
pub use verdict::{Conflict, Doubt, FileSlot, MutationStep, Refusal, Verdict};

/// The number of times that the platform is asked again if it asks to try later.
const MOST_PUT_OFF: u32 = 24;

/// The wait after the platform asked to try later.
const LATER: SignedDuration = SignedDuration::from_mins(15);

/// Holds everything that a verdict depends on.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The platform.
    pub platform: Platform,
    /// Its démarche, with groupes, labels and form.
    pub demarche: &'a Demarche,
    /// The dossier now.
    pub dossier: &'a Dossier,
    /// The same, as a target would keep it.
    pub seen: &'a Seen,
    /// The intent.
    pub intent: &'a Intent,
    /// When it was asked for, by the clock of whoever asked.
    pub asked_at: Timestamp,
    /// The default author, if the intent names none.
    pub author: Option<&'a str>,
    /// The progress so far.
    pub progress: &'a Progress,
    /// The other intents about this dossier in the same outbox, in their order.
    pub others: &'a [Recorded],
    /// The decision that it requires was there already, and no intent of this outbox made it.
    pub foreign: bool,
    /// The present instant.
    pub now: Timestamp,
    /// The platform's clock minus ours.
    pub skew: SignedDuration,
    /// The time for which a request may still be under way on the platform after its answer was lost.
    pub quiet: SignedDuration,
    /// The files that the intent names, as they are on this machine.
    pub files: &'a LocalFiles,
    /// Sends no message that is there already, however old it is: for intents that no outbox keeps.
    pub once: bool,
}

/// Decides what to do about an intent.
#[must_use]
pub fn judge(case: &Case<'_>) -> Verdict {
    match case.lacking() {
        Ok(Lacking::Nothing(made)) => Verdict::Done { made: made.into_iter().chain(case.steps_made()).collect() },
        Ok(Lacking::Something(candidate)) => case.allowed(*candidate),
        Err(Verdict::Refuse(refusal)) => case.refused(refusal),
        Err(verdict) => verdict,
    }
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

impl From<Conflict> for Verdict {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl From<Doubt> for Verdict {
    fn from(doubt: Doubt) -> Self {
        Self::Ambiguous(doubt)
    }
}

impl Case<'_> {
    /// Compares what is wanted with what is.
    fn lacking(&self) -> Result<Lacking, Verdict> {
        if self.dossier.number != self.intent.dossier {
            return Err(Refusal::NoDossier.into());
        }
        let groupe = &self.dossier.groupe_instructeur.id;
        if !self.demarche.groupes_instructeurs.iter().any(|known| known.id == *groupe) {
            return Err(Refusal::OtherDemarche.into());
        }
        match &self.intent.action {
            Action::PasserEnInstruction => self.reach(&DossierState::EnInstruction),
            Action::RepasserEnConstruction => self.reach(&DossierState::EnConstruction),
            Action::RepasserEnInstruction => self.reopen(),
            Action::Accepter { .. } => self.reach(&DossierState::Accepte),
            Action::Refuser { .. } => self.reach(&DossierState::Refuse),
            Action::ClasserSansSuite { .. } => self.reach(&DossierState::SansSuite),
            Action::Archiver => self.archive(),
            Action::Desarchiver if self.dossier.archived => Ok(self.candidate(Mutation::Desarchiver).into()),
            Action::Desarchiver => Ok(Lacking::nothing()),
            Action::Message { body, attachment, correction } => {
                self.say(body.as_str(), attachment.as_deref(), *correction)
            }
            Action::SupprimerMessage { message } => self.unsay(message),
            Action::AnnulerDemandeCorrection => self.cancel_correction(),
            Action::Annotations { edits } => self.annotate(edits),
            Action::AjouterLigne { annotation } => self.add_row(annotation),
            Action::ChangerGroupe { groupe } => self.hand_over(groupe),
            Action::Label { label, present } => self.label(label, *present),
            Action::Suivre { follow } => self.follow(*follow),
        }
    }

    /// Prepares a mutation, with what the dossier holds before it is sent.
    fn candidate(&self, mutation: Mutation) -> Candidate {
        // The steps of the history that were there before the intent's first mutation stay the ones to compare with.
        let began = self.progress.last.as_ref().and_then(|last| last.witness.there());
        let steps = match began {
            Some(began) => began.steps.clone(),
            None => self.dossier.traitements.iter().map(|step| step.id.clone()).collect(),
        };
        let witness = There { steps, ..There::default() };
        Candidate { key: key(&mutation), mutation, files: Vec::new(), witness, then: Vec::new() }
    }

    /// Gives what was sent last, if it was this.
    fn sent(&self, key: &str) -> Option<&Sending> {
        self.progress.last.as_ref().filter(|last| last.key == key)
    }

    /// Gives a file of this machine that the intent names, if it could be read: whether it can be sent, sending it tells.
    fn local(&self, path: &Path) -> Option<&LocalFile> {
        self.files.get(path).and_then(|file| file.as_ref().ok())
    }

    fn author(&self) -> Result<&Profile, Refusal> {
        let author = self.intent.author.as_ref().map(Words::as_str).or(self.author).ok_or(Refusal::NoAuthor)?;
        author::instructeur(self.demarche, self.dossier, author)
    }

    /// Decides if what is lacking may be sent now.
    fn allowed(&self, candidate: Candidate) -> Verdict {
        if !candidate.mutation.is_available_on(self.platform) {
            return Refusal::NotAvailable { what: candidate.mutation.name(), platform: self.platform }.into();
        }
        if self.progress.sends == 0 {
            if self.foreign {
                return Conflict::Foreign.into();
            }
            if let Some(conflict) = self.moved() {
                return conflict.into();
            }
        }
        if let Some(last) = self.sent(&candidate.key)
            && let Some(verdict) = self.after(last, &candidate)
        {
            return verdict;
        }
        let by = match self.author() {
            Ok(author) => InstructeurId::new(author.id.clone()),
            Err(refusal) => return self.refused(refusal),
        };
        let Candidate { mutation, key, files, witness, then } = candidate;
        let (silent, witness) = (self.intent.silent, Witness::There(witness));
        Verdict::Send(Box::new(MutationStep { mutation, key, files, by, silent, witness, then }))
    }

    /// Decides what follows the answer to the same mutation; `None` if it may be sent again.
    fn after(&self, last: &Sending, candidate: &Candidate) -> Option<Verdict> {
        match &last.answer {
            Answer::Refused(words) if is_later(words) && self.progress.put_off < MOST_PUT_OFF => {
                // Waited for already, or to be waited for.
                let waited = self.progress.not_before.is_some_and(|until| until <= self.now);
                let waits = || Waits::new("later", words.join(" "));
                (!waited).then(|| Verdict::Wait { until: self.now + LATER, waits: waits() })
            }
            Answer::Refused(words) => Some(Refusal::Platform(words.clone()).into()),
            // A change of state, an annotation and a message were looked for by their own traces before.
            Answer::Taken if self.moved_since(last) == Some(false) => Some(self.no_effect(last).into()),
            Answer::Taken => Some(Doubt::NotSeen.into()),
            Answer::Unknown => self.again(candidate, last),
        }
    }
}

/// Identifies a mutation among those of one intent.
fn key(mutation: &Mutation) -> String {
    match mutation {
        // One intent writes several annotations, one by one, where the platform has no batch.
        Mutation::ModifierAnnotation { annotation, .. } => format!("{} {annotation}", mutation.name()),
        Mutation::PasserEnInstruction
        | Mutation::RepasserEnConstruction
        | Mutation::RepasserEnInstruction
        | Mutation::Accepter { .. }
        | Mutation::Refuser { .. }
        | Mutation::ClasserSansSuite { .. }
        | Mutation::Archiver
        | Mutation::Desarchiver
        | Mutation::EnvoyerMessage { .. }
        | Mutation::SupprimerMessage { .. }
        | Mutation::AnnulerDemandeCorrection { .. }
        | Mutation::ChangerGroupeInstructeur { .. }
        | Mutation::Suivre { .. }
        | Mutation::AjouterLabel { .. }
        | Mutation::SupprimerLabel { .. }
        | Mutation::ModifierAnnotations { .. }
        | Mutation::AjouterLigne { .. } => mutation.name().to_owned(),
    }
}

/// Tells if the platform asks to try again later, in its own words: it has no code for that while it fetches the company's
/// data (docs/platform.md#mutations).
fn is_later(words: &[String]) -> bool {
    words.iter().any(|words| words.contains("réessayer plus tard"))
}
