//! Checks the widget of a document: the page, whom it obeys, and a command that goes through it.

use demarche_numerique::sandbox::grist::{Grist, Role};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::commands::{configure, row, start};
use super::harness::GristHarness;
use crate::cli::endpoint::endpoint_of;
use crate::cli::harness::DEMARCHE;
use crate::cli::workers::Worker;

/// Starts the program with the widget, and waits until the document has its table of commands.
async fn open() -> (GristHarness, Worker, String) {
    let harness = GristHarness::with(3).await;
    // Only what the widget says is looked at: the next reading is far away.
    configure(&harness, "", "grist-poll = '1h'\nlisten = '127.0.0.1:0'\ngrist-widget = true", "");
    let mut worker = start(&harness);
    let endpoint = endpoint_of(&mut worker).await;
    worker.says("people may ask for runs in the table Commandes").await;
    (harness, worker, endpoint)
}

/// Sends a request as it is, and returns status, head and body.
async fn send(endpoint: &str, request: &str) -> (u16, String, String) {
    let mut line = TcpStream::connect(endpoint).await.expect("the endpoint accepts a connection");
    line.write_all(request.as_bytes()).await.expect("it listens");
    let mut answer = String::new();
    line.read_to_string(&mut answer).await.expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), head.to_lowercase(), body.to_owned())
}

/// Asks as the page does, with more headers.
async fn ask(endpoint: &str, place: &str, token: &str, body: &Value, more: &str) -> (u16, Value) {
    let body = body.to_string();
    let request = format!(
        "POST /grist/{place} HTTP/1.1\r\nHost: {endpoint}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nContent-Length: {}\r\n{more}\r\n{body}",
        body.len()
    );
    let (status, _, answer) = send(endpoint, &request).await;
    (status, serde_json::from_str(&answer).unwrap_or_default())
}

