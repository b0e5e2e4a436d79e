//! Serves over a socket.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::{StreamExt as _, stream};

use super::message::{Incoming, Outgoing};
use crate::Sandbox;
use crate::listening::{Line, Listening};

/// Largest body that is read.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// A sandbox that listens. It stops when it is dropped; [`Server::stop`] also waits for the requests under way.
#[must_use = "the server stops when it is dropped"]
pub struct Server(Listening);

impl Server {
    /// Listens on `address`; port 0 takes a free one.
    pub(crate) async fn start(sandbox: Sandbox, address: SocketAddr) -> io::Result<Self> {
        Ok(Self(Listening::start(Router::new().fallback(handle).with_state(sandbox), address).await?))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// The address of the API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/api/v2/graphql", self.address())
    }

    /// Takes no more requests and waits for those under way.
    ///
    /// # Errors
    ///
    /// When the listening socket failed.
    pub async fn stop(self) -> io::Result<()> {
        self.0.stop().await
    }
}

async fn handle(State(sandbox): State<Sandbox>, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default().to_vec();
    let incoming = Incoming {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        host: text(header::HOST).unwrap_or_default(),
        authorization: text(header::AUTHORIZATION),
        accept_language: text(header::ACCEPT_LANGUAGE),
        content_type: text(header::CONTENT_TYPE),
        range: text(header::RANGE),
        etag: text(header::ETAG),
        body,
    };
    let answer = sandbox.answer(&incoming);
    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    respond(answer, &line)
}

fn respond(answer: Outgoing, line: &Line) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in &answer.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let length = answer.body.len();
    let body = match answer.cut_after {
        None => Body::from(answer.body),
        Some(0) => {
            line.cut();
            Body::empty()
        }
        Some(kept) => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            let start = Bytes::from(answer.body).slice(..kept.min(length));
            // The start must leave before the failure is known, else nothing leaves at all.
            let failure = async {
                tokio::task::yield_now().await;
                Err(io::Error::other("cut on purpose"))
            };
            Body::from_stream(stream::iter([Ok(start)]).chain(stream::once(failure)))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}

/// The futures of a server cross threads.
const _: fn() = || {
    fn crosses_threads<T: Future + Send>(_: fn(Sandbox, SocketAddr) -> T) {}
    crosses_threads(Server::start);
};
