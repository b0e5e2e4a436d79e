//! Dispatches to any of the targets, chosen at run time.
//!
//! The futures of [`Sink`] are unboxed, so the trait makes no object. A program that reads its target from the
//! configuration holds this enum; a library that knows its target needs none of it. A new variant is missed by the compiler in `inside!`, in
//! `with_outbox!` and in [`AnySink::close`].

#[cfg(feature = "grist")]
use bytes::Bytes;
use jiff::Timestamp;

use super::{
    Batch, CensusEntry, ExpectedDossier, InstanceAddress, MemorySink, Prepared, QuarantineEntry, Receipt, Sink,
    SinkError, StoredDocument, Totals,
};
#[cfg(feature = "grist")]
use super::{FileStore, Keeping, WantedFile};
use crate::checkpoint::Checkpoint;
use crate::demarche::Demarche;
use crate::ids::{DossierNumber, Scope};
use crate::plan::{Known, Remembered, SchemaPlan};
use crate::report::{RowDifference, RunRecord};
use crate::table::Layout;

/// Any of the targets; forwards every call to the one inside.
#[derive(Debug)]
#[non_exhaustive]
pub enum AnySink {
    /// In memory.
    Memory(MemorySink),
    /// In a SQLite file.
    #[cfg(feature = "sqlite")]
    Sqlite(super::SqliteSink),
    /// In a schema of PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(Box<super::PostgresSink>),
    /// In a Grist document. Boxed, as it caches the structure of its document and is many times as large as the others.
    #[cfg(feature = "grist")]
    Grist(Box<super::GristSink>),
}

/// Evaluates an expression for the sink inside.
macro_rules! inside {
    ($any:expr, $sink:ident => $expression:expr) => {
        match $any {
            AnySink::Memory($sink) => $expression,
            #[cfg(feature = "sqlite")]
            AnySink::Sqlite($sink) => $expression,
            #[cfg(feature = "postgres")]
            AnySink::Postgres($sink) => $expression,
            #[cfg(feature = "grist")]
            AnySink::Grist($sink) => $expression,
        }
    };
}

/// Evaluates an expression for the outbox inside a target, whichever it is; `None` for a target that keeps none.
#[cfg(feature = "cycle")]
macro_rules! with_outbox {
    ($sink:expr, $outbox:ident => $expression:expr) => {
        match $sink {
            $crate::sink::AnySink::Memory(_) => None,
            $crate::sink::AnySink::Sqlite($outbox) => Some($expression),
            $crate::sink::AnySink::Postgres(boxed) => {
                let $outbox = boxed.as_ref();
                Some($expression)
            }
            $crate::sink::AnySink::Grist(boxed) => {
                let $outbox = boxed.as_ref();
                Some($expression)
            }
        }
    };
}
#[cfg(feature = "cycle")]
pub(crate) use with_outbox;

impl From<MemorySink> for AnySink {
    fn from(sink: MemorySink) -> Self {
        Self::Memory(sink)
    }
}

#[cfg(feature = "sqlite")]
impl From<super::SqliteSink> for AnySink {
    fn from(sink: super::SqliteSink) -> Self {
        Self::Sqlite(sink)
    }
}

#[cfg(feature = "postgres")]
impl From<super::PostgresSink> for AnySink {
    fn from(sink: super::PostgresSink) -> Self {
        Self::Postgres(Box::new(sink))
    }
}

#[cfg(feature = "grist")]
impl From<super::GristSink> for AnySink {
    fn from(sink: super::GristSink) -> Self {
        Self::Grist(Box::new(sink))
    }
}

impl AnySink {
    /// Gives the document of Grist inside, in which people decide and which keeps files.
    #[cfg(feature = "grist")]
    #[must_use]
    pub fn document(&self) -> Option<&super::GristSink> {
        match self {
            Self::Grist(sink) => Some(sink),
            _ => None,
        }
    }

    /// Gives the PostgreSQL inside, whose leases several workers share.
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn shared(&self) -> Option<&super::PostgresSink> {
        match self {
            Self::Postgres(sink) => Some(sink),
            _ => None,
        }
    }

    /// Releases the target for other programs.
    ///
    /// # Errors
    /// Those of the sink inside; nothing that was committed is lost by them.
    pub async fn close(self) -> Result<(), SinkError> {
        match self {
            Self::Memory(_) => Ok(()),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sink) => sink.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(sink) => sink.close().await,
            #[cfg(feature = "grist")]
            Self::Grist(sink) => sink.close().await,
        }
    }
}

