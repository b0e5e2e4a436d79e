//! Uses reserved names of databases as titles of questions.

use demarche_numerique::ids::Scope;
use demarche_numerique::plan::{Remembered, reconcile};
use demarche_numerique::sink::{Sink, SqliteSink};
use demarche_numerique::table::naming::NameLimits;
use demarche_numerique::table::{CellKind, Layout, Spec, TableKey, TableSpec};

use super::super::look::Look as _;
use super::super::world::*;
use crate::support::postgres::Database;

/// Titles of questions that are reserved names of a database.
const TITLES: [&str; 16] = [
    "Xmin",
    "xmax",
    "cmin",
    "CMAX",
    "ctid",
    "tableoid",
    "oid",
    "_rowid_",
    "manualSort",
    "id",
    "User",
    "select",
    "\"",
    "\0",
    "",
    "Dossier n°",
];

/// A table of dossiers with these questions, made for a target as the engine does.
async fn made(sink: &impl Sink, scope: &Scope) -> Vec<String> {
    let remembered: Remembered = sink.schema(scope).await.expect("a schema");
    let question = |(number, title)| column(number, "", title, CellKind::Text).spec;
    let columns = (1..).zip(TITLES).map(question).collect();
    let table = TableSpec { key: TableKey::Dossiers, title: "Dossiers".to_owned(), columns };
    let plan = reconcile(&spec(table), &remembered, NameLimits::default());
    let names = plan.layout.tables[0].columns.iter().map(|column| column.name.clone()).collect();
    sink.prepare(scope, &form(), plan).await.expect("tables");
    names
}

fn spec(table: TableSpec) -> Spec {
    let Layout { demarche, title, presentation, .. } = layout("");
    Spec { demarche, title, tables: vec![table], presentation }
}

#[tokio::test]
async fn no_title_keeps_a_table_from_being_made_in_any_target() {
    let database = Database::new().await;
    let postgres = database.sink().await;
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = SqliteSink::open(&folder.path().join("d.db")).await.expect("a file");
    let names = made(&postgres, &scope()).await;
    assert_eq!(made(&sqlite, &scope()).await, names);
    assert_eq!(names[..2], ["xmin_1", "xmax_2"]);
    // The views have the titles themselves, each once.
    let titles = database
        .column("SELECT attname::text FROM pg_attribute WHERE attrelid = 'dn.vue_12_dossiers'::regclass AND attnum > 0")
        .await;
    assert_eq!(titles.len(), TITLES.len() + 2);
    assert!(["Xmin", "xmax", "User", "\"", "Dossier n°"].iter().all(|title| titles.iter().any(|own| own == title)));
    postgres.look(&scope()).await;
}

#[tokio::test]
async fn a_view_that_somebody_made_is_never_taken_for_ours() {
    let database = Database::new().await;
    let sink = database.sink().await;
    database.run("CREATE VIEW vue_12_enfants AS SELECT 1 AS la_leur; CREATE DOMAIN demarche_12_avis AS text").await;
    let prefix = sink.schema(&scope()).await.expect("a schema");
    assert!(prefix.taken.contains("demarche_12_enfants") && prefix.taken.contains("demarche_12_avis"));
    assert_eq!(database.column("SELECT la_leur::text FROM vue_12_enfants").await, ["1"]);
}
