//! Targets that keep the bytes of files, and not their names and sizes alone.

use std::fmt;
use std::future::Future;
use std::str::FromStr;

use bytes::Bytes;

use super::SinkError;
use crate::ids::{DossierNumber, Scope};

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

/// The result of storing a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// It has them, and shows them.
    Kept,
    /// It takes other files, but not this one: too large for it.
    Refused,
}

/// A target that keeps files. Each content is kept once, whatever its names and wherever it hangs.
///
/// Files come after the rows that name them: a run that is stopped in between leaves rows without bytes, which the next
/// one fetches.
pub trait FileStore: Send + Sync {
    /// Shows the bytes that the target has already in the rows that came since and name them, and lets go of those that
    /// no row names any more. Called once, before anything is fetched. Gives how many rows show their file now.
    fn link_files(&self, scope: &Scope) -> impl Future<Output = Result<u64, SinkError>> + Send;

    /// Files of rows that the target shows, within the sizes and types that it accepts, whose bytes it does not have: in
    /// order of dossier number, of dossiers after `after`, at most `limit`, each content once for each dossier that has
    /// it. Those of dossiers that are gone cannot be had and are not wanted; what the privacy policy withholds has no
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
    ) -> impl Future<Output = Result<Keeping, SinkError>> + Send;
}

/// Limits on the files that a target stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLimits {
    /// The largest, in bytes. A file is held in memory while it is on its way. 10 MB by default.
    pub max_bytes: u64,
    /// The accepted types; an empty list, the default, accepts all.
    pub types: Vec<MediaRange>,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self { max_bytes: 10_000_000, types: Vec::new() }
    }
}

impl FileLimits {
    /// Returns `true` if a file of this type and size is stored.
    #[must_use]
    pub fn accepts(&self, content_type: &str, bytes: u64) -> bool {
        bytes <= self.max_bytes && (self.types.is_empty() || self.types.iter().any(|range| range.holds(content_type)))
    }
}

/// A media type, or all of one family: `application/pdf`, `image/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRange(String);

/// The text is no media type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a type of files: `application/pdf` or `image/*` are")]
pub struct InvalidMediaRange(String);

impl MediaRange {
    /// Returns `true` for a type in this range, ignoring letter case and parameters (`; charset=…`).
    #[must_use]
    pub fn holds(&self, content_type: &str) -> bool {
        let bare = content_type.split(';').next().unwrap_or_default().trim();
        match self.0.strip_suffix('*') {
            Some(family) => bare.get(..family.len()).is_some_and(|start| start.eq_ignore_ascii_case(family)),
            None => bare.eq_ignore_ascii_case(&self.0),
        }
    }
}

impl FromStr for MediaRange {
    type Err = InvalidMediaRange;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.trim().to_ascii_lowercase();
        let word =
            |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c));
        match lower.split_once('/') {
            Some((family, kind)) if word(family) && (kind == "*" || word(kind)) => Ok(Self(lower)),
            _ => Err(InvalidMediaRange(text.to_owned())),
        }
    }
}

impl fmt::Display for MediaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_size_and_type() {
        let range = |text: &str| text.parse::<MediaRange>().expect("a type");
        let limits = FileLimits {
            max_bytes: 100,
            types: vec![range(" Image/* "), range("application/vnd.oasis.opendocument.text")],
        };
        for (kind, bytes, accepted) in [
            ("image/png", 100, true),
            ("image/png", 101, false),
            ("IMAGE/JPEG; q=1", 1, true),
            ("imagery/png", 1, false),
            ("image", 1, false),
            ("application/vnd.oasis.opendocument.text", 1, true),
            ("application/pdf", 1, false),
            ("", 1, false),
        ] {
            assert_eq!(limits.accepts(kind, bytes), accepted, "{kind} of {bytes}");
        }
        assert!(FileLimits::default().accepts("", 10_000_000));
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for text in ["", "pdf", "*/*", "image/", "/png", "image/png/x", "image/p ng", "image/*g", "im*ge/png"] {
            assert!(text.parse::<MediaRange>().is_err(), "{text}");
        }
    }
}
