//! Converts a value to the type of a column, or to the text of a value that it cannot convert (alternative text).

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use serde_json::Value as Json;

use super::kind::Kind;
use super::python;
use super::value::Cell;

/// Converts as the engine does on every write. References by value (`["l", …]`) must be resolved before.
pub(in crate::grist) fn convert(kind: &Kind, cell: Cell) -> Cell {
    if cell.error().is_some() {
        return cell;
    }
    let converted = match kind {
        Kind::Any => Some(cell.clone()),
        Kind::Text | Kind::Choice => Some(text(&cell)),
        Kind::ChoiceList => choice_list(&cell),
        Kind::Numeric => number(&cell),
        Kind::Int => int(&cell),
        Kind::Bool => boolean(&cell),
        Kind::Date => date(&cell),
        Kind::DateTime(zone) => date_time(&cell, zone),
        Kind::Ref(_) => match &cell {
            Cell::List(items) => {
                let first = items.first().cloned().unwrap_or(Cell::Int(0));
                return reference(&first).unwrap_or_else(|| Cell::text(python::print(&first)));
            }
            other => reference(other),
        },
        Kind::RefList(_) | Kind::Attachments => reference_list(&cell),
        Kind::Position => number(&cell).map(|cell| if cell == Cell::Null { kind.default_cell() } else { cell }),
    };
    converted.unwrap_or_else(|| Cell::text(python::print(&cell)))
}

fn text(cell: &Cell) -> Cell {
    match cell {
        Cell::Null => Cell::Null,
        Cell::Float(value) => Cell::text(python::float_text(*value)),
        other => Cell::text(python::print(other)),
    }
}

/// A number in a text as the engine's language reads it: surrounding blanks and underscores between digits are fine.
fn read_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let lone = |at: usize| {
        let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        !digit(at.checked_sub(1)) || !digit(Some(at + 1))
    };
    if text.match_indices('_').any(|(at, _)| lone(at)) {
        return None;
    }
    text.replace('_', "").parse().ok()
}

fn number(cell: &Cell) -> Option<Cell> {
    match cell {
        Cell::Null => Some(Cell::Null),
        Cell::Text(text) if text.is_empty() => Some(Cell::Null),
        Cell::Text(text) => read_float(text).map(Cell::Float),
        other => other.as_number().map(Cell::Float),
    }
}

/// Cut towards zero, within 32 bits (Grist trap 3).
fn int(cell: &Cell) -> Option<Cell> {
    match number(cell)? {
        Cell::Float(value) => {
            let whole = value.trunc();
            let fits = whole >= f64::from(i32::MIN) && whole <= f64::from(i32::MAX);
            #[expect(clippy::cast_possible_truncation, reason = "checked to be within 32 bits")]
            fits.then_some(Cell::Int(whole as i64))
        }
        other => Some(other),
    }
}

/// Nothing is false (Grist trap 2); only `true`, `yes`, `1`, `false`, `no` and `0` are understood.
fn boolean(cell: &Cell) -> Option<Cell> {
    if cell.is_falsy() {
        return Some(Cell::Bool(false));
    }
    match cell {
        Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) => Some(Cell::Bool(true)),
        Cell::Text(text) => match text.to_lowercase().as_str() {
            "true" | "yes" | "1" => Some(Cell::Bool(true)),
            "false" | "no" | "0" => Some(Cell::Bool(false)),
            _ => None,
        },
        Cell::Null | Cell::List(_) | Cell::Coded(_) => None,
    }
}

fn choice_list(cell: &Cell) -> Option<Cell> {
    if cell.is_falsy() {
        return Some(Cell::Null);
    }
    let texts = |items: &[Cell]| Cell::List(items.iter().map(|item| Cell::text(python::print(item))).collect());
    match cell {
        Cell::Text(text) => {
            let items = text.starts_with('[').then(|| serde_json::from_str::<Vec<Json>>(text).ok()).flatten();
            Some(
                items.map_or_else(
                    || cell.clone(),
                    |items| texts(&items.iter().map(Cell::from_json).collect::<Vec<_>>()),
                ),
            )
        }
        Cell::List(items) => Some(texts(items)),
        Cell::Coded(items) if items.first().is_some_and(|code| code == "O") => {
            let keys = items.get(1)?.as_object()?.keys();
            Some(Cell::List(keys.map(|key| Cell::text(key.as_str())).collect()))
        }
        _ => None,
    }
}

