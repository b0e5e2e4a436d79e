//! When `dn run` runs a démarche, and how it works.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::alerts::Alerts;
use super::defaults;
use super::duration::{parse_duration, show_duration};
use super::keys::{self, Keys};
use super::kinds::{boolean, duration, duration_or_zero, text, whole};
use super::origin::{Setting, SettingOrigin};
use super::values::InvalidValue;
use crate::serve::{Schedule, Ticks};

/// When `dn run` runs a démarche, each value with its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSettings {
    /// At which instants.
    pub schedule: Setting<Ticks>,
    /// By which clock.
    pub timezone: Setting<TimeZone>,
    /// By how much, at most, each start is put off.
    pub jitter: Setting<Duration>,
    /// True if it runs less often while nothing changes, at night and at week-ends.
    pub adaptive: Setting<bool>,
    /// True if it does not run for now.
    pub paused: Setting<bool>,
}

impl RunSettings {
    /// Declares the keys that say when `dn run` runs a démarche: in `[run]` for all, in `[[demarches]]` for one.
    pub(super) fn declare(keys: &mut Keys<'_, '_>) -> Self {
        Self {
            schedule: keys.default(
                "schedule",
                text().then(|text| ticks(&text)),
                "10m",
                "At which instants: a duration (\"10m\"), each démarche at its own moment, or a cron expression of minute, hour, \
                 day of month, month and day of week (\"*/10 6-20 * * MON-FRI\").",
            ),
            timezone: keys.default(
                "timezone",
                text().then(|text| zone(&text)),
                defaults::TIMEZONE,
                "By which clock cron expressions, nights and week-ends are meant.",
            ),
            jitter: keys.default(
                "jitter",
                duration_or_zero(),
                "30s",
                "By how much, at most, each start is put off, so that démarches of one minute do not begin in one second. \"0s\" for \
                 not at all.",
            ),
            adaptive: keys.default(
                "adaptive",
                boolean(),
                "false",
                "Whether a démarche is run less often while nothing changes, at night and at week-ends; at least once an hour all \
                 the same.",
            ),
            paused: keys.default("paused", boolean(), "false", "Whether nothing runs for now."),
        }
    }

    /// The same as the loop wants it.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        Schedule {
            ticks: self.schedule.value.clone(),
            zone: self.timezone.value.clone(),
            jitter: self.jitter.value,
            adaptive: self.adaptive.value,
            paused: self.paused.value,
        }
    }

    /// Every setting in words, with its origin.
    #[must_use]
    pub fn told(&self) -> Vec<(&'static str, String, &SettingOrigin)> {
        let Self { schedule, timezone, jitter, adaptive, paused } = self;
        let ticks = match &schedule.value {
            Ticks::Every(period) => show_duration(*period),
            cron @ Ticks::Cron(_) => cron.to_string(),
        };
        vec![
            ("schedule", ticks, &schedule.origin),
            ("timezone", timezone.value.iana_name().unwrap_or("UTC").to_owned(), &timezone.origin),
            ("jitter", show_duration(jitter.value), &jitter.origin),
            ("adaptive", adaptive.value.to_string(), &adaptive.origin),
            ("paused", paused.value.to_string(), &paused.origin),
        ]
    }
}

impl Default for RunSettings {
    fn default() -> Self {
        keys::unsaid(Self::declare).0
    }
}

/// The settings of `dn run` itself, whichever démarches it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceSettings {
    /// The number of runs under way at once.
    pub workers: Setting<u32>,
    /// Where it answers who asks how it is; nowhere by default.
    pub listen: Option<Setting<SocketAddr>>,
    /// The age of data up to which it calls itself ready; by default three ticks of the démarche, at least an hour.
    pub ready_within: Option<Setting<Duration>>,
    /// For how long what webhooks name of a démarche is gathered before it looks.
    pub hint_window: Setting<Duration>,
    /// The interval at which the commands that people tick in Grist documents are read; zero for never.
    pub grist_poll: Setting<Duration>,
    /// True if the endpoint serves the widget of Grist documents.
    pub grist_widget: Setting<bool>,
    /// Who receives alerts, and for what; nobody by default.
    pub alerts: Alerts,
}

