//! Finds the table of files in the document as it is now, and reads single cells of it. Pure.

use grist_client::{AttachmentId, Table};
use serde_json::{Value, json};

use crate::ids::DossierNumber;
use crate::sink::WantedFile;
use crate::sink::grist::known::{DocRecord, text};
use crate::sink::grist::memory::{ColumnMemory, TableMemory};
use crate::sink::grist::read::quoted;
use crate::sink::grist::shape::{ATTACHMENTS, KEY};
use crate::table::ColumnKey;

/// The table of files as it is now: where each thing is.
pub(super) struct FileTable {
    pub(super) table: String,
    pub(super) key: String,
    pub(super) file: String,
    pub(super) checksum: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) size: String,
}

/// Why there is nowhere to show a file.
pub(super) enum NoFileTable {
    /// Nobody asked for it, or a person deleted the column, which the run has reported.
    Away,
    /// A column is missing without which files cannot be identified.
    Without(String),
}

impl FileTable {
    pub(super) fn of(memory: &TableMemory, structure: &[Table]) -> Result<Self, NoFileTable> {
        let found = memory.find(structure).ok_or(NoFileTable::Away)?;
        let file = memory.file.as_ref().filter(|file| !file.left_out).and_then(|file| file.find(found));
        let file = file.filter(|here| !here.is_formula && here.kind == ATTACHMENTS).ok_or(NoFileTable::Away)?;
        let key = memory.technical(KEY).and_then(|key| key.find(found)).ok_or(NoFileTable::Away)?;
        let own = |name| {
            let column = fixed(memory, name).and_then(|column| column.find(found));
            column.map(|here| here.id.clone()).ok_or_else(|| {
                NoFileTable::Without(format!(
                    "{} has no column {name} of ours any more: files are not fetched",
                    found.id
                ))
            })
        };
        Ok(Self {
            table: found.id.clone(),
            key: key.id.clone(),
            file: file.id.clone(),
            checksum: own("checksum")?,
            name: own("filename")?,
            kind: own("content_type")?,
            size: own("byte_size")?,
        })
    }

    /// The rows without a file, in SQL: key and content.
    pub(super) fn rows_without_file(&self) -> String {
        let Self { table, key, file, checksum, name, kind, size } = self.quoted();
        format!(
            "SELECT id, {key} AS cle, CAST(substr({key}, 1, instr({key}, '/') - 1) AS INTEGER) AS numero, \
             {checksum} AS empreinte, {name} AS nom, {kind} AS sorte, CAST({size} AS INTEGER) AS taille \
             FROM {table} WHERE typeof({key}) = 'text' AND typeof({checksum}) = 'text' AND length({checksum}) = {MD5} \
             AND substr({checksum}, -2) = '==' AND typeof({size}) IN ('integer', 'real', 'text') \
             AND coalesce({file}, '') IN ('', '[]')"
        )
    }

    pub(super) fn quoted(&self) -> Self {
        let Self { table, key, file, checksum, name, kind, size } = self;
        let [table, key, file, checksum, name, kind, size] =
            [table, key, file, checksum, name, kind, size].map(|name| quoted(name));
        Self { table, key, file, checksum, name, kind, size }
    }

    /// The same of a row that came by another way.
    pub(super) fn read(&self, row: &DocRecord) -> Option<RowWithoutFile> {
        let key = text(row, &self.key);
        let checksum = text(row, &self.checksum);
        let empty = match row.get(&self.file) {
            None | Some(Value::Null) => true,
            Some(value) => upload_of(value).is_none(),
        };
        let size = match row.get(&self.size)? {
            Value::String(digits) => digits.parse().ok()?,
            size => whole(size)?,
        };
        let number = key.split_once('/').and_then(|(number, _)| number.parse().ok())?;
        (empty && is_checksum(checksum)).then(|| RowWithoutFile {
            key: key.to_owned(),
            wanted: WantedFile {
                number: DossierNumber::new(number),
                checksum: checksum.to_owned(),
                filename: text(row, &self.name).to_owned(),
                content_type: text(row, &self.kind).to_owned(),
                byte_size: size,
            },
        })
    }
}

/// A row without its file.
pub(super) struct RowWithoutFile {
    pub(super) key: String,
    pub(super) wanted: WantedFile,
}

/// The length of an MD5 in base64. A pseudonym in its place identifies no content.
const MD5: usize = 24;

pub(super) fn is_checksum(text: &str) -> bool {
    text.len() == MD5 && text.ends_with("==")
}

pub(super) fn fixed<'a>(memory: &'a TableMemory, name: &str) -> Option<&'a ColumnMemory> {
    let named = |column: &&ColumnMemory| matches!(&column.key, ColumnKey::Fixed(fixed) if fixed == name);
    memory.columns.iter().find(named).filter(|column| !column.left_out)
}

/// A whole number that may come as a double.
pub(super) fn whole(value: &Value) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes of files are far below the limit"
    )]
    let whole = |real: f64| (real >= 0.0).then_some(real as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(whole))
}

/// The upload that a cell names: `["L", 7]` by records, `[7]` by SQL.
pub(super) fn upload_of(value: &Value) -> Option<AttachmentId> {
    match value {
        Value::String(text) => serde_json::from_str::<Vec<AttachmentId>>(text).ok()?.first().copied(),
        Value::Array(items) => items.iter().find_map(Value::as_i64),
        _ => None,
    }
    .filter(|id| *id > 0)
}

/// A cell that shows it.
pub(super) fn cell(piece: AttachmentId) -> Value {
    json!(["L", piece])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_found_in_a_cell_whichever_way_it_came() {
        for (value, expected) in [
            (json!(["L", 7]), Some(7)),
            (json!("[7]"), Some(7)),
            (json!("[7,8]"), Some(7)),
            (json!("[]"), None),
            (json!(["L"]), None),
            (json!(["L", 0]), None),
            (json!("a note"), None),
            (Value::Null, None),
        ] {
            assert_eq!(upload_of(&value), expected, "{value}");
        }
    }

    #[test]
    fn a_pseudonym_is_the_checksum_of_nothing() {
        assert!(is_checksum("1B2M2Y8AsgTpgAmY7PhCfg=="));
        assert!(!is_checksum("") && !is_checksum("p-1B2M2Y8AsgTpgAmY7PhCfg"));
    }
}
