//! Builds a [`Client`](super::Client): address, token, time-outs, retries.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap, HeaderValue};
use secrecy::SecretString;
use url::Url;

use super::client::Client;
use super::clock::LocalClock;
use super::error::ApiError;
use super::exchange::Way;
use super::fields::ExtraFields;
use super::rate_limit::RateLimiter;
use super::transport::Transport;
use crate::platform::Platform;
use bearer_http::{Pace, Secret, Timeouts, address, client};

/// Configures a client. Each setter states its default.
#[must_use]
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    platform: Platform,
    url: Option<String>,
    token: Option<SecretString>,
    limiter: Option<RateLimiter>,
    user_agent: String,
    connect_timeout: Duration,
    read_timeout: Duration,
    total_timeout: Duration,
    retry_base: Duration,
    jitter: f64,
    body_limit: usize,
    wanted: ExtraFields,
    clock: LocalClock,
    #[cfg(feature = "sandbox")]
    exchange: Option<Arc<dyn super::Exchange>>,
}

/// First backoff of `disposition`; `retry_base` scales all waits relative to it.
const USUAL_RETRY_BASE: Duration = Duration::from_millis(500);

impl ClientBuilder {
    pub(super) fn new(platform: Platform) -> Self {
        Self {
            platform,
            url: None,
            token: None,
            limiter: None,
            user_agent: crate::USER_AGENT.to_owned(),
            connect_timeout: Duration::from_secs(10),
            // The platform may be silent for the 30 s that it allows a query (docs/platform.md#requests).
            read_timeout: Duration::from_secs(45),
            total_timeout: Duration::from_secs(90),
            retry_base: USUAL_RETRY_BASE,
            jitter: Pace::default().jitter,
            body_limit: 256 << 20,
            wanted: ExtraFields::default(),
            clock: LocalClock::default(),
            #[cfg(feature = "sandbox")]
            exchange: None,
        }
    }

    /// Sets the token. Default: none, which reads public forms only.
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Sets the address of the GraphQL endpoint. Default: that of the platform. `http` is accepted for loopback
    /// addresses only.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Sets the rate limiter. Share it with every client that uses the same token. Default: one of its own, 400
    /// requests a minute.
    pub fn limiter(mut self, limiter: RateLimiter) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// Sets the `User-Agent` header. Default: the name and version of this crate.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Limits the time for opening a connection. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Limits the silence of the platform within one request. Default: 45 s; the platform gives up after 30 s
    /// (docs/platform.md#requests).
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// Limits one request as a whole. Default: 90 s.
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// Sets the backoff before the first retry. Later waits, and those that the platform asks for, are scaled with it.
    /// Default: 500 ms, which leaves the platform's own waits as they are. For tests.
    pub fn retry_base(mut self, base: Duration) -> Self {
        self.retry_base = base;
        self
    }

    /// Sets the jitter: the largest share by which chance lengthens a wait, so that many clients do not retry at once.
    /// Default: 0.25. With 0, waits are repeatable.
    #[doc(hidden)]
    pub fn retry_jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// Sets the clock. Default: the clock of this machine. It is only compared with the platform's own dates, to wait
    /// for the instant that a 429 names.
    #[doc(hidden)]
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = LocalClock::new(clock);
        self
    }

    /// Replaces the network by another way to the platform. Default: the network.
    #[doc(hidden)]
    #[cfg(feature = "sandbox")]
    pub fn exchange(mut self, exchange: Arc<dyn super::Exchange>) -> Self {
        self.exchange = Some(exchange);
        self
    }

    /// Limits the size of an answer, in bytes after decompression. Default: 256 MiB.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Asks for fields of dossiers that are newer than the pinned schema, where the platform has them. The client reads
    /// the platform's schema before the first whole dossier; if that fails, it asks for the pinned fields only. Default: no.
    pub fn newer_fields(mut self, newer: bool) -> Self {
        self.wanted.newer = newer;
        self
    }

    /// Asks for the sub-values of champs: see [`Client::with_columns`]. Default: no.
    pub fn columns(mut self, columns: bool) -> Self {
        self.wanted.columns = columns;
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ApiError::Settings`] names the setting at fault.
    pub fn build(mut self) -> Result<Client, ApiError> {
        let text = self.url.as_deref().unwrap_or_else(|| self.platform.default_url());
        let (url, loopback) = address(text)?;
        let token = self.token.as_ref().map(|token| Secret::new("token", token)).transpose()?;
        let way = self.way(&url, loopback)?;
        let mut transport = Transport::new(way, url, token, self.limiter.unwrap_or_default());
        transport.body_limit = self.body_limit;
        let factor = self.retry_base.as_secs_f64() / USUAL_RETRY_BASE.as_secs_f64();
        transport.pace = Pace { factor, jitter: self.jitter };
        transport.clock = self.clock;
        Ok(Client::over(self.platform, Arc::new(transport), self.wanted))
    }

    fn way(&mut self, url: &Url, loopback: bool) -> Result<Way, ApiError> {
        #[cfg(feature = "sandbox")]
        if let Some(exchange) = self.exchange.take() {
            return Ok(Way::Within(exchange));
        }
        let mut headers = HeaderMap::new();
        // `stringValue` and messages follow this header: an unset one would make two machines read different texts
        // (trap 58).
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("fr"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let timeouts =
            Timeouts { connect: self.connect_timeout, read: Some(self.read_timeout), total: self.total_timeout };
        Ok(Way::Network(client((url, loopback), headers, &self.user_agent, timeouts)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_platforms_have_an_address_that_is_accepted() {
        for platform in Platform::ALL {
            assert!(address(platform.default_url()).is_ok(), "{platform}");
        }
    }
}
