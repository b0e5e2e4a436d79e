//! Points in the history of a document: the questions that tell if its tables, columns and state moved since one. Pure.
//!
//! Grist keeps every bundle of actions as a row of the history, with its number, the digest of its content and of the action
//! before it, and the actions themselves (docs/grist-api.md#history). What a document was at one action it still is if no
//! later one names a table of metadata or one of ours: people may have changed cells, rows and views.

use super::known::{DocRecord, text};
use super::line_kind::LineKind;

/// The point of a history at which something was read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct HistoryPosition {
    /// The number of the last action.
    pub number: i64,
    /// Its digest.
    pub hash: String,
    /// Counts and sums over the tables and columns: a new version of Grist changes them without an action.
    pub guard: String,
}

/// The bytes of later actions that one question looks through at most: Grist ends SQL after a second (Grist trap 38).
const LOOKED_THROUGH: u32 = 8_000_000;

/// Texts that every action on metadata of tables and columns, or on a table of ours, contains.
const WATCHED: [&str; 2] = ["_grist_Tables", "Dn_"];

/// Counts tables and columns, and sums what people change of them, in SQL.
const GUARD: &str = "(SELECT printf('%d %d %d', count(*), total(id), total(length(tableId))) FROM _grist_Tables) \
     || '/' || (SELECT printf('%d %d %d %d %d %d', count(*), total(id), total(parentId), total(isFormula), \
     total(untieColIdFromLabel), total(length(printf('%s%s%s%s%s%s', colId, type, label, formula, widgetOptions, \
     description)))) FROM _grist_Tables_column) || '/' || (SELECT total(schemaVersion) FROM _grist_DocInfo)";

/// The last action of the history.
const LAST: &str = "_gristsys_ActionHistoryBranch b JOIN _gristsys_ActionHistory h ON h.id = b.actionRef \
     WHERE b.name = 'shared'";

/// Asks for the point at which a document is.
pub(super) fn question() -> String {
    format!(
        "SELECT '{}' AS sorte, json_object('n', h.actionNum, 'h', h.actionHash, 'garde', {GUARD}) AS valeur FROM {LAST}",
        LineKind::Position
    )
}

/// Asks for the same, and whether anything of interest moved since the action of a number and a hash, the two arguments.
pub(super) fn since_question() -> String {
    let named: Vec<String> = WATCHED.iter().map(|watched| format!("instr(body, CAST('{watched}' AS BLOB))")).collect();
    format!(
        "WITH base AS (SELECT max(id) AS id FROM _gristsys_ActionHistory WHERE actionNum = ? AND actionHash = ?) \
         SELECT '{kind}' AS sorte, json_object('n', h.actionNum, 'h', h.actionHash, 'garde', {GUARD}, 'bouge', \
         CASE WHEN base.id IS NULL THEN 1 \
         WHEN (SELECT total(length(body)) FROM _gristsys_ActionHistory WHERE id > base.id) > {LOOKED_THROUGH} THEN 1 \
         ELSE (SELECT count(*) FROM _gristsys_ActionHistory WHERE id > base.id AND ({named})) END) AS valeur \
         FROM base, {LAST}",
        kind = LineKind::Position,
        named = named.join(" OR "),
    )
}

/// Reads a point from its line. `None` for a history that was emptied.
pub(super) fn read(row: &DocRecord) -> Option<HistoryPosition> {
    let number = row.get("n")?.as_i64()?;
    let (hash, guard) = (text(row, "h").to_owned(), text(row, "garde").to_owned());
    (!hash.is_empty() && !guard.is_empty()).then_some(HistoryPosition { number, hash, guard })
}

/// Returns true if nothing of interest moved between a point and the one that a line of [`since_question`] tells.
pub(super) fn is_unmoved(since: &HistoryPosition, row: &DocRecord, now: &HistoryPosition) -> bool {
    let moved = row.get("bouge").and_then(serde_json::Value::as_i64).unwrap_or(1);
    moved == 0 && since.guard == now.guard && since.number <= now.number
}
