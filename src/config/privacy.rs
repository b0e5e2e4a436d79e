//! Which privacy policy a file describes. What a policy does is the business of [`crate::privacy`].

use std::collections::BTreeMap;

use super::defaults;
use super::keys::Keys;
use super::kinds::{ValueKind, text, unknown_name};
use super::origin::Setting;
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
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyEntry {
    /// The policy.
    pub policy: Policy,
    /// Where the key of pseudonyms is.
    pub key: Option<Setting<SecretSource>>,
}

impl PolicyEntry {
    /// Declares `[privacy.*]`.
    pub(super) fn declare(keys: &mut Keys<'_, '_>) -> Self {
        let preset = keys.default(
            "preset",
            text().then(|name| preset(&name).ok_or_else(|| unknown_name("preset", &name, presets()))),
            presets()[0],
            "What the policy begins with.",
        );
        let key = keys.secret(
            (
                "key-env",
                defaults::PRIVACY_KEY_ENV,
                "The environment variable that holds the key of pseudonyms; needed when something is pseudonymised.",
            ),
            ("key-file", "/run/secrets/dn-privacy-key", "Instead of a variable: a file whose first line is the key."),
        );
        // A kind may be newer than this version: any name that the platform could give one is taken, and told later.
        let kinds = rules(keys, "kinds", |kind| {
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
        let descriptors = rules(keys, "descriptors", |id| Ok(DescriptorId::new(id)));
        Self { policy: Policy { preset: preset.value, kinds, descriptors }, key }
    }
}

fn preset(name: &str) -> Option<Preset> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, preset)| *preset)
}

/// Declares a table of rules: whose name is checked by `name`, and what becomes of it.
fn rules<K: Ord>(
    keys: &mut Keys<'_, '_>,
    table: &'static str,
    name: impl Fn(&str) -> Result<K, InvalidValue>,
) -> BTreeMap<K, Treatment> {
    let mut found = BTreeMap::new();
    let Some(table) = keys.free_table(table) else { return found };
    let treatments = treatment();
    for (text, offset, value) in table.entries() {
        let treatment = treatments.read(value.get_ref());
        match (name(text), treatment) {
            (Ok(name), Ok(treatment)) => {
                found.insert(name, treatment);
            }
            (name, treatment) => {
                if let Err(error) = name {
                    keys.refuse_at(offset, table.key(text), error);
                }
                if let Err(refused) = treatment {
                    let error = refused.explained(|| "such as \"mask\"".to_owned());
                    keys.refuse_at(value.span().start, table.key(text), error);
                }
            }
        }
    }
    found
}

fn treatment<'a>() -> ValueKind<'a, Treatment> {
    text().then(|word| {
        let known = TREATMENTS.into_iter().find(|treatment| treatment.as_str() == word);
        known.ok_or_else(|| unknown_name("treatment", &word, TREATMENTS.map(Treatment::as_str)))
    })
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
