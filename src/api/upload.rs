//! A file sent to the platform, to be joined to a decision or to a message.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use super::answer::payload;
use super::client::Client;
use super::error::ApiError;
use super::generated::{demarche_numerique as dn, demat_social as ds};
use super::operation::{Body, Request, encode};
use super::transport::{failed, redirected};
use crate::http::{Timeouts, address, client};
use crate::ids::DossierId;
use crate::platform::Platform;

/// The proof that a file was uploaded, by which one mutation joins it. Good for one hour (trap 67); the platform drops
/// after a day what was never joined. Whoever has it can join the file: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SignedBlobId(String);

impl SignedBlobId {
    /// Wraps an id exactly as the platform gave it.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as the platform gave it.
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

/// A file that the platform would take, with what it wants to know of it. `Debug` shows neither its name nor its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    filename: String,
    content_type: &'static str,
    bytes: Bytes,
    checksum: String,
}

impl Upload {
    /// Files of messages have fewer bytes than this (dn-api 7).
    pub const MESSAGE_LIMIT: u64 = 20 << 20;
    /// Files of decisions have no limit of their own: this is the platform's for any file (dn-api 14).
    pub const DECISION_LIMIT: u64 = 200 << 20;

    /// A file for [`Mutation::EnvoyerMessage`](super::Mutation::EnvoyerMessage).
    ///
    /// # Errors
    /// As the platform would refuse it: by its name, its size, or the kind that the end of its name tells.
    pub fn for_message(filename: impl Into<String>, bytes: impl Into<Bytes>) -> Result<Self, UploadError> {
        Self::new(filename.into(), bytes.into(), Self::MESSAGE_LIMIT - 1)
    }

    /// A justificatif of a decision.
    ///
    /// # Errors
    /// As [`for_message`](Self::for_message), with another limit.
    pub fn for_decision(filename: impl Into<String>, bytes: impl Into<Bytes>) -> Result<Self, UploadError> {
        Self::new(filename.into(), bytes.into(), Self::DECISION_LIMIT)
    }

    fn new(filename: String, bytes: Bytes, limit: u64) -> Result<Self, UploadError> {
        let reason = if filename.trim().is_empty() {
            Some("it is empty")
        } else if filename.len() > 255 {
            Some("it is longer than 255 bytes")
        } else if filename.contains(['/', '\\']) || filename.chars().any(char::is_control) {
            Some("it holds a path, or characters that are not text")
        } else {
            None
        };
        if let Some(reason) = reason {
            return Err(UploadError::Name { reason });
        }
        let extension = filename.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default();
        let Some(content_type) = media_type(&extension) else { return Err(UploadError::Kind { extension }) };
        if bytes.is_empty() {
            return Err(UploadError::Empty);
        }
        if bytes.len() as u64 > limit {
            return Err(UploadError::TooLarge { bytes: bytes.len() as u64, limit });
        }
        let checksum = BASE64_STANDARD.encode(Md5::digest(&bytes));
        Ok(Self { filename, content_type, bytes, checksum })
    }

