//! The Grist target: a document that people read and make their own.
//!
//! Who reads and what decides:
//!
//! - [`Opening`]: what the document must be; `lease`: one run at a time, and a fence around every bundle;
//! - `shared`, `state`, `value`, `primer`: what the document keeps for us, in tables `Dn_…`;
//! - `memory`, `people`: our tables and columns whatever people rename, delete, retype; `damaged`: cells that SQL does not see
//!   as they are since somebody did;
//! - `identity`: whether the document is a copy of the one in which its state was made;
//! - `shape`, `ddl`, `pages`: how tables are made, completed, and shown;
//! - `encoding`: a cell as Grist keeps it;
//! - `known`, `target`, `commit`, `split`: a batch becomes bundles;
//! - `files`: files themselves, for those who want them;
//! - `outbox`: intents, what became of them and their trail; `decisions`: the columns in which people decide;
//! - `survey`: whether the rows are what they should be;
//! - `read`, `books`: everything that is asked; `desk`: everything that is sent; `runs`: the run history.
//!
//! Decisions are pure and apart from requests. Rows, fingerprints and checkpoint go in one bundle of actions, which Grist
//! applies whole or not at all. What does not fit one request goes in several, rows first and what believes in them last:
//! rows are told apart by keys, so that doing it again after a failure doubles nothing.

mod books;
mod commit;
mod damaged;
mod ddl;
mod decisions;
mod desk;
mod encoding;
mod fault;
mod files;
mod identity;
mod known;
mod lease;
mod memory;
mod open;
mod outbox;
mod pages;
mod people;
mod prepare;
mod primer;
mod read;
mod runs;
mod shape;
mod shared;
mod split;
mod state;
mod survey;
mod target;
mod value;
mod write;

use std::sync::{Arc, Mutex as Plain};

use serde_json::Value;
use tokio::sync::Mutex;

use ddl::Wishes;
pub use decisions::{Declined, Taken};
use desk::Desk;
use fault::Fault;
pub use open::Opening;

use super::{
    Batch, CensusEntry, ExpectedDossier, FileLimits, InstanceAddress, Prepared, QuarantineEntry, Receipt, Sink,
    SinkError, StoredDocument, Totals, names,
};
use crate::checkpoint::Checkpoint;
use crate::demarche::Demarche;
use crate::fingerprint::Digest;
use crate::ids::{DossierNumber, Scope};
use crate::plan::{Known, Remembered, SchemaPlan};
use crate::report::{RowDifference, RunRecord};
use crate::table::Layout;
use grist_client::Doc;

/// Dossiers in a document of Grist. See `docs/grist.md` for what lies in it.
#[derive(Debug)]
pub struct GristSink {
    name: String,
    doc: Doc,
    desk: Mutex<Desk>,
    restore: bool,
    /// Which files are kept, where they are.
    limits: Option<FileLimits>,
    /// Whether people decide in the table of dossiers.
    decisions: bool,
    told: Arc<Told>,
    /// Known in this process for as long as the sink is there.
    _token: Option<lease::Token>,
}

/// What is to be told, until somebody asks; each thing once in the life of a sink.
#[derive(Debug, Default)]
struct Told(Plain<Notices>);

#[derive(Debug, Default)]
struct Notices {
    all: Vec<String>,
    taken: usize,
}

impl Told {
    fn add(&self, notices: Vec<String>) {
        let mut told = self.0.lock().expect("no code panics while it holds the lock");
        for notice in notices {
            if !told.all.contains(&notice) {
                told.all.push(notice);
            }
        }
    }

    fn take(&self) -> Vec<String> {
        let mut told = self.0.lock().expect("no code panics while it holds the lock");
        let new = told.all[told.taken..].to_vec();
        told.taken = told.all.len();
        new
    }
}

impl GristSink {
    /// The document.
    #[must_use]
    pub fn doc(&self) -> &Doc {
        &self.doc
    }

    /// What access rules of the document hide from the key of what is ours: titles and tables.
    ///
    /// # Errors
    /// Those of a reading.
    pub async fn hidden(&self) -> Result<Vec<String>, SinkError> {
        self.read("a reading of its tables", async |desk| {
            let hidden = &desk.state.hidden;
            let memories = desk.state.memories()?;
            let tables = memories.iter().flat_map(|memory| &memory.tables);
            let columns = |table: &memory::TableMemory| {
                let columns = table.all().filter(|column| people::is_hidden(column, hidden));
                columns.map(|column| format!("column “{}” of {}", column.label, table.id)).collect::<Vec<_>>()
            };
            Ok(tables.flat_map(columns).collect())
        })
        .await
    }

