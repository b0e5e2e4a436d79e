//! Rate limiter shared by all requests that use one token.
//!
//! The wait after a 429 (`hold`) is here too, as it concerns every request. Backoff of a single request is in
//! [`disposition`](super::disposition()).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::shared_limit::{Grant, SharedLimit, SharedLimitError};

/// Longest wait for a shared limit that does not answer. Then the request fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// Wait between two questions to a shared limit that does not answer.
const PAUSE: Duration = Duration::from_secs(1);
/// Most permits that are asked for at once. More would let one process starve the others.
const BLOCK: u32 = 20;

/// Limits the number of requests in any window of time. Throttles all requests that use one token.
///
/// The platform allows 400 requests a minute for one token, counted over everything that uses it (docs/platform.md#rate-limits). Clones
/// share one count: give the same limiter to every client that uses the same token. The window slides and is exact: it
/// remembers the instant of each of the last requests, so no minute, wherever it begins, holds more than the limit.
///
/// Several processes that use the same token share a [`SharedLimit`].
#[derive(Clone, Debug)]
pub struct RateLimiter {
    limit: usize,
    window: Duration,
    window_log: Arc<Mutex<WindowLog>>,
    shared: Option<Arc<Shared>>,
}

#[derive(Debug, Default)]
struct WindowLog {
    /// The instants of the last requests, oldest first; never more than the limit.
    sent: VecDeque<Instant>,
    /// Nothing is sent before: the platform has asked to slow down.
    held_until: Option<Instant>,
}

/// The part that asks a shared limit, on behalf of all clones.
#[derive(Debug)]
struct Shared {
    limit: Arc<dyn SharedLimit>,
    /// The number of requests that wait for a permit.
    waiting: AtomicU32,
    /// Permits that were granted and not used yet. The lock makes one request ask for all.
    block: tokio::sync::Mutex<Block>,
}

#[derive(Debug)]
struct Block {
    left: u32,
    until: Instant,
    /// The instant since which the shared limit does not answer.
    silent: Option<Instant>,
}

impl Default for RateLimiter {
    /// 400 requests in 60 seconds.
    fn default() -> Self {
        Self::new(400, Duration::from_secs(60))
    }
}

impl RateLimiter {
    /// Allows `limit` requests (at least 1) in any `window`.
    #[must_use]
    pub fn new(limit: u32, window: Duration) -> Self {
        Self { limit: limit.max(1) as usize, window, window_log: Arc::default(), shared: None }
    }

    /// Takes every permit from a limit that other processes share, too.
    #[must_use]
    pub fn sharing(self, limit: Arc<dyn SharedLimit>) -> Self {
        let block = Block { left: 0, until: Instant::now(), silent: None };
        let shared = Shared { limit, waiting: AtomicU32::new(0), block: tokio::sync::Mutex::new(block) };
        Self { shared: Some(Arc::new(shared)), ..self }
    }

    /// Waits for a permit, and takes it. Dropping the future takes none from this limiter, but loses what a shared
    /// limit had granted for it.
    ///
    /// # Errors
    /// If the shared limit has not answered for a minute. Nothing may be sent then: others may be using all the
    /// permits.
    pub async fn acquire(&self) -> Result<(), SharedLimitError> {
        loop {
            if let Some(held) = self.held(Instant::now()) {
                sleep_until(held).await;
                continue;
            }
            let expires = match &self.shared {
                Some(shared) => Some(shared.permit().await?),
                None => None,
            };
            match self.try_acquire(Instant::now()) {
                Ok(()) if expires.is_none_or(|at| Instant::now() < at) => return Ok(()),
                // The permit of the shared limit expired meanwhile and may have been granted again: it must not be
                // used.
                Ok(()) => {}
                Err(until) => sleep_until(until).await,
            }
        }
    }

    /// Holds back all requests for a time: the platform answered 429, and counts requests that come too early (trap
    /// 54).
    pub async fn hold(&self, wait: Duration) {
        let until = Instant::now() + wait;
        {
            let mut log = self.window_log();
            log.held_until = Some(log.held_until.map_or(until, |held| held.max(until)));
        }
        if let Some(shared) = &self.shared
            && let Err(error) = shared.limit.hold(wait).await
        {
            tracing::warn!(
                %error,
                "the shared rate limit is unavailable: other processes that use this token do not know about the 429"
            );
        }
    }

    fn window_log(&self) -> MutexGuard<'_, WindowLog> {
        self.window_log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the end of the present hold, if there is one.
    fn held(&self, now: Instant) -> Option<Instant> {
        self.window_log().held_until.filter(|held| *held > now)
    }

    /// Takes a permit now, or returns the instant at which to ask again.
    fn try_acquire(&self, now: Instant) -> Result<(), Instant> {
        let mut log = self.window_log();
        if let Some(held) = log.held_until.filter(|held| *held > now) {
            return Err(held);
        }
        log.held_until = None;
        while log.sent.front().is_some_and(|oldest| *oldest + self.window <= now) {
            log.sent.pop_front();
        }
        match log.sent.front() {
            Some(oldest) if log.sent.len() >= self.limit => Err(*oldest + self.window),
            _ => {
                log.sent.push_back(now);
                Ok(())
            }
        }
    }
}

