//! Alerts: who receives them, and from which limits on.

use std::time::Duration;

use super::duration::show_duration;
use super::keys::{self, Keys};
use super::kinds::{duration_or_zero, texts, whole};
use super::origin::{Setting, SettingOrigin};
use super::values::{InvalidValue, SecretSource};
use crate::serve::Limits;

/// Whom `dn run` wakes, and for what, each value with its origin. Without a command or an address it wakes nobody. The
/// defaults are in `config::defaults`.
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
    /// Declares `[run.alerts]`.
    pub(super) fn declare(keys: &mut Keys<'_, '_>) -> Self {
        // What is there and wrong is reported already.
        let named = ["command", "webhook-env", "webhook-file"].iter().any(|key| keys.has(key));
        if !named {
            keys.refuse_table(
                InvalidValue::new("nobody is told").hint("add `command`, `webhook-env` or `webhook-file`"),
            );
        }
        let command = texts().then(|command| match command.first() {
            Some(program) if !program.is_empty() => Ok(command),
            _ => Err(InvalidValue::new("the program is missing")
                .hint("a list: the program, then each of its arguments; no shell reads it")),
        });
        Self {
            command: keys.optional(
                "command",
                command,
                r#"["/usr/local/bin/tell-the-team", "--from", "dn"]"#,
                "A program with its arguments; no shell reads them. It gets the message on its standard input.",
            ),
            webhook: keys.secret(
                (
                    "webhook-env",
                    "DN_ALERTS_URL",
                    "The variable that holds the address to which messages are posted: such addresses are secrets.",
                ),
                (
                    "webhook-file",
                    "/run/secrets/dn-alerts-url",
                    "Instead of a variable: a file whose first line is the address.",
                ),
            ),
            failing_after: keys.default(
                "failing-after",
                duration_or_zero(),
                "1h",
                "How long runs of a démarche may fail.",
            ),
            quarantine_after: keys.default(
                "quarantine-after",
                duration_or_zero(),
                "24h",
                "How long dossiers may stay in quarantine.",
            ),
            token_days: keys.default(
                "token-days",
                whole(1, 366),
                "14",
                "How many days before `token-expires` a token is to be replaced.",
            ),
        }
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
        keys::unsaid(Self::declare).0
    }
}
