//! Builds a client.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use secrecy::SecretString;

use super::address::api_base;
use super::client::Client;
use super::error::GristError;
use super::limiter::Limiters;
use super::transport::{Credential, Transport};
use bearer_http::{Pace, Secret, Timeouts, client};

/// The wait before the first repetition that `disposition` counts from.
const USUAL_RETRY_BASE: Duration = Duration::from_millis(500);

/// Builder of a client. Each setter states its default.
#[must_use]
#[derive(Clone, Debug)]
pub struct Builder {
    url: String,
    key: SecretString,
    user_agent: String,
    connect_timeout: Duration,
    total_timeout: Duration,
    retry_base: Duration,
    body_limit: usize,
}

impl Builder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            key: SecretString::default(),
            user_agent: concat!("grist-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(120),
            retry_base: USUAL_RETRY_BASE,
            body_limit: 256 << 20,
        }
    }

    /// The API key of an account: all that the account may do, with all its documents (Grist trap 40). Prefer a service account.
    /// Default: none, and building fails.
    pub fn key(mut self, key: impl Into<SecretString>) -> Self {
        self.key = key.into();
        self
    }

    /// Sets the `User-Agent` header. Default: the name and version of this crate.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Sets the time limit for opening a connection. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the time limit for a request as a whole. Default: 120 s. A document with heavy formulas is slow, and silent
    /// meanwhile: less than 60 s finds good documents too slow. An upload gets a second more per 100 kB.
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// The wait before the first repetition of a failed request; all others are scaled with it. Default: 500 ms. For
    /// tests.
    pub fn retry_base(mut self, base: Duration) -> Self {
        self.retry_base = base;
        self
    }

    /// The largest answer to read, in bytes after decompression. Default: 256 MiB.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Builds it. Nothing is sent.
    ///
    /// # Errors
    /// [`GristError::Settings`] names the setting at fault.
    pub fn build(self) -> Result<Client, GristError> {
        let (base, loopback) = api_base(&self.url)?;
        let key = Secret::new("key", &self.key)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // Silence is not a sign: a document computes before it says a word.
        let timeouts = Timeouts { connect: self.connect_timeout, read: None, total: self.total_timeout };
        let http = client((&base, loopback), headers, &self.user_agent, timeouts)?;
        Ok(Client::over(Arc::new(Transport {
            http,
            base,
            credential: Credential::Key(key),
            limiters: Limiters::default(),
            counters: Arc::default(),
            total_timeout: self.total_timeout,
            body_limit: self.body_limit,
            pace: Pace { factor: self.retry_base.as_secs_f64() / USUAL_RETRY_BASE.as_secs_f64(), ..Pace::default() },
        })))
    }
}
