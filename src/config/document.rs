//! A configuration file, checked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use jiff::civil::Date;
use toml::de::{DeTable, DeValue};
use url::Url;

use super::alerts::Alerts;
use super::error::ConfigError;
use super::keys;
use super::origin::Setting;
use super::privacy::PolicyEntry;
use super::reader::{self, Source, Table};
use super::run::{RunEntry, RunSettings};
use super::selection::SelectionSettings;
use super::sync::{SyncEntry, SyncSettings};
use super::target::TargetEntry;
use super::values::{self, InvalidValue, SecretSource};
use crate::api::PageSize;
use crate::ids::DemarcheNumber;
use crate::platform::Platform;

/// Holds a configuration file, checked: every name that it uses is defined in it.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// The number of runs that `dn run` has under way at once.
    pub workers: Option<Setting<u32>>,
    /// Where `dn run` answers who asks how it is; nowhere by default.
    pub listen: Option<Setting<SocketAddr>>,
    /// The age of data up to which `dn run` calls itself ready; by default three ticks of the démarche, at least an hour.
    pub ready_within: Option<Setting<Duration>>,
    /// Whom `dn run` wakes, and for what; nobody by default.
    pub alerts: Alerts,
    /// For how long what webhooks name of a démarche is gathered before `dn run` looks.
    pub hint_window: Option<Setting<Duration>>,
}

