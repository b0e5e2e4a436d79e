//! The SQLite target: one file, one writer, any number of readers.
//!
//! - [`open`](SqliteSink::open): what the file must be, the lock, the settings of the connection;
//! - `migrate`: the shared tables (`dn_*`) and their version;
//! - `encoding`: a value as SQLite keeps it; `dialect`, `store`: the statements of `sink::sql` as SQLite runs them.
//!
//! The journal is a write-ahead log with `synchronous = FULL`: one flush a commit, that is one a page of a hundred
//! dossiers, whose reading takes a thousand times longer. What was committed survives the death of the process and the
//! loss of power.

mod dialect;
mod encoding;
mod fault;
mod header;
mod lock;
mod migrate;
mod open;
mod outbox;
mod private;
mod store;

use jiff::Timestamp;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Mutex;

use super::sql::{self, Fault};
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

/// Dossiers in a SQLite file. See `docs/sqlite.md` for what lies in it.
#[derive(Debug)]
pub struct SqliteSink {
    name: String,
    // Before the lock: fields are dropped in order, and the lock must go last.
    connection: Mutex<SqliteConnection>,
    lock: Option<lock::Lock>,
}

impl SqliteSink {
    /// Ends the connection, which folds the write-ahead log into the file, and releases the lock.
    ///
    /// Dropping does the same a little later, in the background, and tells no error.
    ///
    /// # Errors
    /// When the log cannot be folded in; nothing that was committed is lost by that.
    pub async fn close(self) -> Result<(), SinkError> {
        let Self { name, connection, lock } = self;
        let closed = connection.into_inner().close().await;
        drop(lock);
        closed.map_err(|error| Fault::from(error).at(&name, "closing", fault::classify))
    }

    /// Reads the whole file and checks that it is sound: pages, rows, types of values and references between tables.
    /// Takes time in proportion to the file.
    ///
    /// # Errors
    /// [`SinkError::Foreign`] with the first thing that is wrong.
    pub async fn check(&self) -> Result<(), SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a check", integrity(&mut connection).await)
    }

    fn with_context<T>(&self, action: &'static str, result: Result<T, Fault>) -> Result<T, SinkError> {
        result.map_err(|error| error.at(&self.name, action, fault::classify))
    }

    fn writable(&self) -> Result<(), SinkError> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(SinkError::Unusable {
                target: self.name.clone(),
                action: "written",
                reason: "it was opened for reading only".to_owned(),
                hint: None,
            }),
        }
    }
}

async fn prepare(
    connection: &mut SqliteConnection,
    scope: &Scope,
    form: &Demarche,
    plan: &SchemaPlan,
) -> Result<(), Fault> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    sql::prepare(&mut *tx, scope, form, plan).await?;
    Ok(tx.commit().await?)
}

async fn commit(connection: &mut SqliteConnection, prepared: &Prepared, batch: &Batch) -> Result<Receipt, Fault> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let receipt = sql::apply(&mut *tx, prepared, batch).await?;
    tx.commit().await?;
    Ok(receipt)
}

async fn remove_unknown(connection: &mut SqliteConnection, prepared: &Prepared) -> Result<u64, Fault> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let removed = sql::remove_unknown(&mut *tx, prepared).await?;
    tx.commit().await?;
    Ok(removed)
}

async fn keep_address(
    connection: &mut SqliteConnection,
    instance: &str,
    address: &InstanceAddress,
    was: Option<&InstanceAddress>,
) -> Result<(), Fault> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    sql::keep_address(&mut *tx, instance, address, was).await?;
    Ok(tx.commit().await?)
}

/// Reads the whole file.
async fn integrity(connection: &mut SqliteConnection) -> Result<(), Fault> {
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut *connection).await?;
    if found != "ok" {
        return Err(Fault::Damaged(format!("it is damaged ({found})")));
    }
    let orphan: Option<String> =
        sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1").fetch_optional(connection).await?;
    match orphan {
        Some(table) => Err(Fault::Altered(format!("a row of {table} belongs to no dossier"))),
        None => Ok(()),
    }
}

