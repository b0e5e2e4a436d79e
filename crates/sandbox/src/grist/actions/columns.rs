//! Columns: made, renamed, retyped, removed; what is shown in place of a reference.

use serde_json::{Map, Value as Json, json};

use super::metadata::{self, Values};
use super::{Arguments, views};
use crate::grist::bundle::Bundle;
use crate::grist::cell::{Cell, Kind};
use crate::grist::failure::Failure;
use crate::grist::identifiers::{self, Taken};
use crate::grist::table::Column;

const COLUMNS: &str = "_grist_Tables_column";

/// SQLite takes 2000 columns in a table, the row id among them.
const MOST: usize = 1999;

/// The properties of a new column, with Grist's defaults.
pub(super) struct Wanted {
    pub(super) column: Column,
    pub(super) kind: String,
}

impl Wanted {
    /// Without `isFormula` a new column is an empty one (Grist trap 8), unless `data` says otherwise.
    pub(super) fn new(id: String, info: &Map<String, Json>, formula_by_default: bool) -> Self {
        let text = |name: &str| info.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let is_formula = info.get("isFormula").map_or(formula_by_default, |value| *value == true);
        let kind = match info.get("type").and_then(Json::as_str) {
            Some(kind) => kind.to_owned(),
            None => if is_formula { "Any" } else { "Text" }.to_owned(),
        };
        let column =
            Column { kind: Kind::of(&kind), is_formula, formula: text("formula"), ..Column::data(&id, "Text") };
        Self { column, kind }
    }

    /// The row of `_grist_Tables_column`. Descriptions and `untieColIdFromLabel` are passed over, as Grist does.
    pub(super) fn insert(&self, bundle: &mut Bundle, table: i64, info: &Map<String, Json>) -> Result<i64, Failure> {
        known_kind(&self.kind)?;
        let id = &self.column.id;
        let cell = |name: &str| info.get(name).map(Cell::from_json);
        let mut values = vec![
            ("parentId", Cell::Int(table)),
            ("colId", Cell::text(id.as_str())),
            ("type", Cell::text(self.kind.as_str())),
            ("isFormula", Cell::Bool(self.column.is_formula)),
            ("formula", Cell::text(self.column.formula.as_str())),
            ("label", cell("label").unwrap_or_else(|| Cell::text(id.as_str()))),
            ("widgetOptions", cell("widgetOptions").unwrap_or_else(|| Cell::text(""))),
        ];
        values.extend(cell("visibleCol").map(|value| ("visibleCol", value)));
        metadata::insert(bundle, COLUMNS, &values)
    }
}

fn known_kind(kind: &str) -> Result<(), Failure> {
    if Kind::is_known(kind) {
        return Ok(());
    }
    Err(Failure::Engine(format!("AttributeError module 'grist' has no attribute '{kind}'")))
}

/// Names that a new column of a table cannot have.
fn taken(bundle: &Bundle, table: &str) -> Result<Taken, Failure> {
    let columns = &bundle.state.table(table)?.columns;
    Ok(columns.iter().map(|column| column.id.as_str()).chain(["id"]).collect())
}

/// Makes a column without showing it anywhere.
fn make(bundle: &mut Bundle, table: &str, id: &str, info: &Map<String, Json>) -> Result<(i64, String), Failure> {
    let owner = bundle.state.table_ref(table)?;
    let id = identifiers::column(id, &taken(bundle, table)?);
    if bundle.state.table(table)?.columns.len() >= MOST {
        return Err(Failure::refused(500, format!("SQLITE_ERROR: too many columns on {table}")));
    }
    let wanted = Wanted::new(id.clone(), info, true);
    bundle.insert_column(table, wanted.column.clone())?;
    Ok((wanted.insert(bundle, owner, info)?, id))
}

pub(super) fn add(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let table = arguments.text(0, "table_id")?;
    let info = arguments.members(2, "col_info")?;
    let owner = bundle.state.table_ref(table)?;
    let (row, id) = make(bundle, table, arguments.text(1, "col_id")?, info)?;
    if arguments.name != "AddHiddenColumn" {
        views::show_column(bundle, owner, row, arguments.name == "AddVisibleColumn")?;
    }
    Ok(json!({ "colRef": row, "colId": id }))
}

pub(super) fn rename(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let row = bundle.state.column_ref(arguments.text(0, "table_id")?, arguments.text(1, "old_col_id")?)?;
    let wanted = Cell::text(arguments.text(2, "new_col_id")?);
    update(bundle, row, Values::from([("colId".to_owned(), wanted)]))?;
    Ok(json!(bundle.state.meta(COLUMNS).text(row, "colId")))
}

