//! Serves over a socket.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request as Incoming, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::endpoint;
use super::handle::Grist;
use super::request::{Answer, Request};
use crate::listening::{Line, Listening};

/// Largest body that is read at all; uploads have no other limit.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// A fake that listens. It stops when it is dropped.
#[must_use = "the server stops when it is dropped"]
pub struct GristServer(Listening);

impl GristServer {
    pub(super) async fn start(grist: Grist, address: SocketAddr) -> io::Result<Self> {
        Ok(Self(Listening::start(Router::new().fallback(handle).with_state(grist), address).await?))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// The address of the instance, without `/api`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
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

async fn handle(State(grist): State<Grist>, ConnectInfo(line): ConnectInfo<Line>, incoming: Incoming) -> Response {
    let (parts, body) = incoming.into_parts();
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default().to_vec();
    let query = parts.uri.query().unwrap_or_default();
    let request = Request {
        authorization: text(header::AUTHORIZATION),
        requested_with: parts.headers.get("x-requested-with").is_some_and(|value| value == "XMLHttpRequest"),
        content_type: text(header::CONTENT_TYPE).unwrap_or_default(),
        address_length: parts.uri.path().len() + query.len(),
        body,
        ..Request::new(parts.method.as_str(), parts.uri.path(), query)
    };
    let answer = if parts.uri.path().split('/').any(|segment| segment == "api") {
        endpoint::answer(&grist, request).await
    } else {
        Some(endpoint::outside())
    };
    match answer {
        Some(answer) => respond(answer),
        None => {
            line.cut();
            Response::new(Body::empty())
        }
    }
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    response
}
