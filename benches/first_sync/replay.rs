//! A server of what was kept: an answer for each request that was ever made, and for no other.

use std::collections::HashMap;
use std::fs::read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use tokio::io::{AsyncReadExt as _, stdin};
use tokio::net::TcpListener;

use super::Anyhow;
use super::record::file;

pub const NAME: &str = "replay";

/// The files of the answers, by the bodies of the requests.
type Kept = Arc<HashMap<Vec<u8>, PathBuf>>;

/// The requests that were kept, in the order in which they were made, and the files of their answers.
pub fn kept(folder: &Path) -> Anyhow<Vec<(Vec<u8>, PathBuf)>> {
    let mut kept = Vec::new();
    for rank in 0.. {
        let request = file(folder, rank, "request");
        if !request.exists() {
            break;
        }
        kept.push((read(request)?, file(folder, rank, "answer")));
    }
    Ok(kept)
}

/// Serves until the input ends.
#[tokio::main(flavor = "current_thread")]
pub async fn serve(folder: &Path) -> Anyhow<()> {
    let kept: Kept = Arc::new(kept(folder)?.into_iter().collect());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/api/v2/graphql", listener.local_addr()?);
    let server = axum::serve(listener, Router::new().fallback(respond).with_state(kept));
    let (mut input, mut said) = (stdin(), Vec::new());
    tokio::select! {
        served = server.into_future() => served?,
        ended = input.read_to_end(&mut said) => drop(ended?),
    }
    Ok(())
}

async fn respond(State(kept): State<Kept>, body: Bytes) -> (StatusCode, Vec<u8>) {
    match kept.get(body.as_ref()).map(read) {
        Some(Ok(answer)) => (StatusCode::OK, answer),
        Some(Err(_)) | None => (StatusCode::NOT_FOUND, b"this was never asked while recording".to_vec()),
    }
}
