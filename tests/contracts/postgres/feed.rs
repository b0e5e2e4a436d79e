//! Checks the change feed: numbers without gaps, in the order of commits, and a notification.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use demarche_numerique::sink::{Sink, SinkError};
use demarche_numerique::table::Cell;
use sqlx::postgres::PgListener;

use super::super::world::*;
use super::{filled, scopes};
use crate::support::postgres::Database;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_that_keeps_its_position_misses_nothing_whoever_writes() {
    const WRITERS: u32 = 4;
    const COMMITS: i64 = 25;
    let database = Database::new().await;
    let mut writers = Vec::new();
    for (rank, scope) in (0..).zip(scopes(WRITERS)) {
        let sink = database.sink().await;
        let prepared = prepare(&sink, &scope).await;
        writers.push(tokio::spawn(async move {
            for second in 1..=COMMITS {
                let first = u32::try_from(second).expect("a few") * 10;
                // Pages of other sizes, so that no two writers keep step; and now and then one that fails.
                let mut changes: Vec<_> = (first..first + 1 + rank * 2).map(|of| insert(of, "x")).collect();
                if second % 7 == i64::from(rank) {
                    let mut broken = row(first + 9, "x");
                    broken.children.iter_mut().for_each(|child| child.key = "la même".to_owned());
                    broken.children.extend(row(2, "y").children);
                    broken.cells[1] = Cell::Text("pas un nombre".to_owned());
                    let failing = batch(second, vec![demarche_numerique::plan::Change::Present(broken)]);
                    let error = sink.commit(&prepared, &failing).await.expect_err("a refusal");
                    assert!(matches!(error, SinkError::Refused { .. }), "{error}");
                }
                changes.reverse();
                sink.commit(&prepared, &batch(second, changes)).await.expect("a commit");
            }
            sink.close().await.expect("a clean end");
        }));
    }
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (mut connection, done) = (database.by_hand().await, Arc::clone(&done));
        async move {
            let (mut position, mut pages) = (0_i64, 0);
            loop {
                let last_look = done.load(Ordering::SeqCst);
                let query = "SELECT seq FROM dn_changes WHERE seq > $1 ORDER BY seq LIMIT 7";
                let page: Vec<i64> =
                    sqlx::query_scalar(query).bind(position).fetch_all(&mut connection).await.expect("a page");
                for seq in &page {
                    assert_eq!(*seq, position + 1, "a line was committed behind the reader's back");
                    position = *seq;
                }
                pages += usize::from(!page.is_empty());
                if page.is_empty() && last_look {
                    return (position, pages);
                }
            }
        }
    });
    for writer in writers {
        writer.await.expect("no panic");
    }
    done.store(true, Ordering::SeqCst);
    let (position, pages) = reader.await.expect("no panic");
    // 1 + 3 + 5 + 7 lines a round.
    assert_eq!(position, 16 * COMMITS);
    assert!(pages > 50, "the reader read while they wrote: {pages} pages");
    database.sink().await.check().await.expect("a sound schema");
}

#[tokio::test]
async fn those_who_listen_are_told_once_the_lines_can_be_read() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let prepared = filled(&sink).await;
    let mut listener = PgListener::connect(&database.url()).await.expect("a listener");
    listener.listen("dn_changes").await.expect("a channel");
    // Nothing new, then something.
    sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("the same content");
    sink.commit(&prepared, &batch(2, vec![update(1, "UN"), delete(2)])).await.expect("a commit");
    let told = listener.recv().await.expect("a word");
    let told: serde_json::Value = serde_json::from_str(told.payload()).expect("JSON");
    assert_eq!(told, serde_json::json!({ "schema": "dn", "instance": "dn", "demarche": 12, "seq": 4 }));
    assert_eq!(
        database.column("SELECT string_agg(kind, ' ' ORDER BY seq) FROM dn_changes").await,
        ["insert insert update delete"]
    );
}
