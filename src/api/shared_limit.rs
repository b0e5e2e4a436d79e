//! Rate limit shared by several processes that use one token: the trait that a database implements.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

/// Shares the requests of one token among several processes.
///
/// A [`RateLimiter`](super::RateLimiter) with a shared limit asks it for as many permits as are wanted at this moment,
/// before it lets requests through. An implementation guarantees three things: the permits of all processes together
/// keep the limit in any window of time, as a permit may be used at any instant until it expires; no process starves
/// while others take more than their share; and every process obeys a [`hold`](Self::hold).
pub trait SharedLimit: fmt::Debug + Send + Sync {
    /// Asks for up to `want` permits (at least 1), to use at once.
    fn ask(&self, want: u32) -> BoxFuture<'_, Result<Grant, SharedLimitError>>;

    /// Stops the requests of all processes for a time: the platform answered 429 (trap 54).
    fn hold(&self, wait: Duration) -> BoxFuture<'_, Result<(), SharedLimitError>>;
}

/// Permits that a shared limit granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The number of permits, at most as many as were wanted. Permits that are not used are lost.
    pub permits: u32,
    /// The time after which they expire, counted from the instant of the request.
    pub expires_after: Duration,
    /// The time after which it is worth asking again for those that were not granted.
    pub ask_again: Duration,
}

/// The shared limit did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SharedLimitError {
    /// The reason, without credentials.
    pub reason: String,
}
