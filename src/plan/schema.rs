//! Plans the changes of tables: remembered tables × form → changes.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::privacy::Treatment;
use crate::table::naming::{self, NameLimits};
use crate::table::{
    Cell, CellKind, ColumnKey, ColumnSpec, Layout, LayoutColumn, LayoutTable, Origin, Row, Spec, TableKey, TableSpec,
};

/// Tables of one démarche that a target remembers, in the order of their creation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The tables.
    #[doc(hidden)]
    pub tables: Vec<RememberedTable>,
    /// Names in the target that are in use: by other démarches, other instances, shared tables, views.
    #[doc(hidden)]
    pub taken: BTreeSet<String>,
    /// The prefix of this démarche's tables (`demarche_123`), decided once.
    pub prefix: String,
}

/// Table that a target remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedTable {
    /// Its identity.
    pub key: TableKey,
    /// Its name.
    pub name: String,
    /// Its title when last seen.
    pub title: String,
    /// Its columns, in order.
    pub columns: Vec<RememberedColumn>,
}

/// Column that a target remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedColumn {
    /// Its identity.
    pub key: ColumnKey,
    /// Its name.
    pub name: String,
    /// Its title when last seen.
    pub title: String,
    /// The kind in force.
    pub kind: CellKind,
}

/// Change of the tables of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaChange {
    /// A new table with its columns.
    CreateTable(LayoutTable),
    /// A new column.
    AddColumn {
        /// The table's name.
        table: String,
        /// The column.
        column: LayoutColumn,
        /// True if stored dossiers may have a value for it already: another part of a known question, or a column that
        /// an older version of this program did not make.
        backfill: bool,
    },
    /// A column gets a wider kind, as a new revision changed the question (trap 25): its dossiers must be written
    /// again.
    WidenColumn {
        /// The table's name.
        table: String,
        /// The column, with its new kind.
        column: LayoutColumn,
        /// The kind that it had.
        was: CellKind,
    },
    /// A question or block was renamed: the name stays, as views and queries use it; the title follows (trap 47).
    Retitle {
        /// The table's name.
        table: String,
        /// The column's name; `None` for the table itself.
        column: Option<String>,
        /// The title that it had.
        was: String,
        /// Its title now.
        title: String,
    },
}

/// Changes of the tables of a target, and the tables afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaPlan {
    /// The tables once the changes are done.
    #[doc(hidden)]
    pub layout: Layout,
    /// The changes, in the order in which to do them.
    #[doc(hidden)]
    pub changes: Vec<SchemaChange>,
}

/// Most columns of a table: PostgreSQL allows 1,600 with those that were dropped, SQLite 2,000, and each table has some
/// more of its own. Later questions of the form have no column, and their answers stay in the documents.
pub const MOST_COLUMNS: usize = 1_500;

/// Plans the changes of the tables. Nothing is ever dropped or renamed: a question that the form no longer asks stays
/// as a former column.
#[doc(hidden)]
#[must_use]
pub fn reconcile(spec: &Spec, remembered: &Remembered, limits: NameLimits) -> SchemaPlan {
    let mut changes = Vec::new();
    let mut taken = remembered.taken.clone();
    taken.extend(remembered.tables.iter().map(|table| table.name.clone()));
    let mut tables = Vec::new();
    for wanted in &spec.tables {
        match remembered.tables.iter().find(|table| table.key == wanted.key) {
            Some(table) => tables.push(adapt(wanted, table, limits, &mut changes)),
            None => {
                let name = naming::table_name(&remembered.prefix, &wanted.key, &wanted.title, &taken, limits);
                taken.insert(name.clone());
                let mut names = BTreeSet::new();
                let fit = wanted.columns.iter().take(MOST_COLUMNS);
                let columns = fit.map(|spec| named(spec, &mut names, limits)).collect();
                let table = LayoutTable { key: wanted.key.clone(), name, title: wanted.title.clone(), columns };
                changes.push(SchemaChange::CreateTable(table.clone()));
                tables.push(table);
            }
        }
    }
    for table in &remembered.tables {
        if !spec.tables.iter().any(|wanted| wanted.key == table.key) {
            let former = TableSpec { key: table.key.clone(), title: table.title.clone(), columns: Vec::new() };
            tables.push(adapt(&former, table, limits, &mut changes));
        }
    }
    let presentation = spec.presentation.clone();
    let layout = Layout { demarche: spec.demarche, title: spec.title.clone(), tables, presentation };
    SchemaPlan { layout, changes }
}

