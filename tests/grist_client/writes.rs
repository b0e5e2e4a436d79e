//! Checks writing requests as they arrive.

use bytes::Bytes;
use grist_client::{Action, GristError, OnMany, Repeat};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::support::{DOC, answering, good, received, row};

#[tokio::test]
async fn trap_1_a_bundle_is_applied_without_parsing_its_values() {
    let done =
        json!({ "actionNum": 3, "actionHash": "x", "retValues": [{ "recordIds": [[1]] }, 7], "isModification": true });
    let (server, client, doc) = answering(good(&done)).await;
    let mut bundle = Action::upserts("T", &["cle"], [row(json!({ "cle": "1", "montant": "1 234,56" }))], OnMany::First)
        .expect("one row");
    bundle.push(Action::AddRecord { table: "U".into(), row: None, values: row(json!({ "a": null })) });
    let applied = doc.apply(&bundle, Repeat::Never).await.expect("applied");
    assert_eq!((applied.ret_values.len(), applied.is_modification), (2, true));
    let requests = received(&server).await;
    assert_eq!(requests[0].url.path(), format!("/api/docs/{DOC}/apply"));
    assert_eq!(requests[0].url.query(), Some("noparse=1"));
    let body: Value = requests[0].body_json().expect("JSON");
    let upsert =
        json!(["BulkAddOrUpdateRecord", "T", { "cle": ["1"] }, { "montant": ["1 234,56"] }, { "on_many": "first" }]);
    assert_eq!(body, json!([upsert, ["AddRecord", "U", null, { "a": null }]]));
    let stats = client.stats();
    assert_eq!((stats.requests, stats.writes, stats.bytes_sent), (1, 1, requests[0].body.len() as u64));
    let told: usize = bundle.iter().map(Action::bytes).sum();
    assert_eq!(told + 1, requests[0].body.len(), "the brackets, one comma less");
}

#[tokio::test]
async fn nothing_to_do_is_not_sent_and_repeated_keys_neither() {
    let (_server, client, doc) = answering(ResponseTemplate::new(500)).await;
    let applied = doc.apply(&[], Repeat::Safe).await.expect("nothing");
    assert!(!applied.is_modification && applied.ret_values.is_empty());
    let twice = Action::BulkUpsert {
        table: "T".into(),
        require: row(json!({ "cle": ["1", "1"] })),
        columns: row(json!({ "x": [1, 2] })),
        on_many: OnMany::First,
    };
    let error = doc.apply(&[twice], Repeat::Safe).await.expect_err("Grist trap 19");
    assert!(matches!(error, GristError::KeysRepeat), "{error}");
    assert_eq!(client.stats().requests, 0);
}

#[tokio::test]
async fn a_file_goes_up_under_its_name_and_comes_back() {
    let (server, client, doc) = answering(good(&json!([12]))).await;
    let id = doc.upload("été.txt", Some("text/plain"), Bytes::from_static(b"bonjour")).await.expect("an id");
    assert_eq!(id, 12);
    doc.upload("x.bin", Some("not a type"), Bytes::new()).await.expect("a type that is none is left out");
    let requests = received(&server).await;
    assert_eq!(requests[0].url.path(), format!("/api/docs/{DOC}/attachments"));
    let body = String::from_utf8(requests[0].body.clone()).expect("text");
    assert!(body.contains("name=\"upload\"") && body.contains("Content-Type: text/plain"), "{body}");
    assert!(body.contains("bonjour"), "{body}");
    assert_eq!(client.stats().bytes_sent, 7);

    let (server, _, doc) = answering(ResponseTemplate::new(200).set_body_bytes(b"bonjour")).await;
    assert_eq!(doc.download_attachment(12).await.expect("bytes"), Bytes::from_static(b"bonjour"));
    assert_eq!(received(&server).await[0].url.path(), format!("/api/docs/{DOC}/attachments/12/download"));
}

#[tokio::test]
async fn a_document_is_reloaded_and_forgets_its_history() {
    let (server, client, doc) = answering(good(&Value::Null)).await;
    doc.force_reload().await.expect("reloaded");
    doc.states_remove(5).await.expect("forgotten");
    let requests = received(&server).await;
    assert_eq!(requests[0].url.path(), format!("/api/docs/{DOC}/force-reload"));
    assert_eq!(requests[1].url.path(), format!("/api/docs/{DOC}/states/remove"));
    assert_eq!(requests[1].body_json::<Value>().expect("JSON"), json!({ "keep": 5 }));
    assert_eq!(client.stats().writes, 2);
}
