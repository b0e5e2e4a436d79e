//! Pages, their sections and the fields of sections.

use serde_json::{Value as Json, json};

use super::metadata::{self, Values};
use super::{Arguments, summary, tables};
use crate::grist::bundle::{Bundle, Columns};
use crate::grist::cell::Cell;
use crate::grist::failure::Failure;

const SECTIONS: &str = "_grist_Views_section";
const FIELDS: &str = "_grist_Views_section_field";

/// Makes a page; `raw_data` gives it a section of the table.
pub(super) fn make(bundle: &mut Bundle, table: &str, kind: &str, name: &str) -> Result<(i64, Vec<i64>), Failure> {
    let view = metadata::insert(bundle, "_grist_Views", &[("name", Cell::text(name)), ("type", Cell::text(kind))])?;
    metadata::insert(bundle, "_grist_TabBar", &[("viewRef", Cell::Int(view))])?;
    metadata::insert(bundle, "_grist_Pages", &[("viewRef", Cell::Int(view)), ("indentation", Cell::Int(0))])?;
    if kind != "raw_data" {
        return Ok((view, Vec::new()));
    }
    let table = bundle.state.table_ref(table)?;
    Ok((view, vec![make_section(bundle, table, view, "record", "", "[]")?]))
}

/// Makes a section with a field for each column that people see.
pub(super) fn make_section(
    bundle: &mut Bundle,
    table: i64,
    view: i64,
    kind: &str,
    title: &str,
    sort: &str,
) -> Result<i64, Failure> {
    let values = [
        ("tableRef", Cell::Int(table)),
        ("parentId", Cell::Int(view)),
        ("parentKey", Cell::text(kind)),
        ("title", Cell::text(title)),
        ("defaultWidth", Cell::Int(100)),
        ("borderWidth", Cell::Int(1)),
        ("sortColRefs", Cell::text(sort)),
    ];
    let section = metadata::insert(bundle, SECTIONS, &values)?;
    let card = bundle.state.meta("_grist_Tables").int(table, "recordCardViewSectionRef");
    let columns = if matches!(kind, "single" | "detail") && card != 0 {
        let fields = bundle.state.meta(FIELDS);
        let field = |row| (fields.int(row, "colRef"), fields.cell(row, "parentPos").cloned());
        fields.having("parentId", card).into_iter().map(field).collect()
    } else {
        let columns = bundle.state.meta("_grist_Tables_column");
        let visible = |column: &i64| {
            let id = columns.text(*column, "colId");
            id != "manualSort" && !id.starts_with("gristHelper_")
        };
        let columns = bundle.state.columns_of(table).into_iter().filter(visible);
        columns.map(|column| (column, None)).collect::<Vec<_>>()
    };
    for (column, position) in columns {
        let mut values = vec![("parentId", Cell::Int(section)), ("colRef", Cell::Int(column))];
        // A card is laid out as the one of the table is.
        values.extend(position.map(|position| ("parentPos", position)));
        metadata::insert(bundle, FIELDS, &values)?;
    }
    Ok(section)
}

pub(super) fn add_field(bundle: &mut Bundle, section: i64, column: i64) -> Result<(), Failure> {
    metadata::insert(bundle, FIELDS, &[("parentId", Cell::Int(section)), ("colRef", Cell::Int(column))])?;
    Ok(())
}

/// Shows a new column in the raw data and on the card; `everywhere` means in all grids too.
pub(super) fn show_column(bundle: &mut Bundle, table: i64, column: i64, everywhere: bool) -> Result<(), Failure> {
    let tables = bundle.state.meta("_grist_Tables");
    let raw = tables.int(table, "rawViewSectionRef");
    let card = tables.int(table, "recordCardViewSectionRef");
    let mut sections: Vec<i64> = [raw, card].into_iter().filter(|section| *section != 0).collect();
    if everywhere {
        let known = bundle.state.meta(SECTIONS);
        let grids = known.having("tableRef", table).into_iter();
        sections.extend(grids.filter(|row| *row != raw && known.text(*row, "parentKey") == "record"));
    }
    for section in sections {
        add_field(bundle, section, column)?;
    }
    Ok(())
}

pub(super) fn add(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let table = arguments.get(0, "table_id")?.as_str().unwrap_or_default();
    let (view, sections) = make(bundle, table, arguments.text(1, "view_type")?, arguments.text(2, "name")?)?;
    Ok(json!({ "id": view, "sections": sections }))
}

pub(super) fn add_section(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let table = bundle.state.table_ref(arguments.text(3, "table_id")?)?;
    let view = bundle.row_behind("_grist_Views", arguments.int(2, "view_row_id")?);
    let (title, kind) = (arguments.text(0, "title")?, arguments.text(1, "view_section_type")?);
    Ok(json!({ "id": make_section(bundle, table, view, kind, title, "[]")? }))
}

