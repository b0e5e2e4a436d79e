//! Splits rows into bundles below the largest request of Grist: whole dossiers in each, and the rows by which they count as
//! stored in the last one. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use grist_client::{Action, OnMany, RowId};
use serde_json::{Map, Value, json};

/// The largest bundle, in bytes of JSON: Grist takes 1,048,576 (Grist trap 23). A page of a hundred dossiers is up to 1,000 kB,
/// and goes in one bundle: what would be left over costs as much as the rest, and a place in the history.
pub(super) const BUNDLE: usize = 1_030_000;

/// The bytes that a bundle needs besides rows: the lease, names of actions.
const OVERHEAD: usize = 2_000;

/// Which columns of which table an upsert writes. Rows of one form go in one action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowShape {
    /// The order of writing: rows that others refer to come first.
    pub rank: usize,
    pub table: String,
    /// The key column.
    pub key: String,
    pub columns: Vec<String>,
    /// True if a row that is not there is added.
    pub adds: bool,
}

/// A row to be added, or updated if its key is there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Upsert {
    pub form: Arc<RowShape>,
    pub key: Value,
    /// One value a column of the form.
    pub values: Vec<Value>,
}

/// Rows that must land together, as far as a bundle can hold them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unit {
    pub removals: BTreeMap<String, Vec<RowId>>,
    pub rows: Vec<Upsert>,
    /// A row that is written before if the unit is larger than a bundle. It says that the dossier is under way.
    pub placeholder: Option<Upsert>,
}

impl Upsert {
    fn weight(&self) -> usize {
        2 + weight(&self.key) + self.values.iter().map(|value| weight(value) + 1).sum::<usize>()
    }

    /// The same row in two actions, each with half of the columns.
    fn halves(self) -> Result<[Self; 2], Self> {
        let middle = self.values.len() / 2;
        if middle == 0 {
            return Err(self);
        }
        let Self { form, key, mut values } = self;
        let rest = values.split_off(middle);
        let part = |columns: &[String]| Arc::new(RowShape { columns: columns.to_vec(), ..RowShape::clone(&form) });
        let first = Self { form: part(&form.columns[..middle]), key: key.clone(), values };
        Ok([first, Self { form: part(&form.columns[middle..]), key, values: rest }])
    }
}

impl Unit {
    fn weight(&self) -> usize {
        let removals: usize = self.removals.values().map(|rows| rows.len() * 8).sum();
        removals + self.rows.iter().map(Upsert::weight).sum::<usize>()
    }
}

/// Estimates the bytes of a value in JSON; never too few.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => text_weight(text),
        Value::Array(items) => 2 + items.iter().map(|item| weight(item) + 1).sum::<usize>(),
        Value::Object(map) => 2 + map.iter().map(|(name, value)| text_weight(name) + weight(value) + 2).sum::<usize>(),
    }
}

fn text_weight(text: &str) -> usize {
    let escapes: usize = text
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
            0..=31 => 5,
            _ => 0,
        })
        .sum();
    text.len() + escapes + 2
}

/// A bundle under way.
#[derive(Default)]
struct Open {
    weight: usize,
    removals: BTreeMap<String, Vec<RowId>>,
    rows: BTreeMap<Arc<RowShape>, Vec<Upsert>>,
}

impl Open {
    fn add(&mut self, unit: Unit) {
        self.weight += unit.weight();
        for (table, rows) in unit.removals {
            self.removals.entry(table).or_default().extend(rows);
        }
        for row in unit.rows {
            self.add_row(row);
        }
    }

    fn add_row(&mut self, row: Upsert) {
        let form = Arc::clone(&row.form);
        self.rows
            .entry(form)
            .or_insert_with_key(|form| {
                self.weight += form.columns.iter().map(|column| column.len() + 5).sum::<usize>() + 100;
                Vec::new()
            })
            .push(row);
    }

    fn is_empty(&self) -> bool {
        self.removals.is_empty() && self.rows.is_empty()
    }

    fn actions(self) -> Vec<Action> {
        let removals = self.removals.into_iter().filter(|(_, rows)| !rows.is_empty());
        let removals = removals.map(|(table, rows)| Action::BulkRemove { table, rows });
        removals.chain(self.rows.into_iter().map(|(form, rows)| upsert(&form, rows))).collect()
    }
}

fn upsert(form: &RowShape, rows: Vec<Upsert>) -> Action {
    let mut keys = Vec::with_capacity(rows.len());
    let mut columns: Vec<Vec<Value>> = form.columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        keys.push(row.key);
        for (column, value) in columns.iter_mut().zip(row.values) {
            column.push(value);
        }
    }
    let require = Map::from_iter([(form.key.clone(), Value::Array(keys))]);
    let columns: Map<String, Value> = form.columns.iter().cloned().zip(columns.into_iter().map(Value::Array)).collect();
    if form.adds {
        Action::BulkUpsert { table: form.table.clone(), require, columns, on_many: OnMany::First }
    } else {
        let options = json!({ "on_many": "first", "add": false });
        Action::Raw(json!(["BulkAddOrUpdateRecord", form.table, require, columns, options]))
    }
}

