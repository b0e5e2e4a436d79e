//! What is to be done about an intent: decided from the dossier as it is now, without effects and without a clock.
//!
//! What is wanted is compared with what the dossier shows. Where that does not tell whether something was done (a message,
//! a row, a decision that somebody took back), it is compared with the [`Witness`](crate::intent::Witness) of the last
//! sending, and before the first one with what there is since the intent was asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::annotation::{LocalFile, LocalFiles};
use super::verdict::{Conflict, Doubt, Refusal, Step, Verdict};
use super::{annotation, history, message, people, text};
use crate::api::{AnnotationEdit, Mutation};
use crate::demarche::{Demarche, Profile};
use crate::dossier::{Dossier, DossierState, Message};
use crate::fingerprint::{Digest, Fingerprint};
use crate::ids::{GroupeInstructeurNumber, InstructeurId, LabelId, MessageId};
use crate::intent::{
    Action, Answer, Edit, Expected, Intent, Move, Progress, Seen, Sending, There, Waits, Witness, Words,
};
use crate::platform::Platform;
use crate::sink::Recorded;

/// How often one and the same thing is sent before it is given up.
const MOST_SENDS: u32 = 5;

/// How often the platform is asked again when it says "later".
const MOST_PUT_OFF: u32 = 24;

/// How long to wait when the platform says "later".
const LATER: SignedDuration = SignedDuration::from_mins(15);

/// Everything that a judgement depends on.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Whose dossier.
    pub platform: Platform,
    /// Its démarche, with groupes, labels and form.
    pub demarche: &'a Demarche,
    /// The dossier now.
    pub dossier: &'a Dossier,
    /// The same, as a target would keep it.
    pub seen: &'a Seen,
    /// What is wanted.
    pub intent: &'a Intent,
    /// When it was asked for, by the clock of whoever asked.
    pub asked_at: Timestamp,
    /// In whose name, when the intent does not say.
    pub author: Option<&'a str>,
    /// How far it came.
    pub progress: &'a Progress,
    /// The other intents about this dossier in the same outbox, in their order.
    pub others: &'a [Recorded],
    /// Whether the decision that it requires was there already, and no intent of this outbox made it.
    pub foreign: bool,
    /// The present instant.
    pub now: Timestamp,
    /// The platform's clock minus ours.
    pub skew: SignedDuration,
    /// How long a request whose answer was lost may still be under way on the platform.
    pub quiet: SignedDuration,
    /// The files that the intent names, as they are on this machine.
    pub files: &'a LocalFiles,
    /// Whether a message that is there already is not sent another time, however old it is: for intents that were never
    /// kept anywhere.
    pub once: bool,
}

/// What to do about an intent.
#[must_use]
pub fn judge(case: &Case<'_>) -> Verdict {
    match case.wanted() {
        Ok(Wanted::Done(made)) => Verdict::Done { made: made.into_iter().chain(case.steps_made()).collect() },
        Ok(Wanted::Todo(todo)) => case.allowed(*todo),
        Err(Verdict::Refuse(refusal)) => case.refused(refusal),
        Err(verdict) => verdict,
    }
}

/// What the dossier lacks of what was wanted.
pub(super) enum Wanted {
    /// Nothing; the ids of what shows it.
    Done(Vec<String>),
    Todo(Box<Todo>),
}

pub(super) struct Todo {
    mutation: Mutation,
    /// What to know it by if it was sent before.
    key: String,
    file: Option<PathBuf>,
    joined: Vec<(usize, PathBuf)>,
    witness: There,
    then: Vec<&'static str>,
}

impl Wanted {
    pub fn done() -> Self {
        Self::Done(Vec::new())
    }

