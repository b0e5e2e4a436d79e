//! Declares the SQL that differs between databases.

use super::value::Type;
use crate::table::{LayoutColumn, LayoutTable};

/// The SQL of one database that the shared statements cannot share.
pub(in crate::sink) trait Dialect {
    /// The longest name of a column of a view, in bytes.
    const LONGEST_TITLE: usize;

    /// The clause after the columns of a new table.
    const TABLE_END: &'static str;

    /// The clause that makes the number the key of a table of dossiers.
    const NUMBER_KEY: &'static str;

    /// Locks the allocation of names until the transaction ends; `None` if a transaction is exclusive anyway.
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

    /// Stored dossiers of the démarche `$2` of the instance `$1` whose numbers `$3` holds: `number`,
    /// `fingerprint`, `light`, `gone`, `gone_reason`, `gone_at`, `last_changed`. By key alone, however many
    /// dossiers the démarche has.
    const HELD: &'static str;

    /// The type of a column, as it is declared and as the database tells it.
    fn declared(kind: Type) -> &'static str;

    /// The condition that a column is among the numbers of a parameter.
    fn among(column: &str, parameter: usize) -> String;

    /// The expression for the number of rows of a table with which a dossier was written; 0 if it was not counted.
    fn row_count(column: &str, table: &str) -> String;

    /// Turns a column of the type `was` into one of the type of `column`, which holds more, with its values.
    fn widen(table: &str, column: &LayoutColumn, was: Type) -> Vec<String>;

    /// Names of columns that a table may have besides those of the layout: the database's own.
    fn extra_columns(table: &LayoutTable) -> Vec<&'static str>;
}

/// Quotes a name. Names are clean already; the quoting does not rely on it.
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