impl Sink for SqliteSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn schema(&self, scope: &Scope) -> Result<Remembered, SinkError> {
        let mut connection = self.connection.lock().await;
        // The prefix is given to the first who asks, so it must be remembered before a second one does.
        let prefix = match self.lock {
            Some(_) => sql::register(&mut *connection, &scope.instance).await,
            None => sql::prefix(&mut *connection, &scope.instance).await.map(|(prefix, _)| prefix),
        };
        let prefix = self.with_context("a reading of its tables", prefix)?;
        self.with_context("a reading of its tables", sql::remembered(&mut *connection, scope, &prefix).await)
    }

    async fn form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of the form", sql::form(&mut *connection, scope).await)
    }

    async fn prepare(&self, scope: &Scope, form: &Demarche, plan: SchemaPlan) -> Result<Prepared, SinkError> {
        self.writable()?;
        let mut connection = self.connection.lock().await;
        self.with_context("a change of its tables", prepare(&mut connection, scope, form, &plan).await)?;
        Ok(Prepared::new(scope.clone(), plan.layout))
    }

    async fn checkpoint(&self, scope: &Scope) -> Result<Option<Checkpoint>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of the checkpoint", sql::checkpoint(&mut *connection, scope).await)
    }

    async fn known(&self, scope: &Scope, keys: &[DossierNumber]) -> Result<Known, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of fingerprints", sql::known(&mut *connection, scope, keys).await)
    }

    async fn commit(&self, prepared: &Prepared, batch: &Batch) -> Result<Receipt, SinkError> {
        self.writable()?;
        let mut connection = self.connection.lock().await;
        self.with_context("a commit", commit(&mut connection, prepared, batch).await)
    }

    async fn totals(&self, scope: &Scope) -> Result<Totals, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a count of dossiers", sql::totals(&mut *connection, scope).await)
    }

    async fn census(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<CensusEntry>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a census", sql::census(&mut *connection, scope, after, limit).await)
    }

    async fn documents(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<StoredDocument>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of documents", sql::documents(&mut *connection, scope, after, limit).await)
    }

    async fn survey_rows(&self, scope: &Scope, limit: u32) -> Result<Vec<RowDifference>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a count of rows", sql::survey(&mut *connection, scope, limit).await)
    }

    async fn compare_rows(
        &self,
        scope: &Scope,
        layout: &Layout,
        expected: &[ExpectedDossier],
    ) -> Result<Vec<RowDifference>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a comparison of rows", sql::compare(&mut *connection, scope, layout, expected).await)
    }

    async fn remove_unknown_rows(&self, prepared: &Prepared) -> Result<u64, SinkError> {
        self.writable()?;
        let mut connection = self.connection.lock().await;
        self.with_context("a removal of rows", remove_unknown(&mut connection, prepared).await)
    }

    async fn instances(&self) -> Result<Vec<(String, Option<InstanceAddress>)>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of its instances", sql::instances(&mut *connection).await)
    }

    async fn keep_address(
        &self,
        instance: &str,
        address: &InstanceAddress,
        was: Option<&InstanceAddress>,
    ) -> Result<(), SinkError> {
        self.writable()?;
        let mut connection = self.connection.lock().await;
        self.with_context("the address of an instance", keep_address(&mut connection, instance, address, was).await)
    }

    async fn quarantine(&self, scope: &Scope) -> Result<Vec<QuarantineEntry>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of the quarantine", sql::quarantine(&mut *connection, scope).await)
    }

    async fn record_run(&self, scope: &Scope, run: &RunRecord) -> Result<(), SinkError> {
        self.writable()?;
        let mut connection = self.connection.lock().await;
        self.with_context("a line of the run history", sql::record_run(&mut *connection, scope, run).await)
    }

    async fn forget_runs(&self, scope: &Scope, before: Timestamp) -> Result<u64, SinkError> {
        self.writable()?;
        let mut connection = self.connection.lock().await;
        self.with_context("a shortening of the run history", sql::forget_runs(&mut *connection, scope, before).await)
    }

    async fn runs(&self, scope: &Scope, limit: u32) -> Result<Vec<RunRecord>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of the run history", sql::runs(&mut *connection, scope, limit).await)
    }
}
