//! The politeness that everything which uses one token shares.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::ledger::{Grant, Ledger, LedgerError};

/// How long to wait for a ledger that does not answer before a request is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait between two questions to a ledger that does not answer.
const PAUSE: Duration = Duration::from_secs(1);
/// More places than this are not asked for at once: one process is not to empty the ledger in one go.
const BLOCK: u32 = 20;

/// Lets through at most so many requests in any span of time.
///
/// The platform allows 400 requests a minute for one token, counted over everything that uses it (docs/platform.md#rate-limits). Clones
/// share one count: give the same limiter to every client that uses the same token. The window slides and is exact: it
/// remembers the instant of each of the last requests, so no minute, wherever it begins, holds more than the limit.
///
/// Processes that use the same token share a [`Ledger`].
#[derive(Clone, Debug)]
pub struct RateLimiter {
    limit: usize,
    window: Duration,
    state: Arc<Mutex<State>>,
    shared: Option<Arc<Shared>>,
}

#[derive(Debug, Default)]
struct State {
    /// The instants of the last requests, oldest first; never more than the limit.
    sent: VecDeque<Instant>,
    /// Nothing is sent before: the platform has asked to slow down.
    held_until: Option<Instant>,
}

/// What is asked of a ledger, for all clones.
#[derive(Debug)]
struct Shared {
    ledger: Arc<dyn Ledger>,
    /// How many wait for a place.
    waiting: AtomicU32,
    /// Asked by one of them for all.
    block: tokio::sync::Mutex<Block>,
}

