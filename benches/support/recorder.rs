//! Records requests and answers of a sandbox on loopback, in one folder for each first segment of the path, so that the
//! requests of different runs stay apart.

use std::fs::{create_dir_all, read, read_dir, write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as Asked, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use axum::routing::post;
use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DemarcheSpec, FormSpec, Incoming, Sandbox, WorldSpec};
use tokio::net::TcpListener;

use super::{Anyhow, CHAMPS};

/// A sandbox of one démarche whose answers are recorded.
#[derive(Clone)]
pub struct Recorder {
    sandbox: Sandbox,
    folder: PathBuf,
    count: Arc<AtomicU32>,
}

impl Recorder {
    /// Starts one and returns its address, to which a folder name and the path of the API are appended.
    pub async fn start(demarche: u32, dossiers: u32, folder: &Path) -> Anyhow<(Self, String)> {
        let demarches = vec![DemarcheSpec::new(demarche, FormSpec::Simple { champs: CHAMPS }, dossiers)];
        let spec = WorldSpec { demarches, ..WorldSpec::new(Platform::DemarcheNumerique) };
        let recorder = Self { sandbox: Sandbox::new(&spec), folder: folder.to_owned(), count: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().route("/{folder}/api/v2/graphql", post(respond)).with_state(recorder.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok((recorder, url))
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }
}

/// Answers as the sandbox does, and records request and answer.
async fn respond(
    State(recorder): State<Recorder>,
    Asked(folder): Asked<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Vec<u8> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let incoming = Incoming {
        method: "POST".to_owned(),
        path: "/api/v2/graphql".to_owned(),
        host: "sandbox.example.org".to_owned(),
        authorization: text(AUTHORIZATION),
        accept_language: text(ACCEPT_LANGUAGE),
        content_type: text(CONTENT_TYPE),
        body: body.to_vec(),
        ..Incoming::default()
    };
    let answer = recorder.sandbox.answer(&incoming).body;
    let folder = recorder.folder.join(folder);
    let rank = recorder.count.fetch_add(1, Ordering::Relaxed);
    let place = |kind: &str| folder.join(format!("{rank:06}.{kind}"));
    let kept = create_dir_all(&folder)
        .and_then(|()| write(place("answer"), &answer))
        .and_then(|()| write(place("request"), &body));
    kept.expect("the temporary folder takes the answers");
    answer
}

/// A recorded request, and the file of its answer.
pub struct Kept {
    pub request: Bytes,
    pub answer: PathBuf,
}

/// Reads the records of a folder, in order.
pub fn kept(folder: &Path) -> Anyhow<Vec<Kept>> {
    let mut requests = Vec::new();
    for entry in read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "request") {
            requests.push(path);
        }
    }
    requests.sort();
    let kept = |path: PathBuf| Ok(Kept { request: read(&path)?.into(), answer: path.with_extension("answer") });
    requests.into_iter().map(kept).collect()
}
