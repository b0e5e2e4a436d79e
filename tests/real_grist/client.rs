//! Compares the client, the imitation and the tables of the tests with a real Grist.

use bytes::Bytes;
use grist_client::{Access, Action, Client, ColumnPatch, ColumnSpec, Doc, DocId, GristError, OnMany, Repeat};
use serde_json::{Map, Value, json};

use super::{client, document};

fn row(value: Value) -> Map<String, Value> {
    value.as_object().expect("cells").clone()
}

fn column(id: &str, kind: &str, label: &str) -> ColumnSpec {
    ColumnSpec {
        id: id.into(),
        kind: kind.into(),
        label: label.into(),
        description: format!("« {label} »"),
        widget_options: None,
        formula: None,
    }
}

/// A table of dossiers, with a formula.
async fn dossiers(doc: &Doc) {
    let total = ColumnSpec { formula: Some("$n + 1".into()), ..column("total", "Any", "Total") };
    let columns = vec![column("cle", "Text", "Clé"), column("n", "Int", "Nombre"), total];
    let mut bundle: Vec<Action> = columns.iter().map(|column| column.untied("Dossiers")).collect();
    bundle.insert(0, Action::AddTable { table: "Dossiers".into(), columns });
    doc.apply(&bundle, Repeat::Never).await.expect("a table");
}

fn upsert(rows: Vec<Value>) -> Vec<Action> {
    Action::upserts("Dossiers", &["cle"], rows.into_iter().map(row), OnMany::First).expect("keys differ")
}

#[tokio::test]
async fn a_document_is_made_and_described() {
    let Some((client, doc)) = document("described").await else { return };
    let info = doc.info().await.expect("its own document");
    assert_eq!((info.access, info.name.as_str()), (Access::Owner, "dn: described"));
    assert!(!client.orgs().await.expect("sites").is_empty());
    let short = DocId::parse(&info.id.as_str()[..12]).expect("the short form of addresses");
    assert_eq!(client.doc(short).info().await.expect("the same document").id, info.id);
    let features = doc.features().await.expect("features");
    assert!(features.sql, "{features:?}");
    let tables = doc.tables().await.expect("tables");
    assert_eq!(tables.iter().map(|table| table.id.as_str()).collect::<Vec<_>>(), ["Table1"], "Grist trap 36");
}

#[tokio::test]
async fn tables_are_made_as_asked_and_read_back() {
    let Some((_, doc)) = document("structure").await else { return };
    dossiers(&doc).await;
    let child = column("dossier", "Ref:Dossiers", "Dossier");
    doc.apply(&[Action::AddTable { table: "Lignes".into(), columns: vec![child] }], Repeat::Never)
        .await
        .expect("a child");
    let tables = doc.tables().await.expect("tables");
    let of = |name: &str| tables.iter().find(|table| table.id == name).expect("a table");
    let dossiers = of("Dossiers");
    let described = |id: &str| dossiers.columns.iter().find(|column| column.id == id).expect("a column");
    let cle = described("cle");
    assert_eq!((cle.label.as_str(), cle.description.as_str(), cle.kind.as_str()), ("Clé", "« Clé »", "Text"));
    assert!(cle.untied && !cle.is_formula);
    assert!(described("total").is_formula && described("total").formula == "$n + 1");
    let dossier = of("Lignes").columns.iter().find(|column| column.id == "dossier").expect("the reference");
    let patch =
        ColumnPatch { visible_col: Some(cle.col_ref), label: Some("Le dossier".into()), ..ColumnPatch::default() };
    let shown = [
        Action::ModifyColumn { table: "Lignes".into(), column: "dossier".into(), patch },
        Action::SetDisplayFormula { table: "Lignes".into(), col_ref: dossier.col_ref, formula: "$dossier.cle".into() },
        Action::AddColumn { table: "Lignes".into(), column: column("texte", "Text", "Texte libre") },
        Action::CreateViewSection { table: of("Lignes").table_ref, view: 0, kind: "detail".into() },
    ];
    doc.apply(&shown, Repeat::Never).await.expect("changes of structure");
    let tables = doc.tables().await.expect("tables");
    let lines = tables.iter().find(|table| table.table_ref == of("Lignes").table_ref).expect("the same table");
    let named: Vec<(&str, &str)> = lines.columns.iter().map(|c| (c.id.as_str(), c.label.as_str())).collect();
    assert!(named.contains(&("Le_dossier", "Le dossier")), "a tied id follows its label: {named:?}");
    assert!(named.contains(&("texte", "Texte libre")), "{named:?}");
    assert!(named.iter().any(|(id, _)| id.starts_with("gristHelper_")), "hidden columns are listed: {named:?}");
}

