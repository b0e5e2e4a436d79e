//! Stores dossiers in a schema of PostgreSQL, with any number of writers, one for each démarche at a time.
//!
//! - [`open`](PostgresSink::open): checks and migrates the schema; `address`: parses an address;
//! - `server`: connections, and the settings of each transaction; `facts`: properties of a server, for `dn doctor`;
//! - `migrate`: the shared tables (`dn_*`) and their version;
//! - [`Leases`]: one worker for each démarche, with a fencing token;
//! - [`Permits`]: the rate limit of a token, shared by all writers;
//! - `encoding`: values as PostgreSQL stores them; `dialect`, `store`: how it runs the statements of `sink::sql`;
//! - `extras`, `geometry`: comments, indexes, PostGIS.
//!
//! Statements that SQLite runs as well belong in `sink::sql`. `docs/postgres.md` describes the tables.

mod address;
mod dialect;
mod encoding;
mod extras;
mod facts;
mod fault;
mod geometry;
mod lease;
mod migrate;
mod open;
mod outbox;
mod permits;
mod server;
mod store;

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Transaction;
use sqlx::postgres::{PgConnection, Postgres};
use tokio::sync::Mutex;

#[doc(hidden)]
pub use address::{InvalidAddress, ServerAddress};
#[doc(hidden)]
pub use facts::{CONNECTIONS_OF_A_RUN, Pooler, ServerFacts};
#[doc(hidden)]
pub use lease::{Lease, Leases};
#[cfg(all(test, feature = "serve"))]
pub(crate) use permits::Budget;
#[doc(hidden)]
pub use permits::{Granted, PermitRule, Permits};
use server::{Server, Session};

use super::sql::{self, Fault, Fields as _, Store as _};
use super::{
    Batch, CensusEntry, ExpectedDossier, InstanceAddress, Prepared, QuarantineEntry, Receipt, Sink, SinkError,
    StoredDocument, Totals,
};
use crate::checkpoint::Checkpoint;
use crate::demarche::Demarche;
use crate::ids::{DossierNumber, Scope};
use crate::plan::{Known, Remembered, SchemaPlan};
use crate::report::{RowDifference, RunRecord};
use crate::table::Layout;

/// Options of a PostgreSQL target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The schema; `dn` by default. A parameter `schema` of the address wins.
    pub schema: String,
    /// Duration of a lease without heartbeat; 60 seconds by default. Three heartbeats are sent within it.
    pub lease: Duration,
    /// Time limit for connecting; 30 seconds by default.
    pub connect_timeout: Duration,
    /// Time limit for a statement; 10 minutes by default.
    pub statement_timeout: Duration,
    /// Time limit for a lock on a table or a row; 30 seconds by default.
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

/// Dossiers in a schema of PostgreSQL. `docs/postgres.md` describes its tables.
///
/// A run takes the lease of its démarche with its first query and releases it with its line in the run history; another
/// run on the same démarche gets [`SinkError::Locked`], with the host and the process of the owner. Runs on other
/// démarches of the same schema, by other sinks and hosts, work at the same time.
#[derive(Debug)]
pub struct PostgresSink {
    server: Server,
    session: Mutex<Session>,
    /// `None` for a sink that only reads.
    leases: Option<Leases>,
}

impl PostgresSink {
    /// Releases the leases and closes the connections.
    ///
    /// Dropping does the same a little later, in the background, and reports no error.
    ///
    /// # Errors
    /// If the server cannot be reached: the leases then expire.
    pub async fn close(self) -> Result<(), SinkError> {
        let Self { server, session, leases } = self;
        // In this order: an abandoned transaction may hold the row of a lease.
        let closed = session.into_inner().close().await.map_err(|fault| server.with_context("closing", fault));
        if let Some(leases) = leases {
            leases.close().await?;
        }
        closed
    }

    /// Checks that every child row has its dossier and every dossier its document, in all démarches of the schema. The time is
    /// proportional to their number. Use `pg_amcheck` for the pages of the database.
    ///
    /// # Errors
    /// [`SinkError::Altered`] with the first thing that is wrong.
    pub async fn check(&self) -> Result<(), SinkError> {
        reading!(self, "a check", tx => check(&mut tx))
    }

