//! Where the cells of a layout go in the document as it is now. Pure.

use std::sync::Arc;

use super::decisions::{self, Columns};
use super::encoding::Kind;
use super::fault::Fault;
use super::memory::{Memory, TableMemory};
use super::people;
use super::shape::{GONE_AT, GONE_REASON, KEY, NUMBER, PARENT, RANK, SEEN_AT};
use super::split::Form;
use crate::table::{Layout, TableKey};
use grist_client::Table;

/// A table of a layout in the document.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub id: String,
    /// Its place among the tables of the démarche, for ever.
    pub position: usize,
    /// The column that is the key.
    pub key: String,
    /// Where each column of the layout goes, and of which type it is; `None` for one that is left out.
    pub columns: Vec<Option<(String, Kind)>>,
    /// A whole row.
    pub whole: Arc<Form>,
    /// Its tombstone alone.
    pub tomb: Arc<Form>,
    /// The cells of a new row that are empty, and would be zeros.
    pub blank: Option<Arc<Form>>,
    /// The tick that a row loses with another version of its dossier: alone, and with what is said of it.
    pub tick: Option<[Arc<Form>; 2]>,
    /// What people wrote in the columns of decisions of a row.
    pub desk: Option<Arc<Form>>,
}

/// The tables of a layout, in its order.
#[derive(Clone, Debug)]
pub(super) struct Targets {
    pub tables: Vec<Target>,
}

/// A table of a démarche, and the column that is its key.
#[derive(Clone, Debug)]
pub(super) struct Place {
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
pub(super) fn places(memory: &Memory, structure: &[Table]) -> Result<Vec<Place>, Fault> {
    let place = |table: &TableMemory| {
        let found = table.find(structure);
        let found = found.ok_or_else(|| Fault::Altered(format!("{}: the table is missing", table.id)))?;
        let child = table.key.is_child();
        let column = own(table, found, if child { KEY } else { NUMBER })?;
        if !child {
            key_holds(found, &column)?;
        }
        let parent = if child { Some(own(table, found, PARENT)?) } else { None };
        let rank = if child { Some(own(table, found, RANK)?) } else { None };
        let tick = Columns::of(table, structure).and_then(|desk| desk.send);
        Ok(Place { key: table.key.clone(), id: found.id.clone(), column, parent, rank, tick })
    };
    memory.tables.iter().map(place).collect()
}

impl Targets {
    pub(super) fn resolve(memory: &Memory, structure: &[Table], layout: &Layout) -> Result<Self, Fault> {
        let mut tables = Vec::with_capacity(layout.tables.len());
        for (position, wanted) in layout.tables.iter().enumerate() {
            let stale = || Fault::Refused(format!("{} was not prepared", wanted.name));
            let table = memory.table(&wanted.key).ok_or_else(stale)?;
            let found = table.find(structure);
            let found = found.ok_or_else(|| Fault::Altered(format!("{}: the table is missing", table.id)))?;
            let own = |name: &str| own(table, found, name);
            let mut columns = Vec::with_capacity(wanted.columns.len());
            for column in &wanted.columns {
                let known = table.columns.iter().find(|known| known.key == column.spec.key).ok_or_else(stale)?;
                let here = known.find(found).filter(|here| !known.left_out && !here.is_formula);
                columns.push(here.map(|here| (here.id.clone(), Kind::parse(&here.kind))));
            }
            let asked = columns.iter().flatten().map(|(id, _)| id.clone());
            let (key, before, after) = if wanted.key.is_child() {
                (own(KEY)?, vec![own(PARENT)?, own(RANK)?], Vec::new())
            } else {
                (own(NUMBER)?, Vec::new(), vec![own(GONE_REASON)?, own(GONE_AT)?, own(SEEN_AT)?])
            };
            let (id, of) = (found.id.clone(), key.clone());
            let tomb = Form { rank: position, table: id, key: of, columns: after.clone(), adds: false };
            let columns_of_row = before.into_iter().chain(asked).chain(after).collect();
            let whole = Form { columns: columns_of_row, adds: true, ..tomb.clone() };
            let blank = Some(decisions::blank(table, found)).filter(|columns| !columns.is_empty());
            let blank = blank.map(|columns| Arc::new(Form { columns, adds: true, ..tomb.clone() }));
            let tick = Columns::of(table, structure).and_then(|desk| {
                let own = |columns: Vec<String>| Arc::new(Form { columns, ..tomb.clone() });
                let send = desk.send?;
                Some([own(vec![send.clone()]), own([send].into_iter().chain(desk.outcome).collect())])
            });
            let written = Columns::of(table, structure).map(|desk| desk.written()).unwrap_or_default();
            let desk = Some(written).filter(|columns| !columns.is_empty());
            let desk = desk.map(|columns| Arc::new(Form { columns, ..tomb.clone() }));
            let (whole, tomb) = (Arc::new(whole), Arc::new(tomb));
            let position = memory.tables.iter().position(|known| known.key == wanted.key).ok_or_else(stale)?;
            tables.push(Target { id: found.id.clone(), position, key, columns, whole, tomb, blank, tick, desk });
        }
        Ok(Self { tables })
    }

    /// The table of dossiers.
    pub(super) fn dossiers(&self) -> Result<&Target, Fault> {
        self.tables.first().ok_or_else(|| Fault::Refused("the layout has no table".to_owned()))
    }
}

/// Whether the column of numbers keeps them as they are: with another type nothing is found by them.
///
/// # Errors
/// [`Fault::Altered`], which names the column and its type.
pub(super) fn key_holds(found: &Table, column: &str) -> Result<(), Fault> {
    let here = found.columns.iter().find(|here| here.id == column);
    match here.filter(|here| !people::is_key(&here.kind)) {
        Some(here) => Err(Fault::Altered(format!("{}: {}", found.id, people::retyped(here, &Kind::Int)))),
        None => Ok(()),
    }
}

fn own(table: &TableMemory, found: &Table, name: &str) -> Result<String, Fault> {
    let column = table.technical(name).and_then(|column| column.find(found));
    column
        .map(|column| column.id.clone())
        .ok_or_else(|| Fault::Altered(format!("{}: column {name} is missing", found.id)))
}
