//! The answer of a command: data on stdout, written whole, legible at 80 columns.

use std::io::{ErrorKind, Write};

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

pub(crate) use crate::cycle::{legible, shortened};

use super::error::CliError;

/// Writes an answer. A reader that has seen enough (`dn schema | head`) is no error.
///
/// # Errors
/// Any other failure of the output, such as a full disk.
pub fn answer(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Output(error)),
        _ => Ok(()),
    }
}

/// Writes an object as one line of JSON.
///
/// # Errors
/// As [`answer`].
pub fn answer_json(object: &impl Serialize) -> Result<(), CliError> {
    let mut text = serde_json::to_string(object).map_err(|error| CliError::Output(error.into()))?;
    text.push('\n');
    answer(&text)
}

/// A message for the person who watches. A closed stderr is nobody's concern.
pub fn tell(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = err.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = err.write_all(b"\n");
    }
}

/// Chooses the width of tables: that of the terminal, else 80, within limits that stay readable.
#[must_use]
pub fn width(columns: Option<u16>) -> u16 {
    columns.unwrap_or(80).clamp(40, 200)
}

/// A line above, below and under the header.
const STYLE: TableStyle = UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());

/// A table whose long cells are wrapped within the width.
#[must_use]
pub fn table(header: &[&str], width: u16) -> Table {
    let mut table = Table::new();
    table.force_no_tty().load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(header.iter().copied());
    table
}

/// An instant as people read it, in their own zone: `2026-01-15 14:30`.
#[must_use]
pub fn instant(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Writes how long ago something was: `3 h`.
#[must_use]
pub fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min", seconds / 60),
        3_600..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// So many of something: `1 page`, `2 pages`.
#[must_use]
pub fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A number in groups of three, as French readers write it, with no-break spaces: `12 345`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A size, rounded, in a unit that leaves few digits: `12.3 MB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} B"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    format!("{}.{} {name}", grouped(bytes / unit), bytes % unit * 10 / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ages_as_people_read_them() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number).replace('\u{202f}', " "), expected);
        }
        let now = Timestamp::from_second(1_768_000_000).expect("a date of 2026");
        for (seconds, expected) in [(-5, "0 s"), (59, "59 s"), (120, "2 min"), (7_200, "2 h"), (604_800, "7 days")] {
            let at = Timestamp::from_second(now.as_second() - seconds).expect("near it");
            assert_eq!(age(at, now), expected);
        }
    }

    #[test]
    fn a_table_fits_80_columns() {
        let mut table = table(&["Question", "Type"], width(None));
        table.add_row(["très long ".repeat(40), "text".to_owned()]);
        assert!(table.to_string().lines().all(|line| line.chars().count() <= 80), "{table}");
    }
}
