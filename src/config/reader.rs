//! Walks a TOML table key by key and collects everything that is wrong, where serde would stop at the first.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Problem};
use super::keys;
use super::origin::{Setting, SettingOrigin};
use super::values::InvalidValue;

/// The text of a file and what was found wrong in it so far.
pub(super) struct Source<'a> {
    path: Arc<PathBuf>,
    text: &'a str,
    problems: Vec<(usize, Problem)>,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &Path, text: &'a str) -> Self {
        Self { path: Arc::new(path.to_owned()), text, problems: Vec::new() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Line and column, from 1, of a byte of the text.
    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    pub(super) fn origin(&self, offset: usize) -> SettingOrigin {
        SettingOrigin::File { path: Arc::clone(&self.path), line: self.position(offset).0 }
    }

    pub(super) fn report(&mut self, offset: usize, key: impl Into<String>, error: InvalidValue) {
        let InvalidValue { message, hint } = error;
        let problem = Problem { at: Some(self.position(offset)), key: key.into(), message, hint };
        self.problems.push((offset, problem));
    }

    /// Everything that is wrong, in the order of the file.
    pub(super) fn finish(mut self) -> Result<(), ConfigError> {
        if self.problems.is_empty() {
            return Ok(());
        }
        self.problems.sort_by_key(|(offset, _)| *offset);
        let problems = self.problems.into_iter().map(|(_, problem)| problem).collect();
        Err(ConfigError { file: Some(self.path.as_ref().clone()), problems })
    }
}

/// One table of the file.
#[derive(Clone, Copy)]
pub(super) struct Table<'t, 'i> {
    table: &'t DeTable<'i>,
    /// Where it begins.
    pub(super) offset: usize,
    path: &'t str,
}

