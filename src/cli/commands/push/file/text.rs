//! Decodes the bytes of a file of decisions. Pure.
//!
//! UTF-8, with or without its mark; for CSV also Windows-1252, which is what Excel writes in France under plain « CSV ».
//! Another 8-bit encoding looks the same to a program, so bytes are taken for Windows-1252 only where every character is
//! one that French text has.

use std::borrow::Cow;

use super::Wrong;

/// The hint for an encoding that is refused.
const SAVE_AS: &str = "save it as « CSV UTF-8 (délimité par des virgules) » in Excel, as UTF-8 elsewhere";

/// Decodes a CSV file.
pub fn of_csv(bytes: &[u8]) -> Result<Cow<'_, str>, Wrong> {
    match utf8(bytes) {
        // A file that says that it is UTF-8 is nothing else.
        Err(Unfit::NotUtf8(line)) if !bytes.starts_with(UTF8_MARK) => match windows_1252(bytes) {
            Some(text) => Ok(Cow::Owned(text)),
            None => Err(Wrong::at(line, format!("this is neither UTF-8 nor French text in Windows-1252: {SAVE_AS}"))),
        },
        Err(unfit) => Err(unfit.into()),
        Ok(text) => Ok(Cow::Borrowed(text)),
    }
}

/// Decodes a JSON file, which is UTF-8 by its standard.
pub fn of_json(bytes: &[u8]) -> Result<&str, Wrong> {
    utf8(bytes).map_err(Wrong::from)
}

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why bytes are not the UTF-8 text of a decision; the number is a line.
enum Unfit {
    Utf16,
    Nul(usize),
    NotUtf8(usize),
    Lost(usize),
}

impl From<Unfit> for Wrong {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Utf16 => Self::at(1, format!("this is UTF-16: {SAVE_AS}")),
            Unfit::Nul(line) => {
                Self::at(line, format!("a NUL byte: this is no text, or UTF-16 that does not say so; {SAVE_AS}"))
            }
            Unfit::NotUtf8(line) => Self::at(line, format!("this is not UTF-8: {SAVE_AS}")),
            Unfit::Lost(line) => Self::at(
                line,
                "a character was lost when the file was saved (there is a � in its place): write it again".to_owned(),
            ),
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Unfit> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(Unfit::Utf16);
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(Unfit::Nul(line(bytes, at)));
    }
    let text = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
    let text = std::str::from_utf8(text).map_err(|error| Unfit::NotUtf8(line(text, error.valid_up_to())))?;
    match text.find('\u{fffd}') {
        Some(at) => Err(Unfit::Lost(line(text.as_bytes(), at))),
        None => Ok(text),
    }
}

/// The line of a place, as an editor counts.
fn line(bytes: &[u8], at: usize) -> usize {
    1 + bytes.get(..at).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count()
}

/// The characters of 0x80 to 0x9F that French text has: what the other 8-bit encodings keep there is mostly letters, which
/// would come out as one of the others.
const FRENCH_80_TO_9F: [(u8, char); 13] = [
    (0x80, '€'),
    (0x85, '…'),
    (0x8C, 'Œ'),
    (0x91, '‘'),
    (0x92, '’'),
    (0x93, '“'),
    (0x94, '”'),
    (0x95, '•'),
    (0x96, '–'),
    (0x97, '—'),
    (0x99, '™'),
    (0x9C, 'œ'),
    (0x9F, 'Ÿ'),
];

/// The signs among 0xA0 to 0xBF that French text has.
const FRENCH_SIGNS: &str = "\u{a0}£§©«®°±²³µ·¹º»¼½¾";

/// The letters with accents of French and of the names of people in France.
const LETTERS: &str = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿ";

/// The characters that identify Windows-1252: at these bytes the encodings of DOS and of the Macintosh keep nothing that French
/// text has, save for Ç.
const TELLING: &str = "àâçèéêëîïôùûüÀÈÉÊ’œ«»°\u{a0}";

