//! Sync settings of a démarche: overlap, rhythms of the slow checks, safety brake.

use std::time::Duration;

use jiff::SignedDuration;

use super::defaults;
use super::duration::show_duration;
use super::origin::{Setting, SettingOrigin};
use super::reader::{self, Source, Table};
use super::retention::{RetentionEntry, RetentionSettings};
use super::values::InvalidValue;
use crate::observe::Rhythm;
use crate::sync::Settings;

/// Holds the sync settings of a démarche, each with its origin. The defaults are in [`defaults`].
#[derive(Clone, Debug, PartialEq)]
pub struct SyncSettings {
    /// The overlap: the span before the watermark from which on a run reads (late commits, trap 1).
    pub overlap: Setting<Duration>,
    /// The span of the wide re-reading (attestations, scans, corrections: trap 20).
    pub follow_up: Setting<Duration>,
    /// The interval of the wide re-reading.
    pub follow_up_every: Setting<Duration>,
    /// The interval of the complete light listing (traps 33 and 34).
    pub listing_every: Setting<Duration>,
    /// The interval of the complete re-reading.
    pub reread_every: Setting<Duration>,
    /// The delay between the publication of a revision and the re-reading of all dossiers (trap 25).
    pub rebase_delay: Setting<Duration>,
    /// The share of the démarche's dossiers, from 0 to 1, that one listing may find gone before the run stops.
    pub max_delete_share: Setting<f64>,
    /// The number of dossiers that one listing may find gone whatever their share.
    pub max_delete_floor: Setting<u64>,
    /// In whose name decisions are sent that do not say: the e-mail address or the id of an instructeur.
    pub instructeur: Option<Setting<String>>,
    /// True if a cycle sends the intents that wait in the outbox after each run.
    pub push_on_schedule: Setting<bool>,
    /// True if the sub-values of champs are read as well, one column each.
    pub columns: Setting<bool>,
    /// For how long its dossiers are kept.
    pub retention: RetentionSettings,
}

/// Holds the keys of one section of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SyncEntry {
    overlap: Option<Setting<Duration>>,
    follow_up: Option<Setting<Duration>>,
    follow_up_every: Option<Setting<Duration>>,
    listing_every: Option<Setting<Duration>>,
    reread_every: Option<Setting<Duration>>,
    rebase_delay: Option<Setting<Duration>>,
    max_delete_share: Option<Setting<f64>>,
    max_delete_floor: Option<Setting<u64>>,
    instructeur: Option<Setting<String>>,
    push_on_schedule: Option<Setting<bool>>,
    columns: Option<Setting<bool>>,
    retention: RetentionEntry,
}

impl SyncEntry {
    pub(super) fn read(table: Table<'_, '_>, source: &mut Source<'_>) -> Self {
        let mut duration = |key| table.read(source, key, reader::duration);
        Self {
            overlap: duration("overlap"),
            follow_up: duration("follow-up"),
            follow_up_every: duration("follow-up-every"),
            listing_every: duration("listing-every"),
            reread_every: duration("reread-every"),
            rebase_delay: duration("rebase-delay"),
            max_delete_share: table.read(source, "max-delete-share", reader::share),
            max_delete_floor: table
                .read(source, "max-delete-floor", |value| reader::whole(value, 0, i64::MAX))
                .map(|setting| setting.map(|n| u64::try_from(n).expect("checked not to be negative"))),
            instructeur: table.read(source, "instructeur", reader::text),
            push_on_schedule: table.read(source, "push-on-schedule", reader::boolean),
            columns: table.read(source, "columns", reader::boolean),
            retention: RetentionEntry::read(table, source),
        }
    }

