//! Kinds of values: how the value of a key is written, and how it is read.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::DeValue;

use super::duration::parse_duration;
use super::keys::nearest;
use super::size::parse_size;
use super::values::InvalidValue;

/// A value that is not taken.
pub(super) enum Refused {
    /// Another type is expected.
    Type { expected: &'static str, found: &'static str },
    /// The type is right, the value is not.
    Value(InvalidValue),
}

impl From<InvalidValue> for Refused {
    fn from(error: InvalidValue) -> Self {
        Self::Value(error)
    }
}

impl Refused {
    /// Refuses the type of a value.
    pub(super) fn another(expected: &'static str, value: &DeValue<'_>) -> Self {
        let found = match value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a decimal number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        Self::Type { expected, found }
    }

    /// Says what is wrong; a wrong type shows how the value is written.
    pub(super) fn explained(self, hint: impl FnOnce() -> String) -> InvalidValue {
        match self {
            Self::Type { expected, found } => {
                InvalidValue::new(format!("{expected} is expected, not {found}")).hint(hint())
            }
            Self::Value(error) => error,
        }
    }
}

type Read<'a, T> = Box<dyn Fn(&DeValue<'_>) -> Result<T, Refused> + 'a>;

/// A kind of values.
pub(super) struct ValueKind<'a, T> {
    /// True if values are written in quotes.
    quoted: bool,
    /// Says what may be written, where an example says too little.
    pub(super) hint: Option<String>,
    read: Read<'a, T>,
}

impl<'a, T: 'a> ValueKind<'a, T> {
    pub(super) fn new(quoted: bool, read: impl Fn(&DeValue<'_>) -> Result<T, Refused> + 'a) -> Self {
        Self { quoted, hint: None, read: Box::new(read) }
    }

    /// Reads further what was read.
    pub(super) fn then<U: 'a>(self, further: impl Fn(T) -> Result<U, InvalidValue> + 'a) -> ValueKind<'a, U> {
        let Self { quoted, hint, read } = self;
        ValueKind { quoted, hint, read: Box::new(move |value| Ok(further(read(value)?)?)) }
    }

    /// Says what may be written.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(super) fn read(&self, value: &DeValue<'_>) -> Result<T, Refused> {
        (self.read)(value)
    }

    /// Writes a value of a declaration as TOML: `15m` becomes `"15m"`.
    pub(super) fn written(&self, value: &str) -> String {
        if self.quoted { format!("\"{value}\"") } else { value.to_owned() }
    }

    /// Reads the default of a declaration.
    ///
    /// # Panics
    /// The declared default is not of this kind. A test reads every declaration.
    pub(super) fn declared(&self, name: &str, value: &str) -> T {
        let text = self.written(value);
        let value = DeValue::parse(&text).map_err(|error| error.to_string());
        let read = value.map(Spanned::into_inner).and_then(|value| {
            let refused = |refused: Refused| refused.explained(String::new).message;
            self.read(&value).map_err(refused)
        });
        read.unwrap_or_else(|error| panic!("the default `{name} = {text}`: {error}"))
    }
}

/// A text, which messages call `expected`.
fn quoted<'a>(expected: &'static str) -> ValueKind<'a, String> {
    ValueKind::new(true, move |value| match value {
        DeValue::String(text) => Ok(text.to_string()),
        other => Err(Refused::another(expected, other)),
    })
}

/// A text.
pub(super) fn text<'a>() -> ValueKind<'a, String> {
    quoted("a text in quotes")
}

/// A list of texts.
pub(super) fn texts<'a>() -> ValueKind<'a, Vec<String>> {
    let item = text();
    ValueKind::new(false, move |value| match value {
        DeValue::Array(items) => items.iter().map(|value| item.read(value.get_ref())).collect(),
        other => Err(Refused::another("a list of texts in quotes", other)),
    })
}

