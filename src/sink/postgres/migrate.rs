//! Creates and migrates the shared tables (`dn_*`).

use sqlx::migrate::{Migration, Migrator};
use sqlx::postgres::PgConnection;

use super::end;
use super::server::Session;
use crate::sink::sql::{Fault, Fields as _, Store as _, quoted};

/// The steps from an empty schema to the tables of this version. The migrator of the driver does not run them, as it keeps a
/// lock and statements in its session, which a pooler in transaction mode gives to other clients.
static STEPS: Migrator = sqlx::migrate!("src/sink/postgres/migrations");

/// The table of applied steps, in the format of the driver's migrator.
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

/// The state of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchemaState {
    /// Absent, empty, or a creation that was interrupted.
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

/// Inspects the schema; writes nothing.
pub(super) async fn inspect(tx: &mut PgConnection, schema: &str) -> Result<SchemaState, Fault> {
    // Tables, views and sequences; catalogues can be read without any right on the schema.
    let query = "SELECT c.relname::text AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
                 WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')";
    let names = tx.rows(query.into(), &[schema.into()]).await?;
    let names = names.iter().map(|row| row.text("name")).collect::<Result<Vec<_>, _>>()?;
    if names.is_empty() {
        return Ok(SchemaState::Nothing);
    }
    if !names.contains(&TABLE) {
        return Err(Fault::Damaged(format!("schema {schema} holds the tables of another program")));
    }
    // Qualified by the schema: PostgreSQL silently skips a schema of the search path that the account may not use.
    let query = format!("SELECT max(version) AS version FROM {}.{TABLE}", quoted(schema));
    let found = tx.rows(query.into(), &[]).await?;
    let found = found.first().map(|row| row.maybe_integer("version")).transpose()?.flatten();
    match found.unwrap_or_default() {
        0 => Ok(SchemaState::Nothing),
        found if found > known() => Err(Fault::NewerVersion { found, known: known() }),
        found if found < known() => Ok(SchemaState::Older),
        _ => match SHARED.iter().find(|table| !names.contains(table)) {
            Some(missing) => Err(Fault::Altered(format!("table {missing} is missing"))),
            None => Ok(SchemaState::Ours),
        },
    }
}

/// Refuses a replica, which cannot be written. Names the primary if the server shows it.
pub(super) async fn refuse_replica(tx: &mut PgConnection) -> Result<(), Fault> {
    let Some(primary) = replica_of(tx).await? else { return Ok(()) };
    let whose = match primary.as_str() {
        "" => "of another server, which it does not name to this account".to_owned(),
        primary => format!("of {primary}"),
    };
    Err(Fault::Unusable {
        reason: format!("the server is a read-only replica (hot standby) {whose}"),
        hint: "name the primary in the address; `status`, `plan` and `verify` may read from a replica",
    })
}

/// Reads the primary of a replica: `None` for a primary, empty if the server does not name it.
pub(super) async fn replica_of(tx: &mut PgConnection) -> Result<Option<String>, Fault> {
    let query = "SELECT pg_is_in_recovery()::integer::bigint AS replica, coalesce((SELECT sender_host || ':' || \
                 sender_port FROM pg_stat_wal_receiver LIMIT 1), '') AS primary_address";
    let rows = tx.rows(query.into(), &[]).await?;
    let row = rows.first().ok_or_else(|| Fault::unreadable("replica"))?;
    Ok(if row.integer("replica")? == 0 { None } else { Some(row.text("primary_address")?.to_owned()) })
}

/// Migrates the schema to this version, and creates it if it is absent, in one transaction.
pub(super) async fn migrate(session: &mut Session, schema: &str) -> Result<(), Fault> {
    let mut tx = session.begin().await?;
    let done = match inspect(&mut tx, schema).await {
        Ok(SchemaState::Ours) => Ok(()),
        Ok(_) => steps(&mut tx, schema).await,
        Err(fault) => Err(fault),
    };
    end(tx, done.map(Some)).await.map(drop)
}

async fn steps(tx: &mut PgConnection, schema: &str) -> Result<(), Fault> {
    // One program at a time, until the transaction ends. The next one finds the work done.
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('dn_migrations/' || $1, 0))";
    tx.run(lock.into(), &[schema.into()]).await?;
    if inspect(tx, schema).await? == SchemaState::Ours {
        return Ok(());
    }
    let there = tx.rows("SELECT nspname::text FROM pg_namespace WHERE nspname = $1".into(), &[schema.into()]).await?;
    if there.is_empty() {
        tx.script(format!("CREATE SCHEMA {}", quoted(schema))).await?;
    }
    // Qualified by the schema: without the right to create in it, PostgreSQL would create this table and all that follow as
    // temporary ones.
    tx.script(format!(
        "CREATE TABLE IF NOT EXISTS {}.{TABLE} (version bigint PRIMARY KEY, description text NOT NULL, \
         installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL, \
         execution_time bigint NOT NULL)",
        quoted(schema)
    ))
    .await?;
    let query = format!("SELECT version, encode(checksum, 'hex') AS checksum FROM {TABLE} ORDER BY version");
    let seen = tx.rows(query.into(), &[]).await?;
    for row in &seen {
        let version = row.integer("version")?;
        let step = STEPS.iter().find(|step| step.version == version);
        if step.is_none_or(|step| row.text("checksum").ok() != Some(checksum(step).as_str())) {
            return Err(Fault::Altered(format!("its migration {version} is not the one of this program")));
        }
    }
    for step in STEPS.iter() {
        if seen.iter().any(|row| row.integer("version").ok() == Some(step.version)) {
            continue;
        }
        tx.script(step.sql.as_str().to_owned()).await?;
        let insert = format!(
            "INSERT INTO {TABLE} (version, description, success, checksum, execution_time) \
             VALUES ($1, $2, true, decode($3, 'hex'), 0)"
        );
        let values = [step.version.into(), (&*step.description).into(), checksum(step).into()];
        tx.run(insert.into(), &values).await?;
    }
    Ok(())
}

fn checksum(step: &Migration) -> String {
    step.checksum.iter().map(|byte| format!("{byte:02x}")).collect()
}
