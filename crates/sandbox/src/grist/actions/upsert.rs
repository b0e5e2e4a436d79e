//! Adding or updating records by key.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value as Json, json};

use super::{Arguments, records};
use crate::grist::bundle::{Bundle, Columns};
use crate::grist::cell::{Cell, Key, parse};
use crate::grist::failure::Failure;

struct Outcome {
    records: Vec<Vec<i64>>,
    added: Vec<i64>,
    updated: Vec<Vec<i64>>,
}

pub(super) fn many(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let table = arguments.text(0, "table_id")?;
    let require = arguments.columns(1, "require")?;
    let values = arguments.columns(2, "col_values")?;
    let outcome = upsert(bundle, table, require, values, arguments.members(3, "options")?)?;
    Ok(json!({ "recordIds": outcome.records, "addRecordIds": outcome.added, "updateRecordIds": outcome.updated }))
}

pub(super) fn one(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let table = arguments.text(0, "table_id")?;
    let require = arguments.single(1, "require")?;
    let values = arguments.single(2, "col_values")?;
    let outcome = upsert(bundle, table, require, values, arguments.members(3, "options")?)?;
    let action = match (outcome.updated.is_empty(), outcome.added.is_empty()) {
        (false, _) => "UPDATE",
        (true, false) => "ADD",
        (true, true) => "NONE",
    };
    Ok(json!({ "recordIds": outcome.records.first().cloned().unwrap_or_default(), "action": action }))
}

fn upsert(
    bundle: &mut Bundle,
    table: &str,
    require: Columns,
    values: Columns,
    options: &Map<String, Json>,
) -> Result<Outcome, Failure> {
    let option = |name: &str, default: bool| options.get(name).map_or(default, |value| *value == true);
    let (add, update) = (option("add", true), option("update", true));
    let on_many = options.get("on_many").and_then(Json::as_str).unwrap_or("first");
    let mut outcome = Outcome { records: Vec::new(), added: Vec::new(), updated: Vec::new() };
    bundle.state.table(table)?;
    if !["first", "none", "all"].contains(&on_many) {
        return Err(Failure::value(format!("on_many should be 'first', 'none', or 'all', not '{on_many}'")));
    }
    if require.is_empty() && !option("allow_empty_require", false) {
        return Err(Failure::value("require is empty but allow_empty_require isn't set"));
    }
    if require.is_empty() && values.is_empty() {
        return Ok(outcome);
    }
    let count = same_length(&require, &values)?;
    let unique: BTreeSet<Vec<Key>> =
        (0..count).map(|rank| require.values().map(|values| values[rank].key()).collect()).collect();
    if !require.is_empty() && unique.len() < count {
        return Err(Failure::value("require values must be unique"));
    }
    let (require, values) = (parsed(bundle, table, require)?, parsed(bundle, table, values)?);
    let index = index(bundle, table, &require)?;
    outcome.records = vec![Vec::new(); count];
    let mut added: Vec<usize> = Vec::new();
    let mut updated: Vec<(i64, usize)> = Vec::new();
    for rank in 0..count {
        let found = index.get(&wanted(bundle, table, &require, rank)?).map(Vec::as_slice).unwrap_or_default();
        match found {
            [] if add => added.push(rank),
            [_, _, ..] if on_many == "none" => {}
            [first, ..] if update => {
                let found = if on_many == "all" { found.to_vec() } else { vec![*first] };
                updated.extend(found.iter().map(|row| (*row, rank)));
                outcome.records[rank].clone_from(&found);
                outcome.updated.push(found);
            }
            _ => {}
        }
    }
    if !added.is_empty() {
        outcome.added = add_rows(bundle, table, &require, &values, &added)?;
        for (rank, row) in added.iter().zip(&outcome.added) {
            outcome.records[*rank] = vec![*row];
        }
    }
    if !updated.is_empty() {
        let rows: Vec<i64> = updated.iter().map(|(row, _)| *row).collect();
        let picked = values
            .iter()
            .filter(|(column, _)| *column != "id")
            .map(|(column, values)| (column.clone(), updated.iter().map(|(_, rank)| values[*rank].clone()).collect()));
        let picked = picked.collect();
        records::update_rows(bundle, table, &rows, picked)?;
    }
    Ok(outcome)
}

