//! What Grist talks about.

use serde::{Deserialize, Serialize};

/// The id of a document, as in its address. Forks (with `~`) are refused: what is written there is a private copy.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DocId(String);
impl DocId {
    /// Takes an id, or the address of a document as copied from a browser.
    pub fn parse(_text: &str) -> Result<Self, super::GristError> { todo!() }
    /// The id.
    #[must_use] pub fn as_str(&self) -> &str { &self.0 }
}
/// `_grist_Tables.id`: survives a rename, and is accepted in place of the table's name by the REST paths.
pub type TableRef = i64;
/// `_grist_Tables_column.id`: survives a rename.
pub type ColRef = i64;
/// The id of a row. Reused after a deletion (trap 6): never kept across commits.
pub type RowId = i64;
/// The id of an uploaded file.
pub type AttachmentId = i64;

/// What a key may do with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access { Viewer, Editor, Owner }
/// A document.
#[derive(Clone, Debug)]
pub struct DocInfo { pub id: DocId, pub name: String, pub access: Access, pub workspace: String, pub org: String }
/// A site.
#[derive(Clone, Debug)]
pub struct Org { pub id: i64, pub name: String, pub domain: Option<String> }
/// A folder of documents.
#[derive(Clone, Debug)]
pub struct Workspace { pub id: i64, pub name: String, pub access: Access, pub docs: Vec<(DocId, String)> }
/// A table, with its columns when they were asked for.
#[derive(Clone, Debug)]
pub struct Table { pub id: String, pub table_ref: TableRef, pub columns: Vec<Column> }
/// A column.
#[derive(Clone, Debug)]
pub struct Column { pub id: String, pub col_ref: ColRef, pub kind: String, pub label: String, pub is_formula: bool, pub formula: String, pub widget_options: String, pub description: String, pub untied: bool }
