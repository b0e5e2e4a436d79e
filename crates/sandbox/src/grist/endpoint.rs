//! Checks limits, keys and faults before a document is reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

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
    match key(grist, request) {
        Ok(key) => route(grist, request, key).await.unwrap_or_else(Answer::from),
        Err(failure) => failure.into(),
    }
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

async fn route(grist: &Grist, request: &Request, key: Option<&str>) -> Result<Answer, Failure> {
    let is_json = !request.content_type.starts_with("multipart/");
    if is_json && request.body.len() > BODY {
        return Err(Failure::refused(413, "request entity too large"));
    }
    let Some(id) = request.document() else {
        return rest::home(&mut grist.site(), request, key).map(|body| Answer::json(&body));
    };
    let (document, role) = {
        let site = grist.site();
        let id = site.id_of(id);
        let document = site.documents.get(&id).cloned().ok_or_else(|| Failure::refused(404, "document not found"))?;
        (document, site.keys.role(key, &id))
    };
    if document.engine().trashed {
        return Err(Failure::refused(404, "Document is deleted"));
    }
    if request.path.len() == 2 {
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
