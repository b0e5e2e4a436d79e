//! Backoff of dossiers in quarantine. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::observe::Unread;
use crate::sink::QuarantineEntry;

/// Computes the next attempt: exponential backoff from 5 minutes to a day. It never gives up, as a dossier may be
/// readable again after months (trap 5).
#[must_use]
pub fn next_try(now: Timestamp, attempts: u32) -> Timestamp {
    let minutes = 5_i64.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(24 * 60);
    now.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX)
}

/// Builds the entry of a dossier that could not be read, for the first time or again.
pub(super) fn entry(unread: Unread, before: Option<&QuarantineEntry>, now: Timestamp) -> QuarantineEntry {
    let attempts = before.map_or(1, |entry| entry.attempts.saturating_add(1));
    QuarantineEntry {
        number: unread.number,
        reason: unread.reason,
        message: unread.message,
        since: before.map_or(now, |entry| entry.since),
        attempts,
        next_try: next_try(now, attempts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_day_and_never_ends() {
        let now: Timestamp = "2026-02-01T00:00:00Z".parse().expect("an instant");
        let minutes = |attempts| next_try(now, attempts).duration_since(now).as_mins();
        assert_eq!([minutes(1), minutes(2), minutes(3)], [5, 10, 20]);
        assert_eq!([minutes(9), minutes(50), minutes(u32::MAX)], [1280, 1440, 1440]);
    }
}
