//! Reads the next page while the previous one is committed.

use std::panic::resume_unwind;

use tokio::task::{JoinError, JoinSet};
use tracing::Instrument as _;

use crate::api::ApiError;
use crate::observe::{Walk, WalkStep};

/// Walk whose pages are read by a task of its own, one ahead. Decoding a page takes milliseconds of CPU, during which a
/// commit in the same task would stand still.
pub(super) struct Ahead {
    walk: Option<Walk>,
    /// At most one task. It is aborted with this value.
    reading: JoinSet<(Walk, Result<Option<WalkStep>, ApiError>)>,
}

impl Ahead {
    pub(super) fn new(walk: Walk) -> Self {
        Self { walk: Some(walk), reading: JoinSet::new() }
    }

    /// Reads a page, as [`Walk::next`].
    pub(super) async fn next(&mut self) -> Result<Option<WalkStep>, ApiError> {
        if let Some(mut walk) = self.walk.take() {
            let reading = async {
                let step = walk.next().await;
                (walk, step)
            };
            self.reading.spawn(reading.in_current_span());
        }
        // Dropped with its caller, the set aborts the task: a page that nobody commits is not read on.
        let read = self.reading.join_next().await.expect("a page is being read");
        let (walk, step) = read.map_err(JoinError::into_panic).unwrap_or_else(|panic| resume_unwind(panic));
        self.walk = Some(walk);
        step
    }
}
