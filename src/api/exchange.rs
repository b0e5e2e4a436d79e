//! The way to the platform and back.

#[cfg(feature = "sandbox")]
use std::sync::Arc;

#[cfg(feature = "sandbox")]
use futures_util::future::BoxFuture;
use reqwest::{Request, Response};
use url::Url;

use super::error::ApiError;
#[cfg(feature = "sandbox")]
use super::error::TransportFailure;
use super::transport::failed;

/// What carries a request to the platform and its answer back, in the place of the network: an embedded platform without a
/// socket, or a simulation that decides what gets lost on the way.
///
/// One call is one request on the wire: the client repeats, waits and counts as it does over the network. Time-outs are for
/// the implementation to keep, as it alone knows how long things take.
#[cfg(feature = "sandbox")]
pub trait Exchange: std::fmt::Debug + Send + Sync {
    /// Carries one request. The body of an answer may still break while it is read.
    ///
    /// # Errors
    /// How the connection failed. [`TransportFailure::Connect`] says that the request surely did not arrive.
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportFailure>>;
}

/// The way to the platform and back.
#[derive(Clone, Debug)]
pub(super) enum Way {
    Network(reqwest::Client),
    #[cfg(feature = "sandbox")]
    Within(Arc<dyn Exchange>),
}

impl Way {
    /// Sends one request, once, to an address whose host is named when the connection fails.
    pub(super) async fn exchange(&self, url: &Url, request: Request) -> Result<Response, ApiError> {
        match self {
            Self::Network(http) => http.execute(request).await.map_err(|error| failed(url, error)),
            #[cfg(feature = "sandbox")]
            Self::Within(exchange) => exchange.exchange(request).await.map_err(|failure| ApiError::Transport {
                host: url.host_str().unwrap_or_default().to_owned(),
                failure,
                source: None,
            }),
        }
    }
}
