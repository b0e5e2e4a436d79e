//! Lets features add columns, tables and rows to those of the core, which knows them by this trait alone.
//!
//! Files, the outbox and decisions live in folders of their own; `open` registers them. What a document holds of a feature
//! already is kept up by every run, also by one that does not want the feature.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::future::ready;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use grist_client::{Action, ColRef, Hidden, RowId, Table};

use super::bundles::Upsert;
use super::fault::GristFault;
use super::journal::Notice;
use super::memory::{ColumnMemory, DocumentMemory, TableMemory};
use super::session::DocumentSession;
use super::shared::Shared;
use crate::ids::{DossierNumber, Scope};
use crate::table::LayoutTable;

/// Names the columns of a feature among those that a document remembers of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddedColumns {
    /// The column that shows files.
    File,
    /// The columns in which people decide.
    Decisions,
    /// The French words of columns that hold words of the API: they are the core's own.
    Twins,
}

/// Holds the columns of a feature that rows of dossiers are written to.
#[derive(Clone, Debug, Default)]
pub(super) struct RowColumns {
    /// Columns of numbers, which Grist fills with zeros in new rows: they are emptied.
    pub numbers: Vec<String>,
    /// Where a person approves of one version of a dossier.
    pub approval: Option<Approval>,
    /// Columns whose cells go when a dossier is emptied.
    pub written: Vec<String>,
}

/// Holds a box that a person ticks for one version of a dossier: another version takes the tick away.
#[derive(Clone, Debug)]
pub(super) struct Approval {
    /// The column of the box.
    pub tick: String,
    /// The column that says why the tick went, if it is there.
    pub outcome: Option<String>,
    /// The text for that column.
    pub reason: &'static str,
}

/// The rows that are written with dossiers that are emptied.
pub(super) type EmptiedRows = BTreeMap<DossierNumber, Vec<Upsert>>;

/// The rows of shared tables that nothing refers to any more, by table.
pub(super) type UnusedRows = BTreeMap<String, Vec<RowId>>;

/// Adds to the tables and bundles of a document.
pub(super) trait Extension: fmt::Debug + Send + Sync {
    /// Names its columns; `None` for a feature without any.
    fn added(&self) -> Option<AddedColumns> {
        None
    }

    /// Tells if this sink wants the feature. Columns and tables are made only then.
    fn is_wanted(&self) -> bool;

    /// Lists the tables that all démarches of a document share because of the feature.
    fn tables(&self) -> &'static [Shared];

    /// Makes what is missing of these tables before a démarche gets its own.
    fn missing_tables(&self, structure: &[Table]) -> Vec<Action> {
        let _ = structure;
        Vec::new()
    }

    /// Lists the columns that a table of a layout gets. Their ids are proposals.
    fn columns(&self, table: &LayoutTable) -> Vec<ColumnMemory> {
        let _ = table;
        Vec::new()
    }

    /// Follows what people did to a column of the feature. Returns a notice if something is left out because of it.
    fn follow(&self, column: &mut ColumnMemory, found: &Table, hidden: &Hidden, restore: bool) -> Option<Notice> {
        let _ = (column, found, hidden, restore);
        None
    }

    /// Lists the actions that complete columns of the feature that are new; `new` are those that are shown for the first time.
    fn dress(&self, memory: &DocumentMemory, new: &[ColRef]) -> Vec<Action> {
        let _ = (memory, new);
        Vec::new()
    }

    /// Tells if a trigger formula is one that the feature gave to a column of its own.
    fn owns_formula(&self, formula: &str) -> bool {
        let _ = formula;
        false
    }

    /// Finds the columns that rows of dossiers are written to.
    fn row_columns(&self, memory: &TableMemory, structure: &[Table]) -> RowColumns {
        let _ = (memory, structure);
        RowColumns::default()
    }

    /// Lists the rows that change with dossiers that are emptied.
    fn emptied<'a>(
        &'a self,
        session: &'a mut DocumentSession,
        scope: &'a Scope,
        dossiers: &'a BTreeSet<DossierNumber>,
    ) -> BoxFuture<'a, Result<EmptiedRows, GristFault>> {
        let _ = (session, scope, dossiers);
        Box::pin(ready(Ok(EmptiedRows::new())))
    }

    /// Lists the rows of its tables that nothing refers to any more.
    fn unused<'a>(&'a self, session: &'a DocumentSession) -> BoxFuture<'a, Result<UnusedRows, GristFault>> {
        let _ = session;
        Box::pin(ready(Ok(UnusedRows::new())))
    }
}

/// Holds the features of a sink, in the order in which their columns are shown.
#[derive(Clone, Debug, Default)]
pub(super) struct ExtensionSet(Arc<[Arc<dyn Extension>]>);

impl ExtensionSet {
    /// Registers features.
    pub fn new(extensions: Vec<Arc<dyn Extension>>) -> Self {
        Self(extensions.into())
    }

    /// Lists every feature.
    pub fn all(&self) -> impl Iterator<Item = &dyn Extension> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Lists the features that this sink wants.
    pub fn wanted(&self) -> impl Iterator<Item = &dyn Extension> {
        self.all().filter(|extension| extension.is_wanted())
    }

    /// Finds the columns of all features that rows of a table are written to.
    pub fn row_columns(&self, memory: &TableMemory, structure: &[Table]) -> RowColumns {
        self.all().map(|extension| extension.row_columns(memory, structure)).fold(RowColumns::default(), |all, own| {
            let RowColumns { mut numbers, approval, mut written } = all;
            numbers.extend(own.numbers);
            written.extend(own.written);
            RowColumns { numbers, approval: approval.or(own.approval), written }
        })
    }

    /// Lists the rows that change with dossiers that are emptied.
    pub async fn emptied(
        &self,
        session: &mut DocumentSession,
        scope: &Scope,
        dossiers: &BTreeSet<DossierNumber>,
    ) -> Result<EmptiedRows, GristFault> {
        let mut rows = EmptiedRows::new();
        for extension in self.all() {
            for (dossier, own) in extension.emptied(session, scope, dossiers).await? {
                rows.entry(dossier).or_default().extend(own);
            }
        }
        Ok(rows)
    }

    /// Lists the rows of shared tables that nothing refers to any more.
    pub async fn unused(&self, session: &DocumentSession) -> Result<UnusedRows, GristFault> {
        let mut rows = UnusedRows::new();
        for extension in self.all() {
            rows.extend(extension.unused(session).await?);
        }
        Ok(rows)
    }
}

/// Holds what features read of a document, one value a type. It is dropped whenever the document is read again.
#[derive(Default)]
pub(super) struct FeatureCache(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl FeatureCache {
    /// Gives what was kept of a type, or an empty value.
    pub fn of<T: Any + Default + Send + Sync>(&mut self) -> &mut T {
        let kept = self.0.entry(TypeId::of::<T>()).or_insert_with(|| Box::new(T::default()));
        kept.downcast_mut().expect("a value is kept under its own type")
    }

    /// Gives what was kept of a type, if anything was.
    pub fn kept<T: Any>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl fmt::Debug for FeatureCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeatureCache").field("values", &self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_keeps_one_value_a_type_until_it_is_cleared() {
        let mut cache = FeatureCache::default();
        cache.of::<Vec<u8>>().push(1);
        cache.of::<String>().push('a');
        assert_eq!(cache.kept::<Vec<u8>>(), Some(&vec![1]));
        cache.clear();
        assert_eq!(cache.kept::<String>(), None);
        assert!(cache.of::<Vec<u8>>().is_empty());
    }
}
