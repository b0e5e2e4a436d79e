//! Decides when a run looks at what was hinted. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::serve::due::{Due, History, free_from, plausible};

/// Decides when a démarche is looked at because calls named dossiers of it. `waited`: for how long the first of them waits.
///
/// - Not before they were gathered for a `window`. A call may come before the change is there to be read (trap 71), and an
///   instructeur who decides on forty dossiers makes forty.
/// - Not before a `window` after the last run that did its work, whoever did it: however many calls somebody forges, there is
///   one run a window, and a rest between two.
/// - Not while failures make the démarche wait: a platform that is away is not asked more often because it calls.
#[must_use]
pub fn due_by_hint(history: &History, waited: Duration, window: Duration, now: Timestamp) -> Due {
    let later = |at: Timestamp, by: Duration| {
        at.saturating_add(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX)).unwrap_or(at)
    };
    let gathered = later(now, window.saturating_sub(waited));
    let rested = history.success.filter(|at| plausible(*at, now)).map(|at| later(at, window));
    let begin = [rested, free_from(history, now)].into_iter().flatten().fold(gathered, Timestamp::max);
    if begin <= now { Due::Since(begin) } else { Due::At(begin) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_gathered_runs_have_a_rest_and_failures_are_waited_for() {
        let at = |second| Timestamp::from_second(second).expect("an instant");
        let history = |success: Option<i64>, failed_at: Option<i64>| History {
            success: success.map(at),
            failures: u32::from(failed_at.is_some()),
            failed_at: failed_at.map(at),
            ..History::default()
        };
        for (history, waited, expected) in [
            // Gathered for thirty seconds.
            (history(Some(100), None), 0, Due::At(at(1030))),
            (history(Some(100), None), 29, Due::At(at(1001))),
            (history(Some(100), None), 30, Due::Since(at(1000))),
            (history(Some(100), None), 3000, Due::Since(at(1000))),
            (history(None, None), 30, Due::Since(at(1000))),
            // A rest of thirty seconds after a run.
            (history(Some(990), None), 30, Due::At(at(1020))),
            (history(Some(971), None), 30, Due::At(at(1001))),
            (history(Some(990), None), 0, Due::At(at(1030))),
            // A minute after a first failure.
            (history(Some(100), Some(990)), 30, Due::At(at(1050))),
            // By clocks that were wrong.
            (history(Some(5000), Some(5000)), 30, Due::Since(at(1000))),
        ] {
            let window = Duration::from_secs(30);
            let found = due_by_hint(&history, Duration::from_secs(waited), window, at(1000));
            assert_eq!(found, expected, "{history:?} {waited}");
        }
    }
}
