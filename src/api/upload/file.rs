//! Checks a file against the platform's limits before it is uploaded.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};

use super::error::UploadError;

/// File that the platform would accept, with the metadata that it asks for. `Debug` shows neither its name nor its
/// bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    pub(super) filename: String,
    content_type: &'static str,
    pub(super) bytes: Bytes,
    checksum: String,
}

impl Upload {
    /// Files of messages must have fewer bytes than this (docs/platform.md#uploads).
    pub const MESSAGE_LIMIT: u64 = 20 << 20;
    /// Files of decisions and of annotations have no limit of their own: this is the platform's for any file (docs/platform.md#uploads).
    pub const DECISION_LIMIT: u64 = 200 << 20;

    /// Checks a file for [`Mutation::EnvoyerMessage`](crate::api::Mutation::EnvoyerMessage).
    ///
    /// # Errors
    /// Those for which the platform would refuse it: its name, its size, or its kind, by the extension of the name.
    pub fn for_message(filename: impl Into<String>, bytes: impl Into<Bytes>) -> Result<Self, UploadError> {
        Self::new(filename.into(), bytes.into(), Self::MESSAGE_LIMIT - 1)
    }

    /// Checks a justificatif of a decision.
    ///
    /// # Errors
    /// As [`for_message`](Self::for_message), with another limit.
    pub fn for_decision(filename: impl Into<String>, bytes: impl Into<Bytes>) -> Result<Self, UploadError> {
        Self::new(filename.into(), bytes.into(), Self::DECISION_LIMIT)
    }

    /// Checks a file for an annotation.
    ///
    /// # Errors
    /// As [`for_decision`](Self::for_decision).
    pub fn for_annotation(filename: impl Into<String>, bytes: impl Into<Bytes>) -> Result<Self, UploadError> {
        Self::for_decision(filename, bytes)
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
        // Base64, not hexadecimal (trap 67): the platform compares it with the bytes that the storage got.
        let checksum = BASE64_STANDARD.encode(Md5::digest(&bytes));
        Ok(Self { filename, content_type, bytes, checksum })
    }

    /// Returns its media type, by the extension of its name.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// Returns its size in bytes.
    #[must_use]
    pub fn byte_size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Returns the MD5 of its bytes in base64, which identifies it among the files of a dossier.
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

/// Returns the media type of an extension, among those that both platforms accept.
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