#[tokio::test]
async fn rows_go_up_once_and_come_back_by_every_way() {
    let Some((client, doc)) = document("rows").await else { return };
    dossiers(&doc).await;
    let rows =
        |n: i64| -> Vec<Value> { (0..n).map(|n| json!({ "cle": format!("exemple/1234/{n}"), "n": n })).collect() };
    for _ in 0..2 {
        doc.apply(&upsert(rows(1000)), Repeat::Safe).await.expect("an upsert");
    }
    assert!(!doc.apply(&upsert(rows(1000)), Repeat::Safe).await.expect("the same again").is_modification);
    let counted = doc.sql("select count(*) as n, sum(n) as total from Dossiers where n < ?", &[json!(10_000)]).await;
    assert_eq!(Value::Object(counted.expect("a count")[0].clone()), json!({ "n": 1000, "total": 499_500 }));
    let before = client.stats().requests;
    let keys = (0..1000).map(|n| json!(format!("exemple/1234/{n}"))).collect();
    assert_eq!(doc.records("Dossiers", &[("cle", keys)]).await.expect("Grist trap 35").len(), 1000);
    assert!(client.stats().requests > before + 1);
    let one = doc.records("Dossiers", &[("cle", vec![json!("exemple/1234/7")]), ("n", vec![json!(7), json!(8)])]).await;
    assert_eq!(
        Value::Object(one.expect("a row")[0].clone()),
        json!({ "id": 8, "cle": "exemple/1234/7", "n": 7, "total": 8 })
    );
    assert_eq!(doc.table_rows("Dossiers").await.expect("all rows").len(), 1000);
}

#[tokio::test]
async fn values_are_kept_as_they_are_sent() {
    let Some((_, doc)) = document("values").await else { return };
    dossiers(&doc).await;
    let sent = [
        ("zero", json!(0)),
        ("nothing", Value::Null),
        ("large", json!("2147483648")),
        ("french", json!("1 234,56")),
        ("formula", json!("=1+1")),
    ];
    let rows = sent.iter().map(|(key, value)| json!({ "cle": key, "n": value })).collect();
    doc.apply(&upsert(rows), Repeat::Safe).await.expect("an upsert");
    let by_sql = doc.sql("select cle, n from Dossiers", &[]).await.expect("rows");
    let by_rest = doc.table_rows("Dossiers").await.expect("rows");
    for (key, value) in sent {
        for rows in [&by_sql, &by_rest] {
            let row = rows.iter().find(|row| row["cle"] == key).expect("the row");
            assert_eq!(row["n"], value, "{key}");
        }
    }
}

