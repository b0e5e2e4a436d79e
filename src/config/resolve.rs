//! Flags × environment × file × defaults → what to work on.

use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Date;
use url::Url;

use super::defaults;
use super::document::{Config, DemarcheEntry, InstanceEntry};
use super::error::{ConfigError, Problem};
use super::kinds::unknown_name;
use super::origin::{Setting, SettingOrigin};
use super::privacy::{self, PolicyChoice};
use super::run::RunSettings;
use super::selection::SelectionSettings;
use super::sync::SyncSettings;
use super::target::{Target, TargetEntry, resolve_target};
use super::values::{InvalidValue, SecretSource, is_short_name, parse_url};
use crate::api::PageSize;
use crate::ids::DemarcheNumber;
use crate::platform::Platform;

/// Holds the values of flags. Texts are checked here rather than by the parser of flags, so that a wrong address is the same error
/// wherever it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--demarche`: empty for all démarches of the file.
    pub demarches: Vec<DemarcheNumber>,
    /// `--instance`.
    pub instance: Option<String>,
    /// `--url`.
    pub url: Option<String>,
    /// `--platform`.
    pub platform: Option<Platform>,
    /// `--to`.
    pub to: Option<String>,
    /// `--page-size`.
    pub page_size: Option<PageSize>,
    /// `--policy`.
    pub policy: Option<String>,
    /// `--restore-columns`.
    pub restore_columns: bool,
    /// `--files`.
    pub files: bool,
    /// `--accept-address`.
    pub accept_address: bool,
}

/// The environment, as a function of the name of a variable.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A platform and how to talk to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Its short name: that of the file, `dn` or `ds` for the two platforms themselves, or the host.
    pub name: String,
    /// The kind of platform.
    pub platform: Setting<Platform>,
    /// Its GraphQL address.
    pub url: Setting<Url>,
    /// Where its token is.
    pub token: Setting<SecretSource>,
    /// The day on which its token ends, when somebody wrote it down: the platform does not tell.
    pub token_expires: Option<Setting<Date>>,
    /// Where the secret part of the address is that its webhooks call, when it has one.
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

/// A démarche to follow into a target.
#[derive(Clone, Debug, PartialEq)]
pub struct JobConfig {
    /// Where it is.
    pub instance: Instance,
    /// Its number.
    pub demarche: Setting<DemarcheNumber>,
    /// Where its dossiers go.
    pub target: Setting<Target>,
    /// The privacy policy: what may leave the platform.
    pub policy: Setting<PolicyChoice>,
    /// Which of its dossiers are kept.
    pub selection: SelectionSettings,
    /// Its sync settings.
    pub sync: SyncSettings,
    /// When `dn run` runs it.
    pub run: RunSettings,
}

/// A démarche of an instance, before it is known where its dossiers go.
struct Selected<'c> {
    instance: Instance,
    demarche: Setting<DemarcheNumber>,
    entry: Option<&'c DemarcheEntry>,
}

/// The jobs that flags, environment and file ask for, in the order of the flags or of the file.
///
/// # Errors
/// No démarche, no target, a name that nothing has, or an address that cannot be used.
pub fn resolve(config: &Config, flags: &Overrides, variables: Variables<'_>) -> Result<Vec<JobConfig>, ConfigError> {
    let flag_target = flags.to.as_deref().map(|text| resolve_target(text, variables)).transpose()?;
    let mut jobs = Vec::new();
    for Selected { instance, demarche, entry } in select(config, flags, variables)? {
        let mut target = match (&flag_target, entry) {
            (Some(target), _) => Setting { value: target.clone(), origin: SettingOrigin::Flag("--to") },
            (None, Some(entry)) => complete(&entry.target.value, &config.targets[&entry.target.value], variables)?,
            (None, None) => only_target(config, variables)?,
        };
        target.value.complete(&instance.name, flags);
        jobs.push(JobConfig {
            instance,
            demarche,
            target,
            policy: policy(config, flags, entry)?,
            selection: entry.map(|entry| entry.selection.clone()).unwrap_or_default(),
            sync: entry.map_or_else(|| config.sync.clone(), |entry| entry.sync.clone()),
            run: entry.map_or_else(|| config.run.clone(), |entry| entry.run.clone()),
        });
    }
    // A flag that means something to one of the targets is no mistake.
    let refused: Vec<_> = jobs.iter().map(|job| job.target.value.refused_flags(flags)).collect();
    if let Some((flag, reason)) = refused.iter().min_by_key(|flags| flags.len()).and_then(|flags| flags.first()) {
        return Err(ConfigError::one(Problem::new(*flag, *reason).hint("leave it out")));
    }
    Ok(jobs)
}

