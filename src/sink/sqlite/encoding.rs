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
use sqlx::Arguments as _;
use sqlx::sqlite::SqliteArguments;

use super::fault::Fault;
use crate::table::{Cell, CellKind};

/// A value of SQLite. A text crosses to the thread of the connection, and is copied once for it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(Arc<str>),
}

/// The declared type of a column.
pub(super) fn declared(kind: CellKind) -> &'static str {
    match kind {
        CellKind::Text
        | CellKind::Choice
        | CellKind::Choices
        | CellKind::Date
        | CellKind::Datetime
        | CellKind::Json => "TEXT",
        CellKind::Integer | CellKind::Boolean => "INTEGER",
        CellKind::Real => "REAL",
        CellKind::Decimal => "ANY",
    }
}

pub(super) fn encode(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) | Cell::Json(text) => visible(text).as_ref().into(),
        Cell::Integer(integer) => Value::Integer(*integer),
        Cell::Decimal(decimal) => exact(*decimal),
        Cell::Real(real) => Value::Real(*real),
        Cell::Boolean(boolean) => Value::Integer(i64::from(*boolean)),
        Cell::Date(date) => date.to_string().into(),
        Cell::Datetime(instant) => instant.to_string().into(),
        Cell::List(items) => {
            let items = serde_json::to_string(items).expect("a list of texts is JSON");
            items.into()
        }
    }
}

/// The text without U+0000.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// The digits that a double keeps whatever they are; SQLite writes as many.
const EXACT_DIGITS: u32 = 15;

fn exact(decimal: Decimal) -> Value {
    let decimal = decimal.normalize();
    let mantissa = decimal.mantissa();
    if decimal.scale() == 0 {
        return i64::try_from(mantissa).map_or_else(|_| decimal.to_string().into(), Value::Integer);
    }
    if mantissa.unsigned_abs() < 10_u128.pow(EXACT_DIGITS)
        && let Ok(real) = decimal.to_string().parse()
    {
        return Value::Real(real);
    }
    decimal.to_string().into()
}

/// Adds a value to the arguments of a statement.
pub(super) fn push(arguments: &mut SqliteArguments, value: Value) -> Result<(), Fault> {
    let added = match value {
        Value::Null => arguments.add(None::<i64>),
        Value::Integer(integer) => arguments.add(integer),
        Value::Real(real) => arguments.add(real),
        Value::Text(text) => arguments.add(text),
    };
    added.map_err(|error| Fault::Sql(sqlx::Error::Encode(error)))
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<u32> for Value {
    fn from(integer: u32) -> Self {
        Self::Integer(i64::from(integer))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_a_number_only_where_that_is_exact() {
        for (text, expected) in [
            ("0", Value::Integer(0)),
            ("-0.0", Value::Integer(0)),
            ("12.50", Value::Real(12.5)),
            ("10.00", Value::Integer(10)),
            ("0.1", Value::Real(0.1)),
            ("-0.0000000001", Value::Real(-0.000_000_000_1)),
            ("123456789012.345", Value::Real(123_456_789_012.345)),
            ("9223372036854775807", Value::Integer(i64::MAX)),
            ("9223372036854775808", Value::from("9223372036854775808")),
            ("1234567890123.456", Value::from("1234567890123.456")),
            ("0.1000000000000001", Value::from("0.1000000000000001")),
        ] {
            let decimal: Decimal = text.parse().expect("a decimal");
            assert_eq!(encode(&Cell::Decimal(decimal)), expected, "{text}");
        }
    }

    #[test]
    fn cells_have_the_form_that_the_documentation_tells() {
        let instant = "2026-01-15T14:52:35+01:00".parse().expect("an instant");
        for (cell, expected) in [
            (Cell::Null, Value::Null),
            (Cell::Boolean(true), Value::Integer(1)),
            (Cell::Datetime(instant), Value::from("2026-01-15T13:52:35Z")),
            (Cell::Date(jiff::civil::date(2026, 1, 5)), Value::from("2026-01-05")),
            (Cell::List(vec!["a".into(), "l'\"été\"".into()]), Value::from(r#"["a","l'\"été\""]"#)),
            (Cell::Text("a\0b".into()), Value::from("a\u{fffd}b")),
        ] {
            assert_eq!(encode(&cell), expected);
        }
    }
}
