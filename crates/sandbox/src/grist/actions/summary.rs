//! Summary tables: made for a widget that groups rows, and gone with the last one. Their rows are never computed.

use serde_json::{Map, Value as Json, json};

use super::columns::Wanted;
use super::metadata;
use super::views;
use crate::grist::bundle::Bundle;
use crate::grist::cell::Cell;
use crate::grist::failure::Failure;
use crate::grist::identifiers;

const TABLES: &str = "_grist_Tables";
const COLUMNS: &str = "_grist_Tables_column";
const SECTIONS: &str = "_grist_Views_section";

/// A column of a summary that is to be made.
struct Computed {
    id: String,
    info: Map<String, Json>,
}

fn computed(id: &str, info: Json) -> Computed {
    let info = info.as_object().cloned().unwrap_or_default();
    Computed { id: id.to_owned(), info }
}

/// Makes a section of the rows of a table, grouped by some of its columns.
pub(super) fn section(bundle: &mut Bundle, source: i64, by: &[i64], view: i64, kind: &str) -> Result<i64, Failure> {
    let columns = bundle.state.meta(COLUMNS);
    if let Some(other) = by.iter().find(|column| columns.int(**column, "parentId") != source) {
        return Err(Failure::value(format!("Column {other} does not belong to table {source}")));
    }
    let formulas = formulas(bundle, source, by);
    let table = match find(bundle, source, by) {
        Some(table) => table,
        None => make(bundle, source, by, &formulas)?,
    };
    let values = [("tableRef", Cell::Int(table)), ("parentId", Cell::Int(view)), ("parentKey", Cell::text(kind))];
    let section = metadata::insert(bundle, SECTIONS, &values)?;
    let own = bundle.state.columns_of(table);
    let columns = bundle.state.meta(COLUMNS);
    let grouped = by.iter().filter_map(|of| own.iter().find(|own| columns.int(**own, "summarySourceCol") == *of));
    let values = formulas.iter().filter(|formula| formula.id != "group");
    let values = values.filter_map(|formula| own.iter().find(|own| columns.text(**own, "colId") == formula.id));
    for column in grouped.chain(values).copied().collect::<Vec<_>>() {
        views::add_field(bundle, section, column)?;
    }
    Ok(section)
}

/// Finds the summary of a table by some columns.
fn find(bundle: &Bundle, source: i64, by: &[i64]) -> Option<i64> {
    let sorted = |mut columns: Vec<i64>| {
        columns.sort_unstable();
        columns
    };
    let columns = bundle.state.meta(COLUMNS);
    let key = |table: &i64| {
        let own = bundle.state.columns_of(*table).into_iter();
        sorted(own.map(|column| columns.int(column, "summarySourceCol")).filter(|of| *of != 0).collect())
    };
    let wanted = sorted(by.to_vec());
    bundle.state.meta(TABLES).having("summarySourceTable", source).into_iter().find(|table| key(table) == wanted)
}

/// The columns that a summary computes: the group, its size, and a sum of every number unless another summary of the table
/// has a formula of that name.
fn formulas(bundle: &Bundle, source: i64, by: &[i64]) -> Vec<Computed> {
    let columns = bundle.state.meta(COLUMNS);
    let others = bundle.state.meta(TABLES).having("summarySourceTable", source);
    let sister = |id: &str| {
        let own = others.iter().flat_map(|table| bundle.state.columns_of(*table));
        own.into_iter().find(|column| columns.text(*column, "colId") == id && columns.is_true(*column, "isFormula"))
    };
    let info = |column: i64, formula: &str| {
        let text = |name: &str| columns.text(column, name);
        json!({
            "type": text("type"), "isFormula": true, "formula": formula, "widgetOptions": text("widgetOptions"),
            "label": text("label"),
        })
    };
    let group = json!({
        "type": format!("RefList:{}", bundle.state.table_id(source)), "isFormula": true,
        "formula": "table.getSummarySourceGroup(rec)",
    });
    let mut formulas = vec![computed("group", group)];
    for column in bundle.state.columns_of(source) {
        let id = columns.text(column, "colId");
        let hidden = id == "manualSort" || id == "group" || id.starts_with("gristHelper_");
        if by.contains(&column) || hidden {
            continue;
        }
        if let Some(sister) = sister(id) {
            formulas.push(computed(id, info(sister, columns.text(sister, "formula"))));
        } else if ["Int", "Numeric"].contains(&columns.text(column, "type")) {
            formulas.push(computed(id, info(column, &format!("SUM($group.{id})"))));
        }
    }
    if formulas.iter().all(|formula| formula.id != "count") {
        let count = json!({ "type": "Int", "isFormula": true, "formula": "len($group)" });
        formulas.insert(1, computed("count", count));
    }
    formulas
}

fn make(bundle: &mut Bundle, source: i64, by: &[i64], formulas: &[Computed]) -> Result<i64, Failure> {
    let columns = bundle.state.meta(COLUMNS);
    let mut ids: Vec<&str> = by.iter().map(|column| columns.text(*column, "colId")).collect();
    ids.sort_unstable();
    let mut name = format!("{}_summary", bundle.state.table_id(source));
    if !ids.is_empty() {
        name = format!("{name}_{}", ids.join("_"));
    }
    let id = identifiers::table(&name, &bundle.state.tables.keys().collect());
    let grouped = by.iter().map(|column| {
        let text = |name: &str| columns.text(*column, name).to_owned();
        // A list has a row for each of its items.
        let kind = match text("type").as_str() {
            "ChoiceList" => "Choice".to_owned(),
            other => other.replace("RefList:", "Ref:"),
        };
        let (widget, label) = (text("widgetOptions"), text("label"));
        computed(&text("colId"), json!({ "type": kind, "isFormula": false, "widgetOptions": widget, "label": label }))
    });
    let grouped: Vec<Computed> = grouped.collect();
    let wanted: Vec<(Wanted, &Map<String, Json>)> = grouped
        .iter()
        .chain(formulas)
        .map(|column| (Wanted::new(column.id.clone(), &column.info, false), &column.info))
        .collect();
    bundle.insert_table(&id, wanted.iter().map(|(wanted, _)| wanted.column.clone()).collect());
    let values = [("tableId", Cell::text(id.as_str())), ("summarySourceTable", Cell::Int(source))];
    let table = metadata::insert(bundle, TABLES, &values)?;
    for (place, (wanted, info)) in wanted.iter().enumerate() {
        let column = wanted.insert(bundle, table, info)?;
        if let Some(of) = by.get(place) {
            let visible = Cell::Int(bundle.state.meta(COLUMNS).int(*of, "visibleCol"));
            metadata::set(bundle, COLUMNS, column, &[("summarySourceCol", Cell::Int(*of)), ("visibleCol", visible)])?;
        }
    }
    let raw = views::make_section(bundle, table, 0, "record", "", "")?;
    metadata::set(bundle, TABLES, table, &[("rawViewSectionRef", Cell::Int(raw))])?;
    Ok(table)
}

/// Lists the summary tables that no widget shows any more.
pub(super) fn unused(bundle: &Bundle) -> Vec<i64> {
    let tables = bundle.state.meta(TABLES);
    let sections = bundle.state.meta(SECTIONS);
    let shown = |table: &i64| {
        let raw = tables.int(*table, "rawViewSectionRef");
        sections.having("tableRef", *table).into_iter().any(|section| section != raw)
    };
    let summaries = tables.rows.keys().copied().filter(|table| tables.int(*table, "summarySourceTable") != 0);
    summaries.filter(|table| !shown(table)).collect()
}
