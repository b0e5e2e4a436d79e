//! Finds where the cells of a layout go in the document as it is now. Pure.

use std::borrow::Cow;
use std::sync::Arc;

use grist_client::Table;
use serde_json::Value;

use super::bundles::RowShape;
use super::encoding::{self, Kind, bounded, encode, seconds};
use super::extension::{Approval, ExtensionSet, RowColumns};
use super::fault::GristFault;
use super::html;
use super::memory::{ColumnMemory, DocumentMemory, TableMemory};
use super::shape::{GONE_AT, GONE_REASON, KEY, NUMBER, PARENT, RANK, SEEN_AT};
use super::style::Render;
use super::user_edits;
use super::words::{self, Word};
use crate::dossier::Gone;
use crate::table::{Cell, ColumnKey, Layout, TableKey};

/// A table of a layout in the document.
#[derive(Clone, Debug)]
pub(super) struct TableTarget {
    pub id: String,
    /// Its place among the tables of the démarche, for ever.
    pub position: usize,
    /// The column that is the key.
    pub key: String,
    /// Where each column of the layout goes; `None` for one that is left out.
    pub columns: Vec<Option<TargetColumn>>,
    /// Where the French words of columns go that hold words of the API.
    pub twins: Vec<TargetTwin>,
    /// Where the French word of the tombstone goes, behind the tombstone.
    pub gone: Option<&'static [Word]>,
    /// A whole row.
    pub whole: Arc<RowShape>,
    /// Its tombstone alone.
    pub tomb: Arc<RowShape>,
    /// The cells of a new row that are empty, and would be zeros.
    pub blank: Option<Arc<RowShape>>,
    /// The tick that a row loses with another version of its dossier.
    pub tick: Option<TickShapes>,
    /// The cells of features that go when the dossier of a row is emptied.
    pub written: Option<Arc<RowShape>>,
}

/// A column of a layout in the document.
#[derive(Clone, Debug)]
pub(super) struct TargetColumn {
    pub id: String,
    pub kind: Kind,
    pub render: Render,
}

/// The column that shows the French of another one.
#[derive(Clone, Debug)]
pub(super) struct TargetTwin {
    /// The position of the other one in the layout.
    pub of: usize,
    pub id: String,
    pub kind: Kind,
    pub words: &'static [Word],
}

/// Shapes of the rows by which a tick goes.
#[derive(Clone, Debug)]
pub(super) struct TickShapes {
    /// The tick alone.
    pub alone: Arc<RowShape>,
    /// The tick, with the column that says why.
    pub explained: Arc<RowShape>,
    /// The text for that column.
    pub reason: &'static str,
}

/// The tables of a layout, in its order.
#[derive(Clone, Debug)]
pub(super) struct TableTargets {
    pub tables: Vec<TableTarget>,
}

/// A table of a démarche, and the column that is its key.
#[derive(Clone, Debug)]
pub(super) struct RowSource {
    pub key: TableKey,
    pub id: String,
    pub column: String,
    /// The column that refers to the dossier, in a child table.
    pub parent: Option<String>,
    /// The column of the place among the rows of the dossier, in a child table.
    pub rank: Option<String>,
    /// The column that people tick, in a table of dossiers.
    pub tick: Option<String>,
}

/// Where the rows of a démarche are.
pub(super) fn row_sources(
    memory: &DocumentMemory,
    structure: &[Table],
    extensions: &ExtensionSet,
) -> Result<Vec<RowSource>, GristFault> {
    let place = |table: &TableMemory| {
        let found = table.find(structure);
        let found = found.ok_or_else(|| GristFault::Altered(format!("{}: the table is missing", table.id)))?;
        let child = table.key.is_child();
        let column = own(table, found, if child { KEY } else { NUMBER })?;
        if !child {
            key_holds(found, &column)?;
        }
        let parent = if child { Some(own(table, found, PARENT)?) } else { None };
        let rank = if child { Some(own(table, found, RANK)?) } else { None };
        let tick = extensions.row_columns(table, structure).approval.map(|approval| approval.tick);
        Ok(RowSource { key: table.key.clone(), id: found.id.clone(), column, parent, rank, tick })
    };
    memory.tables.iter().map(place).collect()
}

