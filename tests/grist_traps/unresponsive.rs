//! Checks documents that do not answer (Grist traps 26 and 27), on a real Grist only: the imitation has neither formulas nor webhooks.

use std::time::Duration;

use demarche_numerique::plan::Change;
use demarche_numerique::sink::{GristSink, Sink, SinkError};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::fixture::{DOSSIERS, Fixture, ready};
use crate::contracts::world::*;

real_traps!(
    trap_26_a_webhook_that_blocks_the_document_is_told_and_nothing_is_doubled,
    trap_27_a_formula_that_never_ends_is_told_and_nothing_is_doubled,
);

/// The document, for somebody who has little patience.
async fn impatient(fixture: &Fixture) -> GristSink {
    let client = fixture.client().total_timeout(Duration::from_secs(4)).build().expect("a client");
    GristSink::of(client.doc(fixture.id.clone()))
        .open()
        .await
        .expect("what a document holds is told without its engine")
}

fn is_slow(error: &SinkError) {
    assert!(matches!(error, SinkError::Unavailable { .. }), "{error}");
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("formula") && hint.contains("webhook"), "{error}: {hint}");
}

fn many(from: u32, to: u32) -> Vec<Change> {
    (from..=to).map(|of| insert(of, "un")).collect()
}

async fn trap_26_a_webhook_that_blocks_the_document_is_told_and_nothing_is_doubled(fixture: &Fixture) {
    fixture.fill().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://localhost:{}/", listener.local_addr().expect("an address").port());
    let receiver = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _read = stream.read(&mut [0; 4096]).await;
                let no = b"HTTP/1.1 500 -\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _sent = stream.write_all(no).await;
            });
        }
    });
    let fields = json!({ "url": url, "eventTypes": ["add", "update"], "tableId": DOSSIERS, "enabled": true });
    let hook = json!({ "webhooks": [{ "fields": fields }] });
    let (status, answer) = fixture.send("POST", "webhooks", Some(hook)).await;
    if status == 403 {
        println!("skipped: that Grist calls no address of this machine (ALLOWED_WEBHOOK_DOMAINS)");
        return;
    }
    let hook = answer["webhooks"][0]["id"].as_str().expect("an id").to_owned();

    let sink = impatient(fixture).await;
    let prepared = ready(&sink).await;
    let mut error = None;
    for turn in 0..3_u32 {
        let from = 3 + turn * 600;
        if let Err(told) = sink.commit(&prepared, &batch(i64::from(turn) + 2, many(from, from + 599))).await {
            error = Some(told);
            break;
        }
    }
    is_slow(&error.expect("nobody takes what the webhook has to tell"));
    drop(sink);

    fixture.must("DELETE", &format!("webhooks/{hook}"), None).await;
    fixture.must("DELETE", "webhooks/queue", None).await;
    receiver.abort();
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    for turn in 0..3_u32 {
        let from = 3 + turn * 600;
        sink.commit(&prepared, &batch(i64::from(turn) + 9, many(from, from + 599))).await.expect("it is released");
    }
    assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, 1_802);
    fixture.assert_sound().await;
}

async fn trap_27_a_formula_that_never_ends_is_told_and_nothing_is_doubled(fixture: &Fixture) {
    fixture.fill().await;
    let endless = "while $number == 4:\n  pass\nreturn 0";
    let column = json!({ "isFormula": true, "formula": endless });
    fixture.act(json!([["AddVisibleColumn", DOSSIERS, "Sans fin", column]])).await;
    let sink = impatient(fixture).await;
    let prepared = ready(&sink).await;
    let error = sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect_err("it never ends");
    is_slow(&error);
    drop(sink);

    // What the page says: the owner opens the document again and takes the formula away.
    fixture.must("POST", "force-reload", None).await;
    fixture.act(json!([["RemoveColumn", DOSSIERS, "Sans_fin"]])).await;
    let sink = fixture.open().await;
    assert_eq!(sink.census(&scope(), None, 9).await.expect("an answer").len(), 2, "all of it or nothing");
    let prepared = ready(&sink).await;
    sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect("a commit");
    assert_eq!(fixture.column(DOSSIERS, "number").await, [1, 2, 4]);
    fixture.assert_sound().await;
}
