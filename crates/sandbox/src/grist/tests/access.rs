//! Keys, roles, rules, files.

use serde_json::json;

use super::Client;
use crate::grist::{AccessRules, Grist, Role};

#[tokio::test]
async fn keys_are_refused_as_grist_refuses_them() {
    let mut client = Client::start().await;
    client.grist.add_key("lecture", Some(Role::Viewer));
    client.grist.add_key("rien", None);
    let write = Some(json!([["AddRecord", "Table1", null, {}]]));
    client.as_key("inconnue");
    let unknown = json!({ "error": "Bad request: invalid API key" });
    assert_eq!(client.send("GET", "tables", None).await, (401, unknown));
    client.as_key("rien");
    assert_eq!(client.send("GET", "tables", None).await, (403, json!({ "error": "No view access" })));
    client.as_key("lecture");
    assert_eq!(client.send("GET", "tables", None).await.0, 200);
    assert_eq!(client.send("POST", "apply", write).await, (403, json!({ "error": "No write access" })));
    client.grist.trash(&client.doc, true);
    assert_eq!(client.send("GET", "tables", None).await, (404, json!({ "error": "Document is deleted" })));
    client.doc = "aucun".to_owned();
    assert_eq!(client.send("GET", "tables", None).await, (404, json!({ "error": "document not found" })));
}

#[tokio::test]
async fn rules_take_sql_then_upserts_away_from_all_but_owners() {
    let mut client = Client::start().await;
    client.grist.person(&client.doc).add_table("T", &[("a", "Text")]);
    client.grist.add_key("ecriture", Some(Role::Editor));
    client.as_key("ecriture");
    let sql = || Some(json!({ "sql": "select 1" }));
    let upsert = json!([["BulkAddOrUpdateRecord", "T", { "a": ["x"] }, {}, {}]]);
    assert_eq!(client.send("POST", "sql", sql()).await.0, 200);
    client.grist.set_rules(&client.doc, AccessRules { any: true, ..AccessRules::default() });
    let refused = json!({ "error": "insufficient document access" });
    assert_eq!(client.send("POST", "sql", sql()).await, (403, refused));
    client.done(upsert.clone()).await;
    let rules = AccessRules { any: true, unreadable: ["T".to_owned()].into(), frozen: true, ..AccessRules::default() };
    client.grist.set_rules(&client.doc, rules);
    let (status, body) = client.apply(upsert.clone()).await;
    assert_eq!((status, body["error"].as_str()), (403, Some("Blocked by table read access rules")));
    let (status, body) = client.apply(json!([["AddColumn", "T", "b", {}]])).await;
    assert_eq!((status, body["error"].as_str()), (403, Some("Blocked by table structure access rules")));
    client.as_key(crate::grist::Grist::OWNER);
    client.done(upsert).await;
}

#[tokio::test]
async fn each_upload_has_an_id_of_its_own_and_unknown_ids_are_accepted() {
    let client = Client::start().await;
    client.grist.person(&client.doc).add_table("T", &[("pj", "Attachments")]);
    assert_eq!(client.upload("a.txt", b"bonjour").await, json!([1]));
    assert_eq!(client.upload("a.txt", b"bonjour").await, json!([2]));
    assert_eq!(client.send("GET", "attachments/2/download", None).await.1, json!("bonjour"));
    client.done(json!([["AddRecord", "T", null, { "pj": ["L", 2, 999] }]])).await;
    client.send("POST", "attachments/removeUnused", None).await;
    assert_eq!(client.sql("select id from _grist_Attachments").await, [json!({ "id": 2 })]);
}

#[tokio::test]
async fn an_access_token_is_good_for_its_document_with_the_rights_of_its_person() {
    let mut client = Client::start().await;
    let (grist, doc) = (client.grist.clone(), client.doc.clone());
    let other = grist.create_document("Autre");
    grist.add_key("lecture", Some(Role::Viewer));
    let [owner, reading, viewer, foreign] = [
        grist.access_token(&doc, Grist::OWNER, false),
        grist.access_token(&doc, Grist::OWNER, true),
        grist.access_token(&doc, "lecture", false),
        grist.access_token(&other, Grist::OWNER, false),
    ];
    client.as_key("inconnue");
    let nothing = || Some(json!([]));
    let path = |route: &str, token: &str| format!("{route}?auth={token}");
    let error = |words: &str| json!({ "error": words });
    let state = grist.state_number(&doc);
    assert_eq!(client.send("POST", &path("apply", &owner), nothing()).await.0, 200);
    assert_eq!(grist.state_number(&doc), state, "an empty bundle takes no place in the history");
    for (token, status, words) in [
        (reading.as_str(), 403, "No write access"),
        (viewer.as_str(), 403, "No write access"),
        (foreign.as_str(), 403, "Document access denied"),
        ("abc", 401, "Broken token"),
        ("a.b.c", 401, "Cannot verify token"),
    ] {
        assert_eq!(client.send("POST", &path("apply", token), nothing()).await, (status, error(words)), "{token}");
    }
    assert_eq!(client.send("GET", &path("tables", &viewer), None).await.0, 200);
    assert_eq!(client.send("GET", &path("", &owner), None).await, (403, error("access denied")));
    grist.expire_access_tokens();
    assert_eq!(client.send("POST", &path("apply", &owner), nothing()).await, (401, error("Token has expired")));
}
