//! Serves answers that a test prescribes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use grist_client::{Client, Doc, DocId};
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// The key of every test. It must never be seen again.
pub const KEY: &str = "5e6f7a8b9c0d5e6f7a8b9c0d";

/// The document of every test.
pub const DOC: &str = "kZ8mQv2Xw9LrT4sYb7NcPd";

/// A client of an address, with waits cut a thousand times.
pub fn client(url: impl Into<String>) -> Client {
    let builder = Client::builder(url).key(KEY).retry_base(Duration::from_micros(500));
    builder.build().expect("the settings are right")
}

/// The document of a client.
pub fn doc(client: &Client) -> Doc {
    client.doc(DocId::parse(DOC).expect("an id"))
}

/// A server that answers everything the same way, a client of it and its document.
pub async fn answering(template: ResponseTemplate) -> (MockServer, Client, Doc) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(template).mount(&server).await;
    let client = client(server.uri());
    let doc = doc(&client);
    (server, client, doc)
}

/// A server that answers each request with the next answer, and goes on with the last one.
pub async fn answering_in_turn(templates: Vec<ResponseTemplate>) -> (MockServer, Client, Doc) {
    let server = MockServer::start().await;
    let turn = AtomicUsize::new(0);
    let answer = move |_: &Request| {
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        templates[turn.min(templates.len() - 1)].clone()
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let client = client(server.uri());
    let doc = doc(&client);
    (server, client, doc)
}

/// A good answer.
pub fn good(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// A refusal in Grist's words.
pub fn refusal(status: u16, words: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(serde_json::json!({ "error": words }))
}

/// The cells of a row.
pub fn row(value: Value) -> Map<String, Value> {
    value.as_object().expect("cells").clone()
}

/// The requests that a server got.
pub async fn received(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("requests are recorded")
}

/// Decides what the server does with a connection after the request.
pub enum Then {
    /// Closes it: the answer is lost.
    HangUp,
    /// Answers.
    Answer(&'static str),
}

/// A server on bare sockets that reads each request whole and then does the next thing; the last goes on. Gives its
/// address and the count of requests.
pub async fn bare(script: Vec<Then>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            let turn = counted.fetch_add(1, Ordering::SeqCst);
            if let Then::Answer(body) = &script[turn.min(script.len() - 1)] {
                answer(&mut stream, body).await;
            }
        }
    });
    (address, count)
}

/// Reads a request to its end.
pub async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.expect("a readable connection");
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        assert!(read > 0, "a whole request");
    }
}

/// Answers with JSON, and closes the connection.
pub async fn answer(stream: &mut TcpStream, body: &str) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.expect("an open connection");
}
