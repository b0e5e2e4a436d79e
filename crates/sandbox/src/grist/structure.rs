//! The primitive changes of structure: tables and columns of a bundle.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bundle::Bundle;
use super::cell::{Cell, Kind, convert, tuple};
use super::failure::Failure;
use super::table::{Column, Table};

impl Bundle {
    /// Returns `true` if a column refers to a table that is not there.
    fn dangles(&self, table: &str, column: &Column) -> bool {
        column.kind.target().is_some_and(|target| target != table && !self.state.tables.contains_key(target))
    }

    pub(super) fn insert_table(&mut self, id: &str, mut columns: Vec<Column>) {
        self.modified = true;
        for column in &mut columns {
            column.dangling = self.dangles(id, column);
        }
        self.state.tables.insert(id.to_owned(), Arc::new(Table { columns, rows: BTreeMap::new() }));
        self.touch_whole(id);
    }

    pub(super) fn drop_table(&mut self, id: &str) {
        self.modified = true;
        self.state.tables.remove(id);
        self.touch_whole(id);
    }

    pub(super) fn rename_table(&mut self, old: &str, new: &str) {
        self.modified = true;
        if let Some(table) = self.state.tables.remove(old) {
            self.state.tables.insert(new.to_owned(), table);
        }
        self.touch_whole(old);
        self.touch_whole(new);
    }

    pub(super) fn insert_column(&mut self, table: &str, mut column: Column) -> Result<(), Failure> {
        column.dangling = self.dangles(table, &column);
        let content = self.edit(table)?;
        let blank = column.blank();
        content.columns.push(column);
        for cells in content.rows.values_mut() {
            Arc::make_mut(cells).push(blank.clone());
        }
        self.touch_whole(table);
        Ok(())
    }

    pub(super) fn drop_column(&mut self, table: &str, column: &str) -> Result<(), Failure> {
        let content = self.edit(table)?;
        if let Some(at) = content.position(column) {
            content.columns.remove(at);
            for cells in content.rows.values_mut() {
                Arc::make_mut(cells).remove(at);
            }
        }
        self.touch_whole(table);
        Ok(())
    }

    /// Replaces what the engine knows of a column; values are converted to a new type.
    pub(super) fn replace_column(&mut self, table: &str, old: &str, mut column: Column) -> Result<(), Failure> {
        column.dangling = self.dangles(table, &column);
        let content = self.edit(table)?;
        let Some(at) = content.position(old) else { return Err(Failure::key(old)) };
        let before = std::mem::replace(&mut content.columns[at], column.clone());
        let becomes_data = before.is_formula && !column.is_formula;
        if becomes_data || before.kind != column.kind {
            let stored_as = &mut content.columns[at].stored_as;
            for (row, cells) in &mut content.rows {
                let cell = &mut Arc::make_mut(cells)[at];
                let converted = if becomes_data {
                    column.blank()
                } else {
                    convert(&column.kind, detached(&before.kind, &column.kind, cell))
                };
                if converted == *cell {
                    if before.kind.sql() != column.kind.sql() {
                        stored_as.remove(row);
                    }
                } else {
                    stored_as.insert(*row, before.kind.clone());
                }
                *cell = converted;
            }
        }
        self.touch_whole(table);
        Ok(())
    }
}

/// A cell on its way to another type: choices become the text of a tuple where no list is taken.
fn detached(from: &Kind, to: &Kind, cell: &Cell) -> Cell {
    let takes_lists = matches!(to, Kind::Any | Kind::ChoiceList | Kind::Ref(_) | Kind::RefList(_) | Kind::Attachments);
    match (from, cell) {
        (Kind::ChoiceList, Cell::List(items)) if !takes_lists => Cell::text(tuple(items)),
        _ => cell.clone(),
    }
}
