//! Computes where a run starts to read, and the watermark after each page. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::api::Since;
use crate::checkpoint::{Checkpoint, Sweep};

/// Intervals of reading: overlap, follow-up, listing, sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// The overlap: how far before the watermark every run starts. A change may become visible after a later one (trap
    /// 1), and a submission arrives in several steps (trap 21). 15 minutes by default.
    pub overlap: SignedDuration,
    /// The interval of follow-ups: runs that start further back, to see consequences of a change that have no date of
    /// their own: attestation, virus scan, corrections, directory data (traps 20 to 23). Every hour by default.
    pub follow_up_every: SignedDuration,
    /// The overlap of a follow-up. 26 hours by default.
    pub follow_up_window: SignedDuration,
    /// The interval of the complete light listing. 24 hours by default.
    pub listing_every: SignedDuration,
    /// The interval of sweeps. 7 days by default.
    pub sweep_every: SignedDuration,
    /// The delay between the publication of a revision and the sweep that follows: the platform moves dossiers to it in
    /// a background job, without a date (trap 25). 10 minutes by default.
    pub rebase_delay: SignedDuration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            overlap: SignedDuration::from_mins(15),
            follow_up_every: SignedDuration::from_hours(1),
            follow_up_window: SignedDuration::from_hours(26),
            listing_every: SignedDuration::from_hours(24),
            sweep_every: SignedDuration::from_hours(7 * 24),
            rebase_delay: SignedDuration::from_mins(10),
        }
    }
}

/// Start and kind of a run's reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The start.
    pub since: Since,
    /// True for a sweep, or the rest of one.
    pub sweep: bool,
    /// True for a follow-up.
    pub follow_up: bool,
}

/// Decides where a run starts. There is one mode, the walk in order of modification; only the start differs.
#[must_use]
pub fn reading(checkpoint: &Checkpoint, rhythm: &Rhythm, now: Timestamp) -> Reading {
    let Some(watermark) = checkpoint.watermark else {
        return Reading { since: Since::Beginning, sweep: true, follow_up: true };
    };
    // An interrupted sweep goes on with the overlap too: a cursor does not outlive its walk, and would lose changes
    // behind it (traps 1 and 8).
    if let Some(Sweep { reached }) = checkpoint.sweep {
        let since = reached.map_or(Since::Beginning, |reached| Since::Updated(before(reached, rhythm.overlap)));
        return Reading { since, sweep: true, follow_up: true };
    }
    // Never exactly at the watermark: a change gets its date before it becomes visible (trap 1). What is read twice
    // costs no write, as its fingerprint is equal.
    let follow_up = due(checkpoint.followed_up_at, rhythm.follow_up_every, now);
    let back = if follow_up { rhythm.overlap.max(rhythm.follow_up_window) } else { rhythm.overlap };
    Reading { since: Since::Updated(before(watermark, back)), sweep: false, follow_up }
}

/// Returns true if a sweep is due.
#[must_use]
pub fn sweep_is_due(checkpoint: &Checkpoint, rhythm: &Rhythm, now: Timestamp) -> bool {
    checkpoint.sweep.is_none()
        && checkpoint.watermark.is_some()
        && (checkpoint.sweep_due.is_some_and(|at| at <= now) || due(checkpoint.swept_at, rhythm.sweep_every, now))
}

/// Returns true if the complete light listing is due.
#[must_use]
pub fn listing_is_due(checkpoint: &Checkpoint, rhythm: &Rhythm, now: Timestamp) -> bool {
    due(checkpoint.listed_at, rhythm.listing_every, now)
}

/// Computes the start of the list of deletions: well before the watermark, as the platform dates some of them two weeks
/// back (trap 32).
#[must_use]
pub fn deleted_since(checkpoint: &Checkpoint) -> Option<Timestamp> {
    // Thirty days: the platform hides a deleted dossier for two weeks, then lists it with the date of the hiding (trap
    // 32).
    checkpoint.watermark.map(|watermark| before(watermark, SignedDuration::from_hours(30 * 24)))
}

/// Advances the checkpoint after a page whose last dossier moved at `reached`. Never backward.
///
/// `began` is the platform's instant at which the walk began. A change that becomes visible during the walk may have a
/// date that the walk has passed. The next walk must look there, however long this one takes, so the watermark stays no
/// later than `began` (trap 1). `None` if the platform's clock is not known.
#[must_use]
pub fn advance(
    checkpoint: &Checkpoint,
    reading: Reading,
    reached: Option<Timestamp>,
    began: Option<Timestamp>,
) -> Checkpoint {
    let reached = reached.map(|reached| began.map_or(reached, |began| reached.min(began)));
    let mut next = checkpoint.clone();
    // Never backward: pages of a sweep are older than the watermark.
    next.watermark = checkpoint.watermark.max(reached);
    if reading.sweep {
        // A first walk is a sweep too, and only its end proves that it was complete.
        let before = checkpoint.sweep.and_then(|sweep| sweep.reached);
        next.sweep = Some(Sweep { reached: before.max(reached) });
    }
    next
}