    /// Gives the lease back, if it is held, so that the next run need not wait until this one is thought dead. At most one
    /// request. After [`record_run`](Sink::record_run) the lease is free already.
    ///
    /// # Errors
    /// [`SinkError::Locked`] when another run took over, and those of the way there; nothing that was committed is lost.
    pub async fn close(self) -> Result<(), SinkError> {
        let mut desk = self.desk.lock().await;
        let held = desk.holds();
        let closed = async {
            desk.settle().await?;
            if held { desk.send(&[], &[], true).await.map(drop) } else { Ok(()) }
        };
        closed.await.map_err(|fault| fault.at(&self.name, "closing"))
    }

    fn told<T>(&self, action: &'static str, result: Result<T, Fault>) -> Result<T, SinkError> {
        result.map_err(|fault| fault.at(&self.name, action))
    }

    async fn read<T>(
        &self,
        action: &'static str,
        read: impl AsyncFnOnce(&mut Desk) -> Result<T, Fault>,
    ) -> Result<T, SinkError> {
        let mut desk = self.desk.lock().await;
        let result = async {
            desk.settle().await?;
            read(&mut desk).await
        };
        let result = result.await;
        self.told(action, result)
    }
}

/// Columns of `Dn_dossiers` that tell of a tombstone.
const GONE: [&str; 3] = ["disparu", "motif", "disparu_le"];

