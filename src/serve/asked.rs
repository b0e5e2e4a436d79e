//! Jobs that somebody asks for now, whatever their rhythm says.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::status_board::JobKey;

/// Collects the jobs that somebody asks for now, until the loop takes them: a set, so that asking twice is asking once. Clones
/// are handles on the same one.
#[derive(Clone, Debug, Default)]
pub struct AskedJobs(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    jobs: Mutex<BTreeSet<JobKey>>,
    asked: Notify,
}

impl AskedJobs {
    /// Asks for a job. The loop attempts it as soon as a worker and its target are free, be it paused or not, and it is for
    /// its runner to find out why.
    pub fn ask(&self, key: JobKey) {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        self.0.asked.notify_one();
    }

    /// Waits until jobs are asked for, and takes them. For one reader.
    pub(super) async fn next(&self) -> BTreeSet<JobKey> {
        loop {
            let jobs = std::mem::take(&mut *self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner));
            if !jobs.is_empty() {
                return jobs;
            }
            self.0.asked.notified().await;
        }
    }
}
