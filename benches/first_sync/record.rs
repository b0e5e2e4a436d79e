//! The answers of the sandbox to real runs, kept in a folder.

use std::fs::write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DemarcheSpec, FormSpec, Incoming, Sandbox, WorldSpec};
use demarche_numerique::sink::SqliteSink;
use tokio::net::TcpListener;

use super::run::one;
use super::{Anyhow, CHAMPS, LARGE, QUARTER};

pub const NAME: &str = "record";

#[derive(Clone)]
struct Recorder {
    sandbox: Sandbox,
    folder: PathBuf,
    count: Arc<AtomicU32>,
}

/// The file of a request or of its answer, by its rank.
pub fn file(folder: &Path, rank: u32, kind: &str) -> PathBuf {
    folder.join(format!("{rank:06}.{kind}"))
}

/// Lets the sandbox answer a first and a second run over both démarches.
#[tokio::main]
pub async fn record(folder: &Path, dossiers: u32) -> Anyhow<()> {
    let form = FormSpec::Simple { champs: CHAMPS };
    let demarches = vec![DemarcheSpec::new(LARGE, form, dossiers), DemarcheSpec::new(QUARTER, form, dossiers / 4)];
    let spec = WorldSpec { demarches, ..WorldSpec::new(Platform::DemarcheNumerique) };
    let recorder = Recorder { sandbox: Sandbox::new(&spec), folder: folder.to_owned(), count: Arc::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/api/v2/graphql", listener.local_addr()?);
    let token = recorder.sandbox.token();
    tokio::spawn(axum::serve(listener, Router::new().fallback(respond).with_state(recorder)).into_future());
    for demarche in [LARGE, QUARTER] {
        let target = folder.join("thrown-away.db");
        let sink = SqliteSink::open(&target).await?;
        for _ in 0..2 {
            one(&url, &token, &sink, demarche, spec.start).await?;
        }
        sink.close().await?;
        std::fs::remove_file(&target)?;
    }
    println!("null");
    Ok(())
}

/// Answers as the sandbox does, and keeps request and answer.
async fn respond(State(recorder): State<Recorder>, headers: HeaderMap, body: Bytes) -> Vec<u8> {
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
    let rank = recorder.count.fetch_add(1, Ordering::Relaxed);
    let kept = write(file(&recorder.folder, rank, "request"), &body)
        .and_then(|()| write(file(&recorder.folder, rank, "answer"), &answer));
    kept.expect("the temporary folder takes the answers");
    answer
}
