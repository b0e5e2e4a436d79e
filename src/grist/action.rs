//! User actions: what one bundle does.

use serde_json::{Map, Value};
use super::types::{ColRef, RowId, TableRef};

/// What an upsert does where several rows have the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMany { First, None, All }

/// A column to be made: always with `isFormula: false` unless it has a formula.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSpec { pub id: String, pub kind: String, pub label: String, pub description: String, pub widget_options: Option<Value>, pub formula: Option<String> }

/// What is to be changed of a column (a row of `_grist_Tables_column`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnPatch { pub label: Option<String>, pub kind: Option<String>, pub description: Option<String>, pub widget_options: Option<Value>, pub untied: Option<bool>, pub visible_col: Option<ColRef> }

/// One user action. Serialises to the array that Grist takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    AddTable { table: String, columns: Vec<ColumnSpec> },
    AddColumn { table: String, column: ColumnSpec },
    ModifyColumn { table: String, column: String, patch: ColumnPatch },
    SetDisplayFormula { table: String, col_ref: ColRef, formula: String },
    AddRecord { table: String, row: Option<RowId>, values: Map<String, Value> },
    UpdateRecord { table: String, row: RowId, values: Map<String, Value> },
    BulkUpdate { table: String, rows: Vec<RowId>, columns: Map<String, Value> },
    BulkRemove { table: String, rows: Vec<RowId> },
    /// Columnar: `require` and `columns` map a column to an array of one value a row.
    BulkUpsert { table: String, require: Map<String, Value>, columns: Map<String, Value>, on_many: OnMany },
    /// A page with one widget (table widget `record`, card `single`/`detail`...).
    CreateViewSection { table: TableRef, view: i64, kind: String },
    /// Anything else, as Grist documents it.
    Raw(Value),
}
