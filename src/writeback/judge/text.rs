//! Compares texts as the platform keeps them. Pure.

/// Grades how alike two texts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// The same words.
    Same,
    /// The same words once all markup is left out: another link, perhaps.
    Perhaps,
}

/// Drops the control characters that the platform drops before it stores a text (docs/platform.md#mutations). U+000B is a
/// line break of Word.
pub(super) fn stored(text: &str) -> String {
    let dropped = |letter: char| matches!(letter, '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}');
    text.chars().filter(|letter| !dropped(*letter)).collect()
}

/// Joins the words of a text with single spaces, as the platform keeps them.
pub(super) fn words(text: &str) -> String {
    stored(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Compares what the platform shows, which may be HTML, with a text that was to be written.
pub(super) fn likeness(shown: &str, wanted: &str) -> Option<Likeness> {
    let (shown, wanted) = (stored(shown), stored(wanted));
    let wanted_words = words(&wanted);
    if words(&shown) == wanted_words || plain(&shown) == wanted_words {
        Some(Likeness::Same)
    } else if plain(&shown) == plain(&wanted) {
        Some(Likeness::Perhaps)
    } else {
        None
    }
}

/// Joins the words of a text without its markup.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if let Some(tag) = tag(rest) {
            plain.push(' ');
            rest = &rest[tag..];
        } else if let Some((entity, letter)) = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity)) {
            plain.push(*letter);
            rest = &rest[entity.len()..];
        } else {
            plain.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    words(&plain)
}

/// Measures the tag that a text begins with, if it does. `<https://example.org>` is no tag, nor is `a <b`.
fn tag(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('<')?;
    let name = inner.strip_prefix('/').unwrap_or(inner);
    let after = name.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric());
    let named = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let ends = after.starts_with(|letter: char| matches!(letter, '>' | '/') || letter.is_whitespace());
    let end = inner.find('>')?;
    (named && ends && !inner[..end].contains('<')).then_some(end + 2)
}

const ENTITIES: [(&str, char); 7] =
    [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&#39;", '\''), ("&apos;", '\''), ("&nbsp;", ' ')];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_and_what_the_platform_makes_of_it_are_the_same() {
        let sent = "Bonjour,\n\nil manque l'attestation de « Mme Léa » & le plan (3 < 4).";
        let shown = "<p>Bonjour,</p>\r\n<p>il manque l&#39;attestation de « Mme Léa » &amp; le plan (3 &lt; 4).</p>";
        for (shown, sent) in [
            (shown, sent),
            ("a &amp b", "a &amp b"),
            ("a &amp; b", "a &amp; b"),
            ("Ligne unLigne deux", "Ligne un\u{b}Ligne deux"),
            ("Nulabc", "Nul\u{0}a\u{1f}b\u{7f}c\u{8}"),
            ("Page\u{c}deux", "Page\u{c}deux"),
            ("<p>gras</p>", "<p>gras</p>"),
            ("voir <https://a.example.org>", "voir <https://a.example.org>"),
        ] {
            assert_eq!(likeness(shown, sent), Some(Likeness::Same), "{shown:?} {sent:?}");
        }
    }

    #[test]
    fn another_text_is_another_text() {
        for (shown, sent) in [
            ("Bonjour", "Bonsoir"),
            ("Montant <b 100", "Montant <b 200"),
            ("voir <https://a.example.org>", "voir <https://b.example.org>"),
            ("", "a"),
        ] {
            assert_eq!(likeness(shown, sent), None, "{shown:?} {sent:?}");
        }
        let (shown, sent) = ("<a href=\"/1\">ici</a>", "<a href=\"/2\">ici</a>");
        assert_eq!(likeness(shown, sent), Some(Likeness::Perhaps), "they lead elsewhere");
    }
}
