//! A bundle of actions under way: a copy of the document that replaces it when everything succeeded.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;

use super::cell::{Cell, Key, Kind, convert};
use super::failure::Failure;
use super::state::State;
use super::table::{Column, Table};

/// Values by column, one for each row.
pub(super) type Columns = BTreeMap<String, Vec<Cell>>;

/// The changes of a bundle in a table, for the SQL store.
#[derive(Clone, Debug)]
pub(super) enum Touched {
    /// Its columns, its name, or its existence.
    Whole,
    Rows(BTreeSet<i64>),
}

pub(super) type Changes = BTreeMap<String, Touched>;

/// Adds changes to earlier ones.
pub(super) fn merge(into: &mut Changes, from: Changes) {
    for (table, touched) in from {
        match (into.get_mut(&table), touched) {
            (Some(Touched::Rows(known)), Touched::Rows(rows)) => known.extend(rows),
            (Some(Touched::Whole), Touched::Rows(_)) => {}
            (_, touched) => drop(into.insert(table, touched)),
        }
    }
}

/// The error of the engine for a reference to a table that is created after it (Grist trap 9).
fn dangling() -> Failure {
    Failure::Engine("AttributeError 'NoneType' object has no attribute 'table_id'".to_owned())
}

/// The primitive changes from which all actions are made.
pub(super) struct Bundle {
    pub(super) state: State,
    pub(super) changes: Changes,
    /// `true` if anything was written: what the answer calls `isModification`.
    pub(super) modified: bool,
    /// Day that completes partial dates; `None` takes values as they are (`noparse`).
    pub(super) parse: Option<Date>,
    /// Rows made under a negative id.
    handles: HashMap<(String, i64), i64>,
    /// First rows by the values of a column: the last one that references were looked up in.
    index: RefCell<Option<Index>>,
}

/// First rows by the values of a column.
struct Index {
    table: String,
    column: String,
    rows: HashMap<Key, i64>,
}

impl Bundle {
    pub(super) fn new(state: State, parse: Option<Date>) -> Self {
        Self {
            state,
            changes: Changes::new(),
            modified: false,
            parse,
            handles: HashMap::new(),
            index: RefCell::default(),
        }
    }

    /// The table, to be changed.
    pub(super) fn edit(&mut self, table: &str) -> Result<&mut Table, Failure> {
        self.modified = true;
        self.index.take();
        self.state.tables.get_mut(table).map(Arc::make_mut).ok_or_else(|| Failure::key(table))
    }

    fn touch(&mut self, table: &str, rows: &[i64]) {
        let touched = Touched::Rows(rows.iter().copied().collect());
        merge(&mut self.changes, Changes::from([(table.to_owned(), touched)]));
    }

    pub(super) fn touch_whole(&mut self, table: &str) {
        self.changes.insert(table.to_owned(), Touched::Whole);
    }

    /// The id behind a negative one that this bundle made; any other id is itself.
    pub(super) fn row_behind(&self, table: &str, row: i64) -> i64 {
        self.handles.get(&(table.to_owned(), row)).copied().unwrap_or(row)
    }

    /// Converts a value for a column, references by value and by negative id included.
    pub(super) fn converted(&self, table: &str, column: &Column, cell: Cell) -> Result<Cell, Failure> {
        let Some(target) = column.kind.target() else { return Ok(convert(&column.kind, cell)) };
        if column.dangling {
            return Err(dangling());
        }
        let cell = match &cell {
            Cell::Coded(items) if items.first().is_some_and(|code| code == "l") => {
                self.looked_up(table, column, items, target)?
            }
            _ => cell,
        };
        let behind = |cell: Cell| match cell {
            Cell::Int(row) if row < 0 => match self.row_behind(target, row) {
                behind if behind >= 0 => Ok(Cell::Int(behind)),
                _ => Err(Failure::value(format!(
                    "Reference to unknown temporary row id {row} in column {table}.{}",
                    column.id
                ))),
            },
            other => Ok(other),
        };
        match convert(&column.kind, cell) {
            Cell::List(items) => items.into_iter().map(behind).collect::<Result<_, _>>().map(Cell::List),
            other => behind(other),
        }
    }

