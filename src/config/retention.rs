//! For how long a démarche's dossiers are kept: `[sync.retention]` for all, `[demarches.retention]` for one.

use toml::de::DeValue;

use super::defaults;
use super::keys;
use super::origin::{Setting, SettingOrigin};
use super::reader::{self, Source, Table};
use super::values::InvalidValue;
use crate::plan::{Retention, Term, Terms};

/// For how long dossiers are kept, each value with its origin. By default for ever.
#[derive(Clone, Debug, PartialEq)]
pub struct RetentionSettings {
    /// Those that the platform deleted.
    pub deleted: Setting<Terms>,
    /// Those that are decided.
    pub finished: Setting<Terms>,
    /// The lines of the run history.
    pub runs: Option<Setting<Term>>,
    /// True if a cycle does the retention once a day.
    pub on_schedule: Setting<bool>,
}

/// Holds the keys of one section of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RetentionEntry {
    deleted: Option<Setting<Terms>>,
    finished: Option<Setting<Terms>>,
    runs: Option<Setting<Term>>,
    on_schedule: Option<Setting<bool>>,
}

impl RetentionEntry {
    /// Reads the table `retention` of a section.
    pub(super) fn read(section: Table<'_, '_>, source: &mut Source<'_>) -> Self {
        let Some((table, offset)) = section.table(source, "retention") else { return Self::default() };
        let path = section.key("retention");
        let table = Table::new(table, offset, &path);
        table.refuse_unknown(source, keys::RETENTION);
        Self {
            deleted: terms(table, source, "deleted"),
            finished: terms(table, source, "finished"),
            runs: table.read(source, "runs", term),
            on_schedule: table.read(source, "on-schedule", reader::boolean),
        }
    }

    /// Takes each value from this section, else from `shared`, else the default.
    pub(super) fn or(&self, shared: &Self) -> RetentionSettings {
        let terms = |own: &Option<Setting<Terms>>, shared: &Option<Setting<Terms>>| {
            own.clone().or_else(|| shared.clone()).unwrap_or_else(|| Setting::default(Terms::default()))
        };
        let on_schedule = self.on_schedule.clone().or_else(|| shared.on_schedule.clone());
        RetentionSettings {
            deleted: terms(&self.deleted, &shared.deleted),
            finished: terms(&self.finished, &shared.finished),
            runs: self.runs.clone().or_else(|| shared.runs.clone()),
            on_schedule: on_schedule.unwrap_or_else(|| Setting::default(defaults::RETENTION_ON_SCHEDULE)),
        }
    }
}

/// Reads when dossiers are anonymised and purged: `{ anonymise = "2 years", purge = "5 years" }`, one of the two, or
/// neither for never.
fn terms(section: Table<'_, '_>, source: &mut Source<'_>, key: &'static str) -> Option<Setting<Terms>> {
    let (table, offset) = section.table(source, key)?;
    let path = section.key(key);
    let table = Table::new(table, offset, &path);
    table.refuse_unknown(source, keys::TERMS);
    let mut value = |key| table.read(source, key, term).map(|setting| setting.value);
    let terms = Terms { anonymise: value("anonymise"), purge: value("purge") };
    if terms.contradict() {
        let error = InvalidValue::new("a dossier would be purged before it is anonymised")
            .hint("purge later, or leave one of the two out");
        source.report(offset, path.clone(), error);
    }
    Some(Setting { value: terms, origin: source.origin(offset) })
}

fn term(value: &DeValue<'_>) -> Result<Term, InvalidValue> {
    reader::text(value)?
        .parse()
        .map_err(|error: crate::plan::retention::InvalidTerm| InvalidValue::new(error.to_string()))
}

impl RetentionSettings {
    /// The same as the engine wants it.
    #[must_use]
    pub fn rules(&self) -> Retention {
        let runs = self.runs.as_ref().map(|setting| setting.value);
        Retention { deleted: self.deleted.value, finished: self.finished.value, runs }
    }

    /// Every setting in words, with its origin.
    #[must_use]
    pub fn told(&self) -> Vec<(&'static str, String, &SettingOrigin)> {
        let mut told = vec![
            ("retention.deleted", words(&self.deleted.value), &self.deleted.origin),
            ("retention.finished", words(&self.finished.value), &self.finished.origin),
        ];
        told.extend(self.runs.iter().map(|runs| ("retention.runs", runs.value.to_string(), &runs.origin)));
        if !self.rules().is_empty() {
            told.push(("retention.on-schedule", self.on_schedule.value.to_string(), &self.on_schedule.origin));
        }
        told
    }
}

/// When dossiers are anonymised and purged, in words.
#[must_use]
pub fn words(terms: &Terms) -> String {
    let said = |fate: &str, term: Option<Term>| term.map(|term| format!("{fate} after {term}"));
    let said: Vec<String> =
        said("anonymised", terms.anonymise).into_iter().chain(said("purged", terms.purge)).collect();
    if said.is_empty() { "kept for ever".to_owned() } else { said.join(", ") }
}
