//! Whose call it is, and what becomes of it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tracing::debug;

use super::named::named;
use super::path::SecretPath;
use crate::ids::{DossierNumber, Scope};
use crate::serve::budget::CallBudget;
use crate::serve::status_board::StatusBoard;

/// The prefix of the path of a call; the secret follows.
const PREFIX: &str = "/webhooks/";
/// The largest body that is read. The platform's has about a hundred bytes.
const LARGEST: usize = 8 * 1024;
/// The deadline of the body of a call. The platform waits for its answer for ten seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// The number of calls of an instance that are taken at once: a decision on that many dossiers is not unusual.
const AT_ONCE: u32 = 200;
/// After how long there is room for one more: five in a second.
const EACH: Duration = Duration::from_millis(200);

/// A call said that something may have happened to a dossier. Nobody vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The démarche that it names, one that is followed here.
    pub scope: Scope,
    /// The dossier that it names.
    pub dossier: DossierNumber,
}

/// Counts the calls to the address of an instance since this process began, by their outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HintCounts {
    /// Somebody will look.
    pub accepted: u64,
    /// No such démarche is followed here.
    pub unknown: u64,
    /// No two numbers were in them, or the démarche is paused.
    pub ignored: u64,
    /// Too many came at once.
    pub limited: u64,
}

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Outcome {
    Accepted,
    Unknown,
    Ignored,
    Limited,
}

impl HintCounts {
    /// Counts one more.
    pub(in crate::serve) fn add(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Accepted => &mut self.accepted,
            Outcome::Unknown => &mut self.unknown,
            Outcome::Ignored => &mut self.ignored,
            Outcome::Limited => &mut self.limited,
        } += 1;
    }
}

/// Who may call, and where it is told. Clones are handles on the same.
#[derive(Clone)]
pub struct Webhooks {
    callers: Arc<Mutex<Vec<Caller>>>,
    hints: mpsc::Sender<Hint>,
    since: Instant,
}

/// An instance of the platform that has an address to call.
struct Caller {
    instance: String,
    path: SecretPath,
    budget: CallBudget,
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").field("callers", &self.callers().len()).finish_non_exhaustive()
    }
}

impl fmt::Display for Webhooks {
    /// Which instances may call: `webhooks of dn, ds`, or `no webhook`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let callers = self.callers();
        match callers.iter().map(|caller| caller.instance.as_str()).collect::<Vec<_>>() {
            none if none.is_empty() => f.write_str("no webhook"),
            some => write!(f, "webhooks of {}", some.join(", ")),
        }
    }
}

impl Webhooks {
    /// Nobody may call yet. Hints go to the loop ([`serve`](crate::serve::serve)); what finds no room there is dropped.
    #[must_use]
    pub fn new(hints: mpsc::Sender<Hint>) -> Self {
        Self { callers: Arc::default(), hints, since: Instant::now() }
    }

    /// From now on these instances may call, each at its own path, and no others.
    pub fn admit(&self, paths: impl IntoIterator<Item = (String, SecretPath)>) {
        let callers =
            paths.into_iter().map(|(instance, path)| Caller { instance, path, budget: CallBudget::new(AT_ONCE, EACH) });
        *self.callers() = callers.collect();
    }

    /// The instance that a request comes from, if it comes from one: the one place that decides whether a call is authentic.
    ///
    /// Today whoever knows the path is the platform, as it signs nothing. A signature over the body would be checked here.
    /// Every path is compared, whichever it was.
    fn authentic(&self, head: &Parts) -> Option<String> {
        if head.method != Method::POST {
            return None;
        }
        let knocked = SecretPath::of(head.uri.path().strip_prefix(PREFIX)?);
        self.callers().iter().fold(None, |found, caller| match caller.path.is(&knocked) {
            true => Some(caller.instance.clone()),
            false => found,
        })
    }

    /// Takes a call of an instance, or refuses it.
    pub(in crate::serve) fn take(&self, instance: &str, body: &[u8], board: &StatusBoard) -> Outcome {
        let now = self.since.elapsed();
        let has_room = |caller: &mut Caller| caller.instance == instance && caller.budget.take(now);
        if !self.callers().iter_mut().any(has_room) {
            return Outcome::Limited;
        }
        let Some((demarche, dossier)) = named(body) else { return Outcome::Ignored };
        let scope = Scope { instance: instance.to_owned(), demarche };
        match board.is_awake(&scope) {
            None => Outcome::Unknown,
            Some(false) => Outcome::Ignored,
            Some(true) => match self.hints.try_send(Hint { scope, dossier }) {
                Ok(()) => Outcome::Accepted,
                Err(_) => Outcome::Limited,
            },
        }
    }

    fn callers(&self) -> MutexGuard<'_, Vec<Caller>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers a call; `None` when it is none of an instance's. The answer says nothing of what became of it: the platform does
/// not read it, and whoever else found the path learns nothing.
pub(in crate::serve) async fn receive(
    webhooks: &Webhooks,
    board: &StatusBoard,
    request: Request,
) -> Option<StatusCode> {
    let (head, body): (Parts, Body) = request.into_parts();
    let instance = webhooks.authentic(&head)?;
    let (outcome, answer) = match timeout(PATIENCE, to_bytes(body, LARGEST)).await {
        Ok(Ok(body)) => (webhooks.take(&instance, &body, board), StatusCode::NO_CONTENT),
        Ok(Err(_)) => (Outcome::Ignored, StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => (Outcome::Ignored, StatusCode::REQUEST_TIMEOUT),
    };
    board.called(&instance, outcome);
    debug!(instance, ?outcome, "a call to the webhook of {instance}");
    Some(answer)
}
