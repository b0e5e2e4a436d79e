//! Decides if the data of every job is as fresh as its rhythm makes it. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::due::SKEW;
use super::status_board::{JobKey, JobState};

/// Lists the jobs whose data is too old, one line a job; empty when everything is fresh. A job that is paused is never too old, one that never did
/// its work always is, and so is one that did it in the future, by a clock that was wrong.
///
/// `within`: the age that data may have; by default as its rhythm makes it, [`JobState::late_from`].
#[must_use]
pub fn late(jobs: &BTreeMap<JobKey, JobState>, within: Option<Duration>, now: Timestamp) -> Vec<String> {
    let late = |(key, state): (&JobKey, &JobState)| {
        if state.paused {
            return None;
        }
        let (number, instance, target) = (key.scope.demarche, &key.scope.instance, &key.target);
        let of = format!("démarche {number} of {instance} into {target}");
        let Some(success) = state.last_success.filter(|at| at.duration_since(now) <= SKEW) else {
            return Some(format!("{of}: it is not known that a run did its work"));
        };
        let from = match within {
            Some(within) => success.saturating_add(within).ok(),
            None => state.late_from,
        };
        let age = now.duration_since(success).as_secs().max(0);
        from.is_some_and(|from| from <= now).then(|| format!("{of}: the last run that did its work ended {age} s ago"))
    };
    jobs.iter().filter_map(late).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DemarcheNumber, Scope};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    #[test]
    fn what_is_old_unknown_or_of_the_future_is_not_ready_and_what_is_paused_is() {
        let state = |success: Option<i64>, late_from: Option<i64>| JobState {
            last_success: success.map(at),
            late_from: late_from.map(at),
            ..JobState::default()
        };
        let paused = JobState { paused: true, ..JobState::default() };
        for (state, within, expected) in [
            (state(Some(900), Some(1001)), None, None),
            (state(Some(900), Some(1000)), None, Some("the last run that did its work ended 100 s ago")),
            (state(Some(900), None), None, None),
            (state(Some(900), Some(1000)), Some(101), None),
            (state(Some(900), Some(5000)), Some(100), Some("the last run that did its work ended 100 s ago")),
            (state(Some(1000), Some(5000)), Some(0), Some("the last run that did its work ended 0 s ago")),
            (state(None, None), None, Some("it is not known that a run did its work")),
            (state(Some(1300), Some(5000)), None, None),
            (state(Some(1301), Some(5000)), None, Some("it is not known that a run did its work")),
            (paused, Some(0), None),
        ] {
            let scope = Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(12) };
            let told = format!("{state:?} {within:?}");
            let jobs = BTreeMap::from([(JobKey { scope, target: "sqlite:d.db".to_owned() }, state)]);
            let found = late(&jobs, within.map(Duration::from_secs), at(1000));
            let expected = expected.map(|words| format!("démarche 12 of dn into sqlite:d.db: {words}"));
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{told}");
        }
    }
}
