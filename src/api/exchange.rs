//! Seam of the network: requests go through reqwest, or through a replacement in a simulation.

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

/// Carries a request to the platform and its answer back, in the place of the network: an embedded platform without a
/// socket, or a simulation that decides which answers are lost.
///
/// One call is one request on the wire: the client retries, waits and counts as it does over the network. The
/// implementation keeps the time-outs, as it alone knows the time.
#[cfg(feature = "sandbox")]
pub trait Exchange: std::fmt::Debug + Send + Sync {
    /// Sends one request. The body of the answer may still break while it is read.
    ///
    /// # Errors
    /// The failure of the connection. [`TransportFailure::Connect`] states that the request surely did not arrive.
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportFailure>>;
}

/// Way of a request to the platform: the network, or a replacement.
#[derive(Clone, Debug)]
pub(super) enum Way {
    Network(reqwest::Client),
    #[cfg(feature = "sandbox")]
    Within(Arc<dyn Exchange>),
}

impl Way {
    /// Sends one request, once. A failure of the connection names the host of the address.
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
