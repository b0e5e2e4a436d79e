//! Checks which accounts and schemas are accepted.

use demarche_numerique::plan::SchemaPlan;
use demarche_numerique::sink::postgres::Options;
use demarche_numerique::sink::{PostgresSink, Sink, SinkError};

use super::super::look::Look;
use super::super::world::*;
use super::filled;
use crate::support::postgres::Database;

#[tokio::test]
async fn what_was_committed_is_there_after_reopening_and_names_are_the_same() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = filled(&sink).await;
    let (schema, shown) = (sink.schema(&scope()).await.expect("a schema"), sink.look(&scope()).await);
    sink.close().await.expect("a clean end");

    let sink = database.sink().await;
    assert_eq!(sink.schema(&scope()).await.expect("a schema"), schema);
    assert_eq!(sink.look(&scope()).await, shown);
    let plan = SchemaPlan { layout: prepared.layout().clone(), changes: Vec::new() };
    let prepared = sink.prepare(&scope(), &form(), plan).await.expect("the same tables");
    sink.commit(&prepared, &batch(2, vec![update(1, "UN")])).await.expect("a commit");
}

/// The transactions that made every row and every object of the schema, leases aside.
async fn origins(database: &Database) -> Vec<String> {
    let tables = "SELECT c.relname::text FROM pg_class AS c WHERE c.relkind = 'r' AND c.relname <> 'dn_leases' \
                  AND c.relnamespace = 'dn'::regnamespace ORDER BY 1";
    let mut found = database.column("SELECT string_agg(xmin::text || relname, ' ' ORDER BY oid) FROM pg_class").await;
    found.extend(database.column("SELECT string_agg(xmin::text, ' ' ORDER BY objoid) FROM pg_description").await);
    for table in database.column(tables).await {
        let rows = format!("SELECT coalesce(string_agg(xmin::text, ' ' ORDER BY ctid), '') FROM \"{table}\"");
        found.extend(database.column(&rows).await);
    }
    found
}

#[tokio::test]
async fn nothing_is_written_when_nothing_changes() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = filled(&sink).await;
    sink.close().await.expect("a clean end");
    let before = origins(&database).await;
    let sink = database.sink().await;
    sink.schema(&scope()).await.expect("a schema");
    let plan = SchemaPlan { layout: prepared.layout().clone(), changes: Vec::new() };
    let prepared = sink.prepare(&scope(), &form(), plan).await.expect("the same tables");
    sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("the same batch");
    sink.close().await.expect("a clean end");
    assert_eq!(origins(&database).await, before);
}

#[tokio::test]
async fn a_schema_of_the_version_before_is_brought_to_this_one_by_the_next_writer() {
    let database = Database::new().await;
    let sink = database.sink().await;
    filled(&sink).await;
    sink.close().await.expect("a clean end");
    database
        .run(
            "DROP TABLE dn_status_updates, dn_status_trail; ALTER TABLE dn_leases DROP COLUMN commits; \
             DELETE FROM dn_migrations WHERE version >= 3",
        )
        .await;
    let error = PostgresSink::open_read_only(&database.url(), Options::default()).await.expect_err("an old schema");
    assert!(error.to_string().contains("of an older version"), "{error}");
    let there = PostgresSink::open_existing(&database.url(), Options::default()).await.expect("an answer");
    assert_eq!(there.expect("a schema").totals(&scope()).await.expect("an answer").alive, 2);
    let reader = PostgresSink::open_read_only(&database.url(), Options::default()).await.expect("a reader");
    assert_eq!(reader.totals(&scope()).await.expect("an answer").alive, 2);
}

#[tokio::test]
async fn what_is_opened_only_if_it_is_there_is_not_made() {
    let database = Database::new().await;
    let there = PostgresSink::open_existing(&database.url(), Options::default()).await.expect("an answer");
    assert!(there.is_none());
    let there = PostgresSink::open_existing_read_only(&database.url(), Options::default()).await.expect("an answer");
    assert!(there.is_none());
    assert!(database.column("SELECT 'x' FROM pg_namespace WHERE nspname = 'dn'").await.is_empty());
}

