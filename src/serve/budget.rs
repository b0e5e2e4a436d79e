//! Limits how many calls from outside are looked at: those of webhooks, and those of widgets. Pure.

use std::time::Duration;

/// A budget of calls: so many at once, and so many more as time passes.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallBudget {
    at_once: u32,
    /// After how long there is room for one more.
    each: Duration,
    /// Until when what was taken fills it.
    full_until: Duration,
}

impl CallBudget {
    /// Makes an empty one.
    pub(super) const fn new(at_once: u32, each: Duration) -> Self {
        Self { at_once, each, full_until: Duration::ZERO }
    }

    /// Takes a place, if there is one. `now`: the time since any fixed moment.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let from = self.full_until.max(now);
        if from + self.each > now + self.each * self.at_once {
            return false;
        }
        self.full_until = from + self.each;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_then_as_time_passes() {
        let mut budget = CallBudget::new(200, Duration::from_millis(200));
        let mut taken = |at: Duration, asked: u32| (0..asked).filter(|_| budget.take(at)).count();
        let start = Duration::from_secs(7);
        assert_eq!(taken(start, 1000), 200);
        assert_eq!(taken(start + Duration::from_millis(199), 10), 0);
        assert_eq!(taken(start + Duration::from_secs(1), 10), 5);
        assert_eq!(taken(start + Duration::from_secs(3600), 1000), 200);
    }
}
