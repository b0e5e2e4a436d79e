//! Debounces the calls of webhooks: limits how many are looked at. Pure.

use std::time::Duration;

/// The number of calls of an instance that are taken at once: a decision on that many dossiers is not unusual.
const AT_ONCE: u32 = 200;
/// After how long there is room for one more: five in a second.
const EACH: Duration = Duration::from_millis(200);

/// A budget of calls: so many at once, and so many more as time passes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CallBudget {
    /// Until when what was taken fills it.
    full_until: Duration,
}

impl CallBudget {
    /// Takes a place, if there is one. `now`: the time since any fixed moment.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let from = self.full_until.max(now);
        if from + EACH > now + EACH * AT_ONCE {
            return false;
        }
        self.full_until = from + EACH;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_then_as_time_passes() {
        let mut budget = CallBudget::default();
        let mut taken = |at: Duration, asked: u32| (0..asked).filter(|_| budget.take(at)).count();
        let start = Duration::from_secs(7);
        assert_eq!(taken(start, 1000), 200);
        assert_eq!(taken(start + Duration::from_millis(199), 10), 0);
        assert_eq!(taken(start + Duration::from_secs(1), 10), 5);
        assert_eq!(taken(start + Duration::from_secs(3600), 1000), 200);
    }
}
