//! Writes a batch, inside the transaction of its target.
//!
//! A page of a hundred dossiers costs some twenty statements, whatever it changes.

use jiff::Timestamp;

use super::fault::Fault;
use super::remember::{whose, word};
use super::store::{Insert, Store};
use super::value::{Type, Value};
use super::{forget, read, rows};
use crate::checkpoint::Checkpoint;
use crate::ids::{DossierNumber, Scope};
use crate::plan::Change;
use crate::report::{Counts, RunRecord};
use crate::sink::settle::{Step, settle};
use crate::sink::{Batch, Prepared, QuarantineChange, QuarantineEntry, Receipt};

/// Writes a batch: rows, quarantine, checkpoint, and last the change feed, as the row that numbers it stays locked until
/// the transaction ends.
pub(in crate::sink) async fn apply<S: Store>(
    store: &mut S,
    prepared: &Prepared,
    batch: &Batch,
) -> Result<Receipt, Fault> {
    let scope = prepared.scope();
    let checkpoint = read::checkpoint(store, scope).await?;
    if let Some(stored) = &checkpoint
        && batch.checkpoint.watermark < stored.watermark
    {
        return Err(Fault::Backward(scope.to_string()));
    }
    let changes = &batch.plan.changes;
    let numbers: Vec<DossierNumber> = changes.iter().map(Change::number).collect();
    let held = if numbers.is_empty() { Default::default() } else { read::held(store, scope, &numbers).await? };
    let steps: Vec<Step<'_>> =
        changes.iter().map(|change| settle(change, held.get(&change.number()), batch.seen_at)).collect();
    let rows_written = rows::write(store, prepared, &steps).await? + forget::forget(store, prepared, &steps).await?;
    for change in &batch.quarantine {
        match change {
            QuarantineChange::Put(entry) => put_in_quarantine(store, scope, entry).await?,
            QuarantineChange::Release(number) => release(store, scope, *number).await?,
        }
    }
    if checkpoint.as_ref() != Some(&batch.checkpoint) {
        write_checkpoint(store, scope, &batch.checkpoint).await?;
    }
    let events = write_feed(store, scope, batch, &steps).await?;
    let mut counts = Counts::default();
    steps.iter().for_each(|step| counts.count(step.kind));
    Ok(Receipt { rows_written, events, counts })
}

