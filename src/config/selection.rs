//! Which dossiers of a démarche a target keeps.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use toml::de::DeValue;

use super::defaults;
use super::keys::Keys;
use super::kinds::{Refused, ValueKind, day, name_of, some, whole};
use super::origin::{Setting, SettingOrigin};
use super::values::InvalidValue;
use crate::privacy::{GroupeName, Selection};

/// The states in which a dossier may be.
const STATES: [&str; 5] = ["en_construction", "en_instruction", "accepte", "refuse", "sans_suite"];

/// Which dossiers a file keeps, each part with its origin; all of them by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelectionSettings {
    /// Those of these groupes.
    pub groupes: Option<Setting<BTreeSet<GroupeName>>>,
    /// Those in these states.
    pub states: Option<Setting<BTreeSet<String>>>,
    /// Those submitted on this day or later, by the clock of Paris.
    pub deposited_since: Option<Setting<Date>>,
}

impl SelectionSettings {
    /// Declares the keys that choose among the dossiers of a démarche.
    pub(super) fn declare(keys: &mut Keys<'_, '_>) -> Self {
        Self {
            groupes: keys.optional(
                "groupes",
                some("groupe", groupe()),
                r#"[1011, "Ain"]"#,
                "Only the dossiers of these groupes, by number, or by name between quotes. A dossier that is outside is not \
                 stored, and one that leaves gets a tombstone (`filtered`).",
            ),
            states: keys.optional(
                "states",
                some("state", name_of("state", STATES.to_vec())),
                r#"["en_instruction", "accepte", "refuse", "sans_suite"]"#,
                "Only those in these states.",
            ),
            deposited_since: keys.optional(
                "deposited-since",
                day(),
                "2025-01-01",
                "Only those submitted on this day or later, by the clock of Paris.",
            ),
        }
    }

    /// The same as the engine wants it.
    #[must_use]
    pub fn selection(&self) -> Selection {
        let paris = TimeZone::get(defaults::TIMEZONE).expect("the zones of the world are part of the program");
        let since = self.deposited_since.as_ref().and_then(|day| day.value.to_zoned(paris).ok());
        Selection {
            groupes: self.groupes.as_ref().map(|setting| setting.value.clone()).unwrap_or_default(),
            states: self.states.as_ref().map(|setting| setting.value.clone()).unwrap_or_default(),
            deposited_since: since.map(|since| since.timestamp()),
        }
    }

    /// Every part in words, with its origin.
    #[must_use]
    pub fn told(&self) -> Vec<(&'static str, String, &SettingOrigin)> {
        fn list<T: ToString>(items: &BTreeSet<T>) -> String {
            items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        let groupes = self.groupes.iter().map(|setting| ("groupes", list(&setting.value), &setting.origin));
        let states = self.states.iter().map(|setting| ("states", list(&setting.value), &setting.origin));
        let since =
            self.deposited_since.iter().map(|setting| ("deposited-since", setting.value.to_string(), &setting.origin));
        groupes.chain(states).chain(since).collect()
    }
}

fn groupe<'a>() -> ValueKind<'a, GroupeName> {
    let number = whole(1, i64::from(u32::MAX));
    ValueKind::new(false, move |value| match value {
        DeValue::Integer(_) => Ok(GroupeName::Number(number.read(value)?)),
        DeValue::String(label) if label.trim().is_empty() => {
            Err(InvalidValue::new("the name of a groupe is empty").into())
        }
        DeValue::String(label) => Ok(GroupeName::Label(label.to_string())),
        other => Err(Refused::another("the number of a groupe, or its name in quotes,", other)),
    })
}
