//! Uploads files to the platform, to be joined to a decision, a message or an annotation by a mutation.

mod error;
mod file;
mod send;

pub use error::UploadError;
pub use file::Upload;
pub use send::SignedBlobId;
