//! A value as PostgreSQL keeps it.
//!
//! | kind | stored as |
//! | --- | --- |
//! | text, choice | `text` |
//! | integer, boolean, real | `bigint`, `boolean`, `double precision` |
//! | decimal | `numeric`, with all its digits |
//! | date, datetime | `date`, `timestamptz` (to the microsecond) |
//! | choices | `text[]` |
//! | json | `jsonb` |
//! | a document | `json`: every byte stays as it is |
//!
//! U+0000 becomes U+FFFD: PostgreSQL has no place for it, not even written `\u0000` in a `jsonb`. The stored document
//! keeps it.

use std::borrow::Cow;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgHasArrayType, PgTypeInfo, PgValueRef, Postgres};
use sqlx::{Arguments as _, Decode};

use crate::sink::sql::{Fault, Type, Value, visible};

/// The declared type of a column, as `format_type` writes it.
pub(super) fn declared(kind: Type) -> &'static str {
    match kind {
        Type::Text => "text",
        Type::Integer => "bigint",
        Type::Decimal => "numeric",
        Type::Real => "double precision",
        Type::Boolean => "boolean",
        Type::Date => "date",
        Type::Instant => "timestamp with time zone",
        Type::Texts => "text[]",
        Type::Json => "jsonb",
        Type::Document => "json",
    }
}

/// Adds the value of one parameter.
pub(super) fn push(arguments: &mut PgArguments, value: &Value<'_>) -> Result<(), Fault> {
    let added = match value {
        Value::Null => arguments.add(Untyped),
        Value::Text(text) => arguments.add(visible(text)),
        Value::Integer(integer) => arguments.add(*integer),
        Value::Decimal(decimal) => arguments.add(*decimal),
        Value::Real(real) => arguments.add(*real),
        Value::Boolean(boolean) => arguments.add(*boolean),
        Value::Date(date) => arguments.add(Day(*date)),
        Value::Instant(instant) => arguments.add(PgTimestamp(*instant)),
        Value::Texts(items) => arguments.add(items.iter().map(|item| visible(item)).collect::<Vec<_>>()),
        Value::Json(text) => arguments.add(Jsonb(jsonb(text))),
        Value::Document(text) => arguments.add(Json(text)),
        Value::Numbers(numbers) => {
            arguments.add(numbers.iter().map(|number| i64::from(number.get())).collect::<Vec<_>>())
        }
    };
    added.map_err(|error| Fault::Sql(sqlx::Error::Encode(error)))
}

/// Adds the values of a column as one array. Lists go as texts, which [`unnested`] turns back: an array of arrays would be
/// flattened.
pub(super) fn push_column<'v>(
    arguments: &mut PgArguments,
    (column, kind): (&str, Type),
    values: impl Iterator<Item = &'v Value<'v>>,
) -> Result<(), Fault> {
    /// The values of one kind; a value of another kind is one that no mapper makes.
    macro_rules! array {
        ($($pattern:pat => $value:expr),+ $(,)?) => {
            arguments.add(
                values
                    .map(|value| match value {
                        Value::Null => Ok(None),
                        $($pattern => Ok(Some($value)),)+
                        _ => Err(Fault::Refused(format!("a value for column {column} is of another type"))),
                    })
                    .collect::<Result<Vec<_>, Fault>>()?,
            )
        };
    }
    let added = match kind {
        Type::Text => array!(Value::Text(text) => visible(text), Value::Json(text) => visible(text)),
        Type::Integer => array!(Value::Integer(integer) => *integer),
        Type::Decimal => array! {
            Value::Decimal(decimal) => *decimal,
            Value::Integer(integer) => Decimal::from(*integer),
        },
        Type::Real => array!(Value::Real(real) => *real),
        Type::Boolean => array!(Value::Boolean(boolean) => *boolean),
        Type::Date => array!(Value::Date(date) => Day(*date)),
        Type::Instant => array!(Value::Instant(instant) => PgTimestamp(*instant)),
        Type::Texts => array!(Value::Texts(items) => literal(items)),
        Type::Json => array!(Value::Json(text) => Jsonb(jsonb(text))),
        Type::Document => array!(Value::Document(text) => Json(text)),
    };
    added.map_err(|error| Fault::Sql(sqlx::Error::Encode(error)))
}

/// The type of the elements of the array that [`push_column`] makes of a column.
pub(super) fn element(kind: Type) -> &'static str {
    if kind == Type::Texts { declared(Type::Text) } else { declared(kind) }
}

/// Writes the expression that reads a column written by [`push_column`].
pub(super) fn unnested(name: &str, kind: Type) -> String {
    if kind == Type::Texts { format!("{name}::text[]") } else { name.to_owned() }
}

