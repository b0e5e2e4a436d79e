//! Sizes of files as people write them: `500 kB`, `10 MB`.

/// The text is not a size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a size: a whole number with a unit is expected, such as `500 kB`, `10 MB` or `1 GB`")]
pub struct InvalidSize(String);

/// As platforms and disks count: a kB is 1,000 bytes. French names mean the same.
const UNITS: [(&str, &str, u64); 4] =
    [("GB", "Go", 1_000_000_000), ("MB", "Mo", 1_000_000), ("kB", "ko", 1_000), ("B", "o", 1)];

/// Reads a size, in bytes: a whole number and its unit (`B`, `kB`, `MB`, `GB`; `o`, `ko`, `Mo`, `Go`), letter case aside.
///
/// # Errors
/// Another text, a bare number, a zero, or more than 4 GB.
pub fn parse_size(text: &str) -> Result<u64, InvalidSize> {
    let invalid = || InvalidSize(text.to_owned());
    let bare = text.trim();
    let digits = bare.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
    let number: u64 = bare[..digits].parse().map_err(|_| invalid())?;
    let word = bare[digits..].trim_start();
    let named = |(english, french, _): &&(&str, &str, u64)| {
        word.eq_ignore_ascii_case(english) || word.eq_ignore_ascii_case(french)
    };
    let (_, _, unit) = UNITS.iter().find(named).ok_or_else(invalid)?;
    number.checked_mul(*unit).filter(|bytes| (1..=4_000_000_000).contains(bytes)).ok_or_else(invalid)
}

/// Writes a size so that [`parse_size`] reads it back, in the largest unit in which it is whole: `10 MB`.
#[must_use]
pub fn show_size(bytes: u64) -> String {
    let whole = UNITS.iter().find(|(_, _, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    let (name, unit) = whole.map_or(("B", 1), |(name, _, unit)| (*name, *unit));
    format!("{} {name}", bytes / unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_as_people_write_them() {
        for (text, bytes) in [
            ("10 MB", Some(10_000_000)),
            (" 500kB ", Some(500_000)),
            ("1 Go", Some(1_000_000_000)),
            ("3 mo", Some(3_000_000)),
            ("12 B", Some(12)),
            ("10", None),
            ("", None),
            ("MB", None),
            ("0 MB", None),
            ("-1 MB", None),
            ("1.5 MB", None),
            ("5 GB", None),
            ("10 MiB", None),
            ("10 M", None),
            ("99999999999999999999 GB", None),
            ("1 é", None),
        ] {
            assert_eq!(parse_size(text).ok(), bytes, "{text:?}");
        }
    }

    #[test]
    fn sizes_are_shown_in_their_largest_unit() {
        for (bytes, text) in [(10_000_000, "10 MB"), (1_500_000, "1500 kB"), (1_234, "1234 B"), (0, "0 B")] {
            assert_eq!(show_size(bytes), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(bytes in 1u64..4_000_000_000) {
            prop_assert_eq!(parse_size(&show_size(bytes)), Ok(bytes));
        }
    }
}