    /// Takes each value from this section, else from `shared`, else the default.
    pub(super) fn or(&self, shared: &Self) -> SyncSettings {
        fn pick<T: Clone>(own: &Option<Setting<T>>, shared: &Option<Setting<T>>, default: T) -> Setting<T> {
            own.clone().or_else(|| shared.clone()).unwrap_or_else(|| Setting::default(default))
        }
        SyncSettings {
            overlap: pick(&self.overlap, &shared.overlap, defaults::OVERLAP),
            follow_up: pick(&self.follow_up, &shared.follow_up, defaults::FOLLOW_UP),
            follow_up_every: pick(&self.follow_up_every, &shared.follow_up_every, defaults::FOLLOW_UP_EVERY),
            listing_every: pick(&self.listing_every, &shared.listing_every, defaults::LISTING_EVERY),
            reread_every: pick(&self.reread_every, &shared.reread_every, defaults::REREAD_EVERY),
            rebase_delay: pick(&self.rebase_delay, &shared.rebase_delay, defaults::REBASE_DELAY),
            max_delete_share: pick(&self.max_delete_share, &shared.max_delete_share, defaults::MAX_DELETE_SHARE),
            max_delete_floor: pick(&self.max_delete_floor, &shared.max_delete_floor, defaults::MAX_DELETE_FLOOR),
            instructeur: self.instructeur.clone().or_else(|| shared.instructeur.clone()),
            push_on_schedule: pick(&self.push_on_schedule, &shared.push_on_schedule, defaults::PUSH_ON_SCHEDULE),
            columns: pick(&self.columns, &shared.columns, defaults::COLUMNS),
            retention: self.retention.or(&shared.retention),
        }
    }
}

impl SyncSettings {
    /// The same as the engine wants it. Page size and what flags alone can say keep their defaults.
    #[must_use]
    pub fn settings(&self) -> Settings {
        // Durations of a configuration are at most ten years long.
        let signed =
            |setting: &Setting<Duration>| SignedDuration::try_from(setting.value).unwrap_or(SignedDuration::MAX);
        Settings {
            rhythm: Rhythm {
                overlap: signed(&self.overlap),
                follow_up_every: signed(&self.follow_up_every),
                follow_up_window: signed(&self.follow_up),
                listing_every: signed(&self.listing_every),
                sweep_every: signed(&self.reread_every),
                rebase_delay: signed(&self.rebase_delay),
            },
            max_delete_share: self.max_delete_share.value,
            max_delete_floor: self.max_delete_floor.value,
            ..Settings::default()
        }
    }

    /// Every setting in words, with its origin.
    #[must_use]
    pub fn told(&self) -> Vec<(&'static str, String, &SettingOrigin)> {
        let duration = |setting: &Setting<Duration>| show_duration(setting.value);
        let mut told = vec![
            ("overlap", duration(&self.overlap), &self.overlap.origin),
            ("follow-up", duration(&self.follow_up), &self.follow_up.origin),
            ("follow-up-every", duration(&self.follow_up_every), &self.follow_up_every.origin),
            ("listing-every", duration(&self.listing_every), &self.listing_every.origin),
            ("reread-every", duration(&self.reread_every), &self.reread_every.origin),
            ("rebase-delay", duration(&self.rebase_delay), &self.rebase_delay.origin),
            ("max-delete-share", self.max_delete_share.value.to_string(), &self.max_delete_share.origin),
            ("max-delete-floor", self.max_delete_floor.value.to_string(), &self.max_delete_floor.origin),
            ("push-on-schedule", self.push_on_schedule.value.to_string(), &self.push_on_schedule.origin),
            ("columns", self.columns.value.to_string(), &self.columns.origin),
        ];
        told.extend(self.retention.told());
        told.extend(self.instructeur.iter().map(|setting| ("instructeur", setting.value.clone(), &setting.origin)));
        told
    }

    /// The keys whose values do not go together, and why.
    pub(super) fn contradictions(&self) -> Vec<(&'static str, InvalidValue)> {
        let (reach, every) = (&self.follow_up, &self.follow_up_every);
        if reach.value >= every.value {
            return Vec::new();
        }
        let (reach, every) = (show_duration(reach.value), show_duration(every.value));
        let error = InvalidValue::new(format!("{reach} read again every {every} would leave gaps"));
        vec![("follow-up", error.hint(format!("read again at least {every}, or more often")))]
    }
}

impl Default for SyncSettings {
    fn default() -> Self {
        SyncEntry::default().or(&SyncEntry::default())
    }
}
