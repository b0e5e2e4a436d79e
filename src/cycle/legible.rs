//! Makes texts of the platform fit for one line of a log or of a terminal.

/// Puts a text on one line, and replaces everything that would move the cursor of a terminal.
#[must_use]
pub fn legible(text: &str) -> String {
    let spaced = text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ");
    spaced.chars().map(|c| if c.is_control() || is_direction_mark(c) { '\u{fffd}' } else { c }).collect()
}

/// Tells marks that turn the direction of the text around: the text then reads as something else.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Makes a text legible and cuts it after so many characters.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    let text = legible(text);
    if text.chars().count() <= most {
        return text;
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_texts_stay_on_their_line() {
        for (text, expected) in [
            ("Nom de l’établissement", "Nom de l’établissement"),
            ("a\r\nb\nc\td", "a b c d"),
            ("\u{1b}[31mred", "\u{fffd}[31mred"),
            ("nul\0", "nul\u{fffd}"),
            ("\u{202e}evil", "\u{fffd}evil"),
            ("😀", "😀"),
        ] {
            assert_eq!(legible(text), expected, "{text:?}");
        }
        assert_eq!(shortened("éèàùç", 3), "éè…");
        assert_eq!(shortened("éèà", 3), "éèà");
    }
}
