//! Answers of Grist as received, before conversion.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::doc::SqlRow;
use super::error::GristError;
use super::marshal;

/// Reads an answer.
///
/// # Errors
/// [`GristError::Undecodable`], which tells where and quotes nothing.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, GristError> {
    serde_json::from_slice(body).map_err(|error| {
        let kind = if error.is_data() { "it is of another shape" } else { "it is not JSON, or cut" };
        GristError::Undecodable { reason: format!("{kind} (line {}, column {})", error.line(), error.column()) }
    })
}

#[derive(Deserialize)]
pub(super) struct WireAccount {
    #[serde(default)]
    pub email: String,
}

#[derive(Deserialize)]
pub(super) struct WireOrg {
    pub id: i64,
    pub name: String,
    pub domain: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WireWorkspace {
    pub id: i64,
    pub name: String,
    pub access: Option<String>,
    #[serde(default)]
    pub docs: Vec<WireListed>,
    /// Where an account is offered examples.
    #[serde(default, rename = "isSupportWorkspace")]
    pub support: bool,
}

#[derive(Deserialize)]
pub(super) struct WireListed {
    pub id: String,
    pub name: String,
}

#[derive(Deserialize)]
pub(super) struct WireDoc {
    pub id: String,
    pub name: String,
    pub access: Option<String>,
    pub workspace: WirePlace,
}

#[derive(Deserialize)]
pub(super) struct WirePlace {
    pub name: String,
    pub org: WireNamed,
}

#[derive(Deserialize)]
pub(super) struct WireNamed {
    pub name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireApplied {
    #[serde(default)]
    pub action_num: Option<i64>,
    #[serde(default)]
    pub action_hash: Option<String>,
    pub ret_values: Vec<Value>,
    pub is_modification: bool,
}

#[derive(Deserialize)]
pub(super) struct Records<T> {
    pub records: Vec<T>,
}

#[derive(Deserialize)]
pub(super) struct WireSqlRow {
    pub fields: Map<String, Value>,
}

/// A row with its id.
#[derive(Deserialize)]
pub(super) struct WireRecord<T> {
    pub id: i64,
    pub fields: T,
}

/// `_grist_Tables`. What access rules hide has an empty id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireTable {
    pub table_id: String,
    #[serde(default)]
    pub summary_source_table: i64,
}

/// `_grist_Tables_column`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireColumn {
    pub parent_id: i64,
    #[serde(default)]
    pub parent_pos: Option<f64>,
    pub col_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub label: String,
    #[serde(default)]
    pub is_formula: bool,
    #[serde(default)]
    pub formula: String,
    #[serde(default)]
    pub widget_options: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub untie_col_id_from_label: bool,
}

#[derive(Deserialize)]
pub(super) struct WireExpanded {
    pub tables: Vec<Map<String, Value>>,
}

impl WireSqlRow {
    /// The row, with values in place of the blobs in which SQL gives what its column would not keep as it is (Grist trap 18).
    pub(super) fn row(self) -> SqlRow {
        let mut row = self.fields;
        for (_, value) in row.iter_mut() {
            if let Some(decoded) = bytes(value).and_then(|bytes| marshal::decode(&bytes)) {
                *value = decoded;
            }
        }
        row
    }
}

/// The bytes of a blob.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    let blob = value.as_object().filter(|blob| blob.get("type").and_then(Value::as_str) == Some("Buffer"))?;
    blob.get("data")?.as_array()?.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_that_sql_gives_as_a_blob_is_read_as_the_value_it_is() {
        let blob = |data: Value| json!({ "type": "Buffer", "data": data });
        let fields = json!({
            "id": 1,
            "text": "a",
            "nothing": null,
            "alt": blob(json!([117, 12, 0, 0, 0, 50, 49, 52, 55, 52, 56, 51, 54, 52, 56, 46, 48])),
            "number": blob(json!([105, 42, 0, 0, 0])),
            "error": blob(json!([91, 1, 0, 0, 0, 117, 1, 0, 0, 0, 69])),
            "cut": blob(json!([117, 9, 0, 0, 0, 50])),
        });
        let row = WireSqlRow { fields: fields.as_object().expect("cells").clone() }.row();
        assert_eq!((&row["alt"], &row["number"]), (&json!("2147483648.0"), &json!(42)));
        assert_eq!(row["error"], json!(["E"]));
        for same in ["id", "text", "nothing", "cut"] {
            assert_eq!(row[same], fields[same], "{same}");
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_not_quoted() {
        let error = decode::<WireNamed>(br#"{"name": 12, "x": "Exemple"}"#).err().expect("another shape");
        assert_eq!(error.to_string(), "the answer cannot be read: it is of another shape (line 1, column 11)");
        let error = decode::<WireNamed>(b"<html>Exemple").err().expect("no JSON");
        assert_eq!(error.to_string(), "the answer cannot be read: it is not JSON, or cut (line 1, column 1)");
    }
}
