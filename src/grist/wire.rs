//! Answers as Grist spells them.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::doc::SqlRow;
use super::error::GristError;

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
    /// The row, with texts in place of the blobs in which SQL gives texts that a column of another type holds (trap 18).
    pub(super) fn row(self) -> SqlRow {
        let mut row = self.fields;
        for (_, value) in row.iter_mut() {
            if let Some(text) = alt_text(value) {
                *value = Value::String(text);
            }
        }
        row
    }
}

/// The text in a blob of Python's `marshal`: `u`, the length in four bytes, UTF-8. `None` for anything else.
fn alt_text(value: &Value) -> Option<String> {
    let blob = value.as_object().filter(|blob| blob.get("type").and_then(Value::as_str) == Some("Buffer"))?;
    let bytes = blob.get("data")?.as_array()?.iter().map(|byte| u8::try_from(byte.as_u64()?).ok());
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    let (head, text) = bytes.split_at_checked(5)?;
    let length = u32::from_le_bytes(head[1..].try_into().ok()?);
    if head[0] != b'u' || usize::try_from(length).ok()? != text.len() {
        return None;
    }
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_in_a_column_of_another_type_is_read_as_the_text_it_is() {
        let blob = |data: Value| json!({ "type": "Buffer", "data": data });
        let fields = json!({
            "id": 1,
            "text": "a",
            "nothing": null,
            "alt": blob(json!([117, 12, 0, 0, 0, 50, 49, 52, 55, 52, 56, 51, 54, 52, 56, 46, 48])),
            "error": blob(json!([91, 1, 0, 0, 0, 117, 1, 0, 0, 0, 69])),
            "cut": blob(json!([117, 9, 0, 0, 0, 50])),
        });
        let row = WireSqlRow { fields: fields.as_object().expect("cells").clone() }.row();
        assert_eq!(row["alt"], json!("2147483648.0"));
        for same in ["id", "text", "nothing", "error", "cut"] {
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
