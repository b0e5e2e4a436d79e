//! Empties columns of a row for a target that cannot hold all of them. Pure.

use std::collections::BTreeSet;

use super::layout::{Layout, LayoutTable};
use super::mapper::marks;
use super::row::{Cell, Row};
use super::spec::ColumnKey;

/// Fewest answers of a row that is narrowed: below, the row is not too wide for a target.
const WIDE: usize = 200;

/// Keeps so many quarters of the answers in the row's columns, the first ones of the form. The others are listed in
/// [`DOCUMENT_ONLY`](super::DOCUMENT_ONLY). `None` if there is nothing to remove.
#[must_use]
pub(crate) fn narrowed(row: &Row, layout: &Layout, quarters: u8) -> Option<Row> {
    let mark = layout.mark()?;
    let mut narrow = row.clone();
    let mut names: BTreeSet<String> = match row.cells.get(mark) {
        Some(Cell::Text(named)) => named.split(", ").map(str::to_owned).collect(),
        _ => BTreeSet::new(),
    };
    let before = names.len();
    take_away(&mut narrow.cells, layout.tables.first()?, quarters, &mut names);
    for child in &mut narrow.children {
        take_away(&mut child.cells, layout.tables.get(child.table)?, quarters, &mut names);
    }
    // The row had no more answers than a target holds: the refusal has another cause.
    if names.len() == before {
        return None;
    }
    narrow.cells[mark] = marks(&names);
    Some(narrow)
}

fn take_away(cells: &mut [Cell], table: &LayoutTable, quarters: u8, names: &mut BTreeSet<String>) {
    let answers: Vec<usize> = table
        .columns
        .iter()
        .zip(cells.iter())
        .enumerate()
        .filter(|(_, (column, cell))| matches!(column.spec.key, ColumnKey::Champ(..)) && **cell != Cell::Null)
        .map(|(at, _)| at)
        .collect();
    if answers.len() <= WIDE {
        return;
    }
    let prefix = if table.key.is_child() { format!("{}.", table.name) } else { String::new() };
    for at in answers.iter().skip(answers.len() * usize::from(quarters) / 4) {
        cells[*at] = Cell::Null;
        names.insert(format!("{prefix}{}", table.columns[*at].name));
    }
}
