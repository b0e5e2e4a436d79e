//! Names of tables and columns: legible, unique, at most so many bytes, stable for ever once given.

use std::collections::BTreeSet;

use super::spec::{ColumnKey, TableKey};

/// What a target accepts as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameLimits {
    /// The longest name, in bytes.
    pub max_bytes: usize,
}

impl Default for NameLimits {
    /// 63 bytes: PostgreSQL's limit, kept everywhere so that a target can be moved.
    fn default() -> Self {
        Self { max_bytes: 63 }
    }
}

/// A name for a new table.
#[must_use]
pub fn table_name(prefix: &str, key: &TableKey, title: &str, taken: &BTreeSet<String>, limits: NameLimits) -> String {
    let _ = (prefix, key, title, taken, limits);
    String::new()
}

/// A name for a new column.
#[must_use]
pub fn column_name(key: &ColumnKey, title: &str, taken: &BTreeSet<String>, limits: NameLimits) -> String {
    let _ = (key, title, taken, limits);
    String::new()
}
