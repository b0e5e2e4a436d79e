//! Is this message there? The platform gives no idempotency key (trap 59), so a message is known by who wrote what.

use std::path::Path;

use super::annotation::LocalFile;
use super::text::{Likeness, likeness};
use crate::champ::File;
use crate::dossier::{Dossier, Message};

/// A message that may be the one that is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'d> {
    pub message: &'d Message,
    pub likeness: Likeness,
}

/// The messages of this author in these words with this file, oldest first. The bytes of the file are compared where they are
/// given; its name always is.
pub(super) fn said<'d>(
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
            // A file that is found infected leaves its message (trap 23).
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

/// Whether somebody wrote it.
pub(super) fn is_of(message: &Message, author: &str) -> bool {
    message.email.eq_ignore_ascii_case(author)
}

/// Whether it was deleted since. Démat Social does not say so: nothing is left of it (trap 50).
pub(super) fn is_emptied(message: &Message) -> bool {
    message.discarded_at.is_some() || (message.body.trim().is_empty() && message.attachments.is_empty())
}

/// A file's name as the platform's storage shows it: without what a path or a header could not hold.
fn file_name(name: &str) -> String {
    let replaced = |letter: char| {
        let unsafe_in_names = "\u{202e}%$|:;/<>?*\"\t\r\n\\".contains(letter);
        if unsafe_in_names { '-' } else { letter }
    };
    name.trim().chars().map(replaced).collect()
}