    /// `["l", value, {"column": …, "raw": …}]`: the row that has this value, else its text.
    fn looked_up(
        &self,
        table: &str,
        column: &Column,
        items: &[serde_json::Value],
        target: &str,
    ) -> Result<Cell, Failure> {
        let value = items.get(1).cloned().unwrap_or_default();
        let options = items.get(2).cloned().unwrap_or_default();
        let by = match options["column"].as_str() {
            Some(by) => by.to_owned(),
            None => {
                let columns = self.state.meta("_grist_Tables_column");
                let visible = self.state.find_column(table, &column.id).map(|own| columns.int(own, "visibleCol"));
                let visible = visible.map_or("", |visible| columns.text(visible, "colId"));
                if visible.is_empty() { "id".to_owned() } else { visible.to_owned() }
            }
        };
        let alternative = || {
            let shown = match (&options["raw"], &value) {
                (serde_json::Value::String(raw), _) => Cell::text(raw.as_str()),
                (_, serde_json::Value::Array(values)) => {
                    Cell::List(values.iter().filter(|value| **value != "L").map(Cell::from_json).collect())
                }
                _ => Cell::from_json(&value),
            };
            match shown {
                Cell::List(items) => {
                    let texts: Vec<_> = items.into_iter().map(|item| convert(&Kind::Text, item)).collect();
                    Cell::text(texts.iter().filter_map(Cell::as_str).collect::<Vec<_>>().join(", "))
                }
                shown => convert(&Kind::Text, shown),
            }
        };
        let find = |value: &Cell| self.find_row(target, &by, value);
        match (&column.kind, &value) {
            (Kind::RefList(_), serde_json::Value::Array(values)) => {
                let values = values.iter().filter(|value| *value != "L").map(Cell::from_json);
                let rows: Vec<_> = values.map(|value| find(&value)).collect::<Result<_, _>>()?;
                let rows: Option<Vec<_>> = rows.into_iter().map(|row| row.map(Cell::Int)).collect();
                Ok(rows.map_or_else(alternative, Cell::List))
            }
            _ => Ok(find(&Cell::from_json(&value))?.map_or_else(alternative, Cell::Int)),
        }
    }

    /// The first row whose column has a value.
    fn find_row(&self, table: &str, column: &str, value: &Cell) -> Result<Option<i64>, Failure> {
        let content = self.state.table(table)?;
        if column == "id" {
            return Ok(value.as_int().filter(|row| content.rows.contains_key(row)));
        }
        let at = content.position(column).ok_or_else(|| Failure::key(column))?;
        let wanted = convert(&content.columns[at].kind, value.clone());
        let mut index = self.index.borrow_mut();
        let index = match &mut *index {
            Some(index) if index.table == table && index.column == column => index,
            other => {
                let mut rows = HashMap::new();
                for (row, cells) in &content.rows {
                    rows.entry(cells[at].key()).or_insert(*row);
                }
                other.insert(Index { table: table.to_owned(), column: column.to_owned(), rows })
            }
        };
        Ok(index.rows.get(&wanted.key()).copied())
    }

    /// Adds rows; ids that are null or negative are the next free ones.
    pub(super) fn add_rows(
        &mut self,
        table: &str,
        wanted: &[Option<i64>],
        mut columns: Columns,
    ) -> Result<Vec<i64>, Failure> {
        let content = self.state.table(table)?;
        let mut next = content.next_row();
        let mut ids = Vec::with_capacity(wanted.len());
        let mut handles = Vec::new();
        for wanted in wanted {
            let id = match wanted {
                Some(id) if *id > 1_000_000 => return Err(Failure::value("Row ID too high")),
                Some(id) if *id >= 0 => *id,
                other => {
                    if let Some(handle) = other {
                        handles.push((*handle, next));
                    }
                    next
                }
            };
            next = next.max(id) + 1;
            ids.push(id);
        }
        for (handle, id) in handles {
            self.handles.insert((table.to_owned(), handle), id);
        }
        let content = self.state.table(table)?;
        for (column, values) in &mut columns {
            let known = content.column(column).ok_or_else(|| Failure::key(column))?;
            if values.len() != ids.len() {
                return Err(Failure::Engine("IndexError list index out of range".to_owned()));
            }
            for value in values {
                let given = std::mem::replace(value, Cell::Null);
                *value = self.converted(table, known, given)?.marked_off();
            }
        }
        if content.columns.iter().any(|column| column.dangling) {
            return Err(dangling());
        }
        if let Some(id) = ids.iter().find(|id| content.rows.contains_key(id)) {
            return Err(Failure::assertion(format!("docactions.[Bulk]AddRecord for existing record #{id}")));
        }
        if ids.is_empty() {
            return Ok(ids);
        }
        let content = self.edit(table)?;
        let mut positions: Vec<(usize, f64)> = Vec::new();
        for (at, column) in content.columns.iter().enumerate() {
            if column.kind == Kind::Position {
                positions.push((at, content.last_position(at)));
            }
        }
        let blank: Vec<Cell> = content.columns.iter().map(Column::blank).collect();
        let placed: Vec<Option<usize>> =
            content.columns.iter().map(|column| columns.keys().position(|key| *key == column.id)).collect();
        let mut values: Vec<Vec<Cell>> = columns.into_values().collect();
        for (rank, id) in ids.iter().enumerate() {
            let mut row = blank.clone();
            for (cell, place) in row.iter_mut().zip(&placed) {
                if let Some(place) = place {
                    *cell = std::mem::replace(&mut values[*place][rank], Cell::Null);
                }
            }
            for (at, last) in &mut positions {
                match row[*at].as_number().filter(|wanted| wanted.is_finite()) {
                    Some(wanted) => {
                        let place = content.position_before(*at, wanted, *id);
                        *last = last.max(place);
                        row[*at] = Cell::number_of(place);
                    }
                    None => {
                        *last += 1.0;
                        row[*at] = Cell::number_of(*last);
                    }
                }
            }
            content.rows.insert(*id, Arc::new(row));
        }
        self.touch(table, &ids);
        Ok(ids)
    }

