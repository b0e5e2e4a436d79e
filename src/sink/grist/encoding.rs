//! Encodes cells for Grist. Pure.
//!
//! | kind | type of the column | sent as |
//! | --- | --- | --- |
//! | text, JSON | `Text` | text |
//! | integer | `Int` | a number; beyond ±2³¹ its digits as text, which Grist keeps and shows as they are |
//! | decimal, real | `Numeric` | a number; where a double would round it, all its digits as text, written as in French: |
//! | | | Grist makes a double of every text that Python reads as a number, and keeps the others as they are |
//! | boolean | `Choice` of Oui and Non, `Bool` where it is never missing | `Bool` has no null: no answer would become no |
//! | date | `Date` | seconds at 00:00 UTC |
//! | datetime | `DateTime:Europe/Paris` | seconds |
//! | choice, choices | `Choice`, `ChoiceList` | text, `["L", …]` |
//!
//! A column that a person gave another type is written as that type wants it, as long as nothing is lost by it.

use std::borrow::Cow;
use std::fmt;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::table::{Cell, CellKind, ColumnKey, ColumnSpec};

/// The type of a column of Grist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Choice,
    ChoiceList,
    Int,
    Numeric,
    Bool,
    Date,
    /// With its time zone.
    DateTime(String),
    /// With its table.
    Ref(String),
    Any,
    /// One that is never given to a column of ours.
    Other(String),
}

/// The zone in which instants are shown.
const ZONE: &str = "Europe/Paris";

impl Kind {
    pub(super) fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some(("DateTime", zone)) => Self::DateTime(zone.to_owned()),
            Some(("Ref", table)) => Self::Ref(table.to_owned()),
            _ => match text {
                "Text" => Self::Text,
                "Choice" => Self::Choice,
                "ChoiceList" => Self::ChoiceList,
                "Int" => Self::Int,
                "Numeric" => Self::Numeric,
                "Bool" => Self::Bool,
                "Date" => Self::Date,
                "Any" => Self::Any,
                other => Self::Other(other.to_owned()),
            },
        }
    }

    /// The type that a new column gets.
    pub(super) fn of(spec: &ColumnSpec) -> Self {
        match spec.kind {
            CellKind::Boolean if never_missing(&spec.key) => Self::Bool,
            kind => Self::wide(kind),
        }
    }

    /// The type in which every value of a kind has a place, no value included.
    fn wide(kind: CellKind) -> Self {
        match kind {
            CellKind::Text | CellKind::Json => Self::Text,
            CellKind::Integer => Self::Int,
            CellKind::Decimal | CellKind::Real => Self::Numeric,
            CellKind::Boolean | CellKind::Choice => Self::Choice,
            CellKind::Date => Self::Date,
            CellKind::Datetime => Self::instant(),
            CellKind::Choices => Self::ChoiceList,
        }
    }

    /// The type of instants.
    pub(super) fn instant() -> Self {
        Self::DateTime(ZONE.to_owned())
    }

    /// Returns true if values meant for `wanted` lose nothing in a column that a person gave this type.
    pub(super) fn holds(&self, wanted: &Self) -> bool {
        use Kind as K;
        match (wanted, self) {
            (K::DateTime(_), K::DateTime(_)) => true,
            (wanted, found) if wanted == found => true,
            (K::Ref(_) | K::Other(_), _) | (_, K::Ref(_) | K::Other(_)) => false,
            (_, K::Text | K::Any) => true,
            (K::Text | K::Int | K::Numeric | K::Bool, K::Choice) | (K::Int, K::Numeric) => true,
            (K::Text | K::Choice, K::ChoiceList) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("Text"),
            Self::Choice => f.write_str("Choice"),
            Self::ChoiceList => f.write_str("ChoiceList"),
            Self::Int => f.write_str("Int"),
            Self::Numeric => f.write_str("Numeric"),
            Self::Bool => f.write_str("Bool"),
            Self::Date => f.write_str("Date"),
            Self::DateTime(zone) => write!(f, "DateTime:{zone}"),
            Self::Ref(table) => write!(f, "Ref:{table}"),
            Self::Any => f.write_str("Any"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

/// Columns of dossiers that have a value in every dossier. A null in a column of type Bool becomes no (Grist trap 2): only
/// these may have it.
fn never_missing(key: &ColumnKey) -> bool {
    matches!(key, ColumnKey::Fixed(name) if ["archived", "attestation"].contains(&name.as_str()))
}

/// The words for yes and no.
pub(super) const YES_NO: [&str; 2] = ["Oui", "Non"];

/// The longest value of one cell, in bytes of its text: a row of it fits a request with what goes along.
const LONGEST: usize = 700_000;

/// A cell in a column of this type.
pub(super) fn encode(cell: &Cell, kind: &Kind) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) | Cell::Json(text) => match kind {
            Kind::ChoiceList => list(std::slice::from_ref(text)),
            _ => visible(text).into_owned().into(),
        },
        Cell::Integer(integer) => match kind {
            // Grist cuts a whole number beyond 32 bits; its digits as text stay (Grist trap 3).
            Kind::Int if i32::try_from(*integer).is_ok() => (*integer).into(),
            Kind::Numeric | Kind::Any if integer.unsigned_abs() <= EXACT_INTEGER => (*integer).into(),
            Kind::Numeric => in_french(&integer.to_string()).into(),
            _ => integer.to_string().into(),
        },
        Cell::Decimal(decimal) => match kind {
            Kind::Numeric | Kind::Any => exact(*decimal),
            _ => decimal.to_string().into(),
        },
        Cell::Real(real) => match kind {
            Kind::Numeric | Kind::Any if real.is_finite() => json!(real),
            _ => real.to_string().into(),
        },
        Cell::Boolean(truth) => match kind {
            Kind::Bool => (*truth).into(),
            _ => YES_NO[usize::from(!truth)].into(),
        },
        Cell::Date(date) => match kind {
            Kind::Date => midnight(*date).into(),
            _ => date.to_string().into(),
        },
        Cell::Datetime(instant) => match kind {
            Kind::DateTime(_) => seconds(*instant),
            _ => instant.to_string().into(),
        },
        Cell::List(items) => match kind {
            Kind::ChoiceList | Kind::Any => list(items),
            _ => visible(&items.join(", ")).into_owned().into(),
        },
    }
}

