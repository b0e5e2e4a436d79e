use std::time::Duration;

use super::*;
use crate::Fault;

fn client() -> reqwest::Client {
    // The provider of cryptography may already be there; plain HTTP needs none, the client does.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(20))
        .build()
        .expect("a client")
}

fn ask(client: &reqwest::Client, url: &str, token: &str) -> reqwest::RequestBuilder {
    let body = json!({"query": "{ demarche(number: 1001) { dossiers { nodes { number champs { id } } } } }"});
    client
        .post(url)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(body.to_string())
}

#[tokio::test]
async fn it_answers_over_http_and_stops() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let server = sandbox.serve_locally().await.expect("a port");
    let (client, url) = (client(), server.url());
    let answer: Json =
        ask(&client, &url, &sandbox.token()).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer["data"]["demarche"]["dossiers"]["nodes"].as_array().map(Vec::len), Some(8));
    let query = json!({"query": "{ dossier(number: 1001000001) { pdf { url } } }"}).to_string();
    let answer =
        client.post(&url).header("authorization", format!("Token token={}", sandbox.token())).body(query).send();
    let answer: Json = answer.await.expect("an answer").json().await.expect("JSON");
    let pdf = answer["data"]["dossier"]["pdf"]["url"].as_str().expect("an address").to_owned();
    assert_eq!(client.get(pdf).send().await.expect("a file").status(), 200);
    server.stop().await.expect("a clean end");
    assert!(ask(&client, &url, &sandbox.token()).send().await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn lost_and_truncated_answers_look_so_from_outside() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let server = sandbox.serve_locally().await.expect("a port");
    let (client, token) = (client(), sandbox.token());
    for fault in [Fault::CloseBefore, Fault::LoseAnswer] {
        sandbox.fault(fault.clone());
        assert!(ask(&client, &server.url(), &token).send().await.is_err(), "{fault:?}");
    }
    sandbox.fault(Fault::Truncate);
    let answer = ask(&client, &server.url(), &token).send().await.expect("headers arrive");
    assert!(answer.bytes().await.is_err(), "the body does not");
    sandbox.fault(Fault::Slow(Duration::from_millis(1)));
    assert_eq!(ask(&client, &server.url(), &token).send().await.expect("an answer").status(), 200);
    let ranks: Vec<u64> = sandbox.requests().iter().map(|request| request.rank).collect();
    assert_eq!(ranks, [1, 2, 3, 4], "each request was sent once");
}

#[tokio::test]
async fn the_world_can_change_between_two_requests() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    let gone = numbers[0];
    sandbox.after_request(1, move |world| world.delete_without_trace(gone));
    let server = sandbox.serve_locally().await.expect("a port");
    let client = client();
    for expected in [8, 7] {
        let answer = ask(&client, &server.url(), &sandbox.token()).send().await.expect("an answer");
        let answer: Json = answer.json().await.expect("JSON");
        assert_eq!(answer["data"]["demarche"]["dossiers"]["nodes"].as_array().map(Vec::len), Some(expected));
    }
}

#[tokio::test]
async fn a_file_is_sent_over_http_and_a_message_is_sent_once_for_each_request_that_arrived() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    let number = {
        let world = sandbox.world();
        let ours =
            |number: &&u32| world.dossier(**number).is_some_and(|dossier| dossier.groupe == 10011 && !dossier.archived);
        *numbers.iter().find(ours).expect("the first team has most dossiers")
    };
    let server = sandbox.serve_locally().await.expect("a port");
    let (client, token) = (client(), sandbox.token());
    let write = |field: &str, input: Json, shown: &str| {
        let typename = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!("mutation Write($input: {typename}!) {{ {field}(input: $input) {{ {shown} }} }}");
        let body = json!({"query": query, "operationName": "Write", "variables": {"input": input}});
        let request = client.post(server.url()).header("authorization", format!("Bearer {token}"));
        request.header("content-type", "application/json").body(body.to_string()).send()
    };
    let id = |text: String| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let dossier = id(format!("Dossier-{number}"));
    let file = json!({"dossierId": dossier, "filename": "a.txt", "contentType": "text/plain", "byteSize": 3,
        "checksum": "kAFQmDzST7DWlj99KOF/cg=="});
    let answer = write("createDirectUpload", file, "directUpload { url headers signedBlobId }").await;
    let answer: Json = answer.expect("an answer").json().await.expect("JSON");
    let upload = &answer["data"]["createDirectUpload"]["directUpload"];
    let headers: Json = serde_json::from_str(upload["headers"].as_str().expect("a text")).expect("JSON in a text");
    let mut put = client.put(upload["url"].as_str().expect("an address")).body("abc");
    for (name, value) in headers.as_object().expect("an object") {
        put = put.header(name, value.as_str().expect("a text"));
    }
    assert_eq!(put.send().await.expect("an answer").status(), 201);
    let input = json!({"dossierId": dossier, "instructeurId": id("Instructeur-1".to_owned()), "body": "Voici.",
        "attachment": upload["signedBlobId"]});
    let send = || write("dossierEnvoyerMessage", input.clone(), "errors { message }");
    sandbox.fault(Fault::LoseAnswer);
    assert!(send().await.is_err(), "the answer is lost");
    sandbox.fault(Fault::CloseBefore);
    assert!(send().await.is_err(), "the request is lost");
    let answer: Json = send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer["data"]["dossierEnvoyerMessage"]["errors"], Json::Null);
    let sent = sandbox.audit().into_iter().filter(|entry| entry.mutation == "dossierEnvoyerMessage");
    assert_eq!(sent.count(), 2, "two of three arrived");
}
