//! Declares the values that are bound to statements, before a database encodes them.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::fingerprint::Digest;
use crate::ids::{DemarcheNumber, DossierNumber};
use crate::table::{Cell, CellKind};

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sink) enum Type {
    /// Text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// An exact decimal.
    Decimal,
    /// A floating-point number.
    Real,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// An instant.
    Instant,
    /// Several texts.
    Texts,
    /// JSON to be queried; its form may change.
    Json,
    /// JSON of which every byte stays as it is.
    Document,
}

impl From<CellKind> for Type {
    fn from(kind: CellKind) -> Self {
        match kind {
            CellKind::Text | CellKind::Choice => Self::Text,
            CellKind::Integer => Self::Integer,
            CellKind::Decimal => Self::Decimal,
            CellKind::Real => Self::Real,
            CellKind::Boolean => Self::Boolean,
            CellKind::Date => Self::Date,
            CellKind::Datetime => Self::Instant,
            CellKind::Choices => Self::Texts,
            CellKind::Json => Self::Json,
        }
    }
}

/// A value or NULL. Texts are borrowed if possible, as the driver copies them once.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sink) enum Value<'a> {
    Null,
    Text(Cow<'a, str>),
    Integer(i64),
    Decimal(Decimal),
    Real(f64),
    Boolean(bool),
    Date(Date),
    Instant(Timestamp),
    Texts(&'a [String]),
    Json(&'a str),
    Document(Cow<'a, str>),
    /// Dossier numbers as one parameter: the text of the statement is the same for any number of them.
    Numbers(&'a [DossierNumber]),
}

impl<'a> From<&'a Cell> for Value<'a> {
    fn from(cell: &'a Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Text(text) => text.as_str().into(),
            Cell::Integer(integer) => Self::Integer(*integer),
            Cell::Decimal(decimal) => Self::Decimal(*decimal),
            Cell::Real(real) => Self::Real(*real),
            Cell::Boolean(boolean) => Self::Boolean(*boolean),
            Cell::Date(date) => Self::Date(*date),
            Cell::Datetime(instant) => Self::Instant(*instant),
            Cell::List(items) => Self::Texts(items),
            Cell::Json(text) => Self::Json(text),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Digest> for Value<'_> {
    fn from(digest: Digest) -> Self {
        digest.to_string().into()
    }
}

impl From<u32> for Value<'_> {
    fn from(integer: u32) -> Self {
        Self::Integer(i64::from(integer))
    }
}

impl From<i64> for Value<'_> {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<DossierNumber> for Value<'_> {
    fn from(number: DossierNumber) -> Self {
        number.get().into()
    }
}

impl From<DemarcheNumber> for Value<'_> {
    fn from(number: DemarcheNumber) -> Self {
        number.get().into()
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(instant: Timestamp) -> Self {
        Self::Instant(instant)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Replaces U+0000: PostgreSQL refuses it, and programs that read SQLite stop there.
pub(in crate::sink) fn visible(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}
