//! ROOM 6, the vault: where dossiers are kept. Sinks apply plans; they decide nothing about dossiers.
//!
//! - [`Sink`]: the contract, which every target keeps and `tests/contracts` checks;
//! - [`Outbox`]: where intents wait, and where what became of them is kept with its trail; the SQL targets have one;
//! - [`memory`]: a target that forgets, for tests and for looking at a plan without a target;
//! - `sqlite` (feature `sqlite`): a target that is one file. What lies in it is described in `docs/sqlite.md`;
//! - `grist` (feature `grist`): a target that is a document of Grist, which people may change;
//! - [`AnySink`]: any of them, chosen when the program runs.
//! - `postgres` (feature `postgres`): a target for several writers. What lies in it is described in `docs/postgres.md`.
//!
//! What a change does to what is stored is decided in one place for all targets, so that committing twice, or committing
//! after an answer was lost, ends in the same state everywhere.

mod any;
mod compare;
mod error;
mod files;
#[cfg(feature = "grist")]
pub mod grist;
pub mod memory;
mod names;
mod outbox;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod preview;
mod settle;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod types;

use std::future::Future;

use jiff::Timestamp;

pub use any::AnySink;
pub use compare::{ExpectedDossier, InstanceAddress};
pub use error::SinkError;
pub use files::{FileLimits, FileStore, InvalidMediaRange, Keeping, MediaRange, WantedFile};
#[cfg(feature = "grist")]
pub use grist::GristSink;
pub use memory::MemorySink;
pub use outbox::{
    Backlog, Entry, Happening, MemoryOutbox, Outbox, OutboxStep, Received, Recorded, Settlement, TrailLine,
};
#[cfg(feature = "postgres")]
pub use postgres::PostgresSink;
pub use preview::{Preview, Previewed};
pub use settle::FeedKind;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteSink;
pub use types::{Batch, CensusEntry, Prepared, QuarantineChange, QuarantineEntry, Receipt, StoredDocument, Totals};

use crate::checkpoint::Checkpoint;
use crate::demarche::Demarche;
use crate::ids::{DossierNumber, Scope};
use crate::plan::{Known, Remembered, SchemaPlan};
use crate::report::{RowDifference, RunRecord};
use crate::table::Layout;

/// A place where the dossiers of démarches are kept.
///
/// The engine calls, for each démarche and in this order: [`schema`](Self::schema), [`prepare`](Self::prepare),
/// [`checkpoint`](Self::checkpoint) and [`quarantine`](Self::quarantine) once, then for every page
/// [`known`](Self::known) and [`commit`](Self::commit), and [`record_run`](Self::record_run) at the end. One run at a time
/// works on a target, or on a démarche of it: the implementation holds a lock, from its opening to its drop or from the
/// first question to the last, which the death of the process releases, at once or after a while.
///
/// A future that is dropped before its end (a signal, a time-out) leaves the target as it was or as it would have been,
/// never in between.
///
/// Memory is bounded by the page: no method returns more than it was asked for.
pub trait Sink: Send + Sync {
    /// A short name for reports, without credentials: `sqlite:dossiers.db`.
    fn name(&self) -> &str;

    /// What the target remembers of its tables for this démarche; empty tables and a fresh prefix for a new one.
    fn schema(&self, scope: &Scope) -> impl Future<Output = Result<Remembered, SinkError>> + Send;

    /// The form that the tables were last prepared for; `None` for a new démarche.
    fn form(&self, scope: &Scope) -> impl Future<Output = Result<Option<Demarche>, SinkError>> + Send;

    /// Brings the tables to the layout of the plan, all or nothing, and remembers it with the form. When the plan
    /// [needs a backfill](SchemaPlan::needs_backfill), the stored checkpoint says so from the same transaction on. Changes that
    /// are done already are not done again, and a plan without changes for the form already stored writes nothing. What
    /// it returns is the only thing that rows can be committed against.
    ///
    /// # Errors
    /// [`SinkError::Altered`] when a table is not as it was left, [`SinkError::Refused`] when the plan was made against
    /// other tables than those of this target.
    fn prepare(
        &self,
        scope: &Scope,
        form: &Demarche,
        plan: SchemaPlan,
    ) -> impl Future<Output = Result<Prepared, SinkError>> + Send;

    /// Where the last commit stopped; `None` before the first one.
    fn checkpoint(&self, scope: &Scope) -> impl Future<Output = Result<Option<Checkpoint>, SinkError>> + Send;

