//! Permissions of the files that hold personal data: a new one can be read and written by its owner alone.
//!
//! SQLite gives the files that it makes beside a database (`-wal`, `-shm`, `-journal`) the permissions of that database. One
//! that exists keeps those that its operator gave it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file for reading and writing; makes it where there is none, for its owner alone.
pub(super) fn open(path: &Path) -> io::Result<File> {
    open_like(path, None)
}

/// The same; one that is made gets the permissions of another file, where that one exists.
pub(super) fn open_like(path: &Path, other: Option<&Path>) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        const OWNER_ALONE: u32 = 0o600;
        const NO_EXECUTION: u32 = 0o666;
        let like = other.and_then(|other| other.metadata().ok()).map(|facts| facts.permissions().mode() & NO_EXECUTION);
        options.mode(like.unwrap_or(OWNER_ALONE));
    }
    #[cfg(not(unix))]
    let _ = other;
    options.open(path)
}
