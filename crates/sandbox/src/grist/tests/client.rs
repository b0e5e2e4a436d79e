//! A client that knows nothing: method, path, body.

use serde_json::{Value as Json, json};

use crate::grist::{Grist, GristServer};

/// A document of a fake that listens, and a key.
pub(super) struct Client {
    pub(super) grist: Grist,
    pub(super) doc: String,
    key: String,
    server: GristServer,
    http: reqwest::Client,
}

impl Client {
    pub(super) async fn start() -> Self {
        let grist = Grist::new();
        let doc = grist.create_document("Essai");
        let server = grist.serve_locally().await.expect("a port is free");
        let provider = rustls::crypto::ring::default_provider();
        // Another test may have been first.
        drop(provider.install_default());
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { grist, doc, key: Grist::OWNER.to_owned(), server, http }
    }

    /// The same document with another key.
    pub(super) fn as_key(&mut self, key: &str) {
        key.clone_into(&mut self.key);
    }

    /// A request to the document: status, and body as JSON (a text where it is none).
    pub(super) async fn send(&self, method: &str, path: &str, body: Option<Json>) -> (u16, Json) {
        let (status, text) = self.raw(method, path, body).await.expect("an answer");
        (status, serde_json::from_str(&text).unwrap_or(Json::String(text)))
    }

    /// The same, which may have no answer at all.
    pub(super) async fn raw(&self, method: &str, path: &str, body: Option<Json>) -> reqwest::Result<(u16, String)> {
        let url = format!("{}/api/docs/{}/{path}", self.server.url(), self.doc);
        let method = method.parse().expect("a method");
        let mut request = self.http.request(method, url).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// A bundle, values taken as they are.
    pub(super) async fn apply(&self, actions: Json) -> (u16, Json) {
        self.send("POST", "apply?noparse=1", Some(actions)).await
    }

    /// A bundle that must succeed; what its actions return.
    pub(super) async fn done(&self, actions: Json) -> Json {
        let (status, body) = self.apply(actions).await;
        assert_eq!(status, 200, "{body}");
        body["retValues"].clone()
    }

    /// The fields of the rows of a SELECT.
    pub(super) async fn sql(&self, sql: &str) -> Vec<Json> {
        let (status, body) = self.send("POST", "sql", Some(json!({ "sql": sql }))).await;
        assert_eq!(status, 200, "{body}");
        body["records"].as_array().expect("records").iter().map(|record| record["fields"].clone()).collect()
    }

    /// Uploads one file; the ids that the document gives.
    pub(super) async fn upload(&self, name: &str, bytes: &'static [u8]) -> Json {
        let part = reqwest::multipart::Part::bytes(bytes).file_name(name.to_owned());
        let form = reqwest::multipart::Form::new().part("upload", part);
        let url = format!("{}/api/docs/{}/attachments", self.server.url(), self.doc);
        let answer = self.http.post(url).bearer_auth(&self.key).multipart(form).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }
}
