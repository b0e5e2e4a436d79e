//! SQLite files: their keys, and reading them.

use std::fmt;
use std::path::PathBuf;

use super::missing;
use crate::config::origin::Setting;
use crate::config::reader::{self, Source, Table};
use crate::config::values::{self, InvalidValue};

/// The value of `type`.
pub(in crate::config) const TYPE: &str = "sqlite";
/// The keys.
pub(in crate::config) const KEYS: &[&str] = &["path"];

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
    /// Reads `[targets.NAME]` of type `sqlite`.
    pub(super) fn read(table: Table<'_, '_>, source: &mut Source<'_>) -> Option<Setting<Self>> {
        let file = source.path().to_owned();
        missing(table, source, "path", "the path of the file", "such as \"dossiers.db\"".to_owned());
        table.read(source, "path", |value| {
            let path = reader::text(value)?;
            if path.is_empty() {
                return Err(InvalidValue::new("the path is empty"));
            }
            Ok(Self { path: values::beside(&file, &path) })
        })
    }

    /// Reads what follows `sqlite:` in a flag.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidValue> {
        let path = text.strip_prefix("//").unwrap_or(text);
        if path.is_empty() || path == ":memory:" {
            return Err(InvalidValue::new("a SQLite target is a file").hint("write `sqlite:PATH`"));
        }
        Ok(Self { path: PathBuf::from(path) })
    }
}
