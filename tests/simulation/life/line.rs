//! Network between one process and the platform.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use demarche_numerique::api::{Exchange, TransportFailure};
use demarche_numerique::sandbox::{self, Incoming, Random};
use futures_util::future::BoxFuture;
use reqwest::{Request, Response};
use serde_json::Value as Json;
use tokio::time::{Instant, sleep};

use super::lost_answers::{Cut, Write, WriteTrouble};
use super::stage::Stage;
use super::trouble::Trouble;

/// When a client gives up by default.
const PATIENCE: Duration = Duration::from_secs(45);
/// The window of the platform's limit.
const MINUTE: Duration = Duration::from_secs(60);

/// The line between one process and the platform: what goes over it is counted, and lost as the plan says.
#[derive(Debug)]
pub struct Line {
    stage: Arc<Stage>,
    /// The largest number of requests in any minute.
    limit: usize,
    /// The largest page.
    page: u64,
    sent: Mutex<VecDeque<Instant>>,
}

impl Line {
    /// A line that nothing went over yet.
    pub fn new(stage: &Arc<Stage>, limit: u32, page: u8) -> Arc<Self> {
        let sent = Mutex::default();
        Arc::new(Self { stage: Arc::clone(stage), limit: limit as usize, page: u64::from(page), sent })
    }

    /// The rules that every request keeps.
    fn check(&self, name: &str, body: &Json) {
        let now = Instant::now();
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        while sent.front().is_some_and(|first| *first + MINUTE <= now) {
            sent.pop_front();
        }
        sent.push_back(now);
        if sent.len() > self.limit {
            self.stage.broke(format!("{} requests within a minute, and the limit is {}", sent.len(), self.limit));
        }
        let first = body["variables"]["first"].as_u64();
        // Only pages of whole dossiers are as small as the operator wants them.
        let most = if name == "ListDossiers" { self.page } else { 100 };
        if first.is_some_and(|first| first == 0 || first > most) {
            self.stage.broke(format!("{name} asks for {first:?} dossiers"));
        }
    }
}

impl Exchange for Line {
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportFailure>> {
        Box::pin(async move {
            let stage = &self.stage;
            let (rank, trouble) = stage.request();
            let request = sandbox::incoming(&request);
            let body: Json = serde_json::from_slice(&request.body).unwrap_or_default();
            let name = body["operationName"].as_str().unwrap_or("a download");
            self.check(name, &body);
            let write = stage.write(name, &body["variables"]);
            let trouble = match &write {
                Some(Write { trouble: WriteTrouble { cut: Cut::Request(trouble), .. }, .. }) => Some(trouble.clone()),
                Some(_) => None,
                None => trouble,
            };
            match &trouble {
                Some(trouble) => stage.tell(&format!("request {rank}: {name}, {trouble:?}")),
                None => stage.tell(&format!("request {rank}: {name} {}", body["variables"])),
            }
            stage.count("requests");
            if trouble.is_some() {
                stage.count("requests that go wrong");
            }
            let mut random = Random::of(&[stage.seed, 0x11e, u64::from(rank)]);
            let mut some = |most: u64| Duration::from_millis(1 + random.below(most));
            let (there, back, dead) = (some(200), some(900), some(29_000));
            match trouble {
                Some(Trouble::Refused) => {
                    sleep(there).await;
                    return Err(TransportFailure::Connect);
                }
                Some(Trouble::Lost { silent }) => return Err(gone(silent, there).await),
                Some(Trouble::Late(after)) => {
                    stage.arrives(PATIENCE + after, request);
                    return Err(gone(true, there).await);
                }
                _ => {}
            }
            let wire = OnTheWire { stage, after: dead, request: Some(request) };
            sleep(there).await;
            let request = wire.arrived();
            if let Some(Trouble::Fault(fault)) = &trouble {
                stage.sandbox.fault(fault.clone());
            }
            let answer = stage.execute(Some(rank), &request);
            write.iter().for_each(|write| stage.arrived(write));
            stage.tell(&format!("request {rank}: answered {}, {} bytes", answer.status, answer.body.len()));
            match trouble {
                Some(Trouble::Unheard { silent }) => return Err(gone(silent, back).await),
                Some(Trouble::Slow(more)) => sleep(back + more).await,
                _ => sleep(back).await,
            }
            sandbox::response(answer)
        })
    }
}

/// No answer comes.
async fn gone(silent: bool, after: Duration) -> TransportFailure {
    if silent {
        sleep(PATIENCE).await;
        TransportFailure::Timeout
    } else {
        sleep(after).await;
        TransportFailure::Broken
    }
}

/// A request that has left. When its sender dies meanwhile, it may arrive all the same.
struct OnTheWire<'a> {
    stage: &'a Stage,
    after: Duration,
    request: Option<Incoming>,
}

impl OnTheWire<'_> {
    fn arrived(mut self) -> Incoming {
        self.request.take().expect("it arrives once")
    }
}

impl Drop for OnTheWire<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take()
            && self.after.as_millis().is_multiple_of(2)
        {
            self.stage.arrives(self.after, request);
        }
    }
}
