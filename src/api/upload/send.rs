//! Sends the two requests of an upload: the announcement to the platform, the bytes to its storage.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use super::error::UploadError;
use super::file::Upload;
use crate::api::answer::payload;
use crate::api::client::Client;
use crate::api::error::ApiError;
use crate::api::generated::{demarche_numerique as dn, demat_social as ds};
use crate::api::operation::{Body, Request, encode};
use crate::api::transport::{failed, redirected};
use crate::ids::DossierId;
use crate::platform::Platform;
use bearer_http::{Timeouts, address, client};

/// Signed id of an uploaded file, which a mutation joins to a dossier. It expires after an hour (trap 67); the platform
/// removes after a day what was never joined. Anybody who has the id can join the file, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SignedBlobId(String);

impl SignedBlobId {
    /// Wraps an id exactly as the platform gave it.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Returns the id as the platform gave it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignedBlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Address and headers for the bytes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DirectUpload {
    url: String,
    /// The headers: a JSON object, as a text (trap 67).
    // A JSON text inside the JSON answer (trap 67).
    headers: String,
    signed_blob_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DirectUploadPayload {
    direct_upload: DirectUpload,
}

impl Client {
    /// Uploads a file for a dossier: announces it to the platform, then sends its bytes to the storage, from which the
    /// platform fetches and compares them when a mutation joins them.
    ///
    /// The storage gets exactly the headers that the platform names, and never the token. Both requests are retried
    /// after transient failures: a file that is announced twice and joined once is there once.
    ///
    /// # Errors
    /// [`UploadError`].
    pub async fn upload(&self, dossier: &DossierId, file: &Upload) -> Result<SignedBlobId, UploadError> {
        let request = announced(self.platform(), dossier, file);
        let read = |body: &[u8]| payload::<DirectUploadPayload>(&request, body);
        let prepared = self.transport().ask(&request, read).await?.direct_upload;
        let unusable = |reason: &str| UploadError::Unusable { reason: reason.to_owned() };
        let (url, loopback) = address(&prepared.url).map_err(|unfit| unusable(&unfit.reason))?;
        let headers = headers(&prepared.headers).ok_or_else(|| unusable("its headers cannot be read"))?;
        // The time-outs of the platform do not fit a large file: allow 50 kB a second.
        let total = Duration::from_secs(60 + file.byte_size() / 50_000);
        let timeouts = Timeouts { connect: Duration::from_secs(10), read: None, total };
        let http = client((&url, loopback), HeaderMap::new(), crate::USER_AGENT, timeouts).map_err(ApiError::from)?;
        self.transport().patiently(|| put(&http, &url, &headers, &file.bytes)).await??;
        Ok(SignedBlobId(prepared.signed_blob_id))
    }
}

/// Builds the announcement of a file.
fn announced(platform: Platform, dossier: &DossierId, file: &Upload) -> Request {
    macro_rules! body {
        ($side:ident) => {
            encode(&Body {
                query: $side::create_direct_upload::QUERY,
                operation_name: $side::create_direct_upload::OPERATION_NAME,
                variables: $side::create_direct_upload::Variables {
                    input: $side::create_direct_upload::CreateDirectUploadInput {
                        dossier_id: dossier.as_str().to_owned(),
                        filename: file.filename.clone(),
                        byte_size: i64::try_from(file.bytes.len()).unwrap_or(i64::MAX),
                        checksum: file.checksum().to_owned(),
                        content_type: file.content_type().to_owned(),
                        client_mutation_id: None,
                    },
                },
            })
        };
    }
    let (operation, body) = match platform {
        Platform::DemarcheNumerique => (dn::create_direct_upload::OPERATION_NAME, body!(dn)),
        Platform::DematSocial => (ds::create_direct_upload::OPERATION_NAME, body!(ds)),
    };
    Request { operation, what: format!("a file for dossier {dossier}"), page_size: 0, body }
}

/// Parses the headers that the storage requires; `None` if they are not an object of texts. The signature covers them,
/// so none may be added or dropped.
fn headers(json: &str) -> Option<HeaderMap> {
    let texts: BTreeMap<String, String> = serde_json::from_str(json).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in texts {
        let mut value = HeaderValue::from_str(&value).ok()?;
        // The signature in these headers opens the storage for an hour: no log shows it.
        value.set_sensitive(true);
        headers.insert(name.parse::<HeaderName>().ok()?, value);
    }
    Some(headers)
}

/// Sends the bytes, once.
async fn put(
    http: &reqwest::Client,
    url: &Url,
    headers: &HeaderMap,
    bytes: &Bytes,
) -> Result<Result<(), UploadError>, ApiError> {
    let request = http.put(url.clone()).headers(headers.clone()).body(bytes.clone());
    let response = request.send().await.map_err(|error| failed(url, error))?;
    let status = response.status();
    match status.as_u16() {
        200..=299 => Ok(Ok(())),
        300..=399 => Err(redirected(url, response.headers())),
        408 | 425 | 429 | 500..=599 => Err(ApiError::Unavailable { status: status.as_u16() }),
        status => Ok(Err(UploadError::Refused { status })),
    }
}
