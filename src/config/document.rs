//! A configuration file, checked.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::civil::Date;
use toml::de::DeTable;
use url::Url;

use super::defaults;
use super::error::ConfigError;
use super::keys::{self, Keys};
use super::kinds::{day, duration, name_of, text, unreadable, whole};
use super::origin::Setting;
use super::privacy::PolicyEntry;
use super::reader::{Source, Table};
use super::run::{RunSettings, ServiceSettings};
use super::selection::SelectionSettings;
use super::sync::SyncSettings;
use super::target::TargetEntry;
use super::values::{InvalidValue, SecretSource, parse_url};
use crate::api::PageSize;
use crate::ids::DemarcheNumber;
use crate::platform::Platform;

/// Holds a configuration file, checked: every name that it uses is defined in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The instances, by their short names.
    pub instances: BTreeMap<String, InstanceEntry>,
    /// The targets, by their names.
    pub targets: BTreeMap<String, Setting<TargetEntry>>,
    /// The privacy policies, by their names.
    pub policies: BTreeMap<String, PolicyEntry>,
    /// The démarches, in the order of the file.
    pub demarches: Vec<DemarcheEntry>,
    /// The sync settings of démarches that the file does not list.
    pub sync: SyncSettings,
    /// When `dn run` runs démarches that the file does not list.
    pub run: RunSettings,
    /// The settings of `dn run` itself, whichever démarches it runs.
    pub service: ServiceSettings,
}

/// Holds the keys of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceEntry {
    /// The kind of platform.
    pub platform: Setting<Platform>,
    /// Its GraphQL address.
    pub url: Option<Setting<Url>>,
    /// Where its token is.
    pub token: Option<Setting<SecretSource>>,
    /// The day on which its token ends.
    pub token_expires: Option<Setting<Date>>,
    /// Where the secret part of the address is that its webhooks call.
    pub webhook_path: Option<Setting<SecretSource>>,
    /// The timeout of a connection.
    pub connect_timeout: Setting<Duration>,
    /// The timeout between two pieces of an answer.
    pub read_timeout: Setting<Duration>,
    /// The timeout of a whole answer.
    pub total_timeout: Setting<Duration>,
    /// The size of pages, in dossiers.
    pub page_size: Setting<PageSize>,
    /// The rate limit, in requests a minute.
    pub rate_limit: Setting<u32>,
}

/// Holds the keys of a démarche.
#[derive(Clone, Debug, PartialEq)]
pub struct DemarcheEntry {
    /// Its number.
    pub number: Setting<DemarcheNumber>,
    /// The name of its instance.
    pub instance: Setting<String>,
    /// The name of its target.
    pub target: Setting<String>,
    /// The name of its privacy policy: one of the file, or a preset.
    pub privacy: Option<Setting<String>>,
    /// Which of its dossiers are kept.
    pub selection: SelectionSettings,
    /// Its sync settings.
    pub sync: SyncSettings,
    /// When `dn run` runs it.
    pub run: RunSettings,
}

