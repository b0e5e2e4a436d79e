//! Parses texts as the web process does, unless `noparse` is set (Grist trap 1), and guesses the type that
//! an empty column takes from its first values (Grist trap 8).

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::kind::Kind;
use super::value::Cell;

/// Parses a text for a column, in the en-US way of new documents; `today` completes dates. Other values pass.
pub(in crate::grist) fn parse(kind: &Kind, cell: Cell, today: Date) -> Cell {
    let Cell::Text(text) = &cell else { return cell };
    match kind {
        Kind::Numeric | Kind::Int => number(text).map_or_else(|| cell.clone(), Cell::number),
        Kind::Date => date(text, today).map_or_else(|| cell.clone(), |date| at_midnight(date, "UTC")),
        Kind::DateTime(zone) => date(text, today).map_or_else(|| cell.clone(), |date| at_midnight(date, zone)),
        Kind::ChoiceList => choices(text),
        _ => cell,
    }
}

fn at_midnight(date: Parsed, zone: &str) -> Cell {
    match date {
        Parsed::Seconds(seconds) => Cell::number(seconds),
        Parsed::Day(date) => {
            let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
            let at = zone.to_ambiguous_zoned(date.to_datetime(Time::midnight())).compatible();
            #[expect(clippy::cast_precision_loss, reason = "seconds of a civil date fit a double")]
            at.map_or(Cell::Null, |at| Cell::number(at.timestamp().as_second() as f64))
        }
    }
}

/// Commas and blanks group digits, `%` divides, parentheses negate.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let (text, negative) = match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let (text, percent) = match text.strip_suffix('%') {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    };
    // A grouping comma is followed by at least two digits.
    let grouped =
        text.match_indices(',').all(|(at, _)| text[at + 1..].bytes().take(2).filter(u8::is_ascii_digit).count() == 2);
    if !grouped || text.is_empty() {
        return None;
    }
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
    if !plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+')) {
        return None;
    }
    let value: f64 = plain.parse().ok()?;
    let value = if percent { value / 100.0 } else { value };
    Some(if negative { -value } else { value })
}

enum Parsed {
    Day(Date),
    Seconds(f64),
}

/// One number is a day of this month, two are month and day of this year, three are year, month and day; ten digits are
/// seconds. Texts in ISO form with a time are left to the engine.
fn date(text: &str, today: Date) -> Option<Parsed> {
    let text = text.trim();
    if text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Parsed::Seconds);
    }
    if text.contains(|c: char| c.is_alphabetic()) {
        return None;
    }
    let parts: Vec<i16> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let small = |value: i16| i8::try_from(value).ok();
    let date = match parts.as_slice() {
        [day] => Date::new(today.year(), today.month(), small(*day)?),
        [month, day] => Date::new(today.year(), small(*month)?, small(*day)?),
        [year, month, day] if *year > 99 => Date::new(*year, small(*month)?, small(*day)?),
        _ => return None,
    };
    date.ok().map(Parsed::Day)
}

/// Commas and line breaks separate choices; double quotes protect them.
fn choices(text: &str) -> Cell {
    if text.starts_with('[') {
        return Cell::text(text);
    }
    let mut items = vec![String::new()];
    let mut inside = false;
    for c in text.chars() {
        match c {
            '"' => inside = !inside,
            ',' | '\n' if !inside => items.push(String::new()),
            c => items.last_mut().expect("there is always an item").push(c),
        }
    }
    let items: Vec<Cell> =
        items.iter().map(|item| item.trim()).filter(|item| !item.is_empty()).map(Cell::text).collect();
    if items.is_empty() { Cell::Null } else { Cell::List(items) }
}

/// The type that an empty column takes, with its values; `None` when they are all blank.
pub(in crate::grist) fn guess(values: Vec<Cell>, today: Date) -> Option<(&'static str, Vec<Cell>)> {
    if values.iter().any(|value| !matches!(value, Cell::Text(_) | Cell::Null)) {
        let filled = values.iter().filter(|value| !matches!(value, Cell::Null)).count();
        let numbers = values.iter().filter(|value| value.as_number().is_some()).count();
        let kind = if filled > 0 && numbers * 10 >= filled * 9 { "Numeric" } else { "Text" };
        return Some((kind, values));
    }
    let texts: Vec<&str> = values.iter().filter_map(Cell::as_str).filter(|text| !text.is_empty()).collect();
    if texts.is_empty() {
        return None;
    }
    let leading_zero = |text: &str| text.len() > 1 && text.starts_with('0') && !text.starts_with("0.");
    let kind = if texts.iter().all(|text| matches!(text.to_lowercase().as_str(), "true" | "false")) {
        "Bool"
    } else if texts.iter().all(|text| number(text).is_some() && !leading_zero(text)) {
        "Numeric"
    } else if texts.iter().all(|text| text.len() == 10 && text.parse::<Date>().is_ok()) {
        "Date"
    } else {
        "Text"
    };
    let values = values.into_iter().map(|value| parse(&Kind::of(kind), value, today)).collect();
    Some((kind, values))
}