fn adapt(
    wanted: &TableSpec,
    table: &RememberedTable,
    limits: NameLimits,
    changes: &mut Vec<SchemaChange>,
) -> LayoutTable {
    if wanted.title != table.title {
        changes.push(SchemaChange::Retitle {
            table: table.name.clone(),
            column: None,
            was: table.title.clone(),
            title: wanted.title.clone(),
        });
    }
    let mut names: BTreeSet<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let mut columns = Vec::new();
    let mut width = table.columns.len();
    for spec in &wanted.columns {
        let Some(column) = table.columns.iter().find(|column| column.key == spec.key) else {
            if width >= MOST_COLUMNS {
                continue;
            }
            width += 1;
            let column = named(spec, &mut names, limits);
            let backfill = match &spec.key {
                ColumnKey::Fixed(_) => true,
                ColumnKey::Champ(id, _) => {
                    table.columns.iter().any(|known| matches!(&known.key, ColumnKey::Champ(other, _) if other == id))
                }
                // The form does not list sub-values: the column is made with the first answer that has one.
                ColumnKey::Column(..) => false,
            };
            changes.push(SchemaChange::AddColumn { table: table.name.clone(), column: column.clone(), backfill });
            columns.push(column);
            continue;
        };
        let kind = column.kind.widen(spec.kind);
        let now = LayoutColumn { name: column.name.clone(), spec: ColumnSpec { kind, ..spec.clone() } };
        if kind != column.kind {
            let table = table.name.clone();
            changes.push(SchemaChange::WidenColumn { table, column: now.clone(), was: column.kind });
        }
        if spec.title != column.title {
            changes.push(SchemaChange::Retitle {
                table: table.name.clone(),
                column: Some(column.name.clone()),
                was: column.title.clone(),
                title: spec.title.clone(),
            });
        }
        columns.push(now);
    }
    let former = table.columns.iter().filter(|column| !wanted.columns.iter().any(|spec| spec.key == column.key));
    columns.extend(former.map(|column| LayoutColumn {
        name: column.name.clone(),
        spec: ColumnSpec {
            key: column.key.clone(),
            title: column.title.clone(),
            kind: column.kind,
            description: None,
            options: Vec::new(),
            origin: Origin::Former,
            policy: Treatment::Include,
        },
    }));
    LayoutTable { key: wanted.key.clone(), name: table.name.clone(), title: wanted.title.clone(), columns }
}

fn named(spec: &ColumnSpec, names: &mut BTreeSet<String>, limits: NameLimits) -> LayoutColumn {
    let name = naming::column_name(&spec.key, &spec.title, names, limits);
    names.insert(name.clone());
    LayoutColumn { name, spec: spec.clone() }
}

/// Stored dossiers that must be written again after a change of the tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Backfill {
    /// None.
    #[default]
    Nothing,
    /// Those that fill one of these new tables (`None`) or columns. Most have no value for them; but while a form is
    /// published the platform may serve answers before the questions.
    Filling(BTreeSet<(TableKey, Option<ColumnKey>)>),
    /// All of them.
    Everything,
}

impl Backfill {
    /// Unites two backfills.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everything, _) | (_, Self::Everything) => Self::Everything,
            (Self::Nothing, some) | (some, Self::Nothing) => some,
            (Self::Filling(mut one), Self::Filling(mut other)) => {
                one.append(&mut other);
                Self::Filling(one)
            }
        }
    }

    /// Returns true if a dossier with these rows must be written again.
    #[must_use]
    pub fn concerns(&self, layout: &Layout, row: &Row) -> bool {
        let new = match self {
            Self::Nothing => return false,
            Self::Everything => return true,
            Self::Filling(new) => new,
        };
        let fills = |table: usize, cells: &[Cell]| {
            let Some(table) = layout.tables.get(table) else { return false };
            let mut filled = table.columns.iter().zip(cells).filter(|(_, cell)| **cell != Cell::Null);
            new.contains(&(table.key.clone(), None))
                || filled.any(|(column, _)| new.contains(&(table.key.clone(), Some(column.spec.key.clone()))))
        };
        fills(0, &row.cells) || row.children.iter().any(|child| fills(child.table, &child.cells))
    }
}

