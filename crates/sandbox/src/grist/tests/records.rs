//! Records: upserts, references, errors, row ids.

use serde_json::json;

use super::Client;

#[tokio::test]
async fn a_child_points_at_a_parent_of_the_same_bundle() {
    let client = Client::start().await;
    client.done(json!([["AddTable", "Parents", [{ "id": "cle", "type": "Text" }]]])).await;
    client.done(json!([["AddTable", "Enfants", [{ "id": "cle" }, { "id": "parent", "type": "Ref:Parents" }]]])).await;
    let upsert = json!([
        ["BulkAddOrUpdateRecord", "Parents", { "cle": ["a", "b"] }, {}, {}],
        ["BulkAddOrUpdateRecord", "Enfants", { "cle": ["1", "2", "3"] }, {
            "parent": [["l", "b", { "column": "cle" }], ["l", "a", { "column": "cle" }], ["l", "?", { "column": "cle" }]],
        }, { "on_many": "first" }],
    ]);
    let first = client.done(upsert.clone()).await;
    assert_eq!(first[1], json!({ "recordIds": [[1], [2], [3]], "addRecordIds": [1, 2, 3], "updateRecordIds": [] }));
    let second = client.done(upsert).await;
    assert_eq!(second[1]["updateRecordIds"], json!([[1], [2], [3]]));
    let rows = client.sql("select cle, parent from Enfants order by id").await;
    assert_eq!(
        rows,
        [json!({"cle": "1", "parent": 2}), json!({"cle": "2", "parent": 1}), json!({"cle": "3", "parent": "?"})]
    );
}

async fn with_table() -> Client {
    let client = Client::start().await;
    let columns = json!([
        { "id": "cle", "type": "Text" }, { "id": "n", "type": "Int" }, { "id": "oui", "type": "Bool" },
        { "id": "jour", "type": "Date" }, { "id": "choix", "type": "ChoiceList" },
    ]);
    client.done(json!([["AddTable", "T", columns]])).await;
    client
}

#[tokio::test]
async fn an_error_undoes_the_whole_bundle() {
    let client = with_table().await;
    let before = client.grist.state_number(&client.doc);
    let (status, body) =
        client.apply(json!([["AddRecord", "T", null, { "cle": "a" }], ["UpdateRecord", "T", 999, { "n": 1 }]])).await;
    assert_eq!(status, 500);
    let text = "[Sandbox] AssertionError docactions.[Bulk]UpdateRecord for non-existent record #999";
    assert_eq!(body, json!({ "error": text }));
    assert_eq!(client.grist.rows(&client.doc, "T"), []);
    assert_eq!(client.grist.state_number(&client.doc), before);
}

#[tokio::test]
async fn a_missing_row_is_only_missed_when_something_would_change() {
    let client = with_table().await;
    client.done(json!([["UpdateRecord", "T", 999, { "n": 0 }]])).await;
    assert_eq!(client.apply(json!([["UpdateRecord", "T", 999, { "n": 1 }]])).await.0, 500);
}

#[tokio::test]
async fn the_id_of_a_removed_last_row_is_used_again() {
    let client = with_table().await;
    client.done(json!([["BulkAddRecord", "T", [null, null], { "cle": ["a", "b"] }]])).await;
    client.done(json!([["BulkRemoveRecord", "T", [2, 999]]])).await;
    assert_eq!(client.done(json!([["AddRecord", "T", null, { "cle": "c" }]])).await, json!([2]));
}

#[tokio::test]
async fn the_same_key_twice_is_refused_and_one_equals_one_point_zero() {
    let client = with_table().await;
    for (keys, refused) in [(json!(["a", "a"]), true), (json!([1, 1.0]), true), (json!([1, "1"]), false)] {
        let (status, body) =
            client.apply(json!([["BulkAddOrUpdateRecord", "T", { "cle": keys }, {}, { "on_many": "first" }]])).await;
        assert_eq!(status == 500, refused, "{body}");
    }
}

#[tokio::test]
async fn bundles_that_change_nothing_take_a_number() {
    let client = with_table().await;
    let upsert = json!([["BulkAddOrUpdateRecord", "T", { "cle": ["a"] }, { "n": [1] }, {}]]);
    client.done(upsert.clone()).await;
    let before = client.grist.state_number(&client.doc);
    let (_, body) = client.apply(upsert).await;
    assert_eq!((&body["isModification"], &body["actionNum"]), (&json!(false), &json!(before + 1)));
    assert_eq!(client.apply(json!([])).await.1["actionNum"], 0);
    assert_eq!(client.grist.state_number(&client.doc), before + 1);
    let (_, states) = client.send("GET", "states", None).await;
    assert_eq!(states["states"][0]["n"], json!(before + 1));
}

