//! Connects the client to the embedded platform of the crate `demarche-sandbox`, without a socket.
//!
//! The crate answers requests as plain values and knows nothing of this one; the conversions are here.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
#[cfg(feature = "sqlite")]
#[doc(hidden)]
pub use demarche_sandbox::grist;
#[doc(hidden)]
pub use demarche_sandbox::{
    Area, AreaSource, FileRecord, Incoming, Kind, Language, Outgoing, Random, RequestInfo, RowRecord, Scan, Value,
    World, WorldGuard, world,
};
pub use demarche_sandbox::{
    DEMARCHE_CLONE, DEMARCHE_COMPLETE, DEMARCHE_LARGE, DemarcheSpec, Fault, FaultPlan, FormSpec, Reset, Sandbox,
    Server, WorldSpec,
};
use futures_util::future::BoxFuture;
use http_body::{Body, Frame};
use reqwest::header::{self, HeaderName, HeaderValue};
use reqwest::{Request, Response, StatusCode};

use crate::api::{Exchange, TransportFailure};
use crate::platform::Platform;

impl From<Platform> for demarche_sandbox::Platform {
    fn from(platform: Platform) -> Self {
        match platform {
            Platform::DemarcheNumerique => Self::DemarcheNumerique,
            Platform::DematSocial => Self::DematSocial,
        }
    }
}

impl From<demarche_sandbox::Platform> for Platform {
    fn from(platform: demarche_sandbox::Platform) -> Self {
        match platform {
            demarche_sandbox::Platform::DemarcheNumerique => Self::DemarcheNumerique,
            demarche_sandbox::Platform::DematSocial => Self::DematSocial,
        }
    }
}

impl Exchange for Sandbox {
    /// Answers as the server does: waits for delays, and breaks an answer where it is cut.
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportFailure>> {
        Box::pin(async move {
            let answer = self.answer(&incoming(&request));
            if !answer.delay.is_zero() {
                tokio::time::sleep(answer.delay).await;
            }
            response(answer)
        })
    }
}

/// Converts a request of a client into the value that the sandbox answers. A body that is a stream reads as empty.
#[doc(hidden)]
#[must_use]
pub fn incoming(request: &Request) -> Incoming {
    let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let owned = |name: HeaderName| text(name).map(str::to_owned);
    let url = request.url();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Incoming {
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

/// Converts an answer of the sandbox into the one that a client receives, without its delay.
///
/// # Errors
/// When nothing of it arrives.
#[doc(hidden)]
pub fn response(answer: Outgoing) -> Result<Response, TransportFailure> {
    let length = answer.body.len();
    let body = match answer.cut_after {
        Some(0) => return Err(TransportFailure::Broken),
        Some(kept) => reqwest::Body::wrap(Cut { start: Some(Bytes::from(answer.body).slice(..kept.min(length))) }),
        None => reqwest::Body::from(answer.body),
    };
    let mut response = http::Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    Ok(response.into())
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
