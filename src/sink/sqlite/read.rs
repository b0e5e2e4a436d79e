//! Everything that is read while a run works.

use std::collections::BTreeMap;
use std::str::FromStr;

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::fault::Fault;
use super::remember::from_word;
use crate::ids::DossierNumber;
use crate::plan::{Gone, GoneReason, Known, KnownDossier};
use crate::sink::settle::Held;
use crate::sink::{CensusEntry, Checkpoint, QuarantineEntry, RunRecord, Scope, StoredDocument, Totals};

/// Numbers as one parameter: the text of the statement is the same for any number of them.
pub(super) fn json(numbers: &[DossierNumber]) -> String {
    serde_json::to_string(numbers).expect("a list of numbers is JSON")
}

pub(super) async fn checkpoint(connection: &mut SqliteConnection, scope: &Scope) -> Result<Option<Checkpoint>, Fault> {
    let text: Option<String> =
        sqlx::query_scalar("SELECT checkpoint FROM dn_checkpoints WHERE instance = ? AND demarche = ?")
            .bind(&scope.instance)
            .bind(scope.demarche.get())
            .fetch_optional(connection)
            .await?;
    let read = |text: String| {
        serde_json::from_str(&text).map_err(|_| Fault::Altered(format!("the checkpoint of {scope} cannot be read")))
    };
    text.map(read).transpose()
}

