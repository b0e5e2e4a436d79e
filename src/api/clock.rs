//! Reads the present instant, from the machine or from a test.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// Clock of this machine, or a replacement.
#[derive(Clone)]
pub(super) struct LocalClock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl LocalClock {
    pub(super) fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for LocalClock {
    /// Reads the clock of this machine.
    fn default() -> Self {
        Self::new(Timestamp::now)
    }
}

impl fmt::Debug for LocalClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalClock")
    }
}
