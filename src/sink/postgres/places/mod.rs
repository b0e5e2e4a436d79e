//! The requests of one token, shared by all who write to a schema: a row of `dn_budgets` for each token.
//!
//! The row is locked while places are given, and time is the server's alone, so what all processes are given together keeps
//! the limit wherever a window begins. The token itself is never written there: its row is found by a digest.
//!
//! A failover to an asynchronous replica takes back what was counted last. Each process remembers what it was given itself,
//! and writes it again where the row has forgotten it.

mod book;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

#[cfg(not(test))]
use self::book::Book;
/// For tests that have no database.
#[cfg(test)]
pub use self::book::Book;
use self::book::Memory;
pub use self::book::{Granted, Rule};
use super::Options;
use super::end;
use super::server::{Purpose, Server, Session};
use crate::sink::SinkError;
use crate::sink::sql::{Fault, Fields as _, Store as _, Value};

/// The places of one process, for one token. Clones are handles on the same.
#[derive(Clone, Debug)]
pub struct Places {
    server: Server,
    /// The row of the token.
    key: String,
    /// This process among others.
    holder: String,
    rule: Rule,
    /// The connection, and what this process was given.
    state: Arc<Mutex<(Session, Memory)>>,
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
        let session = server.session(Purpose::Lease);
        Ok(Self { server, key, holder, rule, state: Arc::new(Mutex::new((session, Memory::default()))) })
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
        let mut state = self.state.lock().await;
        let (session, memory) = &mut *state;
        let changed = self.change_with(session, memory, change).await;
        if changed.is_err() {
            // Whatever it was, the next question begins with a connection that owes nothing.
            session.forget();
        }
        changed.map_err(|fault| self.server.told("the count of requests", fault))
    }

    async fn change_with<T>(
        &self,
        session: &mut Session,
        memory: &mut Memory,
        change: impl FnOnce(&mut Book, i64) -> T,
    ) -> Result<T, Fault> {
        let mut tx = session.begin().await?;
        let key = || Value::from(&self.key);
        let done = async {
            let insert = "INSERT INTO dn_budgets (key, book) VALUES ($1, '{}') ON CONFLICT DO NOTHING";
            tx.run(insert.into(), &[key()]).await?;
            let select = "SELECT CAST(book AS text) AS book FROM dn_budgets WHERE key = $1 FOR UPDATE";
            let rows = tx.rows(select.into(), &[key()]).await?;
            // Asked once the row is ours: whoever had it before has given at an earlier instant.
            let now =
                tx.rows("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now".into(), &[]).await?;
            let now = now.first().ok_or_else(|| Fault::unreadable("now"))?.integer("now")?;
            let book = rows.first().ok_or_else(|| Fault::unreadable("book"))?.text("book")?;
            let mut book: Book = serde_json::from_str(book).map_err(|_| Fault::unreadable("book"))?;
            book.recall(&self.holder, memory);
            let done = change(&mut book, now);
            let text = serde_json::to_string(&book).map_err(|_| Fault::unreadable("book"))?;
            let update = "UPDATE dn_budgets SET book = $2 WHERE key = $1";
            tx.run(update.into(), &[key(), Value::Document(text.into())]).await?;
            Ok(Some((done, book.memory(&self.holder))))
        };
        let done = done.await;
        let (done, remembered) = end(tx, done).await?.ok_or_else(|| Fault::unreadable("book"))?;
        *memory = remembered;
        Ok(done)
    }
}
