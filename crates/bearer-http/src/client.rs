//! Builds HTTP clients, the same way for every platform.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};

use super::{Unfit, tls};

/// Time-outs of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Opening a connection.
    pub connect: Duration,
    /// Silence of the other end; `None` bounds only the whole.
    pub read: Option<Duration>,
    /// One request as a whole.
    pub total: Duration,
}

/// Builds a client for one address of [`address`](super::address). It follows no redirection, which would carry the
/// secret to another host and lose the body of a POST (trap 55). It uses no proxy for loopback addresses. It accepts
/// compressed answers.
///
/// # Errors
/// The setting at fault.
pub fn client(
    (url, loopback): (&url::Url, bool),
    headers: HeaderMap,
    user_agent: &str,
    timeouts: Timeouts,
) -> Result<reqwest::Client, Unfit> {
    let user_agent = HeaderValue::from_str(user_agent)
        .map_err(|_| Unfit { setting: "user agent", reason: "it holds characters that a header cannot".to_owned() })?;
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::config(url.scheme() == "https")?)
        .redirect(reqwest::redirect::Policy::none())
        .default_headers(headers)
        .user_agent(user_agent)
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total);
    if let Some(read) = timeouts.read {
        builder = builder.read_timeout(read);
    }
    if loopback {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| Unfit { setting: "HTTP client", reason: error.without_url().to_string() })
}
