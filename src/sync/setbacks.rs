//! Spaces the attempts of side requests that fail: they are retried less and less often, and end no run. Pure.

use std::fmt::Display;

use jiff::Timestamp;

use super::quarantine::next_try;
use crate::checkpoint::Setback;

/// Computes the setback after one more failure.
pub(super) fn after(before: Option<&Setback>, now: Timestamp) -> Setback {
    let attempts = before.map_or(1, |before| before.attempts.saturating_add(1));
    Setback { attempts, next_try: next_try(now, attempts) }
}

/// Describes a request that was not sent, as it is not its turn yet.
pub(super) fn not_asked(what: impl Display, setback: &Setback) -> String {
    let Setback { attempts, next_try } = setback;
    format!("{what} was not asked for: it failed {attempts} times, and its turn is after {next_try}")
}
