//! Limits concurrent requests to one document.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::address::DocId;

/// Requests in flight to one document. Grist refuses the eleventh of all its users together (Grist trap 24), and a second
/// one hides all of the latency that can be hidden.
const IN_FLIGHT: usize = 2;

/// Limits concurrent requests to one document; shared by all handles on it.
#[derive(Debug)]
pub(super) struct DocumentLimiter {
    /// The document.
    pub doc: DocId,
    any: Semaphore,
    /// One SQL query at a time: the time limit of one interrupts any query that runs then.
    sql: Semaphore,
    /// `true` once the document answered otherwise than with a refusal of access.
    met: AtomicBool,
}

/// A permit, released when dropped.
pub(super) struct Permit<'a> {
    _sql: Option<SemaphorePermit<'a>>,
    _any: SemaphorePermit<'a>,
}

impl DocumentLimiter {
    fn new(doc: DocId) -> Self {
        Self { doc, any: Semaphore::new(IN_FLIGHT), sql: Semaphore::new(1), met: AtomicBool::new(false) }
    }

    /// Waits for a permit.
    pub(super) async fn acquire(&self, sql: bool) -> Permit<'_> {
        let open = "the semaphores of a limiter are never closed";
        let sql = if sql { Some(self.sql.acquire().await.expect(open)) } else { None };
        Permit { _sql: sql, _any: self.any.acquire().await.expect(open) }
    }

    /// Returns `true` until the document has answered.
    pub(super) fn fresh(&self) -> bool {
        !self.met.load(Ordering::Relaxed)
    }

    /// Records that the document answered, or that its first refusal was retried.
    pub(super) fn meet(&self) {
        self.met.store(true, Ordering::Relaxed);
    }
}

/// The limiters of a client: one for each document, while a handle on it exists.
#[derive(Debug, Default)]
pub(super) struct Limiters(Mutex<HashMap<DocId, Weak<DocumentLimiter>>>);

impl Limiters {
    /// Returns the limiter of a document.
    pub(super) fn of(&self, doc: &DocId) -> Arc<DocumentLimiter> {
        // A panic elsewhere leaves a map of weak references as good as it was.
        let mut limiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(limiter) = limiters.get(doc).and_then(Weak::upgrade) {
            return limiter;
        }
        limiters.retain(|_, limiter| limiter.strong_count() > 0);
        let limiter = Arc::new(DocumentLimiter::new(doc.clone()));
        limiters.insert(doc.clone(), Arc::downgrade(&limiter));
        limiter
    }
}
