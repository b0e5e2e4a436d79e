//! Holds the pages of a document as they are. Pure.

use std::collections::BTreeMap;

use grist_client::{Action, ColRef, RowId, TableRef};
use serde_json::Value;

use crate::sink::grist::known::{DocRecord, text};
use crate::sink::grist::line_kind::LineKind;
use crate::sink::grist::value;

/// The pages of a document, with their widgets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::sink::grist) struct Views {
    /// The view that a table was made with.
    pub of_table: BTreeMap<TableRef, RowId>,
    /// The widgets of views.
    pub sections: Vec<PageWidget>,
    /// The line of each view in the list of pages.
    pub pages: BTreeMap<RowId, PageLine>,
    /// The name and the arrangement of each view.
    pub views: BTreeMap<RowId, PageView>,
    /// The columns that widgets show, in their order.
    pub fields: BTreeMap<RowId, Vec<Field>>,
    /// The summary tables.
    pub summaries: Vec<Summary>,
}

/// A widget.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::sink::grist) struct PageWidget {
    pub id: RowId,
    pub view: RowId,
    pub table: TableRef,
    /// Its properties that people may change, as text.
    pub properties: BTreeMap<&'static str, String>,
}

/// A line in the list of pages.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::sink::grist) struct PageLine {
    pub id: RowId,
    pub indentation: i64,
    pub position: f64,
}

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::sink::grist) struct PageView {
    pub name: String,
    pub layout: String,
}

/// A column of a widget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::sink::grist) struct Field {
    pub id: RowId,
    pub column: ColRef,
    pub width: i64,
}

/// A summary table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::sink::grist) struct Summary {
    pub table: TableRef,
    pub id: String,
    /// The table that it summarises.
    pub source: TableRef,
    /// Its columns: reference, id, the column of the source by which it groups or 0.
    pub columns: Vec<(ColRef, String, ColRef)>,
}

/// The properties of a widget that are compared.
pub(in crate::sink::grist) const PROPERTIES: [&str; 8] =
    ["parentKey", "title", "description", "theme", "options", "chartType", "sortColRefs", "layoutSpec"];

impl Views {
    /// Sorts the lines of an answer.
    pub fn of(rows: &[(LineKind, DocRecord)]) -> Self {
        let mut views = Self::default();
        let mut fields: Vec<(RowId, f64, Field)> = Vec::new();
        let mut columns: Vec<(TableRef, (ColRef, String, ColRef))> = Vec::new();
        for (kind, row) in rows {
            let number = |column: &str| row.get(column).and_then(Value::as_i64).unwrap_or_default();
            let real = |column: &str| row.get(column).and_then(Value::as_f64).unwrap_or_default();
            match kind {
                LineKind::View => {
                    if number("primaryViewId") != 0 {
                        views.of_table.insert(number("id"), number("primaryViewId"));
                    }
                    if number("summarySourceTable") != 0 {
                        let (table, source, id) = (number("id"), number("summarySourceTable"), text(row, "tableId"));
                        views.summaries.push(Summary { table, id: id.to_owned(), source, columns: Vec::new() });
                    }
                }
                LineKind::Section if number("parentId") != 0 => {
                    let properties = PROPERTIES.iter().map(|name| (*name, text(row, name).to_owned())).collect();
                    let (id, view, table) = (number("id"), number("parentId"), number("tableRef"));
                    views.sections.push(PageWidget { id, view, table, properties });
                }
                LineKind::Page => {
                    let (id, indentation, position) = (number("id"), number("indentation"), real("pagePos"));
                    views.pages.insert(number("viewRef"), PageLine { id, indentation, position });
                }
                LineKind::PageView => {
                    let (name, layout) = (text(row, "name").to_owned(), text(row, "layoutSpec").to_owned());
                    views.views.insert(number("id"), PageView { name, layout });
                }
                LineKind::Field => {
                    let field = Field { id: number("id"), column: number("colRef"), width: number("width") };
                    fields.push((number("parentId"), real("parentPos"), field));
                }
                LineKind::SummaryColumn => {
                    let column = (number("id"), text(row, "colId").to_owned(), number("summarySourceCol"));
                    columns.push((number("parentId"), column));
                }
                _ => {}
            }
        }
        fields.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.2.id.cmp(&b.2.id)));
        for (section, _, field) in fields {
            if views.sections.iter().any(|known| known.id == section) {
                views.fields.entry(section).or_default().push(field);
            }
        }
        for (table, column) in columns {
            if let Some(summary) = views.summaries.iter_mut().find(|summary| summary.table == table) {
                summary.columns.push(column);
            }
        }
        views
    }

    /// Lists the widgets of a page.
    pub fn on(&self, view: RowId) -> impl Iterator<Item = &PageWidget> {
        self.sections.iter().filter(move |section| section.view == view)
    }

    /// Finds the widget of a page that shows a table.
    pub fn shows(&self, view: RowId, table: TableRef) -> Option<&PageWidget> {
        self.on(view).find(|section| section.table == table)
    }

    /// The position of the last page.
    pub fn last(&self) -> f64 {
        self.pages.values().map(|page| page.position).fold(0.0, f64::max)
    }

    /// The pages once these actions are applied, as far as they change rows that are there.
    pub fn with(&self, actions: &[Action]) -> Self {
        let mut views = self.clone();
        for action in actions {
            match action {
                Action::UpdateRecord { table, row, values } if table == "_grist_Views" => {
                    let view = views.views.entry(*row).or_default();
                    if let Some(layout) = values.get("layoutSpec").and_then(Value::as_str) {
                        layout.clone_into(&mut view.layout);
                    }
                }
                Action::UpdateRecord { table, row, values } if table == "_grist_Views_section" => {
                    let Some(section) = views.sections.iter_mut().find(|section| section.id == *row) else { continue };
                    for (name, value) in &mut section.properties {
                        if let Some(text) = values.get(*name).and_then(Value::as_str) {
                            text.clone_into(value);
                        }
                    }
                }
                Action::BulkRemove { table, rows } if table == "_grist_Views_section_field" => {
                    for fields in views.fields.values_mut() {
                        fields.retain(|field| !rows.contains(&field.id));
                    }
                }
                _ => {}
            }
        }
        views
    }

    /// Computes a digest of a page: its arrangement, its widgets and the columns that they show.
    pub fn digest(&self, view: RowId) -> String {
        let mut text = self.views.get(&view).map(|view| view.layout.clone()).unwrap_or_default();
        let mut sections: Vec<&PageWidget> = self.on(view).collect();
        sections.sort_by_key(|section| section.id);
        for section in sections {
            text.push_str(&format!("\n{} {} {:?}", section.id, section.table, section.properties));
            for field in self.fields.get(&section.id).into_iter().flatten() {
                text.push_str(&format!(" {}:{}", field.column, field.width));
            }
        }
        value::seal("page", &text).to_string()
    }
}

impl PageWidget {
    /// A property that people may change.
    pub fn property(&self, name: &str) -> &str {
        self.properties.get(name).map(String::as_str).unwrap_or_default()
    }
}
