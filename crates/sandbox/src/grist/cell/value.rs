//! The value of a cell, and its JSON.

use serde_json::{Number, Value as Json, json};

use super::kind::Kind;

/// The value of a cell, as the engine holds it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::grist) enum Cell {
    Null,
    Bool(bool),
    /// Within 32 bits: larger whole numbers arrive as floats.
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Cell>),
    /// Any other value with a code of its own: `["D", …]`, `["E", …]`, `["O", {…}]`, `["l", …]`.
    Coded(Vec<Json>),
}

/// The key of a cell: 1, 1.0 and true are equal, 1 and "1" are not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::grist) enum Key {
    Null,
    Number(u64),
    Text(String),
    Other(String),
}

impl Cell {
    pub(in crate::grist) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number as it crosses from the web process to the engine: whole numbers of 32 bits stay whole.
    pub(super) fn number(value: f64) -> Self {
        let whole = value.fract() == 0.0 && value.abs() <= f64::from(i32::MAX) + 1.0 && value <= f64::from(i32::MAX);
        if whole && !(value == 0.0 && value.is_sign_negative()) {
            #[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number of 32 bits")]
            return Self::Int(value as i64);
        }
        Self::Float(value)
    }

    pub(in crate::grist) fn from_json(value: &Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => Self::number(number.as_f64().unwrap_or(f64::INFINITY)),
            Json::String(text) => Self::text(text.as_str()),
            Json::Object(_) => Self::Coded(vec![json!("O"), value.clone()]),
            Json::Array(items) => match items.first().and_then(Json::as_str) {
                Some("L") => Self::List(items[1..].iter().map(Self::from_json).collect()),
                Some("O" | "D" | "d" | "R" | "r" | "E" | "P" | "C" | "S" | "U" | "V" | "l") => {
                    Self::Coded(items.clone())
                }
                // A list without a code cannot be decoded: the cell holds the error.
                Some(_) | None => Self::Coded(vec![json!("E"), json!("KeyError")]),
            },
        }
    }

    /// As it is stored: the web process drops one mark of byte order at the head of each text that the engine gives it.
    /// The engine itself looks up what it was given until the document is reloaded; here, as after a reload.
    pub(in crate::grist) fn marked_off(self) -> Self {
        match self {
            Self::Text(text) => match text.strip_prefix('\u{feff}') {
                Some(rest) => Self::text(rest),
                None => Self::Text(text),
            },
            Self::List(items) => Self::List(items.into_iter().map(Self::marked_off).collect()),
            other => other,
        }
    }

    /// Its JSON as the platform's own web process writes it: whole numbers without a fraction, no infinities.
    pub(in crate::grist) fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => json!(value),
            Self::Float(value) => number(*value),
            Self::Text(text) => json!(text),
            Self::List(items) => std::iter::once(json!("L")).chain(items.iter().map(Self::to_json)).collect(),
            Self::Coded(items) => Json::Array(items.clone()),
        }
    }

    /// The message of an error cell.
    pub(in crate::grist) fn error(&self) -> Option<&str> {
        match self {
            Self::Coded(items) if items.first().is_some_and(|code| code == "E") => {
                Some(items.get(1).and_then(Json::as_str).unwrap_or_default())
            }
            _ => None,
        }
    }

    pub(in crate::grist) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            #[expect(clippy::cast_precision_loss, reason = "whole numbers have 32 bits")]
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Encodes it for `cellFormat=typed`: dates, instants and references carry their kind.
    pub(in crate::grist) fn to_typed_json(&self, kind: &Kind) -> Json {
        match (kind, self) {
            (Kind::Date, Self::Int(_) | Self::Float(_)) => json!(["d", self.to_json()]),
            (Kind::DateTime(zone), Self::Int(_) | Self::Float(_)) => json!(["D", self.to_json(), zone]),
            (Kind::Ref(table), Self::Int(row)) => json!(["R", table, row]),
            (Kind::RefList(_) | Kind::Attachments, Self::Null) => json!(["r", kind.target(), []]),
            (Kind::RefList(_) | Kind::Attachments, Self::List(items)) => {
                json!(["r", kind.target(), items.iter().map(Self::to_json).collect::<Vec<_>>()])
            }
            (Kind::ChoiceList, Self::Null) => json!(["L"]),
            _ => self.to_json(),
        }
    }

    pub(in crate::grist) fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    pub(in crate::grist) fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(in crate::grist) fn is_true(&self) -> bool {
        self.as_number().is_some_and(|value| value != 0.0)
    }

    /// Null, false, zero, the empty text or the empty list.
    pub(super) fn is_falsy(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Coded(_) => false,
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => !self.is_true(),
        }
    }

    pub(in crate::grist) fn key(&self) -> Key {
        match self {
            Self::Null => Key::Null,
            Self::Text(text) => Key::Text(text.clone()),
            Self::List(_) | Self::Coded(_) => Key::Other(self.to_json().to_string()),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => {
                let value = self.as_number().unwrap_or_default();
                Key::Number(if value == 0.0 { 0 } else { value.to_bits() })
            }
        }
    }

    /// Equality as the engine sees it when it looks for changes.
    pub(in crate::grist) fn same(&self, other: &Self) -> bool {
        match (self.as_number(), other.as_number()) {
            (Some(left), Some(right)) => left == right,
            _ => self == other,
        }
    }
}

/// A number as JavaScript prints it: the shortest digits that give it back, whole numbers without a fraction.
pub(super) fn number(value: f64) -> Json {
    if value.fract() == 0.0 && value.abs() < 1e21 {
        let digits = value.to_string();
        if let Ok(whole) = digits.parse::<i64>() {
            return json!(whole);
        }
        if let Ok(whole) = digits.parse::<u64>() {
            return json!(whole);
        }
    }
    Number::from_f64(value).map_or(Json::Null, Json::Number)
}