impl SchemaPlan {
    /// Lists the columns whose kind it changes.
    #[doc(hidden)]
    #[must_use]
    pub fn widened(&self) -> Vec<(TableKey, ColumnKey)> {
        let widened = self.changes.iter().filter_map(|change| match change {
            SchemaChange::WidenColumn { table, column, .. } => Some((table, column)),
            _ => None,
        });
        let key =
            |name: &String| self.layout.tables.iter().find(|table| table.name == *name).map(|table| table.key.clone());
        widened.filter_map(|(table, column)| Some((key(table)?, column.spec.key.clone()))).collect()
    }

    /// Returns the stored dossiers that must be written again. None for a démarche that has no tables yet.
    #[doc(hidden)]
    #[must_use]
    pub fn backfill(&self) -> Backfill {
        let creates = |change: &SchemaChange| matches!(change, SchemaChange::CreateTable(table) if table.key == TableKey::Dossiers);
        if self.changes.iter().any(creates) {
            return Backfill::Nothing;
        }
        let mut new = BTreeSet::new();
        for change in &self.changes {
            match change {
                SchemaChange::AddColumn { backfill: true, .. } | SchemaChange::WidenColumn { .. } => {
                    return Backfill::Everything;
                }
                SchemaChange::AddColumn { table, column, backfill: false } => {
                    let table = self.layout.tables.iter().find(|known| known.name == *table);
                    new.extend(table.map(|table| (table.key.clone(), Some(column.spec.key.clone()))));
                }
                SchemaChange::CreateTable(table) => {
                    new.insert((table.key.clone(), None));
                }
                SchemaChange::Retitle { .. } => {}
            }
        }
        if new.is_empty() { Backfill::Nothing } else { Backfill::Filling(new) }
    }

    /// Returns true if every row must be written again from its stored document.
    #[must_use]
    pub fn needs_remap(&self) -> bool {
        self.backfill() == Backfill::Everything
    }

    /// Returns true if stored documents must be searched for rows to write again.
    #[must_use]
    pub fn needs_backfill(&self) -> bool {
        self.backfill() != Backfill::Nothing
    }
}

impl Layout {
    /// Returns the part of a form's tables that a target has, as it has them: its rows can be compared with these.
    #[doc(hidden)]
    #[must_use]
    pub fn held(spec: &Spec, remembered: &Remembered) -> Self {
        let mut layout = reconcile(spec, remembered, NameLimits::default()).layout;
        layout.tables.retain_mut(|table| {
            let Some(known) = remembered.tables.iter().find(|known| known.key == table.key) else { return false };
            table.columns.retain_mut(|column| {
                let held = known.columns.iter().find(|held| held.key == column.spec.key);
                held.map(|held| column.spec.kind = held.kind).is_some()
            });
            true
        });
        layout
    }
}

impl fmt::Display for SchemaChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateTable(table) => {
                write!(f, "+ table {} “{}” ({} columns)", table.name, table.title, table.columns.len())
            }
            Self::AddColumn { table, column, backfill: _ } => {
                write!(f, "+ column {table}.{} “{}” ({:?})", column.name, column.spec.title, column.spec.kind)
            }
            Self::WidenColumn { table, column, was } => {
                write!(f, "~ column {table}.{}: {was:?} becomes {:?}", column.name, column.spec.kind)
            }
            Self::Retitle { table, column: Some(column), was, title } => {
                write!(f, "~ column {table}.{column}: “{was}” is now titled “{title}”")
            }
            Self::Retitle { table, column: None, was, title } => {
                write!(f, "~ table {table}: “{was}” is now titled “{title}”")
            }
        }
    }
}

impl fmt::Display for SchemaPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