#[tokio::test]
async fn cells_become_what_grist_makes_of_them() {
    let client = with_table().await;
    let row = json!({ "cle": 12, "n": 2_147_483_648_i64, "oui": null, "jour": "12,5", "choix": "a,b" });
    client.done(json!([["AddRecord", "T", null, row]])).await;
    client.send("POST", "apply", Some(json!([["AddRecord", "T", null, { "choix": "a,b", "n": "1 234" }]]))).await;
    client.done(json!([["AddRecord", "T", null, { "cle": "=1+1", "choix": ["L", "a", "b"] }]])).await;
    let (_, body) = client.send("GET", "tables/T/records", None).await;
    let fields: Vec<_> = body["records"].as_array().expect("records").iter().map(|row| &row["fields"]).collect();
    let first = json!({ "cle": "12", "n": "2147483648.0", "oui": false, "jour": "12,5", "choix": "a,b" });
    assert_eq!(fields[0], &first);
    assert_eq!((&fields[1]["choix"], &fields[1]["n"]), (&json!(["L", "a", "b"]), &json!(1234)));
    assert_eq!((&fields[2]["cle"], &fields[2]["choix"]), (&json!("=1+1"), &json!(["L", "a", "b"])));
    let rows = client.sql("select n, oui, choix from T order by id").await;
    assert_eq!(rows[0]["n"]["type"], "Buffer", "an alternative text is marshalled");
    assert_eq!((&rows[2]["oui"], &rows[2]["choix"]), (&json!(0), &json!(r#"["a","b"]"#)));
}

#[tokio::test]
async fn routes_on_tables_tell_errors_in_their_own_words() {
    let client = with_table().await;
    let record = |cells: serde_json::Value| Some(json!({ "records": [{ "fields": cells }] }));
    let with_id = |id: i64| Some(json!({ "records": [{ "id": id, "fields": { "n": 1 } }] }));
    for (method, path, body, status, error) in [
        ("POST", "tables/X/records", record(json!({})), 404, "Table not found \"X\""),
        ("POST", "tables/T/records", record(json!({ "x": 1 })), 400, "Invalid column \"x\""),
        ("POST", "tables/T/records", record(json!({ "n": [1] })), 400, "Invalid payload"),
        ("PATCH", "tables/T/records", with_id(999), 400, "Invalid row id 999"),
        ("DELETE", "tables/T/columns/x", None, 404, "Table or column not found \"T.x\""),
        ("GET", "tables/T/records?sort=x", None, 500, "unknown key x"),
        ("POST", "sql", Some(json!({ "sql": "delete from T" })), 400, "only select statements are supported"),
        ("POST", "sql", Some(json!({ "sql": "select x from T" })), 400, "SQLITE_ERROR: no such column: x"),
        ("POST", "apply", Some(json!({})), 500, "`actions` parameter should be an array."),
    ] {
        let (found, answer) = client.send(method, path, body).await;
        assert_eq!((found, answer["error"].as_str()), (status, Some(error)), "{method} {path}");
    }
}

#[tokio::test]
async fn one_mark_of_byte_order_at_the_head_of_a_text_is_dropped() {
    let client = with_table().await;
    let cells = json!({ "cle": "\u{feff}\u{feff}a\u{feff}", "choix": ["L", "\u{feff}b", "c"], "n": "\u{feff}12" });
    client.done(json!([["AddRecord", "T", null, cells]])).await;
    let row = &client.grist.rows(&client.doc, "T")[0];
    assert_eq!((row.text("cle"), row.text("n")), ("\u{feff}a\u{feff}", "12"));
    assert_eq!(row.cell("choix"), &json!(["L", "b", "c"]));
    // A key that begins with one is not found again.
    let upsert = json!([["BulkAddOrUpdateRecord", "T", { "cle": ["\u{feff}x"] }, {}, {}]]);
    client.done(upsert.clone()).await;
    client.done(upsert).await;
    assert_eq!(client.grist.rows(&client.doc, "T").len(), 3);
}
