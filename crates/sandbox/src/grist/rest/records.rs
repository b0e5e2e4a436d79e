//! Writing `/tables/:table/records`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::{DocumentCall, shape};
use crate::grist::failure::Failure;

/// Rows become columns; what a row does not have is null (Grist trap 5).
fn columnar(records: &[Map<String, Json>]) -> (Vec<String>, Json) {
    let names: BTreeSet<String> = records.iter().flat_map(|record| record.keys().cloned()).collect();
    let mut columns = Map::new();
    for name in &names {
        let values = records.iter().map(|record| record.get(name).cloned().unwrap_or_default()).collect();
        columns.insert(name.clone(), Json::Array(values));
    }
    (names.into_iter().collect(), Json::Object(columns))
}

pub(super) fn create(call: &DocumentCall<'_>, table: &str) -> Result<Json, Failure> {
    let body = call.request.json()?;
    let records = shape::objects(&body, "records", "NewRecord")?;
    let records = records.into_iter().enumerate().map(|(at, record)| shape::cells(record, "fields", at, "NewRecord"));
    let records: Vec<_> = records.collect::<Result<_, _>>()?;
    let (names, columns) = columnar(&records);
    let rows = vec![Json::Null; records.len()];
    let made = call.apply_on(table, &names, &[json!(["BulkAddRecord", table, rows, columns])])?;
    let ids = made.values[0].as_array().cloned().unwrap_or_default();
    let records: Vec<Json> = ids.into_iter().map(|id| json!({ "id": id })).collect();
    Ok(json!({ "records": records }))
}

pub(super) fn patch(call: &DocumentCall<'_>, table: &str) -> Result<Json, Failure> {
    let body = call.request.json()?;
    let mut rows = Vec::new();
    let mut records = Vec::new();
    for (at, record) in shape::objects(&body, "records", "Record")?.into_iter().enumerate() {
        let path = format!("body.records[{at}]");
        let missing = || Failure::payload(&format!("{path} is not a Record; {path}.id is missing"));
        rows.push(record.get("id").and_then(Json::as_i64).ok_or_else(missing)?);
        records.push(shape::cells(record, "fields", at, "Record")?);
    }
    let names = |record: &Map<String, Json>| record.keys().cloned().collect::<BTreeSet<_>>();
    if records.iter().any(|record| names(record) != names(&records[0])) {
        return Err(Failure::refused(400, "PATCH requires all records to have same fields"));
    }
    let (names, columns) = columnar(&records);
    call.apply_on(table, &names, &[json!(["BulkUpdateRecord", table, rows, columns])])?;
    Ok(Json::Null)
}

struct Group {
    ranks: Vec<usize>,
    require: Vec<Map<String, Json>>,
    fields: Vec<Map<String, Json>>,
}

/// Upserts: records with the same columns go together, in the order of the names of these columns.
pub(super) fn put(call: &DocumentCall<'_>, table: &str) -> Result<Json, Failure> {
    let request = call.request;
    let on_many = request.query.get("onmany").map_or("first", String::as_str);
    if !["first", "none", "all"].contains(&on_many) {
        let text = format!("onmany parameter {on_many} should be one of first,none,all");
        return Err(Failure::refused(400, text));
    }
    let options = json!({
        "on_many": on_many,
        "add": !request.flag("noadd"),
        "update": !request.flag("noupdate"),
        "allow_empty_require": request.flag("allow_empty_require"),
    });
    let body = request.json()?;
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut names = BTreeSet::new();
    let records = shape::objects(&body, "records", "AddOrUpdateRecord")?;
    let count = records.len();
    for (at, record) in records.into_iter().enumerate() {
        let path = format!("body.records[{at}]");
        if !record.contains_key("require") {
            let text = format!("{path} is not a AddOrUpdateRecord; {path}.require is missing");
            return Err(Failure::payload(&text));
        }
        let require = shape::cells(record, "require", at, "AddOrUpdateRecord")?;
        let fields = shape::cells(record, "fields", at, "AddOrUpdateRecord")?;
        names.extend(require.keys().chain(fields.keys()).cloned());
        let sorted = |cells: &Map<String, Json>| {
            let names: BTreeSet<&str> = cells.keys().map(String::as_str).collect();
            names.into_iter().collect::<Vec<_>>().join(",")
        };
        let key = format!("{}:{}", sorted(&require), sorted(&fields));
        let empty = || Group { ranks: Vec::new(), require: Vec::new(), fields: Vec::new() };
        let group = groups.entry(key).or_insert_with(empty);
        group.ranks.push(at);
        group.require.push(require);
        group.fields.push(fields);
    }
    let actions: Vec<Json> = groups
        .values()
        .map(|group| {
            json!(["BulkAddOrUpdateRecord", table, columnar(&group.require).1, columnar(&group.fields).1, options])
        })
        .collect();
    let names: Vec<String> = names.into_iter().collect();
    let done = call.apply_on(table, &names, &actions)?;
    let mut rows = vec![json!([]); count];
    let (mut added, mut updated) = (Vec::new(), Vec::new());
    for (group, value) in groups.values().zip(&done.values) {
        for (rank, found) in group.ranks.iter().zip(value["recordIds"].as_array().into_iter().flatten()) {
            rows[*rank] = found.clone();
        }
        added.extend(value["addRecordIds"].as_array().cloned().unwrap_or_default());
        updated.extend(value["updateRecordIds"].as_array().cloned().unwrap_or_default());
    }
    Ok(json!({ "recordIds": rows, "addRecordIds": added, "updateRecordIds": updated }))
}

/// Unknown ids are passed over.
pub(super) fn delete(call: &DocumentCall<'_>, table: &str) -> Result<Json, Failure> {
    let rows = call.request.json()?;
    call.apply_on(table, &[], &[json!(["BulkRemoveRecord", table, rows])])?;
    Ok(Json::Null)
}