impl TableTargets {
    pub(super) fn resolve(
        memory: &DocumentMemory,
        structure: &[Table],
        layout: &Layout,
        extensions: &ExtensionSet,
    ) -> Result<Self, GristFault> {
        let mut tables = Vec::with_capacity(layout.tables.len());
        for (position, wanted) in layout.tables.iter().enumerate() {
            let stale = || GristFault::Refused(format!("{} was not prepared", wanted.name));
            let table = memory.table(&wanted.key).ok_or_else(stale)?;
            let found = table.find(structure);
            let found = found.ok_or_else(|| GristFault::Altered(format!("{}: the table is missing", table.id)))?;
            let own = |name: &str| own(table, found, name);
            let mut columns = Vec::with_capacity(wanted.columns.len());
            for column in &wanted.columns {
                let known = table.columns.iter().find(|known| known.key == column.spec.key).ok_or_else(stale)?;
                let render = memory.style.render(&wanted.key, &column.spec);
                columns.push(place(known, found).map(|(id, kind)| TargetColumn { id, kind, render }));
            }
            let twins: Vec<TargetTwin> = wanted
                .columns
                .iter()
                .enumerate()
                .filter_map(|(of, column)| {
                    let words = memory.style.words(&wanted.key, &column.spec.key)?;
                    let (id, kind) = place(table.twin(&column.spec.key)?, found)?;
                    Some(TargetTwin { of, id, kind, words })
                })
                .collect();
            let gone = ColumnKey::Fixed(GONE_REASON.to_owned());
            let gone = memory.style.words(&wanted.key, &gone).zip(table.twin(&gone));
            let gone = gone.and_then(|(words, twin)| Some((words, place(twin, found)?.0)));
            let asked = columns.iter().flatten().map(|column| column.id.clone());
            let asked = asked.chain(twins.iter().map(|twin| twin.id.clone()));
            let (key, before, after) = if wanted.key.is_child() {
                (own(KEY)?, vec![own(PARENT)?, own(RANK)?], Vec::new())
            } else {
                let mut tomb = vec![own(GONE_REASON)?, own(GONE_AT)?, own(SEEN_AT)?];
                tomb.extend(gone.as_ref().map(|(_, id)| id.clone()));
                (own(NUMBER)?, Vec::new(), tomb)
            };
            let (id, of) = (found.id.clone(), key.clone());
            let tomb = RowShape { rank: position, table: id, key: of, columns: after.clone(), adds: false };
            let columns_of_row = before.into_iter().chain(asked).chain(after).collect();
            let whole = RowShape { columns: columns_of_row, adds: true, ..tomb.clone() };
            let RowColumns { numbers, approval, written } = extensions.row_columns(table, structure);
            let shape = |columns: Vec<String>, adds| Arc::new(RowShape { columns, adds, ..tomb.clone() });
            let blank = (!numbers.is_empty()).then(|| shape(numbers, true));
            let written = (!written.is_empty()).then(|| shape(written, false));
            let tick = approval.map(|Approval { tick, outcome, reason }| TickShapes {
                alone: shape(vec![tick.clone()], false),
                explained: shape([tick].into_iter().chain(outcome).collect(), false),
                reason,
            });
            let (whole, tomb) = (Arc::new(whole), Arc::new(tomb));
            let position = memory.tables.iter().position(|known| known.key == wanted.key).ok_or_else(stale)?;
            tables.push(TableTarget {
                id: found.id.clone(),
                position,
                key,
                columns,
                twins,
                gone: gone.map(|(words, _)| words),
                whole,
                tomb,
                blank,
                tick,
                written,
            });
        }
        Ok(Self { tables })
    }

    /// The table of dossiers.
    pub(super) fn dossiers(&self) -> Result<&TableTarget, GristFault> {
        self.tables.first().ok_or_else(|| GristFault::Refused("the layout has no table".to_owned()))
    }
}

impl TableTarget {
    /// Encodes the cells of a row for the columns that are there, twins last. One that no request could carry is a sentence,
    /// as an error.
    pub(super) fn values<'a>(
        &'a self,
        cells: &'a [Cell],
    ) -> impl Iterator<Item = (&'a str, &'a Kind, Result<Value, Value>)> + 'a {
        let own = cells.iter().zip(&self.columns).filter_map(|(cell, column)| {
            let TargetColumn { id, kind, render } = column.as_ref()?;
            Some((id.as_str(), kind, bounded(encode(&rendered(cell, *render), kind))))
        });
        let twins = self.twins.iter().map(|twin| {
            let cell = match cells.get(twin.of) {
                Some(Cell::Text(word)) => Cell::Text(words::french(twin.words, word).to_owned()),
                other => other.cloned().unwrap_or(Cell::Null),
            };
            (twin.id.as_str(), &twin.kind, bounded(encode(&cell, &twin.kind)))
        });
        own.chain(twins)
    }

    /// Encodes the tombstone of a row of dossiers.
    pub(super) fn tombstone(&self, gone: Option<&Gone>, changed_at: jiff::Timestamp) -> Vec<Value> {
        let word = gone.map(|gone| gone.reason.as_str());
        let at = gone.and_then(|gone| gone.at).map_or(Value::Null, seconds);
        let french = self.gone.map(|words| word.map(|word| words::french(words, word)).into());
        [word.into(), at, seconds(changed_at)].into_iter().chain(french).collect()
    }
}

/// A cell as the column shows it.
fn rendered(cell: &Cell, render: Render) -> Cow<'_, Cell> {
    match (render, cell) {
        (Render::PlainText, Cell::Text(html)) => Cow::Owned(Cell::Text(html::plain(html))),
        (Render::Asked(kind), Cell::Text(text)) => Cow::Owned(encoding::typed(text, kind)),
        (Render::AsMapped | Render::PlainText | Render::Asked(_), cell) => Cow::Borrowed(cell),
    }
}

/// Finds a column that takes values: its id and its type.
fn place(column: &ColumnMemory, found: &Table) -> Option<(String, Kind)> {
    let here = column.find(found).filter(|here| !column.left_out && !here.is_formula)?;
    Some((here.id.clone(), Kind::parse(&here.kind)))
}

/// Checks that the column of numbers keeps them as they are: with another type nothing is found by them
/// (Grist trap 17).
///
/// # Errors
/// [`GristFault::Altered`], which names the column and its type.
pub(super) fn key_holds(found: &Table, column: &str) -> Result<(), GristFault> {
    let here = found.columns.iter().find(|here| here.id == column);
    match here.filter(|here| !user_edits::is_key(&here.kind)) {
        Some(here) => Err(GristFault::Altered(format!("{}: {}", found.id, user_edits::retyped(here, &Kind::Int)))),
        None => Ok(()),
    }
}

fn own(table: &TableMemory, found: &Table, name: &str) -> Result<String, GristFault> {
    let column = table.technical(name).and_then(|column| column.find(found));
    column
        .map(|column| column.id.clone())
        .ok_or_else(|| GristFault::Altered(format!("{}: column {name} is missing", found.id)))
}
