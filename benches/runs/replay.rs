//! Replays recorded answers: a request that was not recorded is an error.

use std::collections::HashMap;
use std::fs::{read, read_dir};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as Asked, State};
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;

use super::process::{Traffic, tell};
use super::run_kind::RunKind;
use super::support::Anyhow;
use super::support::recorder::kept;

pub const NAME: &str = "replay";

/// Makes the address of the recorded answers of a run, each delayed by so many milliseconds.
pub fn address(server: &str, kind: RunKind, wait: u64) -> String {
    format!("{server}/{kind}/{wait}/api/v2/graphql")
}

#[derive(Default)]
struct Replay {
    /// The files of the answers, by run and by the body of the request.
    answers: HashMap<(String, Bytes), PathBuf>,
    traffic: Mutex<Traffic>,
}

impl Replay {
    /// Reads the records of every démarche.
    fn of(folder: &Path) -> Anyhow<Self> {
        let mut replay = Self::default();
        for demarche in read_dir(folder)? {
            let demarche = demarche?.path();
            for kind in RunKind::ALL.map(|kind| kind.to_string()) {
                let kept = kept(&demarche.join(&kind))?.into_iter();
                replay.answers.extend(kept.map(|kept| ((kind.clone(), kept.request), kept.answer)));
            }
        }
        Ok(replay)
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().expect("no code panics while it holds the lock")
    }

    fn count(&self, sent: usize, received: usize) {
        let mut traffic = self.traffic();
        traffic.requests += 1;
        traffic.sent += sent as u64;
        traffic.received += received as u64;
    }
}

/// Serves until the input ends.
#[tokio::main(flavor = "current_thread")]
pub async fn serve(folder: &Path) -> Anyhow<()> {
    let replay = Arc::new(Replay::of(folder)?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let router = Router::new().route("/{kind}/{wait}/api/v2/graphql", post(respond)).with_state(Arc::clone(&replay));
    tokio::select! {
        served = axum::serve(listener, router).into_future() => Ok(served?),
        told = tell(|| std::mem::take(&mut *replay.traffic())) => told,
    }
}

async fn respond(
    State(replay): State<Arc<Replay>>,
    Asked((kind, wait)): Asked<(String, u64)>,
    body: Bytes,
) -> (StatusCode, Vec<u8>) {
    let sent = body.len();
    let Some(Ok(answer)) = replay.answers.get(&(kind, body)).map(read) else {
        return (StatusCode::NOT_FOUND, b"this was never asked while recording".to_vec());
    };
    replay.count(sent, answer.len());
    tokio::time::sleep(Duration::from_millis(wait)).await;
    (StatusCode::OK, answer)
}
