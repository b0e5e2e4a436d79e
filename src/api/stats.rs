//! Counts requests, retries, bytes and waits of a client.

use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters of a client and its clones since it was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Retries of failed requests.
    pub retries: u64,
    /// Answers with status 429.
    pub rate_limited: u64,
    /// Requests with a good answer.
    pub answered: u64,
    /// Requests that failed in any other way than by a 429.
    pub failed: u64,
    /// The time that requests waited for a permit or for the end of a 429, summed up.
    pub waited: Duration,
    /// Bytes of answers, after decompression.
    pub bytes: u64,
    /// Pages of dossiers read, light ones included.
    pub pages: u64,
}

impl Add for Stats {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            retries: self.retries + other.retries,
            rate_limited: self.rate_limited + other.rate_limited,
            answered: self.answered + other.answered,
            failed: self.failed + other.failed,
            waited: self.waited + other.waited,
            bytes: self.bytes + other.bytes,
            pages: self.pages + other.pages,
        }
    }
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub requests: AtomicU64,
    pub retries: AtomicU64,
    pub rate_limited: AtomicU64,
    pub answered: AtomicU64,
    pub failed: AtomicU64,
    pub waited_us: AtomicU64,
    pub bytes: AtomicU64,
    pub pages: AtomicU64,
}

impl Counters {
    /// Adds to a counter.
    pub(super) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// Adds a wait for a permit.
    pub(super) fn wait(&self, waited: Duration) {
        Self::add(&self.waited_us, u64::try_from(waited.as_micros()).unwrap_or(u64::MAX));
    }

    /// Reads the counters.
    pub(super) fn read(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            requests: read(&self.requests),
            retries: read(&self.retries),
            rate_limited: read(&self.rate_limited),
            answered: read(&self.answered),
            failed: read(&self.failed),
            waited: Duration::from_micros(read(&self.waited_us)),
            bytes: read(&self.bytes),
            pages: read(&self.pages),
        }
    }
}
