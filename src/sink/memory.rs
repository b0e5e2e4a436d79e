//! A target that forgets: for tests of the engine, and for comparing a plan with an empty target.

mod survey;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use jiff::Timestamp;

use super::settle::{Held, settle};
use super::{
    Batch, CensusEntry, ExpectedDossier, InstanceAddress, Prepared, QuarantineChange, QuarantineEntry, Receipt, Sink,
    SinkError, StoredDocument, Totals, names,
};
use crate::checkpoint::Checkpoint;
use crate::demarche::Demarche;
use crate::dossier::{DossierState, Gone, GoneReason};
use crate::fingerprint::{Digest, Fingerprint};
use crate::ids::{DossierNumber, Scope};
use crate::plan::decide::{NOTHING, nothing};
use crate::plan::{
    Change, FeedEvent, FeedKind, Known, KnownDossier, Remembered, RememberedColumn, RememberedTable, SchemaPlan, Write,
};
use crate::report::{RowDifference, RunRecord};
use crate::table::{Cell, Layout, LayoutTable, Row};

/// Keeps everything in memory, under the contract of [`Sink`], and can be told to fail.
#[derive(Debug)]
pub struct MemorySink {
    name: String,
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    prefixes: BTreeMap<String, String>,
    addresses: BTreeMap<String, InstanceAddress>,
    scopes: BTreeMap<Scope, Content>,
    fault: Option<Fault>,
    refused: BTreeMap<DossierNumber, HoldingFault>,
    commits: u64,
}

/// The reason for which a test makes the target refuse a dossier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldingFault {
    /// It cannot hold a value of it.
    Value,
    /// It cannot hold as many filled columns in one row.
    Wide(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Before,
    After,
}

/// All that a target holds of one démarche. Two targets that were given the same batches have equal contents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// The state of its tables.
    pub tables: Vec<RememberedTable>,
    /// The form that they were made for.
    pub form: Option<Demarche>,
    /// The dossiers, tombstones included.
    pub dossiers: BTreeMap<DossierNumber, StoredDossier>,
    /// The rows of the child tables: by table, then by dossier and key.
    pub children: BTreeMap<String, BTreeMap<(DossierNumber, String), StoredChild>>,
    /// The change feed, oldest first.
    pub feed: Vec<FeedEntry>,
    /// The quarantine.
    pub quarantine: BTreeMap<DossierNumber, QuarantineEntry>,
    /// The checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// The run history, oldest first.
    pub runs: Vec<RunRecord>,
}

/// A dossier as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDossier {
    /// Its state.
    pub state: DossierState,
    /// The platform's date of its last change.
    pub updated_at: Timestamp,
    /// The fingerprint of its document.
    pub fingerprint: Fingerprint,
    /// The digest of what the light listing showed.
    pub light: Digest,
    /// Its filtered JSON.
    pub document: String,
    /// Its cells, by column. A column that came later is absent until the dossier is written again.
    pub cells: BTreeMap<String, Cell>,
    /// Its number of rows in each child table, by name, as it was written.
    pub rows: BTreeMap<String, u64>,
    /// Its tombstone.
    pub gone: Option<Gone>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When this version, or this tombstone, was first seen.
    pub last_changed: Timestamp,
}

/// A row of a child table as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredChild {
    /// Its position among the rows of this table and dossier, from 0.
    pub position: u32,
    /// Its cells, by column.
    pub cells: BTreeMap<String, Cell>,
}

/// One line of the change feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// The dossier.
    pub number: DossierNumber,
    /// The kind of change.
    pub kind: FeedKind,
    /// When it was seen.
    pub seen_at: Timestamp,
    /// The fingerprint before; `None` for a dossier that was never there.
    pub before: Option<Fingerprint>,
    /// The fingerprint after; `None` for a dossier that is gone.
    pub after: Option<Fingerprint>,
    /// The run that saw it.
    pub run: String,
}

/// A copy is the target as it is at this instant, as a backup has it.
impl Clone for MemorySink {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), state: Mutex::new(self.state().clone()) }
    }
}

