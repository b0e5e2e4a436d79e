//! Checks the contract that only SQLite has: locks, foreign files, durability.

use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::Poll;

use demarche_numerique::plan::SchemaPlan;
use demarche_numerique::privacy::Treatment;
use demarche_numerique::sink::{Sink, SinkError, SqliteSink};
use demarche_numerique::table::CellKind;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use super::look::{Look, Shown};
use super::world::*;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dossiers.db");
    (folder, path)
}

/// A file with two dossiers, closed.
async fn filled(path: &Path) {
    let sink = SqliteSink::open(path).await.expect("a database");
    let prepared = prepare(&sink, &scope()).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("a commit");
    sink.close().await.expect("a clean end");
}

async fn by_hand(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.expect("a connection")
}

async fn run(path: &Path, statement: &str) {
    let mut connection = by_hand(path).await;
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.expect(statement);
    connection.close().await.expect("a clean end");
}

async fn column(path: &Path, query: &str) -> Vec<String> {
    let mut connection = by_hand(path).await;
    sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(&mut connection).await.expect(query)
}

fn listing(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_was_committed_is_there_after_reopening_and_names_are_the_same() {
    let (_folder, path) = place();
    let sink = SqliteSink::open(&path).await.expect("a database");
    let prepared = prepare(&sink, &scope()).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("a commit");
    let (schema, shown) = (sink.schema(&scope()).await.expect("a schema"), sink.look(&scope()).await);
    sink.close().await.expect("a clean end");

    let sink = SqliteSink::open(&path).await.expect("the database");
    assert_eq!(sink.schema(&scope()).await.expect("a schema"), schema);
    assert_eq!(sink.look(&scope()).await, shown);
    let plan = SchemaPlan { layout: prepared.layout().clone(), changes: Vec::new() };
    let prepared = sink.prepare(&scope(), &form(), plan).await.expect("the same tables");
    sink.commit(&prepared, &batch(2, vec![update(1, "UN")])).await.expect("a commit");
}

#[tokio::test]
async fn nothing_is_written_when_nothing_changes() {
    let (_folder, path) = place();
    filled(&path).await;
    let before = fs::read(&path).expect("the file");
    let sink = SqliteSink::open(&path).await.expect("the database");
    let prefix = sink.schema(&scope()).await.expect("a schema").prefix;
    let plan = SchemaPlan { layout: layout(&prefix), changes: Vec::new() };
    let prepared = sink.prepare(&scope(), &form(), plan).await.expect("the same tables");
    let same = batch(1, vec![insert(1, "un"), insert(2, "deux")]);
    sink.commit(&prepared, &same).await.expect("the same batch");
    sink.close().await.expect("a clean end");
    assert!(fs::read(&path).expect("the file") == before);
}

#[tokio::test]
async fn a_file_is_written_by_one_run_at_a_time() {
    let (folder, path) = place();
    let sink = SqliteSink::open(&path).await.expect("a database");
    let other_way = folder.path().join(".").join("dossiers.db");
    for path in [&path, &other_way] {
        let error = SqliteSink::open(path).await.expect_err("a locked file");
        let SinkError::Locked { holder: Some(holder), .. } = &error else { panic!("{error}") };
        assert!(holder.starts_with(&format!("process {}, since 2", std::process::id())), "{holder}");
        assert!(error.hint().is_some());
    }
    #[cfg(unix)]
    {
        let link = folder.path().join("lien.db");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        assert!(matches!(SqliteSink::open(&link).await, Err(SinkError::Locked { .. })));
    }
    drop(sink);
    SqliteSink::open(&path).await.expect("the lock went with its holder");
}

#[tokio::test]
async fn readers_take_no_lock_create_nothing_and_write_nothing() {
    let (folder, path) = place();
    let error = SqliteSink::open_read_only(&path).await.expect_err("no file");
    assert!(matches!(error, SinkError::Unusable { .. }), "{error}");
    assert_eq!(listing(folder.path()), [""; 0]);

    let writer = SqliteSink::open(&path).await.expect("a database");
    let prepared = prepare(&writer, &scope()).await;
    let reader = SqliteSink::open_read_only(&path).await.expect("a reader beside the writer");
    writer.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    assert_eq!(reader.census(&scope(), None, 9).await.expect("an answer").len(), 1);
    assert_eq!(reader.schema(&scope()).await.expect("an answer").prefix, "demarche_12");
    let writes = [
        reader.commit(&prepared, &batch(2, vec![])).await.map(drop),
        reader
            .prepare(&scope(), &form(), SchemaPlan { layout: layout("demarche_12"), changes: vec![] })
            .await
            .map(drop),
    ];
    for write in writes {
        assert!(matches!(write, Err(SinkError::Unusable { action: "written", .. })), "{write:?}");
    }
    let other = demarche_numerique::ids::Scope { instance: "ds".to_owned(), ..scope() };
    assert_eq!(reader.schema(&other).await.expect("an answer").prefix, "ds_demarche_12");
    reader.close().await.expect("a clean end");
    writer.close().await.expect("a clean end");

    let before = listing(folder.path());
    let reader = SqliteSink::open_read_only(&path).await.expect("a reader alone");
    assert_eq!(reader.census(&scope(), None, 9).await.expect("an answer").len(), 1);
    reader.close().await.expect("a clean end");
    assert_eq!(listing(folder.path()), before);
}

#[tokio::test]
async fn a_path_that_cannot_be_used_is_told() {
    let (folder, path) = place();
    fs::write(&path, "").expect("a file");
    for bad in [folder.path().join("nowhere/dossiers.db"), path.join("dossiers.db"), folder.path().to_owned()] {
        for error in [SqliteSink::open(&bad).await.err(), SqliteSink::open_read_only(&bad).await.err()] {
            let Some(error) = error else { panic!("{} was opened", bad.display()) };
            assert!(matches!(error, SinkError::Unusable { .. }), "{error}");
            assert!(error.to_string().contains(bad.to_str().expect("a path in UTF-8")), "{error}");
        }
    }
    assert_eq!(listing(folder.path()), ["dossiers.db"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_or_a_file_that_may_not_be_written_can_still_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, path) = place();
    filled(&path).await;
    fs::remove_file(path.with_extension("db.lock")).expect("the lock file");
    let allow = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a right");
    allow(&path, 0o444);
    allow(folder.path(), 0o555);
    // An account that may do everything is stopped by no right: there is nothing to see for it.
    let bound = fs::File::create(folder.path().join("essai")).is_err();
    if bound {
        let error = SqliteSink::open(&path).await.expect_err("a refusal");
        assert!(matches!(error, SinkError::Unusable { .. }), "{error}");
    }
    let reader = SqliteSink::open_read_only(&path).await.expect("a reader");
    assert_eq!(reader.census(&scope(), None, 9).await.expect("an answer").len(), 2);
    allow(folder.path(), 0o755);
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_refused_and_stays_as_it_is() {
    let (folder, path) = place();
    let ours = folder.path().join("ours");
    filled(&ours).await;
    let good = fs::read(&ours).expect("the file");
    let theirs = folder.path().join("theirs");
    run(&theirs, "CREATE TABLE t (a); INSERT INTO t VALUES (1)").await;
    let in_wal = folder.path().join("wal");
    run(&in_wal, "PRAGMA journal_mode = WAL; CREATE TABLE t (a)").await;
    let newer = folder.path().join("newer");
    fs::copy(&ours, &newer).expect("a copy");
    run(&newer, "PRAGMA user_version = 99").await;
    let half = folder.path().join("half");
    fs::copy(&ours, &half).expect("a copy");
    run(&half, "PRAGMA foreign_keys = OFF; DROP TABLE dn_checkpoints").await;
    // The first page of the table of tables, with the rest of the file in place.
    let mut scratched = good.clone();
    scratched[100..4096].fill(0xAB);
    let mut middle = good.clone();
    middle[4096..].fill(0xAB);

    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a text", b"Cher monsieur, ".repeat(40), "it is not a SQLite database"),
        ("a short text", b"Bonjour".to_vec(), "it is not a SQLite database"),
        ("the beginning of ours", good[..60].to_vec(), "it is not a SQLite database"),
        ("another program's", fs::read(&theirs).expect("a file"), "another program made"),
        ("another program's, with a log", fs::read(&in_wal).expect("a file"), "another program made"),
        ("ours, cut", good[..good.len() / 2].to_vec(), "its end is missing"),
        ("ours, with a scratch at its head", scratched, "it is damaged"),
        ("ours, with a scratch in its middle", middle, "it is damaged"),
        (
            "of a newer version",
            fs::read(&newer).expect("a file"),
            "newer version of this tool (99; this one knows up to 5)",
        ),
        ("ours without one table", fs::read(&half).expect("a file"), "table dn_checkpoints is missing"),
    ];
    for (name, bytes, expected) in cases {
        fs::write(&path, &bytes).expect(name);
        for error in [SqliteSink::open(&path).await.err(), SqliteSink::open_read_only(&path).await.err()] {
            let Some(error) = error else { panic!("{name} was opened") };
            assert!(error.to_string().contains(expected), "{name}: {error}");
            assert!(error.hint().is_some(), "{name}");
            assert!(fs::read(&path).expect(name) == bytes, "{name} was changed");
        }
    }
}

#[tokio::test]
async fn a_creation_that_was_interrupted_is_taken_up() {
    let (_folder, path) = place();
    // Nothing was committed yet: the file is empty. Then the first transaction was, and the log was not turned on.
    fs::write(&path, "").expect("a file");
    SqliteSink::open(&path).await.expect("a database").close().await.expect("a clean end");
    run(&path, "PRAGMA journal_mode = DELETE").await;
    filled(&path).await;
    assert_eq!(column(&path, "PRAGMA journal_mode").await, ["wal"]);
}

#[tokio::test]
async fn a_table_that_somebody_altered_is_told_before_anything_is_written() {
    let tables = "demarche_12_enfants";
    for (statement, expected) in [
        ("DROP VIEW vue_12_enfants; DROP TABLE demarche_12_enfants".to_owned(), "the table is missing"),
        (format!("DROP VIEW vue_12_enfants; ALTER TABLE {tables} DROP COLUMN age"), "column age is missing"),
        (format!("ALTER TABLE {tables} RENAME COLUMN age TO ans"), "column age is missing"),
        (format!("ALTER TABLE {tables} ADD COLUMN note TEXT"), "column note was added"),
        (
            format!(
                "DROP VIEW vue_12_enfants; DROP TABLE {tables}; CREATE TABLE {tables} \
                     (dossier_number INTEGER, key TEXT, position INTEGER, prenom TEXT, age TEXT)"
            ),
            "column age is TEXT, not INTEGER",
        ),
    ] {
        let (_folder, path) = place();
        filled(&path).await;
        run(&path, &statement).await;
        let sink = SqliteSink::open(&path).await.expect("the database");
        let plan = SchemaPlan { layout: layout("demarche_12"), changes: Vec::new() };
        let error = sink.prepare(&scope(), &form(), plan).await.expect_err(&statement);
        assert!(matches!(&error, SinkError::Altered { .. }) && error.to_string().contains(expected), "{error}");
        assert_eq!(sink.checkpoint(&scope()).await.expect("an answer").and_then(|c| c.watermark), Some(at(1)));
    }
}

/// Polls a future so many times at most, then drops it.
async fn polled<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut left = times;
    let mut future = pin!(future);
    std::future::poll_fn(|context| match left {
        0 => Poll::Ready(None),
        _ => {
            left -= 1;
            future.as_mut().poll(context).map(Some)
        }
    })
    .await
}

#[tokio::test]
async fn a_commit_that_is_dropped_anywhere_is_there_whole_or_not_at_all() {
    let (_folder, path) = place();
    let sink = SqliteSink::open(&path).await.expect("a database");
    let prepared = prepare(&sink, &scope()).await;
    for times in 0..40 {
        let first = times as u32 * 10 + 2;
        let next =
            batch(times as i64, vec![insert(first, "un"), insert(first + 1, "deux"), insert(first + 3, "trois")]);
        let before = sink.look(&scope()).await;
        let done = polled(times, sink.commit(&prepared, &next)).await;
        // The answer to this question comes after the transaction was given up.
        let known = sink.known(&scope(), &[number(first)]).await.expect("an answer");
        if known.is_empty() {
            assert!(done.is_none());
            assert_eq!(sink.look(&scope()).await, before, "after {times} polls");
        }
        let missing = if known.is_empty() { 3 } else { 0 };
        assert_eq!(
            sink.commit(&prepared, &next).await.expect("the same commit").events,
            missing,
            "after {times} polls"
        );
        let told = |shown: Shown| shown.feed.map(|feed| feed.len());
        assert_eq!(told(sink.look(&scope()).await), told(before).map(|lines| lines + 3));
    }
    sink.check().await.expect("a sound file");
}

#[tokio::test]
async fn a_process_that_dies_in_the_middle_of_a_commit_leaves_the_last_one() {
    let (folder, path) = place();
    let sink = SqliteSink::open(&path).await.expect("a database");
    let prepared = prepare(&sink, &scope()).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    let before = sink.look(&scope()).await;
    // What a dead process leaves is the files as they are, with the log not folded in and a transaction begun in it.
    let mut half_done = by_hand(&path).await;
    let statements = "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE; \
                      UPDATE dn_dossiers SET document = hex(zeroblob(400000)); DELETE FROM dn_changes";
    sqlx::raw_sql(statements).execute(&mut half_done).await.expect("half a commit");
    let grave = folder.path().join("grave");
    fs::create_dir(&grave).expect("a folder");
    for name in ["dossiers.db", "dossiers.db-wal"] {
        fs::copy(folder.path().join(name), grave.join(name)).expect("a copy");
    }
    let log = fs::metadata(grave.join("dossiers.db-wal")).expect("a log").len();
    assert!(log > 400_000, "the transaction was in the log: {log} bytes");

    let after = SqliteSink::open(grave.join("dossiers.db")).await.expect("the database of the dead");
    assert_eq!(after.look(&scope()).await, before);
    after.check().await.expect("a sound file");
    after.commit(&prepared, &batch(2, vec![insert(2, "deux")])).await.expect("the next commit");
}

#[tokio::test]
async fn views_have_the_titles_of_the_form_and_the_dossiers_that_are_there() {
    let (_folder, path) = place();
    let sink = SqliteSink::open(&path).await.expect("a database");
    let prepared = prepare(&sink, &scope()).await;
    let first = batch(1, vec![insert(1, "un"), insert(2, "deux"), insert(4, "quatre")]);
    sink.commit(&prepared, &first).await.expect("a commit");
    sink.commit(&prepared, &batch(2, vec![delete(2)])).await.expect("a commit");
    let dossiers = column(&path, r#"SELECT "Dossier n°" || ' ' || "Nom de l'""établissement""" FROM vue_12_dossiers"#);
    assert_eq!(dossiers.await, ["1 un", "4 quatre"]);
    let enfants = r#"SELECT "Dossier n°" || ' ' || "Rang" || ' ' || "Prénom" FROM vue_12_enfants"#;
    assert_eq!(column(&path, enfants).await, ["1 1 un 0", "4 1 quatre 0"]);

    let mut layout = prepared.layout().clone();
    let columns = &mut layout.tables[0].columns;
    columns[0].spec.title = "x\"; DROP TABLE dn_dossiers; --\n\0'🎉' \u{301}".to_owned();
    columns[1].spec.title = String::new();
    columns[2].spec.policy = Treatment::Exclude;
    columns[4].spec.policy = Treatment::Mask;
    for (id, name, title) in [(40, "jour_40", "JOUR"), (41, "n_41", "dossier N°"), (42, "rang", "Rang")] {
        columns.insert(0, super::world::column(id, name, title, CellKind::Text));
    }
    layout.tables[1].columns[0].spec.title = "Rang ".repeat(100);
    sink.prepare(&scope(), &form(), SchemaPlan { layout, changes: Vec::new() }).await.expect("other titles");
    let titles = column(&path, "SELECT name FROM pragma_table_info('vue_12_dossiers')").await;
    let expected = [
        "Dossier n°",
        "Rang",
        "dossier N° (n_41)",
        "JOUR (jour_40)",
        "x\"; DROP TABLE dn_dossiers; -- '🎉' \u{301}",
        "effectif",
        "Montant (non conservé)",
        "Latitude",
        "Accord (masqué)",
        "Jour",
        "Instant",
        "Choix",
        "Options",
        "Fiche",
        "Changement vu le",
    ];
    assert_eq!(titles, expected);
    let policies = "SELECT policy FROM dn_columns WHERE \"column\" IN ('montant', 'accord', 'nom') ORDER BY id";
    assert_eq!(column(&path, policies).await, ["include", "exclude", "mask"]);
}

#[tokio::test]
async fn tables_are_typed_and_children_belong_to_a_dossier() {
    let (_folder, path) = place();
    filled(&path).await;
    let mut connection = by_hand(&path).await;
    for refused in [
        "INSERT INTO demarche_12_enfants (dossier_number, key, position) VALUES (99, 'x', 0)",
        "UPDATE demarche_12_dossiers SET effectif = 'beaucoup' WHERE number = 1",
        "INSERT INTO dn_columns (instance, demarche, \"table\", \"column\", part, title, kind, origin, policy) \
         VALUES ('dn', 12, 'nulle_part', 'x', 'x', 'x', 'text', 'fixed', 'include')",
    ] {
        sqlx::raw_sql(refused).execute(&mut connection).await.expect_err(refused);
    }
    sqlx::raw_sql("DELETE FROM demarche_12_dossiers WHERE number = 2")
        .execute(&mut connection)
        .await
        .expect("a delete");
    assert_eq!(column(&path, "SELECT key FROM demarche_12_enfants").await, ["ligne-0"]);
}
