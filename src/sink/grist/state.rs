//! Holds what is known of a document between its opening and the next bundle: its tables, the values of `Dn_etat`, the
//! lease. True as long as the lease is where it was, since every bundle of ours or of anybody like us moves it.

use std::collections::{BTreeMap, BTreeSet};

use grist_client::{ColRef, Hidden, RowId, Table};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::dictionary::Dictionary;
use super::fault::GristFault;
use super::lease::{self, LeaseRow};
use super::memory::DocumentMemory;
use super::position::HistoryPosition;
use super::shared::{self, Shared};
use super::{user_edits, value};
use crate::checkpoint::Checkpoint;
use crate::demarche::Demarche;
use crate::ids::{DossierNumber, Scope};
use crate::sink::{InstanceAddress, QuarantineEntry, Totals, names};

/// The newest version of what is kept; it grows when an older program would misread it.
const VERSION: i64 = STYLED;

/// The version of a document whose démarches all have the first style.
const FIRST: i64 = 1;

/// The version of a document in which columns have French twins: a program that does not know them would make them again.
pub(super) const STYLED: i64 = 2;

/// Values that are kept for the whole document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DocumentFormat {
    pub version: i64,
    /// The prefix of each instance, decided once.
    pub instances: BTreeMap<String, String>,
    /// The shared tables for people have their page.
    pub dressed: bool,
    /// The document in which this was written: a copy has another id. `None` before it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Where each instance answers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addresses: BTreeMap<String, InstanceAddress>,
}

/// Values that are kept of the last line of the run history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunHistory {
    /// The number of lines, at most.
    pub lines: u32,
    pub ended_at: Option<Timestamp>,
    pub quiet: bool,
    /// It ended well: the next line of a run without news says nothing that it does not say.
    #[serde(default)]
    pub done: bool,
}

/// Values that are kept for one démarche.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Memory,
    Form,
    Checkpoint,
    Quarantine,
    History,
    /// The dictionary of its documents.
    Dictionary,
}

/// The key of what is kept of the whole document.
pub(super) const FORMAT: &str = "format";

impl Slot {
    pub(super) fn key(self, scope: &Scope) -> String {
        let word = match self {
            Self::Memory => "tables",
            Self::Form => "formulaire",
            Self::Checkpoint => "jalon",
            Self::Quarantine => "quarantaine",
            Self::History => "executions",
            Self::Dictionary => "amorce",
        };
        format!("{scope}/{word}")
    }
}

/// A value of `Dn_etat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredValue {
    /// Its row; `None` for one that was put by a bundle since the document was read.
    pub id: Option<RowId>,
    pub value: String,
    /// True if its digest is right.
    pub sound: bool,
}

/// Number of dossiers of a démarche in `Dn_dossiers`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Rows, those of dossiers that are being written included.
    pub rows: u64,
    pub totals: Totals,
}

/// A document.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub structure: Vec<Table>,
    pub kept: BTreeMap<String, StoredValue>,
    pub lease: Option<LeaseRow>,
    pub counts: BTreeMap<Scope, Count>,
    /// The tables and columns that access rules of the document hide from the key.
    pub hidden: Hidden,
    /// The point of the document's history at which its tables and what it remembers are as here; `None` if it is not known.
    pub position: Option<HistoryPosition>,
    /// Instances that asked for their tables, and have none yet.
    pub newcomers: BTreeMap<String, String>,
    /// Where instances answer that are to be kept with the next tables.
    pub addresses: BTreeMap<String, InstanceAddress>,
}

