//! Edits a document as a user does during a sync (docs/grist-api.md#people).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::document::Document;

/// A row of a table, as the API tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its id.
    pub id: i64,
    /// Its cells by column, hidden ones included.
    pub cells: BTreeMap<String, Json>,
}

impl Row {
    /// A text; empty for anything else.
    #[must_use]
    pub fn text(&self, column: &str) -> &str {
        self.cells.get(column).and_then(Json::as_str).unwrap_or_default()
    }

    /// A cell; null when there is no such column.
    #[must_use]
    pub fn cell(&self, column: &str) -> &Json {
        self.cells.get(column).unwrap_or(&Json::Null)
    }
}

/// Somebody with a browser. What they do succeeds, or the test is wrong: methods panic with the refusal.
pub struct Person(Arc<Document>);

impl Person {
    pub(super) fn new(document: Arc<Document>) -> Self {
        Self(document)
    }

    /// Does user actions as one bundle; values are taken as they are. Gives what they return.
    ///
    /// # Panics
    ///
    /// When the document refuses.
    #[allow(clippy::needless_pass_by_value, reason = "json! literals are given")]
    pub fn act(&self, actions: Json) -> Vec<Json> {
        let actions = actions.as_array().expect("actions are a list").clone();
        match self.0.engine().apply(&actions, false) {
            Ok(applied) => applied.values,
            Err(failure) => panic!("the document refused: {failure:?}"),
        }
    }

    /// The `colRef` of a column.
    ///
    /// # Panics
    ///
    /// When there is no such column.
    #[must_use]
    pub fn column_ref(&self, table: &str, column: &str) -> i64 {
        let found = self.0.engine().state.find_column(table, column);
        found.unwrap_or_else(|| panic!("there is no column {table}.{column}"))
    }

    /// Gives a column another title; its id follows unless they are untied.
    pub fn relabel_column(&self, table: &str, column: &str, label: &str) {
        self.set_column(table, column, &json!({ "label": label }));
    }

    /// Gives a column another id.
    pub fn rename_column(&self, table: &str, column: &str, id: &str) {
        self.act(json!([["RenameColumn", table, column, id]]));
    }

    /// Clicks on the icon between a column's title and its id: tied, the id follows the title, at once.
    pub fn toggle_link(&self, table: &str, column: &str) {
        let untied = self.column(table, column).cell("untieColIdFromLabel") == &json!(true);
        self.set_column(table, column, &json!({ "untieColIdFromLabel": !untied }));
    }

    /// Gives a column of data a formula that Grist computes by itself, be it for new rows only. The sandbox computes none.
    pub fn add_trigger(&self, table: &str, column: &str, formula: &str) {
        self.act(json!([["ModifyColumn", table, column, { "formula": formula, "isFormula": false }]]));
    }

    /// Gives a column another type; its values are converted.
    pub fn retype_column(&self, table: &str, column: &str, kind: &str) {
        self.act(json!([["ModifyColumn", table, column, { "type": kind }]]));
    }

    /// Sets fields of a column's row in `_grist_Tables_column`.
    pub fn set_column(&self, table: &str, column: &str, fields: &Json) {
        self.act(json!([["UpdateRecord", "_grist_Tables_column", self.column_ref(table, column), fields]]));
    }

    /// Reads a column from `_grist_Tables_column`.
    #[must_use]
    pub fn column(&self, table: &str, column: &str) -> Row {
        let row = self.column_ref(table, column);
        let rows = self.rows("_grist_Tables_column");
        rows.into_iter().find(|known| known.id == row).expect("a column has its row")
    }

    /// Ids of the columns of a table that people see, in their order.
    #[must_use]
    pub fn columns(&self, table: &str) -> Vec<String> {
        let engine = self.0.engine();
        let Some(row) = engine.state.find_table(table) else { return Vec::new() };
        let columns = engine.state.meta("_grist_Tables_column");
        let ids = engine.state.columns_of(row).into_iter().map(|column| columns.text(column, "colId").to_owned());
        ids.filter(|id| id != "manualSort" && !id.starts_with("gristHelper_")).collect()
    }