    /// Returns the leases of this sink, to claim work among several démarches.
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

    /// Takes the lease before the first query of a run.
    async fn begin_run(&self, scope: &Scope) -> Result<(), SinkError> {
        let Some(leases) = &self.leases else { return Ok(()) };
        // In this order: an abandoned transaction ends with the next use of its connection, and may hold the row of
        // the lease until then.
        self.with_context("a connection", self.session.lock().await.settle().await)?;
        leases.begin(scope).await
    }

    fn with_context<T>(&self, action: &'static str, result: Result<T, Fault>) -> Result<T, SinkError> {
        result.map_err(|fault| self.server.with_context(action, fault))
    }
}

/// Runs a transaction that only reads, or that needs no lease.
macro_rules! reading {
    ($sink:ident, $action:literal, $tx:ident => $work:expr) => {{
        let mut session = $sink.session.lock().await;
        let done = async {
            let mut $tx = session.begin().await?;
            let done = $work.await.map(Some);
            end($tx, done).await
        };
        let done = done.await;
        Ok($sink.with_context($action, done)?.expect("nothing but a lost lease gives a transaction up"))
    }};
}
use reading;

/// Runs a transaction that begins by checking the lease of a démarche.
macro_rules! fenced {
    ($sink:ident, $scope:expr, $action:literal, $tx:ident => $work:expr) => {{
        let leases = $sink.leases()?;
        leases.hold($scope).await?;
        let mut session = $sink.session.lock().await;
        let done = async {
            let mut $tx = session.begin().await?;
            let done = match leases.fence(&mut $tx, $scope).await {
                Ok(true) => $work.await.map(Some),
                Ok(false) => Ok(None),
                Err(fault) => Err(fault),
            };
            end($tx, done).await
        };
        let done = done.await;
        match $sink.with_context($action, done)? {
            Some(done) => {
                leases.committed($scope);
                Ok(done)
            }
            None => Err(leases.lost($scope).await),
        }
    }};
}
use fenced;

/// Commits, or rolls back at once: the next use of the connection would roll back too, but its row locks would block
/// other workers until then.
async fn end<T>(tx: Transaction<'_, Postgres>, done: Result<Option<T>, Fault>) -> Result<Option<T>, Fault> {
    match done {
        Ok(Some(done)) => {
            tx.commit().await?;
            Ok(Some(done))
        }
        // The first error is more useful than that of a failed rollback.
        nothing => {
            drop(tx.rollback().await);
            nothing
        }
    }
}

