//! Every kind of failure over HTTP (docs/platform.md#statuses-and-bodies), and the error or retry that follows.

use std::time::Duration;

use demarche_numerique::api::{ApiError, Client, RateLimiter, TransportFailure};
use demarche_numerique::ids::DossierNumber;
use demarche_numerique::platform::Platform;
use serde_json::json;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::{DEMARCHE, TOKEN, answering, client, dossier, everything, json_answer, page};
use demarche_numerique::api::PageSize;

/// Asks for a page, which must fail.
async fn failure(client: &Client) -> ApiError {
    client.dossiers_page(&everything(), None, PageSize::MAX).await.expect_err("the answer is a failure")
}

#[tokio::test]
async fn each_refusal_stops_at_the_first_request() {
    let coded = |code: &str, message: &str| json!({ "errors": [{ "message": message, "extensions": { "code": code } }], "data": null });
    let network = "Request issued from a forbidden network. Add 192.0.2.1/32 to your allowed adresses in your /profil";
    let rows: Vec<(&str, ResponseTemplate, &str)> = vec![
        (
            "no token, or an unknown one",
            ResponseTemplate::new(403)
                .set_body_json(coded("forbidden", "Without a token, only persisted queries are allowed")),
            "token_refused",
        ),
        (
            "an expired token",
            ResponseTemplate::new(401).set_body_json(coded("unauthorized", "Token expired")),
            "token_refused",
        ),
        ("a forbidden network", ResponseTemplate::new(403).set_body_json(coded("forbidden", network)), "token_refused"),
        (
            "a forbidden network, told by Démat Social in a bare sentence",
            ResponseTemplate::new(403).set_body_json(json!({ "errors": [network] })),
            "token_refused",
        ),
        ("a refusal that is no GraphQL", ResponseTemplate::new(403).set_body_string("<html>"), "token_refused"),
        (
            "out of scope, with status 200",
            json_answer(&coded("unauthorized", "An object of type Demarche was hidden due to permissions")),
            "out_of_scope",
        ),
        ("an unknown démarche", json_answer(&coded("not_found", "Demarche not found")), "not_found"),
        (
            "a bad request",
            ResponseTemplate::new(400).set_body_json(coded("bad_request", "unexpected token")),
            "rejected",
        ),
        ("an address that is another", ResponseTemplate::new(404).set_body_string("<html>"), "rejected"),
        (
            "another schema: errors without data",
            json_answer(
                &json!({ "errors": [{ "message": "Field 'labels' doesn't exist on type 'Dossier'", "extensions": { "code": "undefinedField" } }] }),
            ),
            "rejected",
        ),
        (
            "a refused operation without a code",
            json_answer(&json!({ "errors": [{ "message": "Query has depth of 16, which exceeds max depth of 15" }] })),
            "rejected",
        ),
    ];
    for (case, template, kind) in rows {
        let (_server, client) = answering(template).await;
        let error = failure(&client).await;
        assert_eq!(error.kind(), kind, "{case}: {error}");
        assert_eq!(client.stats().requests, 1, "{case} burns no retry");
        assert!(error.hint().is_some(), "{case} has a hint");
        assert!(!format!("{error} {error:?}").contains(TOKEN), "{case} keeps the token to itself");
    }
}

#[tokio::test]
async fn a_redirection_is_never_followed() {
    let target = MockServer::start().await;
    let location = format!("{}/api/v2/graphql?token=private", target.uri());
    for status in [301, 302, 307, 308] {
        let template = ResponseTemplate::new(status).insert_header("Location", location.as_str());
        let (_server, client) = answering(template).await;
        let error = failure(&client).await;
        let ApiError::Redirected { location, .. } = &error else { panic!("{status}: {error}") };
        assert_eq!(*location, format!("{}/api/v2/graphql", target.uri()));
    }
    assert!(target.received_requests().await.expect("requests are recorded").is_empty());
}

#[tokio::test]
async fn passing_failures_are_repeated_until_the_platform_is_back() {
    let maintenance = json!({ "error": "Le site est actuellement en maintenance." });
    let rows = [
        ("maintenance", ResponseTemplate::new(503).set_body_json(maintenance)),
        ("a proxy's page", ResponseTemplate::new(502).set_body_string("<html>Bad Gateway</html>")),
        ("a hiccup", ResponseTemplate::new(500).set_body_json(json!({ "errors": [{ "message": "Internal Server Error", "extensions": { "code": "internal_server_error", "exception_id": "e-1" } }], "data": null }))),
        ("a cut answer", ResponseTemplate::new(200).set_body_string("{\"data\":{\"demarche\":")),
        ("an answer that is not JSON", ResponseTemplate::new(200).set_body_string("<html>Connectez-vous au wifi</html>")),
    ];
    for (case, template) in rows {
        let server = MockServer::start().await;
        Mock::given(method("POST")).respond_with(template).up_to_n_times(1).mount(&server).await;
        let good = json_answer(&page(vec![dossier(1, json!([]))], json!(null)));
        Mock::given(method("POST")).respond_with(good).mount(&server).await;
        let client = client(Platform::DemarcheNumerique, &server);
        let page = client.dossiers_page(&everything(), None, PageSize::MAX).await.expect(case);
        assert_eq!(page.nodes.len(), 1, "{case}");
        let stats = client.stats();
        assert_eq!((stats.requests, stats.retries, stats.pages), (2, 1, 1), "{case}");
    }
}

