//! Writing Grist's own tables: a row of theirs is a table, a column or a view, and changes with it.

use std::collections::BTreeMap;

use super::{columns, tables, views};
use crate::grist::bundle::{Bundle, Columns};
use crate::grist::cell::Cell;
use crate::grist::failure::Failure;

const FIELDS: &str = "_grist_Views_section_field";

/// Values of one row, by column.
pub(super) type Values = BTreeMap<String, Cell>;

/// Adds one row and gives its id.
pub(super) fn insert(bundle: &mut Bundle, table: &str, values: &[(&str, Cell)]) -> Result<i64, Failure> {
    let columns = values.iter().map(|(column, value)| ((*column).to_owned(), vec![value.clone()])).collect();
    let ids = bundle.add_rows(table, &[None], columns)?;
    Ok(ids[0])
}

/// Sets cells of one row, without any consequence.
pub(super) fn set(bundle: &mut Bundle, table: &str, row: i64, values: &[(&str, Cell)]) -> Result<(), Failure> {
    let columns = values.iter().map(|(column, value)| ((*column).to_owned(), vec![value.clone()])).collect();
    bundle.update_rows(table, &[row], columns)
}

/// Updates rows with what follows from it: renames, conversions.
pub(super) fn update(bundle: &mut Bundle, table: &str, rows: &[i64], columns: Columns) -> Result<(), Failure> {
    views::check_update(bundle, table, rows, &columns)?;
    let one_by_one = match table {
        "_grist_Tables_column" | "_grist_Tables" => true,
        "_grist_Views_section" => columns.contains_key("title"),
        _ => false,
    };
    if !one_by_one {
        return bundle.update_rows(table, rows, columns);
    }
    let known = bundle.state.meta(table);
    if let Some(unknown) = columns.keys().find(|column| known.column(column).is_none()) {
        return Err(Failure::key(unknown));
    }
    for (rank, row) in rows.iter().enumerate() {
        let row = bundle.row_behind(table, *row);
        if !bundle.state.meta(table).rows.contains_key(&row) {
            return Err(Failure::Engine(r#"KeyError "'get_record' found no matching record""#.to_owned()));
        }
        let values: Values =
            columns.iter().filter_map(|(column, values)| Some((column.clone(), values.get(rank)?.clone()))).collect();
        match table {
            "_grist_Tables_column" => columns::update(bundle, row, values)?,
            "_grist_Tables" => tables::update(bundle, row, values)?,
            _ => views::update_section(bundle, row, values)?,
        }
    }
    Ok(())
}

/// Removes rows with what belongs to them.
pub(super) fn remove(bundle: &mut Bundle, table: &str, rows: &[i64]) -> Result<(), Failure> {
    let owners = ["_grist_Tables", "_grist_Tables_column", "_grist_Views", "_grist_Views_section", FIELDS];
    if owners.contains(&table) {
        let known = bundle.state.meta(table);
        if rows.iter().any(|row| !known.rows.contains_key(&bundle.row_behind(table, *row))) {
            return Err(Failure::Engine(r#"KeyError "'get_record' found no matching record""#.to_owned()));
        }
    }
    match table {
        FIELDS if rows.iter().any(|row| views::is_raw_field(bundle, *row)) => {
            Err(Failure::value("Cannot remove raw view section field"))
        }
        "_grist_Tables" => tables::remove_rows(bundle, rows),
        "_grist_Tables_column" => columns::remove_rows(bundle, rows),
        "_grist_Views" => views::remove_rows(bundle, rows),
        "_grist_Views_section" => {
            if let Some(kind) = rows.iter().find_map(|row| views::own_section(bundle, *row)) {
                return Err(Failure::value(format!("Cannot remove {kind} view section")));
            }
            views::remove_sections(bundle, rows)
        }
        _ => bundle.remove_rows(table, rows),
    }
}

/// One row after the other, as `update_rows` takes them.
pub(super) fn columns_of(values: Values) -> Columns {
    values.into_iter().map(|(column, value)| (column, vec![value])).collect()
}
