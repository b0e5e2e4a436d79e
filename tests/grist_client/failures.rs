//! Checks failures of the network: retried, reported, or ambiguous.

use std::sync::atomic::Ordering;
use std::time::Duration;

use grist_client::{Action, Client, GristError, OnMany, Repeat};
use serde_json::json;
use wiremock::{MockServer, ResponseTemplate};

use super::support::{KEY, Then, answering, answering_in_turn, bare, client, doc, good, received, refusal, row};

fn rows() -> serde_json::Value {
    json!({ "records": [] })
}

fn upsert() -> Vec<Action> {
    Action::upserts("Dossiers", &["cle"], [row(json!({ "cle": "1" }))], OnMany::First).expect("one row")
}

const DONE: &str = r#"{"actionNum":1,"actionHash":"x","retValues":[null],"isModification":true}"#;

#[tokio::test]
async fn passing_failures_are_repeated_until_grist_is_back() {
    let rows_of = [
        ("eleven at a time", refusal(429, "Too many backlogged requests for document x - try again later?")),
        ("a document in flux", refusal(503, "Document in flux - try again later")),
        ("a proxy's page", ResponseTemplate::new(502).set_body_string("<html>")),
        ("an answer that is not JSON", ResponseTemplate::new(200).set_body_string("<html>Connectez-vous")),
        ("a cut answer", ResponseTemplate::new(200).set_body_string("{\"records\":[")),
    ];
    for (case, template) in rows_of {
        let (server, client, doc) = answering_in_turn(vec![template.clone(), template, good(&rows())]).await;
        doc.table_rows("Dossiers").await.expect(case);
        assert_eq!((client.stats().requests, client.stats().retries), (3, 2), "{case}");
        assert_eq!(received(&server).await.len(), 3, "{case}");
    }
}

#[tokio::test]
async fn trap_25_a_dead_data_engine_is_made_anew_by_reloading_the_document() {
    let dead = refusal(500, "[Sandbox] PipeToSandbox is closed: [INFO] [__main__] Ready\n");
    let answers = vec![dead.clone(), good(&json!(null)), good(&serde_json::from_str(DONE).expect("JSON"))];
    let (server, _, doc) = answering_in_turn(answers).await;
    doc.apply(&upsert(), Repeat::Never).await.expect("the new one does it");
    let ends: Vec<String> = received(&server).await.iter().map(|request| request.url.path().to_owned()).collect();
    assert!(
        ends[0].ends_with("/apply") && ends[1].ends_with("/force-reload") && ends[2].ends_with("/apply"),
        "{ends:?}"
    );

    let (server, _, doc) = answering(dead).await;
    let error = doc.apply(&upsert(), Repeat::Safe).await.expect_err("it dies again and again");
    assert!(matches!(error, GristError::EngineDown { .. }), "{error}");
    assert_eq!(received(&server).await.len(), 7, "four tries, three reloads");
}

#[tokio::test]
async fn what_grist_decided_burns_no_retry() {
    for (status, words, kind) in [
        (401, "Bad request: invalid API key", "wrong_key"),
        (429, "Exceeded daily limit for document x", "quota"),
        (500, "[Sandbox] KeyError 'absente'", "no_column"),
        (500, "[Sandbox] KeyError 'Dossiers'", "no_table"),
        (500, "Document is in delete-only mode", "delete_only"),
        (413, "request entity too large", "too_large"),
    ] {
        let (_server, client, doc) = answering(refusal(status, words)).await;
        let error = doc.apply(&upsert(), Repeat::Safe).await.expect_err(words);
        assert_eq!(error.kind(), kind, "{words}");
        assert_eq!(client.stats().requests, 1, "{words}");
    }
}

#[tokio::test]
async fn a_busy_document_is_not_waited_for_without_end() {
    let (_server, client, doc) = answering(refusal(429, "Too many backlogged requests for document x")).await;
    let error = doc.table_rows("Dossiers").await.expect_err("it stays busy");
    assert!(matches!(error, GristError::Busy { .. }), "{error}");
    assert_eq!(client.stats().requests, 8);
}

#[tokio::test]
async fn trap_28_a_first_refusal_is_questioned_once() {
    for words in ["No view access", "document not found"] {
        let status = if words.starts_with("No") { 403 } else { 404 };
        let (_server, client, doc) = answering_in_turn(vec![refusal(status, words), good(&rows())]).await;
        doc.table_rows("Dossiers").await.expect("the rights are there");
        assert_eq!(client.stats().requests, 2, "{words}");

        let (_server, client, doc) = answering(refusal(status, words)).await;
        doc.table_rows("Dossiers").await.expect_err("it is meant");
        assert_eq!(client.stats().requests, 2, "{words}: once");
        doc.table_rows("Dossiers").await.expect_err("it is still meant");
        assert_eq!(client.stats().requests, 3, "{words}: and never again");
    }
}

