//! Shares the rate limit of a token among all processes that write to a schema: one row of `dn_budgets` for each token.
//!
//! The database side of [`SharedLimit`](crate::api::SharedLimit) belongs here. The decision who gets how many permits is
//! `budget`; waiting and retrying are the limiter's.
//!
//! The row is locked while permits are granted, and all times are the server's, so the permits of all processes together keep
//! the limit in every window. The token itself is never stored: a digest is the key of its row.
//!
//! A failover to an asynchronous replica loses the last commits. Each process remembers its own permits, and adds them again
//! if the row lacks them.

mod budget;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

#[cfg(not(test))]
use self::budget::Budget;
/// Public to unit tests that have no database.
#[cfg(test)]
pub use self::budget::Budget;
use self::budget::OwnPermits;
pub use self::budget::{Granted, PermitRule};
use super::Options;
use super::end;
use super::server::{Purpose, Server, Session};
use crate::sink::SinkError;
use crate::sink::sql::{Fault, Fields as _, Store as _, Value};

/// The permits of one process for one token. Clones share one state.
#[derive(Clone, Debug)]
pub struct Permits {
    server: Server,
    /// The key of the token's row.
    key: String,
    /// The name of this process.
    holder: String,
    rule: PermitRule,
    /// The connection, and the permits that this process was granted.
    state: Arc<Mutex<(Session, OwnPermits)>>,
}

impl Permits {
    /// Prepares to share the limit of a token, given by its digest. Sends nothing; the schema must exist at the first request.
    ///
    /// `holder` names this process, and must be unique.
    ///
    /// # Errors
    /// [`SinkError::Unusable`] for an invalid address.
    pub fn new(url: &str, options: &Options, (key, holder): (&str, &str), rule: PermitRule) -> Result<Self, SinkError> {
        let server = Server::parse(url, options)?;
        let (key, holder) = (key.to_owned(), holder.to_owned());
        let session = server.session(Purpose::Lease);
        Ok(Self { server, key, holder, rule, state: Arc::new(Mutex::new((session, OwnPermits::default()))) })
    }

    /// Time for which a permit is valid, from the instant of the request for it.
    #[must_use]
    pub fn fresh(&self) -> Duration {
        self.rule.fresh
    }

    /// Asks for permits.
    ///
    /// # Errors
    /// If the database cannot be reached or written: no permit was granted, or those that were are lost.
    pub async fn ask(&self, want: u32) -> Result<Granted, SinkError> {
        self.change(|budget, now| budget.ask(&self.holder, want, now, self.rule)).await
    }

    /// Grants no permit to any process for a while, as after a 429.
    ///
    /// # Errors
    /// If the database cannot be reached or written.
    pub async fn hold(&self, wait: Duration) -> Result<(), SinkError> {
        self.change(|budget, now| budget.hold(wait, now)).await
    }

    async fn change<T>(&self, change: impl FnOnce(&mut Budget, i64) -> T) -> Result<T, SinkError> {
        let mut state = self.state.lock().await;
        let (session, own) = &mut *state;
        let changed = self.change_with(session, own, change).await;
        if changed.is_err() {
            // The transaction may be in any state: the next request opens a new connection.
            session.forget();
        }
        changed.map_err(|fault| self.server.with_context("the count of requests", fault))
    }

    async fn change_with<T>(
        &self,
        session: &mut Session,
        own: &mut OwnPermits,
        change: impl FnOnce(&mut Budget, i64) -> T,
    ) -> Result<T, Fault> {
        let mut tx = session.begin().await?;
        let key = || Value::from(&self.key);
        let done = async {
            let insert = "INSERT INTO dn_budgets (key, book) VALUES ($1, '{}') ON CONFLICT DO NOTHING";
            tx.run(insert.into(), &[key()]).await?;
            let select = "SELECT CAST(book AS text) AS book FROM dn_budgets WHERE key = $1 FOR UPDATE";
            let rows = tx.rows(select.into(), &[key()]).await?;
            // Read the clock after the row is locked: the previous owner of the lock granted at an earlier instant.
            let now =
                tx.rows("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now".into(), &[]).await?;
            let now = now.first().ok_or_else(|| Fault::unreadable("now"))?.integer("now")?;
            let text = rows.first().ok_or_else(|| Fault::unreadable("book"))?.text("book")?;
            let mut budget: Budget = serde_json::from_str(text).map_err(|_| Fault::unreadable("book"))?;
            budget.restore(&self.holder, own);
            let done = change(&mut budget, now);
            let text = serde_json::to_string(&budget).map_err(|_| Fault::unreadable("book"))?;
            let update = "UPDATE dn_budgets SET book = $2 WHERE key = $1";
            tx.run(update.into(), &[key(), Value::Document(text.into())]).await?;
            Ok(Some((done, budget.own(&self.holder))))
        };
        let done = done.await;
        let (done, granted) = end(tx, done).await?.ok_or_else(|| Fault::unreadable("book"))?;
        *own = granted;
        Ok(done)
    }
}
