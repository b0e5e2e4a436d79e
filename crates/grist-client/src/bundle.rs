//! Builds bundles: rows become upserts, and a bundle that Grist would refuse is refused before it is sent. Pure.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::action::{Action, OnMany};
use super::error::GristError;

/// The largest body that Grist takes, in bytes: fixed in its code, and counted after decompression (Grist trap 23).
pub(super) const MOST_BYTES: usize = 1 << 20;

impl Action {
    /// Upserts of rows by the columns of a key, columnar. Rows with the same columns go together, in the order in which
    /// they came; a row is never padded with the columns of another, which would erase cells (Grist trap 5). One action when all
    /// rows have the same columns, none without rows.
    ///
    /// # Errors
    /// [`GristError::KeysRepeat`] (Grist trap 19); [`GristError::Malformed`] for a row that lacks a column of the key.
    pub fn upserts(
        table: &str,
        key: &[&str],
        rows: impl IntoIterator<Item = Map<String, Value>>,
        on_many: OnMany,
    ) -> Result<Vec<Self>, GristError> {
        let mut groups: Vec<Group> = Vec::new();
        let mut seen = HashSet::new();
        for mut row in rows {
            let mut own_key = Vec::with_capacity(key.len());
            for name in key {
                let value = row.shift_remove(*name);
                own_key.push(value.ok_or_else(|| malformed(format!("a row lacks `{name}`, a column of the key")))?);
            }
            if !seen.insert(key_text(own_key.iter())) {
                return Err(GristError::KeysRepeat);
            }
            // Most rows are like the one before.
            let at = groups.iter().rposition(|group| group.fits(&row)).unwrap_or_else(|| {
                groups.push(Group::of(key.len(), &row));
                groups.len() - 1
            });
            groups[at].push(own_key, row);
        }
        Ok(groups.into_iter().map(|group| group.upsert(table, key, on_many)).collect())
    }

    /// Counts its exact number of bytes in a bundle, comma included, without serializing it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let mut count = Count(1);
        // Writing into a counter cannot fail, and every key of an action is a text.
        serde_json::to_writer(&mut count, self).expect("an action is JSON");
        count.0
    }

    /// Finds the reason for which Grist would refuse it, and the whole bundle with it.
    fn check(&self) -> Result<(), GristError> {
        let Self::BulkUpsert { require, columns, .. } = self else { return Ok(()) };
        let mut lists = Vec::with_capacity(require.len());
        for (name, values) in require.iter().chain(columns) {
            lists.push(values.as_array().ok_or_else(|| malformed(format!("`{name}` of an upsert is not a list")))?);
        }
        let key = &lists[..require.len()];
        let Some(first) = key.first() else { return Err(malformed("an upsert has no key".to_owned())) };
        if lists.iter().any(|list| list.len() != first.len()) {
            return Err(malformed("the columns of an upsert differ in length".to_owned()));
        }
        let mut seen = HashSet::with_capacity(first.len());
        let fresh = |row: usize| seen.insert(key_text(key.iter().map(|list| &list[row])));
        if (0..first.len()).all(fresh) { Ok(()) } else { Err(GristError::KeysRepeat) }
    }
}

/// The body of a bundle, checked.
///
/// # Errors
/// [`GristError::KeysRepeat`], [`GristError::Malformed`], [`GristError::TooLarge`].
pub(super) fn body(actions: &[Action]) -> Result<Bytes, GristError> {
    actions.iter().try_for_each(Action::check)?;
    let body = serde_json::to_vec(actions).map_err(|error| malformed(error.to_string()))?;
    fitting(body.into())
}

/// A body that Grist takes.
///
/// # Errors
/// [`GristError::TooLarge`].
pub(super) fn fitting(body: Bytes) -> Result<Bytes, GristError> {
    if body.len() > MOST_BYTES { Err(GristError::TooLarge { bytes: body.len() }) } else { Ok(body) }
}

/// Rows with the same columns.
struct Group {
    names: Vec<String>,
    key: Vec<Vec<Value>>,
    columns: Vec<Vec<Value>>,
}

impl Group {
    fn of(key: usize, row: &Map<String, Value>) -> Self {
        let names: Vec<String> = row.keys().cloned().collect();
        Self { key: vec![Vec::new(); key], columns: vec![Vec::new(); names.len()], names }
    }