#[tokio::test]
async fn a_refusal_after_good_answers_stands() {
    let (_server, client, doc) = answering_in_turn(vec![good(&rows()), refusal(403, "No write access")]).await;
    doc.table_rows("Dossiers").await.expect("readable");
    let error = doc.clone().apply(&upsert(), Repeat::Safe).await.expect_err("not writable");
    assert!(matches!(error, GristError::Forbidden { .. }), "{error}");
    assert_eq!(client.stats().requests, 2);
}

#[tokio::test]
async fn trap_14_a_bundle_whose_answer_was_lost_is_repeated_only_where_twice_is_once() {
    let (url, count) = bare(vec![Then::HangUp, Then::Answer(DONE)]).await;
    let applied = doc(&client(url)).apply(&upsert(), Repeat::Safe).await.expect("the second answer arrives");
    assert!(applied.is_modification);
    assert_eq!(count.load(Ordering::SeqCst), 2);

    let (url, count) = bare(vec![Then::HangUp, Then::Answer(DONE)]).await;
    let error = doc(&client(url)).apply(&upsert(), Repeat::Never).await.expect_err("nobody knows");
    assert!(matches!(error, GristError::Unclear { .. }), "{error}");
    assert!(error.hint().is_some());
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_bundle_that_was_surely_not_done_is_repeated_whatever_it_is() {
    let flux = refusal(503, "Document in flux - try again later");
    let done = good(&serde_json::from_str(DONE).expect("JSON"));
    let (_server, client, doc) = answering_in_turn(vec![flux, done]).await;
    doc.apply(&upsert(), Repeat::Never).await.expect("done once");
    assert_eq!(client.stats().writes, 2);
}

#[tokio::test]
async fn a_new_document_is_made_once() {
    let (url, count) = bare(vec![Then::HangUp]).await;
    let error = client(url).create_doc(3, "Suivi").await.expect_err("nobody knows");
    assert!(matches!(error, GristError::Unclear { .. }), "{error}");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_document_that_does_not_answer_is_said_to_be_slow() {
    let (server, _, _) = answering(ResponseTemplate::new(200).set_delay(Duration::from_secs(60))).await;
    let builder = Client::builder(server.uri()).key(KEY).retry_base(Duration::from_micros(1));
    let client = builder.total_timeout(Duration::from_millis(50)).build().expect("the settings are right");
    let error = doc(&client).table_rows("Dossiers").await.expect_err("too slow");
    assert!(matches!(error, GristError::TooSlow { .. }), "{error}");
    assert!(error.hint().expect("a hint").contains("formula"));
    assert_eq!(client.stats().requests, 2, "asked twice, not eight times");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let error = client(format!("http://{nowhere}")).orgs().await.expect_err("nobody listens");
    assert!(matches!(error, GristError::Unavailable { status: None, .. }), "{error}");
}

#[tokio::test]
async fn a_redirection_is_never_followed() {
    let target = MockServer::start().await;
    for status in [301, 302, 307, 308] {
        let location = format!("{}/login?next=private", target.uri());
        let template = ResponseTemplate::new(status).insert_header("Location", location.as_str());
        let (_server, client, doc) = answering(template).await;
        let error = doc.table_rows("Dossiers").await.expect_err("a redirection");
        let GristError::Redirected { location } = &error else { panic!("{status}: {error}") };
        assert_eq!(*location, format!("{}/login", target.uri()));
        assert_eq!(client.stats().requests, 1);
    }
    assert!(received(&target).await.is_empty());
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_not_read() {
    let (server, _, _) = answering(ResponseTemplate::new(200).set_body_string("x".repeat(2000))).await;
    let builder = Client::builder(server.uri()).key(KEY).retry_base(Duration::from_micros(1));
    let client = builder.body_limit(1000).build().expect("the settings are right");
    let error = doc(&client).table_rows("Dossiers").await.expect_err("too large");
    assert!(error.to_string().contains("larger than 1000 bytes"), "{error}");
}

#[tokio::test]
async fn trap_40_nothing_shows_the_key() {
    let (server, client, doc) = answering(refusal(401, "Bad request: invalid API key")).await;
    let builder = Client::builder(server.uri()).key(KEY);
    assert!(!format!("{builder:?} {client:?} {doc:?}").contains(KEY));
    let error = doc.info().await.expect_err("refused");
    assert!(!format!("{error} {error:?} {:?}", error.hint()).contains(KEY));
    for key in ["", "  ", "deux mots"] {
        let error = Client::builder(server.uri()).key(key).build().expect_err("no key");
        assert!(matches!(error, GristError::Settings { setting: "key", .. }), "{error}");
    }
}
