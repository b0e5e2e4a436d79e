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
