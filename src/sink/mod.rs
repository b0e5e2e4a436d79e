//! Stores dossiers in a target. The contract is [`Sink`]: sinks apply plans and decide nothing about dossiers.
//!
//! - [`Sink`]: the contract of every target, which `tests/contracts` checks;
//! - [`Outbox`]: stores intents, their results and the trail;
//! - [`memory`]: a target in memory, for tests and for a plan without a target;
//! - `sqlite` (feature `sqlite`): one file, described in `docs/sqlite.md`;
//! - `postgres` (feature `postgres`): a schema with several writers, described in `docs/postgres.md`;
//! - `grist` (feature `grist`): a document that users may change;
//! - [`AnySink`]: any of them, chosen at run time.
//!
//! The effect of a change on stored rows is decided by [`decide`](crate::plan::decide()) for all targets, so that committing
//! twice, or committing after a lost answer, ends in the same state everywhere. Reading the platform and deciding changes do
//! not belong here.

mod any;
mod compare;
mod error;
mod files;
#[cfg(feature = "grist")]
pub mod grist;
#[doc(hidden)]
pub mod memory;
mod names;
mod outbox;
#[cfg(feature = "postgres")]
pub mod postgres;
mod preview;
mod settle;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod types;

use std::future::Future;

use jiff::Timestamp;

pub use any::AnySink;
#[cfg(feature = "cycle")]
pub(crate) use any::with_outbox;
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
#[doc(hidden)]
pub use preview::{Preview, Previewed};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteSink;
pub use types::{Batch, CensusEntry, Prepared, QuarantineChange, QuarantineEntry, Receipt, StoredDocument, Totals};

use crate::checkpoint::Checkpoint;
use crate::demarche::Demarche;
use crate::ids::{DossierNumber, Scope};
use crate::plan::{Known, Remembered, SchemaPlan};
use crate::report::{RowDifference, RunRecord};
use crate::table::Layout;

/// Stores the dossiers of démarches.
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

    /// Reads the tables of this démarche; a new démarche has none, and a fresh prefix.
    fn schema(&self, scope: &Scope) -> impl Future<Output = Result<Remembered, SinkError>> + Send;

    /// Reads the form for which the tables were last prepared; `None` for a new démarche.
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

    /// Reads the checkpoint of the last commit; `None` before the first one.
    fn checkpoint(&self, scope: &Scope) -> impl Future<Output = Result<Option<Checkpoint>, SinkError>> + Send;

    /// Looks dossiers up. Those that the target does not hold are absent from the answer.
    fn known(&self, scope: &Scope, keys: &[DossierNumber]) -> impl Future<Output = Result<Known, SinkError>> + Send;

    /// Commits rows, fingerprints, change feed, quarantine and checkpoint together: after `Ok` all of it is
    /// durable, after an error none of it is. The effect of a change depends on the rows stored at that moment,
    /// so committing the same batch twice is idempotent and writes no line of the feed twice.
    ///
    /// # Errors
    /// [`SinkError::Backward`] when the checkpoint's watermark is older than the stored one.
    fn commit(&self, prepared: &Prepared, batch: &Batch) -> impl Future<Output = Result<Receipt, SinkError>> + Send;

    /// Counts the dossiers of the target.
    fn totals(&self, scope: &Scope) -> impl Future<Output = Result<Totals, SinkError>> + Send;

    /// Lists dossiers after this number, in order, at most `limit`, for comparison with the complete listing.
    fn census(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<CensusEntry>, SinkError>> + Send;

    /// Reads stored documents after this number, in order, at most `limit`, tombstones included. A dossier that was
    /// purged has none. A document that somebody damaged is given as it is, or as an empty text: it does not match its
    /// fingerprint then.
    fn documents(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<StoredDocument>, SinkError>> + Send;

    /// Finds, without reading documents or cells, rows that differ from those written: the number of rows of every dossier in
    /// each table, duplicate keys, rows of dossiers that the target does not hold. Returns at most `limit` differences
    /// of each table; nothing for a target that cannot tell.
    fn survey_rows(
        &self,
        scope: &Scope,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<RowDifference>, SinkError>> + Send {
        let _ = (scope, limit);
        std::future::ready(Ok(Vec::new()))
    }

    /// Compares the rows of these dossiers, in all tables of a layout, with the expected ones: missing and extra rows,
    /// duplicate keys, differing cells. A cell is equal if the target would store the same for it now. Reads only.
    fn compare_rows(
        &self,
        scope: &Scope,
        layout: &Layout,
        expected: &[ExpectedDossier],
    ) -> impl Future<Output = Result<Vec<RowDifference>, SinkError>> + Send {
        let _ = (scope, layout, expected);
        std::future::ready(Ok(Vec::new()))
    }

    /// Removes the rows that [`survey_rows`](Self::survey_rows) calls [unknown](crate::report::RowFault::Unknown), and returns
    /// their number. A target to whose tables users may add rows removes none.
    fn remove_unknown_rows(&self, prepared: &Prepared) -> impl Future<Output = Result<u64, SinkError>> + Send {
        let _ = prepared;
        std::future::ready(Ok(0))
    }

    /// Lists the instances whose dossiers are stored here, with their addresses if known.
    fn instances(&self) -> impl Future<Output = Result<Vec<(String, Option<InstanceAddress>)>, SinkError>> + Send {
        std::future::ready(Ok(Vec::new()))
    }

    /// Replaces the address `was` of an instance. Does nothing if another one is stored by now.
    fn keep_address(
        &self,
        instance: &str,
        address: &InstanceAddress,
        was: Option<&InstanceAddress>,
    ) -> impl Future<Output = Result<(), SinkError>> + Send {
        let _ = (instance, address, was);
        std::future::ready(Ok(()))
    }

    /// Reads the quarantine, oldest first.
    fn quarantine(&self, scope: &Scope) -> impl Future<Output = Result<Vec<QuarantineEntry>, SinkError>> + Send;

    /// Adds a line to the run history. A line with the id of an older one of the same démarche replaces it. A target
    /// in which lines are costly may leave out a [quiet](RunRecord::is_quiet) run that follows another.
    fn record_run(&self, scope: &Scope, run: &RunRecord) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Reads the last runs, newest first, at most `limit`.
    fn runs(&self, scope: &Scope, limit: u32) -> impl Future<Output = Result<Vec<RunRecord>, SinkError>> + Send;

    /// Removes the lines of the run history that ended before an instant, except the last line, and returns their number. A
    /// target whose history is bounded may keep them.
    fn forget_runs(&self, scope: &Scope, before: Timestamp) -> impl Future<Output = Result<u64, SinkError>> + Send {
        let _ = (scope, before);
        std::future::ready(Ok(0))
    }

    /// Returns the warnings of the target since the last call, as sentences: changes by users, values that did not fit.
    /// They name tables, columns and numbers of dossiers, never values.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
}
