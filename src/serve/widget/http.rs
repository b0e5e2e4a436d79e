//! The requests of the widget: what is answered, with which headers, up to which size.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;
use tracing::debug;

use super::{WidgetCommand, WidgetRefusal, WidgetSource};

/// The path of the page; everything of the widget lies under it.
const PATH: &str = "/grist";
/// The longest body, in bytes.
const LARGEST: usize = 4 * 1024;
/// The longest token: those of Grist have some 250 bytes.
const LONGEST_TOKEN: usize = 4 * 1024;
/// The deadline of a body.
const PATIENCE: Duration = Duration::from_secs(5);
/// The deadline of an answer of Grist.
const GRIST: Duration = Duration::from_secs(12);

const HTML: &str = include_str!("page.html");
const CSS: &str = include_str!("page.css");
const JS: &str = include_str!("page.js");

/// Returns true for a path of the widget.
pub(in crate::serve) fn is_ours(path: &str) -> bool {
    path == PATH || path.strip_prefix(PATH).is_some_and(|rest| rest.starts_with('/'))
}

/// The body of a request of the page.
#[derive(Deserialize)]
struct Question {
    /// The document, by its id in the configuration.
    document: Option<String>,
    #[serde(flatten)]
    command: Option<WidgetCommand>,
}

/// Answers a request of the widget.
pub(in crate::serve) async fn answer(source: &dyn WidgetSource, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let reads = [Method::GET, Method::HEAD].contains(&head.method);
    let response = match head.uri.path().strip_prefix(PATH).unwrap_or_default() {
        "" | "/" if reads => text("text/html; charset=utf-8", page(&source.origins())),
        "/page.css" if reads => text("text/css; charset=utf-8", CSS.to_owned()),
        "/page.js" if reads => text("text/javascript; charset=utf-8", JS.to_owned()),
        place @ ("/state" | "/ask") if head.method == Method::POST => match question(&head, body).await {
            Ok((token, question)) => asked(source, place, &token, question).await,
            Err(status) => status.into_response(),
        },
        "" | "/" | "/page.css" | "/page.js" | "/state" | "/ask" => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    };
    guarded(response, &source.origins())
}

/// The page, with the origins of the Grist servers to which it may speak.
fn page(origins: &[String]) -> String {
    let origins: Vec<String> = origins.iter().map(|origin| escaped(origin)).collect();
    HTML.replace("{origins}", &origins.join(" "))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

fn text(kind: &'static str, body: String) -> Response {
    ([(CONTENT_TYPE, kind)], body).into_response()
}

/// Adds the headers without which a browser would let foreign pages show the widget, or the widget load foreign things.
fn guarded(mut response: Response, origins: &[String]) -> Response {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors {}",
        origins.join(" ")
    );
    let headers: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, &policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in headers {
        // An origin is an address, which has no character that a header could not have.
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Reads a request of the page, after everything about it that needs no body.
async fn question(head: &Parts, body: Body) -> Result<(SecretString, Question), StatusCode> {
    let header = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    // A form of a foreign page cannot send JSON without asking first, and nobody answers that question.
    if is_foreign(&head.headers) || header(CONTENT_TYPE) != Some("application/json") {
        return Err(StatusCode::FORBIDDEN);
    }
    let token = header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let token = token.filter(|token| !token.is_empty() && token.len() <= LONGEST_TOKEN);
    let token = SecretString::from(token.ok_or(StatusCode::UNAUTHORIZED)?);
    let body = match timeout(PATIENCE, to_bytes(body, LARGEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => return Err(StatusCode::REQUEST_TIMEOUT),
    };
    let question = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok((token, question))
}

/// Returns true for a request that a page of another origin sends. Browsers say so themselves; an older one is judged by the
/// address that it called.
fn is_foreign(headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = header("sec-fetch-site") {
        return site != "same-origin";
    }
    let Some(origin) = header(ORIGIN.as_str()) else { return false };
    origin.split_once("://").map(|(_, host)| host) != header(HOST.as_str())
}

async fn asked(source: &dyn WidgetSource, place: &str, token: &SecretString, question: Question) -> Response {
    let Question { document, command } = question;
    let work = async {
        match (place, &command) {
            ("/state", _) => source.state(document.as_deref(), token).await.map(|state| json!(state)),
            (_, Some(command)) => source.ask(document.as_deref(), token, command).await.map(|()| json!({})),
            (_, None) => Err(WidgetRefusal::Unknown),
        }
    };
    let answer = timeout(GRIST, work).await.unwrap_or(Err(WidgetRefusal::Unavailable));
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) => {
            debug!(?refusal, "a request of the widget was refused");
            (status(refusal), json!({ "refused": refusal }))
        }
    };
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn status(refusal: WidgetRefusal) -> StatusCode {
    match refusal {
        WidgetRefusal::Unknown => StatusCode::NOT_FOUND,
        WidgetRefusal::Token => StatusCode::UNAUTHORIZED,
        WidgetRefusal::Rights => StatusCode::FORBIDDEN,
        WidgetRefusal::NoTable => StatusCode::CONFLICT,
        WidgetRefusal::TooMany => StatusCode::TOO_MANY_REQUESTS,
        WidgetRefusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_another_origin_is_told_from_our_own() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
        };
        for (pairs, foreign) in [
            (
                &[("sec-fetch-site", "same-origin"), ("origin", "https://dn.example.org"), ("host", "127.0.0.1")][..],
                false,
            ),
            (
                &[("sec-fetch-site", "cross-site"), ("origin", "https://dn.example.org"), ("host", "dn.example.org")],
                true,
            ),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("origin", "https://dn.example.org"), ("host", "dn.example.org")], false),
            (&[("origin", "https://else.example.org"), ("host", "dn.example.org")], true),
            (&[("origin", "null"), ("host", "dn.example.org")], true),
            (&[("host", "dn.example.org")], false),
        ] {
            assert_eq!(is_foreign(&headers(pairs)), foreign, "{pairs:?}");
        }
    }

    #[test]
    fn only_paths_below_the_widget_are_its_own() {
        for (path, ours) in
            [("/grist", true), ("/grist/", true), ("/grist/state", true), ("/grists", false), ("/", false)]
        {
            assert_eq!(is_ours(path), ours, "{path}");
        }
    }

    #[test]
    fn the_page_names_nothing_from_elsewhere() {
        for text in [HTML, CSS, JS] {
            assert!(!text.contains("http://") && !text.contains("https://"), "an address of another site");
        }
    }
}
