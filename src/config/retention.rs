//! For how long a démarche's dossiers are kept: `[sync.retention]` for all, `[demarches.retention]` for one.

use super::keys::Keys;
use super::kinds::{ValueKind, boolean, text, unreadable};
use super::origin::{Setting, SettingOrigin};
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

/// A span after which something is removed.
fn term<'a>() -> ValueKind<'a, Term> {
    text().then(|text| text.parse().map_err(|error: crate::plan::retention::InvalidTerm| unreadable(error)))
}

/// Declares when dossiers are anonymised and purged: `{ anonymise = "2 years", purge = "5 years" }`, one of the two, or neither for never.
pub(super) fn declare_terms(keys: &mut Keys<'_, '_>) -> Setting<Terms> {
    let anonymise = keys.optional("anonymise", term(), "5 years", "First without names and free texts.");
    let purge = keys.optional("purge", term(), "10 years", "Then not at all.");
    let terms = Terms { anonymise: anonymise.map(|term| term.value), purge: purge.map(|term| term.value) };
    if terms.contradict() {
        let error = InvalidValue::new("a dossier would be purged before it is anonymised")
            .hint("purge later, or leave one of the two out");
        keys.refuse_table(error);
    }
    Setting { value: terms, origin: keys.origin() }
}

impl RetentionSettings {
    /// Declares the table `retention` of a section.
    pub(super) fn declare(keys: &mut Keys<'_, '_>) -> Self {
        Self {
            deleted: keys.whole_table("deleted", declare_terms),
            finished: keys.whole_table("finished", declare_terms),
            runs: keys.optional("runs", term(), "3 years", "For how long the history of runs is kept."),
            on_schedule: keys.default(
                "on-schedule",
                boolean(),
                "true",
                "Whether `dn run` looks once a day what is due, and does it; with false `dn retention --apply` does.",
            ),
        }
    }

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