/// A list as PostgreSQL writes it: `{"a","b"}`.
fn literal(items: &[String]) -> String {
    let mut text = String::from("{");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        for c in visible(item).chars() {
            if matches!(c, '"' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push('"');
    }
    text.push('}');
    text
}

/// A JSON text that `jsonb` takes: without `\u0000`; what is not JSON that it knows becomes a JSON string.
fn jsonb(text: &str) -> Cow<'_, str> {
    let visible = match text.contains("\\u0000") {
        true => Cow::Owned(without_nul(text)),
        false => Cow::Borrowed(text),
    };
    // Reading it whole also finds what `jsonb` refuses in well-formed JSON: halves of characters, numbers without end.
    match serde_json::from_str::<serde_json::Value>(&visible) {
        Ok(_) => visible,
        Err(_) => Cow::Owned(serde_json::Value::from(self::visible(&visible)).to_string()),
    }
}

/// The text with each escape of U+0000 as one of U+FFFD. A backslash before it may be escaped itself.
fn without_nul(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        rest = match escape.strip_prefix("\\u0000") {
            Some(after) => {
                out.push_str("\\ufffd");
                after
            }
            None => {
                let end = escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end);
                out.push_str(&escape[..end]);
                &escape[end..]
            }
        };
    }
    out.push_str(rest);
    out
}

/// A type of PostgreSQL and that of its arrays, by their numbers, which are the same on every server.
macro_rules! typed {
    ($name:ty, $oid:literal, $array:literal) => {
        impl sqlx::Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                PgTypeInfo::with_oid(Oid($oid))
            }

            fn compatible(other: &PgTypeInfo) -> bool {
                other.oid() == Some(Oid($oid))
            }
        }

        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo {
                PgTypeInfo::with_oid(Oid($array))
            }
        }
    };
}

/// NULL, of the type that the statement expects there.
struct Untyped;

impl sqlx::Type<Postgres> for Untyped {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Untyped {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

/// The first microsecond of 2000, from which PostgreSQL counts.
const EPOCH: i64 = 946_684_800_000_000;

/// The first instant that PostgreSQL can tell: what is earlier is `-infinity`.
const FIRST: i64 = -211_813_488_000_000_000;

/// The same, in days.
const FIRST_DAY: i64 = -2_451_545;

/// A `timestamptz`.
pub(super) struct PgTimestamp(pub Timestamp);

typed!(PgTimestamp, 1184, 1185);

impl Encode<'_, Postgres> for PgTimestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let since = self.0.as_microsecond() - EPOCH;
        Encode::<Postgres>::encode(if since < FIRST { i64::MIN } else { since }, buffer)
    }
}

impl Decode<'_, Postgres> for PgTimestamp {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let since = <i64 as Decode<Postgres>>::decode(value)?;
        let since = since.checked_add(EPOCH).ok_or("an infinite instant")?;
        Ok(Self(Timestamp::from_microsecond(since)?))
    }
}

/// A `date`.
struct Day(Date);

typed!(Day, 1082, 1182);

impl Encode<'_, Postgres> for Day {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let since: SignedDuration = date(2000, 1, 1).duration_until(self.0);
        let days = since.as_hours() / 24;
        let days = if days < FIRST_DAY { i32::MIN } else { i32::try_from(days)? };
        Encode::<Postgres>::encode(days, buffer)
    }
}

/// A `json`.
struct Json<'a>(&'a str);

typed!(Json<'_>, 114, 199);

impl Encode<'_, Postgres> for Json<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

/// A `jsonb`, which begins with the version of its form.
struct Jsonb<'a>(Cow<'a, str>);

typed!(Jsonb<'_>, 3802, 3807);

impl Encode<'_, Postgres> for Jsonb<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.push(1);
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_written_so_that_every_item_comes_back() {
        let items = ["a", "", "l'\"été\"", "c:\\temp", "{x,y}", "NULL", "a\0b"].map(str::to_owned);
        assert_eq!(literal(&[]), "{}");
        assert_eq!(literal(&items), "{\"a\",\"\",\"l'\\\"été\\\"\",\"c:\\\\temp\",\"{x,y}\",\"NULL\",\"a\u{fffd}b\"}");
    }

    #[test]
    fn json_that_jsonb_would_refuse_is_kept_all_the_same() {
        for (text, expected) in [
            (r#"{"a":"b"}"#, r#"{"a":"b"}"#),
            (r#"{"a\u0000":"\u0000"}"#, r#"{"a\ufffd":"\ufffd"}"#),
            (r#"["\\u0000"]"#, r#"["\\u0000"]"#),
            (r#"["\\\u0000é\""]"#, r#"["\\\ufffdé\""]"#),
            (r#"["\ud800"]"#, r#""[\"\\ud800\"]""#),
            ("1e999999", r#""1e999999""#),
            ("not json", r#""not json""#),
            ("a\0b", "\"a\u{fffd}b\""),
            ("", r#""""#),
        ] {
            assert_eq!(jsonb(text), expected, "{text}");
        }
    }
}
