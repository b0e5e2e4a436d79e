//! Finds social security numbers (NIR), thirteen digits and their key, in any text.
//!
//! Without its key a number of thirteen digits looks like any other, and is kept outside the champs that ask for a NIR.

use jiff::civil::Date;

use super::MASKED;

/// Most separators that may stand between two digits: `1 85 05 78 …`, `1.85.05`, `1 - 85`.
const LONGEST_GAP: usize = 3;

/// Returns true if the text is a NIR and nothing else.
pub(super) fn is_nir(text: &str) -> bool {
    let text = text.trim();
    length(text) == Some(text.len())
}

/// Returns true if the number is a NIR written without its spaces.
pub(super) fn is_nir_number(number: i64) -> bool {
    (100_000_000_000_000..1_000_000_000_000_000).contains(&number) && is_nir(&number.to_string())
}

/// Replaces every NIR in a text by the placeholder; `None` if there is none.
pub(super) fn redact(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.iter().filter(|byte| byte.is_ascii_digit()).count() < 14 {
        return None;
    }
    let mut redacted = String::new();
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        // A NIR does not begin in the middle of a longer number.
        let begins = bytes[at].is_ascii_digit() && (at == 0 || !bytes[at - 1].is_ascii_digit());
        match begins.then(|| length(&text[at..])).flatten() {
            Some(length) => {
                redacted.push_str(&text[copied..at]);
                redacted.push_str(MASKED);
                at += length;
                copied = at;
            }
            None => at += 1,
        }
    }
    (copied > 0).then(|| redacted + &text[copied..])
}

/// Returns true if the text is an accreditation as the platform writes it, digits and a date of birth (`1234567 –
/// 1990-05-17`): fifteen digits, whose key fits by chance now and then.
pub(super) fn is_accreditation(text: &str) -> bool {
    let Some((number, date)) = text.split_once(['–', '-']) else { return false };
    let number = number.trim();
    (1..=12).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && (date.trim().parse::<Date>().is_ok() || french_date(date.trim()))
}

/// Returns true for a date as people write it: `17/05/1990`.
fn french_date(text: &str) -> bool {
    let mut parts = text.split('/').map(|part| (part.len(), part.parse::<i16>().ok()));
    let parts = [parts.next(), parts.next(), parts.next(), parts.next()];
    let [Some((2, Some(day))), Some((2, Some(month))), Some((4, Some(year))), None] = parts else { return false };
    let small = |number: i16| i8::try_from(number).unwrap_or(0);
    Date::new(year, small(month), small(day)).is_ok()
}

/// Returns true if the text is an IBAN and nothing else, its key right. Shorter ones have too few digits to be taken
/// for a NIR, and two letters before a NIR are none.
pub(super) fn is_iban(text: &str) -> bool {
    let symbols: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let shape = (18..=34).contains(&symbols.len())
        && symbols[..2].iter().all(u8::is_ascii_alphabetic)
        && symbols[2..4].iter().all(u8::is_ascii_digit)
        && symbols.iter().all(u8::is_ascii_alphanumeric);
    let moved = symbols.iter().skip(4).chain(symbols.iter().take(4));
    let rest = |rest: u64, symbol: &u8| match symbol {
        digit @ b'0'..=b'9' => (rest * 10 + u64::from(digit - b'0')) % 97,
        letter => (rest * 100 + u64::from(letter.to_ascii_uppercase() - b'A') + 10) % 97,
    };
    shape && moved.fold(0, rest) == 1
}

/// Measures the NIR at the beginning of the text, in bytes.
fn length(text: &str) -> Option<usize> {
    let mut symbols = [0_u8; 15];
    let mut known = 0;
    let mut gap = 0;
    let mut rest = text;
    while known < symbols.len() {
        let c = rest.chars().next()?;
        let corsican = known == 6 && symbols[5] == b'2' && matches!(c, 'A' | 'a' | 'B' | 'b');
        let taken = if c.is_ascii_digit() || corsican {
            symbols[known] = u8::try_from(c).ok()?.to_ascii_uppercase();
            known += 1;
            gap = 0;
            c.len_utf8()
        } else {
            gap += 1;
            if known == 0 || gap > LONGEST_GAP {
                return None;
            }
            match c {
                // Messages are HTML: spaces may be entities.
                '&' if rest.starts_with("&nbsp;") => "&nbsp;".len(),
                '.' | '-' | '–' | '/' | '_' | '‑' => c.len_utf8(),
                c if c.is_whitespace() || c == '\u{2060}' || c == '\u{200b}' => c.len_utf8(),
                _ => return None,
            }
        };
        rest = &rest[taken..];
    }
    let ends = !rest.starts_with(|c: char| c.is_ascii_digit());
    (ends && is_valid(&symbols)).then(|| text.len() - rest.len())
}

