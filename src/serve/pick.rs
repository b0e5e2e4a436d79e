//! Decides which of the jobs that wait comes first. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;

/// A job that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting<'a, K> {
    /// Which.
    pub key: K,
    /// Since when it is due.
    pub since: Timestamp,
    /// The target, where only one job at a time may work on it.
    pub alone: Option<&'a str>,
    /// The tie-breaker between two that have waited for as long: another number in every process, so that several do not
    /// reach for the same job.
    pub tie_breaker: u64,
}

/// The one that has waited longest, of those whose target is free.
#[must_use]
pub fn first<'a, K>(waiting: impl IntoIterator<Item = Waiting<'a, K>>, busy: &BTreeSet<String>) -> Option<K> {
    let free = waiting.into_iter().filter(|job| job.alone.is_none_or(|target| !busy.contains(target)));
    free.min_by_key(|job| (job.since, job.tie_breaker)).map(|job| job.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(key: u32, since: i64, alone: Option<&str>, tie_breaker: u64) -> Waiting<'_, u32> {
        Waiting { key, since: Timestamp::from_second(since).expect("an instant"), alone, tie_breaker }
    }

    #[test]
    fn the_one_that_has_waited_longest_and_can_work_comes_first() {
        let jobs = [job(1, 30, None, 5), job(2, 20, Some("a"), 0), job(3, 30, None, 4), job(4, 25, Some("b"), 0)];
        let busy = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        for (names, expected) in [(&[][..], Some(2)), (&["a"], Some(4)), (&["a", "b"], Some(3))] {
            assert_eq!(first(jobs, &busy(names)), expected, "{names:?}");
        }
        assert_eq!(first([job(2, 20, Some("a"), 0)], &busy(&["a"])), None);
    }
}