    fn fits(&self, row: &Map<String, Value>) -> bool {
        self.names.len() == row.len() && self.names.iter().all(|name| row.contains_key(name))
    }

    fn push(&mut self, key: Vec<Value>, mut row: Map<String, Value>) {
        for (list, value) in self.key.iter_mut().zip(key) {
            list.push(value);
        }
        for (list, name) in self.columns.iter_mut().zip(&self.names) {
            list.push(row.get_mut(name).map(Value::take).unwrap_or_default());
        }
    }

    fn upsert(self, table: &str, key: &[&str], on_many: OnMany) -> Action {
        let require = key.iter().map(|name| (*name).to_owned()).zip(self.key.into_iter().map(Value::Array));
        let columns = self.names.into_iter().zip(self.columns.into_iter().map(Value::Array));
        Action::BulkUpsert { table: table.to_owned(), require: require.collect(), columns: columns.collect(), on_many }
    }
}

/// A key as the data engine compares keys: 1, 1.0 and true are one, 1 and "1" are two (Grist trap 19).
fn key_text<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    let mut text = String::new();
    for value in values {
        let written = match value {
            Value::Bool(yes) => write!(text, "{}", u8::from(*yes)),
            Value::Number(number) => match number.as_f64() {
                Some(float) if number.is_f64() && float.fract() == 0.0 => write!(text, "{float:.0}"),
                _ => write!(text, "{number}"),
            },
            other => write!(text, "{other}"),
        };
        written.expect("a String takes everything");
        text.push(',');
    }
    text
}

fn malformed(reason: String) -> GristError {
    GristError::Malformed { reason }
}

