//! Parses a request, and represents its answer.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::failure::Failure;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    /// Decoded segments after `/api`, without `/o/<org>`.
    pub(super) path: Vec<String>,
    /// The path as it was asked, for the answer to an unknown one.
    pub(super) asked: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) authorization: Option<String>,
    pub(super) content_type: String,
    /// The header that no form of a page can send.
    pub(super) requested_with: bool,
    /// Length of path and query as they were sent.
    pub(super) address_length: usize,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn new(method: &str, path: &str, query: &str) -> Self {
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let mut segments: Vec<String> = segments.map(decoded).collect();
        if segments.first().is_some_and(|first| first == "o") && segments.len() >= 2 {
            segments.drain(..2);
        }
        if segments.first().is_some_and(|first| first == "api") {
            segments.remove(0);
        }
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { method: method.to_owned(), path: segments, asked: path.to_owned(), query, ..Self::default() }
    }

    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// Method and place without ids.
    pub(super) fn route(&self) -> String {
        let place = match self.segments().as_slice() {
            ["docs", _, "tables", _, rest @ ..] if !rest.is_empty() => {
                let rest = if rest.len() > 1 && rest[0] == "columns" { &rest[..1] } else { rest };
                format!("tables/{}", rest.join("/"))
            }
            ["docs", _, "attachments", _, rest @ ..] => {
                std::iter::once("attachments").chain(rest.iter().copied()).collect::<Vec<_>>().join("/")
            }
            ["docs", _] => "doc".to_owned(),
            ["docs", _, rest @ ..] => rest.join("/"),
            [first @ ("orgs" | "workspaces"), _, rest @ ..] => {
                std::iter::once(*first).chain(rest.iter().copied()).collect::<Vec<_>>().join("/")
            }
            other => other.join("/"),
        };
        format!("{} {place}", self.method)
    }

    /// Returns `true` if it is made to change something.
    pub(super) fn writes(&self) -> bool {
        self.method != "GET" && !matches!(self.path.last().map(String::as_str), Some("sql" | "list"))
    }

    /// The document that it is about.
    pub(super) fn document(&self) -> Option<&str> {
        match self.segments().as_slice() {
            ["docs", id, ..] => self.path.get(1).map(String::as_str).filter(|known| known == id),
            _ => None,
        }
    }

    /// A switch of the query string.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.query.get(name).is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
    }

    pub(super) fn json(&self) -> Result<Json, Failure> {
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        serde_json::from_slice(&self.body).map_err(|error| Failure::refused(400, format!("{error} in JSON")))
    }
}

fn decoded(segment: &str) -> String {
    // A plus sign is itself in a path.
    let pairs = segment.replace('+', "%2B");
    url::form_urlencoded::parse(pairs.replace('&', "%26").replace('=', "%3D").as_bytes())
        .next()
        .map_or_else(|| segment.to_owned(), |(name, _)| name.into_owned())
}

/// An answer before it meets the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(body: &Json) -> Self {
        Self::of(200, body)
    }

    pub(super) fn of(status: u16, body: &Json) -> Self {
        Self::raw(status, "application/json; charset=utf-8", body.to_string().into_bytes())
    }

    pub(super) fn raw(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, content_type, body }
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self::of(failure.status(), &failure.body())
    }
}