/// Holds the keys of an instance. Keys that are absent have a default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceEntry {
    /// The kind of platform.
    pub platform: Option<Setting<Platform>>,
    /// Its GraphQL address.
    pub url: Option<Setting<Url>>,
    /// Where its token is.
    pub token: Option<Setting<SecretSource>>,
    /// The day on which its token ends.
    pub token_expires: Option<Setting<Date>>,
    /// Where the secret part of the address is that its webhooks call.
    pub webhook_path: Option<Setting<SecretSource>>,
    /// The timeout of a connection.
    pub connect_timeout: Option<Setting<Duration>>,
    /// The timeout between two pieces of an answer.
    pub read_timeout: Option<Setting<Duration>>,
    /// The timeout of a whole answer.
    pub total_timeout: Option<Setting<Duration>>,
    /// The size of pages, in dossiers.
    pub page_size: Option<Setting<PageSize>>,
    /// The rate limit, in requests a minute.
    pub rate_limit: Option<Setting<u32>>,
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
        let root = Table::new(root.get_ref(), 0, "");
        root.refuse_unknown(&mut source, keys::ROOT);
        let mut config = Self {
            instances: named(root, &mut source, "instances", read_instance),
            targets: named(root, &mut source, "targets", TargetEntry::read).into_iter().filter_map(both).collect(),
            policies: named(root, &mut source, "privacy", PolicyEntry::read),
            ..Self::default()
        };
        config.check_tokens(root, &mut source);
        config.check_keys(root, &mut source);
        let shared = match root.table(&mut source, "sync") {
            Some((table, offset)) => {
                let table = Table::new(table, offset, "sync");
                table.refuse_unknown(&mut source, keys::SYNC);
                let entry = SyncEntry::read(table, &mut source);
                check_sync(&entry.or(&SyncEntry::default()), table, &mut source);
                entry
            }
            None => SyncEntry::default(),
        };
        config.sync = SyncEntry::default().or(&shared);
        let mut running = RunEntry::default();
        if let Some((table, offset)) = root.table(&mut source, "run") {
            let table = Table::new(table, offset, "run");
            table.refuse_unknown(&mut source, keys::RUN);
            running = RunEntry::read(table, &mut source);
            let workers = table.read(&mut source, "workers", |value| reader::whole(value, 1, 64));
            config.listen = table.read(&mut source, "listen", |value| address(&reader::text(value)?));
            config.ready_within = table.read(&mut source, "ready-within", reader::duration_or_zero);
            if let Some((table, offset)) = table.table(&mut source, "alerts") {
                let table = Table::new(table, offset, "run.alerts");
                table.refuse_unknown(&mut source, keys::ALERTS);
                config.alerts = Alerts::read(table, &mut source);
            }
            config.hint_window = table.read(&mut source, "hint-window", reader::duration);
            config.workers =
                workers.map(|setting| setting.map(|n| u32::try_from(n).expect("checked against bounds within u32")));
        }
        config.run = RunEntry::default().or(&running);
        config.check_webhooks(root, &mut source);
        // A target that is described wrongly is named rightly all the same.
        let targets = match root.get("targets") {
            Some(DeValue::Table(table)) => table.keys().map(|name| name.get_ref().to_string()).collect(),
            _ => Vec::new(),
        };
        for (index, (table, offset)) in root.tables(&mut source, "demarches").into_iter().enumerate() {
            let path = format!("demarches[{index}]");
            let table = Table::new(table, offset, &path);
            table.refuse_unknown(&mut source, keys::DEMARCHE);
            if let Some(entry) = config.read_demarche(table, &mut source, (&shared, &running), &targets) {
                config.demarches.push(entry);
            }
        }
        source.finish()?;
        Ok(config)
    }

    /// Reads one `[[demarches]]` table. `None` when it lacks what makes a démarche.
    fn read_demarche(
        &self,
        table: Table<'_, '_>,
        source: &mut Source<'_>,
        (shared, running): (&SyncEntry, &RunEntry),
        targets: &[String],
    ) -> Option<DemarcheEntry> {
        let selection = SelectionSettings::read(table, source);
        let run = RunEntry::read(table, source).or(running);
        let own = SyncEntry::read(table, source);
        let sync = own.or(shared);
        if own != SyncEntry::default() {
            check_sync(&sync, table, source);
        }
        let number = table.read(source, "number", |value| {
            let number = reader::whole(value, 1, i64::from(u32::MAX))?;
            Ok(DemarcheNumber::new(u32::try_from(number).expect("checked against the bounds of u32")))
        });
        if number.is_none() && !table.has("number") {
            source.report(
                table.offset,
                table.key("number"),
                InvalidValue::new("the number of the démarche is missing"),
            );
        }
        let instance = reference(table, source, "instance", self.instances.keys());
        let target = reference(table, source, "target", targets.iter());
        let presets = super::privacy::presets();
        let policies = || self.policies.keys().map(String::as_str).chain(presets.iter().copied());
        let privacy = table.read(source, "privacy", |value| {
            let name = reader::text(value)?;
            if policies().any(|known| known == name) {
                return Ok(name);
            }
            Err(unknown_name("privacy policy", &name, policies()))
        });
        let (number, instance, target) = (number?, instance?, target?);
        let twin = |other: &&DemarcheEntry| {
            other.number.value == number.value
                && other.instance.value == instance.value
                && other.target.value == target.value
        };
        if self.demarches.iter().any(|other| twin(&other)) {
            let error = InvalidValue::new(format!("démarche {} is listed twice for this target", number.value));
            source.report(table.offset_of("number"), table.key("number"), error);
        }
        Some(DemarcheEntry { number, instance, target, privacy, selection, sync, run })
    }

    /// Checks that webhooks have an endpoint to call.
    fn check_webhooks(&self, root: Table<'_, '_>, source: &mut Source<'_>) {
        let listens = matches!(root.get("run"), Some(DeValue::Table(run)) if run.contains_key("listen"));
        let Some((table, _)) = root.table(source, "instances") else { return };
        for (name, offset, _) in Table::new(table, 0, "instances").entries() {
            if !listens && self.instances.get(name).is_some_and(|instance| instance.webhook_path.is_some()) {
                let error = InvalidValue::new("nothing listens to its webhooks").hint("add `listen` under [run]");
                source.report(offset, format!("instances.{name}"), error);
            }
        }
    }

    /// With several instances each names its token: a token sent to the wrong platform is a leak.
    fn check_tokens(&self, root: Table<'_, '_>, source: &mut Source<'_>) {
        if self.instances.len() < 2 {
            return;
        }
        let Some((table, offset)) = root.table(source, "instances") else { return };
        for (name, offset, value) in Table::new(table, offset, "instances").entries() {
            let names_none = value
                .get_ref()
                .as_table()
                .is_some_and(|instance| !instance.contains_key("token-env") && !instance.contains_key("token-file"));
            if names_none {
                let error = InvalidValue::new("with several instances each must name its token")
                    .hint("add `token-env` or `token-file`");
                source.report(offset, format!("instances.{name}"), error);
            }
        }
    }
}