    /// The same, with a file to upload first and what follows.
    pub fn with(self, file: Option<PathBuf>, then: Vec<&'static str>) -> Self {
        match self {
            Self::Done(made) => Self::Done(made),
            Self::Todo(todo) => Self::Todo(Box::new(Todo { file, then, ..*todo })),
        }
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
    fn wanted(&self) -> Result<Wanted, Verdict> {
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
            Action::Archiver if self.dossier.archived => Ok(Wanted::done()),
            Action::Archiver if !self.dossier.state.is_terminal() => {
                Err(Refusal::NotDecided(self.dossier.state.clone()).into())
            }
            Action::Archiver => Ok(self.todo(Mutation::Archiver)),
            Action::Desarchiver if self.dossier.archived => Ok(self.todo(Mutation::Desarchiver)),
            Action::Desarchiver => Ok(Wanted::done()),
            Action::Message { .. } => self.say(),
            Action::SupprimerMessage { message } => {
                let there = |sent: &&Message| sent.id == message.as_str();
                match self.dossier.messages.iter().find(there) {
                    Some(sent) if sent.discarded_at.is_none() => {
                        Ok(self.todo(Mutation::SupprimerMessage { message: message.clone() }))
                    }
                    Some(_) => Ok(Wanted::done()),
                    None => Err(Refusal::Unknown(format!("the dossier has no message `{}`", message.as_str())).into()),
                }
            }
            Action::AnnulerDemandeCorrection => {
                let asks = |sent: &&Message| {
                    sent.correction.as_ref().is_some_and(|correction| correction.date_resolution.is_none())
                };
                match self.dossier.messages.iter().find(asks) {
                    Some(asking) => {
                        let message = MessageId::new(asking.id.clone());
                        Ok(self.todo(Mutation::AnnulerDemandeCorrection { message }))
                    }
                    None if self.dossier.date_derniere_correction_en_attente.is_none() => Ok(Wanted::done()),
                    None => {
                        Err(Refusal::Unknown("no message asks for the correction that is awaited".to_owned()).into())
                    }
                }
            }
            Action::Annotations { edits } => self.annotate(edits),
            Action::AjouterLigne { annotation } => self.add_row(annotation),
            Action::ChangerGroupe { groupe } => {
                let number = groupe.trim().parse().ok().map(GroupeInstructeurNumber::new);
                let known = self.demarche.groupes_instructeurs.iter();
                let mut known = known.filter(|known| Some(known.number) == number || known.label == groupe.trim());
                let found = known.next().ok_or_else(|| Refusal::Unknown(format!("no groupe is called `{groupe}`")))?;
                if found.id == self.dossier.groupe_instructeur.id {
                    return Ok(Wanted::done());
                }
                Ok(self.todo(Mutation::ChangerGroupeInstructeur { groupe: found.id.clone() }))
            }
            Action::Label { label, present } => {
                let named = |known: &&crate::demarche::Label| known.id == *label || known.name == label.trim();
                let there = self.dossier.labels.iter().find(named);
                match (there, present) {
                    (Some(_), true) | (None, false) => Ok(Wanted::done()),
                    (Some(known), false) => Ok(self.todo(Mutation::SupprimerLabel { label: LabelId::new(&known.id) })),
                    (None, true) => {
                        let known = self.demarche.labels.iter().find(named);
                        let known = known.ok_or_else(|| Refusal::Unknown(format!("no label is called `{label}`")))?;
                        Ok(self.todo(Mutation::AjouterLabel { label: LabelId::new(&known.id) }))
                    }
                }
            }
            Action::Suivre { follow } => {
                let author = self.author()?;
                let follows = self.dossier.instructeurs.iter().any(|profile| profile.id == author.id);
                if follows == *follow {
                    Ok(Wanted::done())
                } else {
                    Ok(self.todo(Mutation::Suivre { follow: *follow }))
                }
            }
        }
    }

    /// Something to send, with what the dossier looks like before.
    pub(super) fn todo(&self, mutation: Mutation) -> Wanted {
        // Of single annotations there may be several in one intent.
        let key = match &mutation {
            Mutation::ModifierAnnotation { annotation, .. } => format!("{} {annotation}", mutation.name()),
            _ => mutation.name().to_owned(),
        };
        // The history counts since the first step of the intent.
        let began = self.progress.last.as_ref().and_then(|last| last.witness.there());
        let steps = match began {
            Some(began) => began.steps.clone(),
            None => self.dossier.traitements.iter().map(|step| step.id.clone()).collect(),
        };
        let witness = There { steps, ..There::default() };
        Wanted::Todo(Box::new(Todo { mutation, key, file: None, joined: Vec::new(), witness, then: Vec::new() }))
    }

