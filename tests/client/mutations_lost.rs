//! Lost answers of mutations: surely not applied, or maybe applied. In the second case nothing is sent twice.

use std::time::Duration;

use demarche_numerique::api::{ApiError, Client, Mutation, MutationError};
use demarche_numerique::platform::Platform;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::mutations::{author, dossier};
use super::support::{answering, client, json_answer};

/// Sends a message, which must not be sent twice.
async fn say(client: &Client) -> Result<(), MutationError> {
    let mutation = Mutation::EnvoyerMessage { body: "Bonjour".to_owned(), attachment: None, correction: None };
    client.apply(&dossier(), &author(), &mutation).await.map(drop)
}

fn sent() -> Value {
    let message = json!({ "id": "TWVzc2FnZS0x", "createdAt": "2026-03-01T11:30:00+01:00" });
    json!({ "data": { "dossierEnvoyerMessage": { "message": message, "errors": null } } })
}

fn coded(code: &str, path: Value, data: Value) -> Value {
    json!({ "errors": [{ "message": "non", "path": path, "extensions": { "code": code } }], "data": data })
}

#[tokio::test]
async fn every_answer_says_whether_it_was_surely_not_applied() {
    let root = || json!(["dossierEnvoyerMessage"]);
    let nothing = || json!({ "dossierEnvoyerMessage": null });
    let emptied = || json!({ "dossierEnvoyerMessage": { "message": null, "errors": null } });
    let ok = |body: &Value| json_answer(body);
    // (case, answer, surely not applied)
    let rows: Vec<(&str, ResponseTemplate, bool)> = vec![
        (
            "a refused token",
            ResponseTemplate::new(403).set_body_json(coded("forbidden", json!(null), json!(null))),
            true,
        ),
        ("an expired token", ResponseTemplate::new(401).set_body_string("<html>"), true),
        ("an unknown dossier", ok(&coded("not_found", root(), nothing())), false),
        ("an unknown dossier, told without a path", ok(&coded("not_found", json!(null), nothing())), false),
        ("a dossier out of scope", ok(&coded("unauthorized", root(), nothing())), false),
        ("another schema", ok(&json!({ "errors": [{ "message": "Field 'x' doesn't exist" }] })), true),
        (
            "variables that cannot be read",
            ResponseTemplate::new(400).set_body_json(coded("graphql_parse_failed", json!(null), json!(null))),
            true,
        ),
        (
            "a bad request",
            ResponseTemplate::new(400).set_body_json(coded("bad_request", json!(null), json!(null))),
            false,
        ),
        (
            "a failure with another status",
            ResponseTemplate::new(422).set_body_json(coded("invalid", json!(null), json!(null))),
            false,
        ),
        ("a bad request with a good status", ok(&coded("bad_request", json!(null), json!(null))), false),
        ("a bad request of the mutation", ok(&coded("bad_request", root(), nothing())), false),
        (
            "a bad request without data",
            ok(&json!({ "errors": [{ "message": "non", "extensions": { "code": "bad_request" } }] })),
            false,
        ),
        ("an error of a field without data", ok(&json!({ "errors": [{ "message": "non", "path": root() }] })), false),
        ("a failure without data", ok(&json!({ "errors": [{ "message": "non" }], "data": null })), false),
        ("an error that is a text", ok(&json!({ "errors": ["non"], "data": null })), false),
        ("another address", ResponseTemplate::new(404).set_body_string("<html>"), true),
        ("a redirection", ResponseTemplate::new(301).insert_header("Location", "https://example.org/"), true),
        ("maintenance", ResponseTemplate::new(503).set_body_json(json!({ "error": "maintenance" })), false),
        ("a proxy's page", ResponseTemplate::new(502).set_body_string("<html>"), false),
        ("a proxy's time-out", ResponseTemplate::new(504), false),
        (
            "an exception",
            ResponseTemplate::new(500).set_body_json(coded("internal_server_error", json!(null), json!(null))),
            false,
        ),
        ("the platform's time-out", ok(&coded("timeout", root(), nothing())), false),
        (
            "a null that the older platform does not explain",
            ok(&json!({ "errors": [{ "message": "Cannot return null" }], "data": nothing() })),
            false,
        ),
        (
            "an error in the answer about what was done",
            ok(&coded("unauthorized", json!(["dossierEnvoyerMessage", "message"]), emptied())),
            false,
        ),
        (
            "such an error that empties the whole",
            ok(&coded("not_found", json!(["dossierEnvoyerMessage", "message"]), nothing())),
            false,
        ),
        ("an error beside a message", ok(&coded("timeout", json!(null), sent()["data"].clone())), false),
        ("neither a message nor a refusal", ok(&json!({ "data": emptied() })), false),
        ("an object that is no answer", ok(&json!({})), false),
        ("nothing at all", ok(&json!({ "data": nothing() })), false),
        ("a cut answer", ResponseTemplate::new(200).set_body_string("{\"data\":{\"dossierEnv"), false),
        ("something that is not JSON", ResponseTemplate::new(200).set_body_string("<html>"), false),
        ("an empty answer", ResponseTemplate::new(200), false),
    ];
    for platform in Platform::ALL {
        for (case, template, surely_not) in &rows {
            let (server, _) = answering(template.clone()).await;
            let client = client(platform, &server);
            let error = say(&client).await.expect_err(case);
            assert_eq!(matches!(error, MutationError::NotSent(_)), *surely_not, "{platform}, {case}: {error:?}");
            assert_eq!(matches!(error, MutationError::Unknown(_)), !surely_not, "{platform}, {case}: {error:?}");
            assert_eq!(client.stats().requests, 1, "{case}: it is sent once");
            assert!(error.hint().is_some(), "{case}");
            assert_eq!(error.kind() == "unknown_outcome", !surely_not, "{case}: {}", error.kind());
        }
    }
}