/// The démarches to look at, each with its instance: for what needs no target.
///
/// # Errors
/// No démarche, a name that nothing has, or an address that cannot be used.
pub fn resolve_demarches(
    config: &Config,
    flags: &Overrides,
    variables: Variables<'_>,
) -> Result<Vec<(Instance, DemarcheNumber)>, ConfigError> {
    let selected = select(config, flags, variables)?;
    Ok(selected.into_iter().map(|one| (one.instance, one.demarche.value)).collect())
}

/// The instance to talk to: for what needs no démarche.
///
/// # Errors
/// Several instances and none chosen, a name that nothing has, or an address that cannot be used.
pub fn resolve_instance(config: &Config, flags: &Overrides, variables: Variables<'_>) -> Result<Instance, ConfigError> {
    let named: Vec<&DemarcheEntry> = listed(config, flags).collect();
    if let (Some(first), None) = (named.first(), &flags.instance)
        && !flags.demarches.is_empty()
        && named.iter().all(|entry| entry.instance.value == first.instance.value)
    {
        return instance(config, flags, variables, Some(&first.instance.value));
    }
    instance(config, flags, variables, None)
}

/// The privacy policy of a démarche that the file does not list.
///
/// # Errors
/// A name that nothing has.
pub fn resolve_policy(config: &Config, flags: &Overrides) -> Result<Setting<PolicyChoice>, ConfigError> {
    policy(config, flags, None)
}

/// The démarches of the file that the flags do not rule out.
fn listed<'c>(config: &'c Config, flags: &Overrides) -> impl Iterator<Item = &'c DemarcheEntry> {
    config.demarches.iter().filter(|entry| {
        let number = flags.demarches.is_empty() || flags.demarches.contains(&entry.number.value);
        let instance = flags.instance.as_ref().is_none_or(|name| *name == entry.instance.value);
        number && instance
    })
}

fn select<'c>(
    config: &'c Config,
    flags: &Overrides,
    variables: Variables<'_>,
) -> Result<Vec<Selected<'c>>, ConfigError> {
    let entries: Vec<&DemarcheEntry> = listed(config, flags).collect();
    let mut touched: Vec<&str> = entries.iter().map(|entry| entry.instance.value.as_str()).collect();
    touched.sort_unstable();
    touched.dedup();
    if touched.len() > 1 {
        refuse_shared_address(flags, variables, &touched)?;
    }
    let mut selected = Vec::new();
    for entry in &entries {
        selected.push(Selected {
            instance: instance(config, flags, variables, Some(&entry.instance.value))?,
            demarche: entry.number.clone(),
            entry: Some(entry),
        });
    }
    for number in &flags.demarches {
        if !entries.iter().any(|entry| entry.number.value == *number) {
            selected.push(Selected {
                instance: instance(config, flags, variables, None)?,
                demarche: Setting { value: *number, origin: SettingOrigin::Flag("--demarche") },
                entry: None,
            });
        }
    }
    if selected.is_empty() {
        let problem = Problem::new("", "no démarche is named");
        let hint = match &flags.instance {
            Some(name) if !config.demarches.is_empty() => format!("the file lists none for the instance `{name}`"),
            _ => "name one with `--demarche NUMBER`, or list it in a configuration file".to_owned(),
        };
        return Err(ConfigError::one(problem.hint(hint)));
    }
    Ok(selected)
}

/// One address for several instances would send the token of one to the other.
fn refuse_shared_address(flags: &Overrides, variables: Variables<'_>, touched: &[&str]) -> Result<(), ConfigError> {
    let set = |variable: &'static str| variables(variable).is_some_and(|value| !value.is_empty()).then_some(variable);
    let culprit = flags.url.as_ref().map(|_| "--url").or_else(|| flags.platform.map(|_| "--platform"));
    let Some(culprit) = culprit.or_else(|| set(defaults::URL_ENV)).or_else(|| set(defaults::PLATFORM_ENV)) else {
        return Ok(());
    };
    let message = format!("one value cannot hold for several instances ({})", touched.join(", "));
    Err(ConfigError::one(Problem::new(culprit, message).hint("choose one with `--instance`, or leave it out")))
}

