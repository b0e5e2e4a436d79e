//! `/tables/:table/columns`.

use serde_json::{Map, Value as Json, json};

use super::{DocumentCall, shape, tables};
use crate::grist::cell::Cell;
use crate::grist::failure::Failure;
use crate::grist::state::State;

const COLUMNS: &str = "_grist_Tables_column";

/// Lists the columns of a table as the API does.
pub(super) fn of(state: &State, table: i64, hidden: bool) -> Json {
    let columns = state.meta(COLUMNS);
    let listed = state.columns_of(table).into_iter().filter_map(|row| {
        let id = columns.text(row, "colId");
        if !hidden && (id == "manualSort" || id.starts_with("gristHelper_")) {
            return None;
        }
        let mut fields = Map::from_iter([("colRef".to_owned(), json!(row))]);
        for column in columns.columns.iter().filter(|column| column.id != "colId") {
            fields.insert(column.id.clone(), columns.cell(row, &column.id).map_or(Json::Null, Cell::to_json));
        }
        Some(json!({ "id": id, "fields": fields }))
    });
    Json::Array(listed.collect())
}

pub(super) fn list(call: &DocumentCall<'_>, table: &str) -> Json {
    let engine = call.document.engine();
    let row = engine.state.find_table(table).unwrap_or_default();
    json!({ "columns": of(&engine.state, row, call.request.flag("hidden")) })
}

/// `{id, fields}` as the actions take it.
pub(super) fn flat(column: &Map<String, Json>) -> Json {
    let mut flat = column.get("fields").and_then(Json::as_object).cloned().unwrap_or_default();
    flat.insert("id".to_owned(), column.get("id").cloned().unwrap_or_default());
    Json::Object(flat)
}

fn action(name: &str, table: &str, column: &Map<String, Json>) -> Json {
    json!([name, table, column.get("id"), column.get("fields").unwrap_or(&json!({}))])
}

pub(super) fn create(call: &DocumentCall<'_>, table: &str) -> Result<Json, Failure> {
    let body = call.request.json()?;
    let columns = shape::objects(&body, "columns", "NewRecordWithStringId")?;
    let actions: Vec<Json> = columns.into_iter().map(|column| action("AddVisibleColumn", table, column)).collect();
    let made = call.apply_on(table, &[], &actions)?;
    let columns: Vec<Json> = made.values.iter().map(|made| json!({ "id": made["colId"] })).collect();
    Ok(json!({ "columns": columns }))
}

fn update(row: i64, column: &Map<String, Json>) -> Json {
    json!(["UpdateRecord", COLUMNS, row, column.get("fields").unwrap_or(&json!({}))])
}

pub(super) fn patch(call: &DocumentCall<'_>, table: &str) -> Result<Json, Failure> {
    let body = call.request.json()?;
    let mut actions = Vec::new();
    for column in shape::objects(&body, "columns", "Record")? {
        let id = shape::text(column, "id", "body.columns[0]")?;
        let row = call.document.engine().state.find_column(table, id);
        let row = row.ok_or_else(|| Failure::refused(404, format!("Column not found \"{id}\"")))?;
        actions.push(update(row, column));
    }
    call.apply_on(COLUMNS, &[], &actions)?;
    Ok(Json::Null)
}

/// Updates and adds by exact id; `replaceall` removes all others, those of people included (Grist trap 10).
pub(super) fn put(call: &DocumentCall<'_>, table: &str) -> Result<Json, Failure> {
    let body = call.request.json()?;
    let columns = shape::objects(&body, "columns", "Record")?;
    let mut actions = Vec::new();
    let mut kept = Vec::new();
    for column in columns {
        let id = shape::text(column, "id", "body.columns[0]")?;
        match call.document.engine().state.find_column(table, id) {
            Some(row) => {
                kept.push(row);
                if !call.request.flag("noupdate") {
                    actions.push(update(row, column));
                }
            }
            None if !call.request.flag("noadd") => actions.push(action("AddVisibleColumn", table, column)),
            None => {}
        }
    }
    if call.request.flag("replaceall") {
        let engine = call.document.engine();
        let columns = engine.state.meta(COLUMNS);
        for row in engine.state.columns_of(tables::row_of(&engine.state, table)?) {
            let id = columns.text(row, "colId");
            if !kept.contains(&row) && id != "manualSort" && !id.starts_with("gristHelper_") {
                actions.push(json!(["RemoveColumn", table, id]));
            }
        }
    }
    call.apply_on(table, &[], &actions)?;
    Ok(Json::Null)
}

pub(super) fn delete(call: &DocumentCall<'_>, table: &str, column: &str) -> Result<Json, Failure> {
    call.apply_on(table, &[column.to_owned()], &[json!(["RemoveColumn", table, column])])?;
    Ok(Json::Null)
}