#[tokio::test]
async fn each_refusal_is_told_apart_and_leaves_nothing() {
    let Some((client, doc)) = document("refusals").await else { return };
    dossiers(&doc).await;
    doc.apply(&upsert(vec![json!({ "cle": "1", "n": 1 })]), Repeat::Safe).await.expect("a row");
    let table = |name: &str| name.to_owned();
    let cells = |column: &str| row(json!({ (column): 1 }));
    let refused: Vec<(&str, Action)> = vec![
        ("no_table", Action::AddRecord { table: table("Absente"), row: None, values: cells("n") }),
        ("no_table", Action::AddColumn { table: table("Absente"), column: column("x", "Text", "X") }),
        ("no_column", Action::AddRecord { table: table("Dossiers"), row: None, values: cells("absente") }),
        (
            "no_column",
            Action::ModifyColumn {
                table: table("Dossiers"),
                column: "absente".into(),
                patch: ColumnPatch { untied: Some(true), ..ColumnPatch::default() },
            },
        ),
        ("no_row", Action::UpdateRecord { table: table("Dossiers"), row: 999, values: cells("n") }),
        (
            "no_row",
            Action::BulkUpdate { table: table("Dossiers"), rows: vec![1, 999], columns: row(json!({ "n": [5, 5] })) },
        ),
        ("formula_column", Action::AddRecord { table: table("Dossiers"), row: None, values: cells("total") }),
        ("keys_repeat", Action::Raw(json!(["BulkAddOrUpdateRecord", "Dossiers", { "cle": ["a", "a"] }, {}, {}]))),
        ("refused", Action::AddRecord { table: table("Dossiers"), row: Some(2_000_000), values: cells("n") }),
        ("blocked", Action::Raw(json!(["Inconnue", "Dossiers"]))),
    ];
    for (kind, action) in refused {
        // What stands before it in the bundle goes with it.
        let before = Action::UpdateRecord { table: table("Dossiers"), row: 1, values: row(json!({ "n": 7 })) };
        let error = doc.apply(&[before, action.clone()], Repeat::Safe).await.expect_err(kind);
        assert_eq!(error.kind(), kind, "{action:?}: {error}");
        let rows = doc.table_rows("Dossiers").await.expect("rows");
        assert_eq!(
            Value::Array(rows.into_iter().map(Value::Object).collect()),
            json!([{ "id": 1, "cle": "1", "n": 1, "total": 2 }]),
            "{action:?}"
        );
    }
    for (kind, sql) in [
        ("no_table", "select * from Absente"),
        ("no_column", "select absente from Dossiers"),
        ("sql", "delete from Dossiers"),
        ("sql", "select from"),
    ] {
        assert_eq!(doc.sql(sql, &[]).await.expect_err(sql).kind(), kind, "{sql}");
    }
    let filter = [("absente", vec![json!(1)])];
    assert_eq!(doc.records("Dossiers", &filter).await.expect_err("a column").kind(), "no_column");
    assert_eq!(doc.table_rows("Absente").await.expect_err("a table").kind(), "no_table");
    assert_eq!(doc.download_attachment(99).await.expect_err("a file").kind(), "refused");
    let nowhere = client.doc(DocId::parse("kZ8mQv2Xw9LrT4sYb7NcPd").expect("an id"));
    assert_eq!(nowhere.info().await.expect_err("a document").kind(), "no_document");
    let stranger = Client::builder(client.url().as_str()).key("0123456789abcdef0123456789abcdef01234567");
    let stranger = stranger.build().expect("the settings are right").doc(doc.id().clone());
    assert_eq!(stranger.info().await.expect_err("a wrong key").kind(), "wrong_key");
}

#[tokio::test]
async fn a_body_as_large_as_the_limit_is_taken() {
    let Some((_, doc)) = document("large").await else { return };
    dossiers(&doc).await;
    let bundle = |length: usize| upsert(vec![json!({ "cle": "x".repeat(length) })]);
    let empty = bundle(0)[0].bytes() + 1;
    doc.apply(&bundle((1 << 20) - empty), Repeat::Safe).await.expect("1 MiB to the byte");
    let error = doc.apply(&bundle((1 << 20) - empty + 1), Repeat::Safe).await.expect_err("one more");
    assert!(matches!(error, GristError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn files_go_up_under_their_names_and_come_back() {
    let Some((_, doc)) = document("files").await else { return };
    let bytes = Bytes::from(vec![7; 3 << 20]);
    let id = doc.upload("Pièce n°1 «été».pdf", Some("application/pdf"), bytes.clone()).await.expect("an id");
    assert_eq!(doc.download_attachment(id).await.expect("the file"), bytes);
    let known = doc.table_rows("_grist_Attachments").await.expect("the attachments");
    let file = known.iter().find(|file| file["id"] == id).expect("its row");
    assert_eq!(file["fileName"], "Pièce n°1 «été».pdf");
    assert_eq!(file["fileSize"], bytes.len());
}

#[tokio::test]
async fn many_questions_at_once_meet_no_refusal() {
    let Some((client, doc)) = document("parallel").await else { return };
    dossiers(&doc).await;
    let before = client.stats();
    let asks: Vec<_> = (0..24)
        .map(|n| {
            let doc = doc.clone();
            tokio::spawn(async move {
                if n % 2 == 0 { doc.sql("select 1", &[]).await } else { doc.table_rows("Dossiers").await }
            })
        })
        .collect();
    for ask in asks {
        ask.await.expect("no panic").expect("an answer");
    }
    let after = client.stats();
    assert_eq!((after.requests - before.requests, after.retries - before.retries), (24, 0));
}

#[tokio::test]
async fn a_document_is_reloaded_and_forgets_its_history() {
    let Some((_, doc)) = document("history").await else { return };
    dossiers(&doc).await;
    doc.force_reload().await.expect("reloaded");
    doc.states_remove(1).await.expect("forgotten");
    assert!(doc.table_rows("Dossiers").await.expect("all is there").is_empty());
}

#[tokio::test]
async fn an_unknown_site_is_refused() {
    let Some(client) = client() else { return };
    let error = client.workspaces("nulle-part").await.expect_err("no such site");
    assert!(matches!(error, GristError::Refused { status: 404, .. }), "{error}");
}
