//! The PostgreSQL target: one schema of a database, any number of writers, one for each démarche.
//!
//! - [`open`](PostgresSink::open): what the schema must be; `server`: the address and the settings of connections;
//! - `migrate`: the shared tables (`dn_*`) and their version;
//! - [`Leases`]: who works on which démarche, and the token that fences who lost it;
//! - [`Places`]: the requests of a token, shared by all who write here;
//! - `encoding`: a value as PostgreSQL keeps it; `dialect`, `store`: the statements of `sink::sql` as it runs them;
//! - `dress`, `geometry`: comments, indexes, PostGIS.
//!
//! What lies in the schema is described in `docs/postgres.md`.

mod dialect;
mod dress;
mod encoding;
mod fault;
mod geometry;
mod lease;
mod migrate;
mod open;
mod outbox;
mod places;
mod server;
mod store;

use std::time::Duration;

use jiff::Timestamp;
use sqlx::postgres::{PgConnection, Postgres};
use sqlx::{Connection as _, Transaction};
use tokio::sync::{Mutex, MutexGuard};

pub use lease::{Lease, Leases};
#[cfg(all(test, feature = "serve"))]
pub(crate) use places::Book;
pub use places::{Granted, Places, Rule};
use server::{Purpose, Server};

use super::sql::{self, Fault};
use super::{
    Batch, CensusEntry, Checkpoint, Prepared, QuarantineEntry, Receipt, RunRecord, Scope, Sink, SinkError,
    StoredDocument, Totals,
};
use crate::demarche::Demarche;
use crate::ids::DossierNumber;
use crate::plan::{Known, Remembered, SchemaPlan};

/// How a schema is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The schema; `dn` by default. A parameter `schema` of the address wins.
    pub schema: String,
    /// How long a lease lasts without a sign of life; 60 seconds by default. It is renewed three times within this.
    pub lease: Duration,
    /// How long to wait for a connection; 30 seconds by default.
    pub connect_timeout: Duration,
    /// How long a statement may take; 10 minutes by default.
    pub statement_timeout: Duration,
    /// How long to wait for a table or a row that another program uses; 30 seconds by default.
    pub lock_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            schema: "dn".to_owned(),
            lease: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(600),
            lock_timeout: Duration::from_secs(30),
        }
    }
}

/// Dossiers in a schema of PostgreSQL. See `docs/postgres.md` for what lies in it.
///
/// A run takes the lease of its démarche with its first question and gives it back with its line in the history; another
/// run on the same démarche is told [`SinkError::Locked`], with the host and the process that hold it. Runs on other
/// démarches of the same schema, by other sinks and other hosts, work at the same time.
#[derive(Debug)]
pub struct PostgresSink {
    server: Server,
    connection: Mutex<PgConnection>,
    /// `None` for a sink that only reads.
    leases: Option<Leases>,
}

impl PostgresSink {
    /// Gives the leases back and ends the connections.
    ///
    /// Dropping does the same a little later, in the background, and tells no error.
    ///
    /// # Errors
    /// When the server cannot be reached: the leases then go with their time.
    pub async fn close(self) -> Result<(), SinkError> {
        let Self { server, connection, leases } = self;
        // In this order: a transaction that was given up may hold the row of a lease.
        let closed = connection.into_inner().close().await.map_err(|error| server.told("closing", error.into()));
        if let Some(leases) = leases {
            leases.close().await?;
        }
        closed
    }

    /// Checks that every child row has its dossier and every dossier its document, in all démarches of the schema. Takes
    /// time in proportion to them. The pages themselves are `pg_amcheck`'s to check.
    ///
    /// # Errors
    /// [`SinkError::Altered`] with the first thing that is wrong.
    pub async fn check(&self) -> Result<(), SinkError> {
        let mut connection = self.connection().await?;
        self.told("a check", check(&mut connection).await)
    }

    /// The leases of this sink: to claim work among several démarches.
    ///
    /// # Errors
    /// [`SinkError::Unusable`] when it was opened for reading only.
    pub fn leases(&self) -> Result<&Leases, SinkError> {
        self.leases.as_ref().ok_or_else(|| SinkError::Unusable {
            target: self.server.name.clone(),
            action: "written",
            reason: "it was opened for reading only".to_owned(),
            hint: None,
        })
    }

