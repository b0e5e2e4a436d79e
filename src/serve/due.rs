//! Decides if a job is due, from the last runs that its target knows and the present instant. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::schedule::Schedule;
use crate::report::{Report, RunOutcome, RunRecord};

/// The number of runs that are looked at: enough for an adaptive rhythm to reach its longest wait from ten minutes.
pub const LOOK_BACK: u32 = 12;

/// By how much the clocks of two hosts may differ. What is dated later than this was written under a wrong clock, and
/// says nothing about when to run.
pub(super) const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// The wait after a first failure; each further one doubles it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_mins(1);
/// The longest wait after failures.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// Holds the end of a run, as far as the rhythm is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The outcome.
    pub outcome: RunOutcome,
    /// When.
    pub at: Timestamp,
    /// True if it found nothing new.
    pub quiet: bool,
}

impl Ended {
    /// A run that could not even begin.
    #[must_use]
    pub fn failed(at: Timestamp) -> Self {
        Self { outcome: RunOutcome::Failed, at, quiet: false }
    }
}

impl From<&RunRecord> for Ended {
    fn from(record: &RunRecord) -> Self {
        Self { outcome: record.outcome, at: record.ended_at, quiet: record.report.is_quiet() }
    }
}

impl Ended {
    /// As its report tells it.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let lasted = SignedDuration::from_millis(i64::try_from(report.duration_ms).unwrap_or(i64::MAX));
        Self {
            outcome: report.outcome,
            at: report.started_at.saturating_add(lasted).unwrap_or(report.started_at),
            quiet: report.is_quiet(),
        }
    }
}

/// Sums up the last runs of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// When the last run that did its work ended.
    pub success: Option<Timestamp>,
    /// The number of the last of these, in a row, that found nothing new.
    pub quiet: u32,
    /// The number of runs that failed since.
    pub failures: u32,
    /// When the first of them ended.
    pub failing_since: Option<Timestamp>,
    /// When the last of them ended.
    pub failed_at: Option<Timestamp>,
}

impl History {
    /// Of the last runs, newest first, as a target gives them.
    #[must_use]
    pub fn of(runs: &[RunRecord]) -> Self {
        runs.iter().rev().fold(Self::default(), |history, run| history.and(run.into()))
    }

    /// The same after one more run. One that was interrupted neither did its work nor failed.
    #[must_use]
    pub fn and(self, ended: Ended) -> Self {
        match ended.outcome {
            RunOutcome::Done | RunOutcome::Quarantine => Self {
                success: Some(ended.at),
                quiet: if ended.quiet { self.quiet + 1 } else { 0 },
                failures: 0,
                failing_since: None,
                failed_at: None,
            },
            RunOutcome::Failed => Self {
                failures: self.failures + 1,
                failing_since: self.failing_since.or(Some(ended.at)),
                failed_at: Some(ended.at),
                ..self
            },
            RunOutcome::Interrupted => self,
        }
    }
}

/// When a job is to run next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Since this instant; the present one when there is nothing to count from.
    Since(Timestamp),
    /// At this instant.
    At(Timestamp),
    /// Not until its schedule changes.
    Never,
}

/// Decides whether a job is due.
///
/// It is due at the first tick after its last success: at once when that tick has passed, or when there was none yet. Ticks
/// that passed while it ran are skipped. After failures it waits a minute, then twice as long each time, up to a quarter of
/// an hour, and never runs before its tick. A date in the future, from a clock that was wrong, counts as unknown: a job
/// runs once too often then rather than not for a year.
#[must_use]
pub fn due(schedule: &Schedule, seed: u64, history: &History, now: Timestamp) -> Due {
    if schedule.paused {
        return Due::Never;
    }
    let tick = match history.success.filter(|at| plausible(*at, now)) {
        Some(success) => match schedule.next(success, history.quiet, seed) {
            Some(tick) => tick,
            None => return Due::Never,
        },
        None => now,
    };
    let begin = free_from(history, now).map_or(tick, |free| free.max(tick));
    if begin <= now { Due::Since(begin) } else { Due::At(begin) }
}

/// From when on failures let a job run again; `None` when none holds it back.
pub(super) fn free_from(history: &History, now: Timestamp) -> Option<Timestamp> {
    let failed_at = history.failed_at.filter(|at| plausible(*at, now))?;
    Some(failed_at.saturating_add(backoff(history.failures)).unwrap_or(failed_at))
}

/// Rejects a date that a wrong clock wrote.
pub(super) fn plausible(at: Timestamp, now: Timestamp) -> bool {
    at.duration_since(now) <= SKEW
}

fn backoff(failures: u32) -> SignedDuration {
    FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST_WAIT)
}

impl Due {
    /// Gives the wait at an instant; zero when it is due, `None` when it never is.
    pub(super) fn wait(self, now: Timestamp) -> Option<Duration> {
        match self {
            Self::Since(_) => Some(Duration::ZERO),
            Self::At(at) => Some(Duration::try_from(at.duration_since(now)).unwrap_or_default()),
            Self::Never => None,
        }
    }