pub(super) fn modify(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let row = bundle.state.column_ref(arguments.text(0, "table_id")?, arguments.text(1, "col_id")?)?;
    let mut values = Values::new();
    for (name, value) in arguments.members(2, "col_info")? {
        let name = if name == "_position" { "parentPos" } else { name };
        if !["colId", "id", "parentId"].contains(&name) {
            values.insert(name.to_owned(), Cell::from_json(value));
        }
    }
    if let Some(unknown) = values.keys().find(|name| bundle.state.meta(COLUMNS).column(name).is_none()) {
        return Err(Failure::key(unknown));
    }
    update(bundle, row, values)?;
    Ok(Json::Null)
}

pub(super) fn remove(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let row = bundle.state.column_ref(arguments.text(0, "table_id")?, arguments.text(1, "col_id")?)?;
    remove_rows(bundle, &[row])?;
    Ok(Json::Null)
}

/// Changes a column through its row: the label takes the id along unless they are untied, a new type converts the cells.
pub(super) fn update(bundle: &mut Bundle, row: i64, mut values: Values) -> Result<(), Failure> {
    let columns = bundle.state.meta(COLUMNS);
    let table = bundle.state.table_id(columns.int(row, "parentId")).to_owned();
    let old_id = columns.text(row, "colId").to_owned();
    let old_kind = columns.text(row, "type").to_owned();
    let untied = match values.get("untieColIdFromLabel") {
        Some(value) => value.is_true(),
        None => columns.is_true(row, "untieColIdFromLabel"),
    };
    let label = values.get("label").cloned();
    if !untied && (label.is_some() || values.contains_key("untieColIdFromLabel")) {
        let label = label.unwrap_or_else(|| Cell::text(columns.text(row, "label")));
        values.entry("colId".to_owned()).or_insert(label);
    }
    let new_id = match values.get("colId") {
        Some(wanted) if wanted.as_str() != Some(&old_id) => {
            let others = bundle.state.table(&table)?.columns.iter().map(|column| column.id.as_str());
            let taken: Taken = others.filter(|id| *id != old_id).chain(["id"]).collect();
            let id = identifiers::column(wanted.as_str().unwrap_or_default(), &taken);
            values.insert("colId".to_owned(), Cell::text(id.as_str()));
            id
        }
        _ => old_id.clone(),
    };
    let known = bundle.state.table(&table)?.column(&old_id).ok_or_else(|| Failure::key(&old_id))?.clone();
    let is_formula = values.get("isFormula").map_or(known.is_formula, Cell::is_true);
    if known.is_formula && !is_formula && old_kind == "Any" && !values.contains_key("type") {
        values.insert("type".to_owned(), Cell::text("Text"));
    }
    let new_kind = values.get("type").and_then(Cell::as_str).unwrap_or(&old_kind).to_owned();
    known_kind(&new_kind)?;
    let formula = values.get("formula").and_then(Cell::as_str).unwrap_or(&known.formula).to_owned();
    let same_target =
        Kind::of(&new_kind).target().is_some() && Kind::of(&new_kind).target() == Kind::of(&old_kind).target();
    let retyped = values.contains_key("type") && !same_target;
    if retyped {
        values.entry("displayCol".to_owned()).or_insert(Cell::Int(0));
        values.entry("visibleCol".to_owned()).or_insert(Cell::Int(0));
    }
    let kind = Kind::of(&new_kind);
    let column = Column { id: new_id.clone(), is_formula, formula, kind, ..known.clone() };
    if column != known {
        bundle.replace_column(&table, &old_id, column)?;
    }
    if retyped && new_kind != old_kind {
        for field in bundle.state.meta("_grist_Views_section_field").having("colRef", row) {
            let none = [("displayCol", Cell::Int(0)), ("visibleCol", Cell::Int(0))];
            metadata::set(bundle, "_grist_Views_section_field", field, &none)?;
        }
    }
    bundle.update_rows(COLUMNS, &[row], metadata::columns_of(values))?;
    if new_id != old_id { rename_in_formulas(bundle, &table, &old_id, &new_id) } else { Ok(()) }
}

/// Formulas follow a renamed column: `$old` in its own table, `$reference.old` elsewhere.
fn rename_in_formulas(bundle: &mut Bundle, table: &str, old: &str, new: &str) -> Result<(), Failure> {
    let columns = bundle.state.meta(COLUMNS);
    let mut changed = Vec::new();
    for row in columns.rows.keys().filter(|row| !columns.text(**row, "formula").is_empty()) {
        let formula = columns.text(*row, "formula");
        let owner = bundle.state.table_id(columns.int(*row, "parentId"));
        let mark = if owner == table { '$' } else { '.' };
        let renamed = replace_word(formula, mark, old, new);
        if renamed != formula {
            changed.push((*row, renamed));
        }
    }
    for (row, formula) in changed {
        update(bundle, row, Values::from([("formula".to_owned(), Cell::text(formula))]))?;
    }
    Ok(())
}

