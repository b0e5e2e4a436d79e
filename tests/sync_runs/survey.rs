//! Details of differences, columns of questions, contents of a SQLite file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use demarche_numerique::champ::ChampValue;
use demarche_numerique::ids::DescriptorId;
use demarche_numerique::report::Report;
use demarche_numerique::sandbox::world::State;
use demarche_numerique::sandbox::world::form::stable_id;
use demarche_numerique::sandbox::{Kind, World};
use demarche_numerique::sink::{MemorySink, Sink, SqliteSink};
use demarche_numerique::sync;
use demarche_numerique::{Dossier, Platform};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Row as _};
use tempfile::TempDir;

use super::lab::Lab;

/// The stable id of the question of this kind in the complete form.
pub fn question(platform: Platform, kind: Kind) -> u64 {
    let rank = Kind::all(platform).into_iter().position(|known| known == kind).expect("a kind of the platform");
    stable_id::FIRST_OF_KINDS + rank as u64
}

/// The id of a question.
pub fn descriptor(stable_id: u64) -> DescriptorId {
    DescriptorId::new(STANDARD.encode(format!("Champ-{stable_id}")))
}

/// The answer to a question; `None` when the dossier does not show it.
pub fn answer(dossier: &Dossier, stable_id: u64) -> Option<&ChampValue> {
    let id = descriptor(stable_id);
    let mut champs = dossier.champs.iter().chain(&dossier.annotations);
    champs.find(|champ| champ.descriptor == id).map(|champ| &champ.value)
}

impl<S: Sink> Lab<S> {
    /// Changes the world.
    pub fn change<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        change(&mut self.sandbox.world())
    }

    /// The dossiers that the platform shows in a state.
    pub fn in_state(&self, state: State) -> Vec<u32> {
        let dossiers = self.sandbox.snapshot(self.demarche()).dossiers;
        dossiers.values().filter(|dossier| dossier.state == state).map(|dossier| dossier.number).collect()
    }

    /// The dossiers that a fresh copy would hold otherwise.
    pub async fn stale(&self) -> BTreeSet<u32> {
        let fresh = MemorySink::default();
        let run = self.run_into(&fresh).await;
        assert!(run.error.is_none(), "a fresh copy: {:?}", run.error);
        let (ours, fresh) = (self.documents(&self.sink).await, self.documents(&fresh).await);
        let numbers: BTreeSet<u32> = ours.keys().chain(fresh.keys()).copied().collect();
        numbers.into_iter().filter(|number| ours.get(number) != fresh.get(number)).collect()
    }

    /// The documents of the dossiers that are there.
    pub async fn documents<T: Sink>(&self, sink: &T) -> BTreeMap<u32, String> {
        let documents = sink.documents(&self.scope, None, 1_000_000).await.expect("a readable target");
        documents.into_iter().filter(|d| d.gone.is_none()).map(|d| (d.number.get(), d.document)).collect()
    }

    /// Writes everything again from the documents.
    pub async fn remap(&self) -> Report {
        let run = self.job(&self.sink, async |job| sync::remap(&job).await).await;
        assert!(run.error.is_none(), "{:?}", run.error);
        run.report
    }
}

/// A SQLite file in a folder of its own.
pub struct Database(TempDir);

impl Database {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("dossiers.db")
    }

    /// Opens it for a run.
    pub async fn sink(&self) -> SqliteSink {
        SqliteSink::open(self.path()).await.expect("a database")
    }

    async fn connection(&self, read_only: bool) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path()).read_only(read_only);
        options.connect().await.expect("a connection")
    }

    /// The rows that a query gives, as text.
    pub async fn ask(&self, query: &str) -> Vec<Vec<Option<String>>> {
        let mut connection = self.connection(true).await;
        let rows = sqlx::query(AssertSqlSafe(query.to_owned())).fetch_all(&mut connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{query}: {error}"));
        let text = |row: &sqlx::sqlite::SqliteRow| {
            let columns = row.columns().iter();
            columns.map(|column| row.try_get_unchecked(column.ordinal()).expect("a text")).collect()
        };
        let rows = rows.iter().map(text).collect();
        connection.close().await.expect("a clean end");
        rows
    }

    /// The first column of what a query gives.
    pub async fn list(&self, query: &str) -> Vec<Option<String>> {
        self.ask(query).await.into_iter().map(|mut row| row.swap_remove(0)).collect()
    }

    /// The one value that a query gives.
    pub async fn one(&self, query: &str) -> Option<String> {
        let mut found = self.list(query).await;
        assert_eq!(found.len(), 1, "{query}");
        found.swap_remove(0)
    }

    /// Does something to the file by hand.
    pub async fn run(&self, statement: &str) {
        let mut connection = self.connection(false).await;
        let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        connection.close().await.expect("a clean end");
    }

    /// The column that holds (the first part of) the answers to a question of a démarche.
    pub async fn column(&self, demarche: u32, stable_id: u64) -> String {
        let query = format!(
            "SELECT \"column\" FROM dn_columns WHERE demarche = {demarche} AND descriptor = '{}' AND part = 'value'",
            descriptor(stable_id).as_str()
        );
        self.one(&query).await.expect("a name")
    }

    /// The cell of a dossier of a démarche for a question.
    pub async fn cell(&self, demarche: u32, number: u32, stable_id: u64) -> Option<String> {
        let column = self.column(demarche, stable_id).await;
        self.one(&format!("SELECT \"{column}\" FROM demarche_{demarche}_dossiers WHERE number = {number}")).await
    }

    /// Everything that every table holds, but for the history of runs and the dates of the feed.
    pub async fn dump(&self) -> BTreeMap<String, Vec<Vec<Option<String>>>> {
        let mut dump = BTreeMap::new();
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
                      AND name NOT IN ('dn_runs', 'dn_checkpoints')";
        for table in self.list(tables).await.into_iter().flatten() {
            let mut rows = self.ask(&format!("SELECT * FROM \"{table}\"")).await;
            rows.sort();
            dump.insert(table, rows);
        }
        dump
    }

    /// The bytes of the file and of what lies beside it.
    pub fn bytes(&self) -> Vec<u8> {
        let entries = std::fs::read_dir(self.0.path()).expect("a folder");
        let mut bytes = Vec::new();
        for entry in entries {
            let path = entry.expect("an entry").path();
            bytes.extend(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        }
        bytes
    }
}

/// Returns true if some bytes occur in others.
pub fn occurs(haystack: &[u8], needle: &str) -> bool {
    let needle = needle.as_bytes();
    let Some(first) = needle.first() else { return true };
    let ends = haystack.len().saturating_sub(needle.len() - 1);
    haystack[..ends]
        .iter()
        .enumerate()
        .filter(|(_, byte)| *byte == first)
        .any(|(at, _)| &haystack[at..at + needle.len()] == needle)
}
