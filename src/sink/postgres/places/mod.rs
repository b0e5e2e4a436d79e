//! The requests of one token, shared by all who write to a schema: a row of `dn_budgets` for each token.
//!
//! The row is locked while places are given, and time is the server's alone, so what all processes are given together keeps
//! the limit wherever a window begins. The token itself is never written there: its row is found by a digest.

mod book;

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::sync::Mutex;

#[cfg(not(test))]
use self::book::Book;
/// For tests that have no database.
#[cfg(test)]
pub use self::book::Book;
pub use self::book::{Granted, Rule};
use super::Options;
use super::server::{Purpose, Server};
use crate::sink::SinkError;
use crate::sink::sql::Fault;

/// The places of one process, for one token. Clones are handles on the same.
#[derive(Clone, Debug)]
pub struct Places {
    server: Server,
    /// The row of the token.
    key: String,
    /// This process among others.
    holder: String,
    rule: Rule,
    connection: Arc<Mutex<Option<PgConnection>>>,
}

impl Places {
    /// Places of the token that is known by this digest. Nothing is asked yet; the schema must be there when something is.
    ///
    /// `holder` names this process, and must be that of no other.
    ///
    /// # Errors
    /// [`SinkError::Unusable`] for an address that is none.
    pub fn new(url: &str, options: &Options, (key, holder): (&str, &str), rule: Rule) -> Result<Self, SinkError> {
        let server = Server::parse(url, options)?;
        let (key, holder) = (key.to_owned(), holder.to_owned());
        Ok(Self { server, key, holder, rule, connection: Arc::default() })
    }

    /// How long a place may be used, from the instant at which it was asked for.
    #[must_use]
    pub fn fresh(&self) -> Duration {
        self.rule.fresh
    }

    /// Asks for places.
    ///
    /// # Errors
    /// When the database cannot be reached or written: none were given then, or they are lost.
    pub async fn ask(&self, want: u32) -> Result<Granted, SinkError> {
        self.change(|book, now| book.ask(&self.holder, want, now, self.rule)).await
    }

    /// Lets nobody have any for a while.
    ///
    /// # Errors
    /// When the database cannot be reached or written.
    pub async fn hold(&self, wait: Duration) -> Result<(), SinkError> {
        self.change(|book, now| book.hold(wait, now)).await
    }

    async fn change<T>(&self, change: impl FnOnce(&mut Book, i64) -> T) -> Result<T, SinkError> {
        let mut slot = self.connection.lock().await;
        let changed = async {
            let connection = match slot.as_mut() {
                Some(connection) => {
                    self.server.alive(connection, Purpose::Lease).await?;
                    connection
                }
                None => slot.insert(self.server.connect(Purpose::Lease).await?),
            };
            self.change_with(connection, change).await
        };
        let changed = changed.await;
        if changed.is_err() {
            // Whatever it was, the next question begins with a connection that owes nothing.
            *slot = None;
        }
        changed.map_err(|fault| self.server.told("the count of requests", fault))
    }

    async fn change_with<T>(
        &self,
        connection: &mut PgConnection,
        change: impl FnOnce(&mut Book, i64) -> T,
    ) -> Result<T, Fault> {
        let mut tx = connection.begin().await?;
        sqlx::query("INSERT INTO dn_budgets (key, book) VALUES ($1, '{}') ON CONFLICT DO NOTHING")
            .bind(&self.key)
            .execute(&mut *tx)
            .await?;
        let book: String = sqlx::query_scalar("SELECT book::text FROM dn_budgets WHERE key = $1 FOR UPDATE")
            .bind(&self.key)
            .fetch_one(&mut *tx)
            .await?;
        // Asked once the row is ours: whoever had it before has given at an earlier instant.
        let now: i64 = sqlx::query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
            .fetch_one(&mut *tx)
            .await?;
        let mut book: Book = serde_json::from_str(&book).map_err(|_| Fault::unreadable("book"))?;
        let done = change(&mut book, now);
        let book = serde_json::to_string(&book).map_err(|_| Fault::unreadable("book"))?;
        sqlx::query("UPDATE dn_budgets SET book = $2::json WHERE key = $1")
            .bind(&self.key)
            .bind(book)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(done)
    }
}