/// The text, where it is plainly Windows-1252.
fn windows_1252(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for byte in bytes {
        text.push(match byte {
            b'\t' | b'\n' | b'\r' | 0x20..=0x7E => char::from(*byte),
            0x80..=0x9F => FRENCH_80_TO_9F.iter().find(|(known, _)| known == byte)?.1,
            0xA0..=0xBF => Some(char::from(*byte)).filter(|sign| FRENCH_SIGNS.contains(*sign))?,
            0xC0..=0xFF => Some(char::from(*byte)).filter(|letter| LETTERS.contains(*letter))?,
            0x00..=0x1F | 0x7F => return None,
        });
    }
    // Two bytes of UTF-8 beside others that are not: the file was put together from two.
    let pairs = bytes.windows(2);
    let mixed = |pair: &[u8]| matches!(pair, [0xC2 | 0xC3 | 0xC5, 0x80..=0xBF] | [0xE2, 0x80 | 0x82]);
    if pairs.clone().any(mixed) || !text.contains(|letter| TELLING.contains(letter)) || signs_inside_words(&text) {
        return None;
    }
    Some(text)
}

/// Finds a sign where a letter must be: `contr“le` is how `contrôle` of DOS comes out.
fn signs_inside_words(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    letters.windows(3).any(|three| match three {
        [before, sign, after] => {
            let inside = before.is_lowercase() && after.is_lowercase();
            inside
                && (matches!(sign, '“' | '”' | '‘' | '…' | '—' | '•' | '™' | 'Œ')
                    || sign.is_uppercase() && !sign.is_ascii())
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "id;motivation\nq1;« Reçu à l’été : 3 € » – œuvre, forêt, Noël…\n";

    /// The same in Windows-1252.
    fn ansi(text: &str) -> Vec<u8> {
        let byte = |letter: char| match FRENCH_80_TO_9F.iter().find(|(_, known)| *known == letter) {
            Some((byte, _)) => *byte,
            None => u8::try_from(u32::from(letter)).expect("a letter of Windows-1252"),
        };
        text.chars().map(byte).collect()
    }

    #[test]
    fn what_french_excel_writes_is_read() {
        for bytes in [TEXT.as_bytes().to_vec(), [UTF8_MARK, TEXT.as_bytes()].concat(), ansi(TEXT)] {
            assert_eq!(of_csv(&bytes).as_deref(), Ok(TEXT));
        }
        assert_eq!(
            of_csv(&ansi("CAFÉ\u{a0}: L’HAŸ, BÉNÉFICIÉ\u{a0}»")).as_deref(),
            Ok("CAFÉ\u{a0}: L’HAŸ, BÉNÉFICIÉ\u{a0}»")
        );
    }

    #[test]
    fn another_encoding_is_refused_with_its_line() {
        let cases: [(&str, Vec<u8>, usize, &str); 9] = [
            (
                "UTF-16",
                TEXT.encode_utf16().flat_map(u16::to_le_bytes).fold(vec![0xFF, 0xFE], |mut all, byte| {
                    all.push(byte);
                    all
                }),
                1,
                "UTF-16",
            ),
            ("UTF-16 without a mark", TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect(), 1, "NUL"),
            ("a NUL", b"id;motivation\nq1;a\0b\n".to_vec(), 2, "NUL"),
            ("DOS: dossier déjà reçu", b"id;m\nq1;dossier d\x82j\x85 re\x87u\n".to_vec(), 2, "neither"),
            ("DOS: contrôle", b"id;m\nq1;contr\x93le\n".to_vec(), 2, "neither"),
            ("Macintosh: reçu à l'été", b"id;m\nq1;re\x8Du \x88 l'\x8Et\x8E\n".to_vec(), 2, "neither"),
            ("UTF-8 and Windows-1252", "id;m\nq1;reçu\n".bytes().chain(*b"q2;re\xE7u\n").collect(), 3, "neither"),
            ("a mark, then no UTF-8", b"\xEF\xBB\xBFid;m\nq1;re\xE7u\n".to_vec(), 2, "not UTF-8"),
            ("a lost letter", "id;m\nq1;re\u{fffd}u\n".as_bytes().to_vec(), 2, "lost"),
        ];
        for (case, bytes, line, words) in cases {
            let wrong = of_csv(&bytes).expect_err(case);
            assert!(wrong.line == line && wrong.reason.contains(words), "{case}: {wrong:?}");
        }
    }

    #[test]
    fn json_is_utf_8_and_nothing_else() {
        assert_eq!(of_json(b"\xEF\xBB\xBF[]"), Ok("[]"));
        assert_eq!(of_json(b"[\n\"re\xE7u\"]").expect_err("no UTF-8").line, 2);
    }
}