fn instance(
    config: &Config,
    flags: &Overrides,
    variables: Variables<'_>,
    wanted: Option<&str>,
) -> Result<Instance, ConfigError> {
    let wanted = wanted.or(flags.instance.as_deref());
    let entry: Option<(&String, &InstanceEntry)> = match wanted {
        Some(name) => match config.instances.get_key_value(name) {
            Some(found) => Some(found),
            None if config.instances.is_empty() => None,
            None => {
                let error = unknown_name("instance", name, config.instances.keys().map(String::as_str));
                return Err(wrong("--instance", error));
            }
        },
        None => match (config.instances.len(), config.instances.first_key_value()) {
            (0 | 1, first) => first,
            _ => {
                let names: Vec<&str> = config.instances.keys().map(String::as_str).collect();
                let problem = Problem::new("", "the file names several instances");
                return Err(ConfigError::one(problem.hint(format!("choose with `--instance`: {}", names.join(", ")))));
            }
        },
    };
    let unsaid = InstanceEntry::default();
    let (name, said) = entry.map_or((None, &unsaid), |(name, entry)| (Some(name.clone()), entry));
    let platform = platform(flags, variables, said)?;
    let url = url(flags, variables, said, platform.value)?;
    let name = match (name, &flags.instance) {
        (Some(name), _) => name,
        (None, Some(name)) if is_short_name(name) => name.clone(),
        (None, Some(name)) => {
            let error = InvalidValue::new(format!("`{name}` cannot be the name of an instance"))
                .hint("at most 24 small letters, digits and hyphens, beginning with a letter");
            return Err(wrong("--instance", error));
        }
        (None, None) => short_name(platform.value, &url.value),
    };
    let page_size = match flags.page_size {
        Some(size) => Setting { value: size, origin: SettingOrigin::Flag("--page-size") },
        None => said.page_size.clone(),
    };
    Ok(Instance {
        name,
        platform,
        url,
        token: token(variables, said),
        token_expires: said.token_expires.clone(),
        webhook_path: said.webhook_path.clone(),
        connect_timeout: said.connect_timeout.clone(),
        read_timeout: said.read_timeout.clone(),
        total_timeout: said.total_timeout.clone(),
        page_size,
        rate_limit: said.rate_limit.clone(),
    })
}

fn platform(
    flags: &Overrides,
    variables: Variables<'_>,
    said: &InstanceEntry,
) -> Result<Setting<Platform>, ConfigError> {
    if let Some(value) = flags.platform {
        return Ok(Setting { value, origin: SettingOrigin::Flag("--platform") });
    }
    let variable = defaults::PLATFORM_ENV;
    if let Some(name) = variables(variable).filter(|value| !value.is_empty()) {
        let value = name
            .parse()
            .map_err(|_| wrong(variable, unknown_name("platform", &name, Platform::ALL.map(Platform::as_str))))?;
        return Ok(Setting { value, origin: SettingOrigin::Environment(variable.to_owned()) });
    }
    Ok(said.platform.clone())
}

fn url(
    flags: &Overrides,
    variables: Variables<'_>,
    said: &InstanceEntry,
    platform: Platform,
) -> Result<Setting<Url>, ConfigError> {
    if let Some(text) = &flags.url {
        let value = parse_url(text).map_err(|error| wrong("--url", error))?;
        return Ok(Setting { value, origin: SettingOrigin::Flag("--url") });
    }
    let variable = defaults::URL_ENV;
    if let Some(text) = variables(variable).filter(|value| !value.is_empty()) {
        let value = parse_url(&text).map_err(|error| wrong(variable, error))?;
        return Ok(Setting { value, origin: SettingOrigin::Environment(variable.to_owned()) });
    }
    Ok(said.url.clone().unwrap_or_else(|| {
        Setting::default(Url::parse(platform.default_url()).expect("the addresses of the platforms are valid"))
    }))
}

