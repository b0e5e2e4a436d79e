//! How a client is made.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap, HeaderValue};
use secrecy::SecretString;

use super::client::Client;
use super::error::ApiError;
use super::rate_limit::RateLimiter;
use super::transport::Transport;
use crate::http::{Secret, Timeouts, address, client};
use crate::platform::Platform;

/// What a client is built from. Each setter tells its default.
#[must_use]
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    platform: Platform,
    url: Option<String>,
    token: Option<SecretString>,
    limiter: Option<RateLimiter>,
    user_agent: Option<String>,
    connect_timeout: Duration,
    read_timeout: Duration,
    total_timeout: Duration,
    retry_base: Duration,
    body_limit: usize,
}

/// The wait before the first repetition that `disposition` counts from.
const USUAL_RETRY_BASE: Duration = Duration::from_millis(500);

impl ClientBuilder {
    pub(super) fn new(platform: Platform) -> Self {
        Self {
            platform,
            url: None,
            token: None,
            limiter: None,
            user_agent: None,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(45),
            total_timeout: Duration::from_secs(90),
            retry_base: USUAL_RETRY_BASE,
            body_limit: 256 << 20,
        }
    }

    /// The token. Default: none, which reads public forms only.
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The GraphQL address. Default: that of the platform itself. `http` is accepted for this very machine only.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// The limiter, to share with whatever else uses the same token. Default: one of its own, 400 requests a minute.
    pub fn limiter(mut self, limiter: RateLimiter) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// What the client calls itself. Default: the name and version of this crate.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// How long opening a connection may take. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the platform may stay silent. Default: 45 s; it gives up by itself after 30 s (dn-api 1.7).
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// How long one request may take as a whole. Default: 90 s.
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// The wait before the first repetition of a failed request; the later ones, and those that the platform asks for,
    /// are scaled with it. Default: 500 ms, which leaves the platform's own waits as they are. For tests.
    pub fn retry_base(mut self, base: Duration) -> Self {
        self.retry_base = base;
        self
    }

    /// The largest answer to read, in bytes after decompression. Default: 256 MiB.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ApiError::Settings`] names the setting at fault.
    pub fn build(self) -> Result<Client, ApiError> {
        let text = self.url.as_deref().unwrap_or_else(|| self.platform.default_url());
        let (url, loopback) = address(text)?;
        let token = self.token.as_ref().map(|token| Secret::new("token", token)).transpose()?;
        let mut headers = HeaderMap::new();
        // The platform's texts follow this header (trap 58).
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("fr"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let timeouts =
            Timeouts { connect: self.connect_timeout, read: Some(self.read_timeout), total: self.total_timeout };
        let http = client((&url, loopback), headers, self.user_agent, timeouts)?;
        let mut transport = Transport::new(http, url, token, self.limiter.unwrap_or_default());
        transport.body_limit = self.body_limit;
        transport.pace = self.retry_base.as_secs_f64() / USUAL_RETRY_BASE.as_secs_f64();
        Ok(Client::over(self.platform, Arc::new(transport)))
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