impl Default for MemorySink {
    /// An empty target named `memory`.
    fn default() -> Self {
        Self::new("memory")
    }
}

impl MemorySink {
    /// An empty target of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), state: Mutex::default() }
    }

    /// The next commit fails and nothing of it is kept.
    pub fn fail_next_commit_before(&self) {
        self.state().fault = Some(Fault::Before);
    }

    /// The next commit is kept, and its answer is lost: the caller sees an error.
    pub fn fail_next_commit_after(&self) {
        self.state().fault = Some(Fault::After);
    }

    /// Commits that bring this dossier are refused from now on, or are not any more.
    pub fn refuse(&self, dossier: DossierNumber, refusal: Option<HoldingFault>) {
        let refused = &mut self.state().refused;
        match refusal {
            Some(refusal) => _ = refused.insert(dossier, refusal),
            None => _ = refused.remove(&dossier),
        }
    }

    /// Counts the commits, including those whose answer was lost.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.state().commits
    }

    /// A copy of all that is held of a démarche.
    #[must_use]
    pub fn content(&self, scope: &Scope) -> Content {
        self.state().scopes.get(scope).cloned().unwrap_or_default()
    }

    /// Changes what is held of a démarche, as somebody with a hand in the target would.
    pub fn alter(&self, scope: &Scope, change: impl FnOnce(&mut Content)) {
        change(self.state().scopes.entry(scope.clone()).or_default());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }

    fn read<T>(&self, scope: &Scope, read: impl FnOnce(&Content) -> T) -> T {
        match self.state().scopes.get(scope) {
            Some(content) => read(content),
            None => read(&Content::default()),
        }
    }

    fn refused(&self, action: &'static str, reason: impl Into<String>) -> SinkError {
        SinkError::Refused { target: self.name.clone(), action, reason: reason.into(), hint: None }
    }
}