    /// The same, with something else that tells whether it was done.
    fn todo_seen_by(&self, mutation: Mutation, witness: There) -> Wanted {
        match self.todo(mutation) {
            Wanted::Todo(todo) => {
                let witness = There { steps: todo.witness.steps, ..witness };
                Wanted::Todo(Box::new(Todo { witness, ..*todo }))
            }
            done @ Wanted::Done(_) => done,
        }
    }

    /// What was sent last, if it was this.
    fn sent(&self, key: &str) -> Option<&Sending> {
        self.progress.last.as_ref().filter(|last| last.key == key)
    }

    /// Annotations that do not have their values yet. One that has another value than when it was sent, or that had its
    /// value then, was written by somebody else since.
    fn annotate(&self, edits: &[Edit]) -> Result<Wanted, Verdict> {
        let missing = annotation::missing(self.demarche, self.dossier, edits, self.files)?;
        let files =
            missing.iter().enumerate().flat_map(|(at, one)| one.files.iter().map(move |path| (at, path.clone())));
        let joined: Vec<(usize, PathBuf)> = files.collect();
        let missing: Vec<AnnotationEdit> = missing.into_iter().map(|one| one.edit).collect();
        let Some(first) = missing.first().cloned() else { return Ok(Wanted::done()) };
        let marks: BTreeMap<String, Fingerprint> =
            missing.iter().map(|edit| (edit.annotation.as_str().to_owned(), self.mark(edit))).collect();
        if let Some(last) = &self.progress.last
            && let Some(there) = last.witness.there()
            && !matches!(last.answer, Answer::Refused(_))
        {
            if marks.iter().any(|(id, mark)| there.annotations.get(id) != Some(mark)) {
                return Err(Conflict::Rewritten.into());
            }
            // One by one, the next one is not what was sent last.
            let sent_last = |edit: &AnnotationEdit| {
                last.key == "dossierModifierAnnotations" || last.key.ends_with(edit.annotation.as_str())
            };
            if last.answer == Answer::Taken && missing.iter().any(sent_last) {
                return Err(self.no_effect(last).into());
            }
        }
        let batch = Mutation::ModifierAnnotations { edits: missing };
        let mutation = if batch.is_available_on(self.platform) {
            batch
        } else {
            Mutation::ModifierAnnotation { annotation: first.annotation, value: first.value }
        };
        Ok(match self.todo_seen_by(mutation, There { annotations: marks, ..There::default() }) {
            Wanted::Todo(todo) => Wanted::Todo(Box::new(Todo { joined, ..*todo })),
            done @ Wanted::Done(_) => done,
        })
    }

    /// An annotation as it is now, and since when.
    fn mark(&self, edit: &AnnotationEdit) -> Fingerprint {
        let champ = annotation::by_id(self.dossier, &edit.annotation);
        let now = champ.map(|champ| (&champ.value, champ.updated_at));
        Digest::of(serde_json::to_string(&now).expect("champs are plain data with text keys").as_bytes())
    }

    fn add_row(&self, name: &str) -> Result<Wanted, Verdict> {
        let (champ, rows) = annotation::repetition(self.dossier, name)?;
        let free = |row: &&crate::champ::RepetitionRow| !self.is_claimed(row.id.as_str());
        let made = |row: &crate::champ::RepetitionRow| Ok(Wanted::Done(vec![row.id.as_str().to_owned()]));
        let ids = rows.iter().map(|row| row.id.as_str().to_owned()).collect();
        if let Some(last) = self.sent("dossierModifierAnnotationAjouterLigne") {
            let ours = rows.iter().find(|row| self.progress.made.iter().any(|made| made == row.id.as_str()));
            let new = match &last.witness {
                Witness::There(there) => rows.iter().filter(free).find(|row| !there.rows.contains(row.id.as_str())),
                Witness::Rows(before) if rows.len() > *before => rows.last(),
                Witness::Rows(_) | Witness::Messages(_) | Witness::State => None,
            };
            if let Some(row) = ours.or(new) {
                return made(row);
            }
            if last.answer == Answer::Taken {
                return Err(Doubt::NotSeen.into());
            }
        } else if self.progress.sends == 0 && !self.once {
            // Rows have no author and no words: a row that came since may be of this intent or of anybody.
            let since = self.closely_since();
            let came = |row: &&crate::champ::RepetitionRow| row.id.created_at().is_some_and(|at| at >= since);
            let came = rows.iter().filter(free).filter(came).count();
            let same =
                |other: &Intent| matches!(&other.action, Action::AjouterLigne { annotation } if annotation == name);
            if came > self.untraced(same).done {
                return Err(Doubt::SomebodysRow.into());
            }
        }
        let mutation = Mutation::AjouterLigne { annotation: champ.id.clone() };
        Ok(self.todo_seen_by(mutation, There { rows: ids, ..There::default() }))
    }

