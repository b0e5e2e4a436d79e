//! The bytes of a file.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use reqwest::{Method, StatusCode};

use super::client::Client;
use super::error::ApiError;
use super::transport::{Transport, failed, redirected};
use crate::dossier::File;
use crate::http::{Unread, body};

/// Why the bytes of a file are not at hand.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The file was read without its address: addresses come with single dossiers only, see
    /// [`Client::dossier`](super::Client::dossier).
    #[error("the file was read without its address")]
    NoAddress,
    /// The platform has not (yet) found it safe (trap 23).
    #[error("the platform's virus scan says `{result}`")]
    NotSafe {
        /// The platform's word.
        result: String,
    },
    /// It is larger than what is accepted.
    #[error("it has {bytes} bytes, more than the {limit} that are accepted")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// What is accepted.
        limit: u64,
    },
    /// Its address is good for an hour only (trap 56): the dossier is to be read again.
    #[error("its address has expired (HTTP {status})")]
    Expired {
        /// What the storage answered.
        status: u16,
    },
    /// What arrived is not what the platform keeps, told by its size or its checksum.
    #[error("what arrived is not the file: its {what} differs")]
    Differs {
        /// `size` or `checksum`.
        what: &'static str,
    },
    /// The storage did not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl Client {
    /// Fetches a file from its signed address, which needs no token and is given none, and compares it with the size and
    /// the checksum that the platform tells.
    ///
    /// # Errors
    /// [`DownloadError::Expired`] when the dossier must be read again for a new address; the other variants say why this
    /// file is not worth another try now.
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
        // Files that the platform makes on demand have none.
        if !file.checksum.is_empty() && BASE64_STANDARD.encode(Md5::digest(&bytes)) != file.checksum {
            return Err(DownloadError::Differs { what: "checksum" });
        }
        Ok(bytes)
    }
}

/// One attempt. One byte more than expected is enough to know that it is another file.
async fn fetch(transport: &Transport, url: &url::Url, expected: u64) -> Result<Result<Bytes, DownloadError>, ApiError> {
    let asked = reqwest::Request::new(Method::GET, url.clone());
    let response = transport.way.exchange(url, asked).await?;
    match response.status() {
        status if status.is_success() => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
            return Ok(Err(DownloadError::Expired { status: response.status().as_u16() }));
        }
        status if status.is_redirection() => return Err(redirected(url, response.headers())),
        status => return Err(ApiError::Unavailable { status: status.as_u16() }),
    }
    match body(response, usize::try_from(expected).unwrap_or(usize::MAX)).await {
        Ok(bytes) => Ok(Ok(bytes)),
        Err(Unread::TooLarge) => Ok(Err(DownloadError::Differs { what: "size" })),
        Err(Unread::Broken(error)) => Err(failed(url, error)),
    }
}
