//! Builds user actions, the parts of a bundle. Pure.

use serde::Serialize;
use serde::ser::{SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::{Map, Value};

use super::types::{ColRef, RowId, TableRef};

/// The behaviour of an upsert if several rows have the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMany {
    /// Updates the row with the lowest id.
    First,
    /// Updates none, and says nothing.
    None,
    /// Updates all.
    All,
}

impl OnMany {
    fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::None => "none",
            Self::All => "all",
        }
    }
}

/// A column to be made: always with `isFormula: false` unless it has a formula (Grist trap 8).
///
/// Grist ignores the description at creation, and `untieColIdFromLabel`, and visible columns: [`ColumnPatch`] sets them,
/// in the same bundle if the id is one that Grist takes as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSpec {
    /// Its id; Grist makes it fit and unique, and answers what it became.
    pub id: String,
    /// Its type, as in [`Column::kind`](super::Column::kind).
    pub kind: String,
    /// Its title.
    pub label: String,
    /// Its help text: not taken at creation, see above; [`ColumnSpec::untied`] carries it over.
    pub description: String,
    /// The display options, written as JSON in a text.
    pub widget_options: Option<Value>,
    /// Its formula; `None` for a column of data.
    pub formula: Option<String>,
}

impl ColumnSpec {
    /// Returns the actions for what creation leaves out: the description, and an id that no longer follows the label.
    #[must_use]
    pub fn untied(&self, table: &str) -> Action {
        let description = Some(self.description.clone()).filter(|text| !text.is_empty());
        let patch = ColumnPatch { description, untied: Some(true), ..ColumnPatch::default() };
        Action::ModifyColumn { table: table.to_owned(), column: self.id.clone(), patch }
    }
}

/// A change of a column (a row of `_grist_Tables_column`). `None` leaves a property as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnPatch {
    /// Its title. Changes the id too unless the column is untied.
    pub label: Option<String>,
    /// Its type: the values are converted, which takes long in a long table.
    pub kind: Option<String>,
    /// Its help text.
    pub description: Option<String>,
    /// The display options as a whole, as Grist merges nothing (Grist trap 11); written as JSON in a text.
    pub widget_options: Option<Value>,
    /// `true` if its id stays when its label changes.
    pub untied: Option<bool>,
    /// For a reference, the column of the other table that is shown; needs [`Action::SetDisplayFormula`] too (Grist trap 9).
    pub visible_col: Option<ColRef>,
}

/// One user action. Serialises to the array that Grist takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Makes a table, with a page of its own. An id that is taken gets a number (Grist trap 16): read the answer.
    AddTable {
        /// Its id.
        table: String,
        /// Its columns.
        columns: Vec<ColumnSpec>,
    },
    /// Makes a column, shown in the table's views.
    AddColumn {
        /// The table.
        table: String,
        /// The column.
        column: ColumnSpec,
    },
    /// Changes a column.
    ModifyColumn {
        /// The table.
        table: String,
        /// The column's id.
        column: String,
        /// The changes.
        patch: ColumnPatch,
    },
    /// Makes a reference show something else than a row number (Grist trap 9).
    SetDisplayFormula {
        /// The table of the reference.
        table: String,
        /// The reference.
        col_ref: ColRef,
        /// The displayed expression: `$dossier.numero`.
        formula: String,
    },
    /// Adds a row.
    AddRecord {
        /// The table.
        table: String,
        /// Its id: negative for a handle within the bundle, `None` for the next free one. Never a number of ours
        /// (Grist trap 34).
        row: Option<RowId>,
        /// Its cells.
        values: Map<String, Value>,
    },
    /// Updates a row. The whole bundle fails when it is not there.
    UpdateRecord {
        /// The table.
        table: String,
        /// The row.
        row: RowId,
        /// The cells that change.
        values: Map<String, Value>,
    },
    /// Updates rows. The whole bundle fails when one is not there.
    BulkUpdate {
        /// The table.
        table: String,
        /// The rows.
        rows: Vec<RowId>,
        /// For each column one value a row.
        columns: Map<String, Value>,
    },
    /// Removes rows. Those that are not there are passed over, but count as a modification.
    BulkRemove {
        /// The table.
        table: String,
        /// The rows.
        rows: Vec<RowId>,
    },
    /// Updates the rows with these keys, and adds those that are missing. Columnar: `require` and `columns` map a column
    /// to an array of one value a row. [`Action::upserts`] makes it from rows.
    BulkUpsert {
        /// The table.
        table: String,
        /// The columns of the key.
        require: Map<String, Value>,
        /// The other columns.
        columns: Map<String, Value>,
        /// The behaviour if several rows have the key.
        on_many: OnMany,
    },
    /// A widget on a page (`record` a table, `detail` and `single` cards); view 0 makes the page.
    CreateViewSection {
        /// The table.
        table: TableRef,
        /// The view of the page.
        view: i64,
        /// The kind of widget.
        kind: String,
    },
    /// Anything else, as Grist documents it.
    Raw(Value),
}