impl Shared {
    /// Waits for a permit of the shared limit, and returns the instant at which it expires.
    async fn permit(&self) -> Result<Instant, SharedLimitError> {
        let _waiting = OneMore::of(&self.waiting);
        let mut block = self.block.lock().await;
        loop {
            let now = Instant::now();
            if block.left > 0 && now < block.until {
                block.left -= 1;
                return Ok(block.until);
            }
            match self.limit.ask(self.waiting.load(Ordering::Relaxed).clamp(1, BLOCK)).await {
                Ok(Grant { permits, expires_after, ask_again }) => {
                    // Counted from before the question: the answer may have taken a while.
                    *block = Block { left: permits, until: now + expires_after, silent: None };
                    if permits == 0 {
                        sleep(ask_again).await;
                    }
                }
                Err(error) => {
                    let silent = *block.silent.get_or_insert(now);
                    if now.duration_since(silent) >= PATIENCE {
                        return Err(error);
                    }
                    if silent == now {
                        tracing::warn!(%error, "the shared rate limit is unavailable: no request is sent until it answers");
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Counts one waiting request until it is dropped.
struct OneMore<'a>(&'a AtomicU32);

impl<'a> OneMore<'a> {
    fn of(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for OneMore<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_than_the_limit() {
        let limiter = RateLimiter::new(3, Duration::from_secs(60));
        let start = Instant::now();
        let mut seconds = Vec::new();
        for _ in 0..8 {
            limiter.acquire().await.expect("a permit");
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
                    limiter.acquire().await.expect("a permit");
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
        limiter.hold(Duration::from_secs(31)).await;
        limiter.hold(Duration::from_secs(5)).await;
        limiter.clone().acquire().await.expect("a permit");
        assert_eq!(start.elapsed().as_secs(), 31);
    }

    /// Grants as many permits as are wanted, or a fixed number, and does not answer from one question on.
    #[derive(Debug)]
    struct Generous {
        asked: Mutex<Vec<u32>>,
        always: Option<u32>,
        silent_from: usize,
    }

    impl SharedLimit for Generous {
        fn ask(&self, want: u32) -> BoxFuture<'_, Result<Grant, SharedLimitError>> {
            let mut asked = self.asked.lock().expect("no test panics while it holds the lock");
            asked.push(want);
            let silent = asked.len() > self.silent_from;
            let permits = self.always.unwrap_or(want);
            Box::pin(async move {
                tokio::task::yield_now().await;
                match silent {
                    true => Err(SharedLimitError { reason: "nobody is there".to_owned() }),
                    false => Ok(Grant { permits, expires_after: Duration::from_secs(2), ask_again: PAUSE }),
                }
            })
        }

        fn hold(&self, _: Duration) -> BoxFuture<'_, Result<(), SharedLimitError>> {
            Box::pin(async { Ok(()) })
        }
    }

    fn sharing(always: Option<u32>, silent_from: usize) -> (RateLimiter, Arc<Generous>) {
        let limit = Arc::new(Generous { asked: Mutex::default(), always, silent_from });
        (RateLimiter::default().sharing(Arc::clone(&limit) as Arc<dyn SharedLimit>), limit)
    }

    fn asked(limit: &Generous) -> Vec<u32> {
        limit.asked.lock().expect("no test panics while it holds the lock").clone()
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_asks_the_shared_limit_for_all_that_wait() {
        let (limiter, limit) = sharing(None, usize::MAX);
        let permits = futures_util::future::join_all((0..9).map(|_| limiter.acquire())).await;
        assert!(permits.iter().all(Result::is_ok), "{permits:?}");
        assert_eq!(asked(&limit), [1, 8]);
    }

    #[tokio::test(start_paused = true)]
    async fn permits_that_are_not_used_soon_expire() {
        let (limiter, limit) = sharing(Some(3), usize::MAX);
        for questions in [1, 1, 1, 2] {
            limiter.acquire().await.expect("a permit");
            assert_eq!(asked(&limit).len(), questions);
        }
        tokio::time::advance(Duration::from_secs(2)).await;
        limiter.acquire().await.expect("a permit");
        assert_eq!(asked(&limit).len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_while_the_shared_limit_is_silent_and_the_wait_has_an_end() {
        let (limiter, _) = sharing(None, 1);
        limiter.acquire().await.expect("a permit");
        let start = Instant::now();
        let waits = (0..3).map(|_| limiter.acquire());
        let ended = futures_util::future::join_all(waits).await;
        assert!(ended.iter().all(Result::is_err), "{ended:?}");
        let waited = start.elapsed();
        assert!(waited >= PATIENCE && waited < PATIENCE * 2, "{waited:?}");
    }
}