fn command(word: &str) -> Value {
    json!({ "instance": "dn", "demarche": DEMARCHE, "command": word })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_sees_the_state_in_the_widget_and_starts_a_run_with_it() {
    let (harness, mut worker, endpoint) = open().await;
    harness.grist.add_key("editeur", Some(Role::Editor));
    let token = harness.grist.access_token(&harness.document, "editeur", false);
    let (status, state) = ask(&endpoint, "state", &token, &json!({}), "").await;
    assert_eq!(status, 200, "{state}");
    let job = &state["demarches"][0];
    assert_eq!((&job["demarche"], &job["runs"][0]["inserted"]), (&json!(DEMARCHE), &json!(3)), "{state}");
    assert_eq!(job["quarantine"], 0, "{state}");
    let words: Vec<&str> =
        job["commands"].as_array().into_iter().flatten().filter_map(|pair| pair[0].as_str()).collect();
    assert_eq!(words, ["synchroniser", "relire", "quarantaine", "verifier"], "no decisions are taken here");

    harness.base.sandbox.world().submit(DEMARCHE).expect("the démarche exists");
    harness.grist.reset_log();
    assert_eq!(ask(&endpoint, "ask", &token, &command("synchroniser"), "").await, (200, json!({})));
    worker.says("the document says what came of it").await;
    let answer = row(&harness).text("reponse").to_owned();
    assert!(answer.starts_with("Terminé à ") && answer.ends_with(" : 1 dossier nouveau"), "{answer}");
    let (_, state) = ask(&endpoint, "state", &token, &json!({}), "").await;
    assert!(state["demarches"][0]["last_success"].is_string(), "{state}");
    harness.expect_each_dossier_once();
    let stopped = worker.stop().await;
    assert!(!stopped.lines.join("\n").contains(&token), "a token is in no log");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_those_who_may_edit_the_document_is_obeyed() {
    let (harness, worker, endpoint) = open().await;
    let (grist, document) = (&harness.grist, &harness.document);
    grist.add_key("lecteur", Some(Role::Viewer));
    grist.add_key("editeur", Some(Role::Editor));
    let other = grist.create_document("Autre");
    let expired = grist.access_token(document, "editeur", false);
    grist.expire_access_tokens();
    let good = grist.access_token(document, "editeur", false);
    let [viewer, reading, foreign] = [
        grist.access_token(document, "lecteur", false),
        grist.access_token(document, "editeur", true),
        grist.access_token(&other, "editeur", false),
    ];
    let untouched = harness.state();
    for (token, status, word) in [
        (viewer.as_str(), 403, "rights"),
        (&reading, 403, "rights"),
        (&foreign, 403, "rights"),
        (&expired, 401, "token"),
        ("abc", 401, "token"),
        (Grist::OWNER, 401, "token"),
    ] {
        let refused = json!({ "refused": word });
        assert_eq!(ask(&endpoint, "state", token, &json!({}), "").await, (status, refused.clone()), "{word}");
        assert_eq!(ask(&endpoint, "ask", token, &command("synchroniser"), "").await, (status, refused), "{word}");
    }
    // A document that the configuration does not name, be it the one of the token.
    let elsewhere = json!({ "document": other });
    assert_eq!(ask(&endpoint, "state", &foreign, &elsewhere, "").await, (404, json!({ "refused": "unknown" })));
    for body in [json!({ "instance": "dn", "demarche": 1, "command": "synchroniser" }), command("supprimer")] {
        assert_eq!(ask(&endpoint, "ask", &good, &body, "").await.0, 404, "{body}");
    }
    // A page of another site, a form, no token, a body without end.
    let other_site = "Sec-Fetch-Site: cross-site\r\n";
    assert_eq!(ask(&endpoint, "ask", &good, &command("synchroniser"), other_site).await.0, 403);
    let origin = "Origin: https://else.example.org\r\n";
    assert_eq!(ask(&endpoint, "ask", &good, &command("synchroniser"), origin).await.0, 403);
    assert_eq!(ask(&endpoint, "ask", "", &command("synchroniser"), "").await.0, 401);
    let long = json!({ "document": "x".repeat(5000) });
    assert_eq!(ask(&endpoint, "state", &good, &long, "").await.0, 413);
    let head = format!("Host: {endpoint}\r\nConnection: close\r\n");
    let form = format!(
        "POST /grist/ask HTTP/1.1\r\n{head}Content-Type: text/plain\r\nAuthorization: Bearer {good}\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    assert_eq!(send(&endpoint, &form).await.0, 403);
    for request in ["OPTIONS /grist/ask", "GET /grist/ask", "POST /grist", "GET /grist/else"] {
        let (status, head, _) = send(&endpoint, &format!("{request} HTTP/1.1\r\n{head}\r\n")).await;
        assert!([404, 405].contains(&status), "{request}: {status}");
        assert!(!head.contains("access-control"), "{head}");
    }
    assert_eq!(harness.state(), untouched, "nothing of it reached the document");
    // Who loses the right to edit is not obeyed any more, whatever was remembered.
    assert_eq!(ask(&endpoint, "state", &good, &json!({}), "").await.0, 200);
    grist.add_key("editeur", Some(Role::Viewer));
    assert_eq!(ask(&endpoint, "ask", &good, &command("synchroniser"), "").await.0, 403);
    assert_eq!(harness.state(), untouched);
    assert_eq!(worker.stop().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_loads_nothing_from_elsewhere_and_is_shown_by_its_grist_alone() {
    let (harness, worker, endpoint) = open().await;
    for (path, kind, words) in [
        ("/grist", "text/html", "data-origins=\"http://127.0.0.1"),
        ("/grist/page.css", "text/css", "button"),
        ("/grist/page.js", "text/javascript", "getAccessToken"),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {endpoint}\r\nConnection: close\r\n\r\n");
        let (status, head, body) = send(&endpoint, &request).await;
        assert_eq!(status, 200, "{path}");
        assert!(head.contains(kind) && body.contains(words), "{head}");
        let ancestors = format!("frame-ancestors {}", harness.url());
        for needed in ["default-src 'none'", "script-src 'self';", ancestors.as_str(), "nosniff", "no-store"] {
            assert!(head.contains(needed), "{needed} in {head}");
        }
    }
    assert_eq!(worker.stop().await.code, Some(0));
    // Without the key there is no page.
    configure(&harness, "", "listen = '127.0.0.1:0'", "");
    let mut worker = start(&harness);
    let endpoint = endpoint_of(&mut worker).await;
    assert_eq!(send(&endpoint, "GET /grist HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.0, 404);
    assert_eq!(worker.stop().await.code, Some(0));
}