impl Sink for MemorySink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn schema(&self, scope: &Scope) -> Result<Remembered, SinkError> {
        let mut state = self.state();
        let others: Vec<String> = state.prefixes.values().cloned().collect();
        let prefix = state
            .prefixes
            .entry(scope.instance.clone())
            .or_insert_with(|| names::instance_prefix(&scope.instance, &others))
            .clone();
        let taken: BTreeSet<String> = state
            .scopes
            .iter()
            .filter(|(other, _)| *other != scope)
            .flat_map(|(_, content)| content.tables.iter().map(|table| table.name.clone()))
            .collect();
        let tables = state.scopes.get(scope).map(|content| content.tables.clone()).unwrap_or_default();
        Ok(Remembered { tables, taken, prefix: names::demarche_prefix(&prefix, scope.demarche) })
    }

    async fn form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        Ok(self.read(scope, |content| content.form.clone()))
    }

    async fn prepare(&self, scope: &Scope, form: &Demarche, plan: SchemaPlan) -> Result<Prepared, SinkError> {
        let mut state = self.state();
        let content = state.scopes.entry(scope.clone()).or_default();
        let mut tables = content.tables.clone();
        for wanted in &plan.layout.tables {
            remember(&mut tables, wanted).map_err(|reason| self.refused("a change of its tables", reason))?;
        }
        content.tables = tables;
        content.form = Some(form.clone());
        if let Some(checkpoint) = &mut content.checkpoint {
            checkpoint.remap |= plan.needs_backfill();
        }
        Ok(Prepared::new(scope.clone(), plan.layout))
    }

    async fn checkpoint(&self, scope: &Scope) -> Result<Option<Checkpoint>, SinkError> {
        Ok(self.read(scope, |content| content.checkpoint.clone()))
    }

    async fn known(&self, scope: &Scope, keys: &[DossierNumber]) -> Result<Known, SinkError> {
        Ok(self.read(scope, |content| {
            let held = keys.iter().filter_map(|number| Some((*number, content.dossiers.get(number)?.known())));
            held.collect()
        }))
    }

    async fn commit(&self, prepared: &Prepared, batch: &Batch) -> Result<Receipt, SinkError> {
        let mut state = self.state();
        let fault = state.fault.take();
        if fault == Some(Fault::Before) {
            return Err(self.refused("a commit", "told to fail before it"));
        }
        for row in batch.plan.changes.iter().filter_map(Change::row) {
            let filled = row.cells.iter().filter(|cell| **cell != Cell::Null).count();
            let (too_wide, refused) = match state.refused.get(&row.number) {
                Some(HoldingFault::Value) => (false, true),
                Some(HoldingFault::Wide(most)) => (true, filled > *most),
                None => (false, false),
            };
            if refused {
                let (target, reason) = (self.name.clone(), "told to refuse it".to_owned());
                return Err(SinkError::CannotHold { target, action: "a commit", reason, too_wide });
            }
        }
        let mut content = state.scopes.get(prepared.scope()).cloned().unwrap_or_default();
        if let Some(held) = &content.checkpoint
            && batch.checkpoint.watermark < held.watermark
        {
            return Err(SinkError::Backward { scope: prepared.scope().to_string() });
        }
        let receipt = content.apply(prepared.layout(), batch).map_err(|reason| self.refused("a commit", reason))?;
        state.scopes.insert(prepared.scope().clone(), content);
        state.commits += 1;
        if fault == Some(Fault::After) {
            return Err(self.refused("a commit", "told to lose the answer after it"));
        }
        Ok(receipt)
    }

    async fn totals(&self, scope: &Scope) -> Result<Totals, SinkError> {
        Ok(self.read(scope, |content| {
            let gone = content.dossiers.values().filter(|dossier| dossier.gone.is_some()).count() as u64;
            Totals { alive: content.dossiers.len() as u64 - gone, gone }
        }))
    }

    async fn census(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<CensusEntry>, SinkError> {
        Ok(self.read(scope, |content| {
            let next = content.after(after, limit);
            next.map(|(number, dossier)| CensusEntry { number, light: dossier.light, gone: dossier.gone.clone() })
                .collect()
        }))
    }

    async fn documents(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<StoredDocument>, SinkError> {
        Ok(self.read(scope, |content| {
            let next = content.after(after, u32::MAX).filter(|(_, dossier)| !dossier.is_purged()).take(limit as usize);
            next.map(|(number, dossier)| StoredDocument {
                number,
                document: dossier.document.clone(),
                light: dossier.light,
                fingerprint: dossier.fingerprint,
                gone: dossier.gone.clone(),
                last_changed: dossier.last_changed,
            })
            .collect()
        }))
    }

    async fn survey_rows(&self, scope: &Scope, limit: u32) -> Result<Vec<RowDifference>, SinkError> {
        Ok(self.read(scope, |content| content.survey(limit as usize)))
    }

    async fn compare_rows(
        &self,
        scope: &Scope,
        layout: &Layout,
        expected: &[ExpectedDossier],
    ) -> Result<Vec<RowDifference>, SinkError> {
        Ok(self.read(scope, |content| content.compare(layout, expected)))
    }

    async fn remove_unknown_rows(&self, prepared: &Prepared) -> Result<u64, SinkError> {
        let mut state = self.state();
        let content = state.scopes.entry(prepared.scope().clone()).or_default();
        let Content { dossiers, children, .. } = content;
        let mut removed = 0;
        for rows in children.values_mut() {
            let before = rows.len();
            rows.retain(|(number, _), _| dossiers.get(number).is_some_and(|dossier| !dossier.is_purged()));
            removed += (before - rows.len()) as u64;
        }
        Ok(removed)
    }

    async fn instances(&self) -> Result<Vec<(String, Option<InstanceAddress>)>, SinkError> {
        let state = self.state();
        Ok(state.prefixes.keys().map(|name| (name.clone(), state.addresses.get(name).cloned())).collect())
    }

    async fn keep_address(
        &self,
        instance: &str,
        address: &InstanceAddress,
        was: Option<&InstanceAddress>,
    ) -> Result<(), SinkError> {
        let mut state = self.state();
        let others: Vec<String> = state.prefixes.values().cloned().collect();
        state.prefixes.entry(instance.to_owned()).or_insert_with(|| names::instance_prefix(instance, &others));
        if state.addresses.get(instance) == was {
            state.addresses.insert(instance.to_owned(), address.clone());
        }
        Ok(())
    }

    async fn quarantine(&self, scope: &Scope) -> Result<Vec<QuarantineEntry>, SinkError> {
        let mut entries: Vec<_> = self.read(scope, |content| content.quarantine.values().cloned().collect());
        entries.sort_by_key(|entry: &QuarantineEntry| (entry.since, entry.number));
        Ok(entries)
    }

    async fn record_run(&self, scope: &Scope, run: &RunRecord) -> Result<(), SinkError> {
        let mut state = self.state();
        let runs = &mut state.scopes.entry(scope.clone()).or_default().runs;
        match runs.iter_mut().find(|known| known.id == run.id) {
            Some(known) => *known = run.clone(),
            None => runs.push(run.clone()),
        }
        Ok(())
    }

    async fn forget_runs(&self, scope: &Scope, before: Timestamp) -> Result<u64, SinkError> {
        let mut state = self.state();
        let runs = &mut state.scopes.entry(scope.clone()).or_default().runs;
        let (all, last) = (runs.len(), runs.last().map(|run| run.id.clone()));
        runs.retain(|run| run.ended_at >= before || Some(&run.id) == last.as_ref());
        Ok((all - runs.len()) as u64)
    }

    async fn runs(&self, scope: &Scope, limit: u32) -> Result<Vec<RunRecord>, SinkError> {
        Ok(self.read(scope, |content| content.runs.iter().rev().take(limit as usize).cloned().collect()))
    }
}

impl Content {
    fn after(&self, after: Option<DossierNumber>, limit: u32) -> impl Iterator<Item = (DossierNumber, &StoredDossier)> {
        let first = after.map_or(0, |number| number.get().saturating_add(1));
        let skip = after == Some(DossierNumber::new(u32::MAX));
        let limit = if skip { 0 } else { limit as usize };
        self.dossiers.range(DossierNumber::new(first)..).map(|(number, dossier)| (*number, dossier)).take(limit)
    }

    fn apply(&mut self, layout: &Layout, batch: &Batch) -> Result<Receipt, String> {
        let mut receipt = Receipt::default();
        for change in &batch.plan.changes {
            let number = change.number();
            let held = self.dossiers.get(&number).map(StoredDossier::held);
            let step = settle(change, held.as_ref(), batch.seen_at);
            match step.write {
                Write::Nothing => {}
                Write::Row { row, gone, fresh: _ } => {
                    receipt.rows_written += self.put(layout, row, gone, step.changed_at)?;
                }
                Write::Light(row) => {
                    if let Some(dossier) = self.dossiers.get_mut(&number) {
                        dossier.light = row.light;
                        dossier.updated_at = row.updated_at;
                    }
                }
                Write::Purge { light } => {
                    self.purge(number, step.changed_at, light);
                    receipt.rows_written += 1;
                }
                Write::Tomb(gone) => {
                    if let Some(dossier) = self.dossiers.get_mut(&number) {
                        dossier.gone = Some(gone.clone());
                        dossier.last_changed = step.changed_at;
                        receipt.rows_written += 1;
                    }
                }
            }
            receipt.counts.count(step.kind);
            if let Some(FeedEvent { kind, before, after }) = step.event {
                let run = batch.run.clone();
                self.feed.push(FeedEntry { number, kind, seen_at: batch.seen_at, before, after, run });
                receipt.events += 1;
            }
        }
        for change in &batch.quarantine {
            match change {
                QuarantineChange::Put(entry) => self.quarantine.insert(entry.number, entry.clone()),
                QuarantineChange::Release(number) => self.quarantine.remove(number),
            };
        }
        self.checkpoint = Some(batch.checkpoint.clone());
        Ok(receipt)
    }

    fn purge(&mut self, number: DossierNumber, at: Timestamp, light: Digest) {
        for table in self.children.values_mut() {
            table.retain(|(of, _), _| *of != number);
        }
        let left = StoredDossier {
            state: DossierState::Inconnu(String::new()),
            updated_at: at,
            fingerprint: nothing(),
            light,
            document: NOTHING.to_owned(),
            cells: BTreeMap::new(),
            rows: BTreeMap::new(),
            gone: Some(Gone { reason: GoneReason::Retention, at: Some(at) }),
            first_seen: at,
            last_changed: at,
        };
        self.dossiers.insert(number, left);
    }

    fn put(&mut self, layout: &Layout, row: &Row, gone: Option<Gone>, changed_at: Timestamp) -> Result<u64, String> {
        let mut written = 1;
        let first = layout.tables.first().ok_or("the layout has no table")?;
        let cells = named(first, &row.cells)?;
        for table in self.children.values_mut() {
            table.retain(|(number, _), _| *number != row.number);
        }
        for child in &row.children {
            let table = layout.tables.get(child.table).filter(|table| table.key.is_child());
            let table = table.ok_or("a row is for a table that the layout does not have")?;
            let stored = StoredChild { position: child.position, cells: named(table, &child.cells)? };
            let rows = self.children.entry(table.name.clone()).or_default();
            if rows.insert((row.number, child.key.clone()), stored).is_some() {
                return Err(format!("two rows of {} have one key", table.name));
            }
            written += 1;
        }
        let rows = ExpectedDossier::children(row);
        let rows = rows.into_iter().map(|(table, rows)| (layout.tables[table].name.clone(), rows)).collect();
        let first_seen = self.dossiers.get(&row.number).map_or(changed_at, |dossier| dossier.first_seen);
        let stored = StoredDossier {
            state: row.state.clone(),
            updated_at: row.updated_at,
            fingerprint: row.fingerprint,
            light: row.light,
            document: row.document.clone(),
            cells,
            rows,
            gone,
            first_seen,
            last_changed: changed_at,
        };
        self.dossiers.insert(row.number, stored);
        Ok(written)
    }
}

impl StoredDossier {
    fn is_purged(&self) -> bool {
        self.gone.as_ref().is_some_and(|gone| gone.reason == GoneReason::Retention)
    }

    fn held(&self) -> Held {
        Held { known: self.known(), last_changed: self.last_changed }
    }

    fn known(&self) -> KnownDossier {
        KnownDossier { fingerprint: self.fingerprint, light: self.light, gone: self.gone.clone() }
    }
}

fn named(table: &LayoutTable, cells: &[Cell]) -> Result<BTreeMap<String, Cell>, String> {
    if cells.len() != table.columns.len() {
        return Err(names::wrong_length(&table.name, table.columns.len(), cells.len()));
    }
    Ok(table.columns.iter().map(|column| column.name.clone()).zip(cells.iter().cloned()).collect())
}

fn remember(tables: &mut Vec<RememberedTable>, wanted: &LayoutTable) -> Result<(), String> {
    names::check(wanted, tables.iter().find(|table| table.key == wanted.key))?;
    let table = match tables.iter_mut().position(|table| table.key == wanted.key) {
        Some(position) => &mut tables[position],
        None => {
            tables.push(RememberedTable {
                key: wanted.key.clone(),
                name: wanted.name.clone(),
                title: String::new(),
                columns: Vec::new(),
            });
            tables.last_mut().expect("it was just pushed")
        }
    };
    table.title.clone_from(&wanted.title);
    for column in &wanted.columns {
        match table.columns.iter_mut().find(|known| known.key == column.spec.key) {
            Some(known) => {
                known.title.clone_from(&column.spec.title);
                known.kind = column.spec.kind;
            }
            None => table.columns.push(RememberedColumn {
                key: column.spec.key.clone(),
                name: column.name.clone(),
                title: column.spec.title.clone(),
                kind: column.spec.kind,
            }),
        }
    }
    Ok(())
}