async fn check(tx: &mut PgConnection) -> Result<(), Fault> {
    let query = "SELECT last FROM dn_feed WHERE last <> (SELECT count(*) FROM dn_changes) \
                 OR last <> (SELECT coalesce(max(seq), 0) FROM dn_changes)";
    if let Some(row) = tx.rows(query.into(), &[]).await?.first() {
        let last = row.integer("last")?;
        return Err(Fault::Altered(format!("the change feed should have {last} lines, numbered from 1")));
    }
    let query = "SELECT name, instance, demarche FROM dn_tables WHERE holds = 'dossiers' ORDER BY id";
    for row in tx.rows(query.into(), &[]).await? {
        let table = row.text("name")?;
        let query = format!(
            "SELECT count(*) AS alone FROM (SELECT number FROM dn_dossiers WHERE instance = $1 AND demarche = $2 \
             AND gone IS DISTINCT FROM 'retention') AS d \
             FULL JOIN {} AS t ON t.\"number\" = d.number WHERE t.\"number\" IS NULL OR d.number IS NULL",
            sql::quoted(table)
        );
        let found = tx.rows(query.into(), &[row.text("instance")?.into(), row.integer("demarche")?.into()]).await?;
        let alone = found.first().map_or(Ok(0), |row| row.integer("alone"))?;
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
        self.begin_run(scope).await?;
        let writes = self.leases.is_some();
        reading!(self, "a reading of its tables", tx => async {
            // The first caller gets the prefix, so it must be stored before a second one asks.
            let prefix = match writes {
                true => sql::register(&mut *tx, &scope.instance).await?,
                false => sql::prefix(&mut *tx, &scope.instance).await?.0,
            };
            sql::remembered(&mut *tx, scope, &prefix).await
        })
    }

    async fn form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        self.begin_run(scope).await?;
        reading!(self, "a reading of the form", tx => sql::form(&mut *tx, scope))
    }

    async fn prepare(&self, scope: &Scope, form: &Demarche, plan: SchemaPlan) -> Result<Prepared, SinkError> {
        let done: Result<(), SinkError> =
            fenced!(self, scope, "a change of its tables", tx => sql::prepare(&mut *tx, scope, form, &plan));
        done.map(|()| Prepared::new(scope.clone(), plan.layout))
    }

    async fn checkpoint(&self, scope: &Scope) -> Result<Option<Checkpoint>, SinkError> {
        self.begin_run(scope).await?;
        reading!(self, "a reading of the checkpoint", tx => sql::checkpoint(&mut *tx, scope))
    }

    async fn known(&self, scope: &Scope, keys: &[DossierNumber]) -> Result<Known, SinkError> {
        reading!(self, "a reading of fingerprints", tx => sql::known(&mut *tx, scope, keys))
    }

    async fn commit(&self, prepared: &Prepared, batch: &Batch) -> Result<Receipt, SinkError> {
        fenced!(self, prepared.scope(), "a commit", tx => sql::apply(&mut *tx, prepared, batch))
    }

    async fn totals(&self, scope: &Scope) -> Result<Totals, SinkError> {
        reading!(self, "a count of dossiers", tx => sql::totals(&mut *tx, scope))
    }

    async fn census(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<CensusEntry>, SinkError> {
        reading!(self, "a census", tx => sql::census(&mut *tx, scope, after, limit))
    }

    async fn documents(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<StoredDocument>, SinkError> {
        reading!(self, "a reading of documents", tx => sql::documents(&mut *tx, scope, after, limit))
    }

    async fn survey_rows(&self, scope: &Scope, limit: u32) -> Result<Vec<RowDifference>, SinkError> {
        reading!(self, "a count of rows", tx => sql::survey(&mut *tx, scope, limit))
    }

    async fn compare_rows(
        &self,
        scope: &Scope,
        layout: &Layout,
        expected: &[ExpectedDossier],
    ) -> Result<Vec<RowDifference>, SinkError> {
        reading!(self, "a comparison of rows", tx => sql::compare(&mut *tx, scope, layout, expected))
    }

    async fn remove_unknown_rows(&self, prepared: &Prepared) -> Result<u64, SinkError> {
        fenced!(self, prepared.scope(), "a removal of rows", tx => sql::remove_unknown(&mut *tx, prepared))
    }

    async fn instances(&self) -> Result<Vec<(String, Option<InstanceAddress>)>, SinkError> {
        reading!(self, "a reading of its instances", tx => sql::instances(&mut *tx))
    }

    async fn keep_address(
        &self,
        instance: &str,
        address: &InstanceAddress,
        was: Option<&InstanceAddress>,
    ) -> Result<(), SinkError> {
        self.leases()?;
        reading!(self, "the address of an instance", tx => sql::keep_address(&mut *tx, instance, address, was))
    }

    async fn quarantine(&self, scope: &Scope) -> Result<Vec<QuarantineEntry>, SinkError> {
        reading!(self, "a reading of the quarantine", tx => sql::quarantine(&mut *tx, scope))
    }

    async fn record_run(&self, scope: &Scope, run: &RunRecord) -> Result<(), SinkError> {
        let leases = self.leases()?;
        let done: Result<(), SinkError> =
            reading!(self, "a line of the run history", tx => sql::record_run(&mut *tx, scope, run));
        done?;
        leases.end(scope).await
    }

    async fn forget_runs(&self, scope: &Scope, before: Timestamp) -> Result<u64, SinkError> {
        self.leases()?;
        reading!(self, "a shortening of the run history", tx => sql::forget_runs(&mut *tx, scope, before))
    }

    async fn runs(&self, scope: &Scope, limit: u32) -> Result<Vec<RunRecord>, SinkError> {
        reading!(self, "a reading of the run history", tx => sql::runs(&mut *tx, scope, limit))
    }
}