impl Config {
    /// With several instances of Grist each target names its key: a key sent to the wrong one is a leak.
    fn check_keys(&self, root: Table<'_, '_>, source: &mut Source<'_>) {
        let keys = |name: &str| self.targets.get(name).and_then(|target| target.value.key());
        let mut hosts = self.targets.keys().filter_map(|name| keys(name)).map(|(host, _)| host);
        let Some(first) = hosts.next() else { return };
        if hosts.all(|host| host == first) {
            return;
        }
        let Some((table, offset)) = root.table(source, "targets") else { return };
        for (name, offset, _) in Table::new(table, offset, "targets").entries() {
            if keys(name).is_some_and(|(_, named)| !named) {
                let error = InvalidValue::new("with several instances of Grist each target must name its key")
                    .hint("add `key-env` or `key-file`");
                source.report(offset, format!("targets.{name}"), error);
            }
        }
    }
}

fn both<T>((name, value): (String, Option<T>)) -> Option<(String, T)> {
    value.map(|value| (name, value))
}

/// Reads the tables of a section whose names the operator chooses.
fn named<T>(
    root: Table<'_, '_>,
    source: &mut Source<'_>,
    section: &str,
    read: impl Fn(Table<'_, '_>, &mut Source<'_>) -> T,
) -> BTreeMap<String, T> {
    let mut found = BTreeMap::new();
    let Some((table, offset)) = root.table(source, section) else { return found };
    for (name, offset, value) in Table::new(table, offset, section).entries() {
        let path = format!("{section}.{name}");
        let DeValue::Table(table) = value.get_ref() else {
            let error = InvalidValue::new("a table is expected").hint(format!("write `[{section}.NAME]`"));
            source.report(offset, path, error);
            continue;
        };
        if !values::is_short_name(name) {
            let error = InvalidValue::new("a name is made of at most 24 small letters, digits and hyphens")
                .hint("it begins with a letter");
            source.report(offset, path.clone(), error);
        }
        found.insert(name.to_owned(), read(Table::new(table, offset, &path), source));
    }
    found
}

fn read_instance(table: Table<'_, '_>, source: &mut Source<'_>) -> InstanceEntry {
    table.refuse_unknown(source, keys::INSTANCE);
    let platform = table.read(source, "platform", |value| {
        let name = reader::text(value)?;
        name.parse().map_err(|_| unknown_name("platform", &name, Platform::ALL.map(Platform::as_str)))
    });
    let rate_limit = table.read(source, "rate-limit", |value| reader::whole(value, 1, 400));
    let page_size = table.read(source, "page-size", |value| {
        let size = reader::whole(value, 1, 100)?;
        Ok(u8::try_from(size).ok().and_then(PageSize::new).expect("checked against the bounds of a page"))
    });
    InstanceEntry {
        platform,
        url: table.read(source, "url", |value| values::parse_url(&reader::text(value)?)),
        token: secret(table, source, "token-env", "token-file"),
        token_expires: table.read(source, "token-expires", |value| day(&reader::text(value)?)),
        webhook_path: secret(table, source, "webhook-path-env", "webhook-path-file"),
        connect_timeout: table.read(source, "connect-timeout", reader::duration),
        read_timeout: table.read(source, "read-timeout", reader::duration),
        total_timeout: table.read(source, "total-timeout", reader::duration),
        page_size,
        rate_limit: rate_limit
            .map(|setting| setting.map(|n| u32::try_from(n).expect("checked against bounds within u32"))),
    }
}

/// Reads where a secret is: a variable or a file, not both.
pub(super) fn secret(
    table: Table<'_, '_>,
    source: &mut Source<'_>,
    variable_key: &'static str,
    file_key: &'static str,
) -> Option<Setting<SecretSource>> {
    let file = source.path().to_owned();
    let variable = table.read(source, variable_key, |value| {
        let name = reader::text(value)?;
        if values::is_variable_name(&name) {
            return Ok(SecretSource::Variable(name));
        }
        // Whatever was written there may be the secret itself: it is not repeated.
        Err(InvalidValue::new("the name of an environment variable is expected, in capitals")
            .hint("the secret itself is never written in this file"))
    });
    let path = table.read(source, file_key, |value| {
        let path = reader::text(value)?;
        if path.is_empty() {
            Err(InvalidValue::new("the path is empty"))
        } else {
            Ok(SecretSource::File(values::beside(&file, &path)))
        }
    });
    if table.has(variable_key) && table.has(file_key) {
        let error = InvalidValue::new(format!("`{variable_key}` is given as well")).hint("keep one of the two");
        source.report(table.offset_of(file_key), table.key(file_key), error);
    }
    variable.or(path)
}

/// Reads the name of something that the file defines elsewhere. It may be left out when there is but one.
fn reference<'n>(
    table: Table<'_, '_>,
    source: &mut Source<'_>,
    key: &'static str,
    known: impl Iterator<Item = &'n String> + Clone,
) -> Option<Setting<String>> {
    if !table.has(key) {
        let mut names = known.clone();
        return match (names.next(), names.next()) {
            (Some(only), None) => Some(Setting::default(only.clone())),
            (None, _) => {
                let error =
                    InvalidValue::new(format!("no {key} is defined")).hint(format!("add a table `[{key}s.NAME]`"));
                source.report(table.offset, table.key(key), error);
                None
            }
            (Some(_), Some(_)) => {
                let names: Vec<_> = known.map(String::as_str).collect();
                let error = InvalidValue::new(format!("the {key} is missing"));
                source.report(table.offset, table.key(key), error.hint(format!("one of: {}", names.join(", "))));
                None
            }
        };
    }
    table.read(source, key, |value| {
        let name = reader::text(value)?;
        if known.clone().any(|defined| *defined == name) {
            return Ok(name);
        }
        Err(unknown_name(key, &name, known.map(String::as_str)))
    })
}

/// A name that nothing has, with the one that was probably meant.
pub(super) fn unknown_name<'n>(what: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> InvalidValue {
    let known: Vec<&str> = known.into_iter().collect();
    let error = InvalidValue::new(format!("no {what} is called `{name}`"));
    match keys::nearest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => error,
        None => error.hint(format!("known: {}", known.join(", "))),
    }
}

fn address(text: &str) -> Result<SocketAddr, InvalidValue> {
    text.parse().map_err(|_| {
        InvalidValue::new(format!("`{text}` is not an address with a port"))
            .hint("such as \"127.0.0.1:9464\", or \"0.0.0.0:9464\" for other machines too")
    })
}

pub(super) fn day(text: &str) -> Result<Date, InvalidValue> {
    text.parse().map_err(|_| InvalidValue::new(format!("`{text}` is not a day")).hint("such as \"2027-01-31\""))
}

fn check_sync(sync: &SyncSettings, table: Table<'_, '_>, source: &mut Source<'_>) {
    for (key, error) in sync.contradictions() {
        source.report(table.offset_of(key), table.key(key), error);
    }
}
