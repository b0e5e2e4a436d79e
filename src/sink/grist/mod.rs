//! Stores dossiers in a Grist document, which people read and change.
//!
//! The core is the files of this folder. It writes dossiers, and what people change in the document does not stop it:
//!
//! - [`Opening`]: settings, and the checks of a document before anything is written;
//! - `lease`, `session`: one run at a time, and a lease that moves with every bundle; `identity`: copies of a document;
//! - `shared`, `state`, `value`, `dictionary`: the tables `Dn_…` in which the document keeps the state of the sink;
//! - `memory`, `user_edits`, `damaged`: finds tables, columns and cells whatever people rename, delete or retype;
//! - `shape`, `ddl`, `pages`, `prepare`, `stray`: makes, completes and shows tables;
//! - `style`, `words`, `describe`, `html`, `choices`: makes columns legible: French words, descriptions, no red frame;
//! - `target`, `encoding`, `commit`, `bundles`, `write`: makes bundles of a batch, and sends them;
//! - `read`, `holdings`, `line_kind`, `known`, `stored`, `survey`: reads what the document holds;
//! - `position`, `cache`: what was read of a document once is read again only if it moved;
//! - `runs`, `journal`: the run history, and what people are told in it;
//! - `extension`: the trait by which features add columns, tables and rows.
//!
//! Features are folders. They may use the core, and the core does not know them; [`Opening`] registers them:
//!
//! - `files`: keeps files themselves;
//! - `outbox`: keeps intents, what became of them, and their trail;
//! - `decisions`: the columns in which people decide. It uses the outbox;
//! - `commands`: the table in which people tick what is to be done now.
//!
//! Rows, fingerprints and checkpoint go in one bundle of actions, which Grist applies whole or not at all. A dossier that
//! does not fit one request goes in several bundles: its row of `Dn_dossiers`, by which it counts as stored, is in the last
//! one. Rows are identified by keys, so that a repetition after a failure doubles nothing.

mod bundles;
mod cache;
mod choices;
mod commands;
mod commit;
mod damaged;
mod ddl;
mod decisions;
mod describe;
mod dictionary;
mod encoding;
mod extension;
mod fault;
mod files;
mod holdings;
mod html;
mod identity;
mod journal;
mod known;
mod lease;
mod line_kind;
mod memory;
mod open;
mod outbox;
mod pages;
mod position;
mod prepare;
mod read;
mod runs;
mod session;
mod shape;
mod shared;
mod state;
mod stored;
mod stray;
mod style;
mod survey;
mod target;
mod user_edits;
mod value;
mod words;
mod write;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Plain};

use grist_client::Doc;
use serde_json::Value;
use tokio::sync::Mutex;

pub use commands::{CommandRow, DocumentCommand, TakenCommands};
use ddl::Wishes;
use decisions::DecisionTables;
pub use decisions::{Declined, Taken};
use fault::GristFault;
use files::FileFeature;
use holdings::Extent;
use journal::Notice;
pub use open::Opening;
use outbox::OutcomeWriters;
use session::DocumentSession;

use super::{
    Batch, CensusEntry, ExpectedDossier, InstanceAddress, Prepared, QuarantineEntry, Receipt, Sink, SinkError,
    StoredDocument, Totals, names,
};
use crate::checkpoint::Checkpoint;
use crate::demarche::Demarche;
use crate::fingerprint::Digest;
use crate::ids::{DossierNumber, Scope};
use crate::plan::{Known, Remembered, SchemaPlan};
use crate::report::{RowDifference, RunRecord};
use crate::table::Layout;

/// Dossiers in a document of Grist. See `docs/grist.md` for what lies in it.
#[derive(Debug)]
pub struct GristSink {
    name: String,
    doc: Doc,
    session: Mutex<DocumentSession>,
    restore: bool,
    /// Pages are to be made anew; false once they are.
    restyle: AtomicBool,
    files: Arc<FileFeature>,
    decisions: Arc<DecisionTables>,
    outcomes: OutcomeWriters,
    notices: Arc<Notices>,
    /// Known in this process for as long as the sink is there.
    _token: Option<lease::ProcessToken>,
}

