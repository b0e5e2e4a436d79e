//! Durations as people write them: `15m`, `24h`, `7d`, `1h30m`.

use std::time::Duration;

/// The text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a duration: whole numbers with a unit are expected, such as `30s`, `15m`, `24h`, `7d` or `1h30m`"
)]
pub struct InvalidDuration(String);

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads a duration: one or more whole numbers, each with its unit (`d`, `h`, `m`, `s`), the largest unit first.
///
/// # Errors
/// Another text, a bare number, a zero or a duration of more than ten years.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = || InvalidDuration(text.to_owned());
    let mut rest = text.trim();
    let mut units = UNITS.iter();
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
        let number: u64 = rest[..digits].parse().map_err(|_| invalid())?;
        let letter = rest[digits..].chars().next().ok_or_else(invalid)?;
        // `find` goes on where the last unit was, so `1m1h` and `1h1h` are refused.
        let (_, size) = units.find(|(unit, _)| *unit == letter).ok_or_else(invalid)?;
        seconds = number.checked_mul(*size).and_then(|s| s.checked_add(seconds)).ok_or_else(invalid)?;
        rest = &rest[digits + letter.len_utf8()..];
    }
    if (1..=3_653 * 86_400).contains(&seconds) { Ok(Duration::from_secs(seconds)) } else { Err(invalid()) }
}

/// Writes a duration so that [`parse_duration`] reads it back, in its largest units: `1h30m`, `7d`. Parts of a second
/// are left out.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let mut seconds = duration.as_secs();
    // A day as `24h` reads better than `1d` beside `26h` and `2h`; whole weeks and days beyond stay days.
    if seconds > 0 && seconds < 2 * 86_400 && seconds.is_multiple_of(3_600) {
        return format!("{}h", seconds / 3_600);
    }
    let mut text = String::new();
    for (unit, size) in UNITS {
        if seconds >= size {
            text.push_str(&format!("{}{unit}", seconds / size));
            seconds %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, seconds) in [
            ("30s", Some(30)),
            ("15m", Some(900)),
            (" 24h ", Some(86_400)),
            ("7d", Some(604_800)),
            ("1h30m", Some(5_400)),
            ("1m90s", Some(150)),
            ("15", None),
            ("", None),
            ("0s", None),
            ("m", None),
            ("-1m", None),
            ("1.5h", None),
            ("1m1h", None),
            ("1h1h", None),
            ("15 m", None),
            ("15min", None),
            ("1é", None),
            ("99999999999999999999d", None),
            ("9999d", None),
        ] {
            assert_eq!(parse_duration(text).ok().map(|d| d.as_secs()), seconds, "{text:?}");
        }
    }

    #[test]
    fn durations_are_shown_in_their_largest_units() {
        for (seconds, text) in [(900, "15m"), (86_400, "24h"), (93_600, "26h"), (604_800, "7d"), (5_400, "1h30m")] {
            assert_eq!(show_duration(Duration::from_secs(seconds)), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(seconds in 1u64..100_000_000) {
            let duration = Duration::from_secs(seconds);
            prop_assert_eq!(parse_duration(&show_duration(duration)), Ok(duration));
        }
    }
}
