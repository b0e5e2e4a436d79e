//! Messages, and the corrections that they ask for.

use super::dossier::{Connection, Correction, Message, State};
use super::edit::Refused;
use super::state::World;
use super::transition::Agent;
use crate::value::FileRecord;

/// A message's file must be smaller than this.
const MAX_ATTACHMENT: u64 = 20 * 1024 * 1024;

/// Types of files that a message takes; the platform's own list is longer.
const ATTACHMENT_TYPES: [&str; 10] = [
    "application/pdf",
    "application/zip",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "image/jpeg",
    "image/png",
    "text/plain",
];

/// A message as it is stored: most control characters are dropped.
fn stripped(body: &str) -> String {
    let dropped = |letter: &char| matches!(*letter, '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}');
    body.chars().filter(|letter| !dropped(letter)).collect()
}

impl World {
    /// A message of the platform itself; the dossier is not dated again.
    pub(super) fn say(&mut self, number: u32, body: &str) {
        let (id, created_at) = (self.row(), self.now);
        let message = Message {
            id,
            email: "contact@example.org".to_owned(),
            body: body.to_owned(),
            created_at,
            discarded_at: None,
            attachments: Vec::new(),
            correction: None,
            instructeur: None,
        };
        self.alter(number, |dossier| dossier.extra_mut().messages.push(message));
    }

    /// A message by the number of its row, and the dossier that it belongs to.
    pub(crate) fn message(&self, id: u64) -> Option<(u32, &Message)> {
        self.dossiers.values().find_map(|dossier| {
            let found = Self::extra(dossier).messages.iter().find(|message| message.id == id)?;
            Some((dossier.number, found))
        })
    }

    /// Sends a message, possibly asking for a correction (`incorrect`, `incomplete`, `outdated`); gives its row number.
    ///
    /// A correction sends a dossier `en_instruction` back to `en_construction`, and is dropped when the dossier is
    /// decided or already waits for one; the message is sent all the same.
    pub fn envoyer_message(
        &mut self,
        number: u32,
        author: Agent,
        body: &str,
        correction: Option<&str>,
        attachments: Vec<FileRecord>,
    ) -> Result<u64, Refused> {
        let dossier = self.dossier(number).ok_or_else(|| Refused::unknown(number))?;
        let body = &stripped(body);
        if body.trim().is_empty() {
            return Err(Refused("Le champ « Votre message » ne peut être vide".to_owned()));
        }
        let (email, connection) = self.usager(dossier);
        let closed = dossier.archived || dossier.hidden_by_user_at.is_some();
        if closed || connection == Connection::Deleted {
            let reason =
                "Il n’est pas possible d’envoyer un message sur un dossier supprimé, à archiver ou en brouillon";
            return Err(Refused(format!("Le champ « Votre message » {reason}")));
        }
        let state = dossier.state;
        let asked = correction.filter(|_| !state.is_terminated() && dossier.pending_correction().is_none());
        if asked.is_some() && state == State::EnInstruction {
            self.step(number, "repasse_en_construction", State::EnConstruction, author, None);
        }
        for file in &attachments {
            self.attach(file);
        }
        let (at, id) = (self.bump(number), self.row());
        let message = Message {
            id,
            email: author.and_then(|n| self.instructeur(n)).map_or(email, str::to_owned),
            body: body.to_owned(),
            created_at: at,
            discarded_at: None,
            attachments,
            correction: asked.map(|reason| Correction { reason: reason.to_owned(), resolved_at: None }),
            instructeur: author,
        };
        self.alter(number, |dossier| dossier.extra_mut().messages.push(message));
        Ok(id)
    }

    /// Returns `true` if a message takes that file. The limits are the platform's, the words are not.
    pub(crate) fn check_attachment(file: &FileRecord) -> Result<(), Refused> {
        if file.byte_size >= MAX_ATTACHMENT {
            return Err(Refused("Le champ « Pièce jointe » doit être inférieur à 20 Mo".to_owned()));
        }
        if !ATTACHMENT_TYPES.contains(&file.content_type.as_str()) {
            return Err(Refused("Le champ « Pièce jointe » n’est pas d’un type accepté".to_owned()));
        }
        Ok(())
    }

    /// Withdraws a message of an instructeur: its body becomes empty, its files and its correction go.
    pub fn supprimer_message(&mut self, number: u32, message: u64) -> Result<(), Refused> {
        let at = self.tick();
        let done = self.alter(number, |dossier| {
            let mut messages = dossier.extra_mut().messages.iter_mut();
            let found = messages.find(|m| m.id == message && m.instructeur.is_some() && m.discarded_at.is_none())?;
            found.discarded_at = Some(at);
            found.body.clear();
            found.attachments.clear();
            found.correction = None;
            Some(())
        });
        if done.flatten().is_none() {
            return Err(Refused("Le message ne peut pas être supprimé".to_owned()));
        }
        self.bump(number);
        Ok(())
    }

    /// Takes back the request for a correction that a message made. The words of the refusal are not the platform's.
    pub fn annuler_correction(&mut self, number: u32, message: u64) -> Result<(), Refused> {
        let at = self.tick();
        let done = self.alter(number, |dossier| {
            let found = dossier.extra_mut().messages.iter_mut().find(|found| found.id == message)?;
            let correction = found.correction.as_mut().filter(|correction| correction.resolved_at.is_none())?;
            correction.resolved_at = Some(at);
            Some(())
        });
        if done.flatten().is_none() {
            return Err(Refused("Le message ne demande pas de correction en attente".to_owned()));
        }
        self.bump(number);
        Ok(())
    }
}