async fn write_feed<S: Store>(store: &mut S, scope: &Scope, batch: &Batch, steps: &[Step<'_>]) -> Result<u64, Fault> {
    const COLUMNS: &[(&str, Type)] = &[
        ("instance", Type::Text),
        ("demarche", Type::Integer),
        ("number", Type::Integer),
        ("kind", Type::Text),
        ("seen_at", Type::Instant),
        ("before", Type::Text),
        ("after", Type::Text),
        ("run", Type::Text),
        ("seq", Type::Integer),
    ];
    let events: Vec<_> = steps.iter().filter_map(|step| Some((step.number, step.event?))).collect();
    if events.is_empty() {
        return Ok(0);
    }
    let first = store.number_changes(scope, events.len()).await?;
    let numbered: Vec<_> = (first.unwrap_or_default()..).zip(events).collect();
    let columns = if first.is_some() { COLUMNS } else { &COLUMNS[..COLUMNS.len() - 1] };
    let mut values = Vec::with_capacity(numbered.len() * columns.len());
    for (seq, (number, event)) in &numbered {
        values.extend(whose(scope));
        values.extend([
            (*number).into(),
            event.kind.as_str().into(),
            batch.seen_at.into(),
            event.before.into(),
            event.after.into(),
            (&batch.run).into(),
        ]);
        values.extend(first.map(|_| Value::Integer(*seq)));
    }
    store.insert(&[Insert { table: "dn_changes", columns: columns.to_vec(), values, tail: "".into() }]).await?;
    Ok(numbered.len() as u64)
}

async fn put_in_quarantine<S: Store>(store: &mut S, scope: &Scope, entry: &QuarantineEntry) -> Result<(), Fault> {
    let QuarantineEntry { number, reason, message, since, attempts, next_try } = entry;
    let [instance, demarche] = whose(scope);
    let upsert = "INSERT INTO dn_quarantine (instance, demarche, number, reason, message, since, attempts, next_try) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (instance, demarche, number) DO UPDATE SET \
                  reason = excluded.reason, message = excluded.message, since = excluded.since, \
                  attempts = excluded.attempts, next_try = excluded.next_try";
    let values = [
        instance,
        demarche,
        (*number).into(),
        reason.into(),
        message.into(),
        (*since).into(),
        (*attempts).into(),
        (*next_try).into(),
    ];
    store.run(upsert.into(), &values).await
}

async fn release<S: Store>(store: &mut S, scope: &Scope, number: DossierNumber) -> Result<(), Fault> {
    let [instance, demarche] = whose(scope);
    let delete = "DELETE FROM dn_quarantine WHERE instance = $1 AND demarche = $2 AND number = $3";
    store.run(delete.into(), &[instance, demarche, number.into()]).await
}

/// Marks in the checkpoint, if there is one, that stored rows must be written again.
pub(super) async fn owe_remap<S: Store>(store: &mut S, scope: &Scope) -> Result<(), Fault> {
    if let Some(checkpoint) = read::checkpoint(store, scope).await?
        && !checkpoint.remap
    {
        write_checkpoint(store, scope, &Checkpoint { remap: true, ..checkpoint }).await?;
    }
    Ok(())
}

async fn write_checkpoint<S: Store>(store: &mut S, scope: &Scope, checkpoint: &Checkpoint) -> Result<(), Fault> {
    let text = serde_json::to_string(checkpoint).expect("a checkpoint is plain data with text keys");
    let [instance, demarche] = whose(scope);
    let upsert = "INSERT INTO dn_checkpoints (instance, demarche, watermark, checkpoint) VALUES ($1, $2, $3, $4) \
                  ON CONFLICT (instance, demarche) DO UPDATE SET \
                  watermark = excluded.watermark, checkpoint = excluded.checkpoint";
    store.run(upsert.into(), &[instance, demarche, checkpoint.watermark.into(), Value::Document(text.into())]).await
}

/// Adds a line to the run history.
pub(in crate::sink) async fn record_run<S: Store>(store: &mut S, scope: &Scope, run: &RunRecord) -> Result<(), Fault> {
    let RunRecord { id, started_at, ended_at, outcome, report } = run;
    let [instance, demarche] = whose(scope);
    let report = serde_json::to_string(report).expect("a report is plain data with text keys");
    let upsert = "INSERT INTO dn_runs (instance, demarche, id, started_at, ended_at, outcome, report) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (instance, demarche, id) DO UPDATE SET \
                  started_at = excluded.started_at, ended_at = excluded.ended_at, outcome = excluded.outcome, \
                  report = excluded.report";
    let values = [
        instance,
        demarche,
        id.into(),
        (*started_at).into(),
        (*ended_at).into(),
        word(outcome).into(),
        Value::Document(report.into()),
    ];
    store.run(upsert.into(), &values).await
}

/// Removes the lines of the run history that ended before an instant, except the last one, and returns their number.
pub(in crate::sink) async fn forget_runs<S: Store>(
    store: &mut S,
    scope: &Scope,
    before: Timestamp,
) -> Result<u64, Fault> {
    let delete = "DELETE FROM dn_runs WHERE instance = $1 AND demarche = $2 AND ended_at < $3 \
                  AND seq < (SELECT max(seq) FROM dn_runs WHERE instance = $1 AND demarche = $2) RETURNING seq";
    let [instance, demarche] = whose(scope);
    Ok(store.rows(delete.into(), &[instance, demarche, before.into()]).await?.len() as u64)
}
