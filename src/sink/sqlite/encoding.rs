//! A cell as SQLite keeps it.
//!
//! | kind | stored as |
//! | --- | --- |
//! | text, choice | `TEXT` |
//! | integer, boolean | `INTEGER`, booleans as 0 and 1 |
//! | real | `REAL` |
//! | decimal | `ANY`: `INTEGER` or `REAL` where that is exact, else `TEXT` with all its digits |
//! | date | `TEXT`, `2026-01-15` |
//! | datetime | `TEXT`, UTC, `2026-01-15T13:52:35Z` |
//! | choices | `TEXT`, a JSON array |
//! | json | `TEXT` |
//!
//! U+0000 becomes U+FFFD in cells: SQLite keeps it, but its functions and most programs would show the text only up to
//! there. The stored document has it as `\u0000`.

use std::borrow::Cow;
use std::sync::Arc;

use rust_decimal::Decimal;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, Row as _, TypeInfo as _, ValueRef as _};

use crate::sink::sql::{Fault, Type, Value, visible};

/// Encodes a value for SQLite. A text is copied once, for the thread of the connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stored {
    Null,
    Integer(i64),
    Real(f64),
    Text(Arc<str>),
    /// A stored type that no value of ours has.
    Other,
}

impl Stored {
    /// Returns the stored form of a value.
    pub(super) fn of(value: &Value<'_>) -> Self {
        match stored(value) {
            // SQLite has no place for it.
            Self::Real(real) if real.is_nan() => Self::Null,
            stored => stored,
        }
    }

    /// Reads the stored form of a column.
    pub(super) fn read(row: &SqliteRow, at: usize) -> Result<Self, Fault> {
        let raw = row.try_get_raw(at)?;
        if raw.is_null() {
            return Ok(Self::Null);
        }
        let kind = raw.type_info().name().to_owned();
        Ok(match kind.as_str() {
            "INTEGER" | "BOOLEAN" => Self::Integer(row.try_get_unchecked(at)?),
            "REAL" => Self::Real(row.try_get_unchecked(at)?),
            // Bytes that are no text are damage, told as a cell that differs.
            "TEXT" => row.try_get_unchecked::<&str, _>(at).map_or(Self::Other, |text| Self::Text(text.into())),
            _ => Self::Other,
        })
    }
}

/// The declared type of a column.
pub(super) fn declared(kind: Type) -> &'static str {
    match kind {
        Type::Text | Type::Texts | Type::Date | Type::Instant | Type::Json | Type::Document => "TEXT",
        Type::Integer | Type::Boolean => "INTEGER",
        Type::Real => "REAL",
        Type::Decimal => "ANY",
    }
}

fn stored(value: &Value<'_>) -> Stored {
    match value {
        Value::Null => Stored::Null,
        Value::Text(text) => visible(text).into(),
        Value::Json(text) => visible(text).into(),
        Value::Document(text) => Stored::Text(text.as_ref().into()),
        Value::Integer(integer) => Stored::Integer(*integer),
        Value::Decimal(decimal) => exact(*decimal),
        Value::Real(real) => Stored::Real(*real),
        Value::Boolean(boolean) => Stored::Integer(i64::from(*boolean)),
        Value::Date(date) => date.to_string().into(),
        Value::Instant(instant) => instant.to_string().into(),
        Value::Texts(items) => serde_json::to_string(items).expect("a list of texts is JSON").into(),
        Value::Numbers(numbers) => serde_json::to_string(numbers).expect("a list of numbers is JSON").into(),
    }
}

/// The digits that a double keeps whatever they are; SQLite writes as many.
const EXACT_DIGITS: u32 = 15;

fn exact(decimal: Decimal) -> Stored {
    let decimal = decimal.normalize();
    let mantissa = decimal.mantissa();
    if decimal.scale() == 0 {
        return i64::try_from(mantissa).map_or_else(|_| decimal.to_string().into(), Stored::Integer);
    }
    if mantissa.unsigned_abs() < 10_u128.pow(EXACT_DIGITS)
        && let Ok(real) = decimal.to_string().parse()
    {
        return Stored::Real(real);
    }
    decimal.to_string().into()
}

/// Adds a value to the arguments of a statement.
pub(super) fn push(arguments: &mut SqliteArguments, value: &Value<'_>) -> Result<(), Fault> {
    let added = match stored(value) {
        Stored::Null | Stored::Other => arguments.add(None::<i64>),
        Stored::Integer(integer) => arguments.add(integer),
        Stored::Real(real) => arguments.add(real),
        Stored::Text(text) => arguments.add(text),
    };
    added.map_err(|error| Fault::Sql(sqlx::Error::Encode(error)))
}

impl From<String> for Stored {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Cow<'_, str>> for Stored {
    fn from(text: Cow<'_, str>) -> Self {
        Self::Text(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Cell;

    fn text(text: &str) -> Stored {
        Stored::Text(text.into())
    }

    #[test]
    fn a_decimal_is_a_number_only_where_that_is_exact() {
        for (digits, expected) in [
            ("0", Stored::Integer(0)),
            ("-0.0", Stored::Integer(0)),
            ("12.50", Stored::Real(12.5)),
            ("10.00", Stored::Integer(10)),
            ("0.1", Stored::Real(0.1)),
            ("-0.0000000001", Stored::Real(-0.000_000_000_1)),
            ("123456789012.345", Stored::Real(123_456_789_012.345)),
            ("9223372036854775807", Stored::Integer(i64::MAX)),
            ("9223372036854775808", text("9223372036854775808")),
            ("1234567890123.456", text("1234567890123.456")),
            ("0.1000000000000001", text("0.1000000000000001")),
        ] {
            let decimal: Decimal = digits.parse().expect("a decimal");
            assert_eq!(stored(&Value::Decimal(decimal)), expected, "{digits}");
        }
    }

    #[test]
    fn cells_have_the_form_that_the_documentation_tells() {
        let instant = "2026-01-15T14:52:35+01:00".parse().expect("an instant");
        for (cell, expected) in [
            (Cell::Null, Stored::Null),
            (Cell::Boolean(true), Stored::Integer(1)),
            (Cell::Datetime(instant), text("2026-01-15T13:52:35Z")),
            (Cell::Date(jiff::civil::date(2026, 1, 5)), text("2026-01-05")),
            (Cell::List(vec!["a".into(), "l'\"été\"".into()]), text(r#"["a","l'\"été\""]"#)),
            (Cell::Text("a\0b".into()), text("a\u{fffd}b")),
        ] {
            assert_eq!(stored(&Value::from(&cell)), expected);
        }
    }
}
