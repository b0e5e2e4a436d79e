//! Checks of the shape of bodies, with the words of the refusal.

use serde_json::{Map, Value as Json};

use crate::grist::failure::Failure;

/// A list of objects under a name, at least one of them.
pub(super) fn objects<'a>(body: &'a Json, name: &str, kind: &str) -> Result<Vec<&'a Map<String, Json>>, Failure> {
    let items = match body.get(name) {
        None => return Err(Failure::payload(&format!("body.{name} is missing"))),
        Some(Json::Array(items)) => items,
        Some(_) => return Err(Failure::payload(&format!("body.{name} is not an array"))),
    };
    let wrong =
        |at: usize| Failure::payload(&format!("body.{name}[{at}] is not a {kind}; body.{name}[{at}] is not an object"));
    if items.is_empty() {
        return Err(wrong(0));
    }
    items.iter().enumerate().map(|(at, item)| item.as_object().ok_or_else(|| wrong(at))).collect()
}

/// Cells under a name, an empty set when absent. Bare lists and objects are no cells.
pub(super) fn cells(
    record: &Map<String, Json>,
    name: &str,
    at: usize,
    kind: &str,
) -> Result<Map<String, Json>, Failure> {
    let Some(cells) = record.get(name) else { return Ok(Map::new()) };
    let path = format!("body.records[{at}] is not a {kind}; body.records[{at}].{name}");
    let cells = cells.as_object().ok_or_else(|| Failure::payload(&format!("{path} is not an object")))?;
    for (column, cell) in cells {
        let fine = match cell {
            Json::Object(_) => false,
            Json::Array(items) => items
                .first()
                .and_then(Json::as_str)
                .is_some_and(|code| ["L", "l", "O", "D", "d", "C", "S", "R", "r", "E", "P", "U", "V"].contains(&code)),
            _ => true,
        };
        if !fine {
            let place = format!("body.records[{at}].{name}.{column}");
            let more = if cell.is_array() {
                format!("; {place}[0] is not a GristObjCode; {place}[0] is not a valid enum value")
            } else {
                String::new()
            };
            let text = format!(
                "{path}.{column} is not a CellValue; {place} is none of number, string, boolean, null, 1 more{more}"
            );
            return Err(Failure::payload(&text));
        }
    }
    Ok(cells.clone())
}

/// A text under a name.
pub(super) fn text<'a>(object: &'a Map<String, Json>, name: &str, path: &str) -> Result<&'a str, Failure> {
    object.get(name).and_then(Json::as_str).ok_or_else(|| Failure::payload(&format!("{path}.{name} is missing")))
}
