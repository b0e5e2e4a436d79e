//! Is this message there? The platform gives no idempotency key (trap 59), so a message is known by who wrote what.

use std::path::Path;

use crate::dossier::{Dossier, Message};

/// How many messages of this author say exactly this, with this file.
pub(super) fn count(dossier: &Dossier, author: &str, body: &str, attachment: Option<&Path>) -> usize {
    let wanted = plain(body);
    let file = attachment.and_then(Path::file_name);
    let same = |message: &&Message| {
        message.email.eq_ignore_ascii_case(author)
            && message.discarded_at.is_none()
            && plain(&message.body) == wanted
            && match file {
                Some(name) => message.attachments.iter().any(|file| file.filename.as_str() == name),
                None => message.attachments.is_empty(),
            }
    };
    dossier.messages.iter().filter(same).count()
}

/// The words of a text, whatever the platform made of it: it may answer a text as HTML.
fn plain(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut tag = false;
    let mut rest = text.char_indices().peekable();
    while let Some((at, letter)) = rest.next() {
        match letter {
            '>' if tag => {
                tag = false;
                words.push(' ');
            }
            _ if tag => {}
            '<' if rest.peek().is_some_and(|(_, next)| next.is_ascii_alphabetic() || *next == '/') => tag = true,
            '&' => match ENTITIES.iter().find(|(entity, _)| text[at..].starts_with(entity)) {
                Some((entity, letter)) => {
                    words.push(*letter);
                    while rest.peek().is_some_and(|(next, _)| *next < at + entity.len()) {
                        rest.next();
                    }
                }
                None => words.push('&'),
            },
            letter => words.push(letter),
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

const ENTITIES: [(&str, char); 7] =
    [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&#39;", '\''), ("&apos;", '\''), ("&nbsp;", ' ')];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_and_its_html_say_the_same() {
        let sent = "Bonjour,\n\nil manque l'attestation de « Mme Léa » & le plan (3 < 4).";
        let shown = "<p>Bonjour,</p>\r\n<p>il manque l&#39;attestation de « Mme Léa » &amp; le plan (3 &lt; 4).</p>";
        assert_eq!(plain(sent), plain(shown));
        assert_ne!(plain(sent), plain("Bonjour"));
        assert_eq!(plain("a &amp b"), "a &amp b", "not an entity");
    }
}
