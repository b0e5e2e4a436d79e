//! Uploads: checks before sending, the two requests, and their failures.

use demarche_numerique::api::{ApiError, Upload, UploadError};
use demarche_numerique::platform::Platform;
use serde_json::{Value, json};
use wiremock::matchers::{body_bytes, header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::mutations::dossier;
use super::support::{TOKEN, client, json_answer};

/// MD5 of `bonjour`, in base64.
const CHECKSUM: &str = "8CNolFcm1fwqFOtXb3J2wA==";

fn letter() -> Upload {
    Upload::for_message("lettre.PDF", "bonjour").expect("the platform takes it")
}

/// Answer of the platform to an announcement, with an address on this storage.
fn prepared(url: &str, headers: &Value) -> Value {
    json!({ "data": { "createDirectUpload": { "directUpload": {
        "url": url, "headers": headers.to_string(), "signedBlobId": "eyJzaWduZWQi",
    } } } })
}

/// A platform that prepares an upload to its own storage, which answers this, one after the other.
async fn serving(answers: Vec<ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    let url = format!("{}/depot?signature=secrete", server.uri());
    let headers = json!({ "Content-Type": "application/pdf", "Content-MD5": CHECKSUM, "X-Signed": "secrete" });
    let ready = json_answer(&prepared(&url, &headers));
    Mock::given(method("POST")).respond_with(ready).mount(&server).await;
    for answer in answers {
        let put = Mock::given(method("PUT")).and(path("/depot"));
        put.respond_with(answer).up_to_n_times(1).mount(&server).await;
    }
    server
}

async fn received(server: &MockServer, verb: &str) -> Vec<Request> {
    let requests = server.received_requests().await.expect("requests are recorded");
    requests.into_iter().filter(|request| request.method.as_str() == verb).collect()
}

#[tokio::test]
async fn a_file_is_announced_and_sent_with_the_headers_of_the_platform_and_without_the_token() {
    for platform in Platform::ALL {
        let server = serving(vec![ResponseTemplate::new(503), ResponseTemplate::new(200)]).await;
        let blob = client(platform, &server).upload(&dossier(), &letter()).await.expect("the second attempt");
        assert_eq!(blob.as_str(), "eyJzaWduZWQi");
        let said: Value = received(&server, "POST").await[0].body_json().expect("JSON");
        assert_eq!(
            said["variables"]["input"],
            json!({ "dossierId": "RG9zc2llci0x", "filename": "lettre.PDF", "byteSize": 7, "checksum": CHECKSUM,
                "contentType": "application/pdf" })
        );
        let puts = received(&server, "PUT").await;
        assert_eq!(puts.len(), 2, "an upload that was cut is sent again to the same place");
        for put in puts {
            assert_eq!(put.body, b"bonjour");
            let told = |name: &str| put.headers.get(name).and_then(|value| value.to_str().ok());
            assert_eq!(told("content-type"), Some("application/pdf"));
            assert_eq!(told("content-md5"), Some(CHECKSUM));
            assert_eq!(told("x-signed"), Some("secrete"));
            assert_eq!(told("authorization"), None, "the token is for the platform");
            assert!(!format!("{:?}", put.headers).contains(TOKEN));
        }
    }
}

#[test]
fn what_the_platform_would_refuse_is_not_even_announced() {
    let large = |bytes: u64| vec![b'a'; usize::try_from(bytes).expect("it fits")];
    let limit = Upload::MESSAGE_LIMIT;
    let rows: Vec<(&str, Result<Upload, UploadError>, &str)> = vec![
        ("no name", Upload::for_message(" ", "a"), "file_name"),
        ("a path", Upload::for_message("../../etc/note.txt", "a"), "file_name"),
        ("a name on two lines", Upload::for_message("note\n.txt", "a"), "file_name"),
        ("a name that is too long", Upload::for_message(format!("{}.txt", "a".repeat(300)), "a"), "file_name"),
        ("a program", Upload::for_message("note.exe", "a"), "file_kind"),
        ("a page", Upload::for_decision("note.html", "a"), "file_kind"),
        ("no kind", Upload::for_message("note", "a"), "file_kind"),
        ("nothing inside", Upload::for_message("note.txt", ""), "file_empty"),
        ("too much for a message", Upload::for_message("note.txt", large(limit)), "file_too_large"),
    ];
    for (case, upload, kind) in rows {
        let error = upload.expect_err(case);
        assert_eq!(error.kind(), kind, "{case}");
        assert!(error.hint().is_some() && !error.to_string().contains("note"), "{case}: {error}");
    }
    assert!(Upload::for_message("note.txt", large(limit - 1)).is_ok(), "one byte less than the limit");
    assert!(Upload::for_decision("note.txt", large(limit)).is_ok(), "a decision takes more");
    let shown = format!("{:?}", letter());
    assert!(!shown.contains("lettre") && !shown.contains("bonjour"), "{shown}");
    assert_eq!((letter().checksum(), letter().byte_size(), letter().content_type()), (CHECKSUM, 7, "application/pdf"));
}

#[tokio::test]
async fn a_storage_that_refuses_is_not_asked_again_and_no_signature_is_shown() {
    for status in [400, 403, 404, 413, 422] {
        let refusal = ResponseTemplate::new(status).set_body_string("SignatureDoesNotMatch secrete");
        let server = serving(vec![refusal]).await;
        let error = client(Platform::DematSocial, &server).upload(&dossier(), &letter()).await.expect_err("refused");
        assert!(matches!(error, UploadError::Refused { status: told } if told == status), "{error}");
        assert!(!format!("{error} {error:?}").contains("secrete"));
    }
    let elsewhere = ResponseTemplate::new(307).insert_header("Location", "/ailleurs?signature=secrete");
    let server = serving(vec![elsewhere]).await;
    let error = client(Platform::DematSocial, &server).upload(&dossier(), &letter()).await.expect_err("redirected");
    assert!(matches!(error, UploadError::Api(ApiError::Redirected { .. })), "{error}");
    assert!(!format!("{error} {error:?}").contains("secrete"));
    assert_eq!(received(&server, "PUT").await.len(), 1, "the bytes are not sent elsewhere");
}

#[tokio::test]
async fn a_storage_that_stays_away_ends_the_upload() {
    let server = serving(vec![ResponseTemplate::new(502); 20]).await;
    let error = client(Platform::DemarcheNumerique, &server).upload(&dossier(), &letter()).await.expect_err("away");
    assert!(matches!(error, UploadError::Api(ApiError::Unavailable { status: 502 })), "{error}");
    assert_eq!(received(&server, "PUT").await.len(), 7);

    // A storage that closes the connection without a word.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let server = MockServer::start().await;
    let ready = prepared(&format!("http://{gone}/depot?signature=secrete"), &json!({}));
    Mock::given(method("POST")).respond_with(json_answer(&ready)).mount(&server).await;
    let error = client(Platform::DemarcheNumerique, &server).upload(&dossier(), &letter()).await.expect_err("gone");
    assert!(matches!(error, UploadError::Api(ApiError::Transport { .. })), "{error}");
    assert!(!format!("{error} {error:?}").contains("secrete"));
}

#[tokio::test]
async fn an_upload_is_not_sent_where_anybody_could_read_it() {
    for (url, headers) in [
        ("http://storage.example.org/depot?signature=secrete", json!({}).to_string()),
        ("depot?signature=secrete", json!({}).to_string()),
        ("https://storage.example.org/depot?signature=secrete", "non".to_owned()),
        ("https://storage.example.org/depot?signature=secrete", json!({ "a b": "secrete" }).to_string()),
        ("https://storage.example.org/depot?signature=secrete", json!({ "a": "secrete\n" }).to_string()),
    ] {
        let server = MockServer::start().await;
        let upload = json!({ "url": url, "headers": headers, "signedBlobId": "eyJzaWduZWQi" });
        let ready = json!({ "data": { "createDirectUpload": { "directUpload": upload } } });
        Mock::given(method("POST")).respond_with(json_answer(&ready)).mount(&server).await;
        let error = client(Platform::DemarcheNumerique, &server).upload(&dossier(), &letter()).await;
        let error = error.expect_err(url);
        assert!(matches!(error, UploadError::Unusable { .. }), "{url} {headers}: {error}");
        assert!(!format!("{error} {error:?}").contains("secrete"), "{error:?}");
    }
}

#[tokio::test]
async fn a_platform_that_prepares_nothing_is_told_with_a_hint() {
    let refused = json!({
        "errors": [{ "message": "Cannot return null for non-nullable field CreateDirectUploadPayload.directUpload" }],
        "data": { "createDirectUpload": null },
    });
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(header("accept-language", "fr"))
        .respond_with(json_answer(&refused))
        .mount(&server)
        .await;
    Mock::given(method("PUT"))
        .and(body_bytes("bonjour"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&server)
        .await;
    let error = client(Platform::DematSocial, &server).upload(&dossier(), &letter()).await.expect_err("nothing");
    assert!(matches!(error, UploadError::Api(ApiError::Partial { .. })), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("may write")), "a token that may only read looks like this");
}