    fn say(&self) -> Result<Wanted, Verdict> {
        let Action::Message { body, attachment, correction } = &self.intent.action else { return Ok(Wanted::done()) };
        if text::words(body.as_str()).is_empty() {
            return Err(Refusal::EmptyMessage.into());
        }
        if let Some(message) = self.said()? {
            // The platform may have passed over the correction in silence (trap 63).
            return if correction.is_some() && message.correction.is_none() && !message::is_emptied(message) {
                Err(Doubt::NoCorrection.into())
            } else {
                Ok(Wanted::Done(vec![message.id.clone()]))
            };
        }
        self.author()?;
        if self.dossier.archived {
            return Err(Refusal::Archived.into());
        }
        if self.dossier.connection_usager == "deleted" {
            return Err(Refusal::NoUsager.into());
        }
        if correction.is_some() {
            if self.dossier.state.is_terminal() {
                return Err(Refusal::NoCorrection("the dossier is decided").into());
            }
            if self.dossier.date_derniere_correction_en_attente.is_some() {
                return Err(Refusal::NoCorrection("one is awaited already").into());
            }
        }
        let mutation =
            Mutation::EnvoyerMessage { body: body.as_str().to_owned(), attachment: None, correction: *correction };
        let messages = self.dossier.messages.iter().map(|message| message.id.clone()).collect();
        Ok(self.todo_seen_by(mutation, There { messages, ..There::default() }).with(attachment.clone(), Vec::new()))
    }

    /// The message that is this intent's doing, if it is there.
    ///
    /// # Errors
    /// It may be there or not.
    fn said(&self) -> Result<Option<&Message>, Verdict> {
        let (Action::Message { body, attachment, .. }, Some(writer)) = (&self.intent.action, self.writer()) else {
            return Ok(None);
        };
        // The same words with another file are another message; once it was sent, its own traces tell.
        let local = attachment.as_ref().filter(|_| self.progress.sends == 0).and_then(|path| self.local(path));
        let said = message::said(self.dossier, writer, body.as_str(), attachment.as_deref(), local);
        let emptied = |message: &&Message| {
            message::is_of(message, writer) && message::is_emptied(message) && !self.is_claimed(&message.id)
        };
        let mut emptied = self.dossier.messages.iter().filter(emptied);
        if let Some(last) = self.sent("dossierEnvoyerMessage") {
            let ours = |message: &&Message| self.progress.made.contains(&message.id);
            let new = |message: &&Message| self.is_new_message(message, last) && !self.is_claimed(&message.id);
            let new = match last.witness {
                Witness::Messages(before) => said.last().filter(|_| said.len() > before).map(|said| said.message),
                _ => said.iter().map(|said| said.message).find(new),
            };
            return match self.dossier.messages.iter().find(ours).or(new) {
                Some(message) => Ok(Some(message)),
                None if emptied.any(|message| self.is_new_message(message, last)) => Err(Doubt::Deleted.into()),
                None if last.answer == Answer::Taken => Err(Doubt::NotSeen.into()),
                None => Ok(None),
            };
        }
        if self.progress.sends > 0 {
            return Ok(None);
        }
        let since = self.since();
        let fresh: Vec<_> = said
            .into_iter()
            .filter(|said| self.once || (said.message.created_at >= since && !self.is_claimed(&said.message.id)))
            .collect();
        let same = |other: &Intent| {
            let Action::Message { body: words, attachment: file, .. } = &other.action else { return false };
            text::words(words.as_str()) == text::words(body.as_str()) && file == attachment
        };
        let untraced = if self.once { Default::default() } else { self.untraced(same) };
        let left = fresh.get(untraced.done..).unwrap_or_default();
        let exact = left.iter().find(|said| said.likeness == text::Likeness::Same);
        match exact {
            Some(said) if left.len() > untraced.perhaps => Ok(Some(said.message)),
            _ if !left.is_empty() => Err(Doubt::Alike.into()),
            // Whoever acts by hand, and keeps nothing, knows what was deleted.
            _ if self.once => Ok(None),
            _ => {
                let since = self.closely_since();
                let late = |message: &Message| {
                    message.created_at >= since && message.discarded_at.is_none_or(|deleted| deleted >= since)
                };
                if emptied.any(late) { Err(Doubt::Deleted.into()) } else { Ok(None) }
            }
        }
    }

