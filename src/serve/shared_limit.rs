//! Implements the shared limit of a client with the permits of a PostgreSQL schema.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::api::{Grant, SharedLimit, SharedLimitError};
use crate::sink::SinkError;
use crate::sink::postgres::Permits;

impl SharedLimit for Permits {
    fn ask(&self, want: u32) -> BoxFuture<'_, Result<Grant, SharedLimitError>> {
        Box::pin(async move {
            let granted = Self::ask(self, want).await.map_err(silent)?;
            Ok(Grant { permits: granted.permits, expires_after: self.fresh(), ask_again: granted.ask_again })
        })
    }

    fn hold(&self, wait: Duration) -> BoxFuture<'_, Result<(), SharedLimitError>> {
        Box::pin(async move { Self::hold(self, wait).await.map_err(silent) })
    }
}

fn silent(error: SinkError) -> SharedLimitError {
    SharedLimitError { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::Instant;

    use super::*;
    use crate::api::RateLimiter;
    use crate::sink::postgres::{Budget, PermitRule};

    const RULE: PermitRule = PermitRule { limit: 400, window: Duration::from_secs(60), fresh: Duration::from_secs(2) };

    /// The budget without the database, in a time that passes by itself. A question takes as long as one to a database far
    /// away.
    #[derive(Debug)]
    struct FakeProcess {
        budget: Arc<Mutex<Budget>>,
        name: String,
        start: Instant,
    }

    impl FakeProcess {
        async fn with<T>(&self, change: impl FnOnce(&mut Budget, i64) -> T) -> T {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = i64::try_from(self.start.elapsed().as_millis()).expect("not so long");
            let done = change(&mut self.budget.lock().expect("no panic under the lock"), now);
            tokio::time::sleep(Duration::from_millis(20)).await;
            done
        }
    }

    impl SharedLimit for FakeProcess {
        fn ask(&self, want: u32) -> BoxFuture<'_, Result<Grant, SharedLimitError>> {
            Box::pin(async move {
                let granted = self.with(|budget, now| budget.ask(&self.name, want, now, RULE)).await;
                Ok(Grant { permits: granted.permits, expires_after: RULE.fresh, ask_again: granted.ask_again })
            })
        }

        fn hold(&self, wait: Duration) -> BoxFuture<'_, Result<(), SharedLimitError>> {
            Box::pin(async move {
                self.with(|budget, now| budget.hold(wait, now)).await;
                Ok(())
            })
        }
    }

    /// Three processes, each with so many requests at a time, for ten minutes: when each sent what.
    async fn ten_minutes(at_once: [usize; 3]) -> [Vec<Duration>; 3] {
        let (budget, start) = (Arc::default(), Instant::now());
        let sent: [Arc<Mutex<Vec<Duration>>>; 3] = Default::default();
        let mut tasks = tokio::task::JoinSet::new();
        for (number, (at_once, sent)) in at_once.into_iter().zip(&sent).enumerate() {
            let process = FakeProcess { budget: Arc::clone(&budget), name: number.to_string(), start };
            let limiter = RateLimiter::new(RULE.limit, RULE.window).sharing(Arc::new(process));
            for _ in 0..at_once {
                let (limiter, sent) = (limiter.clone(), Arc::clone(sent));
                tasks.spawn(async move {
                    while start.elapsed() < Duration::from_secs(600) {
                        limiter.acquire().await.expect("the budget answers");
                        sent.lock().expect("no panic under the lock").push(start.elapsed());
                        // The platform takes its time.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                });
            }
        }
        while let Some(ended) = tasks.join_next().await {
            ended.expect("a process");
        }
        sent.map(|sent| sent.lock().expect("no panic under the lock").clone())
    }

    #[tokio::test(start_paused = true)]
    async fn three_processes_never_exceed_the_limit_together_and_each_gets_its_share() {
        let sent = ten_minutes([1, 2, 8]).await;
        let mut all: Vec<Duration> = sent.iter().flatten().copied().collect();
        all.sort_unstable();
        for (at, first) in all.iter().enumerate() {
            let window = all[at..].iter().take_while(|other| **other < *first + RULE.window).count();
            assert!(window <= 400, "{window} requests in the minute after {first:?}");
        }
        let counts = sent.map(|sent| sent.len());
        // Nine full windows and a half, of which nearly everything is used.
        assert!(all.len() > 400 * 9, "{counts:?}");
        assert!(counts.iter().all(|count| count * 3 * 4 >= all.len() * 3), "{counts:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_seen_by_one_process_holds_the_others() {
        let (budget, start) = (Arc::default(), Instant::now());
        let limiter = |name: &str| {
            let process = FakeProcess { budget: Arc::clone(&budget), name: name.to_owned(), start };
            RateLimiter::new(RULE.limit, RULE.window).sharing(Arc::new(process))
        };
        let (one, other) = (limiter("one"), limiter("other"));
        one.hold(Duration::from_secs(31)).await;
        other.acquire().await.expect("a place");
        assert!(start.elapsed() >= Duration::from_secs(31), "{:?}", start.elapsed());
    }
}
