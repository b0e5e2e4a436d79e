//! Decides about messages: the platform has no idempotency key (trap 59), so a message is identified by who wrote what.
//! Pure.

use std::path::Path;

use super::Case;
use super::files::LocalFile;
use super::lacking::Lacking;
use super::origin::Untraced;
use super::text::{self, Likeness, likeness};
use super::verdict::{Doubt, FileSlot, Refusal, Verdict};
use crate::api::{CorrectionReason, Mutation};
use crate::champ::File;
use crate::dossier::{Dossier, Message};
use crate::ids::MessageId;
use crate::intent::{Action, Answer, Intent, Sending, There, Witness};

impl Case<'_> {
    /// Finds the message that this intent sent, or sends one.
    pub(super) fn say(
        &self,
        body: &str,
        attachment: Option<&Path>,
        correction: Option<CorrectionReason>,
    ) -> Result<Lacking, Verdict> {
        if text::words(body).is_empty() {
            return Err(Refusal::EmptyMessage.into());
        }
        if let Some(message) = self.said(body, attachment)? {
            // A platform that ignores a correction sends its message all the same, and reports success (trap 63).
            return if correction.is_some() && message.correction.is_none() && !is_emptied(message) {
                Err(Doubt::NoCorrection.into())
            } else {
                Ok(Lacking::Nothing(vec![message.id.clone()]))
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
        let mutation = Mutation::EnvoyerMessage { body: body.to_owned(), attachment: None, correction };
        let messages = self.dossier.messages.iter().map(|message| message.id.clone()).collect();
        let files = attachment.map(|path| (FileSlot::Message, path.to_owned())).into_iter().collect();
        let witness = There { messages, ..There::default() };
        Ok(self.candidate(mutation).witnessed_by(witness).with_files(files).into())
    }

    /// Finds the message that this intent sent.
    ///
    /// # Errors
    /// Nobody can tell if it is there.
    fn said(&self, body: &str, attachment: Option<&Path>) -> Result<Option<&Message>, Verdict> {
        let Some(writer) = self.writer() else { return Ok(None) };
        // The same words with another file are another message; once it was sent, its own traces tell.
        let local = attachment.filter(|_| self.progress.sends == 0).and_then(|path| self.local(path));
        let said = said(self.dossier, writer, body, attachment, local);
        let emptied =
            |message: &&Message| is_of(message, writer) && is_emptied(message) && !self.is_claimed(&message.id);
        let emptied: Vec<&Message> = self.dossier.messages.iter().filter(emptied).collect();
        match self.sent("dossierEnvoyerMessage") {
            Some(last) => self.said_since(last, &said, &emptied),
            None if self.progress.sends > 0 => Ok(None),
            None => self.said_before(body, attachment, &said, &emptied),
        }
    }

    /// Finds the message after it was sent, or may have been.
    fn said_since<'c>(
        &'c self,
        last: &Sending,
        said: &[Said<'c>],
        emptied: &[&Message],
    ) -> Result<Option<&'c Message>, Verdict> {
        let ours = |message: &&Message| self.progress.made.contains(&message.id);
        let new = |message: &&Message| self.is_new_message(message, last) && !self.is_claimed(&message.id);
        let new = match last.witness {
            Witness::Messages(before) => said.last().filter(|_| said.len() > before).map(|said| said.message),
            Witness::There(_) | Witness::State | Witness::Rows(_) => said.iter().map(|said| said.message).find(new),
        };
        match self.dossier.messages.iter().find(ours).or(new) {
            Some(message) => Ok(Some(message)),
            None if emptied.iter().any(|message| self.is_new_message(message, last)) => Err(Doubt::Deleted.into()),
            None if last.answer == Answer::Taken => Err(Doubt::NotSeen.into()),
            None => Ok(None),
        }
    }

    /// Finds the message though this outbox knows of no sending: it may be a copy that was put back.
    fn said_before<'c>(
        &'c self,
        body: &str,
        attachment: Option<&Path>,
        said: &[Said<'c>],
        emptied: &[&Message],
    ) -> Result<Option<&'c Message>, Verdict> {
        let since = self.since();
        let fresh: Vec<&Said<'c>> = said
            .iter()
            .filter(|said| self.once || (said.message.created_at >= since && !self.is_claimed(&said.message.id)))
            .collect();
        let same = |other: &Intent| {
            let Action::Message { body: words, attachment: file, .. } = &other.action else { return false };
            text::words(words.as_str()) == text::words(body) && file.as_deref() == attachment
        };
        let untraced = if self.once { Untraced::default() } else { self.untraced(same) };
        let left = fresh.get(untraced.done..).unwrap_or_default();
        let exact = left.iter().find(|said| said.likeness == Likeness::Same);
        if let Some(said) = exact.filter(|_| left.len() > untraced.perhaps) {
            return Ok(Some(said.message));
        }
        if !left.is_empty() {
            return Err(Doubt::Alike.into());
        }
        // Without an outbox nothing was sent before this command: a message that was deleted is another one.
        if self.once {
            return Ok(None);
        }
        let since = self.closely_since();
        let late = |message: &&&Message| {
            message.created_at >= since && message.discarded_at.is_none_or(|deleted| deleted >= since)
        };
        if emptied.iter().any(|message| late(&message)) { Err(Doubt::Deleted.into()) } else { Ok(None) }
    }

    /// Deletes a message of the author's.
    pub(super) fn unsay(&self, message: &MessageId) -> Result<Lacking, Verdict> {
        match self.dossier.messages.iter().find(|sent| sent.id == message.as_str()) {
            Some(sent) if sent.discarded_at.is_none() => {
                Ok(self.candidate(Mutation::SupprimerMessage { message: message.clone() }).into())
            }
            Some(_) => Ok(Lacking::nothing()),
            None => Err(Refusal::Unknown(format!("the dossier has no message `{}`", message.as_str())).into()),
        }
    }

    /// Takes back the correction that is awaited.
    pub(super) fn cancel_correction(&self) -> Result<Lacking, Verdict> {
        let asks =
            |sent: &&Message| sent.correction.as_ref().is_some_and(|correction| correction.date_resolution.is_none());
        match self.dossier.messages.iter().find(asks) {
            Some(asking) => {
                let message = MessageId::new(asking.id.clone());
                Ok(self.candidate(Mutation::AnnulerDemandeCorrection { message }).into())
            }
            None if self.dossier.date_derniere_correction_en_attente.is_none() => Ok(Lacking::nothing()),
            None => Err(Refusal::Unknown("no message asks for the correction that is awaited".to_owned()).into()),
        }
    }
}