    /// The connection, replaced once when it died between two uses.
    async fn connection(&self) -> Result<MutexGuard<'_, PgConnection>, SinkError> {
        let purpose = if self.leases.is_some() { Purpose::Write } else { Purpose::Read };
        let mut connection = self.connection.lock().await;
        self.told("a connection", self.server.alive(&mut connection, purpose).await)?;
        Ok(connection)
    }

    /// The same, for the first questions of a run: they need its lease.
    async fn first(&self, scope: &Scope) -> Result<MutexGuard<'_, PgConnection>, SinkError> {
        // In this order: a transaction that was given up ends with the next use of its connection, and may hold the row of
        // the lease until then.
        let connection = self.connection().await?;
        if let Some(leases) = &self.leases {
            leases.begin(scope).await?;
        }
        Ok(connection)
    }

    fn told<T>(&self, action: &'static str, result: Result<T, Fault>) -> Result<T, SinkError> {
        result.map_err(|fault| self.server.told(action, fault))
    }

    /// What a transaction that could not prove its lease is told.
    async fn fenced<T>(&self, scope: &Scope, done: Option<T>) -> Result<T, SinkError> {
        match done {
            Some(done) => Ok(done),
            None => Err(self.leases()?.lost(scope).await),
        }
    }
}

/// The name of one instance, given inside a transaction of its own.
async fn register(connection: &mut PgConnection, instance: &str) -> Result<String, Fault> {
    if let (prefix, true) = sql::prefix(connection, instance).await? {
        return Ok(prefix);
    }
    let mut tx = connection.begin().await?;
    let prefix = sql::register(&mut *tx, instance).await?;
    tx.commit().await?;
    Ok(prefix)
}

/// `None`, and nothing done, when the lease is not ours any more.
async fn prepare(
    connection: &mut PgConnection,
    (token, lease): (i64, Duration),
    scope: &Scope,
    form: &Demarche,
    plan: &SchemaPlan,
) -> Result<Option<()>, Fault> {
    let mut tx = connection.begin().await?;
    let done = match lease::fence(&mut tx, scope, token, lease).await {
        Ok(true) => sql::prepare(&mut *tx, scope, form, plan).await.map(Some),
        Ok(false) => Ok(None),
        Err(fault) => Err(fault),
    };
    end(tx, done).await
}

/// `None`, and nothing done, when the lease is not ours any more.
async fn commit(
    connection: &mut PgConnection,
    (token, lease): (i64, Duration),
    prepared: &Prepared,
    batch: &Batch,
) -> Result<Option<Receipt>, Fault> {
    let mut tx = connection.begin().await?;
    let done = match lease::fence(&mut tx, prepared.scope(), token, lease).await {
        Ok(true) => sql::apply(&mut *tx, prepared, batch).await.map(Some),
        Ok(false) => Ok(None),
        Err(fault) => Err(fault),
    };
    end(tx, done).await
}

/// Commits what was done; otherwise gives it up now, and not with the next use of the connection, as nobody else gets the
/// rows that it locked until then.
async fn end<T>(tx: Transaction<'_, Postgres>, done: Result<Option<T>, Fault>) -> Result<Option<T>, Fault> {
    match done {
        Ok(Some(done)) => {
            tx.commit().await?;
            Ok(Some(done))
        }
        // The first error says more than that of a connection which cannot even give up.
        nothing => {
            drop(tx.rollback().await);
            nothing
        }
    }
}

