//! Creates and migrates the shared tables (`dn_*`).

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use crate::sink::sql::Fault;

/// `DNdb`, the application id in the header of our files.
pub(super) const APPLICATION_ID: i64 = 0x444E_6462;

/// The steps from an empty file to the tables of this version; the version of a file is the number of steps it has seen.
const STEPS: [&str; 5] = [
    include_str!("migrations/0001_shared_tables.sql"),
    include_str!("migrations/0002_status_updates.sql"),
    include_str!("migrations/0003_gone.sql"),
    include_str!("migrations/0004_row_counts_and_addresses.sql"),
    include_str!("migrations/0005_cancelled_corrections.sql"),
];

/// The newest version that this program knows.
pub(super) const VERSION: i64 = STEPS.len() as i64;

const SHARED: [&str; 11] = [
    "dn_instances",
    "dn_forms",
    "dn_tables",
    "dn_columns",
    "dn_dossiers",
    "dn_changes",
    "dn_checkpoints",
    "dn_quarantine",
    "dn_runs",
    "dn_status_updates",
    "dn_status_trail",
];

/// Migrates the file to this version in one transaction. Does not write a file of this version.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), Fault> {
    if version(connection).await? == VERSION {
        return Ok(());
    }
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut at = version(&mut tx).await?;
    for step in STEPS.iter().skip(usize::try_from(at).unwrap_or(STEPS.len())) {
        sqlx::raw_sql(*step).execute(&mut *tx).await?;
        at += 1;
    }
    // PRAGMA takes no parameters. Both are part of the transaction, so a file has both marks or none.
    let settings = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {at}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(settings)).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn version(connection: &mut SqliteConnection) -> Result<i64, Fault> {
    let found = sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await?;
    if found > VERSION { Err(Fault::NewerVersion { found, known: VERSION }) } else { Ok(found) }
}

/// Makes the error for reading a file whose tables are of an older version.
pub(super) const OLDER: &str = "its tables are of an older version; the next run brings them to this one";

/// Checks for tables of an older version.
pub(super) async fn is_older(connection: &mut SqliteConnection) -> Result<bool, Fault> {
    Ok(version(connection).await? < VERSION)
}

/// Reads the small shared tables completely, so that damage is found before anything is written.
pub(super) async fn look(connection: &mut SqliteConnection) -> Result<(), Fault> {
    let found: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'").fetch_all(&mut *connection).await?;
    if let Some(missing) = SHARED.iter().find(|name| !found.iter().any(|table| table == *name)) {
        return Err(Fault::Altered(format!("table {missing} is missing")));
    }
    sqlx::query(
        "SELECT (SELECT max(name) FROM dn_instances), (SELECT max(title) FROM dn_tables), \
         (SELECT max(title) FROM dn_columns), (SELECT max(checkpoint) FROM dn_checkpoints)",
    )
    .execute(connection)
    .await?;
    Ok(())
}