/// Only a document of Grist keeps files; the others want none.
#[cfg(feature = "grist")]
impl FileStore for AnySink {
    async fn link_files(&self, scope: &Scope) -> Result<u64, SinkError> {
        match self.document() {
            Some(sink) => sink.link_files(scope).await,
            None => Ok(0),
        }
    }

    async fn wanted_files(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<WantedFile>, SinkError> {
        match self.document() {
            Some(sink) => sink.wanted_files(scope, after, limit).await,
            None => Ok(Vec::new()),
        }
    }

    async fn keep_file(&self, scope: &Scope, file: &WantedFile, bytes: Bytes) -> Result<Keeping, SinkError> {
        match self.document() {
            Some(sink) => sink.keep_file(scope, file, bytes).await,
            None => Ok(Keeping::Refused),
        }
    }
}

impl Sink for AnySink {
    fn name(&self) -> &str {
        inside!(self, sink => sink.name())
    }

    async fn schema(&self, scope: &Scope) -> Result<Remembered, SinkError> {
        inside!(self, sink => sink.schema(scope).await)
    }

    async fn form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        inside!(self, sink => sink.form(scope).await)
    }

    async fn prepare(&self, scope: &Scope, form: &Demarche, plan: SchemaPlan) -> Result<Prepared, SinkError> {
        inside!(self, sink => sink.prepare(scope, form, plan).await)
    }

    async fn checkpoint(&self, scope: &Scope) -> Result<Option<Checkpoint>, SinkError> {
        inside!(self, sink => sink.checkpoint(scope).await)
    }

    async fn known(&self, scope: &Scope, keys: &[DossierNumber]) -> Result<Known, SinkError> {
        inside!(self, sink => sink.known(scope, keys).await)
    }

    async fn commit(&self, prepared: &Prepared, batch: &Batch) -> Result<Receipt, SinkError> {
        inside!(self, sink => sink.commit(prepared, batch).await)
    }

    async fn totals(&self, scope: &Scope) -> Result<Totals, SinkError> {
        inside!(self, sink => sink.totals(scope).await)
    }

    async fn census(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<CensusEntry>, SinkError> {
        inside!(self, sink => sink.census(scope, after, limit).await)
    }

    async fn documents(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<StoredDocument>, SinkError> {
        inside!(self, sink => sink.documents(scope, after, limit).await)
    }

    async fn survey_rows(&self, scope: &Scope, limit: u32) -> Result<Vec<RowDifference>, SinkError> {
        inside!(self, sink => sink.survey_rows(scope, limit).await)
    }

    async fn compare_rows(
        &self,
        scope: &Scope,
        layout: &Layout,
        expected: &[ExpectedDossier],
    ) -> Result<Vec<RowDifference>, SinkError> {
        inside!(self, sink => sink.compare_rows(scope, layout, expected).await)
    }

    async fn remove_unknown_rows(&self, prepared: &Prepared) -> Result<u64, SinkError> {
        inside!(self, sink => sink.remove_unknown_rows(prepared).await)
    }

    async fn instances(&self) -> Result<Vec<(String, Option<InstanceAddress>)>, SinkError> {
        inside!(self, sink => sink.instances().await)
    }

    async fn keep_address(
        &self,
        instance: &str,
        address: &InstanceAddress,
        was: Option<&InstanceAddress>,
    ) -> Result<(), SinkError> {
        inside!(self, sink => sink.keep_address(instance, address, was).await)
    }

    async fn quarantine(&self, scope: &Scope) -> Result<Vec<QuarantineEntry>, SinkError> {
        inside!(self, sink => sink.quarantine(scope).await)
    }

    async fn record_run(&self, scope: &Scope, run: &RunRecord) -> Result<(), SinkError> {
        inside!(self, sink => sink.record_run(scope, run).await)
    }

    async fn runs(&self, scope: &Scope, limit: u32) -> Result<Vec<RunRecord>, SinkError> {
        inside!(self, sink => sink.runs(scope, limit).await)
    }

    async fn forget_runs(&self, scope: &Scope, before: Timestamp) -> Result<u64, SinkError> {
        inside!(self, sink => sink.forget_runs(scope, before).await)
    }

    fn notices(&self) -> Vec<String> {
        inside!(self, sink => sink.notices())
    }
}