/// What is held of these dossiers, as far as a commit must know.
pub(super) async fn held(
    connection: &mut SqliteConnection,
    scope: &Scope,
    numbers: &[DossierNumber],
) -> Result<BTreeMap<DossierNumber, Held>, Fault> {
    let rows = sqlx::query(
        "SELECT number, fingerprint, light, updated_at, gone, gone_reason, gone_at, last_changed FROM dn_dossiers \
         WHERE instance = ? AND demarche = ? AND number IN (SELECT value FROM json_each(?))",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .bind(json(numbers))
    .fetch_all(connection)
    .await?;
    let held = |row: &SqliteRow| {
        let held = Held {
            fingerprint: parsed(row, "fingerprint")?,
            light: parsed(row, "light")?,
            updated_at: parsed(row, "updated_at")?,
            gone: gone(row)?,
            last_changed: parsed(row, "last_changed")?,
        };
        Ok((number(row)?, held))
    };
    rows.iter().map(held).collect()
}

pub(super) async fn known(
    connection: &mut SqliteConnection,
    scope: &Scope,
    numbers: &[DossierNumber],
) -> Result<Known, Fault> {
    let held = held(connection, scope, numbers).await?;
    Ok(held
        .into_iter()
        .map(|(number, held)| {
            (number, KnownDossier { fingerprint: held.fingerprint, light: held.light, gone: held.gone })
        })
        .collect())
}

pub(super) async fn totals(connection: &mut SqliteConnection, scope: &Scope) -> Result<Totals, Fault> {
    let (all, gone): (i64, i64) =
        sqlx::query_as("SELECT count(*), count(gone) FROM dn_dossiers WHERE instance = ? AND demarche = ?")
            .bind(&scope.instance)
            .bind(scope.demarche.get())
            .fetch_one(connection)
            .await?;
    Ok(Totals { alive: (all - gone).unsigned_abs(), gone: gone.unsigned_abs() })
}

/// The number after which a page begins, as SQL wants it.
fn after(number: Option<DossierNumber>) -> i64 {
    number.map_or(-1, |number| i64::from(number.get()))
}

pub(super) async fn census(
    connection: &mut SqliteConnection,
    scope: &Scope,
    after_number: Option<DossierNumber>,
    limit: u32,
) -> Result<Vec<CensusEntry>, Fault> {
    let rows = sqlx::query(
        "SELECT number, light, gone, gone_reason, gone_at FROM dn_dossiers \
         WHERE instance = ? AND demarche = ? AND number > ? ORDER BY number LIMIT ?",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .bind(after(after_number))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let entry =
        |row: &SqliteRow| Ok(CensusEntry { number: number(row)?, light: parsed(row, "light")?, gone: gone(row)? });
    rows.iter().map(entry).collect()
}

pub(super) async fn documents(
    connection: &mut SqliteConnection,
    scope: &Scope,
    after_number: Option<DossierNumber>,
    limit: u32,
) -> Result<Vec<StoredDocument>, Fault> {
    let rows = sqlx::query(
        "SELECT number, document, light, fingerprint, gone, gone_reason, gone_at FROM dn_dossiers \
         WHERE instance = ? AND demarche = ? AND number > ? ORDER BY number LIMIT ?",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .bind(after(after_number))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let document = |row: &SqliteRow| {
        Ok(StoredDocument {
            number: number(row)?,
            document: row.try_get("document")?,
            light: parsed(row, "light")?,
            fingerprint: parsed(row, "fingerprint")?,
            gone: gone(row)?,
        })
    };
    rows.iter().map(document).collect()
}

pub(super) async fn quarantine(
    connection: &mut SqliteConnection,
    scope: &Scope,
) -> Result<Vec<QuarantineEntry>, Fault> {
    let rows = sqlx::query(
        "SELECT number, reason, message, since, attempts, next_try FROM dn_quarantine \
         WHERE instance = ? AND demarche = ?",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .fetch_all(connection)
    .await?;
    let entry = |row: &SqliteRow| {
        Ok::<_, Fault>(QuarantineEntry {
            number: number(row)?,
            reason: row.try_get("reason")?,
            message: row.try_get("message")?,
            since: parsed(row, "since")?,
            attempts: row.try_get("attempts")?,
            next_try: parsed(row, "next_try")?,
        })
    };
    let mut entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    // Not in SQL: instants with and without fractions of a second do not sort as texts.
    entries.sort_by_key(|entry| (entry.since, entry.number));
    Ok(entries)
}

pub(super) async fn runs(
    connection: &mut SqliteConnection,
    scope: &Scope,
    limit: u32,
) -> Result<Vec<RunRecord>, Fault> {
    let rows = sqlx::query(
        "SELECT id, started_at, ended_at, outcome, report FROM dn_runs \
         WHERE instance = ? AND demarche = ? ORDER BY seq DESC LIMIT ?",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let run = |row: &SqliteRow| {
        let report: &str = row.try_get("report")?;
        Ok(RunRecord {
            id: row.try_get("id")?,
            started_at: parsed(row, "started_at")?,
            ended_at: parsed(row, "ended_at")?,
            outcome: from_word(row.try_get("outcome")?, "outcome")?,
            quiet: false,
            report: serde_json::from_str(report).map_err(|_| unreadable("report"))?,
        })
    };
    rows.iter().map(run).collect()
}

/// Reads the whole file.
pub(super) async fn integrity(connection: &mut SqliteConnection) -> Result<(), Fault> {
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut *connection).await?;
    if found != "ok" {
        return Err(Fault::Damaged(format!("it is damaged ({found})")));
    }
    let orphan: Option<String> =
        sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1").fetch_optional(connection).await?;
    match orphan {
        Some(table) => Err(Fault::Altered(format!("a row of {table} belongs to no dossier"))),
        None => Ok(()),
    }
}

fn number(row: &SqliteRow) -> Result<DossierNumber, Fault> {
    Ok(DossierNumber::new(row.try_get("number")?))
}

fn gone(row: &SqliteRow) -> Result<Option<Gone>, Fault> {
    let Some(kind) = row.try_get::<Option<&str>, _>("gone")? else { return Ok(None) };
    let word = || row.try_get::<Option<String>, _>("gone_reason").map(Option::unwrap_or_default);
    let reason = match kind {
        "pending" => GoneReason::Pending(word()?),
        "deleted" => GoneReason::Deleted(word()?),
        "missing" => GoneReason::Missing,
        _ => return Err(unreadable("gone")),
    };
    let at = row.try_get::<Option<&str>, _>("gone_at")?.map(|text| text.parse().map_err(|_| unreadable("gone_at")));
    Ok(Some(Gone { reason, at: at.transpose()? }))
}

fn parsed<T: FromStr>(row: &SqliteRow, column: &'static str) -> Result<T, Fault> {
    row.try_get::<&str, _>(column)?.parse().map_err(|_| unreadable(column))
}

fn unreadable(column: &str) -> Fault {
    Fault::Altered(format!("a value of column {column} cannot be read"))
}