    /// A file of this machine that the intent names, where it can be read: whether it can be sent, sending it tells.
    pub(super) fn local(&self, path: &Path) -> Option<&LocalFile> {
        self.files.get(path).and_then(|file| file.as_ref().ok())
    }

    fn author(&self) -> Result<&Profile, Refusal> {
        let author = self.intent.author.as_ref().map(Words::as_str).or(self.author).ok_or(Refusal::NoAuthor)?;
        people::instructeur(self.demarche, self.dossier, author)
    }

    /// Something that cannot be done, unless it was sent and may be done: then nobody knows.
    fn refused(&self, refusal: Refusal) -> Verdict {
        let Some(last) = self.progress.last.as_ref().filter(|last| !matches!(last.answer, Answer::Refused(_))) else {
            return refusal.into();
        };
        if matches!(refusal, Refusal::NoEffect { .. }) {
            return refusal.into();
        }
        if last.answer == Answer::Unknown
            && let Some(wait) = self.under_way(last)
        {
            return wait;
        }
        if self.leaves_a_trace() || self.moved_since(last) == Some(false) {
            refusal.into()
        } else {
            Doubt::LostAnswer.into()
        }
    }

    /// Whether what it does is seen whatever happens afterwards: a message, a row, a step of the history.
    fn leaves_a_trace(&self) -> bool {
        match &self.intent.action {
            Action::Message { .. } | Action::AjouterLigne { .. } => true,
            action => history::goal(action).is_some(),
        }
    }

    /// Whether what is lacking may be sent now.
    fn allowed(&self, todo: Todo) -> Verdict {
        let name = todo.mutation.name();
        let last = self.sent(&todo.key);
        if !todo.mutation.is_available_on(self.platform) {
            return Refusal::NotAvailable { what: name, platform: self.platform }.into();
        }
        if self.progress.sends == 0 {
            if self.foreign {
                return Conflict::Foreign.into();
            }
            if let Some(conflict) = self.moved() {
                return conflict.into();
            }
        }
        if let Some(last) = last {
            match &last.answer {
                Answer::Refused(words) => match later(words) && self.progress.put_off < MOST_PUT_OFF {
                    // Waited for already, or to be waited for.
                    true if self.progress.not_before.is_some_and(|until| until <= self.now) => {}
                    true => {
                        return Verdict::Wait { until: self.now + LATER, waits: Waits::new("later", words.join(" ")) };
                    }
                    false => return Refusal::Platform(words.clone()).into(),
                },
                // What changes a state, writes an annotation or sends a message is known by its own traces.
                Answer::Taken if self.moved_since(last) == Some(false) => return self.no_effect(last).into(),
                Answer::Taken => return Doubt::NotSeen.into(),
                Answer::Unknown => {
                    if let Some(verdict) = self.again(&todo, last) {
                        return verdict;
                    }
                }
            }
        }
        let by = match self.author() {
            Ok(author) => InstructeurId::new(author.id.clone()),
            Err(refusal) => return self.refused(refusal),
        };
        let Todo { mutation, key, file, joined, witness, then } = todo;
        Verdict::Send(Box::new(Step { mutation, key, file, joined, by, witness: Witness::There(witness), then }))
    }

