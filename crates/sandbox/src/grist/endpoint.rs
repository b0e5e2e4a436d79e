//! Checks limits, keys and faults before a document is reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::auth::{AccessToken, Role};
use super::document::Document;
use super::failure::Failure;
use super::fault::Fault;
use super::handle::Grist;
use super::log::Logged;
use super::request::{Answer, Request};
use super::rest::{self, DocumentCall};

/// Largest JSON body (Grist trap 23).
const BODY: usize = 1024 * 1024;

/// Longest path with its query (Grist trap 35).
const ADDRESS: usize = 16 * 1024;

/// Requests to one document at once, all keys together (Grist trap 24).
const IN_FLIGHT: usize = 10;

/// Answers a request; `None` is a closed connection.
pub(super) async fn answer(grist: &Grist, request: Request) -> Option<Answer> {
    let route = request.route();
    let (received, write) = (request.body.len(), request.writes());
    let document = request.document().unwrap_or_default().to_owned();
    let fault = grist.strike(&route, write, &request.body);
    let answer = match fault {
        Some(Fault::CloseBefore) => None,
        Some(Fault::Answer { status, body }) => Some(instead(status, body)),
        Some(Fault::LoseAnswer) => {
            drop(execute(grist, &request).await);
            None
        }
        Some(Fault::AnswerAfter { status, body }) => {
            drop(execute(grist, &request).await);
            Some(instead(status, body))
        }
        None => Some(execute(grist, &request).await),
    };
    let (status, sent) = answer.as_ref().map_or((0, 0), |answer| (answer.status, answer.body.len()));
    grist.record(Logged { route, document, status, write, received, sent });
    answer
}

fn instead(status: u16, body: String) -> Answer {
    let json = serde_json::from_str::<serde_json::Value>(&body).is_ok();
    Answer::raw(status, if json { "application/json; charset=utf-8" } else { "text/html" }, body.into_bytes())
}

async fn execute(grist: &Grist, request: &Request) -> Answer {
    if request.address_length > ADDRESS {
        return Answer::raw(431, "text/plain", Vec::new());
    }
    match asker(grist, request) {
        Ok(asker) => route(grist, request, asker).await.unwrap_or_else(Answer::from),
        Err(failure) => failure.into(),
    }
}

/// Who asks.
enum Asker<'a> {
    /// An account by its key; none at all is a visitor without a name.
    Key(Option<&'a str>),
    /// A person by an access token, which the address has. The key of the request is not looked at then.
    Person(AccessToken),
}

fn asker<'a>(grist: &Grist, request: &'a Request) -> Result<Asker<'a>, Failure> {
    let Some(token) = request.query.get("auth") else { return key(grist, request).map(Asker::Key) };
    let token = grist.site().tokens.verify(token).cloned().map_err(|words| Failure::refused(401, words))?;
    if request.method != "GET" && !request.requested_with && !request.content_type.starts_with("application/json") {
        let words = "Unauthenticated requests require one of the headers'Content-Type: application/json' or \
                     'X-Requested-With: XMLHttpRequest'";
        return Err(Failure::refused(401, words));
    }
    Ok(Asker::Person(token))
}

/// The key of the request; none at all is a visitor without a name.
fn key<'a>(grist: &Grist, request: &'a Request) -> Result<Option<&'a str>, Failure> {
    let refused = |text: &str| Failure::refused(401, format!("Bad request: {text}"));
    let Some(header) = &request.authorization else { return Ok(None) };
    let Some(key) = header.strip_prefix("Bearer ") else {
        return Err(refused("unsupported Authorization scheme, expected 'Bearer'"));
    };
    if grist.site().keys.knows(key) { Ok(Some(key)) } else { Err(refused("invalid API key")) }
}

async fn route(grist: &Grist, request: &Request, asker: Asker<'_>) -> Result<Answer, Failure> {
    let is_json = !request.content_type.starts_with("multipart/");
    if is_json && request.body.len() > BODY {
        return Err(Failure::refused(413, "request entity too large"));
    }
    let (key, person) = match asker {
        Asker::Key(key) => (key, None),
        Asker::Person(token) => (None, Some(token)),
    };
    let Some(id) = request.document() else {
        return rest::home(&mut grist.site(), request, key).map(|body| Answer::json(&body));
    };
    let (document, role) = {
        let site = grist.site();
        let id = site.id_of(id);
        if person.as_ref().is_some_and(|token| token.document != id) {
            return Err(Failure::refused(403, "Document access denied"));
        }
        let document = site.documents.get(&id).cloned().ok_or_else(|| Failure::refused(404, "document not found"))?;
        let role = match &person {
            Some(token) if token.read_only => site.keys.role(Some(&token.key), &id).map(|_| Role::Viewer),
            Some(token) => site.keys.role(Some(&token.key), &id),
            None => site.keys.role(key, &id),
        };
        (document, role)
    };
    if document.engine().trashed {
        return Err(Failure::refused(404, "Document is deleted"));
    }
    if request.path.len() == 2 {
        // Even an owner learns nothing about the document as a whole with a token.
        if person.is_some() {
            return Err(Failure::refused(403, "access denied"));
        }
        return rest::home(&mut grist.site(), request, key).map(|body| Answer::json(&body));
    }
    let role = role.ok_or_else(|| Failure::refused(403, "No view access"))?;
    let _place = Place::take(&document)?;
    grist.wait_while_held().await;
    rest::answer(&DocumentCall { request, document: &document, role }).await
}

/// A place among the requests in flight, given back when it is dropped.
struct Place(Arc<Document>);

impl Place {
    fn take(document: &Arc<Document>) -> Result<Self, Failure> {
        let counter: &AtomicUsize = &document.in_flight;
        let place = Self(Arc::clone(document));
        if counter.fetch_add(1, Ordering::SeqCst) < IN_FLIGHT {
            return Ok(place);
        }
        let text = format!("Too many backlogged requests for document {} - try again later?", document.id);
        Err(Failure::Refused { status: 429, message: text, details: None })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The landing page: a browser or a wrong address gets HTML.
pub(super) fn outside() -> Answer {
    Answer::of(404, &json!({ "error": "not found" }))
}
