//! A batch, in one transaction.
//!
//! A page of a hundred dossiers costs some twenty statements, whatever it changes: rows go in by the hundred, with texts
//! that are the same at each commit, so that SQLite compiles them once.

use std::collections::{BTreeMap, HashMap};

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe};

use super::ddl::quoted;
use super::encoding::{Value, encode, push, visible};
use super::fault::Fault;
use super::read;
use crate::ids::DossierNumber;
use crate::plan::Gone;
use crate::sink::settle::{Held, Step, Write, number_of, settle};
use crate::sink::{Batch, Checkpoint, Prepared, QuarantineChange, QuarantineEntry, Receipt, RunRecord, Scope, names};
use crate::table::{ChildRow, LayoutTable, Row};

pub(super) async fn commit(
    connection: &mut SqliteConnection,
    prepared: &Prepared,
    batch: &Batch,
) -> Result<Receipt, Fault> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let receipt = apply(&mut tx, prepared, batch).await?;
    tx.commit().await?;
    Ok(receipt)
}

async fn apply(connection: &mut SqliteConnection, prepared: &Prepared, batch: &Batch) -> Result<Receipt, Fault> {
    let scope = prepared.scope();
    let checkpoint = read::checkpoint(connection, scope).await?;
    if let Some(stored) = &checkpoint
        && batch.checkpoint.watermark < stored.watermark
    {
        return Err(Fault::Backward(scope.to_string()));
    }
    let mut receipt = Receipt::default();
    if !batch.plan.changes.is_empty() {
        let numbers: Vec<DossierNumber> = batch.plan.changes.iter().map(number_of).collect();
        let held = read::held(connection, scope, &numbers).await?;
        let steps: Vec<Step<'_>> = batch
            .plan
            .changes
            .iter()
            .map(|change| settle(change, held.get(&number_of(change)), batch.seen_at))
            .collect();
        receipt.rows_written = write_rows(connection, prepared, &steps, &held).await?;
        receipt.rows_written += write_marks(connection, prepared, &steps).await?;
        receipt.events = write_feed(connection, scope, batch, &steps).await?;
    }
    for change in &batch.quarantine {
        match change {
            QuarantineChange::Put(entry) => put_in_quarantine(connection, scope, entry).await?,
            QuarantineChange::Release(number) => release(connection, scope, *number).await?,
        }
    }
    if checkpoint.as_ref() != Some(&batch.checkpoint) {
        write_checkpoint(connection, scope, &batch.checkpoint).await?;
    }
    Ok(receipt)
}

/// A row of a dossier that is to be written.
struct Written<'a> {
    row: &'a Row,
    gone: Option<&'a Gone>,
    /// When this version was first seen, as text.
    changed_at: String,
    fresh: bool,
}

