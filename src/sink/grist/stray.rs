//! Finds the empty table that Grist puts into a new document.

use grist_client::{Action, Column};
use serde_json::json;

use super::session::DocumentSession;

/// The table that every new document has.
const STRAY: &str = "Table1";

/// Gives the action that removes the table, if it is alone and as Grist made it (Grist trap 36): a document with other tables is
/// somebody's work.
pub(super) async fn untouched(session: &DocumentSession) -> Option<Action> {
    let [table] = session.state.structure.as_slice() else { return None };
    let is_bare = |column: &&Column| column.is_formula && column.formula.is_empty() && column.kind == "Any";
    let own: Vec<&Column> = table.columns.iter().filter(|column| column.id != "manualSort").collect();
    let bare = own.iter().all(is_bare) && own.iter().map(|column| column.id.as_str()).eq(["A", "B", "C"]);
    if table.id != STRAY || !bare {
        return None;
    }
    // One that cannot be read stays: another run may have removed it meanwhile.
    let empty = session.reader.doc.table_rows(STRAY).await.is_ok_and(|rows| rows.is_empty());
    empty.then(|| Action::Raw(json!(["RemoveTable", STRAY])))
}