/// Collects notices until the report takes them; each one once in the life of a sink.
#[derive(Debug, Default)]
struct Notices(Plain<NoticeLog>);

#[derive(Debug, Default)]
struct NoticeLog {
    all: Vec<Notice>,
    /// The number of those that the report has.
    taken: usize,
    /// The number of those that the page of the run history has.
    shown: usize,
    /// The reason that stops the run, in French.
    stopped: Option<String>,
}

impl Notices {
    fn add<N: Into<Notice>>(&self, notices: impl IntoIterator<Item = N>) {
        let mut log = self.0.lock().expect("no code panics while it holds the lock");
        for notice in notices.into_iter().map(Into::into) {
            if !log.all.contains(&notice) {
                log.all.push(notice);
            }
        }
    }

    /// Keeps what stops a run, as people read it.
    fn stop(&self, fault: &GristFault) {
        if let GristFault::Edited { french, .. } = fault {
            let mut log = self.0.lock().expect("no code panics while it holds the lock");
            log.stopped = Some(french.clone());
        }
    }

    /// Lists what people are to be told with the line of a run.
    fn french(&self) -> Vec<String> {
        let log = self.0.lock().expect("no code panics while it holds the lock");
        let new = log.all[log.shown..].iter().filter_map(|notice| notice.french.clone());
        log.stopped.iter().cloned().chain(new).collect()
    }

    /// Keeps that people were told.
    fn shown(&self) {
        let mut log = self.0.lock().expect("no code panics while it holds the lock");
        (log.shown, log.stopped) = (log.all.len(), None);
    }

    fn take(&self) -> Vec<String> {
        let mut log = self.0.lock().expect("no code panics while it holds the lock");
        let new = log.all[log.taken..].iter().map(|notice| notice.english.clone()).collect();
        log.taken = log.all.len();
        new
    }
}

impl GristSink {
    /// The document.
    #[must_use]
    pub fn doc(&self) -> &Doc {
        &self.doc
    }

    /// Lists the columns of ours that access rules of the document hide from the key: titles and tables.
    ///
    /// # Errors
    /// Those of a reading.
    pub async fn hidden(&self) -> Result<Vec<String>, SinkError> {
        self.read("a reading of its tables", async |session| {
            let hidden = &session.state.hidden;
            let memories = session.state.memories()?;
            let tables = memories.iter().flat_map(|memory| &memory.tables);
            let columns = |table: &memory::TableMemory| {
                let columns = table.all().filter(|column| user_edits::is_hidden(column, hidden));
                columns.map(|column| format!("column “{}” of {}", column.label, table.id)).collect::<Vec<_>>()
            };
            Ok(tables.flat_map(columns).collect())
        })
        .await
    }

    /// Lists what [`Opening::restyle`] replaces, adds and keeps of the pages of a démarche, one line each; nothing for a
    /// démarche without tables here. Writes nothing.
    ///
    /// # Errors
    /// Those of a reading.
    pub async fn restyle_preview(&self, scope: &Scope) -> Result<Vec<String>, SinkError> {
        self.read("a reading of its pages", async |session| {
            let mut memory = session.state.memory(scope)?;
            if memory.tables.is_empty() {
                return Ok(Vec::new());
            }
            let structure = &session.state.structure;
            pages::resolve(&mut memory, structure);
            let views = session.reader.views().await?;
            Ok(pages::restyle::preview(&memory, structure, &views))
        })
        .await
    }

    /// Gives the lease back, if it is held, so that the next run need not wait until this one is thought dead. At most one
    /// request. After [`record_run`](Sink::record_run) the lease is free already.
    ///
    /// # Errors
    /// [`SinkError::Locked`] when another run took over, and those of the way there; nothing that was committed is lost.
    pub async fn close(self) -> Result<(), SinkError> {
        let mut session = self.session.lock().await;
        let held = session.holds();
        let closed: Result<(), GristFault> = async {
            session.settle().await?;
            if held {
                session.send(&[], &[], true).await?;
            }
            session.keep_in_cache();
            Ok(())
        }
        .await;
        closed.map_err(|fault| fault.at(&self.name, "closing"))
    }

    /// Names the document and what was being done in an error.
    fn with_context<T>(&self, action: &'static str, result: Result<T, GristFault>) -> Result<T, SinkError> {
        result.map_err(|fault| fault.at(&self.name, action))
    }

