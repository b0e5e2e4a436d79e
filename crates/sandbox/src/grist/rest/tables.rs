//! `/tables`.

use serde_json::{Map, Value as Json, json};

use super::{DocumentCall, columns, shape};
use crate::grist::cell::Cell;
use crate::grist::failure::Failure;
use crate::grist::state::State;

const FIELDS: [&str; 5] =
    ["primaryViewId", "summarySourceTable", "onDemand", "rawViewSectionRef", "recordCardViewSectionRef"];

pub(super) fn list(call: &DocumentCall<'_>) -> Json {
    let expand = call.request.query.get("expand").is_some_and(|value| value == "column");
    let engine = call.document.engine();
    let tables = engine.state.meta("_grist_Tables");
    let list = tables.rows.keys().map(|row| {
        let mut fields = Map::from_iter([("tableRef".to_owned(), json!(row))]);
        for name in FIELDS {
            fields.insert(name.to_owned(), tables.cell(*row, name).map_or(Json::Null, Cell::to_json));
        }
        let mut table = json!({ "id": tables.text(*row, "tableId"), "fields": fields });
        if expand {
            table["columns"] = columns::of(&engine.state, *row, call.request.flag("hidden"));
        }
        table
    });
    json!({ "tables": list.collect::<Vec<_>>() })
}

/// The rows of a table of Grist's own that have an id among people's words.
pub(super) fn row_of(state: &State, table: &str) -> Result<i64, Failure> {
    state.find_table(table).ok_or_else(|| Failure::refused(404, format!("Table not found \"{table}\"")))
}

pub(super) fn create(call: &DocumentCall<'_>) -> Result<Json, Failure> {
    let body = call.request.json()?;
    let mut actions = Vec::new();
    for (at, table) in shape::objects(&body, "tables", "TablePost")?.into_iter().enumerate() {
        let path = format!("body.tables[{at}].columns");
        let wrong = || {
            Failure::payload(&format!(
                "body.tables[{at}] is not a TablePost; {path}[0] is not a NewRecordWithStringId; {path}[0] is not an object"
            ))
        };
        let columns = table.get("columns").and_then(Json::as_array).filter(|columns| !columns.is_empty());
        let columns = columns.ok_or_else(wrong)?.iter().map(|column| column.as_object().map(columns::flat));
        let columns: Vec<Json> = columns.collect::<Option<_>>().ok_or_else(wrong)?;
        actions.push(json!(["AddTable", table.get("id"), columns]));
    }
    let made = call.apply(&actions)?;
    let tables: Vec<Json> = made.values.iter().map(|made| json!({ "id": made["table_id"] })).collect();
    Ok(json!({ "tables": tables }))
}

pub(super) fn patch(call: &DocumentCall<'_>) -> Result<Json, Failure> {
    let body = call.request.json()?;
    let mut actions = Vec::new();
    for table in shape::objects(&body, "tables", "Record")? {
        let id = shape::text(table, "id", "body.tables[0]")?;
        let row = row_of(&call.document.engine().state, id)?;
        actions.push(json!(["UpdateRecord", "_grist_Tables", row, table.get("fields").unwrap_or(&json!({}))]));
    }
    call.apply_on("_grist_Tables", &[], &actions)?;
    Ok(Json::Null)
}
