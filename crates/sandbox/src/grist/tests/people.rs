//! Tests edits by people between two requests.

use serde_json::{Value as Json, json};

use super::Client;

#[tokio::test]
async fn a_restored_document_forgets_what_came_after() {
    let client = Client::start().await;
    let person = client.grist.person(&client.doc);
    person.add_table("T", &[("a", "Text")]);
    let snapshot = client.grist.snapshot(&client.doc);
    let number = client.grist.state_number(&client.doc);
    person.add_row("T", &[("a", json!("x"))]);
    person.add_table("U", &[("a", "Text")]);
    assert_eq!(client.sql("select a from T").await.len(), 1);
    client.grist.restore(&client.doc, &snapshot);
    assert_eq!(client.grist.state_number(&client.doc), number);
    assert_eq!(client.sql("select a from T").await.len(), 0);
    let (status, body) = client.send("POST", "sql", Some(json!({ "sql": "select * from U" }))).await;
    assert_eq!((status, body["error"].as_str()), (400, Some("SQLITE_ERROR: no such table: U")));
}

#[tokio::test]
async fn a_formula_takes_no_values_and_colours_stay_beside_choices() {
    let client = Client::start().await;
    let person = client.grist.person(&client.doc);
    person.add_table("T", &[("etat", "Choice")]);
    person.set_widget("T", "etat", &json!({ "choices": ["a"] }));
    person.recolour("T", "etat", "a", "#112233");
    let options: Json = serde_json::from_str(person.column("T", "etat").text("widgetOptions")).expect("JSON");
    assert_eq!(options, json!({ "choices": ["a"], "choiceOptions": { "a": { "fillColor": "#112233" } } }));
    person.make_formula("T", "etat", "'a'");
    let (status, body) = client.apply(json!([["AddRecord", "T", null, { "etat": "a" }]])).await;
    let text = "[Sandbox] ValueError Can't save value to formula column etat";
    assert_eq!((status, body["error"].as_str()), (500, Some(text)));
}

#[tokio::test]
async fn somebody_acts_between_two_requests() {
    let client = Client::start().await;
    let person = client.grist.person(&client.doc);
    person.add_table("T", &[("a", "Text")]);
    client.grist.after_request(1, move || person.remove_table("T"));
    let add = json!([["AddRecord", "T", null, { "a": "x" }]]);
    client.done(add.clone()).await;
    assert_eq!(client.apply(add).await, (500, json!({ "error": "[Sandbox] KeyError 'T'" })));
}
