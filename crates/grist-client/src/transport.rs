//! Sends a request and retries it: the only place that waits.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::answer::{Failure, Fate, failure};
use super::disposition::{Attempt, Disposition, disposition};
use super::doc::Repeat;
use super::error::GristError;
use super::limiter::{DocumentLimiter, Limiters};
use super::request::{Body, Request};
use super::stats::Counters;
use bearer_http::{BodyError, Pace, PermanentFailure, Secret, body, target};

/// The way to an instance, shared by the clones of a client.
#[derive(Debug)]
pub(super) struct Transport {
    pub http: reqwest::Client,
    /// The address of the API, without a slash at the end.
    pub base: Url,
    pub credential: Credential,
    pub limiters: Limiters,
    pub counters: Arc<Counters>,
    /// Time limit for a request, without its extra time.
    pub total_timeout: Duration,
    /// The largest answer that is read, in bytes.
    pub body_limit: usize,
    /// By how much waits between attempts are multiplied.
    pub pace: Pace,
}

/// Who asks. Never both at once: Grist must not have a choice.
#[derive(Debug)]
pub(super) enum Credential {
    /// An account, by its API key.
    Key(Secret),
    /// A person, by the access token that Grist gave to a widget of a document. It goes in the address, as Grist has no
    /// other place for it.
    AccessToken(SecretString),
}

/// A failed attempt, with what its headers say.
struct Missed {
    failure: Failure,
    retry_after: Option<Duration>,
}

impl From<Failure> for Missed {
    fn from(failure: Failure) -> Self {
        Self { failure, retry_after: None }
    }
}

impl Transport {
    /// An address of the API, each part encoded.
    pub(super) fn url<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.base.clone();
        // An address that cannot be a base was refused with its scheme.
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(parts);
        }
        url
    }

    /// Sends a request until it is answered in a way that `read` accepts, or until trying again is no use.
    ///
    /// # Errors
    /// The last error; [`GristError::Unclear`] for a write that must not be repeated and may have been done.
    pub(super) async fn ask<T>(
        &self,
        limiter: Option<&DocumentLimiter>,
        request: &Request,
        read: impl Fn(&[u8]) -> Result<T, GristError>,
    ) -> Result<T, GristError> {
        let mut tried = 0;
        loop {
            let fresh = limiter.is_some_and(DocumentLimiter::fresh);
            let missed = match self.once(limiter, request).await {
                Ok(body) => match read(&body) {
                    Ok(answer) => return Ok(answer),
                    // Grist said that it was done, or something else did.
                    Err(error) => Missed::from(Failure::of(error, Fate::Unknown)),
                },
                Err(missed) => missed,
            };
            let Missed { failure, retry_after } = missed;
            let attempt = Attempt { tried, repeat: request.repeat, fresh, retry_after };
            let after = match disposition(&failure, attempt) {
                Disposition::Retry { after } => after,
                Disposition::Reload { after } => {
                    self.reload(limiter).await;
                    after
                }
                Disposition::Unclear => return Err(GristError::Unclear { message: failure.error.to_string() }),
                Disposition::Stop => return Err(failure.error),
            };
            let wait = self.pace.of(after);
            tracing::debug!(
                what = request.what,
                attempt = tried,
                wait_ms = wait.as_millis(),
                error = failure.error.kind(),
                "asking Grist again later"
            );
            tokio::time::sleep(wait).await;
            Counters::add(&self.counters.retries, 1);
            tried += 1;
        }
    }

    /// Asks for a document to be closed and opened again. Where the key may not, somebody else may do it meanwhile.
    async fn reload(&self, limiter: Option<&DocumentLimiter>) {
        let Some(limiter) = limiter else { return };
        let url = self.url(["docs", limiter.doc.as_str(), "force-reload"]);
        let request = Request::post("a reload", url, Body::Empty, Repeat::Safe);
        if let Err(missed) = self.once(Some(limiter), &request).await {
            tracing::debug!(error = missed.failure.error.kind(), "the document was not reloaded");
        }
    }

    /// Sends a request once, from a place in the limiter that is given back before any wait.
    async fn once(&self, limiter: Option<&DocumentLimiter>, request: &Request) -> Result<Bytes, Missed> {
        let _place = match limiter {
            Some(limiter) => Some(limiter.acquire(request.asked.sql).await),
            None => None,
        };
        Counters::add(&self.counters.requests, 1);
        Counters::add(&self.counters.writes, u64::from(request.writes));
        Counters::add(&self.counters.bytes_sent, request.body_bytes() as u64);
        let answer = self.send(request).await;
        if let Some(limiter) = limiter {
            let away = answer.as_ref().is_err_and(|missed| missed.failure.fate != Fate::Final);
            if !away {
                limiter.meet();
            }
        }
        answer
    }

    async fn send(&self, request: &Request) -> Result<Bytes, Missed> {
        let time = self.total_timeout + request.extra_time;
        let builder = match &self.credential {
            Credential::Key(key) => {
                let key = key.header().map_err(|unfit| Failure::of(unfit.into(), Fate::Final))?;
                self.http.request(request.method.clone(), request.url.clone()).header(AUTHORIZATION, key)
            }
            Credential::AccessToken(token) => {
                let mut url = request.url.clone();
                url.query_pairs_mut().append_pair("auth", token.expose_secret());
                // A token in an address may come from a form of a foreign page, so Grist asks for a header that no form sends.
                self.http.request(request.method.clone(), url).header("X-Requested-With", "XMLHttpRequest")
            }
        };
        let lost = |error| lost(error, time);
        let response = with_body(builder, &request.body).timeout(time).send().await.map_err(lost)?;
        let status = response.status();
        if status.is_redirection() {
            return Err(self.redirected(response.headers()).into());
        }
        let retry_after = response.headers().get(RETRY_AFTER).and_then(seconds);
        let body = self.body(response, time).await?;
        tracing::debug!(what = request.what, status = status.as_u16(), bytes = body.len(), "Grist answered");
        if status.is_success() {
            return Ok(body);
        }
        Err(Missed { failure: failure(&request.asked, status.as_u16(), &body), retry_after })
    }

    /// The body, up to the limit.
    async fn body(&self, response: Response, time: Duration) -> Result<Bytes, Failure> {
        let body = body(response, self.body_limit).await.map_err(|unread| match unread {
            BodyError::Broken(error) => lost(error, time),
            BodyError::TooLarge => {
                let reason = format!("it is larger than {} bytes", self.body_limit);
                Failure::of(GristError::Undecodable { reason }, Fate::Unknown)
            }
        })?;
        Counters::add(&self.counters.bytes_received, body.len() as u64);
        Ok(body)
    }

    /// Where a redirection points.
    fn redirected(&self, headers: &HeaderMap) -> Failure {
        Failure::of(GristError::Redirected { location: target(&self.base, headers) }, Fate::Final)
    }
}

