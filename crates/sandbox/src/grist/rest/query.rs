//! Reading `/tables/:table/records` and `/data`.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::DocumentCall;
use crate::grist::auth::Role;
use crate::grist::cell::{Cell, Key};
use crate::grist::failure::Failure;
use crate::grist::state::State;
use crate::grist::table::Table;

struct Wanted {
    filter: Map<String, Json>,
    sort: String,
    limit: usize,
    hidden: bool,
    typed: bool,
}

fn wanted(call: &DocumentCall<'_>) -> Result<Wanted, Failure> {
    let request = call.request;
    let body = if request.method == "POST" { request.json()? } else { Json::Null };
    let text = |name: &str| request.query.get(name).cloned().or_else(|| body[name].as_str().map(str::to_owned));
    let filter = match text("filter") {
        Some(filter) => serde_json::from_str(&filter)
            .map_err(|error| Failure::refused(500, format!("{error} is not valid JSON")))?,
        None => body["filter"].clone(),
    };
    let filter: Map<String, Json> = filter.as_object().cloned().unwrap_or_default();
    if filter.values().any(|values| !values.is_array()) {
        return Err(Failure::refused(400, "Invalid query: filter values must be arrays"));
    }
    let limit = match text("limit").or_else(|| body["limit"].as_u64().map(|limit| limit.to_string())) {
        Some(limit) => limit.parse().map_err(|_| Failure::refused(500, "limit is not a number"))?,
        None => 0,
    };
    let hidden = request.flag("hidden") || body["hidden"] == true;
    let typed = text("cellFormat").is_some_and(|format| format == "typed");
    Ok(Wanted { filter, sort: text("sort").unwrap_or_default(), limit, hidden, typed })
}

/// Null first, then numbers, then texts without regard to case.
fn order(left: &Cell, right: &Cell) -> Ordering {
    match (left, right) {
        (Cell::Text(left), Cell::Text(right)) => left.to_lowercase().cmp(&right.to_lowercase()).then(right.cmp(left)),
        _ => match (left.as_number(), right.as_number()) {
            (Some(left), Some(right)) => left.total_cmp(&right),
            _ => left.key().cmp(&right.key()),
        },
    }
}

fn cell(table: &Table, row: i64, column: &str) -> Cell {
    if column == "id" { Cell::Int(row) } else { table.cell(row, column).cloned().unwrap_or(Cell::Null) }
}

/// The rows that were asked for, in order.
fn rows(table: &Table, wanted: &Wanted) -> Result<Vec<i64>, Failure> {
    let known = |column: &str| column == "id" || table.column(column).is_some();
    // Row 0 can be made, but nothing shows it.
    let mut rows: Vec<i64> = table.rows.keys().copied().filter(|row| *row > 0).collect();
    for (column, values) in &wanted.filter {
        if !known(column) {
            let text = format!("Error manipulating data: [Sandbox] KeyError '{column}'");
            return Err(Failure::refused(400, text));
        }
        let values: Vec<Key> =
            values.as_array().into_iter().flatten().map(|value| Cell::from_json(value).key()).collect();
        rows.retain(|row| values.contains(&cell(table, *row, column).key()));
    }
    let sort: Vec<(&str, bool)> = wanted
        .sort
        .split(',')
        .filter(|part| !part.is_empty())
        .map(|part| part.strip_prefix('-').map_or((part, false), |column| (column, true)))
        .collect();
    if let Some((unknown, _)) = sort.iter().find(|(column, _)| !known(column)) {
        return Err(Failure::refused(500, format!("unknown key {unknown}")));
    }
    rows.sort_by(|left, right| {
        let orders = sort.iter().map(|(column, descending)| {
            let order = order(&cell(table, *left, column), &cell(table, *right, column));
            if *descending { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    });
    if wanted.limit > 0 {
        rows.truncate(wanted.limit);
    }
    Ok(rows)
}

/// Takes out of a row what a rule hides. Of a hidden column, what Grist tells of columns keeps the row, empty.
fn censor(state: &State, hidden: &BTreeSet<(String, String)>, table: &str, fields: &mut Map<String, Json>) {
    fields.retain(|column, _| !hidden.contains(&(table.to_owned(), column.clone())));
    if table != "_grist_Tables_column" {
        return;
    }
    let text = |column: &str| fields.get(column).and_then(Json::as_str).unwrap_or_default().to_owned();
    let of = fields.get("parentId").and_then(Json::as_i64).map(|table| state.table_id(table).to_owned());
    if hidden.contains(&(of.unwrap_or_default(), text("colId"))) {
        for column in ["label", "colId", "widgetOptions", "formula"] {
            fields.insert(column.to_owned(), json!(""));
        }
        fields.insert("type".to_owned(), json!("Any"));
        fields.insert("parentId".to_owned(), json!(0));
    }
}

pub(super) fn records(call: &DocumentCall<'_>, table: &str) -> Result<Json, Failure> {
    let wanted = wanted(call)?;
    let engine = call.document.engine();
    let content = engine.state.table(table)?;
    let shown = |id: &str| wanted.hidden || (id != "manualSort" && !id.starts_with("gristHelper_"));
    let records = rows(content, &wanted)?.into_iter().map(|row| {
        let (mut fields, mut errors) = (Map::new(), Map::new());
        for (column, cell) in content.columns.iter().zip(content.rows[&row].iter()) {
            if !shown(&column.id) {
                continue;
            }
            if let Some(error) = cell.error().filter(|_| !wanted.typed) {
                errors.insert(column.id.clone(), json!(error));
            }
            let value = match cell.error() {
                Some(_) if !wanted.typed => Json::Null,
                _ if wanted.typed => cell.to_typed_json(&column.kind),
                _ => cell.to_json(),
            };
            fields.insert(column.id.clone(), value);
        }
        if call.role != Role::Owner {
            censor(&engine.state, &engine.rules.hidden, table, &mut fields);
        }
        let mut record = json!({ "id": row, "fields": fields });
        if !errors.is_empty() {
            record["errors"] = Json::Object(errors);
        }
        record
    });
    let records: Vec<Json> = records.collect();
    Ok(json!({ "records": records }))
}

pub(super) fn data(call: &DocumentCall<'_>, table: &str) -> Result<Json, Failure> {
    let wanted = wanted(call)?;
    let engine = call.document.engine();
    let content = engine.state.table(table)?;
    let rows = rows(content, &wanted)?;
    let mut columns = Map::from_iter([("id".to_owned(), json!(rows))]);
    for (at, column) in content.columns.iter().enumerate() {
        let values = rows.iter().map(|row| content.rows[row][at].to_json()).collect();
        columns.insert(column.id.clone(), Json::Array(values));
    }
    Ok(Json::Object(columns))
}
