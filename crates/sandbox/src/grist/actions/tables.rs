//! Tables: made, renamed, removed.

use serde_json::{Map, Value as Json, json};

use super::columns::{self, Wanted};
use super::metadata::{self, Values};
use super::{Arguments, views};
use crate::grist::bundle::Bundle;
use crate::grist::cell::{Cell, Kind};
use crate::grist::failure::Failure;
use crate::grist::identifiers::{self, Taken};

const TABLES: &str = "_grist_Tables";

pub(super) fn add(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let title = arguments.get(0, "table_id")?.as_str().unwrap_or_default();
    let columns = arguments.get(1, "columns")?.as_array().cloned().unwrap_or_default();
    make(bundle, title, &columns, true)
}

/// A table with three empty columns; `AddRawTable` gives it no page.
pub(super) fn add_empty(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let title = arguments.get(0, "table_id")?.as_str().unwrap_or_default();
    let empty = json!({ "id": null, "isFormula": true });
    make(bundle, title, &[empty.clone(), empty.clone(), empty], arguments.name == "AddEmptyTable")
}

/// A raw table for a new section.
pub(super) fn make_raw(bundle: &mut Bundle, title: &str) -> Result<i64, Failure> {
    let empty = json!({ "id": null, "isFormula": true });
    let made = make(bundle, title, &[empty.clone(), empty.clone(), empty], false)?;
    Ok(made["id"].as_i64().unwrap_or_default())
}

/// Makes a table under a free name. Columns hold data unless they have a formula or say otherwise.
fn make(bundle: &mut Bundle, title: &str, columns: &[Json], page: bool) -> Result<Json, Failure> {
    if columns.len() > 1998 {
        return Err(Failure::refused(500, format!("SQLITE_ERROR: too many columns on {title}")));
    }
    let id = identifiers::table(title, &bundle.state.tables.keys().collect());
    let title = if title.is_empty() { id.clone() } else { title.to_owned() };
    let mut taken = Taken::from_iter(["id", "manualSort"]);
    let hidden = Map::from_iter([("type".to_owned(), json!("ManualSortPos")), ("isFormula".to_owned(), json!(false))]);
    let mut wanted = vec![(Wanted::new("manualSort".to_owned(), &hidden, false), hidden)];
    for info in columns {
        let info = info.as_object().cloned().unwrap_or_default();
        let column = identifiers::column(info.get("id").and_then(Json::as_str).unwrap_or_default(), &taken);
        taken.add(&column);
        let has_formula = info.get("formula").and_then(Json::as_str).is_some_and(|formula| !formula.is_empty());
        wanted.push((Wanted::new(column, &info, has_formula), info));
    }
    bundle.insert_table(&id, wanted.iter().map(|(wanted, _)| wanted.column.clone()).collect());
    let table = metadata::insert(bundle, TABLES, &[("tableId", Cell::text(id.as_str()))])?;
    for (wanted, info) in &wanted {
        wanted.insert(bundle, table, info)?;
    }
    let names: Vec<&str> = wanted.iter().skip(1).map(|(wanted, _)| wanted.column.id.as_str()).collect();
    let mut made = json!({ "id": table, "table_id": id, "columns": names });
    if page {
        let (view, sections) = views::make(bundle, &id, "raw_data", &title)?;
        made["views"] = json!([{ "id": view, "sections": sections }]);
        metadata::set(bundle, TABLES, table, &[("primaryViewId", Cell::Int(view))])?;
    }
    let title = if title == id { "" } else { &title };
    let raw = views::make_section(bundle, table, 0, "record", title, "")?;
    metadata::set(bundle, TABLES, table, &[("rawViewSectionRef", Cell::Int(raw))])?;
    let card = views::make_section(bundle, table, 0, "single", "", "")?;
    metadata::set(bundle, TABLES, table, &[("recordCardViewSectionRef", Cell::Int(card))])?;
    Ok(made)
}

pub(super) fn rename(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let table = bundle.state.table_ref(arguments.text(0, "old_table_id")?)?;
    let wanted = Cell::text(arguments.text(1, "new_table_id")?);
    update(bundle, table, Values::from([("tableId".to_owned(), wanted)]))?;
    Ok(json!(bundle.state.table_id(table)))
}

pub(super) fn remove(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let table = bundle.state.table_ref(arguments.text(0, "table_id")?)?;
    remove_rows(bundle, &[table])?;
    Ok(Json::Null)
}

