//! The limits of Grist, kept by construction.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use demarche_numerique::grist::{Action, BODY_BYTES, GristError, OnMany, Repeat};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Barrier, mpsc};
use wiremock::ResponseTemplate;

use super::support::{answer, answering, client, doc, good, read_request, received, refusal, row};

#[tokio::test]
async fn trap_24_two_requests_to_one_document_are_under_way_at_a_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let client = client(format!("http://{}", listener.local_addr().expect("an address")));
    let most = Arc::new(AtomicUsize::new(0));
    // The server answers by twos: one at a time would wait for ever, three at a time would be counted.
    let (seen, barrier, now) = (most.clone(), Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (seen, barrier, now) = (seen.clone(), barrier.clone(), now.clone());
            tokio::spawn(async move {
                read_request(&mut stream).await;
                seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                barrier.wait().await;
                now.fetch_sub(1, Ordering::SeqCst);
                answer(&mut stream, r#"{"records":[]}"#).await;
            });
        }
    });
    let asks = (0..8).map(|_| {
        // Not one document and its clones alone: whatever the client makes for the id.
        let doc = doc(&client.clone()).clone();
        tokio::spawn(async move { doc.table_rows("Dossiers").await })
    });
    for ask in asks.collect::<Vec<_>>() {
        ask.await.expect("no panic").expect("rows");
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn one_sql_is_under_way_at_a_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let client = client(format!("http://{}", listener.local_addr().expect("an address")));
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            arrived.send(stream).expect("the test listens");
        }
    });
    let ask = |doc: demarche_numerique::grist::Doc| tokio::spawn(async move { doc.sql("select 1", &[]).await });
    let (one, two) = (ask(doc(&client)), ask(doc(&client)));
    let mut first = arrivals.recv().await.expect("the first question");
    let early = tokio::time::timeout(Duration::from_millis(50), arrivals.recv()).await;
    assert!(early.is_err(), "the second question waits");
    answer(&mut first, r#"{"records":[]}"#).await;
    let mut second = arrivals.recv().await.expect("the second question");
    answer(&mut second, r#"{"records":[]}"#).await;
    for ask in [one, two] {
        ask.await.expect("no panic").expect("an answer");
    }
}

#[tokio::test]
async fn trap_23_a_body_that_grist_would_not_take_is_not_sent() {
    let (_server, client, doc) = answering(ResponseTemplate::new(200)).await;
    let giant = |bytes: usize| {
        Action::upserts("T", &["cle"], [row(json!({ "cle": "1", "texte": "x".repeat(bytes) }))], OnMany::First)
            .expect("one row")
    };
    let error = doc.apply(&giant(1 << 20), Repeat::Safe).await.expect_err("too large");
    assert!(matches!(error, GristError::TooLarge { bytes } if bytes > 1 << 20), "{error}");
    assert!(giant(1 << 20)[0].bytes() > BODY_BYTES);
    let error = doc.sql("select ?", &[json!("x".repeat(1 << 20))]).await.expect_err("too large");
    assert!(matches!(error, GristError::TooLarge { .. }), "{error}");
    assert_eq!(client.stats().requests, 0);
}

#[tokio::test]
async fn a_413_tells_how_much_was_sent() {
    let (_server, client, doc) = answering(refusal(413, "request entity too large")).await;
    let bundle = [Action::BulkRemove { table: "T".into(), rows: vec![1] }];
    let error = doc.apply(&bundle, Repeat::Safe).await.expect_err("a proxy takes less");
    assert!(matches!(error, GristError::TooLarge { bytes: 30 }), "{error}");
    assert_eq!(client.stats().bytes_sent, 30);
}

#[tokio::test]
async fn trap_35_a_long_filter_goes_in_several_addresses_and_comes_back_as_one_answer() {
    let answer = json!({ "records": [{ "id": 1, "fields": { "cle": "a" } }, { "id": 2, "fields": { "cle": "b" } }] });
    let (server, _, doc) = answering(good(&answer)).await;
    let keys = (0..1000).map(|n| json!(format!("exemple/1234/{n}"))).collect();
    let rows = doc.records("Dossiers", &[("cle", keys)]).await.expect("rows");
    assert_eq!(rows.len(), 2, "each row once");
    let requests = received(&server).await;
    assert!(requests.len() > 1);
    assert!(requests.iter().all(|request| request.url.as_str().len() < 8_000));
}