async fn write_rows(
    connection: &mut SqliteConnection,
    prepared: &Prepared,
    steps: &[Step<'_>],
    held: &BTreeMap<DossierNumber, Held>,
) -> Result<u64, Fault> {
    let written: Vec<Written<'_>> = steps
        .iter()
        .filter_map(|step| match &step.write {
            Write::Row { row, gone, changed_at, fresh } => {
                let changed_at = changed_at.to_string();
                debug_assert_eq!(*fresh, !held.contains_key(&row.number), "a fresh dossier is one that is not held");
                Some(Written { row, gone: gone.as_ref(), changed_at, fresh: *fresh })
            }
            Write::Nothing | Write::Light(_) | Write::Tomb { .. } => None,
        })
        .collect();
    if written.is_empty() {
        return Ok(0);
    }
    let layout = prepared.layout();
    let Some((dossiers, children)) = layout.tables.split_first() else {
        return Err(Fault::Refused("the layout has no table".to_owned()));
    };
    write_documents(connection, prepared.scope(), &written).await?;
    write_dossiers(connection, dossiers, &written).await?;
    let mut count = written.len();
    let replaced: Vec<DossierNumber> = written.iter().filter(|w| !w.fresh).map(|w| w.row.number).collect();
    let mut rows: Vec<Vec<(DossierNumber, &ChildRow)>> = vec![Vec::new(); layout.tables.len()];
    for child in written.iter().flat_map(|w| w.row.children.iter().map(|child| (w.row.number, child))) {
        let of_table = rows.get_mut(child.1.table).filter(|_| child.1.table > 0);
        let of_table =
            of_table.ok_or_else(|| Fault::Refused("a row is for a table that the layout does not have".to_owned()))?;
        of_table.push(child);
        count += 1;
    }
    for (table, rows) in children.iter().zip(rows.into_iter().skip(1)) {
        replace_children(connection, table, &replaced, &rows).await?;
    }
    Ok(count as u64)
}

async fn write_documents(
    connection: &mut SqliteConnection,
    scope: &Scope,
    written: &[Written<'_>],
) -> Result<(), Fault> {
    const HEAD: &str = "INSERT INTO dn_dossiers (instance, demarche, number, state, fingerprint, light, updated_at, \
                        gone, gone_reason, gone_at, first_seen, last_changed, document)";
    const TAIL: &str = "ON CONFLICT (instance, demarche, number) DO UPDATE SET state = excluded.state, \
                        fingerprint = excluded.fingerprint, light = excluded.light, \
                        updated_at = excluded.updated_at, gone = excluded.gone, gone_reason = excluded.gone_reason, \
                        gone_at = excluded.gone_at, last_changed = excluded.last_changed, \
                        document = excluded.document";
    insert(connection, HEAD, TAIL, 13, written, |w, values| {
        let Written { row, gone, changed_at, fresh: _ } = w;
        let (kind, word, at) = tombstone(*gone);
        values.extend([
            Value::from(scope.instance.as_str()),
            scope.demarche.get().into(),
            row.number.get().into(),
            row.state.as_str().into(),
            row.fingerprint.to_string().into(),
            row.light.to_string().into(),
            row.updated_at.to_string().into(),
            kind.into(),
            word.into(),
            at.into(),
            // The first of the two stays when the dossier is there already.
            changed_at.as_str().into(),
            changed_at.as_str().into(),
            row.document.as_str().into(),
        ]);
        Ok(())
    })
    .await
}

async fn write_dossiers(
    connection: &mut SqliteConnection,
    table: &LayoutTable,
    written: &[Written<'_>],
) -> Result<(), Fault> {
    let names: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let technical = ["\"dn_gone_reason\"", "\"dn_gone_at\"", "\"dn_seen_at\""];
    let moving: Vec<&str> = names.iter().map(String::as_str).chain(technical).collect();
    let head = format!("INSERT INTO {} (\"number\", {})", quoted(&table.name), moving.join(", "));
    let assignments: Vec<String> = moving.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let tail = format!("ON CONFLICT (\"number\") DO UPDATE SET {}", assignments.join(", "));
    insert(connection, &head, &tail, moving.len() + 1, written, |w, values| {
        values.push(w.row.number.get().into());
        extend(table, &w.row.cells, values)?;
        values.push(w.gone.map(|gone| gone.reason.as_str()).into());
        values.push(w.gone.and_then(|gone| gone.at).map(|at| at.to_string()).into());
        values.push(w.changed_at.as_str().into());
        Ok(())
    })
    .await
}

async fn replace_children(
    connection: &mut SqliteConnection,
    table: &LayoutTable,
    replaced: &[DossierNumber],
    rows: &[(DossierNumber, &ChildRow)],
) -> Result<(), Fault> {
    if !replaced.is_empty() {
        let delete =
            format!("DELETE FROM {} WHERE \"dossier_number\" IN (SELECT value FROM json_each(?))", quoted(&table.name));
        sqlx::query(AssertSqlSafe(delete)).bind(read::json(replaced)).execute(&mut *connection).await?;
    }
    if rows.is_empty() {
        return Ok(());
    }
    let names: String = table.columns.iter().map(|column| format!(", {}", quoted(&column.name))).collect();
    let head = format!("INSERT INTO {} (\"dossier_number\", \"key\", \"position\"{names})", quoted(&table.name));
    insert(connection, &head, "", table.columns.len() + 3, rows, |(number, child), values| {
        values.push(number.get().into());
        values.push(visible(&child.key).as_ref().into());
        values.push(child.position.into());
        extend(table, &child.cells, values)
    })
    .await
}

fn extend(table: &LayoutTable, cells: &[crate::table::Cell], values: &mut Vec<Value>) -> Result<(), Fault> {
    if cells.len() != table.columns.len() {
        return Err(Fault::Refused(names::wrong_length(&table.name, table.columns.len(), cells.len())));
    }
    values.extend(cells.iter().map(encode));
    Ok(())
}

/// How many rows go in by one statement: few sizes, so that few texts are compiled, and the largest is a full page.
const SIZES: [usize; 4] = [100, 25, 5, 1];

/// The most parameters that a statement of SQLite takes.
const PARAMETERS: usize = 32_766;

/// Inserts rows of `columns` values each, which `fill` gives.
async fn insert<T>(
    connection: &mut SqliteConnection,
    head: &str,
    tail: &str,
    columns: usize,
    rows: &[T],
    fill: impl Fn(&T, &mut Vec<Value>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let tuple = format!("({})", vec!["?"; columns].join(","));
    let mut texts: HashMap<usize, String> = HashMap::new();
    let mut values = Vec::with_capacity(columns);
    let mut rest = rows;
    while !rest.is_empty() {
        let fits = |size: &usize| *size <= rest.len() && size * columns <= PARAMETERS;
        let size = SIZES.into_iter().find(fits).unwrap_or(1);
        let (chunk, next) = rest.split_at(size);
        rest = next;
        let mut arguments = SqliteArguments::default();
        arguments.reserve(size * columns, 0);
        for row in chunk {
            fill(row, &mut values)?;
            for value in values.drain(..) {
                push(&mut arguments, value)?;
            }
        }
        let text = texts.entry(size).or_insert_with(|| {
            let tuples = vec![tuple.as_str(); size].join(",");
            format!("{head} VALUES {tuples} {tail}")
        });
        sqlx::query_with(AssertSqlSafe(text.clone()), arguments).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Tombstones, and dates that moved alone: one by one, as they are few.
async fn write_marks(connection: &mut SqliteConnection, prepared: &Prepared, steps: &[Step<'_>]) -> Result<u64, Fault> {
    let scope = prepared.scope();
    let mut count = 0;
    for step in steps {
        match &step.write {
            Write::Nothing | Write::Row { .. } => {}
            Write::Light(row) => {
                sqlx::query(
                    "UPDATE dn_dossiers SET light = ?, updated_at = ? \
                     WHERE instance = ? AND demarche = ? AND number = ?",
                )
                .bind(row.light.to_string())
                .bind(row.updated_at.to_string())
                .bind(&scope.instance)
                .bind(scope.demarche.get())
                .bind(step.number.get())
                .execute(&mut *connection)
                .await?;
            }
            Write::Tomb { gone, changed_at } => {
                let changed_at = changed_at.to_string();
                let (kind, word, at) = tombstone(Some(gone));
                sqlx::query(
                    "UPDATE dn_dossiers SET gone = ?, gone_reason = ?, gone_at = ?, last_changed = ? \
                     WHERE instance = ? AND demarche = ? AND number = ?",
                )
                .bind(kind)
                .bind(word)
                .bind(&at)
                .bind(&changed_at)
                .bind(&scope.instance)
                .bind(scope.demarche.get())
                .bind(step.number.get())
                .execute(&mut *connection)
                .await?;
                if let Some(table) = prepared.layout().tables.first() {
                    let update = format!(
                        "UPDATE {} SET \"dn_gone_reason\" = ?, \"dn_gone_at\" = ?, \"dn_seen_at\" = ? WHERE \"number\" = ?",
                        quoted(&table.name)
                    );
                    sqlx::query(AssertSqlSafe(update))
                        .bind(gone.reason.as_str())
                        .bind(&at)
                        .bind(&changed_at)
                        .bind(step.number.get())
                        .execute(&mut *connection)
                        .await?;
                }
                count += 1;
            }
        }
    }
    Ok(count)
}

async fn write_feed(
    connection: &mut SqliteConnection,
    scope: &Scope,
    batch: &Batch,
    steps: &[Step<'_>],
) -> Result<u64, Fault> {
    const HEAD: &str = "INSERT INTO dn_changes (instance, demarche, number, kind, seen_at, before, after, run)";
    let events: Vec<_> = steps.iter().filter_map(|step| Some((step.number, step.event?))).collect();
    let seen_at = batch.seen_at.to_string();
    insert(connection, HEAD, "", 8, &events, |(number, event), values| {
        values.extend([
            Value::from(scope.instance.as_str()),
            scope.demarche.get().into(),
            number.get().into(),
            event.kind.as_str().into(),
            seen_at.as_str().into(),
            event.before.map(|fingerprint| fingerprint.to_string()).into(),
            event.after.map(|fingerprint| fingerprint.to_string()).into(),
            batch.run.as_str().into(),
        ]);
        Ok(())
    })
    .await?;
    Ok(events.len() as u64)
}

/// The three columns of a tombstone: what kind, the platform's word, and when.
fn tombstone(gone: Option<&Gone>) -> (Option<&'static str>, Option<&str>, Option<String>) {
    use crate::plan::GoneReason::{Deleted, Missing, Pending};
    let Some(Gone { reason, at }) = gone else { return (None, None, None) };
    let (kind, word) = match reason {
        Pending(word) => ("pending", Some(word.as_str())),
        Deleted(word) => ("deleted", Some(word.as_str())),
        Missing => ("missing", None),
    };
    (Some(kind), word, at.map(|at| at.to_string()))
}

async fn put_in_quarantine(
    connection: &mut SqliteConnection,
    scope: &Scope,
    entry: &QuarantineEntry,
) -> Result<(), Fault> {
    let QuarantineEntry { number, reason, message, since, attempts, next_try } = entry;
    sqlx::query(
        "INSERT INTO dn_quarantine (instance, demarche, number, reason, message, since, attempts, next_try) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance, demarche, number) DO UPDATE SET \
         reason = excluded.reason, message = excluded.message, since = excluded.since, \
         attempts = excluded.attempts, next_try = excluded.next_try",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .bind(number.get())
    .bind(reason)
    .bind(message)
    .bind(since.to_string())
    .bind(attempts)
    .bind(next_try.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

async fn release(connection: &mut SqliteConnection, scope: &Scope, number: DossierNumber) -> Result<(), Fault> {
    sqlx::query("DELETE FROM dn_quarantine WHERE instance = ? AND demarche = ? AND number = ?")
        .bind(&scope.instance)
        .bind(scope.demarche.get())
        .bind(number.get())
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes into the checkpoint, if there is one, that stored rows are yet to be written again.
pub(super) async fn owe_remap(connection: &mut SqliteConnection, scope: &Scope) -> Result<(), Fault> {
    if let Some(checkpoint) = read::checkpoint(connection, scope).await?
        && !checkpoint.remap
    {
        write_checkpoint(connection, scope, &Checkpoint { remap: true, ..checkpoint }).await?;
    }
    Ok(())
}

async fn write_checkpoint(
    connection: &mut SqliteConnection,
    scope: &Scope,
    checkpoint: &Checkpoint,
) -> Result<(), Fault> {
    let text = serde_json::to_string(checkpoint).expect("a checkpoint is plain data with text keys");
    sqlx::query(
        "INSERT INTO dn_checkpoints (instance, demarche, watermark, checkpoint) VALUES (?, ?, ?, ?) \
         ON CONFLICT (instance, demarche) DO UPDATE SET \
         watermark = excluded.watermark, checkpoint = excluded.checkpoint",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .bind(checkpoint.watermark.map(|watermark| watermark.to_string()))
    .bind(text)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn record_run(connection: &mut SqliteConnection, scope: &Scope, run: &RunRecord) -> Result<(), Fault> {
    let RunRecord { id, started_at, ended_at, outcome, quiet: _, report } = run;
    sqlx::query(
        "INSERT INTO dn_runs (instance, demarche, id, started_at, ended_at, outcome, report) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance, demarche, id) DO UPDATE SET \
         started_at = excluded.started_at, ended_at = excluded.ended_at, outcome = excluded.outcome, \
         report = excluded.report",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .bind(id)
    .bind(started_at.to_string())
    .bind(ended_at.to_string())
    .bind(super::remember::word(outcome))
    .bind(report.to_string())
    .execute(connection)
    .await?;
    Ok(())
}
