//! Checks that requests stay within the limits of Grist.

use std::time::Duration;

use grist_client::{Action, BODY_BYTES, Client, Doc, GristError, OnMany, Repeat};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use wiremock::ResponseTemplate;

use super::support::{answer, answering, client, doc, good, read_request, received, refusal, row};

/// A server that hands over each connection with its request read, for the test to answer; and a client of it.
async fn held() -> (Client, mpsc::UnboundedReceiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let client = client(format!("http://{}", listener.local_addr().expect("an address")));
    let (arrived, arrivals) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            arrived.send(stream).expect("the test listens");
        }
    });
    (client, arrivals)
}

/// Checks that no further request arrives while none is answered.
async fn is_quiet(arrivals: &mut mpsc::UnboundedReceiver<TcpStream>) -> bool {
    tokio::time::timeout(Duration::from_millis(50), arrivals.recv()).await.is_err()
}

#[tokio::test]
async fn trap_24_two_requests_to_one_document_are_under_way_at_a_time() {
    let (client, mut arrivals) = held().await;
    let asks = (0..4).map(|_| {
        // Not one document and its clones alone: whatever the client makes for the id.
        let doc = doc(&client.clone()).clone();
        tokio::spawn(async move { doc.table_rows("Dossiers").await })
    });
    let asks: Vec<_> = asks.collect();
    let mut open = vec![arrivals.recv().await.expect("the first"), arrivals.recv().await.expect("the second")];
    assert!(is_quiet(&mut arrivals).await, "the third waits");
    for _ in 2..4 {
        answer(&mut open.remove(0), r#"{"records":[]}"#).await;
        open.push(arrivals.recv().await.expect("the next one, as soon as one was answered"));
        assert!(is_quiet(&mut arrivals).await, "and no other");
    }
    for mut last in open {
        answer(&mut last, r#"{"records":[]}"#).await;
    }
    for ask in asks {
        ask.await.expect("no panic").expect("rows");
    }
}

#[tokio::test]
async fn one_sql_is_under_way_at_a_time_and_leaves_room_for_something_else() {
    let (client, mut arrivals) = held().await;
    let ask = |doc: Doc| tokio::spawn(async move { doc.sql("select 1", &[]).await });
    let (one, two) = (ask(doc(&client)), ask(doc(&client)));
    let mut first = arrivals.recv().await.expect("the first question");
    assert!(is_quiet(&mut arrivals).await, "the second question waits");
    let other = doc(&client);
    let other = tokio::spawn(async move { other.table_rows("Dossiers").await });
    let mut beside = arrivals.recv().await.expect("what is no SQL");
    for stream in [&mut first, &mut beside] {
        answer(stream, r#"{"records":[]}"#).await;
    }
    let mut second = arrivals.recv().await.expect("the second question");
    answer(&mut second, r#"{"records":[]}"#).await;
    for ask in [one, two, other] {
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
