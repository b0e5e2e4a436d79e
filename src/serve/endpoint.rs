//! The endpoint of `dn run`: whether the program lives, whether its data is fresh, and its metrics, over HTTP.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::hints::{Webhooks, receive};
use super::metrics::metrics;
use super::ready::late;
use super::service::Clock;
use super::status_board::StatusBoard;
use super::widget::{self, WidgetSource};

/// The time that a request under way gets when the endpoint closes.
const PATIENCE: Duration = Duration::from_secs(2);
/// The deadline of the head of a request: a connection that says nothing is closed after it.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// The deadline of a connection, from its first byte to its last: a webhook has ten seconds for its body.
pub(super) const CONNECTION_TIMEOUT: Duration = Duration::from_secs(20);
/// The most connections that are open at once. Runs need descriptors too, and a process may have as few as 128.
pub(super) const CONNECTIONS: usize = 32;
/// The longest head of a request that is read, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;
/// The wait when the system has no descriptor left for a connection.
const NO_DESCRIPTOR: Duration = Duration::from_millis(500);

/// Holds the data that the endpoint shows.
#[derive(Clone)]
pub struct View {
    /// The state of jobs.
    pub board: StatusBoard,
    /// The present instant.
    pub clock: Clock,
    /// The age that data may have; by default as the rhythm of each job makes it.
    pub ready_within: Option<Duration>,
    /// Whose calls are taken.
    pub webhooks: Webhooks,
    /// Shows and does what the widget of Grist documents asks for; `None` serves no widget.
    pub widget: Option<Arc<dyn WidgetSource>>,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("ready_within", &self.ready_within).finish_non_exhaustive()
    }
}

/// An endpoint that listens. It answers `GET` and `HEAD` of three paths, without a password and without anything personal:
///
/// - `/healthz`: 200, as long as the process answers at all;
/// - `/readyz`: 200, or 503 and one line for each démarche whose data is too old ([`late`]);
/// - `/metrics`: the text that Prometheus reads ([`metrics()`]).
///
/// and `POST` of the secret path of each instance that has one ([`Webhooks`]), `/webhooks/…`: 204, whatever the call says; 413
/// for a body of more than 8 KiB.
///
/// and the widget of Grist documents below `/grist`, where the view has one ([`WidgetSource`]): it obeys people who prove by
/// Grist's own access token that they may edit the document.
///
/// Everything else is 404. A connection serves one request, for twenty seconds at most, five of them for its head; of more
/// than 32 at once the oldest is closed, so that no flood of idle connections keeps a monitor out or takes the descriptors
/// that runs need. It closes when it is dropped.
#[derive(Debug)]
#[must_use = "the endpoint closes when it is dropped"]
pub struct Endpoint {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the system gives the address to nobody, or has given it to another program.
    pub async fn open(address: SocketAddr, view: View) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let router = Router::new().fallback(answer).with_state(view);
        let task = tokio::spawn(accept(listener, router, stopped));
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

/// Takes connections until it is stopped, then waits for those that are open.
async fn accept(listener: TcpListener, router: Router, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    let mut oldest_first: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let accepted = tokio::select! {
            // A sender that is dropped says the same as one that sends.
            _ = &mut stopped => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection to the endpoint could not be accepted");
                // Whoever gave up before is no reason to wait.
                if !matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) {
                    sleep(NO_DESCRIPTOR).await;
                }
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        oldest_first.retain(|connection| !connection.is_finished());
        if oldest_first.len() >= CONNECTIONS
            && let Some(oldest) = oldest_first.pop_front()
        {
            oldest.abort();
        }
        oldest_first.push_back(connections.spawn(serve_one(stream, router.clone())));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Serves the one request of a connection.
async fn serve_one(stream: TcpStream, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .keep_alive(false)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match timeout(CONNECTION_TIMEOUT, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the endpoint ended early"),
        Err(_) => tracing::debug!("a connection to the endpoint took too long"),
    }
}

async fn answer(State(view): State<View>, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    if let Some(source) = view.widget.as_deref().filter(|_| widget::is_ours(&path)) {
        return widget::answer(source, request).await;
    }
    match receive(&view.webhooks, &view.board, request).await {
        Some(status) => status.into_response(),
        None => tell(&view, &method, &path),
    }
}

fn tell(view: &View, method: &Method, path: &str) -> Response {
    const TEXT: &str = "text/plain; charset=utf-8";
    let (jobs, now) = (view.board.snapshot(), (view.clock)());
    // The answer to HEAD is that to GET; the server leaves its body out.
    let path = if [Method::GET, Method::HEAD].contains(method) { path } else { "" };
    let (status, kind, body) = match path {
        "/healthz" => (StatusCode::OK, TEXT, "ok\n".to_owned()),
        "/readyz" => match late(&jobs, view.ready_within, now) {
            late if late.is_empty() => (StatusCode::OK, TEXT, "ready\n".to_owned()),
            late => (StatusCode::SERVICE_UNAVAILABLE, TEXT, late.join("\n") + "\n"),
        },
        "/metrics" => {
            (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics(&jobs, &view.board.instances(), now))
        }
        _ => (StatusCode::NOT_FOUND, TEXT, "there are /healthz, /readyz and /metrics\n".to_owned()),
    };
    (status, [(CONTENT_TYPE, kind)], body).into_response()
}