    /// Why something whose answer was lost is not sent again now.
    fn again(&self, todo: &Todo, last: &Sending) -> Option<Verdict> {
        if let Some(wait) = self.under_way(last) {
            return Some(wait);
        }
        let traced = self.leaves_a_trace() || matches!(self.intent.action, Action::Annotations { .. });
        let moved = self.moved_since(last) == Some(true);
        if moved && !traced {
            // It may have been done, and undone by somebody.
            return Some(Doubt::LostAnswer.into());
        }
        if last.times >= MOST_SENDS {
            return Some(if !todo.mutation.is_idempotent() {
                Doubt::LostAnswer.into()
            } else if self.is_blocked_by_correction(last) {
                Refusal::CorrectionAwaited(last.times).into()
            } else {
                self.no_effect(last).into()
            });
        }
        if moved { self.moved().map(Verdict::from) } else { None }
    }

    /// What was sent may still be under way, or the platform still be in trouble: longer each time.
    fn under_way(&self, last: &Sending) -> Option<Verdict> {
        let wait = self.quiet * (1 << last.times.saturating_sub(1).min(4));
        let until = last.at.checked_add(wait).unwrap_or(Timestamp::MAX);
        if until <= self.now {
            return None;
        }
        let waits = if self.is_blocked_by_correction(last) {
            Waits::new("correction_awaited", Refusal::CorrectionAwaited(last.times).to_string())
        } else {
            let words = last.failure.as_ref().map(|failure| format!(": {}", failure.words)).unwrap_or_default();
            Waits::new("lost_answer", format!("its answer was lost{words}"))
        };
        Some(Verdict::Wait { until, waits })
    }

    /// Whether the platform failed because the usager owes a correction, which it has no words for.
    fn is_blocked_by_correction(&self, last: &Sending) -> bool {
        last.key == Mutation::PasserEnInstruction.name()
            && self.dossier.date_derniere_correction_en_attente.is_some()
            && last.failure.as_ref().is_some_and(|failure| failure.kind == "internal_server_error")
    }

    /// It was sent, and the dossier shows nothing of it.
    pub(super) fn no_effect(&self, last: &Sending) -> Refusal {
        let said = match &last.answer {
            Answer::Taken => Some("the platform answered that it was done".to_owned()),
            Answer::Unknown | Answer::Refused(_) => last.failure.as_ref().map(|failure| failure.words.clone()),
        };
        Refusal::NoEffect { times: last.times, said }
    }

    /// Whether the dossier is another than the one that the person saw, by somebody else's doing.
    fn moved(&self) -> Option<Conflict> {
        let Expected { state, fingerprint } = &self.intent.expected;
        let state_moved = state.as_ref().is_some_and(|state| !self.carried(state, |seen| &seen.state));
        let print_moved = fingerprint.as_ref().is_some_and(|print| !self.carried(print, |seen| &seen.fingerprint));
        (state_moved || print_moved).then(|| Conflict::Moved {
            expected: words(state.as_ref(), fingerprint.as_ref()),
            found: words(Some(&self.seen.state), fingerprint.as_ref().map(|_| &self.seen.fingerprint)),
        })
    }

    /// Whether what the person saw led to what is now by our own moves alone.
    fn carried<T: PartialEq>(&self, expected: &T, of: impl Fn(&Seen) -> &T) -> bool {
        let own = self.progress.before.clone().zip(self.progress.last.as_ref().and_then(|last| last.seen.clone()));
        let own = own.map(|(before, after)| Move { before, after });
        let mut reached = vec![expected];
        for step in self.others.iter().filter_map(|other| other.moved.as_ref()).chain(&own) {
            if reached.contains(&of(&step.before)) {
                reached.push(of(&step.after));
            }
        }
        reached.contains(&of(self.seen))
    }
}

/// Whether the platform asks to try again later, in its own words: the company's data are being fetched (docs/platform.md#mutations).
fn later(words: &[String]) -> bool {
    words.iter().any(|words| words.contains("réessayer plus tard"))
}

fn words(state: Option<&DossierState>, fingerprint: Option<&crate::fingerprint::Fingerprint>) -> String {
    let state = state.map(ToString::to_string);
    let version = fingerprint.map(|fingerprint| format!("version {fingerprint}"));
    [state, version].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