#[tokio::test]
async fn readers_take_no_lease_create_nothing_and_write_nothing() {
    let database = Database::new().await;
    let error = PostgresSink::open_read_only(&database.url(), Options::default()).await.expect_err("no schema");
    assert!(matches!(error, SinkError::Unusable { action: "opened", .. }), "{error}");
    assert!(!PostgresSink::is_locked(&database.url(), Options::default()).await.expect("an answer"));
    assert_eq!(database.column("SELECT nspname::text FROM pg_namespace WHERE nspname = 'dn'").await, [""; 0]);

    let writer = database.sink().await;
    let prepared = prepare(&writer, &scope()).await;
    assert!(PostgresSink::is_locked(&database.url(), Options::default()).await.expect("an answer"));
    let reader = PostgresSink::open_read_only(&database.url(), Options::default()).await.expect("a reader");
    writer.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    assert_eq!(reader.census(&scope(), None, 9).await.expect("an answer").len(), 1);
    assert_eq!(reader.schema(&scope()).await.expect("an answer").prefix, "demarche_12");
    let plan = SchemaPlan { layout: layout("demarche_12"), changes: vec![] };
    for write in [
        reader.commit(&prepared, &batch(2, vec![])).await.map(drop),
        reader.prepare(&scope(), &form(), plan).await.map(drop),
    ] {
        assert!(matches!(write, Err(SinkError::Unusable { action: "written", .. })), "{write:?}");
    }
    let other = demarche_numerique::ids::Scope { instance: "ds".to_owned(), ..scope() };
    assert_eq!(reader.schema(&other).await.expect("an answer").prefix, "ds_demarche_12");
    assert_eq!(database.column("SELECT name FROM dn_instances").await, ["dn"]);
    reader.close().await.expect("a clean end");
    writer.close().await.expect("a clean end");
    assert!(!PostgresSink::is_locked(&database.url(), Options::default()).await.expect("an answer"));
}

#[tokio::test]
async fn each_schema_of_a_database_is_a_target_of_its_own() {
    let database = Database::new().await;
    let first = database.sink().await;
    filled(&first).await;
    let url = format!("{}&schema=D%C3%A9mat%20%22Social%22", database.url());
    let second = PostgresSink::open(&url, Options::default()).await.expect("another schema");
    assert!(second.name().ends_with("/Démat \"Social\""), "{}", second.name());
    assert!(second.census(&scope(), None, 9).await.expect("an answer").is_empty());
    let prepared = prepare(&second, &scope()).await;
    assert_eq!(prepared.layout().tables[0].name, "demarche_12_dossiers");
    second.commit(&prepared, &batch(1, vec![insert(3, "trois")])).await.expect("a commit");
    assert_eq!(first.totals(&scope()).await.expect("an answer").alive, 2);
    second.check().await.expect("a sound schema");
}

#[tokio::test]
async fn a_schema_that_is_not_ours_is_refused_and_stays_as_it_is() {
    for (statement, expected) in [
        ("CREATE SCHEMA dn; CREATE TABLE dn.factures (montant numeric)", "holds the tables of another program"),
        (
            "INSERT INTO dn_migrations VALUES (99, 'plus tard', now(), true, '', 0)",
            "newer version of this tool (99; this",
        ),
        ("DROP TABLE dn_checkpoints", "table dn_checkpoints is missing"),
    ] {
        let database = Database::new().await;
        if !statement.starts_with("CREATE") {
            filled(&database.sink().await).await;
        }
        database.run(statement).await;
        let before = database.column("SELECT relname::text FROM pg_class ORDER BY 1").await;
        let options = Options::default();
        for error in [
            PostgresSink::open(&database.url(), options.clone()).await.err(),
            PostgresSink::open_read_only(&database.url(), options).await.err(),
        ] {
            let Some(error) = error else { panic!("opened after {statement}") };
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.hint().is_some());
        }
        assert_eq!(database.column("SELECT relname::text FROM pg_class ORDER BY 1").await, before);
    }
}

#[tokio::test]
async fn a_creation_that_was_interrupted_is_taken_up_and_two_at_once_make_one_schema() {
    let database = Database::new().await;
    // The schema was made, and the table of steps, and then the power went.
    database
        .run(
            "CREATE SCHEMA dn; CREATE TABLE dn.dn_migrations (version bigint PRIMARY KEY, description text NOT NULL, \
             installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL, \
             execution_time bigint NOT NULL)",
        )
        .await;
    filled(&database.sink().await).await;

    let database = Database::new().await;
    let (one, two, three) = tokio::join!(database.sink(), database.sink(), database.sink());
    assert_eq!(database.column("SELECT count(*)::text FROM dn_migrations").await, ["7"]);
    filled(&one).await;
    assert_eq!(two.totals(&scope()).await.expect("an answer"), three.totals(&scope()).await.expect("an answer"));
}

