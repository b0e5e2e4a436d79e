//! When `dn run` runs a démarche.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::defaults;
use super::duration::{parse_duration, show_duration};
use super::origin::{Setting, SettingOrigin};
use super::reader::{self, Source, Table};
use super::values::InvalidValue;
use crate::serve::{Schedule, Ticks};

/// When `dn run` runs a démarche, each value with its origin. The defaults are in [`defaults`].
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

/// Holds the keys of one section of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RunEntry {
    schedule: Option<Setting<Ticks>>,
    timezone: Option<Setting<TimeZone>>,
    jitter: Option<Setting<Duration>>,
    adaptive: Option<Setting<bool>>,
    paused: Option<Setting<bool>>,
}

impl RunEntry {
    pub(super) fn read(table: Table<'_, '_>, source: &mut Source<'_>) -> Self {
        Self {
            schedule: table.read(source, "schedule", |value| ticks(&reader::text(value)?)),
            timezone: table.read(source, "timezone", |value| zone(&reader::text(value)?)),
            jitter: table.read(source, "jitter", reader::duration_or_zero),
            adaptive: table.read(source, "adaptive", reader::boolean),
            paused: table.read(source, "paused", reader::boolean),
        }
    }

    /// Takes each value from this section, else from `shared`, else the default.
    pub(super) fn or(&self, shared: &Self) -> RunSettings {
        fn pick<T: Clone>(
            own: &Option<Setting<T>>,
            shared: &Option<Setting<T>>,
            default: impl Fn() -> T,
        ) -> Setting<T> {
            own.clone().or_else(|| shared.clone()).unwrap_or_else(|| Setting::default(default()))
        }
        RunSettings {
            schedule: pick(&self.schedule, &shared.schedule, || Ticks::Every(defaults::SCHEDULE)),
            timezone: pick(&self.timezone, &shared.timezone, || {
                TimeZone::get(defaults::TIMEZONE).expect("the zones of the world are part of the program")
            }),
            jitter: pick(&self.jitter, &shared.jitter, || defaults::JITTER),
            adaptive: pick(&self.adaptive, &shared.adaptive, || defaults::ADAPTIVE),
            paused: pick(&self.paused, &shared.paused, || defaults::PAUSED),
        }
    }
}

impl RunSettings {
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
        let schedule = match &self.schedule.value {
            Ticks::Every(period) => show_duration(*period),
            cron @ Ticks::Cron(_) => cron.to_string(),
        };
        let timezone = self.timezone.value.iana_name().unwrap_or("UTC").to_owned();
        vec![
            ("schedule", schedule, &self.schedule.origin),
            ("timezone", timezone, &self.timezone.origin),
            ("jitter", show_duration(self.jitter.value), &self.jitter.origin),
            ("adaptive", self.adaptive.value.to_string(), &self.adaptive.origin),
            ("paused", self.paused.value.to_string(), &self.paused.origin),
        ]
    }
}

impl Default for RunSettings {
    fn default() -> Self {
        RunEntry::default().or(&RunEntry::default())
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
