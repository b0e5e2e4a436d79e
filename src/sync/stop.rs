//! Requests a run to stop.

use tokio::sync::watch;

/// Request to stop, shared by the sender (a signal) and the run.
///
/// A run that is asked to stop completes the commit in progress, drops the page that it waits for, and ends.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Requests a stop.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Returns true after the request.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for the request.
    pub async fn asked(&self) {
        // The sender lives as long as this value, so the wait does not fail.
        let _ = self.0.subscribe().wait_for(|asked| *asked).await;
    }
}
