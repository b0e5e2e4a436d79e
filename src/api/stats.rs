//! What a client has done so far.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a client and its clones have done since it was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests sent, the repeated ones included.
    pub requests: u64,
    /// Requests that were repeats of a failed one.
    pub retries: u64,
    /// Answers that asked to slow down (429).
    pub rate_limited: u64,
    /// Bytes of answers, after decompression.
    pub bytes: u64,
    /// Pages of dossiers read, light ones included.
    pub pages: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub requests: AtomicU64,
    pub retries: AtomicU64,
    pub rate_limited: AtomicU64,
    pub bytes: AtomicU64,
    pub pages: AtomicU64,
}

impl Counters {
    /// Adds to a counter.
    pub(super) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// The counts now.
    pub(super) fn read(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            requests: read(&self.requests),
            retries: read(&self.retries),
            rate_limited: read(&self.rate_limited),
            bytes: read(&self.bytes),
            pages: read(&self.pages),
        }
    }
}
