//! Checks TLS to the server: permanent failures are reported as such, with the next step.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use demarche_numerique::sink::postgres::Options;
use demarche_numerique::sink::{PostgresSink, SinkError};

use crate::support::postgres::{Database, OwnServer, give};
use crate::support::tls::{Authority, Certificate};

/// Lets the server show a certificate from its next connection on.
async fn shows(server: &OwnServer, database: &Database, shown: &Certificate) {
    for (from, to) in [(&shown.certificate, "server.crt"), (&shown.key, "server.key")] {
        let path = server.folder().join("data").join(to);
        fs::copy(from, &path).expect("a folder that can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a file of ours");
        give(&path);
    }
    database.run("ALTER SYSTEM SET ssl TO on").await;
    database.run("SELECT pg_reload_conf()").await;
    while database.column("SHOW ssl").await != ["on"] {}
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_is_told_as_lasting() {
    let (server, port) = OwnServer::start_listening();
    let database = Database::on(&server.url).await;
    let authority = Authority::new();
    let ca = authority.file();
    let address = |host: &str, more: &str| format!("postgres://postgres@{host}:{port}/{}?{more}", database.name());
    let full = format!("sslmode=verify-full&sslrootcert={}", ca.display());
    let refused = async |url: String, to_do: &str| {
        let error = PostgresSink::open(&url, Options::default()).await.expect_err(to_do);
        assert!(matches!(error, SinkError::Unusable { .. }), "{url}: {error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains(to_do)), "{url}: {error} {:?}", error.hint());
    };
    refused(address("localhost", "sslmode=require"), "offers no TLS").await;

    shows(&server, &database, &authority.certificate("localhost", 2)).await;
    refused(address("localhost", "sslmode=verify-full"), "sslrootcert=").await;
    refused(address("127.0.0.1", &full), "as its certificate does").await;
    refused(address("localhost", "sslmode=verify-full&sslrootcert=/nowhere/ca.pem"), "check the path").await;
    let empty = server.folder().join("empty.pem");
    fs::write(&empty, "").expect("a folder that can be written");
    let without = format!("sslmode=verify-full&sslrootcert={}", empty.display());
    refused(address("localhost", &without), "check the path").await;
    let facts = PostgresSink::facts(&address("localhost", &full), Options::default()).await.expect("an answer");
    assert_eq!(facts.tls, format!("encrypted (sslmode=verify-full, authority {})", ca.display()));
    let sink = PostgresSink::open(&address("localhost", &full), Options::default()).await.expect("a schema");
    sink.close().await.expect("a clean end");

    shows(&server, &database, &authority.certificate("localhost", -1)).await;
    refused(address("localhost", &full), "renewed").await;
}

#[tokio::test]
async fn a_server_is_reached_by_its_ipv6_address() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        eprintln!("this machine has no IPv6: its addresses are not tried");
        return;
    }
    let (server, port) = OwnServer::start_listening();
    let database = Database::on(&server.url).await;
    let url = format!("postgres://postgres@[::1]:{port}/{}", database.name());
    let sink = PostgresSink::open(&url, Options::default()).await.expect("a schema");
    sink.close().await.expect("a clean end");
}
