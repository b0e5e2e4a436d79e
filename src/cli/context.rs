//! What every command needs: the surroundings, the settings, the secrets.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::GlobalArgs;
use super::error::CliError;
use super::printer;
use super::terminal::{ProgressMode, Surroundings};
use crate::api::{Client, RateLimiter};
use crate::config::{Config, Instance, Origin, PolicyChoice, SecretSource, Setting, defaults};
use crate::privacy::{Filter, PseudonymKey};

/// What every command needs.
#[derive(Debug)]
pub struct Context {
    /// The global flags.
    pub global: GlobalArgs,
    /// What the terminal allows.
    pub around: Surroundings,
    /// How wide tables are.
    pub width: u16,
    /// In which zone instants are shown.
    pub zone: TimeZone,
}

impl Context {
    /// Looks at the environment and the terminal of this process.
    pub fn of_this_process(global: GlobalArgs) -> Self {
        let set = |name: &str| variable(name).is_some();
        let around = Surroundings {
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            no_color: set("NO_COLOR"),
            ci: set("CI"),
            dumb: variable("TERM").is_some_and(|term| term == "dumb"),
        };
        let columns = comfy_table::Table::new().width();
        Self { global, around, width: printer::width(columns), zone: TimeZone::system() }
    }

    /// How progress is shown. Logs of single pages would tear a bar apart, so lines replace it.
    pub fn progress(&self, json: bool) -> ProgressMode {
        match ProgressMode::resolve(self.around, self.global.quiet, json) {
            ProgressMode::Bar if self.global.verbose > 0 => ProgressMode::Lines,
            mode => mode,
        }
    }

    /// The present instant.
    #[expect(clippy::unused_self, reason = "the clock belongs to the surroundings")]
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// The path of the configuration file, if one was named.
    pub fn config_path(&self) -> Option<Setting<PathBuf>> {
        if let Some(path) = &self.global.config {
            return Some(Setting { value: path.clone(), origin: Origin::Flag("--config") });
        }
        let origin = Origin::Environment(defaults::CONFIG_ENV.to_owned());
        variable(defaults::CONFIG_ENV).map(|path| Setting { value: PathBuf::from(path), origin })
    }

    /// The configuration file, or an empty configuration when none was named.
    pub fn config(&self) -> Result<Config, CliError> {
        let Some(path) = self.config_path().map(|setting| setting.value) else { return Ok(Config::default()) };
        let text = std::fs::read_to_string(&path).map_err(|source| CliError::Unreadable {
            what: "the configuration file",
            path: path.clone(),
            source,
        })?;
        Ok(Config::parse(&path, &text)?)
    }

    /// A client of an instance.
    pub fn client(&self, instance: &Instance) -> Result<Client, CliError> {
        let token = read_secret("token", &instance.token.value)?;
        Ok(builder(instance).token(token).build()?)
    }

    /// The token of an instance, for a client whose limiter others share.
    pub fn token(&self, instance: &Instance) -> Result<Token, CliError> {
        Ok(Token(read_secret("token", &instance.token.value)?))
    }

    /// A client of an instance with a token that is nowhere in the settings.
    pub fn client_with(&self, instance: &Instance, token: SecretString) -> Result<Client, CliError> {
        Ok(builder(instance).token(token).build()?)
    }

    /// A client of an instance, without a token when there is none: for what needs no network, or no rights.
    pub fn client_with_or_without_token(&self, instance: &Instance) -> Result<Client, CliError> {
        match read_secret("token", &instance.token.value) {
            Ok(token) => Ok(builder(instance).token(token).build()?),
            Err(CliError::NoSecret { .. }) => Ok(builder(instance).build()?),
            Err(error) => Err(error),
        }
    }

    /// The privacy filter of a policy.
    pub fn filter(&self, choice: &PolicyChoice) -> Result<Filter, CliError> {
        let source = choice.key.clone().or_else(|| {
            // The usual variable is looked at only when something needs it.
            choice.policy.needs_key().then(|| SecretSource::Variable(defaults::PRIVACY_KEY_ENV.to_owned()))
        });
        let key = source.map(|source| read_secret("key of pseudonyms", &source)).transpose()?;
        let key = key.map(|key| PseudonymKey::new(&key)).transpose()?;
        for unfamiliar in choice.policy.unfamiliar() {
            tracing::warn!(policy = choice.name, "{unfamiliar}; it is kept for the day on which the platform has one");
        }
        Ok(Filter::new(choice.policy.clone(), key)?)
    }
}

/// A token that was read.
pub struct Token(SecretString);

impl Token {
    /// What its requests are counted under: a digest of the address and the token, from which neither can be found.
    pub fn key(&self, instance: &Instance) -> String {
        let mut digest = Sha256::new();
        digest.update(instance.url.value.as_str().as_bytes());
        digest.update([0]);
        digest.update(self.0.expose_secret().as_bytes());
        digest.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// A client of its instance, with a limiter that others share.
    pub fn client(self, instance: &Instance, limiter: RateLimiter) -> Result<Client, CliError> {
        Ok(builder(instance).limiter(limiter).token(self.0).build()?)
    }
}

fn builder(instance: &Instance) -> crate::api::ClientBuilder {
    Client::builder(instance.platform.value)
        .url(instance.url.value.clone())
        .connect_timeout(instance.connect_timeout.value)
        .read_timeout(instance.read_timeout.value)
        .total_timeout(instance.total_timeout.value)
        .limiter(RateLimiter::new(instance.rate_limit.value, Duration::from_secs(60)))
        .newer_fields(true)
}

/// A variable of the environment, if it is set to something.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether there is a token for an instance.
pub fn has_token(instance: &Instance) -> bool {
    read_secret("token", &instance.token.value).is_ok()
}

/// Reads a secret from where it is: a variable, or the first line of a file. Outer white space is not part of it.
pub fn read_secret(what: &'static str, source: &SecretSource) -> Result<SecretString, CliError> {
    let text = match source {
        SecretSource::Variable(name) => variable(name).unwrap_or_default(),
        SecretSource::File(path) => std::fs::read_to_string(path).map_err(|source| CliError::Unreadable {
            what: "the file of a secret",
            path: path.clone(),
            source,
        })?,
    };
    match text.lines().next().map(str::trim) {
        Some(secret) if !secret.is_empty() => Ok(SecretString::from(secret)),
        _ => Err(CliError::NoSecret { what, place: source.clone() }),
    }
}
