//! Finds and mends cells that SQL does not see as they are (Grist trap 18). A person who gives a column another type, and
//! then its own again, leaves its cells marshalled: everybody sees the values, but SQL compares bytes with them and finds
//! nothing.
//!
//! The questions look for such cells on their way. As long as there are any, everything is asked record by record, which
//! gives the values; the next run that may write mends the column by giving it another type and its own again in one
//! bundle, upon which Grist stores what it decodes. That changes no value, and sets off no formula of people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use grist_client::{Action, GristError, Table};
use serde_json::{Value, json};

use super::encoding::Kind;
use super::fault::GristFault;
use super::known::{DocRecord, text};
use super::line_kind::LineKind;
use super::read::quoted;
use super::session::DocumentSession;
use super::shared::Shared;

/// The columns in which such cells were seen, table and column, and whether it was tried to mend them.
#[derive(Debug, Default)]
pub(super) struct Damage(Mutex<BTreeMap<(String, String), bool>>);

impl Damage {
    fn seen(&self) -> MutexGuard<'_, BTreeMap<(String, String), bool>> {
        self.0.lock().expect("no code panics while it holds the lock")
    }

    /// Returns true if there are such cells.
    pub(super) fn is_there(&self) -> bool {
        !self.seen().is_empty()
    }

    /// Takes the lines of an answer that report such cells. Returns true if there were any.
    pub(super) fn note(&self, rows: &[(LineKind, DocRecord)]) -> bool {
        let mut seen = self.seen();
        let mut found = false;
        for (_, row) in rows.iter().filter(|(kind, _)| *kind == LineKind::Damaged) {
            let columns = row.get("colonnes").and_then(Value::as_object).into_iter().flatten();
            for (column, _) in columns.filter(|(_, cells)| cells.as_u64().is_some_and(|cells| cells > 0)) {
                seen.entry((text(row, "table").to_owned(), column.clone())).or_default();
                found = true;
            }
        }
        found
    }
}

/// Tests in SQL if a cell is marshalled. Among numbers, a marshalled text may be what somebody wrote: it is left out.
pub(super) fn predicate(column: &str, kind: &str) -> String {
    let column = quoted(column);
    match Kind::parse(kind) {
        Kind::Text | Kind::Choice => format!("(typeof({column}) = 'blob')"),
        _ => format!("(typeof({column}) = 'blob' AND hex(substr({column}, 1, 1)) <> '75')"),
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Counts such cells in some columns (id and type) of a table, in SQL.
pub(super) fn count<'a>(table: &str, columns: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let cells =
        |(column, kind): (&str, &str)| format!("{}, coalesce(sum({}), 0)", literal(column), predicate(column, kind));
    let cells: Vec<String> = columns.map(cells).collect();
    format!(
        "SELECT '{}' AS sorte, json_object('table', {}, 'colonnes', json_object({})) AS valeur FROM {}",
        LineKind::Damaged,
        literal(table),
        cells.join(", "),
        quoted(table)
    )
}

/// The same of a shared table.
pub(super) fn of_shared(shared: &Shared) -> String {
    count(shared.id, shared.typed())
}

/// The actions that make Grist store the cells of a column again. A column that is not there any more needs none.
fn mend(table: &str, column: &str, structure: &[Table]) -> Vec<Action> {
    let found = structure.iter().find(|found| found.id == table);
    let Some(here) = found.and_then(|found| found.columns.iter().find(|here| here.id == column)) else {
        return Vec::new();
    };
    // Only a type that is stored in another way makes Grist look at what is stored.
    let detour = if Kind::parse(&here.kind) == Kind::Any { "Text" } else { "Any" };
    let retype = |kind: &str| Action::Raw(json!(["ModifyColumn", table, column, { "type": kind }]));
    vec![retype(detour), retype(&here.kind)]
}

impl DocumentSession {
    /// Mends what SQL does not see as it is, once for each column, with a notice. One request where there is
    /// something to mend. A key that may not change columns leaves it as it is: it is read right all the same.
    pub(super) async fn mend(&mut self) -> Result<(), GristFault> {
        let new: BTreeSet<(String, String)> = {
            let mut seen = self.reader.damage.seen();
            let mut new = BTreeSet::new();
            for (cells, tried) in seen.iter_mut() {
                if !std::mem::replace(tried, true) {
                    new.insert(cells.clone());
                }
            }
            new
        };
        if self.me.is_none() || new.is_empty() {
            return Ok(());
        }
        let named = new.iter().map(|(table, column)| format!("{table}.{column}")).collect::<Vec<_>>().join(", ");
        let actions: Vec<Action> =
            new.iter().flat_map(|(table, column)| mend(table, column, &self.state.structure)).collect();
        let notice = match self.send(&[], &actions, false).await {
            Ok(_) => {
                self.reader.damage.seen().retain(|cells, _| !new.contains(cells));
                self.asked = None;
                format!("{named} had another type for a while: its values were stored again as they are")
            }
            Err(GristFault::Grist(GristError::Blocked { .. } | GristError::Forbidden { .. })) => format!(
                "{named} had another type for a while, and the key may not store its values again: the run asks more \
                 requests; let an owner sync once"
            ),
            Err(fault) => return Err(fault),
        };
        self.notices.add(vec![notice]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::grist::shared;

    #[test]
    fn damage_is_noted_column_by_column() {
        let damage = Damage::default();
        let row = |value: Value| (LineKind::Damaged, shared::row(value));
        assert!(!damage.note(&[row(json!({ "table": "T", "colonnes": { "a": 0, "b": 0 } }))]));
        assert!(!damage.is_there());
        assert!(damage.note(&[row(json!({ "table": "T", "colonnes": { "a": 0, "b": 2 } }))]));
        assert_eq!(damage.seen().keys().collect::<Vec<_>>(), [&("T".to_owned(), "b".to_owned())]);
    }
}
