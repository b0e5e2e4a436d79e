//! User actions (docs/grist-api.md#requests): what one bundle does.

mod columns;
mod metadata;
mod records;
mod summary;
mod tables;
mod upsert;
mod views;

use serde_json::{Map, Value as Json};

use super::bundle::{Bundle, Columns};
use super::cell::Cell;
use super::failure::Failure;
use super::state::is_metadata;

/// Actions on records.
const DATA: [&str; 8] = [
    "AddRecord",
    "BulkAddRecord",
    "UpdateRecord",
    "BulkUpdateRecord",
    "RemoveRecord",
    "BulkRemoveRecord",
    "ReplaceTableData",
    "TableData",
];

/// Actions on the structure.
const STRUCTURE: [&str; 15] = [
    "AddTable",
    "AddEmptyTable",
    "AddRawTable",
    "RemoveTable",
    "RenameTable",
    "AddColumn",
    "AddVisibleColumn",
    "AddHiddenColumn",
    "RemoveColumn",
    "RenameColumn",
    "ModifyColumn",
    "SetDisplayFormula",
    "AddView",
    "AddViewSection",
    "CreateViewSection",
];

const UPSERTS: [&str; 2] = ["AddOrUpdateRecord", "BulkAddOrUpdateRecord"];

/// The name of an action.
fn name(action: &Json) -> String {
    match action.get(0) {
        Some(Json::String(name)) => name.clone(),
        _ => action.as_str().unwrap_or("undefined").to_owned(),
    }
}

/// Tables whose rows a bundle upserts.
pub(super) fn upserted(actions: &[Json]) -> Vec<&str> {
    let upserts = actions.iter().filter(|action| UPSERTS.contains(&name(action).as_str()));
    upserts.filter_map(|action| action.get(1)?.as_str()).collect()
}

/// Returns `true` if an action changes the structure, by its name or by the table of Grist's own that it writes.
pub(super) fn changes_structure(action: &Json) -> bool {
    let name = name(action);
    STRUCTURE.contains(&name.as_str())
        || (DATA.contains(&name.as_str()) && action.get(1).and_then(Json::as_str).is_some_and(is_metadata))
}

/// Checks that the web process makes before the data engine sees an action.
pub(super) fn check(actions: &[Json]) -> Result<(), Failure> {
    let refused = |message: String| Failure::refused(500, message);
    for action in actions {
        let name = name(action);
        let data = DATA.contains(&name.as_str());
        if !data && !STRUCTURE.contains(&name.as_str()) && !UPSERTS.contains(&name.as_str()) {
            return Err(refused(format!("Blocked by access rules: '{name}' actions are not controlled")));
        }
        match action.get(1) {
            Some(Json::String(_)) => {}
            None if data => {
                return Err(refused("Cannot read properties of undefined (reading 'startsWith')".to_owned()));
            }
            _ if data => return Err(refused("tableId.startsWith is not a function".to_owned())),
            _ => {}
        }
    }
    let upserted = upserted(actions);
    if upserted.is_empty() {
        return Ok(());
    }
    for action in actions {
        let name = name(action);
        if !UPSERTS.contains(&name.as_str()) && (!DATA.contains(&name.as_str()) || changes_structure(action)) {
            let text = "Can only combine AddOrUpdateRecord and BulkAddOrUpdateRecord with simple data changes";
            return Err(refused(text.to_owned()));
        }
        if UPSERTS.contains(&name.as_str()) && action.get(1).and_then(Json::as_str).is_some_and(is_metadata) {
            return Err(refused(format!("{name} cannot yet be used on metadata tables")));
        }
    }
    Ok(())
}

/// The arguments of an action, in order.
pub(super) struct Arguments<'a> {
    name: &'a str,
    items: &'a [Json],
}