/// Returns true if sex, month and département are possible, and the key is right.
fn is_valid(symbols: &[u8; 15]) -> bool {
    let number = |range: std::ops::Range<usize>| {
        symbols[range]
            .iter()
            .try_fold(0_u64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
    };
    let Some(month) = number(3..5) else { return false };
    // Months above 12 are births whose month is not known.
    let plausible = matches!(symbols[0], b'1'..=b'4' | b'7' | b'8') && matches!(month, 1..=12 | 20..=42 | 50..=99);
    let departement = match symbols[6] {
        b'A' => Some(19),
        b'B' => Some(18),
        _ => number(5..7).filter(|departement| *departement > 0),
    };
    let parts = (number(0..5), departement, number(7..13), number(13..15));
    let (Some(begin), Some(departement), Some(end), Some(key)) = parts else { return false };
    plausible && 97 - ((begin * 100 + departement) * 1_000_000 + end) % 97 == key
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An invented number with its right key, made here so that none stands in the source.
    pub(in super::super) fn nir(first_thirteen: &str) -> String {
        let digits = first_thirteen.replace("2A", "19").replace("2B", "18");
        let number: u64 = digits.parse().expect("digits");
        format!("{first_thirteen}{:02}", 97 - number % 97)
    }

    fn spaced(nir: &str, separator: &str) -> String {
        [&nir[..1], &nir[1..3], &nir[3..5], &nir[5..7], &nir[7..10], &nir[10..13], &nir[13..]].join(separator)
    }

    #[test]
    fn a_nir_is_recognised_however_it_was_typed() {
        for thirteen in ["1850578006084", "2991299999999", "2850520030123", "3000175100001", "1855099123456"] {
            let nir = nir(thirteen);
            assert!(is_nir(&nir), "{thirteen}");
            for separator in [" ", ".", "-", "\u{a0}", "\u{202f}", " - ", "&nbsp;"] {
                let typed = spaced(&nir, separator);
                assert!(is_nir(&format!(" {typed} ")), "{typed}");
                let told = format!("Mon n° est {typed}, merci.");
                assert_eq!(redact(&told).as_deref(), Some("Mon n° est [masqué], merci."), "{typed}");
            }
        }
    }

    #[test]
    fn corsica_has_letters() {
        for thirteen in ["185052A006084", "285052B006084"] {
            let nir = nir(thirteen);
            assert!(is_nir(&nir) && is_nir(&nir.to_lowercase()), "{thirteen}");
        }
    }

    #[test]
    fn other_numbers_are_left_alone() {
        let right = nir("1850578006084");
        let wrong_key = format!("{}{:02}", &right[..13], (right[13..].parse::<u32>().expect("a key") + 1) % 97);
        let cases = [
            (wrong_key, "wrong key"),
            (nir("1851378006084"), "month 13"),
            (nir("5850578006084"), "sex 5"),
            (nir("1850500006084"), "département 00"),
            (format!("9{right}"), "longer number"),
            (format!("{right}0"), "longer number"),
            (right[..13].to_owned(), "no key"),
            ("FR76 3000 6000 0112 3456 7890 189".to_owned(), "IBAN"),
            (String::new(), "nothing"),
        ];
        for (text, case) in cases {
            assert!(!is_nir(&text), "{case}");
            assert_eq!(redact(&text), None, "{case}");
        }
    }

    #[test]
    fn answers_of_another_form_are_known_by_their_form() {
        for text in ["1234567 – 1990-05-17", "123456 - 1990-05-17", "1234567 – 17/05/1990"] {
            assert!(is_accreditation(text), "{text}");
        }
        for text in ["1234567 – 1990-13-17", "1234567", "A234567 – 1990-05-17", "1 85 05 78 006 084 91", "12 – 17/5/90"]
        {
            assert!(!is_accreditation(text), "{text}");
        }
        assert!(is_iban("FR14 2004 1010 0505 0001 3M02 606") && is_iban("GB82WEST12345698765432"));
        assert!(!is_iban("eu285127897532752"), "two letters before a NIR whose keys fit");
        assert!(!is_iban("FR15 2004 1010 0505 0001 3M02 606") && !is_iban(&nir("1850578006084")));
    }

    #[test]
    fn every_nir_of_a_text_is_masked() {
        let (one, two) = (nir("1850578006084"), nir("285052A006084"));
        let text = format!("12 {one} puis{two}\n{}", spaced(&one, " "));
        assert_eq!(redact(&text).as_deref(), Some("12 [masqué] puis[masqué]\n[masqué]"));
        assert!(is_nir_number(one.parse().expect("a number")) && !is_nir_number(185));
    }

    proptest! {
        #[test]
        fn no_digits_of_a_nir_survive_in_any_text(
            before in "[^0-9]{0,20}",
            after in "[^0-9]{0,20}",
            year in 0_u32..100, month in 1_u32..13, departement in 1_u32..96, end in 0_u32..1_000_000,
            separator in "[ .\u{a0}-]{0,2}",
        ) {
            let nir = nir(&format!("1{year:02}{month:02}{departement:02}{end:06}"));
            let text = format!("{before}{}{after}", spaced(&nir, &separator));
            let redacted = redact(&text).expect("a NIR");
            prop_assert!(!redacted.bytes().any(|byte| byte.is_ascii_digit()), "{redacted}");
            prop_assert_eq!(redact(&redacted), None);
        }
    }
}
