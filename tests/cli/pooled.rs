//! Runs the binary on a PostgreSQL behind a pooler, on a replica, and against permanent refusals.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::harness::{DEMARCHE, Harness, end};
use crate::support::pgbouncer::PgBouncer;
use crate::support::postgres::{Database, OwnServer};
use crate::support::tls::{self, Authority};

fn alive(status: &str) -> u64 {
    let status: serde_json::Value = serde_json::from_str(status).expect("one JSON object");
    status["alive"].as_u64().expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_behind_a_pooler_fill_two_schemas() {
    let (few, many) = (Harness::with(12).await, Harness::with(25).await);
    let (database, number) = (Database::new().await, DEMARCHE.to_string());
    for mode in ["transaction", "session"] {
        let bouncer = PgBouncer::before(&database, mode, if mode == "session" { 20 } else { 2 }, "");
        let url = |schema: &str| format!("{}&schema={schema}_{mode}", bouncer.url(&database));
        let (one, other) = (url("peu"), url("beaucoup"));
        let run = async |harness: &Harness, command: &str, to: &str| {
            harness.dn(&[command, "--demarche", &number, "--to", to, "--json"]).await.expect(0).stdout
        };
        tokio::join!(run(&few, "sync", &one), run(&many, "sync", &other));
        for (harness, to, count) in [(&few, &one, 12), (&many, &other, 25)] {
            assert_eq!(alive(&run(harness, "status", to).await), count, "{mode}");
            run(harness, "verify", to).await;
            let again: serde_json::Value = serde_json::from_str(&run(harness, "sync", to).await).expect("one object");
            assert_eq!(again["rows_written"], 0, "{mode}");
        }
        let told = few.dn(&["doctor", "--demarche", &number, "--to", &one]).await.expect(0).stdout;
        for words in ["pooler: there is one", "encoding: UTF8", "a run takes 5", "the token may write", "proxy: none"] {
            assert!(told.contains(words), "`{words}` is not in:\n{told}");
        }
    }
    let bouncer = PgBouncer::before(&database, "statement", 4, "");
    let url = bouncer.url(&database);
    let ended = few.dn(&["sync", "--demarche", &number, "--to", &url]).await.expect(4);
    assert!(ended.stderr.contains("use session or transaction pooling"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_read_by_what_only_reads_and_refused_by_the_rest() {
    let (harness, primary, number) = (Harness::with(8).await, OwnServer::start(false), DEMARCHE.to_string());
    let database = Database::on(&primary.url).await;
    harness.dn(&["sync", "--demarche", &number, "--to", &database.url()]).await.expect(0);
    let standby = primary.standby();
    let mut url = standby.url.clone();
    url.set_path(database.name());
    let dn = async |command: &str, code: i32| {
        harness.dn(&[command, "--demarche", &number, "--to", url.as_str()]).await.expect(code)
    };
    for command in ["status", "verify", "plan"] {
        dn(command, 0).await;
    }
    for command in ["sync", "doctor"] {
        let ended = dn(command, 4).await;
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert!(told.contains("read-only replica") && told.contains("name the primary"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_misspelt_is_refused_and_its_values_are_nowhere() {
    let (harness, number) = (Harness::with(1).await, DEMARCHE.to_string());
    harness.write(
        "dn.toml",
        &format!(
            "[targets.base]\ntype = 'postgres'\n[[demarches]]\nnumber = {number}\ntarget = 'base'\n[instances.ici]\n"
        ),
    );
    for (query, said, meant) in [
        ("sslMode=verify-full", "`sslMode`", "`sslmode`"),
        ("sslpassword=s3cret", "`sslpassword`", "known are"),
        ("sslmode=s3cret", "the value of `sslmode`", "verify-full"),
    ] {
        let url = format!("postgres://agent:s3cret@127.0.0.1:9/rien?{query}");
        let flag = harness.dn(&["-vvv", "sync", "--demarche", &number, "--to", &url]).await;
        let mut command = harness.command(&["-vvv", "--config", "dn.toml", "sync"]);
        let variable = end(command.env("DATABASE_URL", &url)).await;
        for ended in [flag, variable] {
            assert!(matches!(ended.code, Some(2 | 3)), "{ended:?}");
            assert!(!format!("{ended:?}").contains("s3cret"), "{ended:?}");
            assert!(ended.stderr.contains(said) && ended.stderr.contains(meant), "{}", ended.stderr);
        }
    }
}

/// A proxy that asks every client for an account.
async fn proxy() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            drop(client.read(&mut asked).await);
            let answer =
                b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
            drop(client.write_all(answer).await);
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_between_for_good_is_told_as_lasting_by_the_platform_and_by_grist() {
    let (harness, number, authority) = (Harness::with(1).await, DEMARCHE.to_string(), Authority::new());
    let right = tls::show(&authority.certificate("localhost", 2));
    let expired = tls::show(&authority.certificate("localhost", -1));
    let (proxy, ca) = (proxy().await, authority.file());
    let ca = ca.to_str().expect("a path in UTF-8");
    let local = |host: &str, port: u16| format!("https://{host}:{port}");
    for (url, variable, value, said, to_do) in [
        (local("localhost", right), "TZ", "UTC", "unknown authority", "SSL_CERT_FILE"),
        (local("127.0.0.1", right), "SSL_CERT_FILE", ca, "not for this host", "check the host"),
        (local("localhost", expired), "SSL_CERT_FILE", ca, "has expired", "set the clock"),
        ("https://demarches.example.org".to_owned(), "HTTPS_PROXY", &proxy, "HTTP 407", "account:password@"),
    ] {
        let platform = format!("{url}/api/v2/graphql");
        let mut sync = harness.command(&["sync", "--demarche", &number, "--to", "sqlite:d.db"]);
        sync.env("DN_URL", &platform);
        let mut doctor = harness.command(&["doctor", "--demarche", &number]);
        doctor.env("DN_URL", &platform);
        let mut grist = harness.command(&[
            "status",
            "--demarche",
            &number,
            "--to",
            &format!("grist:{url}/doc/abcdefghijklmnopqrstuv"),
        ]);
        grist.env("GRIST_API_KEY", "cle");
        for (mut command, code) in [(sync, 3), (doctor, 3), (grist, 4)] {
            let ended = end(command.env(variable, value)).await.expect(code);
            let told = format!("{}{}", ended.stdout, ended.stderr);
            assert!(told.contains(said) && told.contains(to_do), "{url}:\n{told}");
        }
    }
}
