//! Writes the rows of a batch: documents, dossiers, children, tombstones.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::dialect::quoted;
use super::fault::Fault;
use super::remember::whose;
use super::store::{Insert, Store};
use super::survey;
use super::value::{Type, Value};
use crate::dossier::{Gone, GoneReason};
use crate::ids::{DossierNumber, Scope};
use crate::plan::Write;
use crate::sink::settle::Step;
use crate::sink::{ExpectedDossier, Prepared, names};
use crate::table::{Cell, ChildRow, Layout, LayoutTable, Row};

/// Writes the rows of the steps and returns their number. Lines of the feed are written by `commit`.
pub(super) async fn write<S: Store>(store: &mut S, prepared: &Prepared, steps: &[Step<'_>]) -> Result<u64, Fault> {
    Ok(write_rows(store, prepared, steps).await? + write_marks(store, prepared, steps).await?)
}

/// A row of a dossier that is to be written.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub row: &'a Row,
    pub gone: Option<&'a Gone>,
    /// The time at which this version was first seen.
    pub changed_at: Timestamp,
    pub fresh: bool,
}

async fn write_rows<S: Store>(store: &mut S, prepared: &Prepared, steps: &[Step<'_>]) -> Result<u64, Fault> {
    let mut written: Vec<Written<'_>> = steps
        .iter()
        .filter_map(|step| match &step.write {
            Write::Row { row, gone, fresh } => {
                Some(Written { row, gone: gone.as_ref(), changed_at: step.changed_at, fresh: *fresh })
            }
            Write::Nothing | Write::Light(_) | Write::Tomb(_) | Write::Purge { .. } => None,
        })
        .collect();
    if written.is_empty() {
        return Ok(0);
    }
    let layout = prepared.layout();
    let Some((dossiers, children)) = layout.tables.split_first() else {
        return Err(Fault::Refused("the layout has no table".to_owned()));
    };
    let fresh: Vec<DossierNumber> = written.iter().filter(|w| w.fresh).map(|w| w.row.number).collect();
    if !fresh.is_empty() {
        // Delete rows without a document first: their keys would make the insertion fail at every run.
        let present = survey::present(store, &dossiers.name, &fresh).await?;
        written.iter_mut().filter(|w| present.contains(&w.row.number)).for_each(|w| w.fresh = false);
    }
    let (fresh, known): (Vec<&Written<'_>>, Vec<&Written<'_>>) = written.iter().partition(|w| w.fresh);
    let replaced: Vec<DossierNumber> = known.iter().map(|w| w.row.number).collect();
    let mut inserts = Vec::with_capacity(layout.tables.len() + 3);
    for (rows, fresh) in [(fresh, true), (known, false)].into_iter().filter(|(rows, _)| !rows.is_empty()) {
        inserts.push(of_dossiers(dossiers, &rows, fresh)?);
        inserts.push(of_documents(prepared.scope(), layout, &rows, fresh));
    }
    let rows = by_table(layout, &written)?;
    let count = written.len() + rows.iter().map(Vec::len).sum::<usize>();
    for (table, rows) in children.iter().zip(rows.into_iter().skip(1)) {
        if !replaced.is_empty() {
            let delete = format!("DELETE FROM {} WHERE {}", quoted(&table.name), S::among("dossier_number", 1));
            store.run(delete.into(), &[Value::Numbers(&replaced)]).await?;
        }
        if !rows.is_empty() {
            inserts.push(of_children(table, &rows)?);
        }
    }
    store.insert(&inserts).await?;
    Ok(count as u64)
}

/// The child rows, by the position of their table.
pub(super) fn by_table<'a>(
    layout: &Layout,
    written: &[Written<'a>],
) -> Result<Vec<Vec<(DossierNumber, &'a ChildRow)>>, Fault> {
    let mut rows = vec![Vec::new(); layout.tables.len()];
    for child in written.iter().flat_map(|w| w.row.children.iter().map(|child| (w.row.number, child))) {
        let of_table = rows.get_mut(child.1.table).filter(|_| child.1.table > 0);
        let of_table =
            of_table.ok_or_else(|| Fault::Refused("a row is for a table that the layout does not have".to_owned()))?;
        of_table.push(child);
    }
    Ok(rows)
}

/// Counts the rows of a dossier in each child table, as `dn_dossiers` stores it: the daily comparison uses the counts
/// instead of the document.
pub(super) fn counts(layout: &Layout, row: &Row) -> String {
    let counts = ExpectedDossier::children(row).into_iter();
    // Rows for a table that the layout does not have are refused with the rows themselves.
    let counts: BTreeMap<&str, u64> =
        counts.filter_map(|(table, rows)| layout.tables.get(table).map(|table| (table.name.as_str(), rows))).collect();
    serde_json::to_string(&counts).expect("counts by name are JSON")
}

fn of_documents<'a>(scope: &'a Scope, layout: &Layout, written: &[&'a Written<'_>], fresh: bool) -> Insert<'a> {
    const COLUMNS: &[(&str, Type)] = &[
        ("instance", Type::Text),
        ("demarche", Type::Integer),
        ("number", Type::Integer),
        ("state", Type::Text),
        ("fingerprint", Type::Text),
        ("light", Type::Text),
        ("updated_at", Type::Instant),
        ("gone", Type::Text),
        ("gone_reason", Type::Text),
        ("gone_at", Type::Instant),
        ("first_seen", Type::Instant),
        ("last_changed", Type::Instant),
        ("document", Type::Document),
        ("row_counts", Type::Document),
    ];
    const TAIL: &str = "ON CONFLICT (instance, demarche, number) DO UPDATE SET state = excluded.state, \
                        fingerprint = excluded.fingerprint, light = excluded.light, \
                        updated_at = excluded.updated_at, gone = excluded.gone, gone_reason = excluded.gone_reason, \
                        gone_at = excluded.gone_at, last_changed = excluded.last_changed, \
                        document = excluded.document, row_counts = excluded.row_counts";
    let mut values = Vec::with_capacity(written.len() * COLUMNS.len());
    for Written { row, gone, changed_at, fresh: _ } in written {
        values.extend(whose(scope));
        values.extend([
            row.number.into(),
            row.state.as_str().into(),
            row.fingerprint.into(),
            row.light.into(),
            row.updated_at.into(),
        ]);
        values.extend(tombstone(*gone));
        values.extend([
            // An existing dossier keeps its first date.
            (*changed_at).into(),
            (*changed_at).into(),
            Value::Document(Cow::Borrowed(&row.document)),
            Value::Document(Cow::Owned(counts(layout, row))),
        ]);
    }
    let tail = if fresh { "" } else { TAIL };
    Insert { table: "dn_dossiers", columns: COLUMNS.to_vec(), values, tail: tail.into() }
}