impl<'a> Arguments<'a> {
    fn get(&self, at: usize, what: &str) -> Result<&'a Json, Failure> {
        self.items.get(at).ok_or_else(|| {
            let name = self.name;
            let text = format!("TypeError {name}: {name}.__new__() missing 1 required positional argument: '{what}'");
            Failure::Engine(text)
        })
    }

    fn text(&self, at: usize, what: &str) -> Result<&'a str, Failure> {
        Ok(self.get(at, what)?.as_str().unwrap_or_default())
    }

    fn int(&self, at: usize, what: &str) -> Result<i64, Failure> {
        Ok(self.get(at, what)?.as_i64().unwrap_or_default())
    }

    fn members(&self, at: usize, what: &str) -> Result<&'a Map<String, Json>, Failure> {
        let wrong = || Failure::Engine("AttributeError object has no attribute 'items'".to_owned());
        self.get(at, what)?.as_object().ok_or_else(wrong)
    }

    fn rows(&self, at: usize) -> Result<Vec<Option<i64>>, Failure> {
        let rows = self.get(at, "row_ids")?.as_array().ok_or_else(|| Failure::assertion(""))?;
        rows.iter().map(row).collect()
    }

    /// One value a row, by column.
    fn columns(&self, at: usize, what: &str) -> Result<Columns, Failure> {
        let wrong = || Failure::Engine("TypeError 'NoneType' object is not iterable".to_owned());
        let mut columns = Columns::new();
        for (column, values) in self.members(at, what)? {
            let values = values.as_array().ok_or_else(wrong)?;
            columns.insert(column.clone(), values.iter().map(Cell::from_json).collect());
        }
        Ok(columns)
    }

    /// The same for a single row.
    fn single(&self, at: usize, what: &str) -> Result<Columns, Failure> {
        let members = self.members(at, what)?.iter();
        Ok(members.map(|(column, value)| (column.clone(), vec![Cell::from_json(value)])).collect())
    }
}

/// A row id, or null.
fn row(value: &Json) -> Result<Option<i64>, Failure> {
    match value {
        Json::Null => Ok(None),
        value => value.as_i64().map(Some).ok_or_else(|| Failure::assertion("")),
    }
}

/// Removes what nothing uses any more at the end of a bundle: display helpers, and summary tables.
pub(super) fn sweep(bundle: &mut Bundle) -> Result<(), Failure> {
    let unused = summary::unused(bundle);
    tables::remove_rows(bundle, &unused)?;
    columns::sweep(bundle)
}

/// Does one action and gives what it returns.
pub(super) fn perform(bundle: &mut Bundle, action: &Json) -> Result<Json, Failure> {
    let items = action.as_array().map(Vec::as_slice).unwrap_or_default();
    let name = name(action);
    let arguments = Arguments { name: &name, items: items.get(1..).unwrap_or_default() };
    match name.as_str() {
        "AddRecord" | "BulkAddRecord" => records::add(bundle, &arguments),
        "UpdateRecord" | "BulkUpdateRecord" => records::update(bundle, &arguments),
        "RemoveRecord" | "BulkRemoveRecord" => records::remove(bundle, &arguments),
        "AddOrUpdateRecord" => upsert::one(bundle, &arguments),
        "BulkAddOrUpdateRecord" => upsert::many(bundle, &arguments),
        "AddTable" => tables::add(bundle, &arguments),
        "AddEmptyTable" | "AddRawTable" => tables::add_empty(bundle, &arguments),
        "RemoveTable" => tables::remove(bundle, &arguments),
        "RenameTable" => tables::rename(bundle, &arguments),
        "AddColumn" | "AddVisibleColumn" | "AddHiddenColumn" => columns::add(bundle, &arguments),
        "RemoveColumn" => columns::remove(bundle, &arguments),
        "RenameColumn" => columns::rename(bundle, &arguments),
        "ModifyColumn" => columns::modify(bundle, &arguments),
        "SetDisplayFormula" => columns::set_display_formula(bundle, &arguments),
        "AddView" => views::add(bundle, &arguments),
        "AddViewSection" => views::add_section(bundle, &arguments),
        "CreateViewSection" => views::create_section(bundle, &arguments),
        other => Err(Failure::value(format!("Unknown action {other}"))),
    }
}
