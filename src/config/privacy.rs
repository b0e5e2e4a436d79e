//! Which privacy policy a file describes. What a policy does is the business of [`crate::privacy`].

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::document::{secret, unknown_name};
use super::keys;
use super::origin::Setting;
use super::reader::{self, Source, Table};
use super::values::{InvalidValue, SecretSource};
use crate::demarche::TypeDeChamp;
use crate::ids::DescriptorId;
use crate::privacy::{DossierPart, Policy, Preset, Treatment};

/// The presets with their names.
const PRESETS: [(&str, Preset); 3] =
    [("default", Preset::Default), ("strict", Preset::Strict), ("integral", Preset::Integral)];

const TREATMENTS: [Treatment; 4] = [Treatment::Include, Treatment::Pseudonymise, Treatment::Mask, Treatment::Exclude];

/// The presets that a démarche may name instead of a policy of the file; the first one is the default.
pub(super) fn presets() -> [&'static str; 3] {
    PRESETS.map(|(name, _)| name)
}

/// Holds the keys of a privacy policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyEntry {
    /// The policy.
    pub policy: Policy,
    /// Where the key of pseudonyms is.
    pub key: Option<Setting<SecretSource>>,
}

impl PolicyEntry {
    pub(super) fn read(table: Table<'_, '_>, source: &mut Source<'_>) -> Self {
        table.refuse_unknown(source, keys::POLICY);
        let preset = table.read(source, "preset", |value| {
            let name = reader::text(value)?;
            preset(&name).ok_or_else(|| unknown_name("preset", &name, presets()))
        });
        // A kind may be newer than this version: any name that the platform could give one is taken, and told later.
        let kinds = rules(table, source, "kinds", |kind| {
            let alone = Policy { kinds: [(kind.to_owned(), Treatment::Exclude)].into(), ..Policy::default() };
            match alone.problems().is_empty() {
                true => Ok(kind.to_owned()),
                false => {
                    let parts = DossierPart::ALL.into_iter().map(DossierPart::as_str);
                    let known = TypeDeChamp::KNOWN.iter().map(TypeDeChamp::as_str).chain(parts);
                    Err(unknown_name("kind of champ and no part of a dossier", kind, known))
                }
            }
        });
        let descriptors = rules(table, source, "descriptors", |id| Ok(DescriptorId::new(id)));
        let preset = preset.map(|setting| setting.value).unwrap_or_default();
        Self { policy: Policy { preset, kinds, descriptors }, key: secret(table, source, "key-env", "key-file") }
    }
}

fn preset(name: &str) -> Option<Preset> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, preset)| *preset)
}

/// Reads a table of rules: whose name is checked by `name`, and what becomes of it.
fn rules<K: Ord>(
    table: Table<'_, '_>,
    source: &mut Source<'_>,
    key: &str,
    name: impl Fn(&str) -> Result<K, InvalidValue>,
) -> BTreeMap<K, Treatment> {
    let mut found = BTreeMap::new();
    let Some((inner, offset)) = table.table(source, key) else { return found };
    let path = table.key(key);
    let inner = Table::new(inner, offset, &path);
    for (text, offset, value) in inner.entries() {
        match (name(text), treatment(value.get_ref())) {
            (Ok(name), Ok(treatment)) => {
                found.insert(name, treatment);
            }
            (name, treatment) => {
                if let Err(error) = name {
                    source.report(offset, inner.key(text), error);
                }
                if let Err(error) = treatment {
                    source.report(value.span().start, inner.key(text), error);
                }
            }
        }
    }
    found
}

fn treatment(value: &DeValue<'_>) -> Result<Treatment, InvalidValue> {
    let word = reader::text(value)?;
    let known = TREATMENTS.into_iter().find(|treatment| treatment.as_str() == word);
    known.ok_or_else(|| unknown_name("treatment", &word, TREATMENTS.map(Treatment::as_str)))
}

/// The policy that a démarche is filtered with.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyChoice {
    /// Its name: that of a preset, or of a policy of the file.
    pub name: String,
    /// The policy.
    pub policy: Policy,
    /// Where the key of pseudonyms is, when the file says.
    pub key: Option<SecretSource>,
}

impl PolicyChoice {
    /// The policy of this name: one of the file, else a preset.
    pub(super) fn find(policies: &BTreeMap<String, PolicyEntry>, name: &str) -> Option<Self> {
        let (policy, key) = match policies.get(name) {
            Some(entry) => (entry.policy.clone(), entry.key.clone().map(|key| key.value)),
            None => (Policy { preset: preset(name)?, ..Policy::default() }, None),
        };
        Some(Self { name: name.to_owned(), policy, key })
    }
}

impl Default for PolicyChoice {
    /// The default preset.
    fn default() -> Self {
        Self { name: presets()[0].to_owned(), policy: Policy::default(), key: None }
    }
}