fn columns(table: &LayoutTable) -> impl Iterator<Item = (&str, Type)> {
    table.columns.iter().map(|column| (column.name.as_str(), column.spec.kind.into()))
}

pub(super) fn of_dossiers<'a>(
    table: &'a LayoutTable,
    written: &[&'a Written<'_>],
    fresh: bool,
) -> Result<Insert<'a>, Fault> {
    let mut moving: Vec<(&str, Type)> = columns(table).collect();
    moving.extend([("dn_gone_reason", Type::Text), ("dn_gone_at", Type::Instant), ("dn_seen_at", Type::Instant)]);
    let assignments: Vec<String> =
        moving.iter().map(|(name, _)| quoted(name)).map(|name| format!("{name} = excluded.{name}")).collect();
    let tail = match fresh {
        true => String::new(),
        false => format!("ON CONFLICT (\"number\") DO UPDATE SET {}", assignments.join(", ")),
    };
    moving.insert(0, ("number", Type::Integer));
    let mut values = Vec::with_capacity(written.len() * moving.len());
    for w in written {
        values.push(w.row.number.into());
        extend(table, &w.row.cells, &mut values)?;
        values.push(w.gone.map(|gone| gone.reason.as_str()).into());
        values.push(w.gone.and_then(|gone| gone.at).into());
        values.push(w.changed_at.into());
    }
    Ok(Insert { table: &table.name, columns: moving, values, tail: tail.into() })
}