/// Changes a table through its row; references to it follow a new name.
pub(super) fn update(bundle: &mut Bundle, row: i64, mut values: Values) -> Result<(), Failure> {
    let old = bundle.state.table_id(row).to_owned();
    let wanted = values.get("tableId").and_then(Cell::as_str).filter(|wanted| *wanted != old).map(str::to_owned);
    if let Some(wanted) = wanted {
        let taken: Taken = bundle.state.tables.keys().filter(|id| **id != old).collect();
        let new = identifiers::table(&wanted, &taken);
        values.insert("tableId".to_owned(), Cell::text(new.as_str()));
        if new != old {
            let references = bundle.state.references_to(&old);
            bundle.rename_table(&old, &new);
            metadata::set(bundle, TABLES, row, &[("tableId", Cell::text(new.as_str()))])?;
            for (owner, column) in references {
                let owner = if owner == old { &new } else { &owner };
                retarget(bundle, owner, &column, &new)?;
            }
        }
    }
    bundle.update_rows(TABLES, &[row], metadata::columns_of(values))
}

/// Lets a reference point to a table under its new name. What it shows stays.
fn retarget(bundle: &mut Bundle, owner: &str, column: &str, target: &str) -> Result<(), Failure> {
    let Some(row) = bundle.state.find_column(owner, column) else { return Ok(()) };
    let mut known = bundle.state.table(owner)?.column(column).ok_or_else(|| Failure::key(column))?.clone();
    let (kind, text) = match &known.kind {
        Kind::Ref(_) => (Kind::Ref(target.to_owned()), format!("Ref:{target}")),
        _ => (Kind::RefList(target.to_owned()), format!("RefList:{target}")),
    };
    known.kind = kind;
    bundle.replace_column(owner, column, known)?;
    metadata::set(bundle, "_grist_Tables_column", row, &[("type", Cell::text(text))])
}

/// Removes tables with their columns and sections, and the pages that show nothing any more.
pub(super) fn remove_rows(bundle: &mut Bundle, rows: &[i64]) -> Result<(), Failure> {
    for row in rows {
        let id = bundle.state.table_id(*row).to_owned();
        if id.is_empty() {
            continue;
        }
        for (owner, column) in bundle.state.references_to(&id) {
            if owner != id {
                detach(bundle, &id, &owner, &column)?;
            }
        }
        let summaries = bundle.state.meta(TABLES).having("summarySourceTable", *row);
        remove_rows(bundle, &summaries)?;
        let sections = bundle.state.meta("_grist_Views_section").having("tableRef", *row);
        views::remove_sections(bundle, &sections)?;
        let sections = bundle.state.meta("_grist_Views_section");
        let views = bundle.state.meta("_grist_Views").rows.keys().copied();
        let empty: Vec<i64> = views.filter(|view| sections.having("parentId", *view).is_empty()).collect();
        views::remove_rows(bundle, &empty)?;
        let columns = bundle.state.columns_of(*row);
        bundle.remove_rows("_grist_Tables_column", &columns)?;
        bundle.remove_rows(TABLES, &[*row])?;
        bundle.drop_table(&id);
    }
    Ok(())
}

/// A reference whose table goes keeps what it shows: the values of the visible column, or row ids.
fn detach(bundle: &mut Bundle, target: &str, owner: &str, column: &str) -> Result<(), Failure> {
    let Some(row) = bundle.state.find_column(owner, column) else { return Ok(()) };
    let columns = bundle.state.meta("_grist_Tables_column");
    let visible = columns.int(row, "visibleCol");
    let shown = (visible != 0 && columns.int(row, "displayCol") != 0)
        .then(|| (columns.text(visible, "colId").to_owned(), columns.text(visible, "type").to_owned()));
    let content = bundle.state.table(owner)?;
    let is_list = matches!(content.column(column).map(|known| &known.kind), Some(Kind::RefList(_)));
    let at = content.position(column).ok_or_else(|| Failure::key(column))?;
    let source = bundle.state.table(target)?;
    let show = |cell: &Cell| match (&shown, cell) {
        (Some((visible, _)), Cell::Int(row)) => source.cell(*row, visible).cloned().unwrap_or(Cell::Null),
        _ => cell.clone(),
    };
    let text = |cell: &Cell| crate::grist::cell::convert(&Kind::Text, show(cell));
    let values: Vec<Cell> = content
        .rows
        .values()
        .map(|cells| match &cells[at] {
            Cell::List(items) => {
                let texts: Vec<Cell> = items.iter().map(text).collect();
                let separator = if shown.is_some() { ", " } else { "," };
                Cell::text(texts.iter().filter_map(Cell::as_str).collect::<Vec<_>>().join(separator))
            }
            Cell::Null if is_list => Cell::text(""),
            cell => show(cell),
        })
        .collect();
    let rows: Vec<i64> = content.rows.keys().copied().collect();
    let kind = match shown {
        _ if is_list => "Text".to_owned(),
        Some((_, kind)) => kind,
        None => "Int".to_owned(),
    };
    columns::update(bundle, row, Values::from([("type".to_owned(), Cell::text(kind))]))?;
    bundle.update_rows(owner, &rows, [(column.to_owned(), values)].into())
}