impl ServiceSettings {
    /// Declares the keys that `[run]` has alone.
    pub(super) fn declare(keys: &mut Keys<'_, '_>) -> Self {
        Self {
            workers: keys.default(
                "workers",
                whole(1, 64),
                "1",
                "How many runs are under way at once, 1 to 64. Flag --workers.",
            ),
            listen: keys.optional(
                "listen",
                text().then(|text| address(&text)),
                "127.0.0.1:9464",
                "Where it says how it is, as an address and a port: /healthz, /readyz, /metrics (Prometheus). Nowhere when this \
                 is left out. It has no password: \"127.0.0.1:…\" answers this machine alone.",
            ),
            ready_within: keys.optional(
                "ready-within",
                duration_or_zero(),
                "1h",
                "How old data may be for /readyz to say \"ready\". By default three ticks of the démarche, and at least an hour.",
            ),
            hint_window: keys.default(
                "hint-window",
                duration(),
                "30s",
                "For how long calls of webhooks are gathered before the démarche that they name is looked at.",
            ),
            grist_poll: keys.default(
                "grist-poll",
                duration_or_zero(),
                "1m",
                "How often the table Commandes of each Grist document is read, in which people tick what is to be done now: one \
                 request a document. \"0s\" for never: then no such table is made.",
            ),
            grist_widget: keys.default(
                "grist-widget",
                boolean(),
                "false",
                "Whether the address of `listen` also serves a page, /grist, that people add to their Grist document as a custom \
                 widget. See docs/operations.md.",
            ),
            alerts: keys.table("alerts", Alerts::declare),
        }
    }
}

/// A rhythm: a duration, or a cron expression.
fn ticks(text: &str) -> Result<Ticks, InvalidValue> {
    if let Ok(period) = parse_duration(text) {
        return Ok(Ticks::Every(period));
    }
    text.parse().map_err(|error: crate::serve::InvalidSchedule| {
        InvalidValue::new(error.to_string()).hint("such as \"*/10 6-20 * * MON-FRI\", or a duration such as \"10m\"")
    })
}

fn zone(text: &str) -> Result<TimeZone, InvalidValue> {
    TimeZone::get(text).map_err(|_| {
        InvalidValue::new(format!("no time zone is called `{text}`"))
            .hint("such as \"Europe/Paris\" or \"Indian/Reunion\"")
    })
}

fn address(text: &str) -> Result<SocketAddr, InvalidValue> {
    text.parse().map_err(|_| {
        InvalidValue::new(format!("`{text}` is not an address with a port"))
            .hint("such as \"127.0.0.1:9464\", or \"0.0.0.0:9464\" for other machines too")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rhythms_are_durations_or_cron_expressions() {
        for (text, expected) in [
            ("10m", Some("10m")),
            ("1s", Some("1s")),
            ("*/5 * * * *", Some("*/5 * * * *")),
            ("0 3 * * 1-5", Some("0 3 * * 1-5")),
            ("* * * * * *", None),
            ("10", None),
            ("@often", None),
            ("0 0 31 2 *", None),
        ] {
            let found = ticks(text)
                .ok()
                .map(|value| RunSettings { schedule: Setting::default(value), ..RunSettings::default() });
            assert_eq!(found.map(|settings| settings.told()[0].1.clone()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn zones_are_those_of_the_world() {
        assert_eq!(
            zone("America/Cayenne").ok().and_then(|zone| zone.iana_name().map(str::to_owned)).as_deref(),
            Some("America/Cayenne")
        );
        assert!(zone("Europe/Pariss").is_err());
    }
}
