//! Alerts: who receives them, and from which limits on.

use std::time::Duration;

use super::defaults;
use super::document::secret;
use super::duration::show_duration;
use super::origin::{Setting, SettingOrigin};
use super::reader::{self, Source, Table};
use super::values::{InvalidValue, SecretSource};
use crate::serve::Limits;

/// Whom `dn run` wakes, and for what, each value with its origin. Without a command or an address it wakes nobody. The
/// defaults are in [`defaults`].
#[derive(Clone, Debug, PartialEq)]
pub struct Alerts {
    /// A program with its arguments, started for each message.
    pub command: Option<Setting<Vec<String>>>,
    /// Where the address is to which each message is posted: such addresses are secrets.
    pub webhook: Option<Setting<SecretSource>>,
    /// The time for which a job may fail.
    pub failing_after: Setting<Duration>,
    /// The time for which a dossier may stay in quarantine.
    pub quarantine_after: Setting<Duration>,
    /// The number of days before its end at which a token is to be replaced.
    pub token_days: Setting<u32>,
}

impl Alerts {
    pub(super) fn read(table: Table<'_, '_>, source: &mut Source<'_>) -> Self {
        let days = table.read(source, "token-days", |value| reader::whole(value, 1, 366));
        let plain = Self::default();
        let alerts = Self {
            command: table.read(source, "command", |value| {
                let command = reader::texts(value)?;
                match command.first() {
                    Some(program) if !program.is_empty() => Ok(command),
                    _ => Err(InvalidValue::new("the program is missing")
                        .hint("a list: the program, then each of its arguments; no shell reads it")),
                }
            }),
            webhook: secret(table, source, "webhook-env", "webhook-file"),
            failing_after: table.read(source, "failing-after", reader::duration_or_zero).unwrap_or(plain.failing_after),
            quarantine_after: table
                .read(source, "quarantine-after", reader::duration_or_zero)
                .unwrap_or(plain.quarantine_after),
            token_days: days.map_or(plain.token_days, |setting| {
                setting.map(|days| u32::try_from(days).expect("checked against bounds within u32"))
            }),
        };
        // What is there and wrong was told already.
        let named = ["command", "webhook-env", "webhook-file"].iter().any(|key| table.has(key));
        if !named {
            let error = InvalidValue::new("nobody is told").hint("add `command`, `webhook-env` or `webhook-file`");
            source.report(table.offset, "run.alerts", error);
        }
        alerts
    }

    /// True if anybody receives alerts.
    #[must_use]
    pub fn wakes(&self) -> bool {
        self.command.is_some() || self.webhook.is_some()
    }

    /// Gives the limits to the function that decides about alerts.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            failing: self.failing_after.value,
            quarantine: self.quarantine_after.value,
            token_days: self.token_days.value,
        }
    }

    /// Every setting in words, with its origin; nothing when nobody is told.
    #[must_use]
    pub fn told(&self) -> Vec<(&'static str, String, &SettingOrigin)> {
        if !self.wakes() {
            return Vec::new();
        }
        let command = self.command.iter().map(|setting| ("command", setting.value.join(" "), &setting.origin));
        let webhook = self.webhook.iter().map(|setting| ("webhook", setting.value.to_string(), &setting.origin));
        let limits = [
            ("failing-after", show_duration(self.failing_after.value), &self.failing_after.origin),
            ("quarantine-after", show_duration(self.quarantine_after.value), &self.quarantine_after.origin),
            ("token-days", self.token_days.value.to_string(), &self.token_days.origin),
        ];
        command.chain(webhook).chain(limits).collect()
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            command: None,
            webhook: None,
            failing_after: Setting::default(defaults::FAILING_AFTER),
            quarantine_after: Setting::default(defaults::QUARANTINE_AFTER),
            token_days: Setting::default(defaults::TOKEN_DAYS),
        }
    }
}