/// A section on a page, of a table or of its summary; zero makes a new table or a new page. Handles of rows that the bundle
/// made are not known here.
pub(super) fn create_section(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let mut table = arguments.int(0, "table_ref")?;
    let mut view = arguments.int(1, "view_ref")?;
    let kind = arguments.text(2, "section_type")?;
    let by = arguments.get(3, "groupby_colrefs")?;
    let by: Option<Vec<i64>> = by.as_array().map(|by| by.iter().filter_map(Json::as_i64).collect());
    let title = arguments.get(4, "table_id")?.as_str().unwrap_or_default();
    if table == 0 {
        table = tables::make_raw(bundle, title)?;
    }
    let missing = |bundle: &Bundle, owner: &str, row: i64| !bundle.state.meta(owner).rows.contains_key(&row);
    if missing(bundle, "_grist_Tables", table) || (view != 0 && missing(bundle, "_grist_Views", view)) {
        return Err(Failure::Engine(r#"KeyError "'get_record' found no matching record""#.to_owned()));
    }
    if view == 0 {
        let id = bundle.state.table_id(table).to_owned();
        view = make(bundle, &id, "empty", "New page")?.0;
    }
    let section = match by {
        Some(by) => summary::section(bundle, table, &by, view, kind)?,
        None => make_section(bundle, table, view, kind, "", "")?,
    };
    Ok(json!({ "tableRef": table, "viewRef": view, "sectionRef": section }))
}

/// Returns `true` if a section is the raw data or the record card of a table, and which.
pub(super) fn own_section(bundle: &Bundle, section: i64) -> Option<&'static str> {
    let tables = bundle.state.meta("_grist_Tables");
    let kinds = [("rawViewSectionRef", "raw"), ("recordCardViewSectionRef", "record card")];
    let owns = |column: &str| section != 0 && !tables.having(column, section).is_empty();
    kinds.into_iter().find(|(column, _)| owns(column)).map(|(_, kind)| kind)
}

/// Returns `true` if a field belongs to the raw data of a table.
pub(super) fn is_raw_field(bundle: &Bundle, field: i64) -> bool {
    own_section(bundle, bundle.state.meta(FIELDS).int(field, "parentId")) == Some("raw")
}

/// Raw data and record cards may only be changed in part.
pub(super) fn check_update(bundle: &Bundle, table: &str, rows: &[i64], columns: &Columns) -> Result<(), Failure> {
    if table != SECTIONS && table != FIELDS {
        return Ok(());
    }
    let known = bundle.state.meta(table);
    for (rank, row) in rows.iter().enumerate() {
        let section = if table == SECTIONS { *row } else { known.int(*row, "parentId") };
        let Some(kind) = own_section(bundle, section) else { continue };
        let free: &[&str] = match (table == SECTIONS, kind) {
            (true, "raw") => &["title", "description", "options", "sortColRefs", "rules"],
            (true, _) => &["layoutSpec", "options", "theme"],
            (false, "raw") => &["parentPos", "width"],
            (false, _) => &["displayCol", "parentPos", "rules", "visibleCol", "widgetOptions"],
        };
        let changed = columns.iter().filter(|(column, values)| {
            values.get(rank).is_some_and(|value| known.cell(*row, column).is_some_and(|cell| !cell.same(value)))
        });
        if changed.into_iter().any(|(column, _)| !free.contains(&column.as_str())) {
            let fields = if table == SECTIONS { "" } else { " fields" };
            return Err(Failure::value(format!("Cannot modify {kind} view section{fields}")));
        }
    }
    Ok(())
}

/// Changes a section; the title of raw data is the name of the table, which takes its id and its page along.
pub(super) fn update_section(bundle: &mut Bundle, row: i64, values: Values) -> Result<(), Failure> {
    let table = bundle.state.meta("_grist_Tables").having("rawViewSectionRef", row).first().copied();
    if let (Some(table), Some(title)) = (table, values.get("title").and_then(Cell::as_str)) {
        let sections = bundle.state.meta(SECTIONS);
        let old = match sections.text(row, "title") {
            "" => bundle.state.table_id(table),
            title => title,
        };
        let views = bundle.state.meta("_grist_Views");
        let owners = sections.having("tableRef", table).into_iter().map(|section| sections.int(section, "parentId"));
        let named: Vec<i64> = owners.filter(|view| *view != 0 && views.text(*view, "name") == old).collect();
        for view in named {
            metadata::set(bundle, "_grist_Views", view, &[("name", Cell::text(title))])?;
        }
        tables::update(bundle, table, Values::from([("tableId".to_owned(), Cell::text(title))]))?;
    }
    bundle.update_rows(SECTIONS, &[row], metadata::columns_of(values))
}

/// Removes sections with their fields.
pub(super) fn remove_sections(bundle: &mut Bundle, sections: &[i64]) -> Result<(), Failure> {
    let known = bundle.state.meta(FIELDS);
    let fields: Vec<i64> = sections.iter().flat_map(|section| known.having("parentId", *section)).collect();
    bundle.remove_rows(FIELDS, &fields)?;
    bundle.remove_rows(SECTIONS, sections)
}

/// Removes pages with their sections.
pub(super) fn remove_rows(bundle: &mut Bundle, views: &[i64]) -> Result<(), Failure> {
    for view in views {
        for owner in ["_grist_TabBar", "_grist_Pages"] {
            let rows = bundle.state.meta(owner).having("viewRef", *view);
            bundle.remove_rows(owner, &rows)?;
        }
        let sections = bundle.state.meta(SECTIONS).having("parentId", *view);
        remove_sections(bundle, &sections)?;
    }
    bundle.remove_rows("_grist_Views", views)
}