#[tokio::test]
async fn a_request_that_was_turned_away_with_429_is_sent_again() {
    let server = MockServer::start().await;
    let throttled = ResponseTemplate::new(429).set_body_string("Calme toi, cowboy !");
    Mock::given(method("POST")).respond_with(throttled.clone()).up_to_n_times(2).mount(&server).await;
    Mock::given(method("POST")).respond_with(json_answer(&sent())).mount(&server).await;
    let patient = client(Platform::DemarcheNumerique, &server);
    say(&patient).await.expect("the third request passes");
    assert_eq!(patient.stats().requests, 3);

    let (_server, client) = answering(throttled).await;
    let error = say(&client).await.expect_err("it is never let through");
    assert!(matches!(error, MutationError::NotSent(ApiError::RateLimited { .. })), "{error:?}");
}

fn client_of(address: std::net::SocketAddr) -> Client {
    Client::builder(Platform::DemarcheNumerique)
        .url(format!("http://{address}/"))
        .retry_base(Duration::from_micros(500))
        .read_timeout(Duration::from_millis(200))
        .build()
        .expect("the settings are right")
}

#[tokio::test]
async fn a_connection_that_cannot_be_opened_is_tried_again_and_carries_nothing() {
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let client = client_of(nowhere);
    let error = say(&client).await.expect_err("nobody is there");
    assert!(matches!(error, MutationError::NotSent(ApiError::Transport { .. })), "{error:?}");
    assert_eq!(client.stats().requests, 7);
}

/// Reaction of a server to a request that it has read completely.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// Closes without a word.
    Close,
    /// Answers half and closes.
    Half,
    /// Stays silent.
    Hang,
}

/// A server of one request that must not be repeated, on a connection that has already served an `earlier` one or not.
async fn served(listener: TcpListener, earlier: bool, then: Then) {
    let mut held = Vec::new();
    let mut expected =
        if earlier { vec!["DossierArchiver", "DossierEnvoyerMessage"] } else { vec!["DossierEnvoyerMessage"] };
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut read = vec![0; 64 * 1024];
        let mut received = String::new();
        while let Ok(count @ 1..) = stream.read(&mut read).await {
            received.push_str(&String::from_utf8_lossy(&read[..count]));
            // The variables come last.
            if !received.ends_with("}}}") {
                continue;
            }
            assert!(!expected.is_empty(), "a request came twice");
            let operation = expected.remove(0);
            assert!(received.contains(&format!("\"operationName\":\"{operation}\"")), "{operation} was awaited");
            received.clear();
            if operation == "DossierArchiver" {
                let refusal = r#"{"data":{"dossierArchiver":{"errors":[{"message":"non"}]}}}"#;
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{refusal}", refusal.len());
                stream.write_all(answer.as_bytes()).await.expect("an answer");
                continue;
            }
            if let Then::Half = then {
                let half = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"data\":";
                stream.write_all(half).await.expect("half an answer");
            }
            break;
        }
        if let Then::Hang = then {
            held.push(stream);
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_after_the_request_leaves_it_unknown_and_is_never_tried_again() {
    // A connection that was used before is where clients are tempted to send again by themselves.
    for (earlier, then) in [false, true].into_iter().flat_map(|e| [Then::Close, Then::Half, Then::Hang].map(|t| (e, t)))
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let client = client_of(listener.local_addr().expect("an address"));
        let serving = tokio::spawn(served(listener, earlier, then));
        if earlier {
            let refused = client.apply(&dossier(), &author(), &Mutation::Archiver).await;
            assert!(matches!(refused, Err(MutationError::Refused { .. })), "{refused:?}");
        }
        let error = say(&client).await.expect_err("the answer never comes");
        assert!(matches!(error, MutationError::Unknown(ApiError::Transport { .. })), "{earlier} {then:?}: {error:?}");
        assert_eq!(client.stats().requests, 1 + u64::from(earlier), "{then:?}");
        assert!(!serving.is_finished(), "{earlier} {then:?}: no second request came");
        serving.abort();
    }
}
