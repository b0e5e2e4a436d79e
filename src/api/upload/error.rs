//! Why a file is not on the platform.

use crate::api::error::ApiError;

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