/// One value, or a list of some.
pub(super) fn some<'a, T: Ord + 'a>(what: &'static str, item: ValueKind<'a, T>) -> ValueKind<'a, BTreeSet<T>> {
    ValueKind::new(false, move |value| {
        let DeValue::Array(items) = value else { return Ok(BTreeSet::from([item.read(value)?])) };
        if items.is_empty() {
            let error = InvalidValue::new(format!("no {what} is named"));
            return Err(error.hint("leave the key out to keep all dossiers").into());
        }
        items.iter().map(|value| item.read(value.get_ref())).collect()
    })
}

/// True or false.
pub(super) fn boolean<'a>() -> ValueKind<'a, bool> {
    ValueKind::new(false, |value| match value {
        DeValue::Boolean(value) => Ok(*value),
        other => Err(Refused::another("true or false", other)),
    })
}

/// A whole number within bounds.
pub(super) fn whole<'a, T: TryFrom<i64> + 'a>(least: i64, most: i64) -> ValueKind<'a, T> {
    ValueKind::new(false, move |value| {
        let DeValue::Integer(number) = value else { return Err(Refused::another("a whole number", value)) };
        let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
        let within = read.filter(|number| (least..=most).contains(number));
        let error = || InvalidValue::new(format!("{number} is not between {least} and {most}"));
        Ok(within.and_then(|number| T::try_from(number).ok()).ok_or_else(error)?)
    })
}

/// A share: a number from 0 to 1.
pub(super) fn share<'a>() -> ValueKind<'a, f64> {
    ValueKind::new(false, |value| {
        let number = match value {
            DeValue::Integer(number) => number.as_str().parse::<f64>().ok(),
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            other => return Err(Refused::another("a number", other)),
        };
        match number {
            Some(share) if (0.0..=1.0).contains(&share) => Ok(share),
            _ => Err(InvalidValue::new("a share lies between 0 and 1").hint("5 % is written 0.05").into()),
        }
    })
}

/// A duration.
pub(super) fn duration<'a>() -> ValueKind<'a, Duration> {
    quoted("a duration in quotes").then(|text| parse_duration(&text).map_err(unreadable))
}

/// A duration that may be none at all: `0s`.
pub(super) fn duration_or_zero<'a>() -> ValueKind<'a, Duration> {
    quoted("a duration in quotes").then(|text| match text.as_str() {
        "0s" => Ok(Duration::ZERO),
        text => parse_duration(text).map_err(unreadable),
    })
}

/// A size of files, in bytes.
pub(super) fn size<'a>() -> ValueKind<'a, u64> {
    quoted("a size in quotes").then(|text| parse_size(&text).map_err(unreadable))
}

/// A day.
pub(super) fn day<'a>() -> ValueKind<'a, Date> {
    quoted("a day in quotes").then(|text| {
        let error = |_| InvalidValue::new(format!("`{text}` is not a day")).hint("such as \"2027-01-31\"");
        text.parse().map_err(error)
    })
}

/// One of these names.
pub(super) fn name_of<'a>(what: &'static str, known: Vec<&'a str>) -> ValueKind<'a, String> {
    let hint = (!known.is_empty()).then(|| format!("one of: {}", known.join(", ")));
    let kind = text().then(move |name| match known.contains(&name.as_str()) {
        true => Ok(name),
        false => Err(unknown_name(what, &name, known.iter().copied())),
    });
    ValueKind { hint, ..kind }
}

/// Says what is wrong with a text that a parser refused.
pub(super) fn unreadable(error: impl Display) -> InvalidValue {
    InvalidValue::new(error.to_string())
}

/// A name that nothing has, with the one that was probably meant.
pub(super) fn unknown_name<'n>(what: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> InvalidValue {
    let known: Vec<&str> = known.into_iter().collect();
    let error = InvalidValue::new(format!("no {what} is called `{name}`"));
    match nearest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => error,
        None => error.hint(format!("known: {}", known.join(", "))),
    }
}
