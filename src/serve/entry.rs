//! A job as the loop sees it.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::due::{Due, Ended, History, due};
use super::hints::{Hinted, due_by_hint};
use super::service::Planned;
use super::status_board::JobState;
use crate::ids::DossierNumber;
use crate::report::RunOutcome;

/// A job as the loop sees it.
pub(super) struct ScheduledJob {
    pub(super) planned: Planned,
    pub(super) seed: u64,
    /// The history that its target, or a run here, last gave; `None` before the first look.
    pub(super) history: Option<History>,
    /// Not to be tried before, as another had it.
    pub(super) not_before: Option<Instant>,
    /// The hints since the last look.
    pub(super) hints: Option<Hints>,
    /// Somebody asks for it now.
    pub(super) asked: bool,
    pub(super) running: bool,
}

/// Holds the hints of a job.
#[derive(Clone, Debug)]
pub(super) struct Hints {
    pub(super) named: Hinted,
    /// Since when the first of them waits.
    since: Instant,
    /// When the last of them came.
    last: Instant,
}

/// The part of the window for which each call waits at least: it may come before what it tells of can be read (trap 71).
const LEAST_WAIT: u32 = 3;

impl ScheduledJob {
    pub(super) fn due(&self, now: Timestamp) -> Due {
        if self.asked {
            return Due::Since(now);
        }
        let by_rhythm = match (&self.history, self.planned.schedule.paused) {
            (_, true) => return Due::Never,
            (None, false) => return Due::Since(now),
            (Some(history), false) => due(&self.planned.schedule, self.seed, history, now),
        };
        let history = self.history.unwrap_or_default();
        let by_hint = |hints: &Hints| due_by_hint(&history, hints.since.elapsed(), self.planned.hint_window, now);
        self.hints.as_ref().map_or(by_rhythm, |hints| by_rhythm.or_sooner(by_hint(hints)))
    }

    /// Puts its rhythm, and when it last did its work, on the board.
    pub(super) fn tell(&self, state: &mut JobState, success: Option<Timestamp>, now: Timestamp) {
        state.plan(self.due(now));
        state.paused = self.planned.schedule.paused;
        state.succeeded(&self.planned, success);
    }

    /// Gives the time until it may be tried; `None` when it runs or is paused.
    pub(super) fn wait(&self, now: Timestamp) -> Option<Duration> {
        let held = self.not_before.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()));
        let wait = if self.running { None } else { self.due(now).wait(now) };
        wait.map(|wait| wait.max(held))
    }

    /// Takes a hint. A job that is paused ignores it.
    pub(super) fn hint(&mut self, dossier: DossierNumber) {
        if !self.planned.schedule.paused {
            let now = Instant::now();
            let hints = self.hints.get_or_insert(Hints { named: Hinted::default(), since: now, last: now });
            hints.named.add(dossier);
            hints.last = now;
        }
    }

    /// Takes the hints that were gathered for a window. Others stay, whatever makes the job run now. Where the last call came only just
    /// before, another run is wanted a window after it: what it tells of may not be there to be read yet.
    pub(super) fn take_hints(&mut self) -> Option<Hints> {
        let window = self.planned.hint_window;
        let taken = self.hints.take_if(|hints| hints.since.elapsed() >= window)?;
        if taken.last.elapsed() < window / LEAST_WAIT {
            self.hints = Some(Hints { named: Hinted::run_alone(), since: taken.last, last: taken.last });
        }
        Some(taken)
    }

    /// Takes hints back that came to nothing, as another had the job: they wait on.
    pub(super) fn give_back(&mut self, hints: Option<Hints>) {
        let Some(hints) = hints else { return };
        self.hints = Some(match self.hints.take() {
            Some(later) => Hints { named: hints.named.and(later.named), since: hints.since, last: later.last },
            None => hints,
        });
    }

    /// A run has ended. After one that failed a run is wanted as before, and no dossier is read for it another time.
    pub(super) fn ran(&mut self, ended: Ended, hints: Option<Hints>) {
        self.history = Some(self.history.unwrap_or_default().and(ended));
        if matches!(ended.outcome, RunOutcome::Failed | RunOutcome::Interrupted) {
            self.give_back(hints.map(|hints| Hints { named: Hinted::run_alone(), ..hints }));
        }
    }
}
