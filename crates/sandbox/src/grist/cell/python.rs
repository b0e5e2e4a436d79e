//! Values as the engine's language prints them: this is what alternative texts are made of.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::value::Cell;

/// Digits and the exponent of the first one.
fn digits(scientific: &str) -> (bool, String, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let negative = mantissa.starts_with('-');
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let kept = digits.trim_end_matches('0');
    (negative, if kept.is_empty() { "0".to_owned() } else { kept.to_owned() }, exponent.parse().unwrap_or(0))
}

/// Lays digits out, in scientific notation from `upper` on and below 1e-4.
fn lay_out(scientific: &str, upper: i32, fraction: bool) -> String {
    let (negative, digits, exponent) = digits(scientific);
    let sign = if negative { "-" } else { "" };
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= upper {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let mark = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{mark}{:02}", exponent.abs());
    }
    if exponent < 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or_default();
        return format!("{sign}0.{}{digits}", "0".repeat(zeros));
    }
    let whole = usize::try_from(exponent + 1).unwrap_or_default();
    if count <= exponent + 1 {
        let zeros = "0".repeat(whole - digits.len());
        return format!("{sign}{digits}{zeros}{}", if fraction { ".0" } else { "" });
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

fn special(value: f64) -> Option<&'static str> {
    match value {
        value if value.is_nan() => Some("nan"),
        f64::INFINITY => Some("inf"),
        f64::NEG_INFINITY => Some("-inf"),
        _ => None,
    }
}

/// A float as it is printed: the shortest digits that give it back, always with a fraction or an exponent.
pub(super) fn float(value: f64) -> String {
    special(value).map_or_else(|| lay_out(&format!("{value:e}"), 16, true), str::to_owned)
}

/// A float in a text column: whole numbers without a fraction, else fifteen significant digits.
pub(super) fn float_text(value: f64) -> String {
    if let Some(special) = special(value) {
        return special.to_owned();
    }
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
        return format!("{value:.0}");
    }
    lay_out(&format!("{value:.14e}"), 15, false)
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n");
    if text.contains('\'') && !text.contains('"') {
        format!("\"{escaped}\"")
    } else {
        format!("'{}'", escaped.replace('\'', "\\'"))
    }
}

/// A value inside a list or a dictionary.
fn nested(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => quoted(text),
        Cell::Null => "None".to_owned(),
        other => print(other),
    }
}

fn instant(seconds: &Json) -> Option<jiff::Zoned> {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of a plausible date")]
    let seconds = seconds.as_f64()? as i64;
    Some(Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC))
}

/// A value as it is printed by itself.
pub(super) fn print(cell: &Cell) -> String {
    match cell {
        Cell::Null => "None".to_owned(),
        Cell::Bool(true) => "True".to_owned(),
        Cell::Bool(false) => "False".to_owned(),
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) => float(*value),
        Cell::Text(text) => text.clone(),
        Cell::List(items) => format!("[{}]", items.iter().map(nested).collect::<Vec<_>>().join(", ")),
        Cell::Coded(items) => coded(items),
    }
}

/// A tuple, as lists of choices are held.
pub(in crate::grist) fn tuple(items: &[Cell]) -> String {
    let comma = if items.len() == 1 { "," } else { "" };
    format!("({}{comma})", items.iter().map(nested).collect::<Vec<_>>().join(", "))
}

fn coded(items: &[Json]) -> String {
    let code = items.first().and_then(Json::as_str).unwrap_or_default();
    let date = || items.get(1).and_then(instant);
    match code {
        "O" => {
            let members = items.get(1).and_then(Json::as_object).into_iter().flatten();
            let members = members.map(|(key, value)| format!("{}: {}", quoted(key), nested(&Cell::from_json(value))));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        "d" => date().map_or_else(String::new, |at| at.date().to_string()),
        "D" => {
            let name = items.get(2).and_then(Json::as_str).unwrap_or("UTC");
            let zone = TimeZone::get(name).unwrap_or(TimeZone::UTC);
            date().map_or_else(String::new, |at| {
                let at = at.with_time_zone(zone);
                let minutes = at.offset().seconds() / 60;
                let sign = if minutes < 0 { '-' } else { '+' };
                let minutes = minutes.abs();
                format!("{} {}{sign}{:02}:{:02}", at.date(), at.time(), minutes / 60, minutes % 60)
            })
        }
        _ => "<object>".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_printed_as_the_engine_prints_them() {
        for (value, text, in_text_column) in [
            (2_147_483_648.0, "2147483648.0", "2147483648"),
            (-3.7, "-3.7", "-3.7"),
            (1e300, "1e+300", "1e+300"),
            (123_456_789_012_345_678.0, "1.2345678901234568e+17", "1.23456789012346e+17"),
            (0.1, "0.1", "0.1"),
            (0.000_01, "1e-05", "1e-05"),
            (0.000_25, "0.00025", "0.00025"),
        ] {
            assert_eq!(float(value), text);
            assert_eq!(float_text(value), in_text_column);
        }
    }
}