impl Config {
    /// Reads the text of a configuration file. The path serves for messages, and as the place that the paths in the file
    /// start from.
    ///
    /// # Errors
    /// Everything that is wrong in it, at once.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut source = Source::new(path, text);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            // The parser's message alone: its full form repeats the line, which may hold a pasted secret.
            let offset = error.span().map_or(0, |span| span.start);
            source.report(offset, "", InvalidValue::new(format!("not TOML: {}", error.message())));
        }
        if !errors.is_empty() {
            // What follows a slip of the pen would be reported as missing.
            return source.finish().map(|()| Self::default());
        }
        let root = Table::new(root.get_ref(), 0, String::new());
        let config = Keys::read(&mut source, root, Self::declare);
        source.finish()?;
        Ok(config)
    }

    /// Declares the top of the file.
    pub(super) fn declare(keys: &mut Keys<'_, '_>) -> Self {
        let instances = keys.named("instances", InstanceEntry::declare);
        let targets = keys.named("targets", TargetEntry::declare).into_iter().filter_map(both).collect();
        let policies = keys.named("privacy", PolicyEntry::declare);
        let sync = keys.table("sync", |keys| {
            let sync = SyncSettings::declare(keys);
            sync.refuse_contradictions(keys);
            sync
        });
        let (run, service) = keys.table("run", |keys| (RunSettings::declare(keys), ServiceSettings::declare(keys)));
        let mut config = Self { instances, targets, policies, demarches: Vec::new(), sync, run, service };
        config.check_tokens(keys);
        config.check_keys(keys);
        config.check_webhooks(keys);
        config.check_widget(keys);
        let (sync, run) = (keys.peek("sync"), keys.peek("run"));
        // A target that is described wrongly is named rightly all the same.
        let targets = keys.peek("targets").map(|table| table.entries().map(|(name, ..)| name.to_owned()).collect());
        let targets: Vec<String> = targets.unwrap_or_default();
        keys.tables("demarches", |keys| {
            if let Some(entry) = DemarcheEntry::declare(keys, &config, &targets, (sync.as_ref(), run.as_ref())) {
                config.demarches.push(entry);
            }
        });
        config
    }

    /// Checks that webhooks have an endpoint to call.
    fn check_webhooks(&self, keys: &mut Keys<'_, '_>) {
        let listens = keys.peek("run").is_some_and(|run| run.has("listen"));
        let Some(table) = keys.peek("instances") else { return };
        for (name, offset, _) in table.entries() {
            if !listens && self.instances.get(name).is_some_and(|instance| instance.webhook_path.is_some()) {
                let error = InvalidValue::new("nothing listens to its webhooks").hint("add `listen` under [run]");
                keys.refuse_at(offset, table.key(name), error);
            }
        }
    }

    /// Checks that the widget has an endpoint that serves it.
    fn check_widget(&self, keys: &mut Keys<'_, '_>) {
        if let Some(run) = keys.peek("run").filter(|run| self.service.grist_widget.value && !run.has("listen")) {
            let error = InvalidValue::new("nothing serves the widget").hint("add `listen` under [run]");
            keys.refuse_at(run.offset_of("grist-widget"), run.key("grist-widget"), error);
        }
    }

    /// With several instances each names its token: a token sent to the wrong platform is a leak.
    fn check_tokens(&self, keys: &mut Keys<'_, '_>) {
        if self.instances.len() < 2 {
            return;
        }
        let Some(table) = keys.peek("instances") else { return };
        for (name, offset, value) in table.entries() {
            let names_none = value
                .get_ref()
                .as_table()
                .is_some_and(|instance| !instance.contains_key("token-env") && !instance.contains_key("token-file"));
            if names_none {
                let error = InvalidValue::new("with several instances each must name its token")
                    .hint("add `token-env` or `token-file`");
                keys.refuse_at(offset, table.key(name), error);
            }
        }
    }

    /// With several instances of Grist each target names its key: a key sent to the wrong one is a leak.
    fn check_keys(&self, keys: &mut Keys<'_, '_>) {
        let key = |name: &str| self.targets.get(name).and_then(|target| target.value.key());
        let mut hosts = self.targets.keys().filter_map(|name| key(name)).map(|(host, _)| host);
        let Some(first) = hosts.next() else { return };
        if hosts.all(|host| host == first) {
            return;
        }
        let Some(table) = keys.peek("targets") else { return };
        for (name, offset, _) in table.entries() {
            if key(name).is_some_and(|(_, named)| !named) {
                let error = InvalidValue::new("with several instances of Grist each target must name its key")
                    .hint("add `key-env` or `key-file`");
                keys.refuse_at(offset, table.key(name), error);
            }
        }
    }
}

impl Default for Config {
    /// Gives what holds without a file.
    fn default() -> Self {
        keys::unsaid(Self::declare).0
    }
}

fn both<T>((name, value): (String, Option<T>)) -> Option<(String, T)> {
    value.map(|value| (name, value))
}

