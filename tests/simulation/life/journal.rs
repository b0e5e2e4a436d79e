//! Journal of a life: a fingerprint of everything, the lines themselves if somebody reads them, and counts that show
//! that something occurred at all.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

/// Journal of a life.
#[derive(Debug, Default)]
pub struct Journal {
    hasher: DefaultHasher,
    lines: Option<Vec<String>>,
    counts: Counts,
}

/// Counters of events.
pub type Counts = BTreeMap<&'static str, u64>;

impl Journal {
    /// One that keeps its lines, or only their fingerprint.
    pub fn new(readable: bool) -> Self {
        Self { lines: readable.then(Vec::new), ..Self::default() }
    }

    /// Something happened so long after the beginning.
    pub fn tell(&mut self, after: Duration, line: &str) {
        (after, line).hash(&mut self.hasher);
        if let Some(lines) = &mut self.lines {
            let seconds = after.as_secs();
            let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
            let millis = after.subsec_millis();
            lines.push(format!("{days}d {hours:02}:{minutes:02}:{:02}.{millis:03}  {line}", seconds % 60));
        }
    }

    /// One more of these was met.
    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// The fingerprint, the counts and the lines.
    pub fn close(self) -> (u64, Counts, Vec<String>) {
        (self.hasher.finish(), self.counts, self.lines.unwrap_or_default())
    }
}
