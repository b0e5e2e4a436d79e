//! Which dossiers of a démarche a target keeps.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use toml::de::DeValue;

use super::defaults;
use super::document::{day, unknown_name};
use super::origin::{Setting, SettingOrigin};
use super::reader::{self, Source, Table};
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
    pub(super) fn read(table: Table<'_, '_>, source: &mut Source<'_>) -> Self {
        Self {
            groupes: table.read(source, "groupes", |value| some("groupe", value, groupe)),
            states: table.read(source, "states", |value| some("state", value, |value| state(&reader::text(value)?))),
            deposited_since: table.read(source, "deposited-since", |value| day(&reader::text(value)?)),
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

/// One value, or a list of some.
fn some<T: Ord>(
    what: &str,
    value: &DeValue<'_>,
    read: impl Fn(&DeValue<'_>) -> Result<T, InvalidValue>,
) -> Result<BTreeSet<T>, InvalidValue> {
    let DeValue::Array(items) = value else { return Ok(BTreeSet::from([read(value)?])) };
    if items.is_empty() {
        return Err(InvalidValue::new(format!("no {what} is named")).hint("leave the key out to keep all dossiers"));
    }
    items.iter().map(|item| read(item.get_ref())).collect()
}

fn groupe(value: &DeValue<'_>) -> Result<GroupeName, InvalidValue> {
    if value.is_str() {
        let label = reader::text(value)?;
        return match label.trim().is_empty() {
            true => Err(InvalidValue::new("the name of a groupe is empty")),
            false => Ok(GroupeName::Label(label)),
        };
    }
    let number = reader::whole(value, 1, i64::from(u32::MAX))
        .map_err(|error| error.hint("the number of a groupe, or its name between quotes"))?;
    Ok(GroupeName::Number(u32::try_from(number).expect("checked against the bounds of u32")))
}

fn state(name: &str) -> Result<String, InvalidValue> {
    if STATES.contains(&name) { Ok(name.to_owned()) } else { Err(unknown_name("state", name, STATES)) }
}
