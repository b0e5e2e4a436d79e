//! Reads JSON that somebody wrote by hand or by program, and accepts what has one meaning only.
//!
//! `serde_json` keeps the last of two equal keys and rounds a number that no float holds. Where the text ends up before a
//! person, both are refused.

use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// The depth to which values may be nested. A decision needs four levels.
const DEEPEST: usize = 32;

/// Reason why a text is refused. It quotes keys and no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotStrict {
    /// The line, from 1.
    pub line: usize,
    /// The reason.
    pub reason: String,
}

/// Reads one value.
pub(crate) fn value(text: &str) -> Result<Value, NotStrict> {
    let reader = Reader { text };
    reader.value(reader.whole()?, 0)
}

/// An object, with the line on which it begins.
#[cfg(feature = "cli")]
pub(crate) type Placed = (usize, Map<String, Value>);

/// Reads a list of objects.
#[cfg(feature = "cli")]
pub(crate) fn objects(text: &str) -> Result<Vec<Placed>, NotStrict> {
    let reader = Reader { text };
    let expected = |raw| reader.wrong(raw, "a list of objects is expected");
    let list = reader.whole()?;
    if !list.get().starts_with('[') {
        return Err(expected(list));
    }
    let (mut at, mut line) = (0, 1);
    let mut object = |item| {
        let offset = reader.offset(item);
        line += lines(&text.as_bytes()[at..offset]);
        at = offset;
        match reader.value(item, 1)? {
            Value::Object(object) => Ok((line, object)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(expected(item)),
        }
    };
    let items: Vec<&RawValue> = reader.parse(list)?;
    items.into_iter().map(&mut object).collect()
}

/// A text whose pieces are read one level at a time, so that keys and numbers are seen as they were written.
struct Reader<'t> {
    text: &'t str,
}

impl<'t> Reader<'t> {
    fn whole(&self) -> Result<&'t RawValue, NotStrict> {
        serde_json::from_str(self.text).map_err(|error| NotStrict { line: error.line().max(1), reason: words(&error) })
    }

    /// Reads one level of a piece.
    fn parse<T: serde::Deserialize<'t>>(&self, raw: &'t RawValue) -> Result<T, NotStrict> {
        let wrong = |error: serde_json::Error| NotStrict {
            line: self.line(raw) + error.line().max(1) - 1,
            reason: words(&error),
        };
        serde_json::from_str(raw.get()).map_err(wrong)
    }

    fn value(&self, raw: &'t RawValue, depth: usize) -> Result<Value, NotStrict> {
        if depth > DEEPEST {
            return Err(self.wrong(raw, "it is nested too deeply"));
        }
        match raw.get().as_bytes().first() {
            Some(b'{') => {
                let Members(members) = self.parse(raw)?;
                let mut object = Map::new();
                for (key, member) in members {
                    let value = self.value(member, depth + 1)?;
                    if object.insert(key.clone(), value).is_some() {
                        return Err(self.wrong(member, &format!("the key `{key}` is there twice")));
                    }
                }
                Ok(Value::Object(object))
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = self.parse(raw)?;
                items.into_iter().map(|item| self.value(item, depth + 1)).collect::<Result<_, _>>().map(Value::Array)
            }
            Some(b'"') => {
                let text: String = self.parse(raw)?;
                if text.contains('\0') {
                    return Err(self.wrong(raw, "a text holds a NUL character"));
                }
                Ok(Value::String(text))
            }
            Some(b'-' | b'0'..=b'9') => {
                let number: Number = self.parse(raw)?;
                if number.is_f64() && !is_exact(raw.get(), &number) {
                    let reason = "a number has more digits than a program keeps: write it between quotation marks";
                    return Err(self.wrong(raw, reason));
                }
                Ok(Value::Number(number))
            }
            _ => self.parse(raw),
        }
    }

    /// Finds where a piece begins. Pieces are slices of the text.
    fn offset(&self, raw: &RawValue) -> usize {
        (raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(self.text.len())
    }

    /// The line on which a piece begins.
    fn line(&self, raw: &RawValue) -> usize {
        1 + lines(&self.text.as_bytes()[..self.offset(raw)])
    }

    fn wrong(&self, raw: &RawValue, reason: &str) -> NotStrict {
        NotStrict { line: self.line(raw), reason: reason.to_owned() }
    }
}

