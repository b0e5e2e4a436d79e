//! The shared tables and their version.

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;

use crate::sink::sql::{Fault, quoted, text_of};

/// The steps from an empty schema to the tables of this version.
static STEPS: Migrator = sqlx::migrate!("src/sink/postgres/migrations");

/// Which steps a schema has seen.
const TABLE: &str = "dn_migrations";

const SHARED: [&str; 14] = [
    "dn_instances",
    "dn_forms",
    "dn_tables",
    "dn_columns",
    "dn_dossiers",
    "dn_changes",
    "dn_feed",
    "dn_checkpoints",
    "dn_quarantine",
    "dn_runs",
    "dn_leases",
    "dn_status_updates",
    "dn_status_trail",
    "dn_budgets",
];

/// What a schema is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is not there, or empty, or a creation that was interrupted.
    Nothing,
    /// Ours, of an older version.
    Older,
    /// Ours, of this version.
    Ours,
}

/// The newest version that this program knows.
fn known() -> i64 {
    STEPS.iter().map(|step| step.version).max().unwrap_or_default()
}

/// Looks at the schema, writing nothing.
pub(super) async fn inspect(connection: &mut PgConnection, schema: &str) -> Result<Found, Fault> {
    // Tables, views and sequences; catalogues can be read without any right on the schema.
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')",
    )
    .bind(schema)
    .fetch_all(&mut *connection)
    .await?;
    if names.is_empty() {
        return Ok(Found::Nothing);
    }
    if !names.iter().any(|name| name == TABLE) {
        return Err(Fault::Damaged(format!("schema {schema} holds the tables of another program")));
    }
    // With the name of the schema: one that may not be used would be passed over without a word.
    let query = format!("SELECT max(version) FROM {}.{TABLE}", quoted(schema));
    let found: Option<i64> = sqlx::query_scalar(text_of(query.into())).fetch_one(connection).await?;
    match found.unwrap_or_default() {
        0 => Ok(Found::Nothing),
        found if found > known() => Err(Fault::NewerVersion { found, known: known() }),
        found if found < known() => Ok(Found::Older),
        _ => match SHARED.iter().find(|table| !names.iter().any(|name| name == *table)) {
            Some(missing) => Err(Fault::Altered(format!("table {missing} is missing"))),
            None => Ok(Found::Ours),
        },
    }
}

/// Brings the schema to this version; makes it when it is not there. A step is done whole or not at all.
pub(super) async fn migrate(connection: &mut PgConnection, schema: &str) -> Result<(), Fault> {
    if inspect(connection, schema).await? == Found::Ours {
        return Ok(());
    }
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
        .bind(schema)
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        let create = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema));
        let made = sqlx::raw_sql(text_of(create.into())).execute(&mut *connection).await;
        // Another program may have made it between the question and the answer.
        let met = |error: &sqlx::Error| error.as_database_error().is_some_and(|error| error.is_unique_violation());
        if let Err(error) = made
            && !met(&error)
        {
            return Err(error.into());
        }
    }
    let mut steps = Migrator { migrations: STEPS.migrations.clone(), ..Migrator::DEFAULT };
    steps.dangerous_set_table_name(TABLE);
    // Not `run`: its future cannot be sent to another thread.
    steps.run_direct(None, connection, false).await.map_err(|error| Fault::Sql(sqlx::Error::from(error)))
}
