//! Files sent to the platform, to be joined to a decision or to a message.

mod error;
mod file;
mod send;

pub use error::UploadError;
pub use file::Upload;
pub use send::SignedBlobId;