fn lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// Returns true if a float carries the number that was written, to the last digit.
fn is_exact(written: &str, number: &Number) -> bool {
    let decimal = |text: &str| {
        let plain = Decimal::from_str_exact(text);
        plain.or_else(|_| Decimal::from_scientific(text)).ok().map(|decimal| decimal.normalize())
    };
    // `from_scientific` rounds what has too many digits.
    let digits = written.bytes().take_while(|byte| !matches!(byte, b'e' | b'E')).filter(u8::is_ascii_digit).count();
    digits <= 28 && decimal(written).is_some_and(|written| decimal(&number.to_string()) == Some(written))
}

/// A message of `serde_json` without its own idea of the place.
fn words(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.split(" at line ").next().unwrap_or_default().to_owned()
}

/// The members of an object in their order, equal keys kept.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'t> serde::Deserialize<'t> for Members<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'t> Visitor<'t> for Visit {
            type Value = Members<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn refused(text: &str) -> (usize, String) {
        let error = value(text).expect_err(text);
        (error.line, error.reason)
    }

    #[test]
    fn what_has_one_meaning_is_read_as_serde_reads_it() {
        for text in [
            "null",
            " true ",
            "-12",
            "0.1",
            "1e3",
            "12.50",
            "18446744073709551615",
            r#""é \u00e9 \n""#,
            "[]",
            r#"{"a": {"a": [1, "x", null]}, "b": false}"#,
        ] {
            assert_eq!(value(text).ok(), serde_json::from_str(text).ok(), "{text}");
        }
    }

    #[test]
    fn what_has_two_meanings_is_refused_with_its_line() {
        assert_eq!(refused("{\n\"a\": 1,\n\"a\": 1}"), (3, "the key `a` is there twice".to_owned()));
        assert_eq!(refused("{\"x\": [\n{\"\\u0061\": 1, \"a\": 2}]}").0, 2, "an escape is no other key");
        for number in ["12345678901234567.89", "18446744073709551616", "0.12345678901234567890123456789012345", "1e400"]
        {
            let (line, _) = refused(&format!("[1,\n{number}]"));
            assert_eq!(line, 2, "{number}");
        }
        assert_eq!(refused("\"a\\u0000b\"").1, "a text holds a NUL character");
        assert_eq!(refused(&format!("{}{}", "[".repeat(5000), "]".repeat(5000))).1, "it is nested too deeply");
        for (text, line) in [("{} x", 1), ("[1,\n2", 2), ("", 1), ("{\"a\": 1,}", 1), ("NaN", 1), ("\"\\ud800\"", 1)] {
            assert_eq!(refused(text).0, line, "{text}");
        }
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_list_of_objects_tells_where_each_begins() {
        let found = objects("[\n  {\"a\": 1},\n\n  {\"b\": \"x\"}]").expect("it is right");
        let lines: Vec<_> = found.iter().map(|(line, object)| (*line, Value::Object(object.clone()))).collect();
        assert_eq!(lines, [(2, json!({ "a": 1 })), (4, json!({ "b": "x" }))]);
        for (text, line) in [("{}", 1), ("[\n1]", 2), ("[{}]\n[{}]", 2)] {
            assert_eq!(objects(text).expect_err(text).line, line, "{text}");
        }
    }

    /// JSON of any shape, small.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[^\0]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(".{0,3}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_survives(any in values()) {
            prop_assert_eq!(value(&any.to_string()), Ok(any));
        }

        /// Whatever is accepted is what `serde_json` reads.
        #[test]
        fn nothing_is_read_otherwise(text in "[\\[\\]{}:,\"a1.e \n-]{0,30}") {
            if let Ok(read) = value(&text) {
                prop_assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(read));
            }
        }
    }
}