pub(super) fn of_children<'a>(
    table: &'a LayoutTable,
    rows: &[(DossierNumber, &'a ChildRow)],
) -> Result<Insert<'a>, Fault> {
    let keys = [("dossier_number", Type::Integer), ("key", Type::Text), ("position", Type::Integer)];
    let columns: Vec<(&str, Type)> = keys.into_iter().chain(columns(table)).collect();
    let mut values = Vec::with_capacity(rows.len() * columns.len());
    for (number, child) in rows {
        values.extend([(*number).into(), (&child.key).into(), child.position.into()]);
        extend(table, &child.cells, &mut values)?;
    }
    Ok(Insert { table: &table.name, columns, values, tail: "".into() })
}

fn extend<'r>(table: &LayoutTable, cells: &'r [Cell], values: &mut Vec<Value<'r>>) -> Result<(), Fault> {
    if cells.len() != table.columns.len() {
        return Err(Fault::Refused(names::wrong_length(&table.name, table.columns.len(), cells.len())));
    }
    values.extend(cells.iter().map(Value::from));
    Ok(())
}

/// Writes tombstones, and dates that moved alone, one by one, as they are few.
async fn write_marks<S: Store>(store: &mut S, prepared: &Prepared, steps: &[Step<'_>]) -> Result<u64, Fault> {
    let mut count = 0;
    for step in steps {
        let [instance, demarche] = whose(prepared.scope());
        match &step.write {
            Write::Nothing | Write::Row { .. } | Write::Purge { .. } => {}
            Write::Light(row) => {
                let update = "UPDATE dn_dossiers SET light = $1, updated_at = $2 \
                              WHERE instance = $3 AND demarche = $4 AND number = $5";
                let values = [row.light.into(), row.updated_at.into(), instance, demarche, step.number.into()];
                store.run(update.into(), &values).await?;
            }
            Write::Tomb(gone) => {
                let update = "UPDATE dn_dossiers SET gone = $1, gone_reason = $2, gone_at = $3, last_changed = $4 \
                              WHERE instance = $5 AND demarche = $6 AND number = $7";
                let [kind, word, at] = tombstone(Some(gone));
                let values = [kind, word, at, step.changed_at.into(), instance, demarche, step.number.into()];
                store.run(update.into(), &values).await?;
                if let Some(table) = prepared.layout().tables.first() {
                    let update = format!(
                        "UPDATE {} SET \"dn_gone_reason\" = $1, \"dn_gone_at\" = $2, \"dn_seen_at\" = $3 \
                         WHERE \"number\" = $4",
                        quoted(&table.name)
                    );
                    let values =
                        [gone.reason.as_str().into(), gone.at.into(), step.changed_at.into(), step.number.into()];
                    store.run(update.into(), &values).await?;
                }
                count += 1;
            }
        }
    }
    Ok(count)
}

/// Returns the three columns of a tombstone: kind, platform's word, date.
fn tombstone(gone: Option<&Gone>) -> [Value<'_>; 3] {
    let Some(Gone { reason, at }) = gone else { return [Value::Null, Value::Null, Value::Null] };
    let (kind, word) = match reason {
        GoneReason::Pending(word) => ("pending", Some(word.as_str())),
        GoneReason::Deleted(word) => ("deleted", Some(word.as_str())),
        GoneReason::Missing => ("missing", None),
        GoneReason::Filtered => ("filtered", None),
        GoneReason::Retention => ("retention", None),
    };
    [kind.into(), word.into(), (*at).into()]
}
