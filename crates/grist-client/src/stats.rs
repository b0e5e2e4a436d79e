//! Counts requests of a client.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of a client and its clones since it was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests sent, the repeated ones included.
    pub requests: u64,
    /// Those of them that write.
    pub writes: u64,
    /// Bytes of their bodies.
    pub bytes_sent: u64,
    /// Bytes of the answers, after decompression.
    pub bytes_received: u64,
    /// Requests that were repeats of a failed one.
    pub retries: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub requests: AtomicU64,
    pub writes: AtomicU64,
    pub bytes_sent: AtomicU64,
    pub bytes_received: AtomicU64,
    pub retries: AtomicU64,
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
            writes: read(&self.writes),
            bytes_sent: read(&self.bytes_sent),
            bytes_received: read(&self.bytes_received),
            retries: read(&self.retries),
        }
    }
}
