//! The seam through which several processes share what one token may ask.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

/// A count of requests that several processes keep together, for one token.
///
/// A [`RateLimiter`](super::RateLimiter) with a ledger asks it for as many places as are wanted at this moment, before it
/// lets requests through. The ledger sees to it that the places of all processes keep the limit in any window of time, on
/// the assumption that a place may be used at any instant of its freshness and not after; that nobody who asks is left
/// without while others take more than their share; and that a hold is obeyed by all.
pub trait Ledger: fmt::Debug + Send + Sync {
    /// Asks for up to `want` places (at least 1), to use at once.
    fn ask(&self, want: u32) -> BoxFuture<'_, Result<Grant, LedgerError>>;

    /// Tells all who share that the platform asked for silence (trap 54).
    fn hold(&self, wait: Duration) -> BoxFuture<'_, Result<(), LedgerError>>;
}

/// Places that were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// How many; at most as many as were wanted. What is not used is lost.
    pub places: u32,
    /// How long they may be used, from the instant at which they were asked for.
    pub fresh: Duration,
    /// When it is worth asking again for those that were not given.
    pub ask_again: Duration,
}

/// The ledger did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct LedgerError {
    /// Why, without credentials.
    pub reason: String,
}
