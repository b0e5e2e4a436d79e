//! SQL as PostgreSQL speaks it.

use sqlx::postgres::PgConnection;

use super::{encoding, geometry};
use crate::sink::sql::{Dialect, Type, quoted};
use crate::table::{LayoutColumn, LayoutTable};

impl Dialect for PgConnection {
    const LONGEST_TITLE: usize = 63;

    const TABLE_END: &'static str = "";

    const NUMBER_KEY: &'static str = "PRIMARY KEY";

    const LOCK_NAMES: Option<&'static str> = Some("LOCK TABLE dn_instances IN SHARE ROW EXCLUSIVE MODE");

    /// Each table has a type of its name too.
    const TAKEN: &'static str = "SELECT u.name FROM (SELECT relname::text AS name, relnamespace AS schema FROM pg_class \
                                 UNION SELECT typname::text, typnamespace FROM pg_type) AS u \
                                 WHERE u.schema = quote_ident(current_schema())::regnamespace AND u.name NOT IN \
                                 (SELECT name FROM dn_tables WHERE instance = $1 AND demarche = $2 \
                                 UNION ALL SELECT view FROM dn_tables WHERE instance = $1 AND demarche = $2)";

    const COLUMNS: &'static str = "SELECT t.name AS \"table\", a.attname::text AS \"column\", \
                                   format_type(a.atttypid, a.atttypmod) AS type FROM dn_tables AS t \
                                   JOIN pg_class AS c ON c.relname = t.name \
                                   AND c.relnamespace = quote_ident(current_schema())::regnamespace \
                                   JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
                                   WHERE t.instance = $1 AND t.demarche = $2";

    const VIEWS: &'static str = "SELECT c.relname::text AS name, t.definition AS statement FROM pg_class AS c \
                                 LEFT JOIN dn_tables AS t ON t.view = c.relname \
                                 WHERE c.relkind = 'v' AND c.relnamespace = quote_ident(current_schema())::regnamespace";

    const KEEP_VIEW: Option<&'static str> = Some("UPDATE dn_tables SET definition = $2 WHERE view = $1");

    /// Number by number. `number = ANY ($3)` is a filter for a planner that believes the table to be empty: the whole
    /// démarche would be read for each page of it.
    const HELD: &'static str = "SELECT d.* FROM UNNEST($3::bigint[]) AS asked (number) CROSS JOIN LATERAL \
                                (SELECT number, fingerprint, light, gone, gone_reason, gone_at, last_changed \
                                FROM dn_dossiers WHERE instance = $1 AND demarche = $2 AND number = asked.number OFFSET 0) AS d";

    fn declared(kind: Type) -> &'static str {
        encoding::declared(kind)
    }

    fn row_count(column: &str, table: &str) -> String {
        format!("coalesce(CAST({column} ->> '{}' AS bigint), 0)", table.replace('\'', "''"))
    }

    fn among(column: &str, parameter: usize) -> String {
        format!("{} = ANY (${parameter})", quoted(column))
    }

    /// The values have the form that SQLite gives them, until the rows are written again.
    fn widen(table: &str, column: &LayoutColumn, was: Type) -> Vec<String> {
        let (table, name) = (quoted(table), quoted(&column.name));
        let kind = Self::declared(column.spec.kind.into());
        let values = match was {
            Type::Boolean => format!("({name}::integer)"),
            Type::Instant => format!("to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"),
            Type::Texts => format!("array_to_json({name})"),
            _ => name.clone(),
        };
        vec![format!("ALTER TABLE {table} ALTER COLUMN {name} TYPE {kind} USING {values}::{kind}")]
    }

    fn extra_columns(table: &LayoutTable) -> Vec<&'static str> {
        geometry::source(table).map(|_| geometry::COLUMN).into_iter().collect()
    }
}
