//! Reads bodies of HTTP answers, in the same way for every client.

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

/// Errors of reading a body.
#[derive(Debug)]
pub enum BodyError {
    /// It is larger than the limit; the rest was not read.
    TooLarge,
    /// The connection failed before its end.
    Broken(reqwest::Error),
}

/// Reads a body, up to `limit` bytes after decompression. An announced length beyond the limit is enough to refuse it.
///
/// # Errors
/// [`BodyError`].
pub async fn body(mut response: Response, limit: usize) -> Result<Bytes, BodyError> {
    let announced = response.content_length().map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced > limit {
        return Err(BodyError::TooLarge);
    }
    let mut body = BytesMut::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Returns the target of a redirection, without the parts of an address that may be secret.
pub fn target(asked: &Url, headers: &HeaderMap) -> String {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let target = location.and_then(|location| asked.join(location).ok());
    target.map_or_else(
        || "an address that cannot be read".to_owned(),
        |url| format!("{}{}", url.origin().ascii_serialization(), url.path()),
    )
}
