//! Uploads and downloads files of a document.

use std::time::Duration;

use bytes::Bytes;

use super::doc::{Doc, Repeat};
use super::error::GristError;
use super::request::{Body, Request};
use super::types::AttachmentId;

/// The slowest line on which an upload is still expected to arrive, in bytes a second.
const SLOWEST_LINE: usize = 100_000;

impl Doc {
    /// Uploads one file. Each upload makes a new id, be the bytes known or not (Grist trap 21), and an id that no cell names is
    /// removed after seven days: that makes it safe to repeat after a lost answer. The 1 MiB of other requests do not
    /// apply.
    ///
    /// # Errors
    /// [`GristError::TooLarge`] beyond what the instance takes; [`GristError::AttachmentsFull`].
    pub async fn upload(
        &self,
        name: &str,
        content_type: Option<&str>,
        bytes: Bytes,
    ) -> Result<AttachmentId, GristError> {
        let extra = Duration::from_secs((bytes.len() / SLOWEST_LINE) as u64);
        let file = Body::File { name: name.to_owned(), content_type: content_type.map(str::to_owned), bytes };
        let mut request = Request::post("an upload", self.url(["attachments"]), file, Repeat::Safe);
        request.extra_time = extra;
        let ids: Vec<AttachmentId> = self.ask(&request).await?;
        match ids.as_slice() {
            [id] => Ok(*id),
            _ => Err(GristError::Undecodable { reason: format!("one upload has {} ids", ids.len()) }),
        }
    }

    /// The bytes of an uploaded file.
    ///
    /// # Errors
    /// [`GristError::Refused`] with status 404 for an id that is not there.
    pub async fn download_attachment(&self, id: AttachmentId) -> Result<Bytes, GristError> {
        let id = id.to_string();
        let request = Request::get("a download", self.url(["attachments", &id, "download"]));
        self.transport.ask(Some(&self.limiter), &request, |body| Ok(Bytes::copy_from_slice(body))).await
    }
}
