//! Removes quoted values from Grist's messages, as they may be cell values. Pure.

/// The longest part of a message in an error, in characters.
const MOST: usize = 200;

/// Messages of the data engine without values. Any other may contain one.
const SAFE: &[&str] = &[
    "require is empty but allow_empty_require isn't set",
    "Value lists must all have the same length",
    "Row ID too high",
    "found no matching record",
    "Internal schema different from that in metadata",
    "cannot add a non-formula column to a summary table",
    "Cannot enter data into summary group-by column",
];

/// A message fit for an error: one line, what stands between quotes left out, of bearable length. Of the data engine's
/// messages, whose ends are made of whatever was computed, only the known ones keep more than the kind of failure.
pub(super) fn words(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim();
    if let Some((before, engine)) = line.split_once("[Sandbox] ") {
        let kind: String = engine.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')).collect();
        let said = SAFE.iter().find(|safe| engine.contains(**safe)).map_or_else(String::new, |safe| format!(" {safe}"));
        return format!("{}[Sandbox] {kind}{said}", cut(&unquoted(before)));
    }
    cut(&unquoted(line))
}

/// Returns the id after `before`, up to the next character that no id of a table or column has.
pub(super) fn name_after(message: &str, before: &str) -> Option<String> {
    let (_, rest) = message.split_once(before)?;
    let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')).collect();
    Some(name).filter(|name| !name.is_empty())
}

/// A text cut to a length fit for an error.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A text in which whatever is quoted is replaced by an ellipsis. An apostrophe within a word is no quote.
fn unquoted(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut open: Option<char> = None;
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let quote = matches!(c, '"' | '\'' | '`' | '“' | '”');
        match open {
            None if quote && !before.is_alphanumeric() => {
                kept.push(c);
                kept.push('…');
                open = Some(if c == '“' { '”' } else { c });
            }
            None => kept.push(c),
            Some(end) if c == end && rest.peek().is_none_or(|next| !next.is_alphanumeric()) => {
                kept.push(c);
                open = None;
            }
            Some(_) => {}
        }
        before = c;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_quotes_is_left_out() {
        let rows = [
            ("No write access", "No write access"),
            ("Invalid payload: value.records[0] is missing", "Invalid payload: value.records[0] is missing"),
            ("Store 'internal' is not valid", "Store '…' is not valid"),
            ("couldn't read \"Zoé Exemple\" and more", "couldn't read \"…\" and more"),
            ("it isn't 'l'été' either", "it isn't '…' either"),
            ("never closed 'Zoé", "never closed '…"),
            ("one line\nZoé Exemple", "one line"),
            ("[Sandbox] ValueError could not convert Zoé to float", "[Sandbox] ValueError"),
            ("Error manipulating data: [Sandbox] TypeError Zoé", "Error manipulating data: [Sandbox] TypeError"),
            ("[Sandbox] ValueError Row ID too high", "[Sandbox] ValueError Row ID too high"),
            ("", ""),
        ];
        for (message, expected) in rows {
            assert_eq!(words(message), expected, "{message}");
        }
        assert_eq!(words(&"é".repeat(500)).chars().count(), MOST + 1);
    }
}
