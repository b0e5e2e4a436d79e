//! How long a wait really takes.

use std::time::Duration;

use rand::Rng as _;

/// A wait multiplied by `pace`, with up to a quarter more, so that many clients do not come back at once.
pub(crate) fn paced(wait: Duration, pace: f64) -> Duration {
    let jitter = 1.0 + rand::rng().random_range(0.0..0.25);
    Duration::try_from_secs_f64(wait.as_secs_f64() * pace * jitter).unwrap_or(wait)
}
