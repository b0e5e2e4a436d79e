//! Runs the queries of `docs/sqlite.md` on a file.

use demarche_numerique::sink::{Sink, SqliteSink};
use demarche_numerique::table::CellKind;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use super::world::{batch, column, creation, form, insert, layout, scope};

#[tokio::test]
async fn the_documented_queries_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dossiers.db");
    let sink = SqliteSink::open(&path).await.expect("a database");
    let mut layout = layout("demarche_12");
    layout.tables[0].columns[7] = column(50, "state", "État", CellKind::Choice);
    layout.tables[0].columns[8].name = "publics".to_owned();
    let prepared = sink.prepare(&scope(), &form(), creation(layout)).await.expect("tables");
    sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("a commit");

    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sqlite.md")).expect("the page");
    let (_, rest) = text.split_once("```sql\n").expect("queries");
    let (queries, _) = rest.split_once("```").expect("their end");
    let mut reader = SqliteConnectOptions::new().filename(&path).read_only(true).connect().await.expect("a reader");
    let mut rows = Vec::new();
    for query in queries.split(';').filter(|query| query.contains("SELECT")) {
        let found = sqlx::query(AssertSqlSafe(query.to_owned())).fetch_all(&mut reader).await.expect(query);
        rows.push(found.len());
    }
    // One state, one column, no change after the 4200th, two choices of two dossiers, one démarche.
    assert_eq!(rows, [1, 1, 0, 4, 1]);
}