/// The bundles of some units and of what is written with the last of them.
pub(super) fn bundles(units: Vec<Unit>, last: Unit) -> Vec<Vec<Action>> {
    let room = BUNDLE - OVERHEAD;
    let mut bundles = Vec::new();
    let mut open = Open::default();
    let mut close = |open: &mut Open| {
        let full = std::mem::take(open);
        if !full.is_empty() {
            bundles.push(full.actions());
        }
    };
    for unit in units.into_iter().chain([last]) {
        let weight = unit.weight();
        if open.weight + weight > room {
            close(&mut open);
        }
        if weight <= room {
            open.add(unit);
            continue;
        }
        // Larger than a bundle: row after row, in the order of their ranks.
        open.add(Unit { removals: unit.removals, rows: unit.placeholder.into_iter().collect(), placeholder: None });
        let mut rows = unit.rows;
        rows.sort_by_key(|row| row.form.rank);
        let mut waiting: Vec<Upsert> = rows.into_iter().rev().collect();
        while let Some(row) = waiting.pop() {
            let weight = row.weight();
            let row = match row {
                row if weight <= room => row,
                row => match row.halves() {
                    Ok([first, rest]) => {
                        waiting.extend([rest, first]);
                        continue;
                    }
                    Err(row) => row,
                },
            };
            if open.weight + weight > room {
                close(&mut open);
            }
            open.weight += weight;
            open.add_row(row);
        }
    }
    close(&mut open);
    bundles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(rank: usize, table: &str, columns: usize) -> Arc<RowShape> {
        let columns = (0..columns).map(|n| format!("c{n}")).collect();
        Arc::new(RowShape { rank, table: table.to_owned(), key: "cle".to_owned(), columns, adds: true })
    }

    fn row(form: &Arc<RowShape>, key: u32, bytes: usize) -> Upsert {
        let each = bytes / form.columns.len();
        Upsert { form: Arc::clone(form), key: key.into(), values: vec!["x".repeat(each).into(); form.columns.len()] }
    }

    fn unit(rows: Vec<Upsert>) -> Unit {
        Unit { rows, ..Unit::default() }
    }

    fn bytes(bundle: &[Action]) -> usize {
        let actions = bundle.iter().map(|action| match action {
            Action::BulkUpsert { table, require, columns, .. } => json!([table, require, columns]).to_string().len(),
            other => format!("{other:?}").len(),
        });
        actions.sum()
    }

    fn tables(bundle: &[Action]) -> Vec<&str> {
        let table = |action: &'_ Action| match action {
            Action::BulkUpsert { table, .. } | Action::BulkRemove { table, .. } => Some(table.as_str().to_owned()),
            _ => None,
        };
        let names: Vec<String> = bundle.iter().filter_map(table).collect();
        names.into_iter().map(|name| &*name.leak()).collect()
    }

    #[test]
    fn what_fits_goes_in_one_bundle_rows_of_a_form_in_one_action() {
        let (dossiers, children, book) = (form(0, "D", 2), form(1, "K", 1), form(9, "Dn", 1));
        let units = (1..4).map(|n| unit(vec![row(&book, n, 10), row(&children, n, 10), row(&dossiers, n, 10)]));
        let state = unit(vec![row(&form(99, "Etat", 1), 1, 10)]);
        let mut units: Vec<Unit> = units.collect();
        units[1].removals.insert("K".to_owned(), vec![5, 6]);
        let bundles = bundles(units, state);
        assert_eq!(bundles.len(), 1);
        assert_eq!(tables(&bundles[0]), ["K", "D", "K", "Dn", "Etat"]);
        let Action::BulkUpsert { require, columns, .. } = &bundles[0][1] else { panic!("{bundles:?}") };
        assert_eq!((require["cle"].clone(), columns.len()), (json!([1, 2, 3]), 2));
    }

    #[test]
    fn nothing_to_say_is_no_bundle() {
        assert!(bundles(vec![Unit::default()], Unit::default()).is_empty());
    }

    #[test]
    fn a_bundle_holds_whole_dossiers_and_the_state_comes_with_the_last() {
        let (children, book) = (form(1, "K", 1), form(9, "Dn", 1));
        let units = (1..10).map(|n| unit(vec![row(&children, n, 300_000), row(&book, n, 10)])).collect();
        let bundles = bundles(units, unit(vec![row(&form(99, "Etat", 1), 1, 10)]));
        assert_eq!(bundles.len(), 3);
        for bundle in &bundles {
            assert!(bytes(bundle) <= BUNDLE, "{}", bytes(bundle));
            assert_eq!(tables(bundle)[..2], ["K", "Dn"]);
        }
        assert_eq!(tables(bundles.last().expect("three"))[2], "Etat");
    }

    #[test]
    fn a_dossier_larger_than_a_bundle_is_announced_and_believed_last() {
        let (dossiers, children, book) = (form(0, "D", 4), form(1, "K", 1), form(9, "Dn", 1));
        let mut rows: Vec<Upsert> = (1..9).map(|n| row(&children, n, 300_000)).collect();
        // One row that no bundle holds is written in two halves.
        rows.insert(0, row(&dossiers, 1, 1_600_000));
        rows.insert(0, row(&book, 1, 10));
        let giant = Unit { rows, placeholder: Some(row(&form(8, "Dn", 1), 1, 0)), removals: BTreeMap::default() };
        let bundles = bundles(vec![unit(vec![row(&book, 2, 10)]), giant], unit(vec![row(&form(99, "Etat", 1), 1, 9)]));
        for bundle in &bundles {
            assert!(bytes(bundle) <= BUNDLE, "{}", bytes(bundle));
        }
        let order: Vec<&str> = bundles.iter().flat_map(|bundle| tables(bundle)).collect();
        assert_eq!(order[..4], ["Dn", "D", "Dn", "D"], "the announcement goes with the first half: {order:?}");
        assert_eq!(order[order.len() - 2..], ["Dn", "Etat"], "{order:?}");
        let children = order.iter().filter(|table| **table == "K").count();
        assert_eq!(children, 3, "{order:?}");
    }

    #[test]
    fn weights_are_never_less_than_the_bytes() {
        for value in [json!(null), json!("é\"\\\n\u{1}🎉"), json!([1, -2.5e-300, "a"]), json!({"a": {"b": false}})] {
            assert!(weight(&value) >= value.to_string().len(), "{value}");
        }
    }
}
