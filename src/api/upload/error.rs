//! Errors of uploads.

use crate::api::error::ApiError;

/// Errors of an upload. Nothing was joined to a dossier: a retry does no harm.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// The file name is not usable.
    #[error("the file name is not usable: {reason}")]
    Name {
        /// The reason.
        reason: &'static str,
    },
    /// The platform does not accept files of this kind.
    #[error("the platform accepts no file whose name ends in `.{extension}`")]
    Kind {
        /// The end of its name, in lower case; empty when it has none.
        extension: String,
    },
    /// It has no bytes.
    #[error("the file is empty")]
    Empty,
    /// It has too many.
    #[error("the file has {bytes} bytes, more than the platform's limit of {limit}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The platform's limit, in bytes.
        limit: u64,
    },
    /// The platform's answer to the announcement cannot be used.
    #[error("the platform prepared an upload that cannot be used: {reason}")]
    Unusable {
        /// The reason.
        reason: String,
    },
    /// The storage refused the bytes: they are not those that were announced, or the address has expired.
    #[error("the storage refused the file (HTTP {status})")]
    Refused {
        /// Its HTTP status.
        status: u16,
    },
    /// The platform or its storage did not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl UploadError {
    /// Returns a stable word for logs, metrics and the trail.
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

    /// Returns the next step for the operator, if there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Name { .. } => Some("give the file another name"),
            Self::Kind { .. } => Some("send it as a PDF"),
            Self::Empty => Some("check that the file was written before it was sent"),
            Self::TooLarge { .. } => Some("send a smaller file; files of messages must be smaller than 20 MiB"),
            Self::Unusable { .. } => Some("`dn doctor` compares the platform's schema with the pinned one"),
            Self::Refused { .. } => Some("try again; if it lasts, tell the platform's support"),
            // The payload of an upload has no list of errors, so a token that may only read shows as a partial answer
            // (trap 66).
            Self::Api(ApiError::Partial { .. }) => Some("check that the token may write"),
            Self::Api(error) => error.hint(),
        }
    }
}