fn with_body(builder: RequestBuilder, body: &Body) -> RequestBuilder {
    match body {
        Body::Empty => builder,
        Body::Json(bytes) => {
            builder.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(bytes.clone())
        }
        Body::File { name, content_type, bytes } => {
            let part = || Part::stream_with_length(bytes.clone(), bytes.len() as u64).file_name(name.clone());
            let typed = content_type.as_deref().and_then(|kind| part().mime_str(kind).ok());
            builder.multipart(Form::new().part("upload", typed.unwrap_or_else(part)))
        }
    }
}

/// The way in which a request was lost.
fn lost(error: reqwest::Error, time: Duration) -> Failure {
    let away = |message: &str| GristError::Unavailable { status: None, message: message.to_owned() };
    if error.is_builder() {
        let reason = error.without_url().to_string();
        return Failure::of(GristError::Settings { setting: "request", reason }, Fate::Final);
    }
    if let Some(failure) = PermanentFailure::of(&error) {
        let host = error.url().and_then(url::Url::host_str).unwrap_or_default().to_owned();
        return Failure::of(GristError::Unreachable { host, failure }, Fate::Final);
    }
    // A connection that could not be opened carried nothing.
    if error.is_connect() {
        return Failure::of(away("the connection could not be opened"), Fate::NotDone);
    }
    if error.is_timeout() {
        return Failure::of(GristError::TooSlow { seconds: time.as_secs() }, Fate::Unknown);
    }
    Failure::of(away("the connection broke before the answer was complete"), Fate::Unknown)
}

/// A number of seconds. A date is passed over: Grist sends neither.
fn seconds(value: &HeaderValue) -> Option<Duration> {
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
