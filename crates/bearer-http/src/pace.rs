//! Stretches waits: jitter, and shorter waits in tests.

use std::time::Duration;

use rand::Rng as _;

/// Factor and jitter of waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// The factor of every wait.
    pub factor: f64,
    /// The largest share that chance adds, so that many clients do not retry at once; 0 makes waits repeatable.
    pub jitter: f64,
}

impl Default for Pace {
    /// Keeps waits as they are, and adds up to a quarter.
    fn default() -> Self {
        Self { factor: 1.0, jitter: 0.25 }
    }
}

impl Pace {
    /// Applies the factor and the jitter to a wait.
    pub fn of(self, wait: Duration) -> Duration {
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
