//! How long a wait really takes.

use std::time::Duration;

use rand::Rng as _;

/// How waits are lengthened or shortened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    /// What every wait is multiplied by.
    pub factor: f64,
    /// The largest share that chance adds, so that many clients do not come back at once; 0 leaves nothing to chance.
    pub jitter: f64,
}

impl Default for Pace {
    /// As long as they are, and up to a quarter more.
    fn default() -> Self {
        Self { factor: 1.0, jitter: 0.25 }
    }
}

impl Pace {
    /// How long a wait really takes.
    pub(crate) fn of(self, wait: Duration) -> Duration {
        let more = if self.jitter > 0.0 { rand::rng().random_range(0.0..self.jitter) } else { 0.0 };
        Duration::try_from_secs_f64(wait.as_secs_f64() * self.factor * (1.0 + more)).unwrap_or(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_lengthens_a_wait_up_to_its_share_and_not_at_all_without_one() {
        let wait = Duration::from_secs(8);
        for _ in 0..100 {
            let paced = Pace { factor: 0.5, ..Pace::default() }.of(wait);
            assert!(paced >= wait / 2 && paced <= wait / 2 * 5 / 4, "{paced:?}");
        }
        assert_eq!(Pace { factor: 0.5, jitter: 0.0 }.of(wait), wait / 2);
    }
}
