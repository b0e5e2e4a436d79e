//! Checks the content of a schema: types, views, comments, keys.

use demarche_numerique::plan::SchemaPlan;
use demarche_numerique::privacy::Treatment;
use demarche_numerique::sink::Sink;
use demarche_numerique::table::{Cell, CellKind, ColumnKey, Origin};

use super::super::world::*;
use super::filled;
use crate::support::postgres::Database;

#[tokio::test]
async fn columns_have_the_types_of_the_database() {
    let database = Database::new().await;
    filled(&database.sink().await).await;
    let types = "SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute \
                 WHERE attrelid = 'demarche_12_dossiers'::regclass AND attnum > 0 ORDER BY attnum";
    let expected = [
        "number bigint",
        "nom text",
        "effectif bigint",
        "montant numeric",
        "latitude double precision",
        "accord boolean",
        "jour date",
        "instant timestamp with time zone",
        "choix text",
        "options text[]",
        "fiche jsonb",
        "dn_gone_reason text",
        "dn_gone_at timestamp with time zone",
        "dn_seen_at timestamp with time zone",
    ];
    assert_eq!(database.column(types).await, expected);
    let values = "SELECT concat_ws('|', options[2], fiche ->> 'b', jour + 1, instant AT TIME ZONE 'Europe/Paris', montant) \
                  FROM demarche_12_dossiers WHERE number = 1";
    assert_eq!(database.column(values).await, ["l’autre 🎉|2026-01-16|2026-01-15 13:26:40|12.345"]);
    let state = "SELECT document ->> 'texte' FROM dn_dossiers ORDER BY number";
    assert_eq!(database.column(state).await, ["un", "deux"]);
}

#[tokio::test]
async fn json_that_the_database_refuses_is_stored_without_what_it_refuses() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = prepare(&sink, &scope()).await;
    let mut row = row(1, "a\0b");
    row.cells[9] = Cell::Json(r#"{"nul":"\u0000","suite":["\\u0000"]}"#.to_owned());
    row.cells[8] = Cell::List(vec!["a\0b".to_owned(), "NULL".to_owned(), String::new()]);
    let document = row.document.clone();
    assert!(document.contains("\\u0000"));
    sink.commit(&prepared, &batch(1, vec![demarche_numerique::plan::Change::Present(row)])).await.expect("a commit");
    let values = "SELECT nom || ' ' || fiche::text || ' ' || options::text FROM demarche_12_dossiers";
    let expected = "a\u{fffd}b {\"nul\": \"\u{fffd}\", \"suite\": [\"\\\\u0000\"]} {a\u{fffd}b,\"NULL\",\"\"}";
    assert_eq!(database.column(values).await, [expected]);
    assert_eq!(sink.documents(&scope(), None, 9).await.expect("an answer")[0].document, document);
}

#[tokio::test]
async fn views_have_the_titles_of_the_form_and_the_dossiers_that_are_there() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = prepare(&sink, &scope()).await;
    let first = batch(1, vec![insert(1, "un"), insert(2, "deux"), insert(4, "quatre")]);
    sink.commit(&prepared, &first).await.expect("a commit");
    sink.commit(&prepared, &batch(2, vec![delete(2)])).await.expect("a commit");
    let dossiers = r#"SELECT "Dossier n°" || ' ' || "Nom de l'""établissement""" FROM vue_12_dossiers"#;
    assert_eq!(database.column(dossiers).await, ["1 un", "4 quatre"]);
    let enfants = r#"SELECT "Dossier n°" || ' ' || "Rang" || ' ' || "Prénom" FROM vue_12_enfants"#;
    assert_eq!(database.column(enfants).await, ["1 1 un 0", "4 1 quatre 0"]);

    let long = "Précisez la nature des travaux réalisés depuis la dernière demande de subvention";
    let mut layout = prepared.layout().clone();
    let columns = &mut layout.tables[0].columns;
    columns[0].spec.title = "x\"; DROP TABLE dn_dossiers; --\n\0'🎉' \u{301}".to_owned();
    columns[1].spec.title = String::new();
    columns[2].spec.policy = Treatment::Exclude;
    for (id, name, title) in [(40, "travaux", long), (41, "travaux_41", long), (42, "rang", "Rang")] {
        columns.insert(0, column(id, name, title, CellKind::Text));
    }
    sink.prepare(&scope(), &form(), SchemaPlan { layout, changes: Vec::new() }).await.expect("other titles");
    let titles = "SELECT attname::text FROM pg_attribute WHERE attrelid = 'vue_12_dossiers'::regclass ORDER BY attnum";
    let expected = [
        "Dossier n°",
        "Rang",
        "Précisez la nature des travaux réalisés depuis la derniè…",
        "Précisez la nature des travaux réalisés depuis… (travaux)",
        "x\"; DROP TABLE dn_dossiers; -- '🎉' \u{301}",
        "effectif",
        "Montant (non conservé)",
        "Latitude",
        "Accord",
        "Jour",
        "Instant",
        "Choix",
        "Options",
        "Fiche",
        "Changement vu le",
    ];
    assert_eq!(database.column(titles).await, expected);
}

