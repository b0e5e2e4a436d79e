//! Which privacy policy a file describes. What a policy does is the business of [`crate::privacy`].

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::document::{secret, unknown_name};
use super::keys;
use super::origin::Setting;
use super::reader::{self, Source, Table};
use super::values::{InvalidValue, SecretSource};
use crate::demarche::TypeDeChamp;

/// What becomes of a value before it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It is stored as it is.
    Include,
    /// It is not stored.
    Exclude,
    /// It is hidden; that there is one is told.
    Mask,
    /// A keyed digest is stored in its place.
    Pseudonymise,
}

impl Treatment {
    /// Every treatment with the word for it.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("include", Self::Include),
        ("exclude", Self::Exclude),
        ("mask", Self::Mask),
        ("pseudonymise", Self::Pseudonymise),
    ];
}

/// The presets that a démarche may name instead of a policy of the file.
pub(super) fn presets() -> [&'static str; 3] {
    ["default", "strict", "integral"]
}

/// What a file says of a privacy policy: a preset, and what differs from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyEntry {
    /// The preset that it begins with.
    pub preset: Option<Setting<String>>,
    /// Where the key of pseudonyms is.
    pub key: Option<Setting<SecretSource>>,
    /// What becomes of all champs of a kind.
    pub kinds: BTreeMap<String, Setting<Treatment>>,
    /// What becomes of one champ or annotation, by the id of its descriptor.
    pub descriptors: BTreeMap<String, Setting<Treatment>>,
}

impl PolicyEntry {
    pub(super) fn read(table: Table<'_, '_>, source: &mut Source<'_>) -> Self {
        table.refuse_unknown(source, keys::POLICY);
        let preset = table.read(source, "preset", |value| {
            let name = reader::text(value)?;
            if presets().contains(&name.as_str()) { Ok(name) } else { Err(unknown_name("preset", &name, presets())) }
        });
        let kinds = rules(table, source, "kinds", |kind| {
            let known = || TypeDeChamp::KNOWN.iter().map(TypeDeChamp::as_str);
            if known().any(|name| name == kind) { Ok(()) } else { Err(unknown_name("kind of champ", kind, known())) }
        });
        let descriptors = rules(table, source, "descriptors", |_| Ok(()));
        Self { preset, key: secret(table, source, "key-env", "key-file"), kinds, descriptors }
    }
}

fn rules(
    table: Table<'_, '_>,
    source: &mut Source<'_>,
    key: &str,
    check: impl Fn(&str) -> Result<(), InvalidValue>,
) -> BTreeMap<String, Setting<Treatment>> {
    let mut found = BTreeMap::new();
    let Some((inner, offset)) = table.table(source, key) else { return found };
    let path = table.key(key);
    let inner = Table::new(inner, offset, &path);
    for (name, offset, value) in inner.entries() {
        if let Err(error) = check(name) {
            source.report(offset, inner.key(name), error);
        }
        match treatment(value.get_ref()) {
            Ok(treatment) => {
                let origin = source.origin(value.span().start);
                found.insert(name.to_owned(), Setting { value: treatment, origin });
            }
            Err(error) => source.report(value.span().start, inner.key(name), error),
        }
    }
    found
}

fn treatment(value: &DeValue<'_>) -> Result<Treatment, InvalidValue> {
    let word = reader::text(value)?;
    let known = Treatment::WORDS.iter().find(|(name, _)| *name == word);
    known
        .map(|(_, treatment)| *treatment)
        .ok_or_else(|| unknown_name("treatment", &word, Treatment::WORDS.map(|(name, _)| name)))
}

/// The policy that a démarche is filtered with.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyChoice {
    /// A preset, by its name.
    Preset(String),
    /// A policy of the file: its name and what it says.
    Policy(String, PolicyEntry),
}
