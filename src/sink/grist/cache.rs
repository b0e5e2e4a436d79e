//! Keeps what was read of a document in a file beside it, for the next run: tables, columns and state, which are as large as the
//! form is wide, with the point of the document's history at which they were so. The next run asks if they moved since, and
//! reads them only then. Losing the file costs one larger answer.
//!
//! Nothing of a dossier is in it but numbers of the quarantine; its owner alone may read it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use grist_client::{Column, DocId, RowId, Table};
use serde::{Deserialize, Serialize};

use super::position::HistoryPosition;
use super::state::{State, StoredValue};
use super::value;
use crate::fingerprint::Digest;

/// The version of the file; it grows when another part of a document is read.
const VERSION: u32 = 1;

/// The file of one document.
#[derive(Clone, Debug)]
pub(super) struct DocumentCache(PathBuf);

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    version: u32,
    position: HistoryPosition,
    tables: Vec<KeptTable>,
    /// The rows of `Dn_etat`: key, row, value.
    values: Vec<(String, RowId, String)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptTable {
    id: String,
    table_ref: i64,
    columns: Vec<KeptColumn>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptColumn {
    id: String,
    col_ref: i64,
    kind: String,
    label: String,
    is_formula: bool,
    formula: String,
    widget_options: String,
    description: String,
    untied: bool,
}

impl DocumentCache {
    /// The file of a document in a directory, which need not exist.
    pub(super) fn of(directory: &Path, document: &DocId) -> Self {
        Self(directory.join(format!("grist-{}", Digest::of(document.as_str().as_bytes()))))
    }

    /// Reads what was kept; `None` if there is nothing, or nothing that this version wrote.
    pub(super) fn load(&self) -> Option<State> {
        let text = fs::read_to_string(&self.0).ok()?;
        let (digest, packed) = text.split_once('\n')?;
        if Digest::of(packed.as_bytes()).to_string() != digest {
            return None;
        }
        let kept: Kept = serde_json::from_str(&value::unpack(packed)?).ok()?;
        (kept.version == VERSION).then(|| kept.state())
    }

    /// Keeps a state, if it is known at which point of the history it is, and was not kept at that point. A file that
    /// cannot be written costs a larger answer.
    pub(super) fn store(&self, state: &State, last: &mut Option<HistoryPosition>) {
        let Some(kept) = Kept::of(state).filter(|kept| last.as_ref() != Some(&kept.position)) else { return };
        match self.write(&kept) {
            Ok(()) => *last = Some(kept.position),
            Err(error) => tracing::debug!(error = error.kind().to_string(), "the cache of a document was not written"),
        }
    }

    fn write(&self, kept: &Kept) -> std::io::Result<()> {
        if let Some(directory) = self.0.parent() {
            fs::create_dir_all(directory)?;
        }
        let packed = value::write(kept);
        // Another process may read or write it: it is whole at every moment.
        let beside = self.0.with_extension(format!("{}.new", std::process::id()));
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options
            .open(&beside)
            .and_then(|mut file| file.write_all(format!("{}\n{packed}", Digest::of(packed.as_bytes())).as_bytes()));
        let placed = written.and_then(|()| fs::rename(&beside, &self.0));
        if placed.is_err() {
            let _ = fs::remove_file(&beside);
        }
        placed
    }
}

impl Kept {
    /// `None` for a state that the document may not have, or that is not whole.
    fn of(state: &State) -> Option<Self> {
        let position = state.position.clone()?;
        if !state.is_ours() || !state.hidden.tables.is_empty() || !state.hidden.columns.is_empty() {
            return None;
        }
        let value = |(key, kept): (&String, &StoredValue)| {
            kept.sound.then(|| Some((key.clone(), kept.id?, kept.value.clone()))).flatten()
        };
        let values = state.kept.iter().map(value).collect::<Option<Vec<_>>>()?;
        let tables = state.structure.iter().map(KeptTable::of).collect();
        Some(Self { version: VERSION, position, tables, values })
    }

    fn state(self) -> State {
        let value = |(key, id, value)| (key, StoredValue { id: Some(id), value, sound: true });
        State {
            structure: self.tables.into_iter().map(KeptTable::table).collect(),
            kept: self.values.into_iter().map(value).collect(),
            position: Some(self.position),
            ..State::default()
        }
    }
}

impl KeptTable {
    fn of(table: &Table) -> Self {
        let Table { id, table_ref, columns } = table;
        Self { id: id.clone(), table_ref: *table_ref, columns: columns.iter().map(KeptColumn::of).collect() }
    }

    fn table(self) -> Table {
        let columns = self.columns.into_iter().map(KeptColumn::column).collect();
        Table { id: self.id, table_ref: self.table_ref, columns }
    }
}

impl KeptColumn {
    fn of(column: &Column) -> Self {
        let Column { id, col_ref, kind, label, is_formula, formula, widget_options, description, untied } =
            column.clone();
        Self { id, col_ref, kind, label, is_formula, formula, widget_options, description, untied }
    }

    fn column(self) -> Column {
        let Self { id, col_ref, kind, label, is_formula, formula, widget_options, description, untied } = self;
        Column { id, col_ref, kind, label, is_formula, formula, widget_options, description, untied }
    }
}
