//! Decides the reaction to a failed request: retry, backoff, or report. Pure.

use std::time::Duration;

use super::answer::{Failure, Fate};
use super::doc::Repeat;
use super::error::GristError;

/// The circumstances of a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// Number of earlier attempts of this request.
    pub tried: u32,
    /// `true` if it may be repeated.
    pub repeat: Repeat,
    /// `true` if the document has only refused this client so far.
    pub fresh: bool,
    /// The `Retry-After` of the answer. Grist sends none, a proxy may.
    pub retry_after: Option<Duration>,
}

/// The reaction to a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    /// Send it again after this long (jitter is added by whoever waits).
    Retry {
        /// The backoff.
        after: Duration,
    },
    /// Have the document closed and opened again, then send it again after this long.
    Reload {
        /// The backoff.
        after: Duration,
    },
    /// It may have been done and must not be done twice: say so.
    Unclear,
    /// Give up, with the error as it is.
    Stop,
}

/// The longest single wait.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// The most retries of a request: with the backoff some fifty seconds, in which a server restarts.
pub(super) const MOST_RETRIES: u32 = 7;
/// Grist remembers for 5 s what it knew of the rights on a document (Grist trap 28).
pub(super) const RIGHTS_SETTLE: Duration = Duration::from_secs(6);

