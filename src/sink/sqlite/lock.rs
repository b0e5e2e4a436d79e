//! Locks a database for one run at a time, with a lock on a file beside it that ends with its process.
//!
//! The lock is the operating system's, on `<database>.lock`; the text inside only tells who. The file stays after the run:
//! removing it would let two processes hold locks on two files of one name.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use jiff::{Timestamp, Unit};

use super::private;
use crate::sink::SinkError;

/// Held from opening to drop.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "holding the file is holding the lock")] File);

impl Lock {
    pub(super) fn take(database: &Path, name: &str) -> Result<Self, SinkError> {
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let unusable = |error: std::io::Error| SinkError::Unusable {
            target: name.to_owned(),
            action: "locked",
            reason: format!("{}: {error}", Path::new(&path).display()),
            hint: None,
        };
        let mut file = private::open_like(Path::new(&path), Some(database)).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let holder = file.read_to_string(&mut text).ok().map(|_| text.trim().to_owned());
                return Err(SinkError::Locked { target: name.to_owned(), holder: holder.filter(|h| !h.is_empty()) });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let now = Timestamp::now().round(Unit::Second).unwrap_or_default();
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "process {}, since {now}", std::process::id())
        };
        write(&mut file).map_err(unusable)?;
        Ok(Self(file))
    }

    /// Checks whether another process, or another sink of this one, holds the lock of a database. Takes it for an instant only
    /// when nobody does.
    pub(super) fn is_held(database: &Path) -> bool {
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        match File::open(&path) {
            Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
            Err(_) => false,
        }
    }
}
