//! How a client is made.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap, HeaderValue};
use secrecy::SecretString;
use url::{Host, Url};

use super::client::Client;
use super::error::ApiError;
use super::rate_limit::RateLimiter;
use super::tls;
use super::token::Token;
use super::transport::Transport;
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
        let token = self.token.as_ref().map(Token::new).transpose()?;
        let mut headers = HeaderMap::new();
        // The platform's texts follow this header (trap 58).
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("fr"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let user_agent = self.user_agent.unwrap_or_else(|| concat!("dn/", env!("CARGO_PKG_VERSION")).to_owned());
        let user_agent = HeaderValue::from_str(&user_agent).map_err(|_| ApiError::Settings {
            setting: "user agent",
            reason: "it holds characters that a header cannot".to_owned(),
        })?;
        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(url.scheme() == "https")?)
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers)
            .user_agent(user_agent)
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.read_timeout)
            .timeout(self.total_timeout);
        if loopback {
            http = http.no_proxy();
        }
        let http = http
            .build()
            .map_err(|error| ApiError::Settings { setting: "HTTP client", reason: error.without_url().to_string() })?;
        let mut transport = Transport::new(http, url, token, self.limiter.unwrap_or_default());
        transport.body_limit = self.body_limit;
        transport.pace = self.retry_base.as_secs_f64() / USUAL_RETRY_BASE.as_secs_f64();
        Ok(Client::over(self.platform, Arc::new(transport)))
    }
}

/// An address that a token may be sent to, and whether it is this very machine.
fn address(text: &str) -> Result<(Url, bool), ApiError> {
    let wrong = |reason: String| ApiError::Settings { setting: "url", reason };
    let url: Url = text.trim().parse().map_err(|error: url::ParseError| wrong(format!("it is not a URL: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user name or a password: the token has its own setting".to_owned()));
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(wrong("it names no host".to_owned())),
    };
    match url.scheme() {
        "https" => Ok((url, loopback)),
        "http" if loopback => Ok((url, loopback)),
        "http" => Err(wrong("http would send the token in clear: use https".to_owned())),
        other => Err(wrong(format!("`{other}` is not https"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_in_clear_to_this_machine_only() {
        for text in ["https://example.org/graphql", "http://localhost:80/", "http://127.0.0.9:1/x", "http://[::1]:3/"] {
            assert!(address(text).is_ok(), "{text}");
        }
        for text in [
            "http://example.org/graphql",
            "http://localhost.example.org/",
            "http://10.0.0.1/",
            "ftp://localhost/",
            "https://user:secret@example.org/",
            "example.org",
            "",
        ] {
            let error = address(text).expect_err(text);
            assert!(matches!(error, ApiError::Settings { setting: "url", .. }), "{text}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn both_platforms_have_an_address_that_is_accepted() {
        for platform in Platform::ALL {
            assert!(address(platform.default_url()).is_ok(), "{platform}");
        }
    }
}