#[tokio::test]
async fn a_platform_that_stays_away_ends_the_question() {
    let (_server, client) = answering(ResponseTemplate::new(503)).await;
    assert!(matches!(failure(&client).await, ApiError::Unavailable { status: 503 }));
    assert_eq!(client.stats().requests, 7);
}

#[tokio::test]
async fn a_page_that_fails_twice_goes_back_to_the_walk_to_be_cut() {
    let body = json!({ "errors": [{ "message": "Internal Server Error", "extensions": { "code": "internal_server_error", "exception_id": "e-42" } }], "data": null });
    let (_server, client) = answering(ResponseTemplate::new(500).set_body_json(body)).await;
    let error = failure(&client).await;
    assert!(error.to_string().ends_with("(HTTP 500, exception e-42)"), "{error}");
    assert_eq!(client.stats().requests, 2);
}

#[tokio::test]
async fn a_page_for_which_a_proxy_lost_patience_goes_back_to_the_walk_at_once() {
    let (_server, client) = answering(ResponseTemplate::new(504).set_body_string("<html>")).await;
    assert!(matches!(failure(&client).await, ApiError::Unavailable { status: 504 }));
    assert_eq!(client.stats().requests, 1);
}

#[tokio::test]
async fn a_429_is_plain_text_and_names_an_absolute_instant() {
    let server = MockServer::start().await;
    let throttled = ResponseTemplate::new(429)
        .insert_header("RateLimit-Remaining", "0")
        .insert_header("RateLimit-Reset", "1768000030")
        .insert_header("Date", "Fri, 09 Jan 2026 23:06:40 GMT")
        .set_body_string("Calme toi, cowboy !\nCalm down, cowboy!\n");
    Mock::given(method("POST")).respond_with(throttled).up_to_n_times(2).mount(&server).await;
    Mock::given(method("POST")).respond_with(json_answer(&page(vec![], json!(null)))).mount(&server).await;
    let client = client(Platform::DemarcheNumerique, &server);
    client.dossiers_page(&everything(), None, PageSize::MAX).await.expect("the third request passes");
    let stats = client.stats();
    assert_eq!((stats.requests, stats.retries, stats.rate_limited), (3, 2, 2));
    assert!(client.clock_offset().is_some(), "the platform's clock is known from its answers");
}

#[tokio::test]
async fn a_429_without_end_names_when_to_come_back() {
    let throttled =
        ResponseTemplate::new(429).insert_header("RateLimit-Reset", "1768000030").set_body_string("Calme toi");
    let (_server, client) = answering(throttled).await;
    let error = failure(&client).await;
    assert_eq!(error.to_string(), "the platform asks to slow down until 2026-01-09T23:07:10Z");
}

#[tokio::test]
async fn a_server_that_hangs_or_is_not_there_is_a_transport_failure() {
    let (server, _) = answering(ResponseTemplate::new(200).set_delay(Duration::from_secs(60))).await;
    let impatient = |url: String| {
        Client::builder(Platform::DematSocial)
            .url(url)
            .read_timeout(Duration::from_millis(50))
            .retry_base(Duration::from_micros(1))
            .build()
            .expect("the settings are right")
    };
    let error = failure(&impatient(server.uri())).await;
    assert!(matches!(error, ApiError::Transport { failure: TransportFailure::Timeout, .. }), "{error:?}");
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let error = failure(&impatient(format!("http://{nowhere}/"))).await;
    assert!(matches!(error, ApiError::Transport { failure: TransportFailure::Connect, .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_not_read() {
    let (server, _) = answering(ResponseTemplate::new(200).set_body_string("x".repeat(2000))).await;
    let client = Client::builder(Platform::DemarcheNumerique)
        .url(server.uri())
        .body_limit(1000)
        .retry_base(Duration::from_micros(1))
        .build()
        .expect("the settings are right");
    let error = client.dossier(DossierNumber::new(1)).await.expect_err("too large");
    assert!(error.to_string().contains("larger than 1000 bytes"), "{error}");
}

#[tokio::test]
async fn a_client_shows_no_secret() {
    let (server, client) = answering(ResponseTemplate::new(403)).await;
    let builder = Client::builder(Platform::DemarcheNumerique).token(TOKEN).url(server.uri());
    assert!(!format!("{client:?} {builder:?}").contains(TOKEN));
    let error = client.demarche(DEMARCHE).await.expect_err("refused");
    let mut shown = format!("{error} {error:?} {:?}", error.hint());
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        shown.push_str(&format!("{inner} {inner:?}"));
        cause = inner.source();
    }
    assert!(!shown.contains(TOKEN) && !shown.contains("Bearer"), "{shown}");
}

#[tokio::test]
async fn clients_that_share_a_limiter_share_its_count() {
    let (server, _) = answering(json_answer(&page(vec![], json!(null)))).await;
    let limiter = RateLimiter::new(2, Duration::from_secs(3600));
    let build = || {
        let builder = Client::builder(Platform::DemarcheNumerique).url(server.uri()).limiter(limiter.clone());
        builder.build().expect("the settings are right")
    };
    let (one, two) = (build(), build());
    let listing = everything();
    assert!(one.light_page(&listing, None, PageSize::ONE).await.is_ok());
    assert!(two.light_page(&listing, None, PageSize::ONE).await.is_ok());
    let third = one.light_page(&listing, None, PageSize::ONE);
    assert!(tokio::time::timeout(Duration::from_millis(50), third).await.is_err(), "the third request waits");
    assert_eq!(one.stats().requests + two.stats().requests, 2);
}