/// Holds a message that may be the one in question.
#[derive(Clone, Copy, Debug)]
struct Said<'d> {
    pub message: &'d Message,
    pub likeness: Likeness,
}

/// Finds the messages of an author in these words with this file, oldest first. The bytes of the file are compared if they
/// are given; its name always is.
fn said<'d>(
    dossier: &'d Dossier,
    author: &str,
    body: &str,
    attachment: Option<&Path>,
    local: Option<&LocalFile>,
) -> Vec<Said<'d>> {
    let said = |message: &'d Message| {
        if !is_of(message, author) || is_emptied(message) {
            return None;
        }
        let words = likeness(&message.body, body)?;
        let likeness = match attachment {
            Some(path) if message.attachments.iter().any(|shown| is_file(shown, path, local)) => words,
            // The platform takes an infected file out of its message: the message is then without one (trap 23).
            Some(_) if message.attachments.is_empty() => Likeness::Perhaps,
            None if message.attachments.is_empty() => words,
            Some(_) | None => return None,
        };
        Some(Said { message, likeness })
    };
    dossier.messages.iter().filter_map(said).collect()
}

/// Returns true if a file of the platform is the local file: by its name, and by its bytes if they were read.
pub(super) fn is_file(shown: &File, path: &Path, local: Option<&LocalFile>) -> bool {
    let name = path.file_name().map(|name| file_name(&name.to_string_lossy()));
    name.is_some_and(|name| file_name(&shown.filename) == name) && local.is_none_or(|local| local.has_bytes_of(shown))
}

/// Tells if an author wrote a message.
fn is_of(message: &Message, author: &str) -> bool {
    message.email.eq_ignore_ascii_case(author)
}

/// Tells if a message was deleted.
fn is_emptied(message: &Message) -> bool {
    // Démat Social has no `discardedAt`: of a message that was deleted neither text nor file is left (trap 50).
    message.discarded_at.is_some() || (message.body.trim().is_empty() && message.attachments.is_empty())
}

/// Spells a file's name as the platform's storage does: without what a path or a header could not hold.
fn file_name(name: &str) -> String {
    let replaced = |letter: char| {
        let unsafe_in_names = "\u{202e}%$|:;/<>?*\"\t\r\n\\".contains(letter);
        if unsafe_in_names { '-' } else { letter }
    };
    name.trim().chars().map(replaced).collect()
}