fn reference(cell: &Cell) -> Option<Cell> {
    match cell {
        cell if cell.is_falsy() => Some(Cell::Int(0)),
        Cell::Bool(_) => Some(Cell::Int(1)),
        Cell::Int(_) => Some(cell.clone()),
        _ => None,
    }
}

fn reference_list(cell: &Cell) -> Option<Cell> {
    match cell {
        cell if cell.is_falsy() => Some(Cell::Null),
        Cell::Bool(_) | Cell::Int(_) => Some(Cell::List(vec![reference(cell)?])),
        Cell::List(items) => items.iter().map(reference).collect::<Option<Vec<_>>>().map(Cell::List),
        Cell::Text(text) => {
            let ids: Vec<i64> = serde_json::from_str(text).ok()?;
            ids.iter().all(|id| *id > 0).then(|| Cell::List(ids.into_iter().map(Cell::Int).collect()))
        }
        _ => None,
    }
}

/// The zone of a column; a name that is none means UTC.
fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

fn seconds(at: DateTime, zone: &TimeZone) -> Option<Cell> {
    let zoned = zone.to_ambiguous_zoned(at).compatible().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a civil date fit a double")]
    Some(Cell::Float(zoned.timestamp().as_microsecond() as f64 / 1e6))
}

fn coded_seconds(items: &[Json], code: &str) -> Option<f64> {
    (items.first()? == code).then(|| items.get(1)?.as_f64()).flatten()
}

/// `YYYY-MM-DD`, with anything after it.
fn iso_date(text: &str) -> Option<(Date, &str)> {
    let head = text.get(..10)?;
    let shaped = head.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let rest = text.get(10..)?;
    (shaped && (rest.is_empty() || rest.starts_with(['T', ' ']))).then_some(())?;
    Some((head.parse().ok()?, rest))
}

fn date(cell: &Cell) -> Option<Cell> {
    match cell {
        Cell::Null => Some(Cell::Null),
        Cell::Text(text) if text.is_empty() => Some(Cell::Null),
        Cell::Text(text) => seconds(iso_date(text)?.0.to_datetime(jiff::civil::Time::midnight()), &TimeZone::UTC),
        Cell::Coded(items) => {
            let at = coded_seconds(items, "d").or_else(|| coded_seconds(items, "D"))?;
            Some(Cell::Float((at / 86_400.0).floor() * 86_400.0))
        }
        Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) => cell.as_number().map(Cell::Float),
        Cell::List(_) => None,
    }
}

fn date_time(cell: &Cell, name: &str) -> Option<Cell> {
    match cell {
        Cell::Text(text) if !text.is_empty() => {
            let (date, rest) = iso_date(text)?;
            let rest = rest.get(1..).unwrap_or_default();
            if rest.is_empty() {
                return seconds(date.to_datetime(jiff::civil::Time::midnight()), &zone(name));
            }
            let (time, offset) = match rest.find(['Z', '+', '-']) {
                Some(at) => (&rest[..at], &rest[at..]),
                None => (rest, ""),
            };
            let at = date.to_datetime(time.trim().parse().ok()?);
            match offset {
                "" => seconds(at, &zone(name)),
                "Z" => seconds(at, &TimeZone::UTC),
                offset => {
                    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
                    let (hours, minutes) = (digits.get(..2)?, digits.get(2..4).unwrap_or("00"));
                    let total = hours.parse::<i32>().ok()? * 60 + minutes.parse::<i32>().ok()?;
                    let total = if offset.starts_with('-') { -total } else { total };
                    seconds(at, &Offset::from_seconds(total * 60).ok()?.to_time_zone())
                }
            }
        }
        Cell::Coded(items) => match coded_seconds(items, "D") {
            Some(at) => Some(Cell::Float(at)),
            None => {
                let Some(Cell::Float(day)) = date(cell) else { return None };
                #[expect(clippy::cast_possible_truncation, reason = "seconds of a plausible date")]
                let day = jiff::Timestamp::from_second(day as i64).ok()?.to_zoned(TimeZone::UTC).datetime();
                seconds(day, &zone(name))
            }
        },
        other => date(other),
    }
}
