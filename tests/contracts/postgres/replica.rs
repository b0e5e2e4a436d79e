//! Reads a hot standby, and checks a failover that loses commits.

use demarche_numerique::sink::postgres::Options;
use demarche_numerique::sink::{PostgresSink, Sink, SinkError};

use super::super::world::*;
use super::filled;
use crate::support::postgres::{Database, OwnServer};

#[tokio::test]
async fn a_replica_is_read_and_never_written() {
    let primary = OwnServer::start(false);
    let database = Database::on(&primary.url).await;
    let sink = database.sink().await;
    filled(&sink).await;
    sink.close().await.expect("a clean end");
    let standby = primary.standby();
    let url = database.url().replace(
        &*url::form_urlencoded::byte_serialize(primary.folder().to_str().expect("a path").as_bytes())
            .collect::<String>(),
        &url::form_urlencoded::byte_serialize(standby.folder().to_str().expect("a path").as_bytes())
            .collect::<String>(),
    );
    for error in [
        PostgresSink::open(&url, Options::default()).await.expect_err("a replica"),
        PostgresSink::open_existing(&url, Options::default()).await.expect_err("a replica"),
    ] {
        let SinkError::Unusable { reason, .. } = &error else { panic!("{error:?}") };
        let named = format!("read-only replica (hot standby) of {}", primary.folder().display());
        assert!(reason.contains(&named), "{reason}");
        assert!(error.hint().is_some_and(|hint| hint.contains("name the primary")), "{:?}", error.hint());
    }
    let reader = PostgresSink::open_read_only(&url, Options::default()).await.expect("a reader");
    assert_eq!(reader.totals(&scope()).await.expect("an answer").alive, 2);
    assert_eq!(reader.documents(&scope(), None, 9).await.expect("an answer").len(), 2);
    assert!(!PostgresSink::is_locked(&url, Options::default()).await.expect("an answer"));
    let facts = PostgresSink::facts(&url, Options::default()).await.expect("an answer");
    assert!(facts.replica_of.is_some_and(|primary| primary.contains(':')));
}

/// A failover to an asynchronous replica gave the same token to another holder.
#[tokio::test]
async fn a_token_that_was_given_twice_lets_one_holder_write_only() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = filled(&sink).await;
    database.run("UPDATE dn_leases SET holder = 'ailleurs, process 1, lease 00000000000000ab', commits = 0").await;
    for _ in 0..2 {
        let error = sink.commit(&prepared, &batch(2, vec![insert(3, "trop tard")])).await.expect_err("a fence");
        assert!(matches!(&error, SinkError::Locked { holder: Some(by), .. } if by.contains("ailleurs")), "{error:?}");
    }
    // Nothing of the other holder's is given back.
    sink.close().await.expect("a clean end");
    assert_eq!(database.column("SELECT token::text FROM dn_leases WHERE holder LIKE 'ailleurs%'").await, ["1"]);
    assert_eq!(database.column("SELECT nom FROM demarche_12_dossiers ORDER BY number").await, ["un", "deux"]);
}

/// A failover to an asynchronous replica took the last pages of a run back, and the run goes on with the next one: their
/// dossiers would be missing, behind a watermark that says otherwise.
#[tokio::test]
async fn a_run_whose_last_commits_were_taken_back_does_not_go_on_behind_them() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = filled(&sink).await;
    let tables = database.column("SELECT tablename::text FROM pg_tables WHERE schemaname = 'dn' ORDER BY 1").await;
    let save: String = tables.iter().map(|table| format!("CREATE TABLE avant.{table} AS TABLE dn.{table};")).collect();
    database.run(&format!("CREATE SCHEMA avant; {save}")).await;
    sink.commit(&prepared, &batch(2, vec![insert(3, "trois")])).await.expect("a commit");
    // Back to where the replica was.
    let back: String = ["dn_leases", "dn_checkpoints", "dn_dossiers", "demarche_12_dossiers", "dn_changes", "dn_feed"]
        .map(|table| format!("DELETE FROM dn.{table}; INSERT INTO dn.{table} SELECT * FROM avant.{table};"))
        .concat();
    database.run(&format!("SET session_replication_role TO replica; {back}")).await;
    let next = batch(3, vec![insert(4, "quatre")]);
    for _ in 0..2 {
        let error = sink.commit(&prepared, &next).await.expect_err("a fence");
        let (SinkError::Unavailable { .. } | SinkError::Locked { .. }) = &error else { panic!("{error:?}") };
    }
    assert_eq!(database.column("SELECT nom FROM demarche_12_dossiers ORDER BY number").await, ["un", "deux"]);
    // A new run reads where the database stands, at once: the lease was given back.
    let prepared = prepare(&sink, &scope()).await;
    assert_eq!(sink.checkpoint(&scope()).await.expect("an answer").and_then(|c| c.watermark), Some(at(1)));
    sink.commit(&prepared, &batch(3, vec![insert(3, "trois"), insert(4, "quatre")])).await.expect("a commit");
    assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, 4);
}
