//! Remembers the tables that we made for a démarche: what each holds, and the references by which
//! Grist knows them whatever people rename.

use grist_client::{ColRef, Column, RowId, Table, TableRef};
use serde::{Deserialize, Serialize};

use super::extension::AddedColumns;
use crate::plan::{RememberedColumn, RememberedTable};
use crate::table::{CellKind, ColumnKey, TableKey};

/// The tables of a démarche, in the order of their creation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DocumentMemory {
    pub tables: Vec<TableMemory>,
    /// Decided when the first table is made; a version that did not know of it made the first style.
    #[serde(default, skip_serializing_if = "Style::is_first")]
    pub style: Style,
    /// The pages that we made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<PageMemory>,
}

/// Names a page of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PageKey {
    /// The charts of a démarche.
    Dashboard,
    /// The dossiers that wait for a decision.
    Decide,
    /// The page of a table.
    Table(TableKey),
    /// The run history, which all démarches of a document share.
    Synchronisation,
}

/// A page of ours as we made it: a person may have changed it since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageMemory {
    pub key: PageKey,
    /// The name that we gave it: another one is a person's.
    pub name: String,
    /// `None` until Grist has reported the reference that it gave.
    pub view: Option<RowId>,
    /// Its widgets of ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<RowId>,
    /// The widgets that people had put there before it was arranged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<RowId>,
    /// The digest of the page as it was made; empty until its widgets are arranged.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub made: String,
}

/// A formula column of ours. It is never read, and what people make of it is theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FormulaMemory {
    pub name: String,
    /// Its id in the document when last seen.
    pub id: String,
    /// `None` until Grist has reported the reference that it gave.
    pub col_ref: Option<ColRef>,
}

/// Names a way to make the tables, columns and pages of a démarche.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Style {
    /// Columns show the words of the platform's API, and pages show every column.
    #[default]
    First,
    /// Columns show French words, and the word of the API is hidden beside them; pages are arranged for analysts.
    French,
}

impl Style {
    /// The style of tables that are new.
    pub(super) const NEWEST: Self = Self::French;

    /// Returns true if it need not be written down.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_first(&self) -> bool {
        *self == Self::First
    }
}

/// A table of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableMemory {
    pub key: TableKey,
    /// Its name in layouts, for ever.
    pub name: String,
    /// Its title in the form.
    pub title: String,
    /// Its id in the document when last seen.
    pub id: String,
    /// `None` until Grist has reported the reference that it gave.
    pub table_ref: Option<TableRef>,
    /// True once it has its page and its titles.
    pub dressed: bool,
    /// The columns that every table of the kind has.
    pub technical: Vec<ColumnMemory>,
    /// Those of its layout.
    pub columns: Vec<ColumnMemory>,
    /// Where the files themselves are shown, once that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ColumnMemory>,
    /// The columns in which people decide, once that was asked for.
    #[serde(rename = "session", default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<ColumnMemory>,
    /// The French words of columns that hold words of the API. Each has the key of its column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub twins: Vec<ColumnMemory>,
    /// The formula columns that its pages need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formulas: Vec<FormulaMemory>,
}

/// Colours of a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChoiceColour {
    pub word: String,
    pub fill: &'static str,
    pub text: &'static str,
}

impl ChoiceColour {
    pub(super) fn new(word: &str, fill: &'static str, text: &'static str) -> Self {
        Self { word: word.to_owned(), fill, text }
    }

    /// Lists choices of a constant: word, background, text.
    pub(super) fn list(choices: &[(&str, &'static str, &'static str)]) -> Vec<Self> {
        choices.iter().map(|(word, fill, text)| Self::new(word, fill, text)).collect()
    }
}

