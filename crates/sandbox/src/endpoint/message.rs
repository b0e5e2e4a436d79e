//! An HTTP request and its answer, without a network.

use std::time::Duration;

use serde_json::Value as Json;

/// A request as the endpoint receives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incoming {
    /// `POST`, `GET` or `PUT`.
    pub method: String,
    /// Path without the query string.
    pub path: String,
    /// The query after the `?`.
    pub query: String,
    /// The `Host` header; addresses of files are made of it.
    pub host: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `Accept-Language` header.
    pub accept_language: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Range` header.
    pub range: Option<String>,
    /// The `ETag` header, which goes with a file that is sent.
    pub etag: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Incoming {
    /// A GraphQL request with a bearer token and a JSON body.
    #[must_use]
    pub fn graphql(token: Option<&str>, body: &Json) -> Self {
        Self {
            method: "POST".to_owned(),
            path: "/api/v2/graphql".to_owned(),
            host: "sandbox.example.org".to_owned(),
            authorization: token.map(|token| format!("Bearer {token}")),
            content_type: Some("application/json".to_owned()),
            body: body.to_string().into_bytes(),
            ..Self::default()
        }
    }

    /// A download of a signed address, whatever its host.
    #[must_use]
    pub fn download(url: &str) -> Self {
        Self { method: "GET".to_owned(), path: path(url).to_owned(), ..Self::default() }
    }

    /// A file sent to a signed address, with the headers that came with it (a JSON object as text).
    #[must_use]
    pub fn upload(url: &str, headers: &str, body: &[u8]) -> Self {
        let headers: Json = serde_json::from_str(headers).unwrap_or_default();
        let header = |name: &str| headers[name].as_str().map(str::to_owned);
        Self {
            method: "PUT".to_owned(),
            path: path(url).to_owned(),
            content_type: header("Content-Type"),
            etag: header("ETag"),
            body: body.to_vec(),
            ..Self::default()
        }
    }
}

/// Path and query.
fn path(url: &str) -> &str {
    url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or(url)
}

/// An answer before it meets the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// The connection dies after that many bytes of the body; `Some(0)` is no answer at all.
    pub cut_after: Option<usize>,
    /// Delay of the answer.
    pub delay: Duration,
}

impl Outgoing {
    pub(super) fn json(status: u16, body: Vec<u8>) -> Self {
        let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        Self { status, headers, body, ..Self::default() }
    }

    pub(super) fn text(status: u16, content_type: &str, body: &str) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status, headers, body: body.as_bytes().to_vec(), ..Self::default() }
    }

    /// The body as JSON, null when it is none.
    #[must_use]
    pub fn as_json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or(Json::Null)
    }

    /// A header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}
