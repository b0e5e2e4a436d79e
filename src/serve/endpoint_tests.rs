//! Whoever holds a connection open.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::endpoint::{CONNECTION_TIMEOUT, CONNECTIONS, Endpoint, HEAD_TIMEOUT, View};
use super::hints::Webhooks;
use super::status_board::StatusBoard;

async fn open() -> Endpoint {
    let (sender, _hints) = mpsc::channel(1);
    let view = View {
        board: StatusBoard::default(),
        clock: Arc::new(Timestamp::now),
        ready_within: None,
        webhooks: Webhooks::new(sender),
        widget: None,
    };
    Endpoint::open(SocketAddr::from(([127, 0, 0, 1], 0)), view).await.expect("a free port")
}

async fn ask(endpoint: &Endpoint, request: &str) -> String {
    let mut line = TcpStream::connect(endpoint.address()).await.expect("it listens");
    line.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    line.read_to_string(&mut answer).await.expect("it answers and closes");
    answer
}

/// Measures the time until the other side closes, by the clock of the test, which jumps when everybody waits.
async fn closed(line: &mut TcpStream) -> Duration {
    let begun = Instant::now();
    let mut rest = Vec::new();
    let _ = line.read_to_end(&mut rest).await;
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_or_half_a_head_is_shut_out_after_a_while() {
    let endpoint = open().await;
    for words in ["", "G", "GET /healthz HTTP/1.1\r\nHost: a\r\nX: "] {
        let mut line = TcpStream::connect(endpoint.address()).await.expect("it listens");
        line.write_all(words.as_bytes()).await.expect("it reads");
        let waited = closed(&mut line).await;
        assert!(waited <= HEAD_TIMEOUT + Duration::from_secs(1), "{words:?}: {waited:?}");
    }
    // A head that never ends, line by line, has no more time.
    let mut line = TcpStream::connect(endpoint.address()).await.expect("it listens");
    let begun = Instant::now();
    line.write_all(b"GET /healthz HTTP/1.1\r\n").await.expect("it reads");
    while line.write_all(b"X: y\r\n").await.is_ok() && begun.elapsed() < CONNECTION_TIMEOUT * 2 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(begun.elapsed() <= CONNECTION_TIMEOUT, "{:?}", begun.elapsed());
    endpoint.close().await;
}

#[tokio::test]
async fn a_connection_serves_one_request() {
    let endpoint = open().await;
    let twice = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2);
    assert_eq!(ask(&endpoint, &twice).await.matches("HTTP/1.1 200").count(), 1);
    endpoint.close().await;
}

#[tokio::test]
async fn idle_connections_give_way_to_whoever_asks() {
    let endpoint = open().await;
    let mut idle = Vec::new();
    for _ in 0..4 * CONNECTIONS {
        idle.push(TcpStream::connect(endpoint.address()).await.expect("it listens"));
    }
    let answer = ask(&endpoint, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");
    // All but the youngest were closed for it, without waiting for their time.
    for line in &mut idle[..3 * CONNECTIONS] {
        let mut rest = Vec::new();
        assert!(matches!(line.read_to_end(&mut rest).await, Ok(0) | Err(_)));
    }
    drop(idle);
    endpoint.close().await;
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let endpoint = open().await;
    for (path, status) in [("/healthz", "200"), ("/readyz", "200"), ("/metrics", "200"), ("/", "404")] {
        let answers = ["GET", "HEAD"].map(|method| format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let [get, head] = [ask(&endpoint, &answers[0]).await, ask(&endpoint, &answers[1]).await];
        let headers = |answer: &str| {
            let head = answer.split_once("\r\n\r\n").map(|(head, _)| head.to_lowercase()).expect("a head");
            head.lines().filter(|line| !line.starts_with("date:")).map(str::to_owned).collect::<BTreeSet<_>>()
        };
        assert_eq!(headers(&get), headers(&head), "{path}");
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")) && head.ends_with("\r\n\r\n"), "{head}");
    }
    assert!(
        ask(&endpoint, "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 404")
    );
    endpoint.close().await;
}
