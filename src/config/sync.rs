//! Sync settings of a démarche: overlap, rhythms of the slow checks, safety brake.

use std::time::Duration;

use jiff::SignedDuration;

use super::duration::show_duration;
use super::keys::{self, Keys};
use super::kinds::{boolean, duration, share, text, whole};
use super::origin::{Setting, SettingOrigin};
use super::retention::RetentionSettings;
use super::values::InvalidValue;
use crate::observe::Rhythm;
use crate::sync::Settings;

/// Holds the sync settings of a démarche, each with its origin.
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

impl SyncSettings {
    /// Declares the keys that say how a démarche is followed: in `[sync]` for all, in `[[demarches]]` for one.
    pub(super) fn declare(keys: &mut Keys<'_, '_>) -> Self {
        Self {
            overlap: keys.default(
                "overlap",
                duration(),
                "15m",
                "How far before the last known change a run begins to read: changes may be dated earlier than they appear.",
            ),
            follow_up: keys.default(
                "follow-up",
                duration(),
                "26h",
                "How far back the wide re-reading goes: attestations, virus scans and corrections come later and move no date.",
            ),
            follow_up_every: keys.default("follow-up-every", duration(), "1h", "How often the wide re-reading is done."),
            listing_every: keys.default(
                "listing-every",
                duration(),
                "24h",
                "How often all dossiers are listed lightly, to find what left without a trace and what changed silently.",
            ),
            reread_every: keys.default(
                "reread-every",
                duration(),
                "7d",
                "How often all dossiers are read again completely.",
            ),
            rebase_delay: keys.default(
                "rebase-delay",
                duration(),
                "10m",
                "How long after the publication of a revision all dossiers are read again: the platform moves them to it meanwhile.",
            ),
            max_delete_share: keys.default(
                "max-delete-share",
                share(),
                "0.05",
                "The share of a target's dossiers that one run may mark as gone before it stops and asks (0.05 is 5 %) ...",
            ),
            max_delete_floor: keys.default(
                "max-delete-floor",
                whole(0, i64::MAX),
                "10",
                "... and how many it may always mark, whatever their share.",
            ),
            instructeur: keys.optional(
                "instructeur",
                text(),
                "instructeur@example.org",
                "In whose name decisions are sent that do not say: the e-mail address or the id of an instructeur of the dossier's \
                 groupe.",
            ),
            push_on_schedule: keys.default(
                "push-on-schedule",
                boolean(),
                "false",
                "Whether `dn run` sends the decisions that wait in the target after each run; otherwise `dn push --apply` does.",
            ),
            columns: keys.default(
                "columns",
                boolean(),
                "false",
                "Whether to read what answers lead to as well (Démarche Numérique only), one column each in the target, under the \
                 privacy policy: the data behind an approval of FranceConnect, the account behind a bank statement, référentiels. \
                 Without it such a question holds the approval alone. Turning it on or off reads everything again.",
            ),
            retention: keys.table("retention", RetentionSettings::declare),
        }
    }

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
        let Self {
            overlap,
            follow_up,
            follow_up_every,
            listing_every,
            reread_every,
            rebase_delay,
            max_delete_share,
            max_delete_floor,
            instructeur,
            push_on_schedule,
            columns,
            retention,
        } = self;
        let duration = |setting: &Setting<Duration>| show_duration(setting.value);
        let mut told = vec![
            ("overlap", duration(overlap), &overlap.origin),
            ("follow-up", duration(follow_up), &follow_up.origin),
            ("follow-up-every", duration(follow_up_every), &follow_up_every.origin),
            ("listing-every", duration(listing_every), &listing_every.origin),
            ("reread-every", duration(reread_every), &reread_every.origin),
            ("rebase-delay", duration(rebase_delay), &rebase_delay.origin),
            ("max-delete-share", max_delete_share.value.to_string(), &max_delete_share.origin),
            ("max-delete-floor", max_delete_floor.value.to_string(), &max_delete_floor.origin),
            ("push-on-schedule", push_on_schedule.value.to_string(), &push_on_schedule.origin),
            ("columns", columns.value.to_string(), &columns.origin),
        ];
        told.extend(retention.told());
        told.extend(instructeur.iter().map(|setting| ("instructeur", setting.value.clone(), &setting.origin)));
        told
    }

    /// Refuses values that do not go together.
    pub(super) fn refuse_contradictions(&self, keys: &mut Keys<'_, '_>) {
        let (reach, every) = (&self.follow_up, &self.follow_up_every);
        if reach.value < every.value {
            let (reach, every) = (show_duration(reach.value), show_duration(every.value));
            let error = InvalidValue::new(format!("{reach} read again every {every} would leave gaps"));
            keys.refuse("follow-up", error.hint(format!("read again at least {every}, or more often")));
        }
    }
}

impl Default for SyncSettings {
    fn default() -> Self {
        keys::unsaid(Self::declare).0
    }
}
