//! Declares the keys of the configuration file.
//!
//! Each key is declared once, by the code that fills its field: its name, its kind, its default or an example, and its help. A section is a
//! function that makes its declarations. Called with a table of a file it reads the table; called without one it gives the defaults and the list
//! of its keys. Unknown keys, the key that was meant, the types in messages and `config/example.toml` follow from that list.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::alerts::Alerts;
use super::document::{Config, DemarcheEntry, InstanceEntry};
use super::kinds::{Refused, ValueKind, text};
use super::origin::{Setting, SettingOrigin};
use super::privacy::PolicyEntry;
use super::reader::{Source, Table};
use super::retention::{RetentionSettings, declare_terms};
use super::run::{RunSettings, ServiceSettings};
use super::sync::SyncSettings;
use super::target::TargetEntry;
use super::values::{self, InvalidValue, SecretSource};

/// A key, as it is declared.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// Text of the example about it; empty for tables and for one of two ways to name a secret.
    pub(super) help: &'static str,
    /// Its default, else an example, as TOML; `None` for a table.
    pub(super) value: Option<String>,
    /// True if it is the other one of two ways to name a secret, which do not go together.
    pub(super) alternative: bool,
}

/// A section of the file and its keys.
pub(super) struct Section {
    /// Its name in messages; `*` stands for a name that the operator chooses.
    pub(super) name: &'static str,
    pub(super) keys: Vec<Key>,
}

/// Lists every section.
pub(super) fn sections() -> Vec<Section> {
    fn section<T>(name: &'static str, declare: impl FnOnce(&mut Keys<'_, 'static>) -> T) -> Section {
        Section { name, keys: unsaid(declare).1 }
    }
    vec![
        section("the top of the file", Config::declare),
        section("[instances.*]", InstanceEntry::declare),
        section("[targets.*]", TargetEntry::declare),
        section("[privacy.*]", PolicyEntry::declare),
        section("[sync]", SyncSettings::declare),
        section("[sync.retention]", RetentionSettings::declare),
        section("[sync.retention] deleted and finished", declare_terms),
        section("[run]", |keys| (RunSettings::declare(keys), ServiceSettings::declare(keys))),
        section("[run.alerts]", Alerts::declare),
        section("[[demarches]]", |keys| DemarcheEntry::declare(keys, &Config::default(), &[], (None, None))),
    ]
}

/// Makes the declarations of a section without a table: gives the defaults, and the list of keys.
pub(super) fn unsaid<T>(declare: impl FnOnce(&mut Keys<'_, 'static>) -> T) -> (T, Vec<Key>) {
    let mut source = Source::new(Path::new(""), "");
    let mut keys = Keys { source: &mut source, layers: Vec::new(), declared: Vec::new() };
    let value = declare(&mut keys);
    (value, keys.declared)
}

/// A table that values are taken from.
#[derive(Clone)]
struct Layer<'d> {
    table: Table<'d>,
    /// True for the values that hold where the section itself is silent. What is wrong with them is reported where they stand.
    shared: bool,
}

/// The keys of one section, while they are declared and read.
pub(super) struct Keys<'k, 'd> {
    source: &'k mut Source,
    /// The section itself, unless the file lacks it; then the tables behind it.
    layers: Vec<Layer<'d>>,
    declared: Vec<Key>,
}

impl<'k, 'd> Keys<'k, 'd> {
    /// Reads a whole file.
    pub(super) fn read<T>(source: &'k mut Source, root: Table<'d>, declare: impl FnOnce(&mut Self) -> T) -> T {
        let mut keys = Self { source, layers: vec![Layer { table: root, shared: false }], declared: Vec::new() };
        let value = declare(&mut keys);
        keys.refuse_unknown();
        value
    }

    /// Declares a key with a default.
    pub(super) fn default<T>(
        &mut self,
        name: &'static str,
        kind: ValueKind<'_, T>,
        default: &str,
        help: &'static str,
    ) -> Setting<T> {
        let said = self.declare_and_read(name, &kind, default, help);
        said.unwrap_or_else(|| Setting::default(kind.declared(name, default)))
    }

