//! SQL as SQLite speaks it.

use sqlx::sqlite::SqliteConnection;

use super::encoding;
use crate::sink::sql::{Dialect, Type, quoted};
use crate::table::{LayoutColumn, LayoutTable};

impl Dialect for SqliteConnection {
    const LONGEST_TITLE: usize = usize::MAX;

    const TABLE_END: &'static str = " STRICT";

    // Unique, and not the primary key: rows go in at the end of the table, in the order in which they come, instead of
    // each into another page of it.
    const NUMBER_KEY: &'static str = "UNIQUE";

    const LOCK_NAMES: Option<&'static str> = None;

    const TAKEN: &'static str = "SELECT name FROM sqlite_schema WHERE name NOT IN \
                                 (SELECT name FROM dn_tables WHERE instance = $1 AND demarche = $2 \
                                 UNION ALL SELECT view FROM dn_tables WHERE instance = $1 AND demarche = $2)";

    const COLUMNS: &'static str = "SELECT t.name AS \"table\", c.name AS \"column\", c.type AS type \
                                   FROM dn_tables AS t JOIN pragma_table_info(t.name) AS c \
                                   WHERE t.instance = $1 AND t.demarche = $2";

    const VIEWS: &'static str = "SELECT name, sql AS statement FROM sqlite_schema WHERE type = 'view'";

    const KEEP_VIEW: Option<&'static str> = None;

    const HELD: &'static str = "SELECT number, fingerprint, light, gone, gone_reason, gone_at, last_changed \
                                FROM dn_dossiers WHERE instance = $1 AND demarche = $2 \
                                AND number IN (SELECT value FROM json_each($3))";

    fn declared(kind: Type) -> &'static str {
        encoding::declared(kind)
    }

    fn among(column: &str, parameter: usize) -> String {
        format!("{} IN (SELECT value FROM json_each(${parameter}))", quoted(column))
    }

    fn row_count(column: &str, table: &str) -> String {
        let path = format!("$.\"{table}\"").replace('\'', "''");
        // Not asked of a text that is no JSON: the whole query would fail.
        format!("coalesce(CASE WHEN json_valid({column}) THEN json_extract({column}, '{path}') END, 0)")
    }

    /// SQLite cannot change the type of a column, so the values move to another one that takes the name. Its place among
    /// the columns changes; nothing here depends on it.
    fn widen(table: &str, column: &LayoutColumn, _was: Type) -> Vec<String> {
        let (table, name) = (quoted(table), quoted(&column.name));
        let kind = Self::declared(column.spec.kind.into());
        let values = match kind {
            "ANY" => name.clone(),
            kind => format!("CAST({name} AS {kind})"),
        };
        vec![
            format!("ALTER TABLE {table} ADD COLUMN \"dn_wider\" {kind}"),
            format!("UPDATE {table} SET \"dn_wider\" = {values}"),
            format!("ALTER TABLE {table} DROP COLUMN {name}"),
            format!("ALTER TABLE {table} RENAME COLUMN \"dn_wider\" TO {name}"),
        ]
    }

    fn extra_columns(_table: &LayoutTable) -> Vec<&'static str> {
        Vec::new()
    }
}
