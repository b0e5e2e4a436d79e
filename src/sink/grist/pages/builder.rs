//! Writes the actions that make widgets. Pure.

use grist_client::{Action, ColRef, RowId, TableRef};
use serde_json::{Value, json};

use super::columns::Shown;
use crate::sink::grist::shared;

/// A widget that is to be made.
#[derive(Clone, Debug, Default)]
pub(super) struct NewSection {
    pub table: TableRef,
    pub view: RowId,
    /// `record` for a grid, `single` for a card.
    pub kind: &'static str,
    pub title: String,
    pub description: &'static str,
    pub options: Value,
    /// By which column it is sorted; the newest first where it is negative.
    pub sort: Option<ColRef>,
    /// The widget in which a row is chosen, and the reference to that row.
    pub link: Option<(RowId, ColRef)>,
    pub fields: Vec<Shown>,
}

/// Collects actions.
#[derive(Debug, Default)]
pub(super) struct Builder {
    handle: RowId,
    pub actions: Vec<Action>,
}

impl Builder {
    /// Changes a row.
    pub fn update(&mut self, table: &str, row: RowId, values: Value) {
        self.actions.push(Action::UpdateRecord { table: table.to_owned(), row, values: shared::row(values) });
    }

    /// Adds a row, and gives the handle under which actions of the same bundle know it.
    pub fn add(&mut self, table: &str, values: Value) -> RowId {
        self.handle -= 1;
        let (table, row) = (table.to_owned(), Some(self.handle));
        self.actions.push(Action::AddRecord { table, row, values: shared::row(values) });
        self.handle
    }

    /// Makes a page, before the line of `before` in the list of pages.
    pub fn page(&mut self, name: &str, indentation: i64, position: Option<f64>) -> RowId {
        let view = self.add("_grist_Views", json!({ "name": name, "type": "empty" }));
        let mut line = json!({ "viewRef": view, "indentation": indentation });
        if let Some(position) = position {
            line["pagePos"] = position.into();
        }
        self.add("_grist_Pages", line);
        view
    }

    /// Makes a widget, and gives its handle.
    pub fn section(&mut self, new: &NewSection) -> RowId {
        let mut values = json!({
            "tableRef": new.table, "parentId": new.view, "parentKey": new.kind, "title": new.title, "borderWidth": 1,
            "defaultWidth": 100,
        });
        if !new.description.is_empty() {
            values["description"] = new.description.into();
        }
        if !new.options.is_null() {
            values["options"] = new.options.to_string().into();
        }
        if new.kind == "single" {
            values["theme"] = "compact".into();
        }
        if let Some(sort) = new.sort {
            values["sortColRefs"] = json!([sort]).to_string().into();
        }
        if let Some((section, column)) = new.link {
            values["linkSrcSectionRef"] = section.into();
            values["linkTargetColRef"] = column.into();
        }
        let section = self.add("_grist_Views_section", values);
        let rows = vec![Value::Null; new.fields.len()];
        let columns: Vec<ColRef> = new.fields.iter().map(|field| field.column).collect();
        let widths: Vec<u32> = new.fields.iter().map(|field| field.width).collect();
        let widgets: Vec<&str> = new.fields.iter().map(|field| field.widget).collect();
        let parents = vec![section; columns.len()];
        let columns = json!({ "parentId": parents, "colRef": columns, "width": widths, "widgetOptions": widgets });
        self.actions.push(Action::Raw(json!(["BulkAddRecord", "_grist_Views_section_field", rows, columns])));
        section
    }

    /// Shows only rows whose column has one of these values.
    pub fn filter(&mut self, section: RowId, column: ColRef, filter: &Value) {
        self.add(
            "_grist_Filters",
            json!({ "viewSectionRef": section, "colRef": column, "filter": filter.to_string(), "pinned": false }),
        );
    }

    /// Removes rows.
    pub fn remove(&mut self, table: &str, rows: Vec<RowId>) {
        if !rows.is_empty() {
            self.actions.push(Action::BulkRemove { table: table.to_owned(), rows });
        }
    }
}