/// Completes the checkpoint after the last page.
#[must_use]
pub fn finish(checkpoint: &Checkpoint, reading: Reading, now: Timestamp) -> Checkpoint {
    let mut next = checkpoint.clone();
    if reading.sweep {
        next.sweep = None;
        next.swept_at = Some(now);
        if next.sweep_due.is_some_and(|at| at <= now) {
            next.sweep_due = None;
        }
        // A first sweep has just read everything: the listing is not due at once.
        next.listed_at = next.listed_at.or(Some(now));
    }
    if reading.follow_up {
        next.followed_up_at = Some(now);
    }
    next
}

fn before(at: Timestamp, back: SignedDuration) -> Timestamp {
    at.checked_sub(back).unwrap_or(Timestamp::UNIX_EPOCH).max(Timestamp::UNIX_EPOCH)
}

fn due(last: Option<Timestamp>, every: SignedDuration, now: Timestamp) -> bool {
    // A clock that was set back makes it due as well: a reading too many does no harm.
    last.is_none_or(|last| last > now || now.duration_since(last) >= every)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn the_first_run_is_the_same_walk_since_the_beginning() {
        let reading = reading(&Checkpoint::default(), &Rhythm::default(), at("2026-02-01T00:00:00Z"));
        assert_eq!(reading.since, Since::Beginning);
        assert!(reading.sweep);
    }

    #[test]
    fn every_run_begins_before_its_watermark() {
        let now = at("2026-02-01T12:00:00Z");
        let mut checkpoint = Checkpoint {
            watermark: Some(at("2026-02-01T11:00:00Z")),
            followed_up_at: Some(at("2026-02-01T11:30:00Z")),
            ..Checkpoint::default()
        };
        let rhythm = Rhythm::default();
        assert_eq!(reading(&checkpoint, &rhythm, now).since, Since::Updated(at("2026-02-01T10:45:00Z")));
        checkpoint.followed_up_at = Some(at("2026-02-01T11:00:00Z"));
        assert_eq!(reading(&checkpoint, &rhythm, now).since, Since::Updated(at("2026-01-31T09:00:00Z")), "hourly");
        checkpoint.sweep = Some(Sweep { reached: Some(at("2025-01-01T00:00:00Z")) });
        assert_eq!(
            reading(&checkpoint, &rhythm, now).since,
            Since::Updated(at("2024-12-31T23:45:00Z")),
            "a sweep goes on"
        );
    }

    #[test]
    fn the_watermark_never_moves_backward() {
        let checkpoint = Checkpoint { watermark: Some(at("2026-02-01T11:00:00Z")), ..Checkpoint::default() };
        let sweep = Reading { since: Since::Beginning, sweep: true, follow_up: false };
        let next = advance(&checkpoint, sweep, Some(at("2020-01-01T00:00:00Z")), None);
        assert_eq!(next.watermark, checkpoint.watermark);
        assert_eq!(next.sweep, Some(Sweep { reached: Some(at("2020-01-01T00:00:00Z")) }));
        let next = advance(&next, sweep, None, None);
        assert_eq!(
            next.sweep,
            Some(Sweep { reached: Some(at("2020-01-01T00:00:00Z")) }),
            "an empty page loses nothing"
        );
    }

    #[test]
    fn a_walk_stands_no_further_than_the_instant_at_which_it_began() {
        let checkpoint = Checkpoint { watermark: Some(at("2026-02-01T11:00:00Z")), ..Checkpoint::default() };
        let reading = Reading { since: Since::Beginning, sweep: true, follow_up: false };
        let reached = Some(at("2026-02-01T12:20:00Z"));
        for (began, stands) in [
            ("2026-02-01T12:30:00Z", "2026-02-01T12:20:00Z"),
            ("2026-02-01T12:00:00Z", "2026-02-01T12:00:00Z"),
            // A platform whose clock is wrong takes nothing back.
            ("1970-01-01T00:00:00Z", "2026-02-01T11:00:00Z"),
        ] {
            let next = advance(&checkpoint, reading, reached, Some(at(began)));
            assert_eq!(next.watermark, Some(at(stands)), "{began}");
            assert_eq!(next.sweep, Some(Sweep { reached: reached.min(Some(at(began))) }), "{began}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_things_due() {
        let now = at("2026-02-01T12:00:00Z");
        assert!(due(Some(at("2026-03-01T00:00:00Z")), SignedDuration::from_hours(24), now));
        assert!(!due(Some(at("2026-02-01T11:00:00Z")), SignedDuration::from_hours(24), now));
        assert!(due(None, SignedDuration::from_hours(24), now));
    }
}