    /// Ids of the tables.
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        self.rows("_grist_Tables").iter().map(|row| row.text("tableId").to_owned()).collect()
    }

    /// Removes a column.
    pub fn remove_column(&self, table: &str, column: &str) {
        self.act(json!([["RemoveColumn", table, column]]));
    }

    /// Removes a table.
    pub fn remove_table(&self, table: &str) {
        self.act(json!([["RemoveTable", table]]));
    }

    /// Gives a table another id.
    pub fn rename_table(&self, table: &str, id: &str) {
        self.act(json!([["RenameTable", table, id]]));
    }

    /// Makes a table of data columns, given by id and type. Gives its id.
    pub fn add_table(&self, title: &str, columns: &[(&str, &str)]) -> String {
        let columns: Vec<Json> =
            columns.iter().map(|(id, kind)| json!({ "id": id, "type": kind, "isFormula": false })).collect();
        let made = self.act(json!([["AddTable", title, columns]]));
        made[0]["table_id"].as_str().unwrap_or_default().to_owned()
    }

    /// Adds a column of data. Gives its id.
    pub fn add_column(&self, table: &str, label: &str, kind: &str) -> String {
        let info = json!({ "type": kind, "label": label, "isFormula": false });
        let made = self.act(json!([["AddVisibleColumn", table, label, info]]));
        made[0]["colId"].as_str().unwrap_or_default().to_owned()
    }

    /// Adds a formula column. Gives its id.
    pub fn add_formula(&self, table: &str, label: &str, formula: &str) -> String {
        let info = json!({ "label": label, "isFormula": true, "formula": formula });
        let made = self.act(json!([["AddVisibleColumn", table, label, info]]));
        made[0]["colId"].as_str().unwrap_or_default().to_owned()
    }

    /// Makes a column a formula: nothing can be written to it any more.
    pub fn make_formula(&self, table: &str, column: &str, formula: &str) {
        self.act(json!([["ModifyColumn", table, column, { "isFormula": true, "formula": formula }]]));
    }

    /// Sets options of a column's widget (colours of choices, formats) beside those that are there.
    pub fn set_widget(&self, table: &str, column: &str, options: &Json) {
        let known = self.column(table, column);
        let mut merged: Map<String, Json> = serde_json::from_str(known.text("widgetOptions")).unwrap_or_default();
        merged.extend(options.as_object().cloned().unwrap_or_default());
        self.set_column(table, column, &json!({ "widgetOptions": Json::Object(merged).to_string() }));
    }

    /// Gives a choice another colour.
    pub fn recolour(&self, table: &str, column: &str, choice: &str, colour: &str) {
        let known = self.column(table, column);
        let options: Json = serde_json::from_str(known.text("widgetOptions")).unwrap_or_default();
        let mut colours = options["choiceOptions"].as_object().cloned().unwrap_or_default();
        colours.insert(choice.to_owned(), json!({ "fillColor": colour }));
        self.set_widget(table, column, &json!({ "choiceOptions": colours }));
    }

    /// Adds a row. Gives its id.
    pub fn add_row(&self, table: &str, cells: &[(&str, Json)]) -> i64 {
        let cells: Map<String, Json> =
            cells.iter().map(|(column, value)| ((*column).to_owned(), value.clone())).collect();
        self.act(json!([["AddRecord", table, null, cells]]))[0].as_i64().unwrap_or_default()
    }

    /// Writes a cell.
    #[allow(clippy::needless_pass_by_value, reason = "literals are given")]
    pub fn edit(&self, table: &str, row: i64, column: &str, value: Json) {
        self.act(json!([["UpdateRecord", table, row, { column: value }]]));
    }

    /// Removes a row.
    pub fn remove_row(&self, table: &str, row: i64) {
        self.act(json!([["RemoveRecord", table, row]]));
    }

    /// The rows of a table by id, one of Grist's own included; none when there is no such table.
    #[must_use]
    pub fn rows(&self, table: &str) -> Vec<Row> {
        let engine = self.0.engine();
        let Some(content) = engine.state.tables.get(table) else { return Vec::new() };
        let row = |(id, cells): (&i64, &Arc<Vec<super::cell::Cell>>)| Row {
            id: *id,
            cells: content.columns.iter().zip(cells.iter()).map(|(c, cell)| (c.id.clone(), cell.to_json())).collect(),
        };
        content.rows.iter().map(row).collect()
    }
}
