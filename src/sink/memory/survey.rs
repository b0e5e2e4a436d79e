//! Compares the rows in memory with what they should be.

use std::collections::{BTreeMap, BTreeSet};

use super::Content;
use crate::ids::DossierNumber;
use crate::report::{RowDifference, RowFault};
use crate::sink::ExpectedDossier;
use crate::sink::compare::{Differences, compare_rows};
use crate::table::{Cell, Layout, LayoutTable};

impl Content {
    pub(super) fn survey(&self, limit: usize) -> Vec<RowDifference> {
        let mut found = Differences::default();
        for table in self.tables.iter().filter(|table| table.key.is_child()) {
            let mut counts: BTreeMap<DossierNumber, u64> = BTreeMap::new();
            for (number, _) in self.children.get(&table.name).into_iter().flat_map(BTreeMap::keys) {
                *counts.entry(*number).or_default() += 1;
            }
            for (number, dossier) in self.dossiers.iter().filter(|(_, dossier)| !dossier.is_purged()) {
                let (is, should_be) = (counts.remove(number).unwrap_or_default(), dossier.rows.get(&table.name));
                let should_be = should_be.copied().unwrap_or_default();
                found.add(Some(*number), &table.name, RowFault::Missing, should_be.saturating_sub(is));
                found.add(Some(*number), &table.name, RowFault::Extra, is.saturating_sub(should_be));
            }
            for (number, rows) in counts {
                found.add(Some(number), &table.name, RowFault::Unknown, rows);
            }
        }
        found.into_list().into_iter().take(limit).collect()
    }

    pub(super) fn compare(&self, layout: &Layout, expected: &[ExpectedDossier]) -> Vec<RowDifference> {
        let mut found = Differences::default();
        let numbers: BTreeSet<DossierNumber> = expected.iter().map(|dossier| dossier.row.number).collect();
        let in_order = |table: &LayoutTable, cells: &BTreeMap<String, Cell>| -> Vec<Cell> {
            table.columns.iter().map(|column| cells.get(&column.name).cloned().unwrap_or(Cell::Null)).collect()
        };
        for (position, table) in layout.tables.iter().enumerate() {
            let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            if !table.key.is_child() {
                let wanted = expected.iter().map(|d| ((d.row.number, String::new()), d.row.cells.clone()));
                let held = numbers.iter().filter_map(|number| Some((*number, self.dossiers.get(number)?)));
                let held = held.map(|(number, d)| ((number, String::new()), in_order(table, &d.cells)));
                compare_rows(&mut found, &table.name, &columns, wanted, held);
                continue;
            }
            let columns: Vec<&str> = columns.into_iter().chain(["position"]).collect();
            let place = |position: u32| Cell::Integer(i64::from(position));
            let wanted = expected.iter().flat_map(|d| d.row.children.iter().map(|child| (d.row.number, child)));
            let wanted = wanted.filter(|(_, child)| child.table == position).map(|(number, child)| {
                let cells = child.cells.iter().cloned().chain([place(child.position)]).collect();
                ((number, child.key.clone()), cells)
            });
            let held = self.children.get(&table.name).into_iter().flatten();
            let held = held.filter(|((number, _), _)| numbers.contains(number)).map(|((number, key), child)| {
                let cells = in_order(table, &child.cells).into_iter().chain([place(child.position)]).collect();
                ((*number, key.clone()), cells)
            });
            compare_rows(&mut found, &table.name, &columns, wanted, held);
        }
        found.into_list()
    }
}
