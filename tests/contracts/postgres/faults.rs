//! Breaks the server, the network or a lock in the middle of a run.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use demarche_numerique::sink::postgres::Options;
use demarche_numerique::sink::{PostgresSink, Sink, SinkError};
use sqlx::{Connection as _, Executor as _};

use super::super::look::Look;
use super::super::world::*;
use super::filled;
use crate::support::postgres::Database;

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
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = prepare(&sink, &scope()).await;
    let mut whole = 0;
    for times in 0..140 {
        let first = times as u32 * 10 + 2;
        let next =
            batch(times as i64, vec![insert(first, "un"), insert(first + 1, "deux"), insert(first + 3, "trois")]);
        let before = sink.look(&scope()).await.feed.map_or(0, |feed| feed.len());
        let done = polled(times, sink.commit(&prepared, &next)).await;
        // The answer to this question comes after the transaction was given up.
        let known = sink.known(&scope(), &[number(first), number(first + 3)]).await.expect("an answer").len();
        assert!(known == 2 || (known == 0 && done.is_none()), "{known} after {times} polls");
        assert_eq!(
            sink.look(&scope()).await.feed.map_or(0, |feed| feed.len()),
            before + if known == 0 { 0 } else { 3 }
        );
        let missing = if known == 0 { 3 } else { 0 };
        let events = sink.commit(&prepared, &next).await.expect("the same commit").events;
        assert_eq!(events, missing, "after {times} polls");
        whole += usize::from(known == 2);
    }
    assert!((1..140).contains(&whole), "some were whole, some were not: {whole}");
    sink.check().await.expect("a sound schema");
}

#[tokio::test]
async fn a_connection_that_is_cut_between_two_commits_is_replaced() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = filled(&sink).await;
    for second in 2..4 {
        database.cut().await;
        let changes = vec![insert(second * 10, "après")];
        sink.commit(&prepared, &batch(i64::from(second), changes)).await.expect("a commit");
        database.cut().await;
        assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, u64::from(second) + 1);
    }
    database.cut().await;
    sink.checkpoint(&scope()).await.expect("the lease and the connection, both anew");
    sink.check().await.expect("a sound schema");
}

#[tokio::test]
async fn a_connection_that_is_cut_in_the_middle_of_a_commit_leaves_nothing_and_is_told() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = filled(&sink).await;
    let before = sink.look(&scope()).await;
    // The commit waits for a table that is in use, with half of its work done.
    let mut user = database.by_hand().await;
    let mut using = user.begin().await.expect("a transaction");
    using.execute("LOCK TABLE demarche_12_enfants IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
    let next = batch(2, vec![update(1, "UN"), insert(4, "quatre")]);
    let cut = async {
        let waiting =
            "SELECT 'x' FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        while database.column(waiting).await.is_empty() {}
        database
            .run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE wait_event_type = 'Lock' AND datname = current_database()",
            )
            .await;
    };
    let (done, ()) = tokio::join!(sink.commit(&prepared, &next), cut);
    let error = done.expect_err("a cut");
    assert!(matches!(error, SinkError::Unavailable { .. }), "{error}");
    using.rollback().await.expect("the end of the lock");
    assert_eq!(sink.look(&scope()).await, before);
    assert_eq!(sink.checkpoint(&scope()).await.expect("an answer").and_then(|c| c.watermark), Some(at(1)));
    assert_eq!(sink.commit(&prepared, &next).await.expect("the same commit").events, 2);
    sink.check().await.expect("a sound schema");
}

#[tokio::test]
async fn a_table_that_another_program_keeps_for_itself_is_told_in_time() {
    let database = Database::new().await;
    let options = Options { lock_timeout: Duration::from_millis(50), ..Options::default() };
    let sink = PostgresSink::open(&database.url(), options).await.expect("a schema");
    let prepared = filled(&sink).await;
    let mut user = database.by_hand().await;
    let mut using = user.begin().await.expect("a transaction");
    using.execute("LOCK TABLE demarche_12_dossiers IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
    let next = batch(2, vec![update(1, "UN")]);
    let error = sink.commit(&prepared, &next).await.expect_err("no lock");
    let SinkError::Unavailable { reason, .. } = &error else { panic!("{error}") };
    assert!(reason.contains("another program uses the same tables") && reason.contains("lock timeout"), "{reason}");
    using.rollback().await.expect("the end of the lock");
    assert_eq!(sink.commit(&prepared, &next).await.expect("the same commit").events, 1);
}

/// A trigger speaks as the server does when something is wrong with it.
#[tokio::test]
async fn a_full_disk_and_other_refusals_are_told_without_values_and_leave_what_was_there() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = filled(&sink).await;
    let before = sink.look(&scope()).await;
    database
        .run(
            "CREATE TABLE fault (code text); CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF EXISTS (SELECT FROM fault) THEN RAISE EXCEPTION 'the server says so: %', NEW.nom \
             USING ERRCODE = (SELECT code FROM fault); END IF; RETURN NEW; END $$; \
             CREATE TRIGGER fault BEFORE INSERT ON demarche_12_dossiers FOR EACH ROW EXECUTE FUNCTION fault()",
        )
        .await;
    for (code, expected) in [
        ("53100", "be written: "),
        ("53200", "be written: "),
        ("53300", "is not available for a commit: "),
        ("53400", "is not available for a commit: "),
        ("25006", "be written: "),
        ("57P01", "is not available for a commit: "),
        ("57P03", "is not available for a commit: "),
        ("40P01", "another program uses the same tables"),
        ("XX001", "it is damaged (XX001)"),
        ("42P01", "was altered"),
        ("22P02", "a value is not one of its type (22P02)"),
        ("P0001", "a rule that somebody added refuses it (P0001)"),
    ] {
        database.run(&format!("TRUNCATE fault; INSERT INTO fault VALUES ('{code}')")).await;
        let error = sink.commit(&prepared, &batch(2, vec![insert(4, "")])).await.expect_err(code);
        assert!(error.to_string().contains(expected), "{code}: {error}");
        assert_eq!(sink.look(&scope()).await, before, "{code}");
    }
    database.run("TRUNCATE fault").await;
    assert_eq!(sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect("a commit").events, 1);
}

#[tokio::test]
async fn a_holder_that_is_away_in_the_middle_of_a_transaction_does_not_keep_its_rows() {
    let database = Database::new().await;
    let sink = database.sink_with_lease(200).await;
    let prepared = filled(&sink).await;
    // Half a commit, then nothing: neither the next statement nor the end.
    let next = batch(2, vec![insert(4, "quatre")]);
    let mut half = Box::pin(sink.commit(&prepared, &next));
    let mut other = database.by_hand().await;
    let lock = "BEGIN; LOCK TABLE demarche_12_dossiers IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut other).await.expect("a lock");
    let waits =
        "SELECT pid::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let holder = loop {
        let one_step = std::future::poll_fn(|context| Poll::Ready(half.as_mut().poll(context).is_ready()));
        assert!(!one_step.await, "the commit ended before it was paused");
        if let Some(pid) = database.column(waits).await.pop() {
            break pid;
        }
    };
    // Its statement ends now, and nobody reads the answer.
    sqlx::raw_sql("COMMIT").execute(&mut other).await.expect("the lock is given back");
    let there = format!("SELECT 'x' FROM pg_stat_activity WHERE pid = {holder}");
    while !database.column(&there).await.is_empty() {}
    let error = half.await.expect_err("the server did not wait");
    assert!(matches!(error, SinkError::Unavailable { .. }), "{error}");
    assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, 2);
}
