//! One table of a document: columns and rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cell::{Cell, Kind};

/// A column as the engine knows it; what people see of it is a row of `_grist_Tables_column`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) is_formula: bool,
    pub(super) formula: String,
    /// It refers to a table that was not there when it was made: writes fail until the engine starts again (Grist trap 9).
    pub(super) dangling: bool,
    /// Types as which cells are still stored that a new type converted: Grist writes those before it notes the new type,
    /// so that SQL shows them marshalled until they are written again.
    pub(super) stored_as: BTreeMap<i64, Kind>,
}

impl Column {
    pub(super) fn data(id: &str, kind: &str) -> Self {
        Self {
            id: id.to_owned(),
            kind: Kind::of(kind),
            is_formula: false,
            formula: String::new(),
            dangling: false,
            stored_as: BTreeMap::new(),
        }
    }

    /// The defaults of a row: formula columns have no value of their own.
    pub(super) fn blank(&self) -> Cell {
        if self.is_formula { Cell::Null } else { self.kind.default_cell() }
    }
}

/// Rows by id. Rows are shared between states of a document until one of them is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: BTreeMap<i64, Arc<Vec<Cell>>>,
}

impl Table {
    pub(super) fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.id == column)
    }

    pub(super) fn column(&self, column: &str) -> Option<&Column> {
        self.columns.iter().find(|known| known.id == column)
    }

    pub(super) fn cell(&self, row: i64, column: &str) -> Option<&Cell> {
        self.rows.get(&row)?.get(self.position(column)?)
    }

    pub(super) fn int(&self, row: i64, column: &str) -> i64 {
        self.cell(row, column).and_then(Cell::as_int).unwrap_or_default()
    }

    pub(super) fn text(&self, row: i64, column: &str) -> &str {
        self.cell(row, column).and_then(Cell::as_str).unwrap_or_default()
    }

    pub(super) fn is_true(&self, row: i64, column: &str) -> bool {
        self.cell(row, column).is_some_and(Cell::is_true)
    }

    /// Rows whose column holds that number.
    pub(super) fn having(&self, column: &str, value: i64) -> Vec<i64> {
        let Some(at) = self.position(column) else { return Vec::new() };
        self.rows.iter().filter(|(_, cells)| cells[at].as_int() == Some(value)).map(|(row, _)| *row).collect()
    }

    /// The id of the next row: one more than the largest. That of a removed last row is used again (Grist trap 6).
    pub(super) fn next_row(&self) -> i64 {
        self.rows.keys().next_back().map_or(1, |last| last + 1)
    }

    /// The largest position in a column of positions, 0 in an empty table.
    pub(super) fn last_position(&self, at: usize) -> f64 {
        let positions = self.rows.values().filter_map(|cells| cells[at].as_number());
        positions.filter(|position| position.is_finite()).fold(0.0, f64::max)
    }

    /// Where a row goes that asks for a position: before the row that is there, behind all others when none is.
    pub(super) fn position_before(&self, at: usize, wanted: f64, own: i64) -> f64 {
        let others = self.rows.iter().filter(|(row, _)| **row != own).filter_map(|(_, cells)| cells[at].as_number());
        let (mut before, mut after) = (0.0, f64::INFINITY);
        for position in others {
            if position < wanted {
                before = f64::max(before, position);
            } else {
                after = f64::min(after, position);
            }
        }
        match after {
            after if after.is_infinite() => before + 1.0,
            after if after > wanted && wanted > before => wanted,
            after => f64::midpoint(before, after),
        }
    }
}