/// Counts what is written into it.
struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::action::{ColumnPatch, ColumnSpec};
    use super::*;

    fn row(value: Value) -> Map<String, Value> {
        value.as_object().expect("a row").clone()
    }

    fn column(formula: Option<&str>) -> ColumnSpec {
        ColumnSpec {
            id: "montant".into(),
            kind: "Numeric".into(),
            label: "Montant demandé".into(),
            description: "En euros".into(),
            widget_options: Some(json!({ "decimals": 2 })),
            formula: formula.map(str::to_owned),
        }
    }

    #[test]
    fn an_action_is_the_array_that_grist_takes() {
        let table = || "T".to_owned();
        let cells = || row(json!({ "a": 1 }));
        let patch = ColumnPatch {
            label: Some("L".into()),
            kind: Some("Text".into()),
            description: Some("D".into()),
            widget_options: Some(json!({})),
            untied: Some(true),
            visible_col: Some(7),
        };
        let info = json!({ "type": "Numeric", "isFormula": false, "label": "Montant demandé", "widgetOptions": "{\"decimals\":2}" });
        let named = json!({ "id": "montant", "type": "Numeric", "isFormula": true, "label": "Montant demandé", "formula": "$a", "widgetOptions": "{\"decimals\":2}" });
        let rows: Vec<(Action, Value)> = vec![
            (Action::AddTable { table: table(), columns: vec![column(Some("$a"))] }, json!(["AddTable", "T", [named]])),
            (Action::AddColumn { table: table(), column: column(None) }, json!(["AddColumn", "T", "montant", info])),
            (
                Action::ModifyColumn { table: table(), column: "a".into(), patch },
                json!(["ModifyColumn", "T", "a", { "label": "L", "type": "Text", "description": "D", "widgetOptions": "{}",
                    "untieColIdFromLabel": true, "visibleCol": 7 }]),
            ),
            (
                column(None).untied("T"),
                json!(["ModifyColumn", "T", "montant", { "description": "En euros", "untieColIdFromLabel": true }]),
            ),
            (
                Action::SetDisplayFormula { table: table(), col_ref: 7, formula: "$dossier.numero".into() },
                json!(["SetDisplayFormula", "T", null, 7, "$dossier.numero"]),
            ),
            (
                Action::AddRecord { table: table(), row: None, values: cells() },
                json!(["AddRecord", "T", null, { "a": 1 }]),
            ),
            (
                Action::UpdateRecord { table: table(), row: 3, values: cells() },
                json!(["UpdateRecord", "T", 3, { "a": 1 }]),
            ),
            (
                Action::BulkUpdate { table: table(), rows: vec![1, 2], columns: row(json!({ "a": [1, 2] })) },
                json!(["BulkUpdateRecord", "T", [1, 2], { "a": [1, 2] }]),
            ),
            (Action::BulkRemove { table: table(), rows: vec![4] }, json!(["BulkRemoveRecord", "T", [4]])),
            (
                Action::BulkUpsert {
                    table: table(),
                    require: row(json!({ "cle": ["é"] })),
                    columns: row(json!({ "a": [null] })),
                    on_many: OnMany::First,
                },
                json!(["BulkAddOrUpdateRecord", "T", { "cle": ["é"] }, { "a": [null] }, { "on_many": "first" }]),
            ),
            (
                Action::CreateViewSection { table: 2, view: 0, kind: "record".into() },
                json!(["CreateViewSection", 2, 0, "record", null, null]),
            ),
            (Action::Raw(json!(["RemoveTable", "Table1"])), json!(["RemoveTable", "Table1"])),
        ];
        for (action, expected) in rows {
            let text = serde_json::to_string(&action).expect("JSON");
            assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), expected, "{text}");
            assert_eq!(action.bytes(), text.len() + 1, "{text}");
        }
    }

    #[test]
    fn rows_become_columns_and_none_is_padded() {
        let rows = [
            json!({ "cle": "a", "x": 1, "y": null }),
            json!({ "cle": "b", "x": 2 }),
            json!({ "y": 3, "cle": "c", "x": 4 }),
        ];
        let actions = Action::upserts("T", &["cle"], rows.into_iter().map(row), OnMany::First).expect("upserts");
        let expected = [
            json!(["BulkAddOrUpdateRecord", "T", { "cle": ["a", "c"] }, { "x": [1, 4], "y": [null, 3] }, { "on_many": "first" }]),
            json!(["BulkAddOrUpdateRecord", "T", { "cle": ["b"] }, { "x": [2] }, { "on_many": "first" }]),
        ];
        assert_eq!(serde_json::to_value(actions).expect("JSON"), json!(expected));
        assert!(Action::upserts("T", &["cle"], [], OnMany::First).expect("no rows").is_empty());
    }

    #[test]
    fn keys_are_compared_as_the_data_engine_compares_them() {
        let of = |keys: Value| {
            let rows = keys.as_array().expect("a list").clone().into_iter();
            Action::upserts("T", &["k"], rows.map(|key| row(json!({ "k": key }))), OnMany::First)
        };
        for keys in [json!(["a", "b"]), json!([1, "1"]), json!([null, ""]), json!(["é", "e\u{301}"]), json!([0.5, 1])]
        {
            assert!(of(keys.clone()).is_ok(), "{keys}");
        }
        for keys in
            [json!(["a", "a"]), json!([1, 1.0]), json!([true, 1]), json!([null, null]), json!([["L", 1], ["L", 1]])]
        {
            assert!(matches!(of(keys.clone()), Err(GristError::KeysRepeat)), "{keys}");
        }
        assert!(matches!(
            Action::upserts("T", &["k"], [row(json!({ "x": 1 }))], OnMany::First),
            Err(GristError::Malformed { .. })
        ));
    }

    #[test]
    fn a_bundle_that_grist_would_refuse_is_not_sent() {
        let upsert = |require: Value, columns: Value| Action::BulkUpsert {
            table: "T".into(),
            require: row(require),
            columns: row(columns),
            on_many: OnMany::First,
        };
        let malformed = |action: Action| matches!(body(&[action]), Err(GristError::Malformed { .. }));
        assert!(body(&[upsert(json!({ "k": ["a", "b"] }), json!({ "x": [1, 2] }))]).is_ok());
        assert!(malformed(upsert(json!({ "k": ["a"] }), json!({ "x": [1, 2] }))), "lists of two lengths");
        assert!(malformed(upsert(json!({ "k": "a" }), json!({}))), "a cell in place of a list");
        assert!(malformed(upsert(json!({}), json!({ "x": [1] }))), "no key");
        let repeated = body(&[upsert(json!({ "k": ["a", "a"] }), json!({}))]);
        assert!(matches!(repeated, Err(GristError::KeysRepeat)));
        let large = body(&[Action::Raw(json!("x".repeat(MOST_BYTES)))]);
        assert!(matches!(large, Err(GristError::TooLarge { bytes }) if bytes == MOST_BYTES + 4));
    }
}
