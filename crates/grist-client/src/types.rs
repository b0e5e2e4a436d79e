//! Types of Grist: documents, tables, columns, rights.

use super::address::DocId;

/// `_grist_Tables.id`: survives a rename, and is accepted in place of the table's name by the REST paths.
pub type TableRef = i64;
/// `_grist_Tables_column.id`: survives a rename.
pub type ColRef = i64;
/// The id of a row. Reused after a deletion (Grist trap 6): never kept across commits.
pub type RowId = i64;
/// The id of an uploaded file.
pub type AttachmentId = i64;

/// An action in the history of a document. Every bundle is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRef {
    /// Its number: that of the action before it, plus one.
    pub number: i64,
    /// The digest of its content and of the hash of the action before it.
    pub hash: String,
}

/// The rights of a key. An unknown role counts as the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It may read.
    Viewer,
    /// It may write rows, and change tables and columns unless access rules forbid it.
    Editor,
    /// It may do everything.
    Owner,
}

impl Access {
    /// A role in Grist's words.
    pub(super) fn of(role: Option<&str>) -> Self {
        match role {
            Some("owners") => Self::Owner,
            Some("editors") => Self::Editor,
            _ => Self::Viewer,
        }
    }
}

/// A document.
#[derive(Clone, Debug)]
pub struct DocInfo {
    /// Its id, in full even where it was asked for by the short form of its address.
    pub id: DocId,
    /// Its name.
    pub name: String,
    /// The rights of the key on it.
    pub access: Access,
    /// The name of its folder.
    pub workspace: String,
    /// The name of its site.
    pub org: String,
}

/// A site.
#[derive(Clone, Debug)]
pub struct Org {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its part of an address, `/o/<domain>`; `None` on an instance of one site.
    pub domain: Option<String>,
}

/// A folder of documents.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The rights of the key on it.
    pub access: Access,
    /// Its documents, id and name.
    pub docs: Vec<(DocId, String)>,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name in formulas, SQL and user actions. People may change it.
    pub id: String,
    /// Its number, which nobody changes.
    pub table_ref: TableRef,
    /// Its columns, in the order of the document.
    pub columns: Vec<Column>,
}

/// Columns and tables that access rules hide from a key: only their existence is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// The references of the tables.
    pub tables: Vec<TableRef>,
    /// The references of the columns, those of hidden tables included.
    pub columns: Vec<ColRef>,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name in formulas, SQL and user actions. Follows the label unless `untied`.
    pub id: String,
    /// Its number, which nobody changes.
    pub col_ref: ColRef,
    /// Its type: `Text`, `Int`, `Ref:Dossiers`, `DateTime:Europe/Paris`...
    pub kind: String,
    /// Its title.
    pub label: String,
    /// `true` if it is computed. With an empty formula it is an empty column, to which the first value gives a type (Grist trap 8).
    pub is_formula: bool,
    /// Its formula, that of a trigger included; empty without.
    pub formula: String,
    /// The display options: JSON in a text, or empty. Users change them: read, merge, write (Grist trap 11).
    pub widget_options: String,
    /// Its help text.
    pub description: String,
    /// `true` if its id stays when its label changes.
    pub untied: bool,
}
