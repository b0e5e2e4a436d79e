//! Tables, columns, and what refers to them.

use serde_json::json;

use super::Client;

#[tokio::test]
async fn a_new_document_is_american_and_has_a_stray_table() {
    let client = Client::start().await;
    let info = client.sql("select timezone, documentSettings from _grist_DocInfo").await;
    assert_eq!(info[0]["timezone"], "UTC");
    assert_eq!(info[0]["documentSettings"], r#"{"locale":"en-US","engine":"python3"}"#);
    assert_eq!(client.grist.person(&client.doc).tables(), ["Table1"]);
    client.done(json!([["RemoveTable", "Table1"]])).await;
    for table in ["_grist_Tables", "_grist_Tables_column", "_grist_Views", "_grist_Views_section", "_grist_Pages"] {
        assert_eq!(client.sql(&format!("select * from {table}")).await, Vec::<serde_json::Value>::new(), "{table}");
    }
}

#[tokio::test]
async fn a_label_takes_the_id_along_unless_they_are_untied() {
    let client = Client::start().await;
    let person = client.grist.person(&client.doc);
    person.add_table("T", &[("a", "Text"), ("b", "Text")]);
    person.set_column("T", "b", &json!({ "untieColIdFromLabel": true }));
    person.relabel_column("T", "a", "Numéro de dossier");
    person.relabel_column("T", "b", "Numéro de dossier");
    assert_eq!(person.columns("T"), ["Numero_de_dossier", "b"]);
}

#[tokio::test]
async fn references_follow_a_renamed_table_and_lose_a_removed_row() {
    let client = Client::start().await;
    let person = client.grist.person(&client.doc);
    person.add_table("P", &[("cle", "Text")]);
    person.add_table("E", &[("p", "Ref:P"), ("l", "RefList:P")]);
    person.act(json!([["BulkAddRecord", "P", [null, null], { "cle": ["a", "b"] }]]));
    person.add_row("E", &[("p", json!(2)), ("l", json!(["L", 1, 2]))]);
    person.rename_table("P", "Parents");
    assert_eq!(person.column("E", "p").text("type"), "Ref:Parents");
    person.remove_row("Parents", 2);
    let row = &client.grist.rows(&client.doc, "E")[0];
    assert_eq!((row.cell("p"), row.cell("l")), (&json!(0), &json!(["L", 1])));
    person.remove_table("Parents");
    assert_eq!((person.column("E", "p").text("type"), person.column("E", "l").text("type")), ("Int", "Text"));
}

#[tokio::test]
async fn a_reference_made_before_its_table_breaks_writes_until_a_reload() {
    let client = Client::start().await;
    client.done(json!([["AddTable", "E", [{ "id": "p", "type": "Ref:P" }, { "id": "t" }]]])).await;
    client.done(json!([["AddTable", "P", [{ "id": "cle" }]]])).await;
    let (status, body) = client.apply(json!([["AddRecord", "E", null, { "t": "x" }]])).await;
    assert_eq!(status, 500);
    assert_eq!(body["error"], "[Sandbox] AttributeError 'NoneType' object has no attribute 'table_id'");
    client.send("POST", "force-reload", None).await;
    client.done(json!([["AddRecord", "E", null, { "t": "x" }]])).await;
}

#[tokio::test]
async fn what_a_reference_shows_is_a_hidden_column_that_goes_with_it() {
    let client = Client::start().await;
    let person = client.grist.person(&client.doc);
    person.add_table("P", &[("cle", "Text")]);
    person.add_table("E", &[("p", "Ref:P")]);
    let (shown, column) = (person.column_ref("P", "cle"), person.column_ref("E", "p"));
    person.set_column("E", "p", &json!({ "visibleCol": shown }));
    person.act(json!([["SetDisplayFormula", "E", null, column, "$p.cle"]]));
    let helper = person.column_ref("E", "gristHelper_Display");
    assert_eq!(person.column("E", "p").cell("displayCol"), &json!(helper));
    person.retype_column("E", "p", "Text");
    assert_eq!(client.sql("select * from _grist_Tables_column where colId like 'gristHelper%'").await.len(), 0);
}

#[tokio::test]
async fn an_empty_column_takes_the_type_of_its_first_values() {
    let client = Client::start().await;
    let person = client.grist.person(&client.doc);
    client.done(json!([["AddRecord", "Table1", null, { "A": "00123", "B": 12 }]])).await;
    client.done(json!([["UpdateRecord", "Table1", 1, { "C": "2024-03-05" }]])).await;
    let kinds: Vec<_> = ["A", "B", "C"].map(|id| person.column("Table1", id).text("type").to_owned()).into();
    assert_eq!(kinds, ["Text", "Numeric", "Date"]);
    assert_eq!(client.grist.rows(&client.doc, "Table1")[0].cell("C"), &json!(1_709_596_800));
}

#[tokio::test]
async fn sql_shows_what_a_new_type_converted_as_marshalled_until_it_is_written_again() {
    let client = Client::start().await;
    let person = client.grist.person(&client.doc);
    person.add_table("T", &[("n", "Int")]);
    let row = person.add_row("T", &[("n", json!(12))]);
    person.retype_column("T", "n", "Text");
    assert_eq!(client.sql("select n from T").await[0]["n"]["type"], "Buffer");
    person.edit("T", row, "n", json!("13"));
    assert_eq!(client.sql("select n from T").await[0]["n"], "13");
}