    /// Its media type, told by the end of its name.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// Its size in bytes.
    #[must_use]
    pub fn byte_size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// MD5 of its bytes in base64, by which it is known again among the files of a dossier.
    #[must_use]
    pub fn checksum(&self) -> &str {
        &self.checksum
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Upload");
        shown.field("content_type", &self.content_type).field("byte_size", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// The media type of a file name's end, among those that both platforms take.
fn media_type(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "pdf" => "application/pdf",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "tif" | "tiff" => "image/tiff",
        "bmp" => "image/bmp",
        "webp" => "image/webp",
        "dwg" => "image/vnd.dwg",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "ppt" => "application/vnd.ms-powerpoint",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "odp" => "application/vnd.oasis.opendocument.presentation",
        "odg" => "application/vnd.oasis.opendocument.graphics",
        "rtf" => "application/rtf",
        "txt" => "text/plain",
        "csv" => "text/csv",
        "tsv" => "text/tab-separated-values",
        "xml" => "application/xml",
        "json" => "application/json",
        "eml" => "message/rfc822",
        "kml" => "application/vnd.google-earth.kml+xml",
        "gpx" => "application/gpx+xml",
        "zip" => "application/zip",
        "7z" => "application/x-7z-compressed",
        "rar" => "application/vnd.rar",
        "gz" => "application/gzip",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        _ => return None,
    })
}

/// Why a file was not uploaded. Nothing was joined to any dossier: trying again does no harm.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// Its name is none.
    #[error("the name of the file does not do: {reason}")]
    Name {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The platform does not take this kind of file.
    #[error("the platform takes no file whose name ends in `.{extension}`")]
    Kind {
        /// The end of its name, in lower case; empty when it has none.
        extension: String,
    },
    /// It has no bytes.
    #[error("the file is empty")]
    Empty,
    /// It has too many.
    #[error("it has {bytes} bytes, more than the {limit} that the platform takes")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// What the platform takes.
        limit: u64,
    },
    /// The platform prepared something that cannot be used.
    #[error("the platform prepared an upload that cannot be done: {reason}")]
    Unusable {
        /// What is wrong with it.
        reason: String,
    },
    /// The storage does not take the bytes: they are not those that were announced, or the address has expired.
    #[error("the storage refused the file (HTTP {status})")]
    Refused {
        /// What it answered.
        status: u16,
    },
    /// The platform or its storage did not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl UploadError {
    /// A stable word for logs, metrics and the audit trail.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Name { .. } => "file_name",
            Self::Kind { .. } => "file_kind",
            Self::Empty => "file_empty",
            Self::TooLarge { .. } => "file_too_large",
            Self::Unusable { .. } => "upload_unusable",
            Self::Refused { .. } => "upload_refused",
            Self::Api(error) => error.kind(),
        }
    }

    /// What the operator may do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Name { .. } => Some("give the file another name"),
            Self::Kind { .. } => Some("send it as a PDF"),
            Self::Empty => Some("check that the file was written before it was sent"),
            Self::TooLarge { .. } => Some("send a smaller file; messages take less than 20 MiB"),
            Self::Unusable { .. } => Some("`dn doctor` compares the platform's schema with the pinned one"),
            Self::Refused { .. } => Some("try again; if it lasts, tell the platform's support"),
            // The payload has no place for the platform's words about a token that may only read.
            Self::Api(ApiError::Partial { .. }) => Some("check that the token may write"),
            Self::Api(error) => error.hint(),
        }
    }
}

/// Where and how to send the bytes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DirectUpload {
    url: String,
    /// An object of headers, as a text.
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
    /// The storage is given the headers that the platform tells, as they are, and never the token. Both requests are
    /// repeated on passing failures: a file that is announced twice and joined once is there once.
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
        // A storage is another host than the platform; large files take their time, at 50 kB a second.
        let total = Duration::from_secs(60 + file.byte_size() / 50_000);
        let timeouts = Timeouts { connect: Duration::from_secs(10), read: None, total };
        let http = client((&url, loopback), HeaderMap::new(), None, timeouts).map_err(ApiError::from)?;
        self.transport().patiently(async || put(&http, &url, &headers, &file.bytes).await).await??;
        Ok(SignedBlobId(prepared.signed_blob_id))
    }
}

/// The announcement of a file.
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
                        checksum: file.checksum.clone(),
                        content_type: file.content_type.to_owned(),
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

/// The headers that the storage wants; `None` when they are not an object of texts. They may sign the request.
fn headers(json: &str) -> Option<HeaderMap> {
    let told: std::collections::BTreeMap<String, String> = serde_json::from_str(json).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in told {
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        headers.insert(name.parse::<HeaderName>().ok()?, value);
    }
    Some(headers)
}

/// One attempt to send the bytes.
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