/// Reads a text as a value of a kind; a text that is none of them stays a text.
pub(super) fn typed(text: &str, kind: CellKind) -> Cell {
    let value = match kind {
        CellKind::Integer => text.parse().map(Cell::Integer).ok(),
        CellKind::Decimal => text.parse().map(Cell::Decimal).ok(),
        CellKind::Real => text.parse().map(Cell::Real).ok(),
        CellKind::Boolean => text.parse().map(Cell::Boolean).ok(),
        CellKind::Date => text.parse().map(Cell::Date).ok(),
        CellKind::Datetime => text.parse().map(Cell::Datetime).ok(),
        CellKind::Text | CellKind::Choice | CellKind::Choices | CellKind::Json => None,
    };
    value.unwrap_or_else(|| Cell::Text(text.to_owned()))
}

/// The value, or a sentence in its place when no request of Grist could carry it.
pub(super) fn bounded(value: Value) -> Result<Value, Value> {
    let bytes = match &value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::len).sum(),
        _ => 0,
    };
    if bytes <= LONGEST {
        return Ok(value);
    }
    let sentence =
        format!("⟨valeur de {bytes} octets, trop longue pour une cellule de Grist : à lire sur la plateforme⟩");
    Err(match value {
        Value::Array(_) => json!(["L", sentence]),
        _ => sentence.into(),
    })
}

/// An instant as Grist has it: seconds since 1970, with a fraction where it has one.
pub(super) fn seconds(instant: jiff::Timestamp) -> Value {
    if instant.subsec_nanosecond() == 0 {
        instant.as_second().into()
    } else {
        json!(instant.as_duration().as_secs_f64())
    }
}

/// Converts a day: Grist keeps days as seconds at midnight UTC, whatever the zone (Grist trap 4).
fn midnight(date: jiff::civil::Date) -> i64 {
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC);
    zoned.map(|zoned| zoned.timestamp().as_second()).unwrap_or_default()
}

fn list(items: &[String]) -> Value {
    let mut values = Vec::with_capacity(items.len() + 1);
    values.push(Value::from("L"));
    values.extend(items.iter().map(|item| Value::from(visible(item))));
    Value::Array(values)
}

/// The text without U+0000, at which most programs would end it.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Up to here every whole number has its own double.
const EXACT_INTEGER: u64 = 1 << 53;

/// The digits that a double keeps whatever they are.
const EXACT_DIGITS: u32 = 15;

fn exact(decimal: Decimal) -> Value {
    let decimal = decimal.normalize();
    let mantissa = decimal.mantissa();
    if decimal.scale() == 0
        && let Ok(integer) = i64::try_from(mantissa)
        && integer.unsigned_abs() <= EXACT_INTEGER
    {
        return integer.into();
    }
    if mantissa.unsigned_abs() < 10_u128.pow(EXACT_DIGITS)
        && let Ok(real) = decimal.to_string().parse::<f64>()
    {
        return json!(real);
    }
    in_french(&decimal.to_string()).into()
}