async fn check(connection: &mut PgConnection) -> Result<(), Fault> {
    let gap: Option<i64> = sqlx::query_scalar(
        "SELECT last FROM dn_feed WHERE last <> (SELECT count(*) FROM dn_changes) \
         OR last <> (SELECT coalesce(max(seq), 0) FROM dn_changes)",
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(last) = gap {
        return Err(Fault::Altered(format!("the change feed should have {last} lines, numbered from 1")));
    }
    let tables: Vec<(String, String, i64)> =
        sqlx::query_as("SELECT name, instance, demarche FROM dn_tables WHERE holds = 'dossiers' ORDER BY id")
            .fetch_all(&mut *connection)
            .await?;
    for (table, instance, demarche) in tables {
        let query = format!(
            "SELECT count(*) FROM (SELECT number FROM dn_dossiers WHERE instance = $1 AND demarche = $2 \
             AND gone IS DISTINCT FROM 'retention') AS d \
             FULL JOIN {} AS t ON t.\"number\" = d.number WHERE t.\"number\" IS NULL OR d.number IS NULL",
            sql::quoted(&table)
        );
        let query = sqlx::query_scalar(sql::text_of(query.into())).bind(instance).bind(demarche);
        let alone: i64 = query.fetch_one(&mut *connection).await?;
        if alone > 0 {
            return Err(Fault::Altered(format!("{alone} dossiers of {table} are there without their other half")));
        }
    }
    Ok(())
}

impl Sink for PostgresSink {
    fn name(&self) -> &str {
        &self.server.name
    }

    async fn schema(&self, scope: &Scope) -> Result<Remembered, SinkError> {
        let mut connection = self.first(scope).await?;
        // The prefix is given to the first who asks, so it must be remembered before a second one does.
        let prefix = match self.leases {
            Some(_) => register(&mut connection, &scope.instance).await,
            None => sql::prefix(&mut *connection, &scope.instance).await.map(|(prefix, _)| prefix),
        };
        let prefix = self.told("a reading of its tables", prefix)?;
        self.told("a reading of its tables", sql::remembered(&mut *connection, scope, &prefix).await)
    }

    async fn form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        let mut connection = self.first(scope).await?;
        self.told("a reading of the form", sql::form(&mut *connection, scope).await)
    }

    async fn prepare(&self, scope: &Scope, form: &Demarche, plan: SchemaPlan) -> Result<Prepared, SinkError> {
        let token = self.leases()?.token(scope).await?;
        let mut connection = self.connection().await?;
        let lease = (token, self.server.options.lease);
        let done = prepare(&mut connection, lease, scope, form, &plan).await;
        self.fenced(scope, self.told("a change of its tables", done)?).await?;
        Ok(Prepared::new(scope.clone(), plan.layout))
    }

    async fn checkpoint(&self, scope: &Scope) -> Result<Option<Checkpoint>, SinkError> {
        let mut connection = self.first(scope).await?;
        self.told("a reading of the checkpoint", sql::checkpoint(&mut *connection, scope).await)
    }

    async fn known(&self, scope: &Scope, keys: &[DossierNumber]) -> Result<Known, SinkError> {
        let mut connection = self.connection().await?;
        self.told("a reading of fingerprints", sql::known(&mut *connection, scope, keys).await)
    }

    async fn commit(&self, prepared: &Prepared, batch: &Batch) -> Result<Receipt, SinkError> {
        let token = self.leases()?.token(prepared.scope()).await?;
        let mut connection = self.connection().await?;
        let lease = (token, self.server.options.lease);
        let done = commit(&mut connection, lease, prepared, batch).await;
        self.fenced(prepared.scope(), self.told("a commit", done)?).await
    }

    async fn totals(&self, scope: &Scope) -> Result<Totals, SinkError> {
        let mut connection = self.connection().await?;
        self.told("a count of dossiers", sql::totals(&mut *connection, scope).await)
    }

    async fn census(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<CensusEntry>, SinkError> {
        let mut connection = self.connection().await?;
        self.told("a census", sql::census(&mut *connection, scope, after, limit).await)
    }

    async fn documents(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<StoredDocument>, SinkError> {
        let mut connection = self.connection().await?;
        self.told("a reading of documents", sql::documents(&mut *connection, scope, after, limit).await)
    }

    async fn quarantine(&self, scope: &Scope) -> Result<Vec<QuarantineEntry>, SinkError> {
        let mut connection = self.connection().await?;
        self.told("a reading of the quarantine", sql::quarantine(&mut *connection, scope).await)
    }

    async fn record_run(&self, scope: &Scope, run: &RunRecord) -> Result<(), SinkError> {
        let leases = self.leases()?;
        let mut connection = self.connection().await?;
        self.told("a line of the run history", sql::record_run(&mut *connection, scope, run).await)?;
        drop(connection);
        leases.end(scope).await
    }

    async fn forget_runs(&self, scope: &Scope, before: Timestamp) -> Result<u64, SinkError> {
        self.leases()?;
        let mut connection = self.connection().await?;
        self.told("a shortening of the run history", sql::forget_runs(&mut *connection, scope, before).await)
    }

    async fn runs(&self, scope: &Scope, limit: u32) -> Result<Vec<RunRecord>, SinkError> {
        let mut connection = self.connection().await?;
        self.told("a reading of the run history", sql::runs(&mut *connection, scope, limit).await)
    }
}
