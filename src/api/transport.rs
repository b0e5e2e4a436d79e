//! Sends requests over HTTP, with permits, retries and backoff. Nothing else in `api` waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::answer::{cut, exception, may_be_executed};
use super::clock::LocalClock;
use super::disposition::{Attempt, Disposition, disposition, disposition_aside, disposition_of_write};
use super::error::{ApiError, TransportFailure};
use super::exchange::Way;
use super::operation::Request;
use super::page::PAGE_LIMIT;
use super::rate_limit::RateLimiter;
use super::stats::Counters;
use super::wire::{Envelope, decode};
use bearer_http::{BodyError, Pace, PermanentFailure, Secret, body, target};

/// Marks "no answer had a date yet".
const NO_OFFSET: i64 = i64::MIN;

/// Connection, token, rate limiter and counters, shared by the clones of a client.
#[derive(Debug)]
pub(super) struct Transport {
    pub way: Way,
    pub url: Url,
    pub token: Option<Secret>,
    pub limiter: RateLimiter,
    pub counters: Arc<Counters>,
    /// The largest answer that is read, in bytes.
    pub body_limit: usize,
    /// Stretches or shortens the waits between attempts.
    pub pace: Pace,
    /// The clock of this machine.
    pub clock: LocalClock,
    /// The platform's clock minus ours, in seconds.
    offset: AtomicI64,
}

impl Transport {
    pub(super) fn new(way: Way, url: Url, token: Option<Secret>, limiter: RateLimiter) -> Self {
        Self {
            way,
            url,
            token,
            limiter,
            counters: Arc::default(),
            body_limit: usize::MAX,
            pace: Pace::default(),
            clock: LocalClock::default(),
            offset: AtomicI64::new(NO_OFFSET),
        }
    }

    /// Sends a request and reads its answer. Retries transient failures with backoff.
    ///
    /// # Errors
    /// The last error, if its disposition is not to retry.
    pub(super) async fn ask<T>(
        &self,
        request: &Request,
        read: impl Fn(&[u8]) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.send_until(request, disposition, refused, read).await
    }

    /// Sends a side request: like [`ask`](Self::ask) with at most one retry.
    ///
    /// # Errors
    /// The second error, or the first one that a retry would not mend.
    pub(super) async fn ask_aside<T>(
        &self,
        request: &Request,
        read: impl Fn(&[u8]) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.send_until(request, disposition_aside, refused, read).await
    }

    /// Sends a request that must take effect at most once. Retries only if it surely had no effect (trap 59).
    ///
    /// # Errors
    /// The first error that leaves the effect in doubt, or the last one.
    pub(super) async fn ask_once<T>(
        &self,
        request: &Request,
        read: impl Fn(&[u8]) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.send_until(request, disposition_of_write, refused_write, read).await
    }

