//! Inspects the first hundred bytes of a file without SQLite, which would change a file of another program or create files
//! beside it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::migrate::{APPLICATION_ID, VERSION};
use crate::sink::SinkError;

/// The state of the file at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileState {
    /// Nothing, or an empty file.
    Nothing,
    /// A database of ours.
    Ours,
}

const MAGIC: &[u8] = b"SQLite format 3\0";

/// Inspects the file. `name` is that of the target, for errors.
pub(super) fn inspect(path: &Path, name: &str) -> Result<FileState, SinkError> {
    let unusable =
        |reason: String| SinkError::Unusable { target: name.to_owned(), action: "opened", reason, hint: None };
    let foreign = |reason: &str| SinkError::Foreign { target: name.to_owned(), reason: reason.to_owned() };
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(FileState::Nothing),
        Err(error) => return Err(unusable(error.to_string())),
    };
    if !metadata.is_file() {
        return Err(unusable("it is not a file".to_owned()));
    }
    if metadata.len() == 0 {
        return Ok(FileState::Nothing);
    }
    let mut header = [0_u8; 100];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Ok(()) if header.starts_with(MAGIC) => {}
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(unusable(error.to_string())),
        _ => return Err(foreign("it is not a SQLite database")),
    }
    let word = |at: usize| {
        header[at..].first_chunk().copied().map(u32::from_be_bytes).expect("the header has room for every word of it")
    };
    if i64::from(word(68)) != APPLICATION_ID {
        return Err(foreign("it is a SQLite database that another program made"));
    }
    let version = i64::from(word(60));
    if version > VERSION {
        return Err(SinkError::NewerVersion { target: name.to_owned(), found: version, known: VERSION });
    }
    // While a journal lies beside it, the file itself may rightly be shorter than it says.
    let page = match u64::from(word(16) >> 16) {
        1 => 65_536,
        bytes => bytes,
    };
    if metadata.len() < page * u64::from(word(28)) && !["-wal", "-journal"].iter().any(|end| has_beside(path, end)) {
        return Err(foreign("it is damaged (its end is missing)"));
    }
    Ok(FileState::Ours)
}

/// Returns `true` if a non-empty file lies beside the database.
pub(super) fn has_beside(path: &Path, end: &str) -> bool {
    let mut beside = path.as_os_str().to_owned();
    beside.push(end);
    Path::new(&beside).metadata().is_ok_and(|metadata| metadata.len() > 0)
}