/// Texts as the web process parses them, in keys too.
fn parsed(bundle: &Bundle, table: &str, columns: Columns) -> Result<Columns, Failure> {
    let Some(today) = bundle.parse else { return Ok(columns) };
    let content = bundle.state.table(table)?;
    let parsed = columns.into_iter().map(|(id, values)| match content.column(&id) {
        Some(column) => (id, values.into_iter().map(|value| parse(&column.kind, value, today)).collect()),
        None => (id, values),
    });
    Ok(parsed.collect())
}

fn same_length(require: &Columns, values: &Columns) -> Result<usize, Failure> {
    let lengths = values.iter().map(|(column, values)| (format!("col_values {column}"), values.len()));
    let lengths: Vec<(String, usize)> =
        lengths.chain(require.iter().map(|(column, values)| (format!("require {column}"), values.len()))).collect();
    let first = lengths.first().map_or(0, |(_, length)| *length);
    if lengths.iter().all(|(_, length)| *length == first) {
        return Ok(first);
    }
    let shown: Vec<String> = lengths.iter().map(|(name, length)| format!("\"{name}\": {length}")).collect();
    let text = format!("Value lists must all have the same length, got {{{}}}", shown.join(", "));
    Err(Failure::value(text))
}

/// Rows by their values in the columns of the key, lowest id first.
fn index(bundle: &Bundle, table: &str, require: &Columns) -> Result<HashMap<Vec<Key>, Vec<i64>>, Failure> {
    let content = bundle.state.table(table)?;
    let places = require.keys().map(|column| match content.position(column) {
        None if column == "id" => Ok(None),
        None => Err(Failure::key(column)),
        place => Ok(place),
    });
    let places: Vec<Option<usize>> = places.collect::<Result<_, _>>()?;
    let mut index: HashMap<Vec<Key>, Vec<i64>> = HashMap::new();
    for (row, cells) in &content.rows {
        let key = places.iter().map(|place| place.map_or_else(|| Cell::Int(*row).key(), |at| cells[at].key()));
        index.entry(key.collect()).or_default().push(*row);
    }
    Ok(index)
}

/// The key of one record, as its columns would hold it.
fn wanted(bundle: &Bundle, table: &str, require: &Columns, rank: usize) -> Result<Vec<Key>, Failure> {
    let content = bundle.state.table(table)?;
    let keys = require.iter().map(|(column, values)| match content.column(column) {
        Some(known) => Ok(bundle.converted(table, known, values[rank].clone())?.key()),
        None => Ok(values[rank].key()),
    });
    keys.collect()
}

fn add_rows(
    bundle: &mut Bundle,
    table: &str,
    require: &Columns,
    values: &Columns,
    ranks: &[usize],
) -> Result<Vec<i64>, Failure> {
    let content = bundle.state.table(table)?;
    let pick = |values: &Vec<Cell>| ranks.iter().map(|rank| values[*rank].clone()).collect::<Vec<_>>();
    let holds_data =
        |column: &str| content.column(column).is_some_and(|known| !known.is_formula || known.formula.is_empty());
    let keys = require.iter().filter(|(column, _)| holds_data(column));
    let mut columns: Columns = keys.map(|(column, values)| (column.clone(), pick(values))).collect();
    columns.extend(values.iter().map(|(column, values)| (column.clone(), pick(values))));
    columns.remove("id");
    let ids = require.get("id").or_else(|| values.get("id"));
    let rows: Vec<Option<i64>> = ranks.iter().map(|rank| ids.and_then(|ids| ids[*rank].as_int())).collect();
    let columns = records::accepted(bundle, table, columns)?;
    bundle.add_rows(table, &rows, columns)
}