#[derive(Debug)]
struct Block {
    left: u32,
    until: Instant,
    /// Since when the ledger does not answer.
    silent: Option<Instant>,
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
        Self { limit: limit.max(1) as usize, window, state: Arc::default(), shared: None }
    }

    /// The same, which also takes every place from a ledger that other processes share.
    #[must_use]
    pub fn sharing(self, ledger: Arc<dyn Ledger>) -> Self {
        let block = Block { left: 0, until: Instant::now(), silent: None };
        let shared = Shared { ledger, waiting: AtomicU32::new(0), block: tokio::sync::Mutex::new(block) };
        Self { shared: Some(Arc::new(shared)), ..self }
    }

    /// Waits for a place, and takes it. A wait that is given up takes none from this limiter; what a ledger had given for it
    /// is lost.
    ///
    /// # Errors
    /// When the ledger has not answered for a minute. Nothing may be sent then: others may be using all the places.
    pub async fn acquire(&self) -> Result<(), LedgerError> {
        loop {
            if let Some(held) = self.held(Instant::now()) {
                sleep_until(held).await;
                continue;
            }
            let fresh_until = match &self.shared {
                Some(shared) => Some(shared.place().await?),
                None => None,
            };
            match self.try_acquire(Instant::now()) {
                Ok(()) if fresh_until.is_none_or(|until| Instant::now() < until) => return Ok(()),
                Ok(()) => {}
                Err(until) => sleep_until(until).await,
            }
        }
    }

    /// Sends nothing before this long, whoever asks: the platform answered 429 (trap 54).
    pub async fn hold(&self, wait: Duration) {
        let until = Instant::now() + wait;
        {
            let mut state = self.state();
            state.held_until = Some(state.held_until.map_or(until, |held| held.max(until)));
        }
        if let Some(shared) = &self.shared
            && let Err(error) = shared.ledger.hold(wait).await
        {
            tracing::warn!(%error, "the others that use this token could not be told that the platform asks to slow down");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until when nothing is sent at all.
    fn held(&self, now: Instant) -> Option<Instant> {
        self.state().held_until.filter(|held| *held > now)
    }

    /// Takes a place now, or tells when to ask again.
    fn try_acquire(&self, now: Instant) -> Result<(), Instant> {
        let mut state = self.state();
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

impl Shared {
    /// Waits for a place from the ledger, and tells until when it may be used.
    async fn place(&self) -> Result<Instant, LedgerError> {
        let _waiting = OneMore::of(&self.waiting);
        let mut block = self.block.lock().await;
        loop {
            let now = Instant::now();
            if block.left > 0 && now < block.until {
                block.left -= 1;
                return Ok(block.until);
            }
            match self.ledger.ask(self.waiting.load(Ordering::Relaxed).clamp(1, BLOCK)).await {
                Ok(Grant { places, fresh, ask_again }) => {
                    *block = Block { left: places, until: now + fresh, silent: None };
                    if places == 0 {
                        sleep(ask_again).await;
                    }
                }
                Err(error) => {
                    let silent = *block.silent.get_or_insert(now);
                    if now.duration_since(silent) >= PATIENCE {
                        return Err(error);
                    }
                    if silent == now {
                        tracing::warn!(%error, "no request is sent until the count that several programs share answers");
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Counts one that waits, as long as it waits.
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
            limiter.acquire().await.expect("a place");
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
                    limiter.acquire().await.expect("a place");
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
        limiter.clone().acquire().await.expect("a place");
        assert_eq!(start.elapsed().as_secs(), 31);
    }

    /// A ledger that gives what is wanted, or always as many, and is silent from one question on.
    #[derive(Debug)]
    struct Generous {
        asked: Mutex<Vec<u32>>,
        always: Option<u32>,
        silent_from: usize,
    }

    impl Ledger for Generous {
        fn ask(&self, want: u32) -> BoxFuture<'_, Result<Grant, LedgerError>> {
            let mut asked = self.asked.lock().expect("no test panics while it holds the lock");
            asked.push(want);
            let silent = asked.len() > self.silent_from;
            let places = self.always.unwrap_or(want);
            Box::pin(async move {
                tokio::task::yield_now().await;
                match silent {
                    true => Err(LedgerError { reason: "nobody is there".to_owned() }),
                    false => Ok(Grant { places, fresh: Duration::from_secs(2), ask_again: PAUSE }),
                }
            })
        }

        fn hold(&self, _: Duration) -> BoxFuture<'_, Result<(), LedgerError>> {
            Box::pin(async { Ok(()) })
        }
    }

    fn sharing(always: Option<u32>, silent_from: usize) -> (RateLimiter, Arc<Generous>) {
        let ledger = Arc::new(Generous { asked: Mutex::default(), always, silent_from });
        (RateLimiter::default().sharing(Arc::clone(&ledger) as Arc<dyn Ledger>), ledger)
    }

    fn asked(ledger: &Generous) -> Vec<u32> {
        ledger.asked.lock().expect("no test panics while it holds the lock").clone()
    }

    #[tokio::test(start_paused = true)]
    async fn one_asks_the_ledger_for_all_who_wait() {
        let (limiter, ledger) = sharing(None, usize::MAX);
        let places = futures_util::future::join_all((0..9).map(|_| limiter.acquire())).await;
        assert!(places.iter().all(Result::is_ok), "{places:?}");
        assert_eq!(asked(&ledger), [1, 8]);
    }

    #[tokio::test(start_paused = true)]
    async fn places_that_are_not_used_soon_are_lost() {
        let (limiter, ledger) = sharing(Some(3), usize::MAX);
        for questions in [1, 1, 1, 2] {
            limiter.acquire().await.expect("a place");
            assert_eq!(asked(&ledger).len(), questions);
        }
        tokio::time::advance(Duration::from_secs(2)).await;
        limiter.acquire().await.expect("a place");
        assert_eq!(asked(&ledger).len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_while_the_ledger_is_silent_and_the_wait_has_an_end() {
        let (limiter, _) = sharing(None, 1);
        limiter.acquire().await.expect("a place");
        let start = Instant::now();
        let waits = (0..3).map(|_| limiter.acquire());
        let ended = futures_util::future::join_all(waits).await;
        assert!(ended.iter().all(Result::is_err), "{ended:?}");
        let waited = start.elapsed();
        assert!(waited >= PATIENCE && waited < PATIENCE * 2, "{waited:?}");
    }
}