    /// The earlier of two.
    pub(super) fn or_sooner(self, other: Self) -> Self {
        let instant = |due| match due {
            Self::Since(at) | Self::At(at) => at,
            Self::Never => Timestamp::MAX,
        };
        if instant(other) < instant(self) { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::super::schedule::Ticks;
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-02T{text}Z").parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn schedule() -> Schedule {
        let ticks = "*/10 * * * *".parse().unwrap_or_else(|error| panic!("{error}"));
        Schedule { ticks, zone: TimeZone::UTC, jitter: Duration::ZERO, adaptive: false, paused: false }
    }

    fn history(ended: &[(&str, RunOutcome)]) -> History {
        let ended = ended.iter().map(|(text, outcome)| Ended { outcome: *outcome, at: at(text), quiet: false });
        ended.fold(History::default(), History::and)
    }

    fn told(history: &History, now: &str) -> Due {
        due(&schedule(), 0, history, at(now))
    }

    #[test]
    fn a_job_that_never_ran_is_due_at_once_and_one_that_ran_at_its_next_tick() {
        use RunOutcome::{Done, Interrupted, Quarantine};
        for (ended, now, expected) in [
            (&[][..], "08:00:00", Due::Since(at("08:00:00"))),
            (&[("08:01:00", Done)], "08:02:00", Due::At(at("08:10:00"))),
            (&[("08:01:00", Quarantine)], "08:10:00", Due::Since(at("08:10:00"))),
            // Ticks that passed during the run are skipped; one that passed since is made up for, once.
            (&[("08:31:00", Done)], "08:32:00", Due::At(at("08:40:00"))),
            (&[("08:01:00", Done)], "11:55:00", Due::Since(at("08:10:00"))),
            // What was interrupted goes on.
            (&[("08:01:00", Done), ("08:13:00", Interrupted)], "08:14:00", Due::Since(at("08:10:00"))),
        ] {
            assert_eq!(told(&history(ended), now), expected, "{ended:?} at {now}");
        }
    }

    #[test]
    fn failures_are_tried_again_ever_later() {
        use RunOutcome::{Done, Failed};
        for (ended, now, expected) in [
            (&[("08:00:10", Failed)][..], "08:00:20", Due::At(at("08:01:10"))),
            (&[("08:00:10", Failed), ("08:01:20", Failed)], "08:01:30", Due::At(at("08:03:20"))),
            // Not before the tick.
            (&[("08:01:00", Done), ("08:02:00", Failed)], "08:05:00", Due::At(at("08:10:00"))),
            (&[("08:01:00", Done), ("08:10:30", Failed)], "08:12:00", Due::Since(at("08:11:30"))),
        ] {
            assert_eq!(told(&history(ended), now), expected, "{ended:?} at {now}");
        }
        let hour = [("08:00:00", Failed); 40];
        assert_eq!(told(&history(&hour), "08:00:00"), Due::At(at("08:15:00")));
    }

    #[test]
    fn a_clock_that_was_wrong_keeps_no_job_from_running() {
        let future =
            Ended { outcome: RunOutcome::Done, at: "2031-01-01T00:00:00Z".parse().expect("one"), quiet: false };
        assert_eq!(told(&History::default().and(future), "08:00:00"), Due::Since(at("08:00:00")));
        let failed = Ended { outcome: RunOutcome::Failed, ..future };
        assert_eq!(told(&History::default().and(failed), "08:00:00"), Due::Since(at("08:00:00")));
        // The clock of another host may be a little ahead.
        let ahead = history(&[("08:02:00", RunOutcome::Done)]);
        assert_eq!(told(&ahead, "08:00:00"), Due::At(at("08:10:00")));
    }

    #[test]
    fn a_paused_job_is_never_due() {
        let paused = Schedule { paused: true, ..schedule() };
        assert_eq!(due(&paused, 0, &History::default(), at("08:00:00")), Due::Never);
    }

    #[test]
    fn the_history_is_read_newest_first() {
        let line = |ended: &str, outcome, inserted| {
            let mut report = Report { outcome, started_at: at("07:00:00"), ..Report::default() };
            report.counts.inserted = inserted;
            report.record(at(ended))
        };
        let runs = [
            line("08:30:00", RunOutcome::Failed, 0),
            line("08:20:00", RunOutcome::Done, 0),
            line("08:10:00", RunOutcome::Done, 0),
            line("08:00:00", RunOutcome::Done, 3),
        ];
        let expected = History {
            success: Some(at("08:20:00")),
            quiet: 2,
            failures: 1,
            failing_since: Some(at("08:30:00")),
            failed_at: Some(at("08:30:00")),
        };
        assert_eq!(History::of(&runs), expected);
    }

    proptest! {
        /// Whatever the clocks did, a job runs again within its rhythm and the longest wait.
        #[test]
        fn no_history_keeps_a_job_from_running_for_long(
            runs in prop::collection::vec((0u8..4, -10_000_000i64..10_000_000), 0..12),
            every in 1u64..7200,
        ) {
            let now = at("08:00:00");
            let outcomes = [RunOutcome::Done, RunOutcome::Quarantine, RunOutcome::Interrupted, RunOutcome::Failed];
            let history = runs.iter().fold(History::default(), |history, (outcome, seconds)| {
                let at = now + SignedDuration::from_secs(*seconds);
                history.and(Ended { outcome: outcomes[usize::from(*outcome)], at, quiet: false })
            });
            let schedule = Schedule { ticks: Ticks::Every(Duration::from_secs(every)), ..schedule() };
            let most = Duration::from_secs(every).max(Duration::from_secs(15 * 60)) + Duration::from_secs(5 * 60);
            let wait = due(&schedule, 7, &history, now).wait(now).expect("it is not paused");
            prop_assert!(wait <= most, "{wait:?}");
        }
    }
}
