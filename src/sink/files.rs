//! Targets that keep the bytes of files, and not their names and sizes alone.

use std::future::Future;

use bytes::Bytes;

use super::{Scope, SinkError};
use crate::ids::DossierNumber;

/// A file that a target shows by its name and could show by its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedFile {
    /// A dossier that has it.
    pub number: DossierNumber,
    /// MD5 of its content in base64, as the platform tells it: what identifies it for the target.
    pub checksum: String,
    /// Its name.
    pub filename: String,
    /// Its media type.
    pub content_type: String,
    /// Its size in bytes.
    pub byte_size: u64,
}

/// A target that keeps files. Each content is kept once, whatever its names and wherever it hangs.
///
/// Files come after the rows that name them: a run that is stopped in between leaves rows without bytes, which the next
/// one fetches.
pub trait FileStore: Send + Sync {
    /// Files of rows that the target shows, within the sizes and types that it accepts, whose bytes it does not have: in
    /// order of dossier number, of dossiers after `after`, at most `limit`. What the privacy policy withholds has no
    /// checksum and is never wanted.
    fn wanted_files(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<WantedFile>, SinkError>> + Send;

    /// Keeps the bytes of a file and shows them in every row that names it. Keeping twice is keeping once.
    fn keep_file(
        &self,
        scope: &Scope,
        file: &WantedFile,
        bytes: Bytes,
    ) -> impl Future<Output = Result<(), SinkError>> + Send;
}
