//! The door without a socket: for clients of the same process, whose time may be virtual.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use futures_util::future::BoxFuture;
use http_body::{Body, Frame};
use reqwest::Request;

use super::message::{Incoming, Outgoing};
use crate::api::{Exchange, TransportFailure};
use crate::sandbox::Sandbox;

impl Exchange for Sandbox {
    /// Answers as the server does: delays are waited for, and an answer that is cut breaks where it is cut.
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<reqwest::Response, TransportFailure>> {
        Box::pin(async move {
            let answer = self.answer(&Incoming::of(&request));
            if !answer.delay.is_zero() {
                tokio::time::sleep(answer.delay).await;
            }
            answer.into_response()
        })
    }
}

impl Incoming {
    /// The request of a client, as the door sees it. A body that is a stream reads as empty.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let owned = |name: HeaderName| text(name).map(str::to_owned);
        let url = request.url();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Self {
            method: request.method().to_string(),
            path: url.path().to_owned(),
            query: url.query().unwrap_or_default().to_owned(),
            host: format!("{}{port}", url.host_str().unwrap_or_default()),
            authorization: owned(header::AUTHORIZATION),
            accept_language: owned(header::ACCEPT_LANGUAGE),
            content_type: owned(header::CONTENT_TYPE),
            range: owned(header::RANGE),
            etag: owned(header::ETAG),
            body: request.body().and_then(|body| body.as_bytes()).unwrap_or_default().to_vec(),
        }
    }
}

impl Outgoing {
    /// The answer as a client gets it, but for its delay.
    ///
    /// # Errors
    /// When nothing of it arrives.
    pub fn into_response(self) -> Result<reqwest::Response, TransportFailure> {
        let length = self.body.len();
        let body = match self.cut_after {
            Some(0) => return Err(TransportFailure::Broken),
            Some(kept) => reqwest::Body::wrap(Cut { start: Some(Bytes::from(self.body).slice(..kept.min(length))) }),
            None => reqwest::Body::from(self.body),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        Ok(response.into())
    }
}

/// A body that breaks after its start.
struct Cut {
    start: Option<Bytes>,
}

impl Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(match self.start.take() {
            Some(start) => Ok(Frame::data(start)),
            None => Err(io::ErrorKind::ConnectionReset.into()),
        }))
    }
}