/// Writes digits in groups of three, with a comma: `79 228 162,5`. Grist reads a text of digits as a number and rounds it
/// (Grist trap 1); with a comma and narrow spaces it stays a text.
fn in_french(digits: &str) -> String {
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let mut text = sign.to_owned();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push(',');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_the_form_that_their_column_takes() {
        let instant: jiff::Timestamp = "2026-01-15T14:52:35+01:00".parse().expect("an instant");
        let decimal = |text: &str| Cell::Decimal(text.parse().expect("a decimal"));
        let list = || Cell::List(vec!["a".into(), "b,c".into()]);
        for (cell, kind, expected) in [
            (Cell::Null, Kind::Int, Value::Null),
            (Cell::Text("00123".into()), Kind::Text, json!("00123")),
            (Cell::Text("=1+1".into()), Kind::Text, json!("=1+1")),
            (Cell::Text("a\0b".into()), Kind::Text, json!("a\u{fffd}b")),
            (Cell::Text("a".into()), Kind::ChoiceList, json!(["L", "a"])),
            (Cell::Integer(0), Kind::Int, json!(0)),
            (Cell::Integer(2_147_483_647), Kind::Int, json!(2_147_483_647)),
            (Cell::Integer(2_147_483_648), Kind::Int, json!("2147483648")),
            (Cell::Integer(2_147_483_648), Kind::Numeric, json!(2_147_483_648_i64)),
            (
                Cell::Integer(i64::MIN),
                Kind::Numeric,
                json!("-9\u{202f}223\u{202f}372\u{202f}036\u{202f}854\u{202f}775\u{202f}808"),
            ),
            (Cell::Integer(i64::MAX), Kind::Int, json!("9223372036854775807")),
            (Cell::Integer(12), Kind::Text, json!("12")),
            (decimal("0.00"), Kind::Numeric, json!(0)),
            (decimal("12.50"), Kind::Numeric, json!(12.5)),
            (decimal("1234567890123.456"), Kind::Numeric, json!("1\u{202f}234\u{202f}567\u{202f}890\u{202f}123,456")),
            (
                decimal("9007199254740993"),
                Kind::Numeric,
                json!("9\u{202f}007\u{202f}199\u{202f}254\u{202f}740\u{202f}993"),
            ),
            (decimal("12.50"), Kind::Text, json!("12.50")),
            (Cell::Real(f64::NAN), Kind::Numeric, json!("NaN")),
            (Cell::Boolean(false), Kind::Choice, json!("Non")),
            (Cell::Boolean(true), Kind::Bool, json!(true)),
            (Cell::Date(jiff::civil::date(2024, 3, 31)), Kind::Date, json!(1_711_843_200)),
            (Cell::Date(jiff::civil::date(2024, 10, 27)), Kind::Date, json!(1_729_987_200)),
            (Cell::Date(jiff::civil::date(1890, 1, 1)), Kind::Date, json!(-2_524_521_600_i64)),
            (Cell::Date(jiff::civil::date(2024, 3, 31)), Kind::Text, json!("2024-03-31")),
            (Cell::Datetime(instant), Kind::instant(), json!(1_768_485_155)),
            (Cell::Datetime(instant), Kind::Text, json!("2026-01-15T13:52:35Z")),
            (list(), Kind::ChoiceList, json!(["L", "a", "b,c"])),
            (list(), Kind::Text, json!("a, b,c")),
        ] {
            assert_eq!(encode(&cell, &kind), expected, "{cell:?} in {kind}");
        }
    }

    #[test]
    fn a_value_that_no_request_can_carry_says_so_in_its_place() {
        assert_eq!(bounded(json!("x".repeat(LONGEST))), Ok(json!("x".repeat(LONGEST))));
        let Err(Value::String(sentence)) = bounded(json!("x".repeat(1_200_000))) else { panic!("it was carried") };
        assert!(sentence.starts_with("⟨valeur de 1200000 octets"), "{sentence}");
        assert!(matches!(bounded(json!(["L", "x".repeat(1_200_000)])), Err(Value::Array(_))));
    }

    #[test]
    fn another_type_is_harmless_where_nothing_is_lost() {
        let paris = Kind::instant();
        for (wanted, found, harmless) in [
            (Kind::Text, Kind::Choice, true),
            (Kind::Text, Kind::Any, true),
            (Kind::Choice, Kind::Text, true),
            (Kind::Int, Kind::Numeric, true),
            (Kind::Int, Kind::Text, true),
            (Kind::Date, Kind::Text, true),
            (paris.clone(), Kind::DateTime("UTC".into()), true),
            (Kind::Ref("A".into()), Kind::Ref("A".into()), true),
            (Kind::Ref("A".into()), Kind::Ref("B".into()), false),
            (Kind::Ref("A".into()), Kind::Text, false),
            (Kind::Numeric, Kind::Int, false),
            (Kind::Text, Kind::Numeric, false),
            (Kind::Choice, Kind::Bool, false),
            (paris, Kind::Date, false),
            (Kind::Text, Kind::Other("Attachments".into()), false),
        ] {
            assert_eq!(found.holds(&wanted), harmless, "{wanted} as {found}");
        }
    }

    #[test]
    fn types_survive_their_text_form() {
        for text in ["Text", "Choice", "ChoiceList", "Int", "Numeric", "Bool", "Date", "Any", "RefList:T"] {
            assert_eq!(Kind::parse(text).to_string(), text);
        }
        assert_eq!(Kind::parse("DateTime:Europe/Paris"), Kind::instant());
        assert_eq!(Kind::parse("Ref:T"), Kind::Ref("T".to_owned()));
    }
}
