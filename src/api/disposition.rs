//! Decides about failed requests: retry with backoff, smaller page, quarantine, or stop. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::error::{ApiError, TransportFailure};

/// The circumstances of a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The number of times this very request was tried before, from 0.
    pub tried: u32,
    /// The number of dossiers the request asked for: 0 for one that lists none.
    pub page_size: u32,
    /// The platform's present instant, as far as it is known (its `Date` header), or ours.
    pub now: Timestamp,
}

/// Decision about a failed request: retry with backoff, ask for less, or give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Send it again after a backoff (the transport adds jitter).
    Retry {
        /// The backoff.
        after: Duration,
    },
    /// Ask for fewer dossiers at a time.
    ShrinkPage,
    /// Put this one dossier into quarantine and go on.
    Quarantine,
    /// Stop the run: a person must look, or the next run tries again.
    Stop,
}

/// The longest single backoff.
pub const LONGEST_WAIT: Duration = Duration::from_secs(65);
/// The number of retries of an unavailable platform before the run ends as "try again later".
pub const MOST_RETRIES: u32 = 6;

/// Decides what to do about an error.
///
/// Transient failures are retried with exponential backoff, capped; a 429 waits for the instant that the platform
/// names. A page that the platform cannot answer as a whole is cut into smaller ones, down to the one dossier at fault,
/// which goes into quarantine. Errors of the token, the address or the schema stop at once: a retry would get the same
/// answer.
#[must_use]
pub fn disposition(error: &ApiError, attempt: Attempt) -> Disposition {
    let backoff = || {
        let wait = Duration::from_millis(500).saturating_mul(1 << attempt.tried.min(10));
        Disposition::Retry { after: wait.min(LONGEST_WAIT) }
    };
    let smaller = match attempt.page_size {
        0 => Disposition::Stop,
        1 => Disposition::Quarantine,
        _ => Disposition::ShrinkPage,
    };
    match error {
        ApiError::TokenRefused { .. }
        | ApiError::OutOfScope { .. }
        | ApiError::NotFound { .. }
        | ApiError::Redirected { .. }
        | ApiError::Rejected { .. }
        | ApiError::NoPermit { .. }
        | ApiError::ForeignCursor { .. }
        | ApiError::Transport { failure: TransportFailure::Permanent(_), .. }
        | ApiError::Settings { .. } => Disposition::Stop,
        ApiError::RateLimited { until } if attempt.tried < MOST_RETRIES => match until {
            // One second more: `RateLimit-Reset` is in whole seconds.
            Some(until) => {
                let wait = until.as_second().saturating_sub(attempt.now.as_second()).clamp(0, 120) + 1;
                Disposition::Retry { after: Duration::from_secs(wait.unsigned_abs()).min(LONGEST_WAIT) }
            }
            None => Disposition::Retry { after: LONGEST_WAIT.min(Duration::from_secs(10) * (attempt.tried + 1)) },
        },
        ApiError::RateLimited { .. } => Disposition::Stop,
        // A time-out is most often a page that is too heavy for the platform's 30 s, and a proxy's time-out is a 504:
        // ask for fewer dossiers before retrying (trap 3).
        error if is_timeout(error) && attempt.page_size > 1 => Disposition::ShrinkPage,
        error if is_timeout(error) && attempt.page_size == 1 && attempt.tried >= 2 => smaller,
        // A worker that dies of a heavy page breaks the connection. A restart of the platform looks the same, so retry
        // first.
        error if is_lost_answer(error) && attempt.page_size > 1 && attempt.tried >= 3 => smaller,
        ApiError::Unavailable { .. } | ApiError::Transport { .. } if attempt.tried < MOST_RETRIES => backoff(),
        error if is_lost_answer(error) && attempt.page_size == 1 => smaller,
        ApiError::Unavailable { .. } | ApiError::Transport { .. } => Disposition::Stop,
        // One retry tells a transient failure from a dossier that breaks every page it is in (trap 4).
        ApiError::ServerError { .. } if attempt.tried == 0 => backoff(),
        ApiError::ServerError { .. } => smaller,
        ApiError::TooLarge { .. } => smaller,
        ApiError::Undecodable { .. } if attempt.tried < 2 => backoff(),
        ApiError::Undecodable { .. } => smaller,
        ApiError::Partial { .. } if attempt.page_size > 1 => Disposition::ShrinkPage,
        ApiError::Partial { .. } if attempt.tried < 2 => backoff(),
        ApiError::Partial { .. } => smaller,
    }
}