fn replace_word(text: &str, mark: char, old: &str, new: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    let wanted = format!("{mark}{old}");
    while let Some(at) = rest.find(&wanted) {
        let after = &rest[at + wanted.len()..];
        result.push_str(&rest[..=at]);
        result.push_str(if after.starts_with(|c: char| c.is_alphanumeric() || c == '_') { old } else { new });
        rest = after;
    }
    result + rest
}

/// Removes columns with their fields and helper columns.
pub(super) fn remove_rows(bundle: &mut Bundle, rows: &[i64]) -> Result<(), Failure> {
    for row in rows {
        let columns = bundle.state.meta(COLUMNS);
        if !columns.rows.contains_key(row) {
            continue;
        }
        let table = bundle.state.table_id(columns.int(*row, "parentId")).to_owned();
        let id = columns.text(*row, "colId").to_owned();
        let fields = bundle.state.meta("_grist_Views_section_field").having("colRef", *row);
        bundle.remove_rows("_grist_Views_section_field", &fields)?;
        bundle.remove_rows(COLUMNS, &[*row])?;
        bundle.drop_column(&table, &id)?;
    }
    Ok(())
}

pub(super) fn set_display_formula(bundle: &mut Bundle, arguments: &Arguments<'_>) -> Result<Json, Failure> {
    let table = arguments.text(0, "table_id")?;
    let (field, column) = (arguments.get(1, "field_ref")?, arguments.get(2, "col_ref")?);
    let formula = arguments.text(3, "formula")?;
    bundle.state.table_ref(table)?;
    let column = match column.as_str() {
        Some(id) => Some(bundle.state.column_ref(table, id)?),
        None => column.as_i64(),
    };
    let owners = [("_grist_Views_section_field", field.as_i64()), (COLUMNS, column)];
    let owners: Vec<(&str, i64)> =
        owners.into_iter().filter_map(|(table, row)| Some((table, row.filter(|row| *row != 0)?))).collect();
    if owners.len() > 1 {
        return Err(Failure::assertion("Should set either field or column display formula"));
    }
    for (owner, row) in owners {
        if !bundle.state.meta(owner).rows.contains_key(&row) {
            return Err(Failure::Engine(r#"KeyError "'get_record' found no matching record""#.to_owned()));
        }
        let helper = display_helper(bundle, table, bundle.state.meta(owner).int(row, "displayCol"), formula)?;
        metadata::set(bundle, owner, row, &[("displayCol", Cell::Int(helper))])?;
    }
    Ok(Json::Null)
}

fn users(bundle: &Bundle, helper: i64) -> usize {
    let tables = [COLUMNS, "_grist_Views_section_field"];
    tables.iter().map(|table| bundle.state.meta(table).having("displayCol", helper).len()).sum()
}

/// The hidden column that computes what is shown: the old one when nobody else uses it, one with that formula, or a new
/// one.
fn display_helper(bundle: &mut Bundle, table: &str, old: i64, formula: &str) -> Result<i64, Failure> {
    if formula.is_empty() {
        return Ok(0);
    }
    if old != 0 && users(bundle, old) == 1 {
        update(bundle, old, Values::from([("formula".to_owned(), Cell::text(formula))]))?;
        return Ok(old);
    }
    let columns = bundle.state.meta(COLUMNS);
    let same = bundle.state.columns_of(bundle.state.table_ref(table)?).into_iter().find(|row| {
        columns.text(*row, "colId").starts_with("gristHelper_Display") && columns.text(*row, "formula") == formula
    });
    if let Some(same) = same {
        return Ok(same);
    }
    let info = json!({ "type": "Any", "isFormula": true, "formula": formula });
    let info = info.as_object().expect("an object was written above");
    Ok(make(bundle, table, "gristHelper_Display", info)?.0)
}

/// Removes display helpers that nothing uses any more.
pub(super) fn sweep(bundle: &mut Bundle) -> Result<(), Failure> {
    let columns = bundle.state.meta(COLUMNS);
    let helpers = columns.rows.keys().copied();
    let unused: Vec<i64> = helpers
        .filter(|row| columns.text(*row, "colId").starts_with("gristHelper_Display") && users(bundle, *row) == 0)
        .collect();
    remove_rows(bundle, &unused)
}