impl<'t, 'i> Table<'t, 'i> {
    pub(super) fn new(table: &'t DeTable<'i>, offset: usize, path: &'t str) -> Self {
        Self { table, offset, path }
    }

    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&'t str, usize, &'t Spanned<DeValue<'i>>)> {
        self.table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span().start, value))
    }

    /// Reports every key that the section does not have.
    pub(super) fn refuse_unknown(&self, source: &mut Source<'_>, section: keys::Section) {
        for (key, offset, _) in self.entries() {
            if section.keys.contains(&key) {
                continue;
            }
            let error = match key.to_lowercase().as_str() {
                "token" | "password" | "secret" | "key" => InvalidValue::new("a secret is never written in this file")
                    .hint(if section == keys::POLICY || section == keys::TARGET {
                        "name its variable with `key-env`, or its file with `key-file`"
                    } else {
                        "name its variable with `token-env`, or its file with `token-file`"
                    }),
                _ => {
                    let error = InvalidValue::new("unknown key");
                    let elsewhere = keys::ALL.iter().find(|other| other.keys.contains(&key));
                    match (elsewhere, keys::nearest(key, section.keys.iter().copied())) {
                        (Some(other), _) => error.hint(format!("it belongs in {}", other.name)),
                        (None, Some(near)) => error.hint(format!("did you mean `{near}`?")),
                        (None, None) => error.hint(format!("known here: {}", section.keys.join(", "))),
                    }
                }
            };
            source.report(offset, self.key(key), error);
        }
    }

    /// Reads a value with a function that says what is wrong with it. `None` when it is absent or wrong.
    pub(super) fn read<T>(
        &self,
        source: &mut Source<'_>,
        key: &'static str,
        read: impl FnOnce(&DeValue<'i>) -> Result<T, InvalidValue>,
    ) -> Option<Setting<T>> {
        let value = self.table.get(key)?;
        match read(value.get_ref()) {
            Ok(read) => Some(Setting { value: read, origin: source.origin(value.span().start) }),
            Err(error) => {
                source.report(value.span().start, self.key(key), error);
                None
            }
        }
    }

    /// Where the value of a key begins, or the table itself.
    pub(super) fn offset_of(&self, key: &str) -> usize {
        self.table.get(key).map_or(self.offset, |value| value.span().start)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'t DeValue<'i>> {
        self.table.get(key).map(Spanned::get_ref)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A table inside this one.
    pub(super) fn table(&self, source: &mut Source<'_>, key: &str) -> Option<(&'t DeTable<'i>, usize)> {
        let value = self.table.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some((table, value.span().start)),
            other => {
                source.report(value.span().start, self.key(key), expected("a table", other));
                None
            }
        }
    }

    /// The tables of an array inside this one.
    pub(super) fn tables(&self, source: &mut Source<'_>, key: &str) -> Vec<(&'t DeTable<'i>, usize)> {
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let DeValue::Array(array) = value.get_ref() else {
            let error = expected("an array of tables", value.get_ref()).hint(format!("write `[[{key}]]`"));
            source.report(value.span().start, self.key(key), error);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in array.iter() {
            match item.get_ref() {
                DeValue::Table(table) => tables.push((table, item.span().start)),
                other => source.report(item.span().start, self.key(key), expected("a table", other)),
            }
        }
        tables
    }
}

fn expected(what: &str, found: &DeValue<'_>) -> InvalidValue {
    let found = match found {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    InvalidValue::new(format!("{what} is expected, not {found}"))
}

/// Reads a text.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, InvalidValue> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        other => Err(expected("a text in quotes", other)),
    }
}

/// Reads a list of texts.
pub(super) fn texts(value: &DeValue<'_>) -> Result<Vec<String>, InvalidValue> {
    match value {
        DeValue::Array(items) => items.iter().map(|item| text(item.get_ref())).collect(),
        other => Err(expected("a list of texts in quotes", other)),
    }
}

/// Reads a size of files.
pub(super) fn size(value: &DeValue<'_>) -> Result<u64, InvalidValue> {
    match value {
        DeValue::String(text) => super::size::parse_size(text).map_err(|error| InvalidValue::new(error.to_string())),
        other => Err(expected("a size in quotes, such as \"10 MB\",", other)),
    }
}

/// Reads true or false.
pub(super) fn boolean(value: &DeValue<'_>) -> Result<bool, InvalidValue> {
    match value {
        DeValue::Boolean(value) => Ok(*value),
        other => Err(expected("true or false", other)),
    }
}

/// Reads a whole number within bounds.
pub(super) fn whole(value: &DeValue<'_>, least: i64, most: i64) -> Result<i64, InvalidValue> {
    let DeValue::Integer(number) = value else { return Err(expected("a whole number", value)) };
    match i64::from_str_radix(number.as_str(), number.radix()) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(InvalidValue::new(format!("{number} is not between {least} and {most}"))),
    }
}

/// Reads a share: a number from 0 to 1.
pub(super) fn share(value: &DeValue<'_>) -> Result<f64, InvalidValue> {
    let number = match value {
        DeValue::Integer(number) => number.as_str().parse::<f64>().ok(),
        DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
        other => return Err(expected("a number", other)),
    };
    match number {
        Some(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(InvalidValue::new("a share lies between 0 and 1").hint("5 % is written 0.05")),
    }
}

/// Reads a duration that may be none at all: `0s`.
pub(super) fn duration_or_zero(value: &DeValue<'_>) -> Result<std::time::Duration, InvalidValue> {
    match value {
        DeValue::String(text) if text == "0s" => Ok(std::time::Duration::ZERO),
        _ => duration(value),
    }
}

/// Reads a duration.
pub(super) fn duration(value: &DeValue<'_>) -> Result<std::time::Duration, InvalidValue> {
    match value {
        DeValue::String(text) => {
            super::duration::parse_duration(text).map_err(|error| InvalidValue::new(error.to_string()))
        }
        other => Err(expected("a duration in quotes, such as \"15m\",", other)),
    }
}
