//! Decodes the platform's scalars.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// An `ISO8601DateTime`: an instant with an offset, or a bare day, which the platform means as midnight in Paris.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct WireInstant(pub Timestamp);

impl WireInstant {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Some(Self(timestamp));
        }
        // Some dates of the platform have no time. It means midnight in Paris, not in UTC (trap 48).
        let day: Date = text.parse().ok()?;
        let paris = TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC);
        Some(Self(day.to_zoned(paris).ok()?.timestamp()))
    }
}

impl<'de> Deserialize<'de> for WireInstant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = WireInstant;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an ISO 8601 instant")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<WireInstant, E> {
                WireInstant::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Other("text"), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A number as text: a `BigInt` comes as a string, a `Float` as a number, and either may come as the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) struct NumberText(pub String);

impl<'de> Deserialize<'de> for NumberText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = NumberText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or its text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<NumberText, E> {
                Ok(NumberText(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<NumberText, E> {
                Ok(NumberText(number.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<NumberText, E> {
                Ok(NumberText(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<NumberText, E> {
                // The shortest text that reads back as the same float: it has no digit that the platform did not send.
                Ok(NumberText(number.to_string()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_come_with_any_offset_or_as_a_bare_day() {
        let rows = [
            ("\"2019-07-10T00:00:00+02:00\"", "2019-07-09T22:00:00Z"),
            ("\"2024-09-02T16:03:16-10:00\"", "2024-09-03T02:03:16Z"),
            ("\"2024-01-01T00:00:00.123456Z\"", "2024-01-01T00:00:00.123456Z"),
            ("\"2024-07-01\"", "2024-06-30T22:00:00Z"),
        ];
        for (json, expected) in rows {
            let instant: WireInstant = serde_json::from_str(json).expect(json);
            assert_eq!(instant.0.to_string(), expected, "{json}");
        }
        let error = serde_json::from_str::<WireInstant>("\"hier\"").expect_err("not an instant").to_string();
        assert!(!error.contains("hier"), "an error never quotes a value: {error}");
    }

    #[test]
    fn numbers_come_as_text_or_as_numbers() {
        for (json, expected) in [("\"3400936534933\"", "3400936534933"), ("-2", "-2"), ("12.345", "12.345"), ("7", "7")]
        {
            assert_eq!(serde_json::from_str::<NumberText>(json).expect(json).0, expected, "{json}");
        }
    }
}