/// A column of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ColumnMemory {
    pub key: ColumnKey,
    /// Its name in layouts, for ever.
    pub name: String,
    /// Its title in the form.
    pub title: String,
    pub kind: CellKind,
    /// Its id in the document when last seen.
    pub id: String,
    /// `None` until Grist has reported the reference that it gave.
    pub col_ref: Option<ColRef>,
    pub dressed: bool,
    /// The type that we gave it.
    pub given: String,
    /// The label that we gave it: another one is a person's.
    pub label: String,
    /// The description that we gave it.
    pub description: String,
    /// The choices that we gave it: one that is not there any more was taken away by a person.
    pub options: Vec<String>,
    /// A person deleted it, or made a formula of it.
    pub left_out: bool,
    /// Only the draft of the form asks for it: it is made once a published revision does. Left out until then.
    #[serde(default, skip_serializing_if = "is_false")]
    pub awaited: bool,
    /// Its reference cannot have been given to another column: one with a higher reference was there all the time.
    #[serde(skip)]
    pub fenced: bool,
    /// The colours of its choices, for a column that is to be made.
    #[serde(skip)]
    pub colours: Vec<ChoiceColour>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl DocumentMemory {
    pub(super) fn table(&self, key: &TableKey) -> Option<&TableMemory> {
        self.tables.iter().find(|table| table.key == *key)
    }

    /// As the plan wants it.
    pub(super) fn remembered(&self) -> Vec<RememberedTable> {
        let column = |column: &ColumnMemory| RememberedColumn {
            key: column.key.clone(),
            name: column.name.clone(),
            title: column.title.clone(),
            kind: column.kind,
        };
        let table = |table: &TableMemory| RememberedTable {
            key: table.key.clone(),
            name: table.name.clone(),
            title: table.title.clone(),
            columns: table.columns.iter().map(column).collect(),
        };
        self.tables.iter().map(table).collect()
    }

    /// Says of every column whether one with a higher reference was there all the time: one of ours that is as it was made,
    /// or one of `others`.
    pub(super) fn fence(&mut self, structure: &[Table], others: impl Iterator<Item = ColRef>) {
        let own = self.tables.iter().filter_map(|table| Some((table, table.find(structure)?)));
        let own = own.flat_map(|(table, found)| {
            let untied =
                |column: &ColumnMemory| column.find(found).filter(|here| here.untied && column.col_ref.is_some());
            table.all().filter_map(untied).map(|here| here.col_ref).collect::<Vec<_>>()
        });
        let fence = own.chain(others).max();
        for column in self.tables.iter_mut().flat_map(TableMemory::all_mut) {
            column.fenced = fence.zip(column.col_ref).is_some_and(|(fence, reference)| reference < fence);
        }
    }

    /// Every column of every table, those that all of its kind have first.
    pub(super) fn columns(&self) -> impl Iterator<Item = &ColumnMemory> {
        self.tables.iter().flat_map(TableMemory::all)
    }
}

impl TableMemory {
    pub(super) fn all(&self) -> impl Iterator<Item = &ColumnMemory> {
        let own = self.technical.iter().chain(&self.columns).chain(&self.twins);
        own.chain(&self.file).chain(&self.decisions)
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut ColumnMemory> {
        let own = self.technical.iter_mut().chain(&mut self.columns).chain(&mut self.twins);
        own.chain(&mut self.file).chain(&mut self.decisions)
    }

    /// The columns that only some tables of the kind have: those of its layout and of features.
    pub(super) fn own_mut(&mut self) -> impl Iterator<Item = &mut ColumnMemory> {
        let own = self.columns.iter_mut().chain(&mut self.twins);
        own.chain(&mut self.file).chain(&mut self.decisions)
    }

    /// The columns of a feature.
    pub(super) fn added_mut(&mut self, added: AddedColumns) -> &mut [ColumnMemory] {
        match added {
            AddedColumns::File => self.file.as_mut_slice(),
            AddedColumns::Decisions => &mut self.decisions,
            AddedColumns::Twins => &mut self.twins,
        }
    }

    /// Remembers a new column of a feature.
    pub(super) fn add(&mut self, added: AddedColumns, column: ColumnMemory) {
        match added {
            AddedColumns::File => self.file = Some(column),
            AddedColumns::Decisions => self.decisions.push(column),
            AddedColumns::Twins => self.twins.push(column),
        }
    }

    /// The table in the document: by its reference, or by its id before Grist reported the reference.
    pub(super) fn find<'a>(&self, structure: &'a [Table]) -> Option<&'a Table> {
        structure.iter().find(|table| match self.table_ref {
            Some(reference) => table.table_ref == reference,
            None => table.id == self.id,
        })
    }

    /// Finds the column that shows the French words of another one.
    pub(super) fn twin(&self, key: &ColumnKey) -> Option<&ColumnMemory> {
        self.twins.iter().find(|column| column.key == *key)
    }

    /// A column that every table of the kind has.
    pub(super) fn technical(&self, name: &str) -> Option<&ColumnMemory> {
        self.technical.iter().find(|column| column.name == name)
    }
}

impl ColumnMemory {
    /// Finds the column in the document. Grist gives the reference of a deleted column to the next one that is made, unless
    /// one with a higher reference is there: where none was all the time, a column that follows its title, under another id
    /// and another title than ours, is a person's (Grist trap 12).
    pub(super) fn find<'a>(&self, table: &'a Table) -> Option<&'a Column> {
        let ours = |column: &Column| {
            self.fenced
                || column.untied
                || column.id == self.id
                || (column.label == self.label && !self.label.is_empty())
        };
        table.columns.iter().find(|column| match self.col_ref {
            Some(reference) => column.col_ref == reference && ours(column),
            None => column.id == self.id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_of_an_older_version_has_the_first_style_and_is_written_as_it_was() {
        let kept = r#"{"tables":[]}"#;
        let memory: DocumentMemory = serde_json::from_str(kept).expect("a memory");
        assert_eq!(memory.style, Style::First);
        assert_eq!(serde_json::to_string(&memory).expect("JSON"), kept);
        let new = DocumentMemory { style: Style::French, ..memory };
        let text = serde_json::to_string(&new).expect("JSON");
        assert_eq!(text, r#"{"tables":[],"style":"french"}"#);
        assert_eq!(serde_json::from_str::<DocumentMemory>(&text).expect("a memory"), new);
    }
}
