//! The counts of requests of a process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::api::RateLimiter;
use crate::cli::error::CliError;
use crate::cli::targets::permits;
use crate::config::PostgresTarget;
use crate::sink::postgres::PermitRule;

/// The span of time in which the platform counts requests (docs/platform.md#rate-limits).
const WINDOW: Duration = Duration::from_secs(60);
/// How long a place from a shared count may be used: longer than any question to the database should take, and a small part
/// of the window, as a place counts for both.
const FRESH: Duration = Duration::from_secs(2);

/// The counts of requests, kept through reloads: one for all that uses the same token at the same address.
#[derive(Debug, Default)]
pub struct Limiters(Mutex<HashMap<String, Known>>);

#[derive(Debug)]
struct Known {
    limit: u32,
    /// Where the count is shared.
    place: Option<(String, String, Duration)>,
    limiter: RateLimiter,
}

impl Known {
    fn is(&self, limit: u32, place: &Option<(String, String, Duration)>) -> bool {
        (self.limit, &self.place) == (limit, place)
    }
}

impl Limiters {
    /// The limiter of a token, made when it is new or when its limit has changed.
    ///
    /// `shared`: the target in which several processes keep the count together.
    pub(super) fn of(&self, key: &str, limit: u32, shared: Option<&PostgresTarget>) -> Result<RateLimiter, CliError> {
        let place = shared.map(|target| (target.to_string(), target.schema.clone(), target.lease));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Known { limiter, .. }) = known.get(key).filter(|known| known.is(limit, &place)) {
            return Ok(limiter.clone());
        }
        let mut limiter = RateLimiter::new(limit, WINDOW);
        if let Some(target) = shared {
            limiter =
                limiter.sharing(Arc::new(permits(target, key, PermitRule { limit, window: WINDOW, fresh: FRESH })?));
        }
        known.insert(key.to_owned(), Known { limit, place, limiter: limiter.clone() });
        Ok(limiter)
    }
}
