//! Dates as the platform writes and reads them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The language in which the platform writes dates and a few messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// French, the default.
    French,
    /// English, when `Accept-Language` prefers it.
    English,
}

const MOIS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Paris time, from its rule rather than from a file of the machine, so that every machine agrees.
fn paris() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("the rule of Paris time is well formed")
}

/// The same instant on a clock in Paris.
pub(super) fn in_paris(at: Timestamp) -> Zoned {
    at.to_zoned(paris())
}

/// `2026-03-14T09:26:53+01:00`: seconds are truncated and the offset is that of Paris on that day.
pub(super) fn iso(at: Timestamp) -> String {
    in_paris(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// An instant given by a client: fractional seconds are accepted, a bare date is midnight in Paris, a space is refused.
pub(super) fn parse_instant(text: &str) -> Option<Timestamp> {
    if text.contains(' ') {
        return None;
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let date: Date = text.parse().ok()?;
    date.to_zoned(paris()).ok().map(|zoned| zoned.timestamp())
}

/// Midnight in Paris on that day.
pub(super) fn midnight(date: Date) -> Option<Timestamp> {
    date.to_zoned(paris()).ok().map(|zoned| zoned.timestamp())
}

/// `10 juillet 2019`, or `July 10, 2019`.
pub(super) fn day_in_words(date: Date, language: Language) -> String {
    let month = usize::try_from(date.month() - 1).unwrap_or(0);
    match language {
        Language::French => format!("{} {} {}", date.day(), MOIS[month], date.year()),
        Language::English => format!("{} {}, {}", MONTHS[month], date.day(), date.year()),
    }
}

/// `10 juillet 2019 14:05`, or `July 10, 2019 14:05`.
pub(super) fn instant_in_words(at: Timestamp, language: Language) -> String {
    let zoned = in_paris(at);
    format!("{} {:02}:{:02}", day_in_words(zoned.date(), language), zoned.hour(), zoned.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_in_seconds_with_the_offset_of_paris() {
        for (utc, expected) in [
            ("2026-01-15T14:52:35.999999Z", "2026-01-15T15:52:35+01:00"),
            ("2026-07-01T22:00:00Z", "2026-07-02T00:00:00+02:00"),
            ("2026-03-29T00:59:59Z", "2026-03-29T01:59:59+01:00"),
            ("2026-03-29T01:00:00Z", "2026-03-29T03:00:00+02:00"),
            ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00+02:00"),
            ("2026-10-25T01:30:00Z", "2026-10-25T02:30:00+01:00"),
        ] {
            assert_eq!(iso(utc.parse().expect("a test instant")), expected, "{utc}");
        }
    }

    #[test]
    fn input_takes_fractions_and_bare_dates_but_no_space() {
        let at = |text: &str| parse_instant(text).map(|at| at.to_string());
        assert_eq!(at("2024-01-01T00:00:00.123456Z").as_deref(), Some("2024-01-01T00:00:00.123456Z"));
        assert_eq!(at("2024-07-01").as_deref(), Some("2024-06-30T22:00:00Z"));
        assert_eq!(at("2024-01-01 10:00"), None);
        assert_eq!(at("yesterday"), None);
    }
}
