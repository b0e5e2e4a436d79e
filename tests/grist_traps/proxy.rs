//! Proxies requests between a client and a Grist, imitated or real: records them, and fails on demand.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request that went through.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    pub method: String,
    /// With its query.
    pub path: String,
    pub body: String,
    /// The status of the answer; 0 for none.
    pub status: u16,
}

impl RecordedRequest {
    /// `true` for a writing request.
    pub fn writes(&self) -> bool {
        self.method != "GET" && !self.path.ends_with("/sql") && !self.path.ends_with("/records/list")
    }
}

/// A fault to inject.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The request never arrives.
    Cut,
    /// It is done, and its answer never arrives.
    LoseAnswer,
    /// It is on its way for so long that whoever asked gives up: see [`Proxy::deliver`].
    Late,
    /// It never arrives, and this is answered.
    Answer(u16, &'static str),
}

/// Selects the requests that a fault strikes.
type Which = Box<dyn Fn(&RecordedRequest) -> bool + Send>;

struct PlannedFault {
    which: Which,
    fault: Fault,
    times: usize,
}

#[derive(Default)]
struct ProxyState {
    asked: Vec<RecordedRequest>,
    plans: Vec<PlannedFault>,
    late: Vec<Request>,
    now: usize,
    most: usize,
}

/// A proxy on loopback. It stops when it is dropped.
pub struct Proxy {
    url: String,
    upstream: String,
    state: Arc<Mutex<ProxyState>>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Makes a client for requests that the client of this crate never sends.
pub fn http() -> reqwest::Client {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // Another client of this process may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

impl Proxy {
    /// A proxy of the Grist at this address.
    pub async fn to(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state: Arc<Mutex<ProxyState>> = Arc::default();
        let upstream = upstream.trim_end_matches('/').to_owned();
        let (shared, http, onward) = (state.clone(), http(), upstream.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (upstream, state, http) = (onward.clone(), shared.clone(), http.clone());
                tokio::spawn(async move { pass(stream, &upstream, &state, &http).await });
            }
        });
        Self { url, upstream, state, task }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the requests since the last [`Proxy::forget`].
    pub fn asked(&self) -> Vec<RecordedRequest> {
        lock(&self.state).asked.clone()
    }

    /// The writes among them.
    pub fn writes(&self) -> Vec<RecordedRequest> {
        self.asked().into_iter().filter(RecordedRequest::writes).collect()
    }

    /// Returns the largest number of requests in flight.
    pub fn most_at_once(&self) -> usize {
        lock(&self.state).most
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        let mut state = lock(&self.state);
        state.asked.clear();
        state.most = 0;
    }

    /// Fails so many times at such requests.
    pub fn fail(&self, fault: Fault, times: usize, which: impl Fn(&RecordedRequest) -> bool + Send + 'static) {
        lock(&self.state).plans.push(PlannedFault { which: Box::new(which), fault, times });
    }

    /// Fails at the next write.
    pub fn fail_a_write(&self, fault: Fault) {
        self.fail(fault, 1, RecordedRequest::writes);
    }

    /// Fails so at the next write, and lets nothing through after it.
    pub fn die_at_a_write(&self, fault: Fault) {
        let died = Arc::new(AtomicBool::new(false));
        let dies = died.clone();
        self.fail(fault, 1, move |asked| asked.writes() && !dies.swap(true, Ordering::SeqCst));
        self.fail(Fault::Cut, usize::MAX, move |_| died.load(Ordering::SeqCst));
    }

    /// Delivers what is late, in order, and tells how many there were. Nobody hears of the answers.
    pub async fn deliver(&self) -> usize {
        let late = std::mem::take(&mut lock(&self.state).late);
        for request in &late {
            drop(forward(request, &self.upstream, &http()).await);
        }
        late.len()
    }

    /// Is a good proxy again.
    pub fn mend(&self) {
        lock(&self.state).plans.clear();
    }
}

/// A test that fails while it holds the lock shows its own message.
fn lock(state: &Mutex<ProxyState>) -> MutexGuard<'_, ProxyState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request as it came.
#[derive(Clone)]
struct Request {
    asked: RecordedRequest,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.into()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = bytes.split_off(end + 4);
    while body.len() < length.unwrap_or(0) {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&body).into_owned();
    Some(Request { asked: RecordedRequest { method, path, body: text, status: 0 }, headers, body })
}

/// Answers the one request of a connection.
async fn pass(mut stream: TcpStream, upstream: &str, state: &Mutex<ProxyState>, http: &reqwest::Client) {
    let Some(mut request) = read(&mut stream).await else { return };
    let fault = begin(state, &request.asked);
    let answer = match fault {
        Some(Fault::Cut) => None,
        Some(Fault::Answer(status, body)) => Some((status, body.as_bytes().to_vec())),
        Some(Fault::LoseAnswer) => {
            drop(forward(&request, upstream, http).await);
            None
        }
        Some(Fault::Late) => {
            lock(state).late.push(request.clone());
            None
        }
        None => forward(&request, upstream, http).await,
    };
    request.asked.status = answer.as_ref().map_or(0, |(status, _)| *status);
    {
        let mut state = lock(state);
        state.now -= 1;
        state.asked.push(request.asked);
    }
    let Some((status, body)) = answer else { return };
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // Whoever asked may have lost patience.
    let _sent = stream.write_all(&[head.into_bytes(), body].concat()).await;
}

fn begin(state: &Mutex<ProxyState>, asked: &RecordedRequest) -> Option<Fault> {
    let mut state = lock(state);
    state.now += 1;
    state.most = state.most.max(state.now);
    let plan = state.plans.iter_mut().find(|plan| plan.times > 0 && (plan.which)(asked))?;
    plan.times -= 1;
    Some(plan.fault)
}

async fn forward(request: &Request, upstream: &str, http: &reqwest::Client) -> Option<(u16, Vec<u8>)> {
    let method = request.asked.method.parse().expect("a method");
    let mut onward = http.request(method, format!("{upstream}{}", request.asked.path)).body(request.body.clone());
    for (name, value) in &request.headers {
        if ["authorization", "content-type", "accept"].contains(&name.as_str()) {
            onward = onward.header(name, value);
        }
    }
    let answer = onward.send().await.ok()?;
    Some((answer.status().as_u16(), answer.bytes().await.ok()?.to_vec()))
}
