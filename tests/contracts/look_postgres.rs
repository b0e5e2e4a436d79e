//! Reads the content of PostgreSQL in the form of the other targets.

use std::collections::BTreeMap;

use demarche_numerique::ids::Scope;
use demarche_numerique::sink::{PostgresSink, Sink};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};

use super::look::{Columns, Look, Shown};
use crate::support::postgres::connect_by_name;

impl Look for PostgresSink {
    async fn look(&self, scope: &Scope) -> Shown {
        let mut reader = connect_by_name(self.name()).await;
        let mut shown = Shown::default();
        let tables = "SELECT name FROM dn_tables WHERE instance = $1 AND demarche = $2 ORDER BY id";
        for table in texts(&mut reader, tables, scope).await {
            shown.tables.insert(table.clone(), rows(&mut reader, &table).await);
        }
        let query = format!(
            "SELECT concat_ws(' ', number, state, fingerprint, light, {}, \
             CASE WHEN gone IS NULL THEN 'None' ELSE 'Some(\"' || coalesce(gone_reason, gone) || '\")' END, \
             {}, {}, document::text) FROM dn_dossiers WHERE instance = $1 AND demarche = $2 ORDER BY number",
            instant("updated_at"),
            instant("first_seen"),
            instant("last_changed")
        );
        shown.dossiers = texts(&mut reader, &query, scope).await;
        let option = |name: &str| format!("coalesce('Some(\"' || {name} || '\")', 'None')");
        let query = format!(
            "SELECT concat_ws(' ', number, kind, {}, {}, run, {}) \
             FROM dn_changes WHERE instance = $1 AND demarche = $2 ORDER BY seq",
            option("before"),
            option("after"),
            instant("seen_at")
        );
        shown.feed = Some(texts(&mut reader, &query, scope).await);
        shown
    }
}

/// An instant as the library writes it.
fn instant(column: &str) -> String {
    format!("(to_json({column} AT TIME ZONE 'UTC') #>> '{{}}') || 'Z'")
}

async fn texts(reader: &mut PgConnection, query: &str, scope: &Scope) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
        .bind(&scope.instance)
        .bind(i64::from(scope.demarche.get()))
        .fetch_all(reader)
        .await
        .expect(query)
}

async fn rows(reader: &mut PgConnection, table: &str) -> BTreeMap<(i64, String), Columns> {
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute \
         WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped",
    )
    .bind(table)
    .fetch_all(&mut *reader)
    .await
    .expect("columns");
    let child = columns.iter().any(|(name, _)| name == "dossier_number");
    let keys = if child { ["dossier_number", "key"] } else { ["number", "''"] };
    let values: Vec<&(String, String)> = columns.iter().filter(|(name, _)| !keys.contains(&name.as_str())).collect();
    let expressions: Vec<String> = values
        .iter()
        .map(|(name, kind)| {
            let name = format!("\"{name}\"");
            match kind.as_str() {
                "boolean" => format!("({name}::integer)::text"),
                "numeric" => format!("trim_scale({name})::text"),
                "text[]" => format!("array_to_json({name})::text"),
                "timestamp with time zone" => instant(&name),
                _ => format!("{name}::text"),
            }
        })
        .collect();
    let key = if child { "\"key\"" } else { "''" };
    let query = format!("SELECT \"{}\", {key}, {} FROM \"{table}\"", keys[0], expressions.join(", "));
    let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(reader).await.expect("rows");
    let row = |row: &sqlx::postgres::PgRow| {
        let cell = |(at, (name, kind)): (usize, &&(String, String))| {
            let text: Option<String> = row.get(at + 2);
            (name.clone(), text.map_or("NULL".to_owned(), |text| literal(&text, kind)))
        };
        ((row.get(0), row.get(1)), values.iter().enumerate().map(cell).collect())
    };
    rows.iter().map(row).collect()
}

fn literal(text: &str, kind: &str) -> String {
    match kind {
        "bigint" | "numeric" | "boolean" => text.to_owned(),
        // The fewest digits that give it back, as Rust writes them.
        "double precision" => format!("{:?}", text.parse::<f64>().expect("a real")),
        "jsonb" => {
            let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
            quoted(&value.to_string())
        }
        _ => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