/// Decides what to do about a failed request.
///
/// What Grist decided stands, but for a first refusal, which may be of rights that just changed. What was surely not done
/// is sent again, with a doubling wait. What may have been done is sent again only where twice is once.
pub(super) fn disposition(failure: &Failure, attempt: Attempt) -> Disposition {
    let again = |most: u32| {
        let backoff = Duration::from_millis(500).saturating_mul(1 << attempt.tried.min(10));
        let wait = attempt.retry_after.unwrap_or(backoff).min(LONGEST_WAIT);
        if attempt.tried < most { Disposition::Retry { after: wait } } else { Disposition::Stop }
    };
    match (&failure.error, failure.fate) {
        (GristError::Forbidden { .. } | GristError::NoDocument { .. }, _) if attempt.fresh && attempt.tried == 0 => {
            Disposition::Retry { after: RIGHTS_SETTLE }
        }
        (_, Fate::Final) => Disposition::Stop,
        // It does not come back by itself as long as the document is in use; a few times, for one that dies of what it is
        // asked.
        (GristError::EngineDown { .. }, _) => match again(3) {
            Disposition::Retry { after } => Disposition::Reload { after },
            other => other,
        },
        // The time limit of somebody else's SQL interrupts whatever runs then: it may not have been ours.
        (GristError::SlowSql, _) => again(1),
        (_, Fate::NotDone) => again(MOST_RETRIES),
        // It says itself that it may have been done, and where to look.
        (GristError::TooSlow { .. }, Fate::Unknown) if attempt.repeat == Repeat::Never => Disposition::Stop,
        (_, Fate::Unknown) if attempt.repeat == Repeat::Never => Disposition::Unclear,
        // The wait was long already: a formula or a webhook that blocks will not be gone (Grist traps 26 and 27).
        (GristError::TooSlow { .. }, Fate::Unknown) => again(1),
        (GristError::Undecodable { .. }, Fate::Unknown) => again(2),
        (_, Fate::Unknown) => again(MOST_RETRIES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        String::new()
    }

    #[test]
    fn the_table() {
        use Disposition::{Reload, Retry, Stop, Unclear};
        use Repeat::{Never, Safe};
        let ms = |ms| Retry { after: Duration::from_millis(ms) };
        let at = |tried, repeat| Attempt { tried, repeat, fresh: false, retry_after: None };
        let fresh = |tried| Attempt { fresh: true, ..at(tried, Safe) };
        let told = |seconds| Attempt { retry_after: Some(Duration::from_secs(seconds)), ..at(0, Safe) };
        let forbidden = || Failure::of(GristError::Forbidden { message: text() }, Fate::Final);
        let unknown_doc = || Failure::of(GristError::NoDocument { message: text() }, Fate::Final);
        let busy = || Failure::of(GristError::Busy { message: text() }, Fate::NotDone);
        let away = |fate| Failure::of(GristError::Unavailable { status: Some(503), message: text() }, fate);
        let engine_down = || Failure::of(GristError::EngineDown { status: 500 }, Fate::NotDone);
        let slow = || Failure::of(GristError::TooSlow { seconds: 120 }, Fate::Unknown);
        let garbled = || Failure::of(GristError::Undecodable { reason: text() }, Fate::Unknown);
        let rows: Vec<(&str, Failure, Attempt, Disposition)> = vec![
            ("a first refusal may be of rights that just changed", forbidden(), fresh(0), ms(6000)),
            ("a second one is meant", forbidden(), fresh(1), Stop),
            ("so is one after good answers", forbidden(), at(0, Safe), Stop),
            ("a document just taken out of the trash", unknown_doc(), fresh(0), ms(6000)),
            ("a document that is not there", unknown_doc(), fresh(1), Stop),
            (
                "a wrong key burns no retry",
                Failure::of(GristError::WrongKey { message: text() }, Fate::Final),
                fresh(0),
                Stop,
            ),
            (
                "the day's quota comes back tomorrow",
                Failure::of(GristError::Quota { message: text() }, Fate::Final),
                at(0, Safe),
                Stop,
            ),
            (
                "an error of the data engine is permanent",
                Failure::of(GristError::Refused { status: 500, message: text() }, Fate::Final),
                at(0, Safe),
                Stop,
            ),
            ("a busy document is waited for", busy(), at(0, Safe), ms(500)),
            ("whatever was asked of it", busy(), at(0, Never), ms(500)),
            ("longer each time", busy(), at(4, Never), ms(8000)),
            ("up to a limit", busy(), at(6, Safe), ms(20_000)),
            ("but not for ever", busy(), at(7, Safe), Stop),
            ("a wait that is told is kept", busy(), told(3), ms(3000)),
            ("unless it is absurd", busy(), told(86_400), ms(20_000)),
            (
                "a dead data engine is made anew",
                engine_down(),
                at(0, Safe),
                Reload { after: Duration::from_millis(500) },
            ),
            (
                "whatever was asked of it: nothing was stored",
                engine_down(),
                at(2, Never),
                Reload { after: Duration::from_secs(2) },
            ),
            ("one that dies again and again does not", engine_down(), at(3, Safe), Stop),
            (
                "SQL may be cut by somebody else's limit",
                Failure::of(GristError::SlowSql, Fate::NotDone),
                at(0, Safe),
                ms(500),
            ),
            ("or by its own", Failure::of(GristError::SlowSql, Fate::NotDone), at(1, Safe), Stop),
            ("a document in flux did nothing", away(Fate::NotDone), at(1, Never), ms(1000)),
            ("a lost answer is asked for again", away(Fate::Unknown), at(0, Safe), ms(500)),
            ("unless it must not be", away(Fate::Unknown), at(0, Never), Unclear),
            ("not even after good repetitions", away(Fate::Unknown), at(3, Never), Unclear),
            ("a slow document is asked twice", slow(), at(0, Safe), ms(500)),
            ("not three times", slow(), at(1, Safe), Stop),
            ("a slow document may have done it", slow(), at(0, Never), Stop),
            ("an answer that was lost may have been good", garbled(), at(0, Never), Unclear),
            ("a garbled answer is asked for again", garbled(), at(1, Safe), ms(1000)),
            ("a few times", garbled(), at(2, Safe), Stop),
            ("a garbled answer may hide a good one", garbled(), at(0, Never), Unclear),
        ];
        for (case, failure, attempt, expected) in rows {
            assert_eq!(disposition(&failure, attempt), expected, "{case}");
        }
    }
}
