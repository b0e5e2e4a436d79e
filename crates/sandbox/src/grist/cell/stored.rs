//! Cells as SQLite stores them: a text that a numeric column would turn into a number is marshalled into a blob.

use serde_json::Value as Json;

use super::kind::Kind;
use super::value::Cell;

/// A value of SQLite.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::grist) enum Stored {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// Encodes a cell for storage (Grist trap 18).
pub(in crate::grist) fn store(kind: &Kind, cell: &Cell) -> Stored {
    let sql = kind.sql();
    let numeric = !matches!(sql, "TEXT" | "BLOB");
    match cell {
        Cell::Null => Stored::Null,
        Cell::List(items) if plain_list(kind, items) => {
            Stored::Text(Json::Array(items.iter().map(Cell::to_json).collect()).to_string())
        }
        Cell::Text(text) if numeric && text.starts_with(looks_numeric) => Stored::Blob(marshal(&cell.to_json())),
        Cell::Text(text) => Stored::Text(text.clone()),
        Cell::Bool(value) if sql == "BOOLEAN" => Stored::Int(i64::from(*value)),
        Cell::Int(value) if sql != "TEXT" && sql != "BOOLEAN" => Stored::Int(*value),
        Cell::Float(value) if sql != "TEXT" && !value.is_nan() && !(*value == 0.0 && value.is_sign_negative()) => {
            // A numeric column turns whole numbers into integers by itself.
            Stored::Real(*value)
        }
        Cell::Float(value) => Stored::Blob(marshal_float(*value)),
        Cell::Bool(_) | Cell::Int(_) | Cell::List(_) | Cell::Coded(_) => Stored::Blob(marshal(&cell.to_json())),
    }
}

fn looks_numeric(first: char) -> bool {
    matches!(first, '-' | '+' | ' ' | '\t' | '\n' | '\r' | '\u{b}' | '.' | '0'..='9')
}

fn plain_list(kind: &Kind, items: &[Cell]) -> bool {
    match kind {
        Kind::ChoiceList => items.iter().all(|item| item.as_str().is_some()),
        Kind::RefList(_) | Kind::Attachments => items.iter().all(|item| item.as_number().is_some()),
        _ => false,
    }
}

fn marshal_float(value: f64) -> Vec<u8> {
    std::iter::once(b'g').chain(value.to_le_bytes()).collect()
}

/// The binary form in which the engine and its web process exchange values.
fn marshal(value: &Json) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut bytes);
    bytes
}

fn length(code: u8, count: usize, bytes: &mut Vec<u8>) {
    bytes.push(code);
    bytes.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

fn write(value: &Json, bytes: &mut Vec<u8>) {
    match value {
        Json::Null => bytes.push(b'N'),
        Json::Bool(true) => bytes.push(b'T'),
        Json::Bool(false) => bytes.push(b'F'),
        Json::Number(number) => match number.as_i64().and_then(|whole| i32::try_from(whole).ok()) {
            Some(whole) => {
                bytes.push(b'i');
                bytes.extend(whole.to_le_bytes());
            }
            None => bytes.extend(marshal_float(number.as_f64().unwrap_or(f64::NAN))),
        },
        Json::String(text) => {
            length(b'u', text.len(), bytes);
            bytes.extend(text.as_bytes());
        }
        Json::Array(items) => {
            length(b'[', items.len(), bytes);
            for item in items {
                write(item, bytes);
            }
        }
        Json::Object(members) => {
            bytes.push(b'{');
            for (key, value) in members {
                write(&Json::String(key.clone()), bytes);
                write(value, bytes);
            }
            bytes.push(b'0');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_a_number_column_would_swallow_is_a_blob() {
        let blob = |bytes: &[u8]| Stored::Blob(bytes.to_vec());
        assert_eq!(store(&Kind::Int, &Cell::text("12%")), blob(&[0x75, 3, 0, 0, 0, 0x31, 0x32, 0x25]));
        assert_eq!(store(&Kind::Int, &Cell::text("oui")), Stored::Text("oui".to_owned()));
        assert_eq!(store(&Kind::Text, &Cell::text("12%")), Stored::Text("12%".to_owned()));
        assert_eq!(store(&Kind::DateTime("Europe/Paris".into()), &Cell::text("12")), Stored::Text("12".to_owned()));
        let list = Cell::List(vec![Cell::text("a"), Cell::text("b")]);
        assert_eq!(store(&Kind::ChoiceList, &list), Stored::Text(r#"["a","b"]"#.to_owned()));
        assert_eq!(
            store(&Kind::Any, &list),
            blob(&[0x5b, 3, 0, 0, 0, 0x75, 1, 0, 0, 0, 0x4c, 0x75, 1, 0, 0, 0, 0x61, 0x75, 1, 0, 0, 0, 0x62])
        );
        assert_eq!(store(&Kind::Numeric, &Cell::Float(2_147_483_648.0)), Stored::Real(2_147_483_648.0));
    }
}
