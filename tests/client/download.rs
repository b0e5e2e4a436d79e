//! Downloads of files, and their comparison with size and checksum.

use demarche_numerique::api::{ApiError, DownloadError};
use demarche_numerique::champ::File;
use demarche_numerique::ids::DossierNumber;
use demarche_numerique::platform::Platform;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, Sandbox, WorldSpec};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support;

/// MD5 of `bonjour`, in base64.
const CHECKSUM: &str = "8CNolFcm1fwqFOtXb3J2wA==";

fn file(server: &MockServer) -> File {
    File {
        filename: "lettre.txt".to_owned(),
        content_type: "text/plain".to_owned(),
        byte_size: 7,
        checksum: CHECKSUM.to_owned(),
        created_at: None,
        virus_scan_result: Some("safe".to_owned()),
        url: Some(format!("{}/lettre?signature=secrete", server.uri()).parse().expect("an address")),
    }
}

async fn serving(answers: impl IntoIterator<Item = ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    for answer in answers {
        let mock = Mock::given(method("GET")).and(path("/lettre")).respond_with(answer);
        mock.up_to_n_times(1).mount(&server).await;
    }
    server
}

#[tokio::test]
async fn a_file_arrives_whole_and_the_token_stays_at_home() {
    let unavailable = ResponseTemplate::new(503);
    let server = serving([unavailable, ResponseTemplate::new(200).set_body_string("bonjour")]).await;
    let client = support::client(Platform::DemarcheNumerique, &server);
    let bytes = client.download(&file(&server), 1_000).await.expect("the second answer");
    assert_eq!(&bytes[..], b"bonjour");
    for request in server.received_requests().await.expect("they are kept") {
        assert!(!request.headers.contains_key("authorization"));
    }
}

#[tokio::test]
async fn what_is_not_the_file_is_refused() {
    for (body, expected) in [("bonsoir", "checksum"), ("bon", "size"), ("bonjour à tous", "size")] {
        let server = serving([ResponseTemplate::new(200).set_body_string(body)]).await;
        let client = support::client(Platform::DemarcheNumerique, &server);
        let error = client.download(&file(&server), 1_000).await.expect_err(body);
        assert!(matches!(error, DownloadError::Differs { what } if what == expected), "{body}: {error}");
    }
}

#[tokio::test]
async fn what_is_not_safe_or_too_large_is_not_even_asked_for() {
    let server = serving([]).await;
    let client = support::client(Platform::DemarcheNumerique, &server);
    let pending = File { virus_scan_result: Some("pending".to_owned()), ..file(&server) };
    let error = client.download(&pending, 1_000).await.expect_err("it may be malware");
    assert!(matches!(error, DownloadError::NotSafe { .. }), "{error}");
    let error = client.download(&file(&server), 6).await.expect_err("it is larger");
    assert!(matches!(error, DownloadError::TooLarge { bytes: 7, limit: 6 }), "{error}");
    let error = client.download(&File { url: None, ..file(&server) }, 1_000).await.expect_err("no address");
    assert!(matches!(error, DownloadError::NoAddress), "{error}");
    assert_eq!(server.received_requests().await.map(|requests| requests.len()), Some(0));
}

#[tokio::test]
async fn an_address_that_expired_asks_for_a_new_reading_and_shows_no_signature() {
    for status in [401, 403, 404, 410] {
        let server = serving([ResponseTemplate::new(status)]).await;
        let client = support::client(Platform::DemarcheNumerique, &server);
        let error = client.download(&file(&server), 1_000).await.expect_err("it expired");
        assert!(matches!(error, DownloadError::Expired { status: told } if told == status), "{error}");
        assert!(!format!("{error} {error:?}").contains("secrete"));
    }
    let elsewhere = ResponseTemplate::new(302).insert_header("location", "/ailleurs?signature=secrete");
    let server = serving([elsewhere]).await;
    let client = support::client(Platform::DemarcheNumerique, &server);
    let error = client.download(&file(&server), 1_000).await.expect_err("redirections are not followed");
    assert!(matches!(&error, DownloadError::Api(ApiError::Redirected { .. })), "{error}");
    assert!(!format!("{error} {error:?}").contains("secrete"));
}

#[tokio::test]
async fn the_files_of_a_dossier_are_those_that_the_platform_serves() {
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(12);
    let sandbox = Sandbox::new(&spec);
    let server = sandbox.serve_locally().await.expect("a port is free");
    let client = demarche_numerique::Client::builder(spec.platform.into()).token(sandbox.token()).url(server.url());
    let client = client.build().expect("the settings are right");
    let numbers = sandbox.world().numbers(DEMARCHE_COMPLETE);
    let mut fetched = 0;
    for number in numbers {
        let Some(dossier) = client.dossier(DossierNumber::new(number)).await.expect("an answer") else { continue };
        for message in &dossier.messages {
            for file in &message.attachments {
                match client.download(file, 50_000_000).await {
                    Ok(bytes) => {
                        assert_eq!(bytes.len() as u64, file.byte_size);
                        fetched += 1;
                    }
                    Err(DownloadError::NotSafe { .. }) => {}
                    Err(error) => panic!("{}: {error}", file.filename),
                }
            }
        }
    }
    assert!(fetched > 0, "the world has files in its messages");
}