impl InstanceEntry {
    /// Declares `[instances.*]`.
    pub(super) fn declare(keys: &mut Keys<'_, '_>) -> Self {
        Self {
            platform: keys.default(
                "platform",
                name_of("platform", Platform::ALL.map(Platform::as_str).to_vec())
                    .then(|name| name.parse().map_err(unreadable)),
                "demarche-numerique",
                "Which of the two platforms: \"demarche-numerique\" (default) or \"demat-social\". Variable DN_PLATFORM, flag \
                 --platform.",
            ),
            url: keys.optional(
                "url",
                text().then(|text| parse_url(&text)),
                Platform::DemarcheNumerique.default_url(),
                "The GraphQL address; by default that of the platform itself. Plain http towards this very machine only. \
                 Variable DN_URL, flag --url.",
            ),
            token: keys.secret(
                (
                    "token-env",
                    defaults::TOKEN_ENV,
                    "The environment variable that holds the token (default: DN_TOKEN). With several instances each must name \
                     its own.",
                ),
                ("token-file", "/run/secrets/ds-token", "Instead of a variable: a file whose first line is the token."),
            ),
            token_expires: keys.optional(
                "token-expires",
                day(),
                "2027-01-31",
                "The day on which the token ends, as its page on the platform says: `dn run` then counts the days left in its \
                 metrics.",
            ),
            webhook_path: keys.secret(
                (
                    "webhook-path-env",
                    "DN_WEBHOOK_PATH",
                    "The environment variable that holds the secret path which webhooks of this instance call, and `dn run` \
                     answers: none by default. At least 32 characters; `listen` under [run] is needed too. See docs/signals.md.",
                ),
                (
                    "webhook-path-file",
                    "/run/secrets/ds-webhook-path",
                    "Instead of a variable: a file whose first line is the path.",
                ),
            ),
            connect_timeout: keys.default(
                "connect-timeout",
                duration(),
                "10s",
                "How long to wait for a connection.",
            ),
            read_timeout: keys.default(
                "read-timeout",
                duration(),
                "45s",
                "How long to wait between two pieces of an answer.",
            ),
            total_timeout: keys.default("total-timeout", duration(), "90s", "How long to wait for a whole answer."),
            page_size: keys.default(
                "page-size",
                whole(1, 100).then(|size| PageSize::new(size).ok_or_else(|| InvalidValue::new("no size of a page"))),
                "100",
                "How many dossiers to ask for at a time, 1 to 100. Flag --page-size.",
            ),
            rate_limit: keys.default(
                "rate-limit",
                whole(1, 400),
                "400",
                "How many requests a minute, 1 to 400. The platform counts 400 for all programs that share a token: leave them \
                 their part.",
            ),
        }
    }
}

impl Default for InstanceEntry {
    /// An instance of which the file says nothing.
    fn default() -> Self {
        keys::unsaid(Self::declare).0
    }
}

impl DemarcheEntry {
    /// Declares `[[demarches]]`. `None` when it lacks what makes a démarche. The tables `[sync]` and `[run]` stand behind it.
    pub(super) fn declare<'d>(
        keys: &mut Keys<'_, 'd>,
        config: &Config,
        targets: &[String],
        (sync, run): (Option<&Table<'d>>, Option<&Table<'d>>),
    ) -> Option<Self> {
        let number = keys.required(
            "number",
            whole(1, i64::from(u32::MAX)).then(|number| Ok(DemarcheNumber::new(number))),
            "1001",
            "the number of the démarche",
            "The number of the démarche.",
        );
        let instances: Vec<&str> = config.instances.keys().map(String::as_str).collect();
        let instance =
            reference(keys, "instance", instances, "dn", "Where it is. May be left out when the file has but one.");
        let names = targets.iter().map(String::as_str).collect();
        let target = reference(
            keys,
            "target",
            names,
            "local",
            "Where its dossiers go. May be left out when the file has but one.",
        );
        let policies = config.policies.keys().map(String::as_str).chain(super::privacy::presets()).collect();
        let privacy = keys.optional(
            "privacy",
            name_of("privacy policy", policies),
            "service",
            "A policy of this file, or a preset: \"default\", \"strict\" or \"integral\".",
        );
        let selection = SelectionSettings::declare(keys);
        let sync = keys.behind(sync, SyncSettings::declare);
        if sync != config.sync {
            sync.refuse_contradictions(keys);
        }
        let run = keys.behind(run, RunSettings::declare);
        let (number, instance, target) = (number?, instance?, target?);
        let twin = |other: &DemarcheEntry| {
            other.number.value == number.value
                && other.instance.value == instance.value
                && other.target.value == target.value
        };
        if config.demarches.iter().any(twin) {
            let error = InvalidValue::new(format!("démarche {} is listed twice for this target", number.value));
            keys.refuse("number", error);
        }
        Some(Self { number, instance, target, privacy, selection, sync, run })
    }
}

/// Declares the name of something that the file defines elsewhere. It may be left out when there is but one.
fn reference(
    keys: &mut Keys<'_, '_>,
    name: &'static str,
    known: Vec<&str>,
    example: &str,
    help: &'static str,
) -> Option<Setting<String>> {
    let said = keys.optional(name, name_of(name, known.clone()), example, help);
    if keys.has(name) {
        return said;
    }
    match known.as_slice() {
        [only] => return Some(Setting::default((*only).to_owned())),
        [] => {
            let error = InvalidValue::new(format!("no {name} is defined"));
            keys.refuse_missing(name, error.hint(format!("add a table `[{name}s.NAME]`")));
        }
        several => {
            let error = InvalidValue::new(format!("the {name} is missing"));
            keys.refuse_missing(name, error.hint(format!("one of: {}", several.join(", "))));
        }
    }
    None
}
