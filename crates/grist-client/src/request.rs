//! A request before it is sent.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use serde::Serialize;
use url::Url;

use super::answer::Asked;
use super::bundle::fitting;
use super::doc::Repeat;
use super::error::GristError;

/// The body of a request.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Empty,
    Json(Bytes),
    File { name: String, content_type: Option<String>, bytes: Bytes },
}

impl Body {
    fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Json(bytes) | Self::File { bytes, .. } => bytes.len(),
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// A short name for the log.
    pub what: &'static str,
    pub method: Method,
    pub url: Url,
    pub body: Body,
    /// `true` if it may be repeated.
    pub repeat: Repeat,
    /// `true` for a writing request.
    pub writes: bool,
    /// Facts that its answer needs.
    pub asked: Asked,
    /// Extra time beyond the usual limit.
    pub extra_time: Duration,
}

impl Request {
    /// A question.
    pub(super) fn get(what: &'static str, url: Url) -> Self {
        let asked = Asked { bytes: url.as_str().len(), ..Asked::default() };
        Self {
            what,
            method: Method::GET,
            url,
            body: Body::Empty,
            repeat: Repeat::Safe,
            writes: false,
            asked,
            extra_time: Duration::ZERO,
        }
    }

    /// Something to be done.
    pub(super) fn post(what: &'static str, url: Url, body: Body, repeat: Repeat) -> Self {
        let mut request = Self::get(what, url);
        request.method = Method::POST;
        request.asked.bytes = body.len();
        request.body = body;
        request.repeat = repeat;
        request.writes = true;
        request
    }

    /// The same, which changes nothing although it is posted.
    pub(super) fn reading(mut self) -> Self {
        self.writes = false;
        self
    }

    /// The same, about these tables.
    pub(super) fn about(mut self, tables: impl IntoIterator<Item = String>) -> Self {
        self.asked.tables = tables.into_iter().collect();
        self
    }

    /// Returns the size of its body in bytes.
    pub(super) fn body_bytes(&self) -> usize {
        self.body.len()
    }
}

/// A body of JSON.
///
/// # Errors
/// [`GristError::TooLarge`]; [`GristError::Malformed`] for what JSON cannot hold.
pub(super) fn json(value: &impl Serialize) -> Result<Body, GristError> {
    let body = serde_json::to_vec(value).map_err(|error| GristError::Malformed { reason: error.to_string() })?;
    fitting(body.into()).map(Body::Json)
}