    async fn send_until<T>(
        &self,
        request: &Request,
        decide: fn(&ApiError, Attempt) -> Disposition,
        refused: Refused,
        read: impl Fn(&[u8]) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut tried = 0;
        loop {
            let asked = Instant::now();
            // Before each attempt: the platform counts retries too, in a fixed window for one text of the header.
            let permit = self.limiter.acquire().await;
            self.counters.wait(asked.elapsed());
            permit.map_err(|error| ApiError::NoPermit { reason: error.reason })?;
            Counters::add(&self.counters.requests, 1);
            let error = match self.send(request, refused).await.and_then(|body| read(&body)) {
                Ok(answer) => {
                    Counters::add(&self.counters.answered, 1);
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let limited = matches!(error, ApiError::RateLimited { .. });
            Counters::add(if limited { &self.counters.rate_limited } else { &self.counters.failed }, 1);
            let attempt = Attempt { tried, page_size: request.page_size, now: self.now() };
            let Disposition::Retry { after } = decide(&error, attempt) else {
                return Err(error);
            };
            let wait = self.pace.of(after);
            tracing::debug!(
                operation = request.operation,
                attempt = tried,
                wait_ms = wait.as_millis(),
                error = error.kind(),
                "request failed; retrying after a backoff"
            );
            if limited {
                // The platform counts by token: a 429 concerns every request that uses it, not only this one.
                self.limiter.hold(wait).await;
                self.counters.wait(wait);
            }
            tokio::time::sleep(wait).await;
            Counters::add(&self.counters.retries, 1);
            tried += 1;
        }
    }

    /// Retries an action that is no request to the platform's API (an upload, a download) with backoff. An attempt
    /// returns `Ok` for an end, good or bad, and `Err` for a failure that may be transient.
    ///
    /// # Errors
    /// The last error, if its disposition is not to retry.
    pub(super) async fn patiently<T, F: Future<Output = Result<T, ApiError>>>(
        &self,
        attempt: impl Fn() -> F,
    ) -> Result<T, ApiError> {
        let mut tried = 0;
        loop {
            let error = match attempt().await {
                Ok(end) => return Ok(end),
                Err(error) => error,
            };
            let attempt = Attempt { tried, page_size: 0, now: self.now() };
            let Disposition::Retry { after } = disposition(&error, attempt) else { return Err(error) };
            tokio::time::sleep(self.pace.of(after)).await;
            Counters::add(&self.counters.retries, 1);
            tried += 1;
        }
    }

    /// Returns the platform's present instant, or ours before its first answer.
    pub(super) fn now(&self) -> Timestamp {
        let now = self.clock.now();
        // The platform's instants (`RateLimit-Reset`, `updatedSince`) are compared with its own clock: a host may be
        // minutes off.
        let offset = self.offset().unwrap_or(0);
        Timestamp::from_second(now.as_second().saturating_add(offset)).unwrap_or(now)
    }

    /// Returns the platform's clock minus ours, in seconds; `None` before its first answer.
    pub(super) fn offset(&self) -> Option<i64> {
        Some(self.offset.load(Ordering::Relaxed)).filter(|offset| *offset != NO_OFFSET)
    }

    /// Sends a request once and returns the body of a successful answer.
    async fn send(&self, request: &Request, refused: Refused) -> Result<Bytes, ApiError> {
        let mut asked = reqwest::Request::new(Method::POST, self.url.clone());
        asked.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(token) = &self.token {
            asked.headers_mut().insert(AUTHORIZATION, token.header()?);
        }
        *asked.body_mut() = Some(request.body.clone().into());
        let response = self.way.exchange(&self.url, asked).await?;
        self.note_date(response.headers());
        let status = response.status();
        // The status comes before the body: most bodies of failures are not GraphQL (docs/platform.md#statuses-and-bodies).
        if status.is_redirection() {
            return Err(redirected(&self.url, response.headers()));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(ApiError::RateLimited { until: reset(response.headers()) });
        }
        if matches!(status.as_u16(), 408 | 425 | 501..=599) {
            return Err(ApiError::Unavailable { status: status.as_u16() });
        }
        let body = self.body(request, response).await?;
        tracing::debug!(operation = request.operation, status = status.as_u16(), bytes = body.len(), "answered");
        if status.is_success() { Ok(body) } else { Err(refused(request, status, &body)) }
    }

    /// Reads the body, up to the limit.
    async fn body(&self, request: &Request, response: Response) -> Result<Bytes, ApiError> {
        // Only a page can be cut into smaller ones; one dossier is read whole, up to the larger limit.
        let limit = if request.page_size > 1 { self.body_limit.min(PAGE_LIMIT) } else { self.body_limit };
        let body = body(response, limit).await.map_err(|unread| match unread {
            BodyError::Broken(error) => failed(&self.url, error),
            BodyError::TooLarge => ApiError::TooLarge { what: request.what.clone(), limit },
        })?;
        Counters::add(&self.counters.bytes, body.len() as u64);
        Ok(body)
    }

    fn note_date(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|value| value.to_str().ok());
        if let Some(date) = date.and_then(|text| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()) {
            self.offset.store(date.as_second() - self.clock.now().as_second(), Ordering::Relaxed);
        }
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

pub(super) fn failed(url: &Url, error: reqwest::Error) -> ApiError {
    // A connection that takes too long to open is a connection problem, not a page too heavy.
    let failure = if let Some(failure) = PermanentFailure::of(&error) {
        TransportFailure::Permanent(failure)
    } else if error.is_connect() {
        TransportFailure::Connect
    } else if error.is_timeout() {
        TransportFailure::Timeout
    } else {
        TransportFailure::Broken
    };
    ApiError::Transport { host: host(url), failure, source: Some(Box::new(error.without_url())) }
}

/// Reports a redirection. It is never followed: a POST would become a GET without a body (trap 55).
pub(super) fn redirected(url: &Url, headers: &HeaderMap) -> ApiError {
    ApiError::Redirected { host: host(url), location: target(url, headers) }
}

/// Reads the instant at which the platform accepts requests again: `RateLimit-Reset` in seconds since 1970. There is no
/// `Retry-After` (trap 54).
fn reset(headers: &HeaderMap) -> Option<Timestamp> {
    let seconds = headers.get("RateLimit-Reset")?.to_str().ok()?.trim().parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// Converts a status that is neither a success nor transient into an error.
type Refused = fn(&Request, StatusCode, &[u8]) -> ApiError;

/// Converts such a status of a mutation. An error of the platform itself may come after the effect.
fn refused_write(request: &Request, status: StatusCode, body: &[u8]) -> ApiError {
    match (status.as_u16(), may_be_executed(body)) {
        // The platform checks the token before it executes anything.
        (401 | 403 | 500, _) | (_, None) => refused(request, status, body),
        (_, Some(error)) => request.partial(Some(&error)),
    }
}

/// Converts a status that is neither a success nor transient into the error of a query.
fn refused(request: &Request, status: StatusCode, body: &[u8]) -> ApiError {
    let errors = decode::<Envelope<serde::de::IgnoredAny>>(body).ok().and_then(|envelope| envelope.errors);
    let errors = errors.unwrap_or_default();
    let code = errors.iter().find_map(|error| error.code().map(str::to_owned));
    let message = errors.first().map(|error| cut(&error.message));
    match status.as_u16() {
        401 | 403 => ApiError::TokenRefused {
            code: code.unwrap_or_else(|| status.as_str().to_owned()),
            message: message.unwrap_or_else(|| format!("HTTP {}", status.as_u16())),
        },
        500 => ApiError::ServerError { what: request.what.clone(), exception: exception(&errors) },
        _ => ApiError::Rejected {
            operation: request.operation.to_owned(),
            code: code.or_else(|| Some(status.as_str().to_owned())),
            message: message.unwrap_or_else(|| format!("this address answers HTTP {}", status.as_u16())),
        },
    }
}
