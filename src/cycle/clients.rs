//! Makes clients and privacy filters from settings, with the secrets that these name.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::error::CycleError;
use crate::api::{Client, ClientBuilder, RateLimiter};
use crate::config::{Instance, PolicyChoice, SecretError, SecretSource, Secrets, defaults};
use crate::privacy::{Filter, PseudonymKey};

/// The span of time in which the platform counts requests (docs/platform.md#rate-limits).
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// Names a token in messages.
const TOKEN: &str = "token";

/// Makes a client of an instance.
///
/// # Errors
/// No token where the settings say; settings that no client can use.
pub fn client(instance: &Instance, secrets: &Secrets) -> Result<Client, CycleError> {
    client_with(instance, secrets.read(TOKEN, &instance.token.value)?)
}

/// Makes a client of an instance with a token that is nowhere in the settings.
///
/// # Errors
/// Settings that no client can use.
pub fn client_with(instance: &Instance, token: SecretString) -> Result<Client, CycleError> {
    Ok(builder(instance).token(token).build()?)
}

/// Makes a client of an instance, without a token if there is none: for work that needs no network, or no rights.
///
/// # Errors
/// A token that cannot be read; settings that no client can use.
pub fn client_or_anonymous(instance: &Instance, secrets: &Secrets) -> Result<Client, CycleError> {
    match secrets.read(TOKEN, &instance.token.value) {
        Ok(token) => client_with(instance, token),
        Err(SecretError::Absent { .. }) => Ok(builder(instance).build()?),
        Err(error) => Err(error.into()),
    }
}

/// Makes the privacy filter of a policy.
///
/// # Errors
/// A key of pseudonyms that is not there, or too short; a policy that cannot be put to work.
pub fn filter(choice: &PolicyChoice, secrets: &Secrets) -> Result<Filter, CycleError> {
    let source = choice.key.clone().or_else(|| {
        // The usual variable is looked at only when something needs it.
        choice.policy.needs_key().then(|| SecretSource::Variable(defaults::PRIVACY_KEY_ENV.to_owned()))
    });
    let key = source.map(|source| secrets.read("key of pseudonyms", &source)).transpose()?;
    let key = key.map(|key| PseudonymKey::new(&key)).transpose()?;
    for unfamiliar in choice.policy.unfamiliar() {
        tracing::warn!(policy = choice.name, "{unfamiliar}; it takes effect as soon as the platform has one");
    }
    Ok(Filter::new(choice.policy.clone(), key)?)
}

/// Holds a token that was read, for clients whose rate limiter others share.
pub struct InstanceToken(SecretString);

impl InstanceToken {
    /// Reads the token of an instance.
    ///
    /// # Errors
    /// No token where the settings say.
    pub fn read(instance: &Instance, secrets: &Secrets) -> Result<Self, CycleError> {
        Ok(Self(secrets.read(TOKEN, &instance.token.value)?))
    }

    /// Gives the key under which its requests are counted: a digest of the address and the token, from which neither can be
    /// found.
    #[must_use]
    pub fn key(&self, instance: &Instance) -> String {
        let mut digest = Sha256::new();
        digest.update(instance.url.value.as_str().as_bytes());
        digest.update([0]);
        digest.update(self.0.expose_secret().as_bytes());
        digest.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// Makes a client of its instance, with a limiter that others share.
    ///
    /// # Errors
    /// Settings that no client can use.
    pub fn client(self, instance: &Instance, limiter: RateLimiter) -> Result<Client, CycleError> {
        Ok(builder(instance).limiter(limiter).token(self.0).build()?)
    }
}

fn builder(instance: &Instance) -> ClientBuilder {
    Client::builder(instance.platform.value)
        .url(instance.url.value.clone())
        .connect_timeout(instance.connect_timeout.value)
        .read_timeout(instance.read_timeout.value)
        .total_timeout(instance.total_timeout.value)
        .limiter(RateLimiter::new(instance.rate_limit.value, WINDOW))
        .newer_fields(true)
}
