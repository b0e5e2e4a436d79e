use std::time::Duration;

use super::*;
use crate::sandbox::Fault;

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