impl State {
    /// Which shared tables are to be made: all of them in a new document, those for people whenever they are missing.
    ///
    /// # Errors
    /// [`GristFault::Altered`] when a document of ours has lost one that cannot be made again.
    pub(super) fn missing(&self) -> Result<Vec<&'static Shared>, GristFault> {
        let missing: Vec<&Shared> =
            shared::TABLES.iter().filter(|table| table.find(&self.structure).is_none()).collect();
        let lost: Vec<&&Shared> = missing.iter().filter(|table| !table.is_for_people()).collect();
        let all = shared::TABLES.iter().filter(|table| !table.is_for_people()).count();
        if lost.is_empty() {
            return Ok(missing);
        }
        // A table that a rule hides from the key looks as if it were not there (Grist trap 20).
        if !self.hidden.tables.is_empty() {
            let hidden = "an access rule hides tables from the key: make its account an owner, or let it read them";
            return Err(GristFault::Altered(format!("the table {} is not seen, and {hidden}", lost[0].id)));
        }
        if lost.len() < all {
            return Err(GristFault::Altered(format!("the table {} is missing", lost[0].id)));
        }
        match user_edits::orphan(&self.structure) {
            Some(table) => {
                Err(GristFault::Altered(format!("{} is there, and the tables Dn_… that go with it are not", table.id)))
            }
            None => Ok(missing),
        }
    }

    /// Returns true if the document has our shared tables.
    pub(super) fn is_ours(&self) -> bool {
        shared::of(lease::TABLE).find(&self.structure).is_some()
    }

    /// Returns true if a shared table for people is there, with all its columns.
    pub(super) fn shows(&self, shared: &Shared) -> bool {
        shared.find(&self.structure).is_some_and(|table| shared.missing_column(table).is_none())
    }

    /// Finds damage to a table of ours, but for those that people read.
    pub(super) fn damage(&self) -> Option<String> {
        let mut tables = shared::TABLES.iter().filter(|table| !table.is_for_people());
        tables.find_map(|shared| shared.damage(shared.find(&self.structure)?))
    }

    /// Reads what is kept under a key.
    pub(super) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, GristFault> {
        let Some(kept) = self.kept.get(key) else { return Ok(None) };
        if !kept.sound {
            return Err(GristFault::Altered(format!("the row {key} of {} was edited", shared::STATE)));
        }
        value::read(key, &kept.value)
    }

    pub(super) fn format(&self) -> Result<DocumentFormat, GristFault> {
        let format: Option<DocumentFormat> = self.get(FORMAT)?;
        match format {
            Some(format) if format.version > VERSION => {
                Err(GristFault::NewerVersion { found: format.version, known: VERSION })
            }
            Some(format) => Ok(format),
            None => Ok(DocumentFormat { version: FIRST, ..DocumentFormat::default() }),
        }
    }

    /// Gives the prefix of the names of an instance's tables; decided now for one that is new.
    pub(super) fn prefix(&mut self, instance: &str) -> Result<String, GristFault> {
        let format = self.format()?;
        if let Some(prefix) = format.instances.get(instance).or_else(|| self.newcomers.get(instance)) {
            return Ok(prefix.clone());
        }
        let others: Vec<String> = format.instances.values().chain(self.newcomers.values()).cloned().collect();
        let prefix = names::instance_prefix(instance, &others);
        self.newcomers.insert(instance.to_owned(), prefix.clone());
        Ok(prefix)
    }

    pub(super) fn memory(&self, scope: &Scope) -> Result<DocumentMemory, GristFault> {
        let mut memory: DocumentMemory = self.get(&Slot::Memory.key(scope))?.unwrap_or_default();
        memory.fence(&self.structure, self.fences());
        Ok(memory)
    }

    /// The references of the columns of the shared tables, which were made after the first tables of a document, and of the one
    /// that is made after every column.
    fn fences(&self) -> impl Iterator<Item = ColRef> {
        let found = shared::TABLES.iter().filter_map(|shared| Some((shared, shared.find(&self.structure)?)));
        found.flat_map(|(shared, table)| {
            let is_own = |column: &&grist_client::Column| {
                shared.columns().any(|id| id == column.id) || (shared.id == shared::STATE && column.id == shared::FENCE)
            };
            let own = table.columns.iter().filter(is_own);
            own.map(|column| column.col_ref)
        })
    }

    pub(super) fn form(&self, scope: &Scope) -> Result<Option<Demarche>, GristFault> {
        self.get(&Slot::Form.key(scope))
    }

    pub(super) fn checkpoint(&self, scope: &Scope) -> Result<Option<Checkpoint>, GristFault> {
        self.get(&Slot::Checkpoint.key(scope))
    }

    pub(super) fn quarantine(&self, scope: &Scope) -> Result<BTreeMap<DossierNumber, QuarantineEntry>, GristFault> {
        let entries: Vec<QuarantineEntry> = self.get(&Slot::Quarantine.key(scope))?.unwrap_or_default();
        Ok(entries.into_iter().map(|entry| (entry.number, entry)).collect())
    }

    pub(super) fn history(&self, scope: &Scope) -> Result<RunHistory, GristFault> {
        Ok(self.get(&Slot::History.key(scope))?.unwrap_or_default())
    }

    pub(super) fn dictionary(&self, scope: &Scope) -> Result<Option<Dictionary>, GristFault> {
        Ok(self.get(&Slot::Dictionary.key(scope))?.map(Dictionary::kept))
    }

    pub(super) fn count(&self, scope: &Scope) -> Count {
        self.counts.get(scope).copied().unwrap_or_default()
    }

    /// The values of a démarche that have no row yet, as rows of their own: from then on they are only updated.
    pub(super) fn blank(&self, scope: &Scope) -> Vec<(String, String)> {
        let slots = [Slot::Checkpoint, Slot::Quarantine, Slot::History];
        let keys = slots.map(|slot| slot.key(scope)).into_iter().filter(|key| !self.kept.contains_key(key));
        keys.map(|key| (key, value::write(&()))).collect()
    }

    /// Returns true if the row of every value is known.
    pub(super) fn is_placed(&self) -> bool {
        self.kept.values().all(|kept| kept.id.is_some())
    }

    /// The tables of every démarche.
    pub(super) fn memories(&self) -> Result<Vec<DocumentMemory>, GristFault> {
        let keys = self.kept.keys().filter(|key| key.ends_with("/tables"));
        let mut memories =
            keys.filter_map(|key| self.get(key).transpose()).collect::<Result<Vec<DocumentMemory>, _>>()?;
        memories.iter_mut().for_each(|memory| memory.fence(&self.structure, self.fences()));
        Ok(memories)
    }

    /// Lists the démarches that have tables here.
    pub(super) fn demarches(&self) -> BTreeSet<&str> {
        self.kept.keys().filter_map(|key| key.strip_suffix("/tables")).collect()
    }

    /// Keeps those of some values that are to be written because they are new.
    pub(super) fn changed(&self, values: Vec<(String, String)>) -> Vec<(String, String)> {
        let same = |(key, value): &(String, String)| self.kept.get(key).is_some_and(|kept| kept.value == *value);
        values.into_iter().filter(|value| !same(value)).collect()
    }

    /// Believes values that were written.
    pub(super) fn keep(&mut self, values: Vec<(String, String)>) {
        for (key, value) in values {
            let id = self.kept.get(&key).and_then(|kept| kept.id);
            self.kept.insert(key, StoredValue { id, value, sound: true });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DemarcheNumber;

    fn scope() -> Scope {
        Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(12) }
    }

    fn table(id: &str, columns: &[&str]) -> Table {
        let column = |id: &&str| grist_client::Column {
            id: (*id).to_owned(),
            col_ref: 1,
            kind: "Text".to_owned(),
            label: String::new(),
            is_formula: false,
            formula: String::new(),
            widget_options: String::new(),
            description: String::new(),
            untied: true,
        };
        Table { id: id.to_owned(), table_ref: 1, columns: columns.iter().map(column).collect() }
    }

    fn all() -> Vec<Table> {
        shared::TABLES.iter().map(|shared| table(shared.id, &["cle"])).collect()
    }

    #[test]
    fn only_tables_that_people_read_are_made_again() {
        let without = |ids: &[&str]| State {
            structure: all().into_iter().filter(|table| !ids.contains(&table.id.as_str())).collect(),
            ..State::default()
        };
        let missing = |state: State| state.missing().map(|tables| tables.iter().map(|t| t.id).collect::<Vec<_>>());
        assert_eq!(missing(without(&[])).expect("whole"), [""; 0]);
        assert_eq!(missing(without(&["Dn_executions"])).expect("for people"), ["Dn_executions"]);
        assert!(matches!(missing(without(&["Dn_etat"])), Err(GristFault::Altered(_))));
        let theirs = State { structure: vec![table("Table1", &["A"])], ..State::default() };
        assert_eq!(missing(theirs).expect("a new document").len(), shared::TABLES.len());
        let orphans = State { structure: vec![table("Dossiers", &["dn_gone_reason"])], ..State::default() };
        assert!(matches!(missing(orphans), Err(GristFault::Altered(_))));
    }

    #[test]
    fn a_value_that_somebody_edited_is_told() {
        let key = Slot::Checkpoint.key(&scope());
        let value = value::write(&Checkpoint::default());
        let kept = |sound| State {
            kept: [(key.clone(), StoredValue { id: Some(1), value: value.clone(), sound })].into(),
            ..State::default()
        };
        assert_eq!(kept(true).checkpoint(&scope()).expect("sound"), Some(Checkpoint::default()));
        let Err(GristFault::Altered(reason)) = kept(false).checkpoint(&scope()) else { panic!("it was believed") };
        assert_eq!(reason, "the row dn/12/jalon of Dn_etat was edited");
        assert_eq!(kept(false).form(&scope()).expect("another value"), None);
    }

    #[test]
    fn the_first_instance_that_asks_has_no_prefix() {
        let mut state = State::default();
        let given: Vec<String> =
            ["dn", "ds", "dn", "ds"].iter().map(|name| state.prefix(name).expect("a prefix")).collect();
        assert_eq!(given, ["", "ds_", "", "ds_"]);
    }

    #[test]
    fn a_newer_format_is_refused() {
        let format = DocumentFormat { version: VERSION + 1, ..DocumentFormat::default() };
        let kept = StoredValue { id: None, value: value::write(&format), sound: true };
        let state = State { kept: [(FORMAT.to_owned(), kept)].into(), ..State::default() };
        assert!(matches!(state.format(), Err(GristFault::NewerVersion { found: 3, known: 2 })));
    }
}
