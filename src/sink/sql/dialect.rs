//! The words in which databases differ.

use super::value::Type;
use crate::table::{LayoutColumn, LayoutTable};

/// How a database writes what the shared statements cannot say alike.
pub(in crate::sink) trait Dialect {
    /// The longest name of a column of a view, in bytes.
    const LONGEST_TITLE: usize;

    /// What comes after the columns of a new table.
    const TABLE_END: &'static str;

    /// What makes the number the key of a table of dossiers.
    const NUMBER_KEY: &'static str;

    /// Keeps others from giving names until the transaction ends; `None` where a transaction does so by itself.
    const LOCK_NAMES: Option<&'static str>;

    /// Every name in use beside those of the démarche `$2` of the instance `$1`: one column, `name`.
    const TAKEN: &'static str;

    /// The columns of the tables of the démarche `$2` of the instance `$1`: `"table"`, `"column"`, and the type as
    /// [`declared`](Self::declared) writes it.
    const COLUMNS: &'static str;

    /// The views that exist, with the statements that made them: `name` and `statement`.
    const VIEWS: &'static str;

    /// Remembers the statement `$2` that made the view `$1`; `None` where the database does so by itself.
    const KEEP_VIEW: Option<&'static str>;

    /// What is held of the dossiers of the démarche `$2` of the instance `$1` whose numbers `$3` holds: `number`,
    /// `fingerprint`, `light`, `updated_at`, `gone`, `gone_reason`, `gone_at`, `last_changed`. By key alone, however many
    /// dossiers the démarche has.
    const HELD: &'static str;

    /// The type of a column, as it is declared and as the database tells it.
    fn declared(kind: Type) -> &'static str;

    /// Whether a column is among the numbers that parameter `parameter` holds.
    fn among(column: &str, parameter: usize) -> String;

    /// How many rows of a table a document of `dn_dossiers` was written with, from the column that tells it; 0 where it does
    /// not tell.
    fn row_count(column: &str, table: &str) -> String;

    /// Turns a column of the type `was` into one of the type of `column`, which holds more, with its values.
    fn widen(table: &str, column: &LayoutColumn, was: Type) -> Vec<String>;

    /// Names of columns that a table may have besides those of the layout: the database's own.
    fn extra_columns(table: &LayoutTable) -> Vec<&'static str>;
}

/// A name as SQL text. Names are clean already; this holds whatever they are.
pub(in crate::sink) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_name_whatever_it_contains() {
        assert_eq!(quoted("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
    }
}