#[tokio::test]
async fn a_view_that_is_right_keeps_its_rights_and_one_that_was_dropped_comes_back() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = filled(&sink).await;
    let oid = "SELECT 'vue_12_dossiers'::regclass::oid::text";
    let before = database.column(oid).await;
    let mut layout = prepared.layout().clone();
    layout.tables[1].columns[0].spec.title = "Petit nom".to_owned();
    database.run("DROP VIEW vue_12_enfants").await;
    sink.prepare(&scope(), &form(), SchemaPlan { layout, changes: Vec::new() }).await.expect("other titles");
    assert_eq!(database.column(oid).await, before);
    assert_eq!(
        database.column("SELECT \"Petit nom\" FROM vue_12_enfants WHERE \"Rang\" = 1").await,
        ["un 0", "deux 0"]
    );
}

#[tokio::test]
async fn a_view_of_somebody_else_stays_and_is_named_when_it_is_in_the_way() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = filled(&sink).await;
    database.run("CREATE VIEW la_leur AS SELECT \"Effectif\" AS agents FROM vue_12_dossiers").await;
    let mut layout = prepared.layout().clone();
    layout.tables[0].columns[1].spec.title = "Nombre d'agents".to_owned();
    let plan = SchemaPlan { layout: layout.clone(), changes: Vec::new() };
    sink.prepare(&scope(), &form(), plan).await.expect("another title in the form");
    assert_eq!(database.column("SELECT agents::text FROM la_leur ORDER BY 1").await, ["-1", "-2"]);
    let title = "SELECT title FROM dn_columns WHERE \"column\" = 'effectif'";
    assert_eq!(database.column(title).await, ["Nombre d'agents"]);

    layout.tables[0].columns[1].spec.kind = CellKind::Text;
    let plan = SchemaPlan { layout: layout.clone(), changes: Vec::new() };
    let error = sink.prepare(&scope(), &form(), plan).await.expect_err("a column in use");
    assert!(error.to_string().contains("view la_leur depends on view vue_12_dossiers"), "{error}");

    database.run("DROP VIEW la_leur").await;
    sink.prepare(&scope(), &form(), SchemaPlan { layout, changes: Vec::new() }).await.expect("a wider column");
    assert_eq!(database.column("SELECT \"Nombre d'agents\" FROM vue_12_dossiers ORDER BY 1").await, ["-1", "-2"]);
}

