//! Layout: the tables of a démarche in one target.

use std::collections::BTreeSet;

use super::mapper::DOCUMENT_ONLY;
use super::spec::{CellKind, ColumnKey, ColumnSpec, TableKey};
use crate::ids::{DemarcheNumber, DescriptorId};

/// Tables of a démarche with the names and kinds of one target: the union of the [`Spec`](super::Spec) of the form and
/// of the tables that the target already has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The démarche.
    pub demarche: DemarcheNumber,
    /// Its title.
    pub title: String,
    /// The tables; the first is [`TableKey::Dossiers`].
    pub tables: Vec<LayoutTable>,
    /// Titles and explanations: dossiers may list them, no column holds them (trap 45).
    pub presentation: BTreeSet<DescriptorId>,
}

/// Table of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutTable {
    /// Identity of the table.
    pub key: TableKey,
    /// Its name in the target, stable for ever.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its columns, in the order of cells in rows.
    pub columns: Vec<LayoutColumn>,
}

/// Column of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutColumn {
    /// Its name in the target, stable for ever.
    pub name: String,
    /// Its specification; `spec.kind` is the kind in force, at least as wide as the form's.
    pub spec: ColumnSpec,
}

impl Layout {
    /// Finds the position of [`DOCUMENT_ONLY`] in the table of dossiers.
    pub(super) fn mark(&self) -> Option<usize> {
        let is_mark = |key: &ColumnKey| matches!(key, ColumnKey::Fixed(name) if name == DOCUMENT_ONLY);
        self.tables.first()?.columns.iter().position(|column| is_mark(&column.spec.key))
    }

    /// Finds the position of a table.
    #[must_use]
    pub fn position(&self, key: &TableKey) -> Option<usize> {
        self.tables.iter().position(|table| table.key == *key)
    }
}

impl LayoutTable {
    /// Returns the kind of a column, if the table has it.
    #[must_use]
    pub fn kind_of(&self, key: &ColumnKey) -> Option<CellKind> {
        self.columns.iter().find(|column| column.spec.key == *key).map(|column| column.spec.kind)
    }
}