/// Decides about an error of a side request, which must not hold up the main work: a transient failure is retried once,
/// a time-out is not. A 429 waits for the instant that the platform names, as all requests do.
#[must_use]
pub fn disposition_aside(error: &ApiError, attempt: Attempt) -> Disposition {
    match error {
        ApiError::RateLimited { .. } => disposition(error, attempt),
        error if is_timeout(error) || attempt.tried > 0 => Disposition::Stop,
        error => disposition(error, attempt),
    }
}

/// Returns true if the answer did not come in time, by our time-out or by that of a proxy.
pub(crate) fn is_timeout(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Transport { failure: TransportFailure::Timeout, .. } | ApiError::Unavailable { status: 408 | 504 }
    )
}

/// Returns true if the platform's worker may have died of this request.
fn is_lost_answer(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Transport { failure: TransportFailure::Broken, .. } | ApiError::Unavailable { status: 502 }
    )
}

/// Decides about an error of a request that must take effect at most once. The platform does not recognise a
/// repetition, so it is retried only if it surely had no effect (trap 59).
#[must_use]
pub fn disposition_of_write(error: &ApiError, attempt: Attempt) -> Disposition {
    if surely_without_effect(error) { disposition(error, attempt) } else { Disposition::Stop }
}

/// Returns true if a request that failed in this way surely changed nothing: it did not arrive, was refused before it
/// was read, or was refused by the validation that comes before any execution.
pub(super) fn surely_without_effect(error: &ApiError) -> bool {
    match error {
        ApiError::TokenRefused { .. }
        | ApiError::NoPermit { .. }
        | ApiError::RateLimited { .. }
        | ApiError::Redirected { .. }
        | ApiError::Rejected { .. }
        | ApiError::ForeignCursor { .. }
        | ApiError::Settings { .. } => true,
        ApiError::Transport { failure, .. } => {
            matches!(failure, TransportFailure::Connect | TransportFailure::Permanent(_))
        }
        // The platform also answers these after a mutation was executed.
        ApiError::OutOfScope { .. }
        | ApiError::NotFound { .. }
        | ApiError::Unavailable { .. }
        | ApiError::ServerError { .. }
        | ApiError::Partial { .. }
        | ApiError::TooLarge { .. }
        | ApiError::Undecodable { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::PermanentFailure;

    fn at(tried: u32, page_size: u32) -> Attempt {
        Attempt { tried, page_size, now: Timestamp::from_second(1_768_000_000).expect("a date of 2026") }
    }

    fn server_error() -> ApiError {
        ApiError::ServerError { what: "a page".into(), exception: None }
    }

    fn partial() -> ApiError {
        ApiError::Partial { what: "a page".into(), code: None, message: "Timeout".into() }
    }

    fn broken(failure: TransportFailure) -> ApiError {
        ApiError::Transport { host: "localhost".into(), failure, source: None }
    }

    #[test]
    fn the_table() {
        use Disposition::{Quarantine, Retry, ShrinkPage, Stop};
        let ms = |ms| Retry { after: Duration::from_millis(ms) };
        let refused = ApiError::TokenRefused { code: "forbidden".into(), message: String::new() };
        let scope = ApiError::OutOfScope { what: "démarche 1".into() };
        let rows: Vec<(&str, ApiError, Attempt, Disposition)> = vec![
            ("a refused token burns no retry", refused, at(0, 100), Stop),
            ("a lost scope stops", scope, at(0, 100), Stop),
            ("maintenance is waited for", ApiError::Unavailable { status: 503 }, at(0, 100), ms(500)),
            ("longer each time", ApiError::Unavailable { status: 503 }, at(3, 100), ms(4000)),
            ("but not for ever", ApiError::Unavailable { status: 503 }, at(6, 100), Stop),
            ("a hiccup is tried again", server_error(), at(0, 100), ms(500)),
            ("a page that fails twice is cut", server_error(), at(1, 100), ShrinkPage),
            ("the culprit is set aside", server_error(), at(1, 1), Quarantine),
            ("a question without dossiers stops", server_error(), at(1, 0), Stop),
            ("a partial page is cut at once", partial(), at(0, 50), ShrinkPage),
            ("a partial dossier is tried again", partial(), at(0, 1), ms(500)),
            ("then set aside", partial(), at(2, 1), Quarantine),
            ("a slow page is cut", broken(TransportFailure::Timeout), at(0, 100), ShrinkPage),
            ("a slow dossier is waited for", broken(TransportFailure::Timeout), at(1, 1), ms(1000)),
            (
                "a certificate that is not trusted does not become so",
                broken(TransportFailure::Permanent(PermanentFailure::UnknownAuthority)),
                at(0, 100),
                Stop,
            ),
            ("then set aside", broken(TransportFailure::Timeout), at(2, 1), Quarantine),
            ("a slow question is asked again", broken(TransportFailure::Timeout), at(2, 0), ms(2000)),
            ("a proxy without patience is a time-out", ApiError::Unavailable { status: 504 }, at(0, 100), ShrinkPage),
            ("of a dossier as well", ApiError::Unavailable { status: 504 }, at(2, 1), Quarantine),
            ("a worker that dies is tried again", ApiError::Unavailable { status: 502 }, at(2, 100), ms(2000)),
            ("then the page is cut", broken(TransportFailure::Broken), at(3, 100), ShrinkPage),
            ("and its dossier set aside in the end", broken(TransportFailure::Broken), at(6, 1), Quarantine),
            ("no connection at all is no dossier's fault", broken(TransportFailure::Connect), at(6, 1), Stop),
            ("a broken connection is opened again", broken(TransportFailure::Broken), at(0, 100), ms(500)),
        ];
        for (case, error, attempt, expected) in rows {
            assert_eq!(disposition(&error, attempt), expected, "{case}");
        }
    }

    #[test]
    fn a_side_question_is_asked_twice_at_most_and_once_when_it_is_slow() {
        let retries =
            |error: &ApiError, tried| matches!(disposition_aside(error, at(tried, 0)), Disposition::Retry { .. });
        for (case, error, twice) in [
            ("a hiccup", server_error(), true),
            ("maintenance", ApiError::Unavailable { status: 503 }, true),
            ("a broken connection", broken(TransportFailure::Broken), true),
            ("a time-out", broken(TransportFailure::Timeout), false),
            ("a time-out of a proxy", ApiError::Unavailable { status: 504 }, false),
            ("a refusal", ApiError::OutOfScope { what: "démarche 1".into() }, false),
        ] {
            assert_eq!((retries(&error, 0), retries(&error, 1)), (twice, false), "{case}");
        }
        assert!(retries(&ApiError::RateLimited { until: None }, 3), "the platform says when");
    }

    #[test]
    fn a_429_waits_for_the_instant_that_the_platform_names() {
        let now = at(0, 100).now;
        let until =
            |seconds: i64| ApiError::RateLimited { until: Timestamp::from_second(now.as_second() + seconds).ok() };
        let wait = |error| match disposition(&error, at(0, 100)) {
            Disposition::Retry { after } => after.as_secs(),
            other => panic!("expected a retry, got {other:?}"),
        };
        assert_eq!(wait(until(30)), 31);
        assert_eq!(wait(until(-10)), 1, "a reset in the past");
        assert_eq!(wait(until(100_000)), LONGEST_WAIT.as_secs(), "a clock that is wrong");
        assert_eq!(wait(ApiError::RateLimited { until: None }), 10, "no header");
    }
}
