//! Checks reading requests and the decoding of answers.

use demarche_numerique::sandbox::grist::{Grist, Role};
use grist_client::{Access, DocId, GristError};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::{DOC, KEY, answering, client, doc, good, received, refusal};

#[tokio::test]
async fn the_key_goes_in_the_header_and_the_site_in_the_path() {
    let (server, _, _) = answering(good(&json!([]))).await;
    for address in ["/o/docs", "/o/docs/", "/o/docs/api", "/o/docs/doc/kZ8mQv2Xw9Lr/p/3"] {
        client(format!("{}{address}", server.uri())).orgs().await.expect(address);
    }
    for request in received(&server).await {
        assert_eq!(request.url.path(), "/o/docs/api/orgs");
        assert_eq!(request.headers["authorization"], format!("Bearer {KEY}").as_str());
        assert!(request.headers["accept-encoding"].to_str().expect("text").contains("gzip"));
    }
}

#[tokio::test]
async fn sites_folders_and_documents_are_listed() {
    let server = MockServer::start().await;
    let orgs = json!([{ "id": 4, "name": "Exemple", "domain": "exemple", "access": "owners" },
        { "id": 2, "name": "Personal", "domain": null }]);
    let folders = json!([
        { "id": 4, "name": "Home", "access": "owners", "isSupportWorkspace": false,
          "docs": [{ "id": DOC, "name": "Suivi", "access": "owners" }] },
        { "id": 1, "name": "Examples", "access": "viewers", "isSupportWorkspace": true, "docs": [] },
    ]);
    let whole = json!({ "id": DOC, "name": "Suivi", "access": "editors",
        "workspace": { "id": 4, "name": "Home", "org": { "id": 4, "name": "Exemple" } } });
    for (at, body) in [
        ("/api/orgs".to_owned(), orgs),
        ("/api/orgs/current/workspaces".to_owned(), folders),
        (format!("/api/docs/{DOC}"), whole),
    ] {
        Mock::given(method("GET")).and(path(at)).respond_with(good(&body)).mount(&server).await;
    }
    let new = Mock::given(method("POST")).and(path("/api/workspaces/4/docs"));
    new.respond_with(good(&json!(DOC))).mount(&server).await;
    let client = client(server.uri());

    let orgs = client.orgs().await.expect("sites");
    assert_eq!((orgs.len(), orgs[0].id, orgs[0].domain.as_deref()), (2, 4, Some("exemple")));
    let folders = client.workspaces("current").await.expect("folders");
    assert_eq!(folders.len(), 1, "the examples are left out");
    assert_eq!((folders[0].access, folders[0].docs[0].1.as_str()), (Access::Owner, "Suivi"));
    let info = doc(&client).info().await.expect("the document");
    assert_eq!((info.access, info.workspace.as_str(), info.org.as_str()), (Access::Editor, "Home", "Exemple"));
    assert!(info.access > Access::Viewer);
    assert_eq!(client.create_doc(4, "Suivi").await.expect("a document"), DocId::parse(DOC).expect("an id"));
}

#[tokio::test]
async fn tables_come_with_their_columns_in_order_and_without_summaries() {
    let column = |id: i64, parent: i64, position: f64, name: &str| {
        json!({ "id": id, "fields": { "parentId": parent, "parentPos": position, "colId": name, "type": "Text",
            "widgetOptions": "", "isFormula": false, "formula": "", "label": name, "description": "",
            "untieColIdFromLabel": true, "visibleCol": 0, "rules": null } })
    };
    let tables = json!({ "records": [
        { "id": 1, "fields": { "tableId": "Dossiers", "summarySourceTable": 0 } },
        { "id": 2, "fields": { "tableId": "Dossiers_summary_etat", "summarySourceTable": 1 } },
        { "id": 3, "fields": { "tableId": "", "summarySourceTable": 0 } },
    ] });
    let columns = json!({ "records": [
        column(11, 1, 2.0, "etat"), column(12, 1, 1.0, "cle"), column(13, 2, 1.0, "etat"), column(14, 1, 3.0, ""),
    ] });
    let server = MockServer::start().await;
    for (table, body) in [("_grist_Tables", tables), ("_grist_Tables_column", columns)] {
        let at = path(format!("/api/docs/{DOC}/tables/{table}/records"));
        Mock::given(method("GET")).and(at).respond_with(good(&body)).mount(&server).await;
    }
    let tables = doc(&client(server.uri())).tables().await.expect("tables");
    let [table] = tables.as_slice() else { panic!("{tables:?}") };
    assert_eq!((table.id.as_str(), table.table_ref), ("Dossiers", 1));
    let names: Vec<(&str, i64)> = table.columns.iter().map(|column| (column.id.as_str(), column.col_ref)).collect();
    assert_eq!(names, [("cle", 12), ("etat", 11)]);
    assert!(table.columns[0].untied);
}

