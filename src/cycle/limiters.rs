//! Keeps one rate limiter for each token of the process, through reloads of the configuration.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::clients::WINDOW;
use super::error::CycleError;
use super::targets::kind_of;
use crate::api::RateLimiter;
use crate::config::{Secrets, Target};

/// Keeps the rate limiters of the process: one for all that uses the same token at the same address.
#[derive(Debug, Default)]
pub struct Limiters(Mutex<HashMap<String, Known>>);

/// The target in which a count is shared, and the duration of its leases.
type Shared = Option<(String, Option<Duration>)>;

#[derive(Debug)]
struct Known {
    limit: u32,
    shared: Shared,
    limiter: RateLimiter,
}

impl Limiters {
    /// Gives the limiter of a token; makes it when it is new or when its limit has changed. Several processes keep the count
    /// together in the first of `targets` that can hold it.
    pub(super) fn of<'t>(
        &self,
        key: &str,
        limit: u32,
        targets: impl IntoIterator<Item = &'t Target>,
        secrets: &Secrets,
    ) -> Result<RateLimiter, CycleError> {
        let target = targets.into_iter().map(kind_of).find(|target| target.lease().is_some());
        let shared = target.map(|target| (target.identity(), target.lease()));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(key).filter(|known| (known.limit, &known.shared) == (limit, &shared)) {
            return Ok(known.limiter.clone());
        }
        let mut limiter = RateLimiter::new(limit, WINDOW);
        if let Some(target) = target
            && let Some(permits) = target.shared_limit(key, limit, secrets)?
        {
            limiter = limiter.sharing(permits);
        }
        known.insert(key.to_owned(), Known { limit, shared, limiter: limiter.clone() });
        Ok(limiter)
    }
}
