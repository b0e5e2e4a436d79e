//! Between a client and a Grist: tells what was asked, and fails on demand. The same for the fake and for a real one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request that went through.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    pub body: String,
    /// What was answered; 0 for nothing.
    pub status: u16,
}

impl Asked {
    /// Whether it writes.
    pub fn writes(&self) -> bool {
        self.method != "GET" && !self.path.ends_with("/sql") && !self.path.ends_with("/records/list")
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The request never arrives.
    Cut,
    /// It is done, and its answer never arrives.
    LoseAnswer,
    /// It is on its way for so long that whoever asked gives up: see [`Wire::deliver`].
    Late,
    /// It never arrives, and this is answered.
    Answer(u16, &'static str),
}

/// Which requests a fault strikes.
type Which = Box<dyn Fn(&Asked) -> bool + Send>;

struct Plan {
    which: Which,
    fault: Fault,
    times: usize,
}

#[derive(Default)]
struct Desk {
    asked: Vec<Asked>,
    plans: Vec<Plan>,
    late: Vec<Request>,
    now: usize,
    most: usize,
}

/// A proxy on loopback. It stops when it is dropped.
pub struct Wire {
    url: String,
    upstream: String,
    desk: Arc<Mutex<Desk>>,
    task: JoinHandle<()>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A client for what the client of this crate never asks.
pub fn http() -> reqwest::Client {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // Another client of this process may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

impl Wire {
    /// A proxy of the Grist at this address.
    pub async fn to(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let desk: Arc<Mutex<Desk>> = Arc::default();
        let upstream = upstream.trim_end_matches('/').to_owned();
        let (shared, http, onward) = (desk.clone(), http(), upstream.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (upstream, desk, http) = (onward.clone(), shared.clone(), http.clone());
                tokio::spawn(async move { pass(stream, &upstream, &desk, &http).await });
            }
        });
        Self { url, upstream, desk, task }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// What was asked since the last [`Wire::forget`].
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.desk).asked.clone()
    }

    /// The writes among them.
    pub fn writes(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(Asked::writes).collect()
    }

    /// How many requests were under way together at most.
    pub fn most_at_once(&self) -> usize {
        lock(&self.desk).most
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        let mut desk = lock(&self.desk);
        desk.asked.clear();
        desk.most = 0;
    }

    /// Fails so many times at such requests.
    pub fn fail(&self, fault: Fault, times: usize, which: impl Fn(&Asked) -> bool + Send + 'static) {
        lock(&self.desk).plans.push(Plan { which: Box::new(which), fault, times });
    }

    /// Fails at the next write.
    pub fn fail_a_write(&self, fault: Fault) {
        self.fail(fault, 1, Asked::writes);
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
        let late = std::mem::take(&mut lock(&self.desk).late);
        for request in &late {
            drop(forward(request, &self.upstream, &http()).await);
        }
        late.len()
    }

    /// Is a good wire again.
    pub fn mend(&self) {
        lock(&self.desk).plans.clear();
    }
}

/// A test that fails while it holds the lock shows its own message.
fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request as it came.
#[derive(Clone)]
struct Request {
    asked: Asked,
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
    Some(Request { asked: Asked { method, path, body: text, status: 0 }, headers, body })
}

/// Answers the one request of a connection.
async fn pass(mut stream: TcpStream, upstream: &str, desk: &Mutex<Desk>, http: &reqwest::Client) {
    let Some(mut request) = read(&mut stream).await else { return };
    let fault = begin(desk, &request.asked);
    let answer = match fault {
        Some(Fault::Cut) => None,
        Some(Fault::Answer(status, body)) => Some((status, body.as_bytes().to_vec())),
        Some(Fault::LoseAnswer) => {
            drop(forward(&request, upstream, http).await);
            None
        }
        Some(Fault::Late) => {
            lock(desk).late.push(request.clone());
            None
        }
        None => forward(&request, upstream, http).await,
    };
    request.asked.status = answer.as_ref().map_or(0, |(status, _)| *status);
    {
        let mut desk = lock(desk);
        desk.now -= 1;
        desk.asked.push(request.asked);
    }
    let Some((status, body)) = answer else { return };
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // Whoever asked may have lost patience.
    let _sent = stream.write_all(&[head.into_bytes(), body].concat()).await;
}

fn begin(desk: &Mutex<Desk>, asked: &Asked) -> Option<Fault> {
    let mut desk = lock(desk);
    desk.now += 1;
    desk.most = desk.most.max(desk.now);
    let plan = desk.plans.iter_mut().find(|plan| plan.times > 0 && (plan.which)(asked))?;
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