    async fn read<T>(
        &self,
        action: &'static str,
        read: impl AsyncFnOnce(&mut DocumentSession) -> Result<T, GristFault>,
    ) -> Result<T, SinkError> {
        let mut session = self.session.lock().await;
        let result = async {
            session.settle().await?;
            read(&mut session).await
        };
        let result = result.await;
        self.with_context(action, result)
    }
}

/// Columns of a tombstone in `Dn_dossiers`.
const GONE: [&str; 3] = ["disparu", "motif", "disparu_le"];

impl Sink for GristSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn schema(&self, scope: &Scope) -> Result<Remembered, SinkError> {
        self.read("a reading of its tables", async |session| {
            let memory = session.state.memory(scope)?;
            let prefix = names::demarche_prefix(&session.state.prefix(&scope.instance)?, scope.demarche);
            let taken = ddl::taken(&memory, &session.state.structure, &session.extensions);
            Ok(Remembered { tables: memory.remembered(), taken, prefix })
        })
        .await
    }

    async fn form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        self.read("a reading of the form", async |session| session.state.form(scope)).await
    }

    async fn prepare(&self, scope: &Scope, form: &Demarche, plan: SchemaPlan) -> Result<Prepared, SinkError> {
        let mut session = self.session.lock().await;
        let extensions = session.extensions.clone();
        let restyle = self.restyle.load(Ordering::Relaxed);
        let wishes = Wishes { restore: self.restore, extensions: &extensions, form, restyle, platform: None };
        let prepared = prepare::prepare(&mut session, scope, form, &plan, wishes).await;
        if let Err(fault) = &prepared {
            self.notices.stop(fault);
        }
        let (notices, owes) = self.with_context("a change of its tables", prepared)?;
        self.restyle.store(false, Ordering::Relaxed);
        self.notices.add(notices);
        Ok(Prepared::new(scope.clone(), plan.layout).owing(owes))
    }

    async fn checkpoint(&self, scope: &Scope) -> Result<Option<Checkpoint>, SinkError> {
        self.read("a reading of the checkpoint", async |session| session.state.checkpoint(scope)).await
    }

    async fn known(&self, scope: &Scope, keys: &[DossierNumber]) -> Result<Known, SinkError> {
        self.read("a reading of fingerprints", async |session| {
            let numbers = keys.iter().copied().collect();
            Ok(write::holdings(session, scope, &numbers, Extent::Fingerprints).await?.known())
        })
        .await
    }

    async fn commit(&self, prepared: &Prepared, batch: &Batch) -> Result<Receipt, SinkError> {
        let mut session = self.session.lock().await;
        let (receipt, notices) = self.with_context("a commit", write::commit(&mut session, prepared, batch).await)?;
        self.notices.add(notices);
        Ok(receipt)
    }

    async fn totals(&self, scope: &Scope) -> Result<Totals, SinkError> {
        self.read("a count of dossiers", async |session| Ok(session.state.count(scope).totals)).await
    }

    async fn census(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<CensusEntry>, SinkError> {
        self.read("a census", async |session| {
            if session.state.count(scope).rows == 0 {
                return Ok(Vec::new());
            }
            let shown = write::shown(session, scope)?;
            let shown = shown.as_ref().map(|(table, number)| (table.as_str(), number.as_str()));
            let columns: Vec<&str> = ["numero", "lumiere"].into_iter().chain(GONE).collect();
            let rows = session.reader.dossier_rows(scope, after, limit, &columns, shown).await?;
            let entry = |row: &known::DocRecord| {
                let number = row.get("numero").and_then(known::number).ok_or_else(|| unreadable("numero"))?;
                Ok(CensusEntry { number, light: digest(row, "lumiere")?, gone: known::gone(row)? })
            };
            rows.iter().map(entry).collect()
        })
        .await
    }

    async fn documents(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<StoredDocument>, SinkError> {
        self.read("a reading of documents", async |session| {
            if session.state.count(scope).rows == 0 {
                return Ok(Vec::new());
            }
            let columns: Vec<&str> = ["cle", "numero", "empreinte", "lumiere", "changement", "suites", "document"]
                .into_iter()
                .chain(GONE)
                .collect();
            let rows = session.reader.dossier_rows(scope, after, limit, &columns, None).await?;
            let more = |row: &known::DocRecord| {
                let (cle, rest) = (known::text(row, "cle"), row.get("suites").and_then(Value::as_u64));
                (1..=rest.unwrap_or_default()).map(|piece| format!("{cle}/{piece}")).collect::<Vec<_>>()
            };
            let rests = session.reader.rests(rows.iter().flat_map(more).map(Value::from).collect()).await?;
            let dictionary = session.state.dictionary(scope)?;
            let document = |row: &known::DocRecord| {
                let number = row.get("numero").and_then(known::number).ok_or_else(|| unreadable("numero"))?;
                let mut packed = known::text(row, "document").to_owned();
                for key in more(row) {
                    packed.push_str(rests.get(&key).map(String::as_str).unwrap_or_default());
                }
                let fingerprint = digest(row, "empreinte")?;
                // One that somebody edited does not match its fingerprint, which whoever reads it compares.
                let document = dictionary::unpack(dictionary.as_ref(), &packed).unwrap_or_default();
                let light = digest(row, "lumiere")?;
                let last_changed = known::text(row, "changement").parse().map_err(|_| unreadable("changement"))?;
                Ok(StoredDocument { number, document, light, fingerprint, gone: known::gone(row)?, last_changed })
            };
            rows.iter().map(document).collect()
        })
        .await
    }

    async fn survey_rows(&self, scope: &Scope, limit: u32) -> Result<Vec<RowDifference>, SinkError> {
        self.read("a count of rows", async |session| survey::survey(session, scope, limit).await).await
    }

    async fn compare_rows(
        &self,
        scope: &Scope,
        layout: &Layout,
        expected: &[ExpectedDossier],
    ) -> Result<Vec<RowDifference>, SinkError> {
        self.read("a comparison of rows", async |session| survey::compare(session, scope, layout, expected).await).await
    }

    async fn instances(&self) -> Result<Vec<(String, Option<InstanceAddress>)>, SinkError> {
        self.read("a reading of instances", async |session| {
            let mut format = session.state.format()?;
            format.instances.extend(session.state.newcomers.clone());
            format.addresses.extend(session.state.addresses.clone());
            let address = |name: &String| format.addresses.get(name).cloned();
            Ok(format.instances.keys().map(|name| (name.clone(), address(name))).collect())
        })
        .await
    }

    async fn keep_address(
        &self,
        instance: &str,
        address: &InstanceAddress,
        was: Option<&InstanceAddress>,
    ) -> Result<(), SinkError> {
        let session = &mut *self.session.lock().await;
        if session.me.is_none() {
            return Ok(());
        }
        let kept = session::again!(session, identity::keep_address(session, instance, address, was));
        self.with_context("the address of an instance", kept)
    }

    async fn quarantine(&self, scope: &Scope) -> Result<Vec<QuarantineEntry>, SinkError> {
        self.read("a reading of the quarantine", async |session| {
            let mut entries: Vec<_> = session.state.quarantine(scope)?.into_values().collect();
            entries.sort_by_key(|entry| (entry.since, entry.number));
            Ok(entries)
        })
        .await
    }

    async fn record_run(&self, scope: &Scope, run: &RunRecord) -> Result<(), SinkError> {
        let mut session = self.session.lock().await;
        self.with_context("a line of the run history", write::record_run(&mut session, scope, run).await)
    }

    async fn runs(&self, scope: &Scope, limit: u32) -> Result<Vec<RunRecord>, SinkError> {
        self.read("a reading of the run history", async |session| {
            let rows = session.reader.history(scope, 0, Some(limit)).await?;
            Ok(rows.iter().filter_map(runs::read).collect())
        })
        .await
    }

    fn notices(&self) -> Vec<String> {
        self.notices.take()
    }
}

fn unreadable(column: &str) -> GristFault {
    GristFault::Altered(format!("a value of {column} in {} cannot be read", shared::DOSSIERS))
}

fn digest(row: &known::DocRecord, column: &'static str) -> Result<Digest, GristFault> {
    known::text(row, column).parse().map_err(|_| unreadable(column))
}