/// The file names where its token is; else `DN_TOKEN`, else the file that `DN_TOKEN_FILE` names.
fn token(variables: Variables<'_>, said: &InstanceEntry) -> Setting<SecretSource> {
    let set = |name: &str| variables(name).filter(|value| !value.is_empty());
    if let Some(source) = &said.token {
        return source.clone();
    }
    let variable = SecretSource::Variable(defaults::TOKEN_ENV.to_owned());
    if set(defaults::TOKEN_ENV).is_some() {
        return Setting { value: variable, origin: SettingOrigin::Environment(defaults::TOKEN_ENV.to_owned()) };
    }
    match set(defaults::TOKEN_FILE_ENV) {
        Some(path) => Setting {
            value: SecretSource::File(PathBuf::from(path)),
            origin: SettingOrigin::Environment(defaults::TOKEN_FILE_ENV.to_owned()),
        },
        None => Setting::default(variable),
    }
}

/// The name of an instance that nobody named: the same in every run, and another one for another address, as the numbers of
/// two instances collide in one target.
fn short_name(platform: Platform, url: &Url) -> String {
    if url.as_str() == platform.default_url() {
        return match platform {
            Platform::DemarcheNumerique => "dn".to_owned(),
            Platform::DematSocial => "ds".to_owned(),
        };
    }
    let mut place = url.host_str().unwrap_or_default().to_lowercase();
    if let Some(port) = url.port() {
        place.push_str(&format!("-{port}"));
    }
    let path = url.path().trim_matches('/');
    if path != "api/v2/graphql" {
        place.push_str(&format!("-{path}"));
    }
    if url.scheme() != "https" {
        place.push_str(&format!("-{}", url.scheme()));
    }
    let slug: String = place.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let slug = slug.trim_matches('-');
    let begins_with_letter = slug.starts_with(|c: char| c.is_ascii_lowercase());
    let name = if begins_with_letter { slug.to_owned() } else { format!("at-{slug}") };
    if name.len() <= 24 {
        return name;
    }
    // Two long names that begin alike must not become one.
    let sum = place
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{}-{:08x}", name[..15].trim_end_matches('-'), sum >> 32)
}

/// The schema of an instance in a database, where its address names none. Short names are made of small letters, digits
/// and hyphens, so two never become one, and nobody has to write quotes around it.
pub(super) fn schema_of(instance: &str) -> String {
    instance.replace('-', "_")
}

/// A target of the file with what the environment adds.
fn complete(
    name: &str,
    entry: &Setting<TargetEntry>,
    variables: Variables<'_>,
) -> Result<Setting<Target>, ConfigError> {
    let key = format!("targets.{name}");
    let value = entry.value.clone().complete(variables).map_err(|error| wrong(&key, error))?;
    Ok(Setting { value, origin: entry.origin.clone() })
}

fn only_target(config: &Config, variables: Variables<'_>) -> Result<Setting<Target>, ConfigError> {
    match (config.targets.len(), config.targets.first_key_value()) {
        (1, Some((name, target))) => complete(name, target, variables),
        (0, _) => Err(ConfigError::one(
            Problem::new("--to", "no target is named")
                .hint("for example `--to sqlite:dossiers.db`, or `--to grist:DOCUMENT`"),
        )),
        _ => {
            let known: Vec<String> = config.targets.values().map(|target| target.value.to_string()).collect();
            let problem = Problem::new("--to", "the file names several targets");
            Err(ConfigError::one(problem.hint(format!("choose one of: {}", known.join(", ")))))
        }
    }
}

fn policy(
    config: &Config,
    flags: &Overrides,
    entry: Option<&DemarcheEntry>,
) -> Result<Setting<PolicyChoice>, ConfigError> {
    let choose = |name: &str| PolicyChoice::find(&config.policies, name);
    if let Some(name) = &flags.policy {
        let known = config.policies.keys().map(String::as_str).chain(privacy::presets());
        let value = choose(name).ok_or_else(|| wrong("--policy", unknown_name("privacy policy", name, known)))?;
        return Ok(Setting { value, origin: SettingOrigin::Flag("--policy") });
    }
    let said = entry.and_then(|entry| entry.privacy.clone());
    Ok(match said.and_then(|name| choose(&name.value).map(|value| Setting { value, origin: name.origin })) {
        Some(policy) => policy,
        None => Setting::default(PolicyChoice::default()),
    })
}

pub(super) fn wrong(key: &str, error: InvalidValue) -> ConfigError {
    let InvalidValue { message, hint } = error;
    ConfigError::one(Problem { hint, ..Problem::new(key, message) })
}