    /// What the target holds of these dossiers. Those that it does not hold are absent from the answer.
    fn known(&self, scope: &Scope, keys: &[DossierNumber]) -> impl Future<Output = Result<Known, SinkError>> + Send;

    /// Rows, fingerprints, change feed, quarantine and checkpoint, in one commit: when it returns `Ok` all of it is
    /// durable, when it returns an error none of it is. What a change does is decided by what is stored at that moment,
    /// so committing the same batch twice changes nothing more and tells no event twice.
    ///
    /// # Errors
    /// [`SinkError::Backward`] when the checkpoint's watermark is older than the stored one.
    fn commit(&self, prepared: &Prepared, batch: &Batch) -> impl Future<Output = Result<Receipt, SinkError>> + Send;

    /// How many dossiers the target holds.
    fn totals(&self, scope: &Scope) -> impl Future<Output = Result<Totals, SinkError>> + Send;

    /// The next dossiers after this number, in order, at most `limit`: what the complete listing is compared with.
    fn census(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<CensusEntry>, SinkError>> + Send;

    /// The next stored documents after this number, in order, at most `limit`, tombstones included. A dossier that was
    /// purged has none. A document that somebody damaged is given as it is, or as an empty text: it does not match its
    /// fingerprint then.
    fn documents(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<StoredDocument>, SinkError>> + Send;

    /// Finds, without reading documents, the rows that are not what was written: for every dossier the number of rows in
    /// each table, keys that two rows share, rows of dossiers that the target does not hold. At most `limit` differences
    /// of each table; nothing for a target that cannot tell. The content of rows is not looked at.
    fn survey_rows(
        &self,
        scope: &Scope,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<RowDifference>, SinkError>> + Send {
        let _ = (scope, limit);
        std::future::ready(Ok(Vec::new()))
    }

    /// Compares the rows of these dossiers, in all tables of a layout that the target has, with what they should be: rows
    /// that are missing or too many, keys that two rows share, cells that differ. A cell is the same when what is stored is
    /// what the target would store for it now. Reads only.
    fn compare_rows(
        &self,
        scope: &Scope,
        layout: &Layout,
        expected: &[ExpectedDossier],
    ) -> impl Future<Output = Result<Vec<RowDifference>, SinkError>> + Send {
        let _ = (scope, layout, expected);
        std::future::ready(Ok(Vec::new()))
    }

    /// Removes the rows that [`survey_rows`](Self::survey_rows) calls [unknown](crate::report::RowFault::Unknown), from tables that belong
    /// to this tool alone: how many. A target whose tables people may add rows to removes none.
    fn remove_unknown_rows(&self, prepared: &Prepared) -> impl Future<Output = Result<u64, SinkError>> + Send {
        let _ = prepared;
        std::future::ready(Ok(0))
    }

    /// The instances whose dossiers are kept here, by name, with their addresses where these are known.
    fn instances(&self) -> impl Future<Output = Result<Vec<(String, Option<InstanceAddress>)>, SinkError>> + Send {
        std::future::ready(Ok(Vec::new()))
    }

    /// Keeps the address of an instance, in the place of `was`. Does nothing when another one is kept there by now.
    fn keep_address(
        &self,
        instance: &str,
        address: &InstanceAddress,
        was: Option<&InstanceAddress>,
    ) -> impl Future<Output = Result<(), SinkError>> + Send {
        let _ = (instance, address, was);
        std::future::ready(Ok(()))
    }

    /// The dossiers in quarantine, oldest first.
    fn quarantine(&self, scope: &Scope) -> impl Future<Output = Result<Vec<QuarantineEntry>, SinkError>> + Send;

    /// Adds one line to the run history. A line with the id of an older one of the same démarche replaces it. A target
    /// where every line costs something to others may leave out a [quiet](RunRecord::is_quiet) run that follows another.
    fn record_run(&self, scope: &Scope, run: &RunRecord) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// The last runs, newest first, at most `limit`.
    fn runs(&self, scope: &Scope, limit: u32) -> impl Future<Output = Result<Vec<RunRecord>, SinkError>> + Send;

    /// Takes away the lines of the run history that ended before an instant, but for the last line: how many. A target whose
    /// history is bounded anyway may leave it as it is.
    fn forget_runs(&self, scope: &Scope, before: Timestamp) -> impl Future<Output = Result<u64, SinkError>> + Send {
        let _ = (scope, before);
        std::future::ready(Ok(0))
    }

    /// What the target has to tell of itself since it was last asked, in words: what people made of it, what it could not
    /// hold as it is. Tables, columns and numbers of dossiers only, never values.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
}
