//! A new document, as French people expect one.

use serde_json::{Map, Value, json};

use super::place::Site;
use grist_client::{Action, Column, Doc, DocId, GristError, Repeat, Table};

/// The table that every new document has.
const STRAY: &str = "Table1";

/// Makes a document whose dates and numbers read as in France. The empty table that Grist puts in goes (Grist trap 36).
pub async fn make(site: &Site, workspace: i64, name: &str) -> Result<DocId, GristError> {
    let id = site.client.create_doc(workspace, name).await?;
    let doc = site.client.doc(id.clone());
    let mut bundle = vec![french(&doc).await?];
    if is_untouched(&doc).await? {
        bundle.push(Action::Raw(json!(["RemoveTable", STRAY])));
    }
    doc.apply(&bundle, Repeat::Safe).await?;
    Ok(id)
}

/// The settings of a document with the French ones in their place; all others stay.
async fn french(doc: &Doc) -> Result<Action, GristError> {
    const TABLE: &str = "_grist_DocInfo";
    let rows = doc.table_rows(TABLE).await?;
    let text = rows.first().and_then(|row| row.get("documentSettings")).and_then(Value::as_str);
    let mut settings: Map<String, Value> = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    settings.insert("locale".to_owned(), json!("fr-FR"));
    let values = json!({ "timezone": "Europe/Paris", "documentSettings": Value::Object(settings).to_string() });
    let values = values.as_object().cloned().unwrap_or_default();
    Ok(Action::UpdateRecord { table: TABLE.to_owned(), row: 1, values })
}

/// Checks that the stray table is as Grist made it: somebody may have opened the document meanwhile.
async fn is_untouched(doc: &Doc) -> Result<bool, GristError> {
    let tables = doc.tables().await?;
    let [Table { id, columns, .. }] = tables.as_slice() else { return Ok(false) };
    let is_bare = |column: &&Column| column.is_formula && column.formula.is_empty() && column.kind == "Any";
    let own: Vec<&Column> = columns.iter().filter(|column| column.id != "manualSort").collect();
    let bare = own.iter().all(is_bare) && own.iter().map(|column| column.id.as_str()).eq(["A", "B", "C"]);
    Ok(id == STRAY && bare && doc.table_rows(STRAY).await?.is_empty())
}
