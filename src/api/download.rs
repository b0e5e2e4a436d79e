//! Downloads files from the platform's storage.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use reqwest::{Method, StatusCode};

use super::client::Client;
use super::error::ApiError;
use super::transport::{Transport, failed, redirected};
use crate::champ::File;
use bearer_http::{BodyError, body};

/// Errors of a download.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The file was read without its address: addresses come with single dossiers only, see
    /// [`Client::dossier`](super::Client::dossier).
    #[error("the file was read without its address")]
    NoAddress,
    /// The platform's virus scan has not found it safe, or not yet (trap 23).
    #[error("the platform's virus scan says `{result}`")]
    NotSafe {
        /// The platform's word.
        result: String,
    },
    /// It is larger than the limit of the caller.
    #[error("the file has {bytes} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The largest accepted size, in bytes.
        limit: u64,
    },
    /// Its address expired after an hour (trap 56): read the dossier again for a new one.
    #[error("the signed address of the file has expired (HTTP {status})")]
    Expired {
        /// The HTTP status of the storage.
        status: u16,
    },
    /// The bytes that arrived differ from those that the platform keeps, in size or in checksum.
    #[error("the downloaded bytes are not the file: the {what} differs")]
    Differs {
        /// `size` or `checksum`.
        what: &'static str,
    },
    /// The storage did not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl Client {
    /// Downloads a file from its signed address, and compares it with the size and the checksum that the platform
    /// states. The token is not sent: the storage is another host, and the address is enough.
    ///
    /// # Errors
    /// [`DownloadError::Expired`] if the dossier must be read again for a new address. The other variants will not
    /// change by a retry now.
    pub async fn download(&self, file: &File, limit: u64) -> Result<Bytes, DownloadError> {
        let url = file.url.as_ref().ok_or(DownloadError::NoAddress)?;
        if let Some(result) = file.virus_scan_result.as_deref().filter(|result| *result != "safe") {
            return Err(DownloadError::NotSafe { result: result.to_owned() });
        }
        if file.byte_size > limit {
            return Err(DownloadError::TooLarge { bytes: file.byte_size, limit });
        }
        let bytes = self.transport().patiently(|| fetch(self.transport(), url, file.byte_size)).await??;
        if bytes.len() as u64 != file.byte_size {
            return Err(DownloadError::Differs { what: "size" });
        }
        // Files that the platform makes on demand have no checksum (trap 26).
        if !file.checksum.is_empty() && BASE64_STANDARD.encode(Md5::digest(&bytes)) != file.checksum {
            return Err(DownloadError::Differs { what: "checksum" });
        }
        Ok(bytes)
    }
}

/// Downloads once, and stops one byte after the expected size: then it is another file.
async fn fetch(transport: &Transport, url: &url::Url, expected: u64) -> Result<Result<Bytes, DownloadError>, ApiError> {
    // Without the token: the address alone opens the file, and it leads to another host (docs/platform.md#files).
    let asked = reqwest::Request::new(Method::GET, url.clone());
    let response = transport.way.exchange(url, asked).await?;
    match response.status() {
        status if status.is_success() => {}
        // An address is signed for an hour (trap 56): the storage refuses the address here, not the token.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
            return Ok(Err(DownloadError::Expired { status: response.status().as_u16() }));
        }
        status if status.is_redirection() => return Err(redirected(url, response.headers())),
        status => return Err(ApiError::Unavailable { status: status.as_u16() }),
    }
    match body(response, usize::try_from(expected).unwrap_or(usize::MAX)).await {
        Ok(bytes) => Ok(Ok(bytes)),
        Err(BodyError::TooLarge) => Ok(Err(DownloadError::Differs { what: "size" })),
        Err(BodyError::Broken(error)) => Err(failed(url, error)),
    }
}