#[tokio::test]
async fn a_filter_goes_in_the_address_and_rows_come_with_their_id() {
    let body = json!({ "records": [{ "id": 7, "fields": { "cle": "é&1", "n": null }, "errors": {} }] });
    let (server, _, doc) = answering(good(&body)).await;
    let filter = [("cle", vec![json!("é&1"), json!(2)])];
    let rows = doc.records("Été", &filter).await.expect("rows");
    assert_eq!(Value::Object(rows[0].clone()), json!({ "id": 7, "cle": "é&1", "n": null }));
    assert!(doc.records("Été", &[("cle", vec![])]).await.expect("nothing").is_empty());
    let requests = received(&server).await;
    assert_eq!(requests.len(), 1, "a column without values needs no question");
    assert_eq!(requests[0].url.path(), format!("/api/docs/{DOC}/tables/%C3%89t%C3%A9/records"));
    let asked: Vec<(String, String)> = requests[0].url.query_pairs().into_owned().collect();
    assert_eq!(asked, [("filter".to_owned(), r#"{"cle":["é&1",2]}"#.to_owned())]);
}

#[tokio::test]
async fn sql_is_asked_with_its_arguments_and_reads_texts_in_other_columns() {
    let blob = json!({ "type": "Buffer", "data": [117, 2, 0, 0, 0, 195, 169] });
    let (server, client, doc) =
        answering(good(&json!({ "statement": "…", "records": [{ "fields": { "a": 1, "b": blob } }] }))).await;
    let rows = doc.sql("select a, b from T where c = ?", &[json!("x")]).await.expect("rows");
    assert_eq!(Value::Object(rows[0].clone()), json!({ "a": 1, "b": "é" }));
    let requests = received(&server).await;
    let body: Value = requests[0].body_json().expect("JSON");
    assert_eq!(body, json!({ "sql": "select a, b from T where c = ?", "args": ["x"] }));
    assert_eq!(client.stats().writes, 0);
}

#[tokio::test]
async fn what_an_instance_can_do_is_found_out_without_changing_anything() {
    let rows = [
        ("today", true, 200, 200, (true, Some(true), true), Some("1.7.14")),
        ("without SQL", true, 403, 200, (false, Some(true), true), Some("1.7.14")),
        ("1.7.12", true, 200, 404, (true, Some(true), false), Some("1.7.12")),
        ("of old", false, 404, 404, (false, Some(false), false), None),
    ];
    for (case, expand, sql, list, expected, version) in rows {
        let server = MockServer::start().await;
        let table =
            if expand { json!({ "id": "T", "fields": {}, "columns": [] }) } else { json!({ "id": "T", "fields": {} }) };
        let status = |status: u16, words: &str| match status {
            200 => good(&json!({ "records": [] })),
            _ => refusal(status, words),
        };
        let sql_words = if sql == 404 { "not found: /api/docs/x/sql" } else { "insufficient document access" };
        let at = |end: &str| path(format!("/api/docs/{DOC}/{end}"));
        let answers: [(_, ResponseTemplate); 3] = [
            (at("tables"), good(&json!({ "tables": [table] }))),
            (at("sql"), status(sql, sql_words)),
            (at("tables/_grist_Tables/records/list"), status(list, "not found: /api/docs/x/tables/T/records/list")),
        ];
        for (at, answer) in answers {
            Mock::given(at).respond_with(answer).mount(&server).await;
        }
        let client = client(server.uri());
        let features = doc(&client).features().await.expect(case);
        assert_eq!((features.sql, features.expand, features.records_list), expected, "{case}");
        assert_eq!(features.at_least(), version, "{case}");
        assert_eq!(client.stats().writes, 0, "{case}");
    }
}

#[tokio::test]
async fn an_access_token_tells_what_it_may_by_an_empty_bundle_alone() {
    let grist = Grist::new();
    let server = grist.serve_locally().await.expect("a free port");
    let (id, other) = (grist.create_document("Suivi"), grist.create_document("Autre"));
    grist.add_key("lecteur", Some(Role::Viewer));
    let of = |token: String| {
        let client = client(server.url()).as_person(token.into());
        client.doc(DocId::parse(&id).expect("an id"))
    };
    let editor = of(grist.access_token(&id, Grist::OWNER, false));
    let before = grist.state_number(&id);
    editor.can_edit().await.expect("an owner may edit");
    assert_eq!(grist.state_number(&id), before, "nothing is added to the history");
    assert!(matches!(editor.info().await, Err(GristError::Forbidden { .. })), "nothing of the document as a whole");
    for token in [
        grist.access_token(&id, "lecteur", false),
        grist.access_token(&id, Grist::OWNER, true),
        grist.access_token(&other, Grist::OWNER, false),
    ] {
        let doc = of(token);
        assert!(matches!(doc.can_edit().await, Err(GristError::Forbidden { .. })));
    }
    for token in ["abc", KEY, "a.b.c"] {
        assert!(matches!(of(token.to_owned()).can_edit().await, Err(GristError::WrongKey { .. })), "{token}");
    }
    grist.expire_access_tokens();
    let error = editor.can_edit().await.expect_err("its time is over");
    assert!(matches!(error, GristError::WrongKey { .. }) && !error.to_string().contains("acces."), "{error}");
}

#[tokio::test]
async fn an_access_token_goes_in_the_address_and_the_key_is_left_out() {
    let (server, client, _) =
        answering(good(&json!({ "actionNum": 0, "retValues": [], "isModification": false }))).await;
    let token = "en-tete.contenu&=.signature";
    doc(&client.as_person(token.to_owned().into())).can_edit().await.expect("it answers");
    let request = &received(&server).await[0];
    assert!(!request.headers.contains_key("authorization"), "Grist has no choice between two who ask");
    assert_eq!(request.headers["x-requested-with"], "XMLHttpRequest");
    let auth: Vec<String> =
        request.url.query_pairs().filter(|(name, _)| name == "auth").map(|(_, value)| value.into_owned()).collect();
    assert_eq!(auth, [token]);
}
