//! Compares the rows of a target with those that its stored documents require. Only the parts that every target shares
//! belong here. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::dossier::Gone;
use crate::ids::DossierNumber;
use crate::report::{RowDifference, RowFault};
use crate::table::Row;

/// The address of an instance of a platform. A target stores it with the first run, and every later run compares it, because
/// the numbers of two instances collide and they must never share one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceAddress {
    /// The kind of platform, in its own word.
    pub platform: String,
    /// Its GraphQL address, without credentials, query and fragment.
    pub url: String,
}

/// The expected rows of a dossier, computed from its stored document.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedDossier {
    /// Its rows.
    pub row: Row,
    /// Its tombstone.
    pub gone: Option<Gone>,
    /// When this version, or this tombstone, was first seen.
    pub last_changed: Timestamp,
}

impl ExpectedDossier {
    /// Counts its rows in each child table, by the position of the table in the layout.
    pub(super) fn children(row: &Row) -> BTreeMap<usize, u64> {
        let mut counts = BTreeMap::new();
        for child in &row.children {
            *counts.entry(child.table).or_default() += 1;
        }
        counts
    }
}

/// Collects faults of single rows into one [`RowDifference`] for each dossier, table and kind.
#[derive(Debug, Default)]
pub(super) struct Differences(BTreeMap<Kind, (u64, Vec<String>)>);

/// Whose rows, of which table, and what is wrong with them.
type Kind = (Option<DossierNumber>, String, RowFault);

impl Differences {
    /// Adds rows.
    pub(super) fn add(&mut self, number: Option<DossierNumber>, table: &str, fault: RowFault, rows: u64) {
        if rows > 0 {
            self.0.entry((number, table.to_owned(), fault)).or_default().0 += rows;
        }
    }

    /// Adds a row some of whose cells differ.
    pub(super) fn add_changed<'a>(
        &mut self,
        number: DossierNumber,
        table: &str,
        columns: impl IntoIterator<Item = &'a str>,
    ) {
        let entry = self.0.entry((Some(number), table.to_owned(), RowFault::Changed)).or_default();
        entry.0 += 1;
        for column in columns {
            if let Err(place) = entry.1.binary_search_by(|known| known.as_str().cmp(column)) {
                entry.1.insert(place, column.to_owned());
            }
        }
    }

    /// Returns the differences, ordered by dossier, table and kind.
    pub(super) fn into_list(self) -> Vec<RowDifference> {
        let difference =
            |((number, table, fault), (rows, columns))| RowDifference { number, table, fault, rows, columns };
        self.0.into_iter().map(difference).collect()
    }
}

/// Compares the rows of one table, cell by cell in the form in which the target keeps them: `expected` and `stored` are
/// the number and key of each row with its cells, in the order of `columns`.
pub(super) fn compare_rows<C: PartialEq>(
    found: &mut Differences,
    table: &str,
    columns: &[&str],
    expected: impl IntoIterator<Item = ((DossierNumber, String), Vec<C>)>,
    stored: impl IntoIterator<Item = ((DossierNumber, String), Vec<C>)>,
) {
    let mut rows: BTreeMap<(DossierNumber, String), Vec<Vec<C>>> = BTreeMap::new();
    for (key, cells) in stored {
        rows.entry(key).or_default().push(cells);
    }
    for (key, wanted) in expected {
        let number = key.0;
        let Some(held) = rows.remove(&key) else {
            found.add(Some(number), table, RowFault::Missing, 1);
            continue;
        };
        found.add(Some(number), table, RowFault::Doubled, held.len() as u64 - 1);
        for cells in held {
            let differing: Vec<&str> = columns
                .iter()
                .zip(wanted.iter().zip(&cells))
                .filter(|(_, (wanted, held))| wanted != held)
                .map(|(column, _)| *column)
                .collect();
            if !differing.is_empty() {
                found.add_changed(number, table, differing);
            }
        }
    }
    for ((number, _), extra) in rows {
        found.add(Some(number), table, RowFault::Extra, extra.len() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_difference_is_counted_by_dossier_and_table() {
        let key = |number, key: &str| (DossierNumber::new(number), key.to_owned());
        let expected = [(key(1, "a"), vec![1, 2]), (key(1, "b"), vec![3, 4]), (key(2, "a"), vec![5, 6])];
        let stored = [
            (key(1, "a"), vec![1, 9]),
            (key(2, "a"), vec![5, 6]),
            (key(2, "a"), vec![7, 6]),
            (key(2, "z"), vec![0, 0]),
        ];
        let mut found = Differences::default();
        compare_rows(&mut found, "t", &["x", "y"], expected, stored);
        let list: Vec<_> =
            found.into_list().into_iter().map(|d| (d.number.map(|n| n.get()), d.fault, d.rows, d.columns)).collect();
        assert_eq!(
            list,
            [
                (Some(1), RowFault::Missing, 1, vec![]),
                (Some(1), RowFault::Changed, 1, vec!["y".to_owned()]),
                (Some(2), RowFault::Extra, 1, vec![]),
                (Some(2), RowFault::Doubled, 1, vec![]),
                (Some(2), RowFault::Changed, 1, vec!["x".to_owned()]),
            ]
        );
    }
}
