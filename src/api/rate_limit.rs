//! The politeness that everything which uses one token shares.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Lets through at most so many requests in any span of time.
///
/// The platform allows 400 requests a minute for one token, counted over everything that uses it (dn-api 1.6). Clones
/// share one count: give the same limiter to every client that uses the same token. The window slides and is exact: it
/// remembers the instant of each of the last requests, so no minute, wherever it begins, holds more than the limit.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    limit: usize,
    window: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The instants of the last requests, oldest first; never more than the limit.
    sent: VecDeque<Instant>,
    /// Nothing is sent before: the platform has asked to slow down.
    held_until: Option<Instant>,
}

impl Default for RateLimiter {
    /// 400 requests in 60 seconds.
    fn default() -> Self {
        Self::new(400, Duration::from_secs(60))
    }
}

impl RateLimiter {
    /// At most `limit` requests (at least 1) in any `window`.
    #[must_use]
    pub fn new(limit: u32, window: Duration) -> Self {
        Self { limit: limit.max(1) as usize, window, state: Arc::default() }
    }

    /// Waits for a place, and takes it. A wait that is given up takes none.
    pub async fn acquire(&self) {
        while let Err(until) = self.try_acquire(Instant::now()) {
            sleep_until(until).await;
        }
    }

    /// Sends nothing before this long, whoever asks: the platform answered 429 (trap 54).
    pub fn hold(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.held_until = Some(state.held_until.map_or(until, |held| held.max(until)));
    }

    /// Takes a place now, or tells when to ask again.
    fn try_acquire(&self, now: Instant) -> Result<(), Instant> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = state.held_until.filter(|held| *held > now) {
            return Err(held);
        }
        state.held_until = None;
        while state.sent.front().is_some_and(|oldest| *oldest + self.window <= now) {
            state.sent.pop_front();
        }
        match state.sent.front() {
            Some(oldest) if state.sent.len() >= self.limit => Err(*oldest + self.window),
            _ => {
                state.sent.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_than_the_limit() {
        let limiter = RateLimiter::new(3, Duration::from_secs(60));
        let start = Instant::now();
        let mut seconds = Vec::new();
        for _ in 0..8 {
            limiter.acquire().await;
            seconds.push(start.elapsed().as_secs());
            tokio::time::advance(Duration::from_secs(10)).await;
        }
        assert_eq!(seconds, [0, 10, 20, 60, 70, 80, 120, 130]);
    }

    #[tokio::test(start_paused = true)]
    async fn clones_share_one_count() {
        let limiter = RateLimiter::new(2, Duration::from_secs(60));
        let start = Instant::now();
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let limiter = limiter.clone();
                tokio::spawn(async move {
                    limiter.acquire().await;
                    start.elapsed().as_secs()
                })
            })
            .collect();
        let mut seconds = Vec::new();
        for task in tasks {
            seconds.push(task.await.expect("a task ends"));
        }
        seconds.sort_unstable();
        assert_eq!(seconds, [0, 0, 60, 60, 120, 120]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_holds_everyone() {
        let limiter = RateLimiter::default();
        let start = Instant::now();
        limiter.hold(Duration::from_secs(31));
        limiter.hold(Duration::from_secs(5));
        limiter.clone().acquire().await;
        assert_eq!(start.elapsed().as_secs(), 31);
    }
}