    /// Declares a key without a default.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        kind: ValueKind<'_, T>,
        example: &str,
        help: &'static str,
    ) -> Option<Setting<T>> {
        self.declare_and_read(name, &kind, example, help)
    }

    /// Declares a key that must be there. A message calls it `what`.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        kind: ValueKind<'_, T>,
        example: &str,
        what: &str,
        help: &'static str,
    ) -> Option<Setting<T>> {
        let said = self.declare_and_read(name, &kind, example, help);
        if let (None, Some(table)) = (&said, self.own())
            && !table.has(name)
        {
            let hint = hint(name, &kind, example);
            self.refuse_missing(name, InvalidValue::new(format!("{what} is missing")).hint(hint));
        }
        said
    }

    /// Declares the two keys of a secret: its variable, or its file.
    pub(super) fn secret(
        &mut self,
        (variable_key, variable, variable_help): (&'static str, &str, &'static str),
        (file_key, path, file_help): (&'static str, &str, &'static str),
    ) -> Option<Setting<SecretSource>> {
        let name = text().then(|name| match values::is_variable_name(&name) {
            true => Ok(SecretSource::Variable(name)),
            // Whatever was written there may be the secret itself: it is not repeated.
            false => Err(InvalidValue::new("the name of an environment variable is expected, in capitals")
                .hint("the secret itself is never written in this file")),
        });
        let variable = self.optional(variable_key, name, variable, variable_help);
        let file = self.path().then(|path| Ok(SecretSource::File(path)));
        let path = self.optional(file_key, file, path, file_help);
        if let Some(declared) = self.declared.last_mut() {
            declared.alternative = true;
        }
        if self.has(variable_key) && self.has(file_key) {
            let error = InvalidValue::new(format!("`{variable_key}` is given as well")).hint("keep one of the two");
            self.refuse(file_key, error);
        }
        variable.or(path)
    }

    /// The kind of paths, which start from the folder of the file.
    pub(super) fn path(&self) -> ValueKind<'static, PathBuf> {
        let file = self.source.path().to_owned();
        text().then(move |path| match path.is_empty() {
            true => Err(InvalidValue::new("the path is empty")),
            false => Ok(values::beside(&file, &path)),
        })
    }

    /// Declares a table with keys of its own. Values that it does not say are those of the same table behind.
    pub(super) fn table<T>(&mut self, name: &'static str, declare: impl FnOnce(&mut Keys<'_, 'd>) -> T) -> T {
        let layers = self.layers_of(name);
        self.inside(layers, declare)
    }

    /// Declares a table that is one value: what it does not say is not said by the table behind.
    pub(super) fn whole_table<T>(&mut self, name: &'static str, declare: impl FnOnce(&mut Keys<'_, 'd>) -> T) -> T {
        let layers = self.layers_of(name).into_iter().take(1).collect();
        self.inside(layers, declare)
    }

    /// Declares a table whose keys the operator chooses, and gives it.
    pub(super) fn free_table(&mut self, name: &'static str) -> Option<Table<'d>> {
        self.layers_of(name).into_iter().next().map(|layer| layer.table)
    }

    /// Declares tables whose names the operator chooses.
    pub(super) fn named<T>(
        &mut self,
        name: &'static str,
        declare: impl Fn(&mut Keys<'_, 'd>) -> T,
    ) -> BTreeMap<String, T> {
        let mut found = BTreeMap::new();
        let Some(tables) = self.free_table(name) else { return found };
        for (short, offset, value) in tables.entries() {
            let path = tables.key(short);
            let DeValue::Table(table) = value.get_ref() else {
                let error = InvalidValue::new("a table is expected").hint(format!("write `[{name}.NAME]`"));
                self.source.report(offset, path, error);
                continue;
            };
            if !values::is_short_name(short) {
                let error = InvalidValue::new("a name is made of at most 24 small letters, digits and hyphens")
                    .hint("it begins with a letter");
                self.source.report(offset, path.clone(), error);
            }
            let layer = Layer { table: Table::new(table, offset, path), shared: false };
            found.insert(short.to_owned(), self.inside(vec![layer], &declare));
        }
        found
    }

    /// Declares an array of tables.
    pub(super) fn tables(&mut self, name: &'static str, mut declare: impl FnMut(&mut Keys<'_, 'd>)) {
        self.declared.push(Key { name, help: "", value: None, alternative: false });
        let Some((table, value)) = self.own().and_then(|table| Some((table.clone(), table.get(name)?))) else { return };
        let DeValue::Array(array) = value.get_ref() else {
            let hint = || format!("write `[[{name}]]`");
            let error = Refused::another("an array of tables", value.get_ref()).explained(hint);
            return self.refuse(name, error);
        };
        for (index, item) in array.iter().enumerate() {
            let DeValue::Table(inner) = item.get_ref() else {
                let error = Refused::another("a table", item.get_ref()).explained(|| format!("write `[[{name}]]`"));
                self.source.report(item.span().start, table.key(name), error);
                continue;
            };
            let path = format!("{}[{index}]", table.key(name));
            let layer = Layer { table: Table::new(inner, item.span().start, path), shared: false };
            self.inside(vec![layer], &mut declare);
        }
    }

    /// Makes declarations whose values are those of another table where this one does not say them.
    pub(super) fn behind<T>(&mut self, shared: Option<&Table<'d>>, declare: impl FnOnce(&mut Self) -> T) -> T {
        let count = self.layers.len();
        self.layers.extend(shared.map(|table| Layer { table: table.clone(), shared: true }));
        let value = declare(self);
        self.layers.truncate(count);
        value
    }

    /// Gives a table without declaring it.
    pub(super) fn peek(&self, name: &str) -> Option<Table<'d>> {
        let table = self.own()?;
        let value = table.get(name)?;
        match value.get_ref() {
            DeValue::Table(inner) => Some(Table::new(inner, value.span().start, table.key(name))),
            _ => None,
        }
    }

    /// True if the section itself has the key.
    pub(super) fn has(&self, name: &str) -> bool {
        self.own().is_some_and(|table| table.has(name))
    }

    /// Where the table comes from that was read.
    pub(super) fn origin(&self) -> SettingOrigin {
        self.layers.first().map_or(SettingOrigin::Default, |layer| self.source.origin(layer.table.offset))
    }

    /// Reports what is wrong with the value of a key.
    pub(super) fn refuse(&mut self, name: &str, error: InvalidValue) {
        if let Some(table) = self.own().cloned() {
            self.source.report(table.offset_of(name), table.key(name), error);
        }
    }

    /// Reports a key that the section lacks.
    pub(super) fn refuse_missing(&mut self, name: &str, error: InvalidValue) {
        if let Some(table) = self.own().cloned() {
            self.source.report(table.offset, table.key(name), error);
        }
    }

    /// Reports what is wrong with the section itself.
    pub(super) fn refuse_table(&mut self, error: InvalidValue) {
        if let Some(table) = self.own().cloned() {
            self.source.report(table.offset, table.path(), error);
        }
    }

    /// Reports what is wrong at a place of the file.
    pub(super) fn refuse_at(&mut self, offset: usize, path: String, error: InvalidValue) {
        self.source.report(offset, path, error);
    }

    /// Declares the keys that only tables of another type have. If this one has such a key, it is refused with `refusal`.
    pub(super) fn belongs_elsewhere(&mut self, keys: Vec<Key>, refusal: impl Fn(&str) -> Option<InvalidValue>) {
        for key in &keys {
            if let Some(error) = refusal(key.name)
                && self.has(key.name)
                && !self.declares(key.name)
            {
                self.refuse(key.name, error);
            }
        }
        for key in keys {
            if !self.declares(key.name) {
                self.declared.push(key);
            }
        }
    }

    fn own(&self) -> Option<&Table<'d>> {
        self.layers.first().filter(|layer| !layer.shared).map(|layer| &layer.table)
    }

    fn declares(&self, name: &str) -> bool {
        self.declared.iter().any(|key| key.name == name)
    }

    fn declare_and_read<T>(
        &mut self,
        name: &'static str,
        kind: &ValueKind<'_, T>,
        value: &str,
        help: &'static str,
    ) -> Option<Setting<T>> {
        self.declared.push(Key { name, help, value: Some(kind.written(value)), alternative: false });
        for Layer { table, shared } in &self.layers {
            let Some(said) = table.get(name) else { continue };
            match kind.read(said.get_ref()) {
                Ok(read) => return Some(Setting { value: read, origin: self.source.origin(said.span().start) }),
                Err(refused) if !shared => {
                    let error = refused.explained(|| hint(name, kind, value));
                    self.source.report(said.span().start, table.key(name), error);
                }
                Err(_) => {}
            }
        }
        None
    }

    /// Declares a table, and finds it in each layer.
    fn layers_of(&mut self, name: &'static str) -> Vec<Layer<'d>> {
        self.declared.push(Key { name, help: "", value: None, alternative: false });
        let mut found = Vec::new();
        for Layer { table, shared } in &self.layers {
            let Some(value) = table.get(name) else { continue };
            match value.get_ref() {
                DeValue::Table(inner) => {
                    let table = Table::new(inner, value.span().start, table.key(name));
                    found.push(Layer { table, shared: *shared });
                }
                other if !shared => {
                    let error =
                        Refused::another("a table", other).explained(|| format!("write `[{}]`", table.key(name)));
                    self.source.report(value.span().start, table.key(name), error);
                }
                _ => {}
            }
        }
        found
    }

    fn inside<T>(&mut self, layers: Vec<Layer<'d>>, declare: impl FnOnce(&mut Keys<'_, 'd>) -> T) -> T {
        let mut keys = Keys { source: self.source, layers, declared: Vec::new() };
        let value = declare(&mut keys);
        keys.refuse_unknown();
        value
    }

    /// Reports every key of the section that was not declared.
    fn refuse_unknown(&mut self) {
        let Some(table) = self.own().cloned() else { return };
        for (key, offset, _) in table.entries() {
            if !self.declares(key) {
                let error = self.unknown(key);
                self.source.report(offset, table.key(key), error);
            }
        }
    }

    fn unknown(&self, key: &str) -> InvalidValue {
        let known = || self.declared.iter().map(|key| key.name);
        if ["token", "password", "secret", "key"].contains(&key.to_lowercase().as_str()) {
            let own = format!("{}-env", key.to_lowercase());
            let variable = known().find(|name| *name == own).or_else(|| known().find(|name| name.ends_with("-env")));
            let variable = variable.unwrap_or("token-env");
            let file = variable.replace("-env", "-file");
            return InvalidValue::new("a secret is never written in this file")
                .hint(format!("name its variable with `{variable}`, or its file with `{file}`"));
        }
        let error = InvalidValue::new("unknown key");
        let elsewhere = sections().into_iter().find(|other| other.keys.iter().any(|declared| declared.name == key));
        match (elsewhere, nearest(key, known())) {
            (Some(other), _) if other.name.starts_with('[') => error.hint(format!("it belongs in {}", other.name)),
            (Some(other), _) => error.hint(format!("it belongs at {}", other.name)),
            (None, Some(near)) => error.hint(format!("did you mean `{near}`?")),
            (None, None) => error.hint(format!("known here: {}", known().collect::<Vec<_>>().join(", "))),
        }
    }
}

/// Says how the value of a key is written.
fn hint<'a, T: 'a>(name: &str, kind: &ValueKind<'a, T>, example: &str) -> String {
    kind.hint.clone().unwrap_or_else(|| format!("such as `{name} = {}`", kind.written(example)))
}

/// Of these names the one that was probably meant.
#[must_use]
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase().replace('_', "-");
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        let instance = unsaid(InstanceEntry::declare).1;
        for (wanted, expected) in [
            ("token_env", Some("token-env")),
            ("tokenenv", Some("token-env")),
            ("page-sise", Some("page-size")),
            ("Platform", Some("platform")),
            ("zzz", None),
        ] {
            assert_eq!(nearest(wanted, instance.iter().map(|key| key.name)), expected, "{wanted}");
        }
    }

    #[test]
    fn no_section_declares_a_key_twice_and_each_key_has_a_help() {
        for section in sections() {
            for (index, key) in section.keys.iter().enumerate() {
                let twin = section.keys[..index].iter().any(|other| other.name == key.name);
                assert!(!twin, "{}: `{}` is declared twice", section.name, key.name);
                let silent = key.value.is_some() && key.help.is_empty();
                assert!(!silent, "{}: `{}` has no help", section.name, key.name);
            }
        }
    }
}