#[tokio::test]
async fn tables_and_columns_carry_their_titles_and_help_texts() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prefix = sink.schema(&scope()).await.expect("a schema").prefix;
    let mut layout = layout(&prefix);
    layout.tables[0].columns[0].spec.description = Some("Comme sur l'extrait \\ K-bis.\0".to_owned());
    sink.prepare(&scope(), &form(), creation(layout.clone())).await.expect("tables");
    let comment = "SELECT col_description('demarche_12_dossiers'::regclass, attnum) FROM pg_attribute \
                   WHERE attrelid = 'demarche_12_dossiers'::regclass AND attname IN ('nom', 'number') ORDER BY attnum";
    let expected = ["Dossier n°", "Nom de l'\"établissement\"\n\nComme sur l'extrait \\ K-bis.\u{fffd}"];
    assert_eq!(database.column(comment).await, expected);
    let table = "SELECT obj_description('demarche_12_enfants'::regclass)";
    assert_eq!(database.column(table).await, ["Enfants"]);
    layout.tables[1].title = "Personnes à charge".to_owned();
    sink.prepare(&scope(), &form(), SchemaPlan { layout, changes: Vec::new() }).await.expect("another title");
    assert_eq!(database.column(table).await, ["Personnes à charge"]);
}

#[tokio::test]
async fn children_go_with_their_dossier_and_what_is_searched_has_an_index() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prefix = sink.schema(&scope()).await.expect("a schema").prefix;
    let mut layout = layout(&prefix);
    for (at, name, kind) in [(7, "state", CellKind::Choice), (6, "date_depot", CellKind::Datetime)] {
        let column = &mut layout.tables[0].columns[at];
        column.name = name.to_owned();
        column.spec.kind = kind;
        (column.spec.key, column.spec.origin) = (ColumnKey::Fixed(name.to_owned()), Origin::Fixed);
    }
    let prepared = sink.prepare(&scope(), &form(), creation(layout.clone())).await.expect("tables");
    sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("a commit");
    let plan = SchemaPlan { layout, changes: Vec::new() };
    sink.prepare(&scope(), &form(), plan).await.expect("the same tables");
    let indexes =
        "SELECT replace(indexdef, 'dn.', '') FROM pg_indexes WHERE tablename = 'demarche_12_dossiers' ORDER BY 1";
    let expected = [
        "CREATE INDEX demarche_12_dossiers_date_depot_idx ON demarche_12_dossiers USING btree (date_depot)",
        "CREATE INDEX demarche_12_dossiers_dn_gone_reason_idx ON demarche_12_dossiers USING btree (dn_gone_reason) \
         WHERE (dn_gone_reason IS NOT NULL)",
        "CREATE INDEX demarche_12_dossiers_state_idx ON demarche_12_dossiers USING btree (state)",
        "CREATE UNIQUE INDEX demarche_12_dossiers_pkey ON demarche_12_dossiers USING btree (number)",
    ];
    assert_eq!(database.column(indexes).await, expected);
    let mut connection = database.by_hand().await;
    let orphan = "INSERT INTO demarche_12_enfants (dossier_number, key, position) VALUES (99, 'x', 0)";
    sqlx::raw_sql(orphan).execute(&mut connection).await.expect_err(orphan);
    database.run("DELETE FROM demarche_12_dossiers WHERE number = 2").await;
    assert_eq!(database.column("SELECT key FROM demarche_12_enfants").await, ["ligne-0"]);
    let error = sink.check().await.expect_err("a document without its dossier");
    assert!(error.to_string().contains("1 dossiers of demarche_12_dossiers are there without"), "{error}");
}

#[tokio::test]
async fn the_documented_queries_run() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let mut layout = layout("demarche_12");
    layout.tables[0].columns[7] = column(50, "state", "État", CellKind::Choice);
    layout.tables[0].columns[8].name = "publics".to_owned();
    let prepared = sink.prepare(&scope(), &form(), creation(layout)).await.expect("tables");
    sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("a commit");
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/postgres.md")).expect("the page");
    let mut connection = database.by_hand().await;
    let (_, rest) = text.split_once("```sql queries\n").expect("queries");
    let (queries, _) = rest.split_once("```").expect("their end");
    let mut rows = Vec::new();
    for query in queries.split(';').filter(|query| query.contains("SELECT")) {
        let query = sqlx::query(sqlx::AssertSqlSafe(query.to_owned()));
        rows.push(query.fetch_all(&mut connection).await.expect("a documented query").len());
    }
    // One state, one column, no change after the 4200th, two choices of two dossiers, one answer, one démarche, one lease.
    assert_eq!(rows, [1, 1, 0, 4, 2, 1, 1]);
}