#[tokio::test]
async fn an_account_without_rights_is_told_which_ones_it_needs() {
    let database = Database::new().await;
    let role = format!("lecteur_{}", database.name());
    database.run(&format!("CREATE ROLE {role} LOGIN; REVOKE CREATE ON DATABASE {} FROM PUBLIC", database.name())).await;
    let url = database.url_as(&role);
    let refused = async || {
        let error = PostgresSink::open(&url, Options::default()).await.expect_err("a refusal");
        let SinkError::Unusable { action: "written", reason, .. } = &error else { panic!("{error}") };
        assert!(reason.contains(&format!("GRANT USAGE, CREATE ON SCHEMA \"dn\" TO \"{role}\"")), "{reason}");
        assert!(error.hint().is_some());
    };
    refused().await;
    // The schema is there, and may not be written.
    database.run("CREATE SCHEMA dn").await;
    refused().await;
    // As the documentation says.
    database.run(&format!("GRANT USAGE, CREATE ON SCHEMA dn TO {role}")).await;
    let sink = PostgresSink::open(&url, Options::default()).await.expect("enough rights");
    let prepared = filled(&sink).await;
    sink.commit(&prepared, &batch(2, vec![update(1, "UN"), delete(2)])).await.expect("a commit");
    sink.check().await.expect("a sound schema");
    // A right that was taken away in the middle.
    database.run(&format!("ALTER TABLE dn_dossiers OWNER TO postgres; REVOKE ALL ON dn_dossiers FROM {role}")).await;
    let error = sink.commit(&prepared, &batch(3, vec![update(1, "un")])).await.expect_err("a refusal");
    assert!(matches!(error, SinkError::Unusable { action: "written", .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_without_the_password() {
    for url in
        ["postgres://dn:secret@127.0.0.1:1/dossiers", "postgres:///dossiers?host=/nowhere&user=dn&password=secret"]
    {
        let error = PostgresSink::open(url, Options::default()).await.expect_err("no server");
        assert!(matches!(error, SinkError::Unavailable { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    let database = Database::new().await;
    let error = PostgresSink::open(&database.url().replace("dn_test", "nowhere"), Options::default()).await;
    assert!(matches!(error, Err(SinkError::Unusable { action: "opened", .. })), "{error:?}");
}

#[tokio::test]
async fn a_secure_connection_that_is_asked_for_is_never_replaced_by_another() {
    let database = Database::new().await;
    let open = "SELECT DISTINCT ssl::text FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                WHERE datname = current_database() AND application_name = 'dn'";
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = format!("{}&sslmode={mode}", database.url());
        match PostgresSink::open(&url, Options::default()).await {
            // The private cluster has no certificate, and offers none.
            Err(SinkError::Unusable { action: "reached", reason, .. }) => {
                assert!(reason.contains("secure connection"), "{reason}");
            }
            Ok(_sink) => assert_eq!(database.column(open).await, ["true"], "{mode}"),
            Err(error) => panic!("{mode}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_table_that_somebody_altered_is_told_before_anything_is_written() {
    let table = "demarche_12_enfants";
    for (statement, expected) in [
        (format!("DROP VIEW vue_12_enfants; DROP TABLE {table}"), "the table is missing"),
        (format!("DROP VIEW vue_12_enfants; ALTER TABLE {table} DROP COLUMN age"), "column age is missing"),
        (format!("ALTER TABLE {table} RENAME COLUMN age TO ans"), "column age is missing"),
        (format!("ALTER TABLE {table} ADD COLUMN note text"), "column note was added"),
        (
            format!("DROP VIEW vue_12_enfants; ALTER TABLE {table} ALTER COLUMN age TYPE integer"),
            "column age is integer, not bigint",
        ),
    ] {
        let database = Database::new().await;
        let sink = database.sink().await;
        filled(&sink).await;
        database.run(&statement).await;
        let plan = SchemaPlan { layout: layout("demarche_12"), changes: Vec::new() };
        let error = sink.prepare(&scope(), &form(), plan).await.expect_err(&statement);
        assert!(matches!(&error, SinkError::Altered { .. }) && error.to_string().contains(expected), "{error}");
        assert_eq!(sink.checkpoint(&scope()).await.expect("an answer").and_then(|c| c.watermark), Some(at(1)));
    }
}