impl Sink for GristSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn schema(&self, scope: &Scope) -> Result<Remembered, SinkError> {
        self.read("a reading of its tables", async |desk| {
            let memory = desk.state.memory(scope)?;
            let prefix = names::demarche_prefix(&desk.state.prefix(&scope.instance)?, scope.demarche);
            let taken = ddl::taken(&memory, &desk.state.structure);
            Ok(Remembered { tables: memory.remembered(), taken, prefix })
        })
        .await
    }

    async fn form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        self.read("a reading of the form", async |desk| desk.state.form(scope)).await
    }

    async fn prepare(&self, scope: &Scope, form: &Demarche, plan: SchemaPlan) -> Result<Prepared, SinkError> {
        let mut desk = self.desk.lock().await;
        let wishes = Wishes { restore: self.restore, files: self.limits.is_some(), decisions: self.decisions };
        let prepared = prepare::prepare(&mut desk, scope, form, &plan, wishes).await;
        let (notices, owes) = self.told("a change of its tables", prepared)?;
        self.told.add(notices);
        Ok(Prepared::new(scope.clone(), plan.layout).owing(owes))
    }

    async fn checkpoint(&self, scope: &Scope) -> Result<Option<Checkpoint>, SinkError> {
        self.read("a reading of the checkpoint", async |desk| desk.state.checkpoint(scope)).await
    }

    async fn known(&self, scope: &Scope, keys: &[DossierNumber]) -> Result<Known, SinkError> {
        self.read("a reading of fingerprints", async |desk| {
            let numbers = keys.iter().copied().collect();
            Ok(write::holdings(desk, scope, &numbers).await?.known())
        })
        .await
    }

    async fn commit(&self, prepared: &Prepared, batch: &Batch) -> Result<Receipt, SinkError> {
        let mut desk = self.desk.lock().await;
        let (receipt, notices) = self.told("a commit", write::commit(&mut desk, prepared, batch).await)?;
        self.told.add(notices);
        Ok(receipt)
    }

    async fn totals(&self, scope: &Scope) -> Result<Totals, SinkError> {
        self.read("a count of dossiers", async |desk| Ok(desk.state.count(scope).totals)).await
    }

    async fn census(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<CensusEntry>, SinkError> {
        self.read("a census", async |desk| {
            if desk.state.count(scope).rows == 0 {
                return Ok(Vec::new());
            }
            let shown = write::shown(desk, scope)?;
            let shown = shown.as_ref().map(|(table, number)| (table.as_str(), number.as_str()));
            let columns: Vec<&str> = ["numero", "lumiere"].into_iter().chain(GONE).collect();
            let rows = desk.reader.books(scope, after, limit, &columns, shown).await?;
            let entry = |row: &known::Row| {
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
        self.read("a reading of documents", async |desk| {
            if desk.state.count(scope).rows == 0 {
                return Ok(Vec::new());
            }
            let columns: Vec<&str> = ["cle", "numero", "empreinte", "lumiere", "changement", "suites", "document"]
                .into_iter()
                .chain(GONE)
                .collect();
            let rows = desk.reader.books(scope, after, limit, &columns, None).await?;
            let more = |row: &known::Row| {
                let (cle, rest) = (known::text(row, "cle"), row.get("suites").and_then(Value::as_u64));
                (1..=rest.unwrap_or_default()).map(|piece| format!("{cle}/{piece}")).collect::<Vec<_>>()
            };
            let rests = desk.reader.rests(rows.iter().flat_map(more).map(Value::from).collect()).await?;
            let primer = desk.state.primer(scope)?;
            let document = |row: &known::Row| {
                let number = row.get("numero").and_then(known::number).ok_or_else(|| unreadable("numero"))?;
                let mut packed = known::text(row, "document").to_owned();
                for key in more(row) {
                    packed.push_str(rests.get(&key).map(String::as_str).unwrap_or_default());
                }
                let fingerprint = digest(row, "empreinte")?;
                // One that somebody edited does not match its fingerprint, which whoever reads it compares.
                let document = primer::unpack(primer.as_ref(), &packed).unwrap_or_default();
                let light = digest(row, "lumiere")?;
                let last_changed = known::text(row, "changement").parse().map_err(|_| unreadable("changement"))?;
                Ok(StoredDocument { number, document, light, fingerprint, gone: known::gone(row)?, last_changed })
            };
            rows.iter().map(document).collect()
        })
        .await
    }

    async fn survey_rows(&self, scope: &Scope, limit: u32) -> Result<Vec<RowDifference>, SinkError> {
        self.read("a count of rows", async |desk| survey::survey(desk, scope, limit).await).await
    }

    async fn compare_rows(
        &self,
        scope: &Scope,
        layout: &Layout,
        expected: &[ExpectedDossier],
    ) -> Result<Vec<RowDifference>, SinkError> {
        self.read("a comparison of rows", async |desk| survey::compare(desk, scope, layout, expected).await).await
    }

    async fn instances(&self) -> Result<Vec<(String, Option<InstanceAddress>)>, SinkError> {
        self.read("a reading of instances", async |desk| {
            let mut format = desk.state.format()?;
            format.instances.extend(desk.state.newcomers.clone());
            format.addresses.extend(desk.state.addresses.clone());
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
        let desk = &mut *self.desk.lock().await;
        if desk.me.is_none() {
            return Ok(());
        }
        let kept = outbox::again!(desk, identity::keep_address(desk, instance, address, was));
        self.told("the address of an instance", kept)
    }

    async fn quarantine(&self, scope: &Scope) -> Result<Vec<QuarantineEntry>, SinkError> {
        self.read("a reading of the quarantine", async |desk| {
            let mut entries: Vec<_> = desk.state.quarantine(scope)?.into_values().collect();
            entries.sort_by_key(|entry| (entry.since, entry.number));
            Ok(entries)
        })
        .await
    }

    async fn record_run(&self, scope: &Scope, run: &RunRecord) -> Result<(), SinkError> {
        let mut desk = self.desk.lock().await;
        self.told("a line of the run history", write::record_run(&mut desk, scope, run).await)
    }

    async fn runs(&self, scope: &Scope, limit: u32) -> Result<Vec<RunRecord>, SinkError> {
        self.read("a reading of the run history", async |desk| {
            let rows = desk.reader.history(scope, 0, Some(limit)).await?;
            Ok(rows.iter().filter_map(runs::read).collect())
        })
        .await
    }

    fn notices(&self) -> Vec<String> {
        self.told.take()
    }
}

fn unreadable(column: &str) -> Fault {
    Fault::Altered(format!("a value of {column} in {} cannot be read", shared::DOSSIERS))
}

fn digest(row: &known::Row, column: &'static str) -> Result<Digest, Fault> {
    known::text(row, column).parse().map_err(|_| unreadable(column))
}
