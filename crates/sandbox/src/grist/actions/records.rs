//! Adding, updating and removing records.

use serde_json::{Value as Json, json};

use super::{Arguments, metadata, row};
use crate::grist::bundle::{Bundle, Columns};
use crate::grist::cell::{Cell, Kind, guess, parse};
use crate::grist::failure::Failure;
use crate::grist::state::is_metadata;
use crate::grist::table::Column;

fn is_bulk(arguments: &Arguments<'_>) -> bool {
    arguments.name.starts_with("Bulk")
}

pub(super) fn add(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let table = arguments.text(0, "table_id")?;
    let (rows, columns) = if is_bulk(arguments) {
        (arguments.rows(1)?, arguments.columns(2, "column_values")?)
    } else {
        (vec![row(arguments.get(1, "row_id")?)?], arguments.single(2, "column_values")?)
    };
    let columns = accepted(bundle, table, columns)?;
    let ids = bundle.add_rows(table, &rows, columns)?;
    Ok(if is_bulk(arguments) { json!(ids) } else { json!(ids[0]) })
}

pub(super) fn update(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let table = arguments.text(0, "table_id")?;
    let (rows, columns) = if is_bulk(arguments) {
        (arguments.rows(1)?, arguments.columns(2, "columns")?)
    } else {
        (vec![row(arguments.get(1, "row_id")?)?], arguments.single(2, "columns")?)
    };
    let rows: Vec<i64> = rows.into_iter().map(|row| row.unwrap_or_default()).collect();
    update_rows(bundle, table, &rows, columns)?;
    Ok(Json::Null)
}

/// Updates rows of any table; those of Grist's own have consequences.
pub(super) fn update_rows(bundle: &mut Bundle, table: &str, rows: &[i64], columns: Columns) -> Result<(), Failure> {
    if is_metadata(table) {
        return metadata::update(bundle, table, rows, columns);
    }
    let columns = accepted(bundle, table, columns)?;
    bundle.update_rows(table, rows, columns)
}

pub(super) fn remove(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let table = arguments.text(0, "table_id")?;
    let rows = if is_bulk(arguments) { arguments.rows(1)? } else { vec![row(arguments.get(1, "row_id")?)?] };
    let rows: Vec<i64> = rows.into_iter().flatten().collect();
    bundle.state.table(table)?;
    metadata::remove(bundle, table, &rows)?;
    Ok(Json::Null)
}

/// Values as the columns accept them: texts are parsed unless `noparse` was asked, formula columns refuse, and an empty
/// column takes the type of what it is given (Grist trap 8).
pub(super) fn accepted(bundle: &mut Bundle, table: &str, columns: Columns) -> Result<Columns, Failure> {
    let mut accepted = Columns::new();
    for (id, values) in columns {
        let known = bundle.state.table(table)?.column(&id).ok_or_else(|| Failure::key(&id))?.clone();
        if known.is_formula && !known.formula.is_empty() {
            return Err(Failure::value(format!("Can't save value to formula column {id}")));
        }
        let values = match bundle.parse {
            Some(today) if !is_metadata(table) => {
                values.into_iter().map(|value| parse(&known.kind, value, today)).collect()
            }
            _ => values,
        };
        let values = if known.is_formula { fill_empty(bundle, table, &known, values)? } else { Some(values) };
        if let Some(values) = values {
            accepted.insert(id, values);
        }
    }
    Ok(accepted)
}

/// Makes an empty column one of data; `None` when nothing but blanks was given, which leaves it empty.
fn fill_empty(
    bundle: &mut Bundle,
    table: &str,
    column: &Column,
    values: Vec<Cell>,
) -> Result<Option<Vec<Cell>>, Failure> {
    let today = bundle.parse.unwrap_or_else(|| jiff::civil::date(2000, 1, 1));
    let (kind, values) = if column.kind == Kind::Any {
        let Some(guessed) = guess(values, today) else { return Ok(None) };
        guessed
    } else {
        ("", values)
    };
    let row = bundle.state.column_ref(table, &column.id)?;
    let mut changes = Columns::from([("isFormula".to_owned(), vec![Cell::Bool(false)])]);
    if !kind.is_empty() {
        changes.insert("type".to_owned(), vec![Cell::text(kind)]);
    }
    metadata::update(bundle, "_grist_Tables_column", &[row], changes)?;
    Ok(Some(values))
}
