//! The door for signals: whether the program lives, whether its data is fresh, and its metrics, over HTTP.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::board::Board;
use super::hints::{Webhooks, receive};
use super::metrics::metrics;
use super::ready::late;
use super::service::Clock;

/// How long a request under way may take when the door closes.
const PATIENCE: Duration = Duration::from_secs(2);

/// What whoever knocks gets to see.
#[derive(Clone)]
pub struct View {
    /// The state of jobs.
    pub board: Board,
    /// The present instant.
    pub clock: Clock,
    /// How old data may be; by default as the rhythm of each job makes it.
    pub ready_within: Option<Duration>,
    /// Whose calls are taken.
    pub webhooks: Webhooks,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("ready_within", &self.ready_within).finish_non_exhaustive()
    }
}

/// An open door. It answers `GET` of three paths, without a password and without anything personal:
///
/// - `/healthz`: 200, as long as the process answers at all;
/// - `/readyz`: 200, or 503 and one line for each démarche whose data is too old ([`late`]);
/// - `/metrics`: the text that Prometheus reads ([`metrics()`]).
///
/// and `POST` of the secret path of each instance that has one ([`Webhooks`]), `/webhooks/…`: 204, whatever the call says; 413
/// for a body of more than 8 KiB.
///
/// Everything else is 404. It closes when it is dropped.
#[derive(Debug)]
#[must_use = "the door closes when it is dropped"]
pub struct Door {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Door {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the system gives the address to nobody, or has given it to another program.
    pub async fn open(address: SocketAddr, view: View) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let router = Router::new().fallback(answer).with_state(view);
        let task = tokio::spawn(async move {
            let stopped = async {
                // A sender that is dropped says the same as one that sends.
                drop(stopped.await);
            };
            axum::serve(listener, router).with_graceful_shutdown(stopped).await
        });
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, and waits for those under way, but not for whoever never ends his.
    pub async fn close(self) {
        let Self { stop, mut task, .. } = self;
        drop(stop);
        if timeout(PATIENCE, &mut task).await.is_err() {
            task.abort();
        }
    }
}

async fn answer(State(view): State<View>, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    match receive(&view.webhooks, &view.board, request).await {
        Some(status) => status.into_response(),
        None => tell(&view, &method, &path),
    }
}

fn tell(view: &View, method: &Method, path: &str) -> Response {
    const TEXT: &str = "text/plain; charset=utf-8";
    let (jobs, now) = (view.board.snapshot(), (view.clock)());
    let (status, kind, body) = match (method, path) {
        (&Method::GET, "/healthz") => (StatusCode::OK, TEXT, "ok\n".to_owned()),
        (&Method::GET, "/readyz") => match late(&jobs, view.ready_within, now) {
            late if late.is_empty() => (StatusCode::OK, TEXT, "ready\n".to_owned()),
            late => (StatusCode::SERVICE_UNAVAILABLE, TEXT, late.join("\n") + "\n"),
        },
        (&Method::GET, "/metrics") => {
            (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics(&jobs, &view.board.instances(), now))
        }
        _ => (StatusCode::NOT_FOUND, TEXT, "there are /healthz, /readyz and /metrics\n".to_owned()),
    };
    (status, [(CONTENT_TYPE, kind)], body).into_response()
}
