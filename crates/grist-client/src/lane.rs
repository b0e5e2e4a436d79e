//! The way to one document, narrow on purpose.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::address::DocId;

/// Most requests to one document at a time. Grist refuses the eleventh of all its users (Grist trap 24), and a second
/// one hides all of the latency that can be hidden.
const IN_FLIGHT: usize = 2;

/// State shared by all requests to one document.
#[derive(Debug)]
pub(super) struct Lane {
    /// The document at its end.
    pub doc: DocId,
    any: Semaphore,
    /// One SQL at a time: the time limit of one interrupts whatever runs then.
    sql: Semaphore,
    /// True if the document ever answered otherwise than with a refusal of access.
    met: AtomicBool,
}

/// A place in the lane, given back when dropped.
pub(super) struct Place<'a> {
    _sql: Option<SemaphorePermit<'a>>,
    _any: SemaphorePermit<'a>,
}

impl Lane {
    fn new(doc: DocId) -> Self {
        Self { doc, any: Semaphore::new(IN_FLIGHT), sql: Semaphore::new(1), met: AtomicBool::new(false) }
    }

    /// Waits for a place.
    pub(super) async fn enter(&self, sql: bool) -> Place<'_> {
        let open = "the semaphores of a lane are never closed";
        let sql = if sql { Some(self.sql.acquire().await.expect(open)) } else { None };
        Place { _sql: sql, _any: self.any.acquire().await.expect(open) }
    }

    /// Returns true if the document has not answered yet.
    pub(super) fn fresh(&self) -> bool {
        !self.met.load(Ordering::Relaxed)
    }

    /// Remembers that the document was met, or that its first refusal was questioned.
    pub(super) fn meet(&self) {
        self.met.store(true, Ordering::Relaxed);
    }
}

/// The lanes of a client: one a document, for as long as somebody holds it.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<HashMap<DocId, Weak<Lane>>>);

impl Lanes {
    /// The lane of a document.
    pub(super) fn of(&self, doc: &DocId) -> Arc<Lane> {
        // A panic elsewhere leaves a map of weak references as good as it was.
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(doc).and_then(Weak::upgrade) {
            return lane;
        }
        lanes.retain(|_, lane| lane.strong_count() > 0);
        let lane = Arc::new(Lane::new(doc.clone()));
        lanes.insert(doc.clone(), Arc::downgrade(&lane));
        lane
    }
}
