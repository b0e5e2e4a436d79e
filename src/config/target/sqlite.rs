//! SQLite files: their keys, and reading them.

use std::fmt;
use std::path::PathBuf;

use super::{Target, TargetEntry, TargetType};
use crate::config::keys::Keys;
use crate::config::origin::Setting;
use crate::config::values::InvalidValue;

/// Registers SQLite files.
pub(super) const TYPE: TargetType = TargetType {
    names: &["sqlite"],
    sample: "local",
    about: "",
    declare: SqliteTarget::declare,
    parse: SqliteTarget::parse,
};

/// A SQLite file.
#[derive(Clone, Debug, PartialEq)]
pub struct SqliteTarget {
    /// The path of the file.
    pub path: PathBuf,
}

impl fmt::Display for SqliteTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite:{}", self.path.display())
    }
}

impl SqliteTarget {
    /// Declares the keys of a SQLite file.
    fn declare(keys: &mut Keys<'_, '_>) -> Option<Setting<TargetEntry>> {
        let path = keys.path();
        let path = keys.required(
            "path",
            path,
            "dossiers.db",
            "the path of the file",
            "The file; it is made when it does not exist.",
        )?;
        Some(path.map(|path| TargetEntry::Whole(Target::Sqlite(Self { path }))))
    }

    /// Reads what follows `sqlite:` in a flag.
    fn parse(_: &str, rest: &str) -> Result<TargetEntry, InvalidValue> {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() || path == ":memory:" {
            return Err(InvalidValue::new("a SQLite target is a file").hint("write `sqlite:PATH`"));
        }
        Ok(TargetEntry::Whole(Target::Sqlite(Self { path: PathBuf::from(path) })))
    }
}