    /// Writes cells; what is there already is not written again, and only then must the row exist.
    pub(super) fn update_rows(&mut self, table: &str, rows: &[i64], mut columns: Columns) -> Result<(), Failure> {
        let rows: Vec<i64> = rows.iter().map(|row| self.row_behind(table, *row)).collect();
        let content = self.state.table(table)?;
        let mut places = Vec::new();
        for (column, values) in &mut columns {
            let at = content.position(column).ok_or_else(|| Failure::key(column))?;
            if values.len() != rows.len() {
                return Err(Failure::Engine("IndexError list index out of range".to_owned()));
            }
            for value in values.iter_mut() {
                let given = std::mem::replace(value, Cell::Null);
                *value = self.converted(table, &content.columns[at], given)?.marked_off();
            }
            places.push(at);
        }
        let changed: Vec<usize> = (0..rows.len())
            .filter(|rank| {
                let row = content.rows.get(&rows[*rank]);
                places.iter().zip(columns.values()).any(|(at, values)| match row {
                    Some(cells) => !cells[*at].same(&values[*rank]),
                    None => !content.columns[*at].blank().same(&values[*rank]),
                })
            })
            .collect();
        if let Some(rank) = changed.iter().find(|rank| !content.rows.contains_key(&rows[**rank])) {
            let row = rows[*rank];
            return Err(Failure::assertion(format!("docactions.[Bulk]UpdateRecord for non-existent record #{row}")));
        }
        if changed.is_empty() {
            return Ok(());
        }
        let content = self.edit(table)?;
        let mut written = Vec::with_capacity(changed.len());
        for at in &places {
            if !content.columns[*at].stored_as.is_empty() {
                content.columns[*at].stored_as.retain(|row, _| !changed.iter().any(|rank| rows[*rank] == *row));
            }
        }
        for rank in changed {
            for (at, values) in places.iter().zip(columns.values_mut()) {
                if content.columns[*at].kind == Kind::Position {
                    let wanted = values[rank].as_number().unwrap_or(f64::INFINITY);
                    values[rank] = Cell::number_of(content.position_before(*at, wanted, rows[rank]));
                }
            }
            let cells = content.rows.get_mut(&rows[rank]).expect("checked above");
            let cells = Arc::make_mut(cells);
            for (at, values) in places.iter().zip(columns.values_mut()) {
                cells[*at] = values[rank].clone();
            }
            written.push(rows[rank]);
        }
        self.touch(table, &written);
        Ok(())
    }

    /// Removes rows, and what refers to them. Ids that are none do nothing.
    pub(super) fn remove_rows(&mut self, table: &str, rows: &[i64]) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        let rows: BTreeSet<i64> = rows.iter().map(|row| self.row_behind(table, *row)).collect();
        let content = self.edit(table)?;
        let removed: Vec<i64> = rows.iter().copied().filter(|row| content.rows.remove(row).is_some()).collect();
        self.touch(table, &removed);
        if removed.is_empty() {
            return Ok(());
        }
        for (owner, column) in self.state.references_to(table) {
            let content = self.state.table(&owner)?;
            let at = content.position(&column).ok_or_else(|| Failure::key(&column))?;
            if content.columns[at].is_formula {
                continue;
            }
            let gone = |cell: &Cell| cell.as_int().is_some_and(|row| rows.contains(&row));
            let mut updates: Vec<(i64, Cell)> = Vec::new();
            for (row, cells) in &content.rows {
                match &cells[at] {
                    Cell::List(items) if items.iter().any(gone) => {
                        let kept: Vec<Cell> = items.iter().filter(|item| !gone(item)).cloned().collect();
                        updates.push((*row, if kept.is_empty() { Cell::Null } else { Cell::List(kept) }));
                    }
                    cell if gone(cell) => updates.push((*row, Cell::Int(0))),
                    _ => {}
                }
            }
            let (rows, cells): (Vec<i64>, Vec<Cell>) = updates.into_iter().unzip();
            self.update_rows(&owner, &rows, Columns::from([(column, cells)]))?;
        }
        Ok(())
    }
}

impl Cell {
    /// A position.
    fn number_of(value: f64) -> Self {
        Self::from_json(&serde_json::json!(value))
    }
}