impl Action {
    /// The table that the action is about, by id; `None` where it is told by number, or not at all.
    pub(super) fn table(&self) -> Option<&str> {
        match self {
            Self::AddTable { table, .. }
            | Self::AddColumn { table, .. }
            | Self::ModifyColumn { table, .. }
            | Self::SetDisplayFormula { table, .. }
            | Self::AddRecord { table, .. }
            | Self::UpdateRecord { table, .. }
            | Self::BulkUpdate { table, .. }
            | Self::BulkRemove { table, .. }
            | Self::BulkUpsert { table, .. } => Some(table),
            Self::CreateViewSection { .. } => None,
            Self::Raw(action) => action.get(1)?.as_str(),
        }
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AddTable { table, columns } => ("AddTable", table, columns).serialize(serializer),
            Self::AddColumn { table, column } => {
                ("AddColumn", table, &column.id, Unnamed(column)).serialize(serializer)
            }
            Self::ModifyColumn { table, column, patch } => ("ModifyColumn", table, column, patch).serialize(serializer),
            Self::SetDisplayFormula { table, col_ref, formula } => {
                ("SetDisplayFormula", table, (), col_ref, formula).serialize(serializer)
            }
            Self::AddRecord { table, row, values } => ("AddRecord", table, row, values).serialize(serializer),
            Self::UpdateRecord { table, row, values } => ("UpdateRecord", table, row, values).serialize(serializer),
            Self::BulkUpdate { table, rows, columns } => {
                ("BulkUpdateRecord", table, rows, columns).serialize(serializer)
            }
            Self::BulkRemove { table, rows } => ("BulkRemoveRecord", table, rows).serialize(serializer),
            Self::BulkUpsert { table, require, columns, on_many } => {
                let options = Options { on_many: on_many.word() };
                ("BulkAddOrUpdateRecord", table, require, columns, options).serialize(serializer)
            }
            Self::CreateViewSection { table, view, kind } => {
                let mut action = serializer.serialize_seq(Some(6))?;
                action.serialize_element("CreateViewSection")?;
                action.serialize_element(table)?;
                action.serialize_element(view)?;
                action.serialize_element(kind)?;
                // Neither a summary, nor the id of a table to be made.
                action.serialize_element(&())?;
                action.serialize_element(&())?;
                action.end()
            }
            Self::Raw(action) => action.serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct Options {
    on_many: &'static str,
}

/// A column without its id, which an action may carry beside.
struct Unnamed<'a>(&'a ColumnSpec);

/// The cells of a column's metadata, an id before them where it is wanted.
fn column_info<S: Serializer>(id: Option<&str>, column: &ColumnSpec, serializer: S) -> Result<S::Ok, S::Error> {
    let mut info = serializer.serialize_map(None)?;
    if let Some(id) = id {
        info.serialize_entry("id", id)?;
    }
    info.serialize_entry("type", &column.kind)?;
    info.serialize_entry("isFormula", &column.formula.is_some())?;
    info.serialize_entry("label", &column.label)?;
    if let Some(formula) = &column.formula {
        info.serialize_entry("formula", formula)?;
    }
    if let Some(options) = &column.widget_options {
        info.serialize_entry("widgetOptions", &options.to_string())?;
    }
    info.end()
}

impl Serialize for ColumnSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        column_info(Some(&self.id), self, serializer)
    }
}

impl Serialize for Unnamed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        column_info(None, self.0, serializer)
    }
}

impl Serialize for ColumnPatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { label, kind, description, widget_options, untied, visible_col } = self;
        let mut patch = serializer.serialize_map(None)?;
        if let Some(label) = label {
            patch.serialize_entry("label", label)?;
        }
        if let Some(kind) = kind {
            patch.serialize_entry("type", kind)?;
        }
        if let Some(description) = description {
            patch.serialize_entry("description", description)?;
        }
        if let Some(options) = widget_options {
            patch.serialize_entry("widgetOptions", &options.to_string())?;
        }
        if let Some(untied) = untied {
            patch.serialize_entry("untieColIdFromLabel", untied)?;
        }
        if let Some(visible_col) = visible_col {
            patch.serialize_entry("visibleCol", visible_col)?;
        }
        patch.end()
    }
}
