//! A batch, and the line of a run: read what must be known, decide, send.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::commit::{self, Plan};
use super::desk::Desk;
use super::encoding::Kind;
use super::fault::Fault;
use super::known::Holdings;
use super::shape::NUMBER;
use super::split::{self, Unit};
use super::state::{Count, Slot};
use super::target::{self, Target, Targets, places};
use super::{files, outbox, runs, shared, value};
use crate::ids::{DossierNumber, Scope};
use crate::plan::Change;
use crate::report::RunRecord;
use crate::sink::{Batch, Prepared, QuarantineChange, QuarantineEntry, Receipt};
use grist_client::Action;

/// What is held of some dossiers, asked for unless it is known. What was asked last is good until the next bundle.
pub(super) async fn holdings(
    desk: &mut Desk,
    scope: &Scope,
    numbers: &BTreeSet<DossierNumber>,
) -> Result<Holdings, Fault> {
    if let Some((of, holdings)) = &desk.asked
        && of == scope
        && holdings.covers(numbers)
    {
        return Ok(holdings.clone());
    }
    if desk.state.count(scope).rows == 0 {
        desk.fresh.entry(scope.clone()).or_default();
    }
    // Nothing of this démarche was there, and nothing of these dossiers was sent since.
    let unknown = desk.fresh.get(scope).is_some_and(|sent| sent.is_disjoint(numbers));
    let holdings = if unknown || numbers.is_empty() {
        Holdings { asked: numbers.clone(), ..Holdings::default() }
    } else {
        let places = places(&desk.state.memory(scope)?, &desk.state.structure)?;
        let waiting = desk.state.shows(shared::QUARANTINE);
        let holdings = desk.reader.holdings(scope, &places, numbers, waiting).await?;
        desk.mend().await?;
        holdings
    };
    desk.asked = Some((scope.clone(), holdings.clone()));
    Ok(holdings)
}

/// The analysts' table of dossiers and its key; `None` before it is made.
pub(super) fn shown(desk: &Desk, scope: &Scope) -> Result<Option<(String, String)>, Fault> {
    let memory = desk.state.memory(scope)?;
    let found = memory.tables.first().and_then(|table| Some((table, table.find(&desk.state.structure)?)));
    let Some((found, number)) = found.and_then(|(table, found)| Some((found, table.technical(NUMBER)?.find(found)?)))
    else {
        return Ok(None);
    };
    target::key_holds(found, &number.id)?;
    Ok(Some((found.id.clone(), number.id.clone())))
}

/// Commits a batch; what is to be told comes with the receipt.
pub(super) async fn commit(
    desk: &mut Desk,
    prepared: &Prepared,
    batch: &Batch,
) -> Result<(Receipt, Vec<String>), Fault> {
    if desk.me.is_none() {
        return Err(Fault::ReadOnly);
    }
    desk.settle().await?;
    match commit_once(desk, prepared, batch).await {
        Err(fault) if fault.is_of_the_past() => {
            desk.reread().await?;
            commit_once(desk, prepared, batch).await
        }
        // Of several bundles some may have been applied: what is there is read again before the next attempt.
        Err(fault) if fault.is_of_what_was_given() && !batch.plan.changes.is_empty() => {
            desk.reread().await?;
            match fault {
                Fault::Grist(error) => Err(Fault::CannotHold(error.to_string())),
                fault => Err(fault),
            }
        }
        other => other,
    }
}

async fn commit_once(desk: &mut Desk, prepared: &Prepared, batch: &Batch) -> Result<(Receipt, Vec<String>), Fault> {
    let scope = prepared.scope();
    if let Some(stored) = desk.state.checkpoint(scope)?
        && batch.checkpoint.watermark < stored.watermark
    {
        return Err(Fault::Backward(scope.to_string()));
    }
    let targets = Targets::resolve(&desk.state.memory(scope)?, &desk.state.structure, prepared.layout())?;
    let waiting = desk.state.quarantine(scope)?;
    let moved = moved(&waiting, &batch.quarantine);
    let mut numbers: BTreeSet<DossierNumber> = batch.plan.changes.iter().map(Change::number).collect();
    numbers.extend(moved.iter().map(|change| match change {
        QuarantineChange::Put(entry) => entry.number,
        QuarantineChange::Release(number) => *number,
    }));
    widen(desk, targets.dossiers()?, &numbers).await?;
    let holdings = holdings(desk, scope, &numbers).await?;
    let count = desk.state.count(scope);
    let primer = desk.state.primer(scope)?;
    let (layout, primer) = (prepared.layout(), primer.as_ref());
    let emptied = batch.plan.changes.iter().filter(|change| change.empties()).map(Change::number).collect();
    let intents = outbox::emptied(desk, scope, &emptied).await?;
    let totals = count.totals;
    let counts = shared::counts_rows(&desk.state.structure);
    let plan =
        Plan { scope, layout, targets: &targets, holdings: &holdings, totals, primer, intents: &intents, counts };
    let draft = plan.draft(batch)?;

    let mut values = vec![(Slot::Checkpoint.key(scope), value::write(&batch.checkpoint))];
    if !moved.is_empty() {
        let entries: Vec<QuarantineEntry> = commit::quarantine(waiting, &moved).into_values().collect();
        values.push((Slot::Quarantine.key(scope), value::write(&entries)));
    }
    let values = desk.state.changed(values);
    let mut last = Unit::default();
    if desk.state.shows(shared::QUARANTINE) {
        last = commit::quarantine_shown(scope, &moved, &holdings);
    }
    last.rows.extend(commit::state(&values));
    // Where the walks stand is no news that would be worth holding the lease for: should nothing follow, it is free.
    let free = draft.units.is_empty();
    let removes = draft.units.iter().any(|unit| !unit.removals.is_empty());
    let bundles = split::bundles(draft.units, last);
    desk.asked = None;
    if !intents.is_empty() {
        desk.lines.clear();
    }
    if let Some(sent) = desk.fresh.get_mut(scope) {
        sent.extend(numbers);
    }
    for bundle in &bundles {
        desk.send(&[], bundle, free).await?;
    }
    desk.dropped |= removes;
    desk.state.keep(values);
    let rows = count.rows.max(draft.totals.alive + draft.totals.gone);
    desk.state.counts.insert(scope.clone(), Count { rows, totals: draft.totals });
    Ok((draft.receipt, draft.notices))
}

/// Gives the column of numbers a type that holds them, where one is beyond the 32 bits of Grist's whole numbers.
async fn widen(desk: &mut Desk, target: &Target, numbers: &BTreeSet<DossierNumber>) -> Result<(), Fault> {
    let is_wide = numbers.last().is_some_and(|number| i32::try_from(number.get()).is_err());
    let tables = desk.state.structure.iter_mut().find(|table| table.id == target.id);
    let here = tables.and_then(|table| table.columns.iter_mut().find(|here| here.id == target.key));
    let Some(here) = here.filter(|here| is_wide && Kind::parse(&here.kind) == Kind::Int) else { return Ok(()) };
    here.kind = Kind::Numeric.to_string();
    let retype = json!(["ModifyColumn", target.id, target.key, { "type": here.kind }]);
    desk.send(&[], &[Action::Raw(retype)], false).await.map(drop)
}

/// The changes of the quarantine that change something.
fn moved(held: &BTreeMap<DossierNumber, QuarantineEntry>, changes: &[QuarantineChange]) -> Vec<QuarantineChange> {
    let moves = |change: &&QuarantineChange| match change {
        QuarantineChange::Put(entry) => held.get(&entry.number) != Some(entry),
        QuarantineChange::Release(number) => held.contains_key(number),
    };
    changes.iter().filter(moves).cloned().collect()
}

/// Writes the line of a run, and gives the lease back with it.
pub(super) async fn record_run(desk: &mut Desk, scope: &Scope, run: &RunRecord) -> Result<(), Fault> {
    if desk.me.is_none() {
        return Err(Fault::ReadOnly);
    }
    desk.settle().await?;
    match record_once(desk, scope, run).await {
        Err(fault) if fault.is_of_the_past() => {
            desk.reread().await?;
            record_once(desk, scope, run).await
        }
        other => other,
    }
}

async fn record_once(desk: &mut Desk, scope: &Scope, run: &RunRecord) -> Result<(), Fault> {
    let last = desk.state.history(scope)?;
    if runs::is_skipped(&last, run, desk.spent > 0) {
        desk.spent = 0;
        return Ok(());
    }
    let mut removed = Vec::new();
    if last.lines >= runs::KEPT + runs::SLACK {
        let old = desk.reader.history(scope, runs::KEPT - 1, None).await?;
        removed = old.iter().filter_map(super::known::id).collect();
    }
    let after = runs::after(&last, run.ended_at, run.is_quiet(), u32::try_from(removed.len()).unwrap_or_default());
    let values = desk.state.changed(vec![(Slot::History.key(scope), value::write(&after))]);
    let mut unit = Unit { rows: commit::state(&values), ..Unit::default() };
    if desk.dropped {
        unit.removals.extend(files::unused(&desk.reader, &desk.state).await?);
    }
    if desk.state.shows(shared::RUNS) {
        let title = desk.state.form(scope)?.map(|form| form.title);
        unit.rows.push(runs::line(scope, run, title.as_deref()));
        unit.removals.insert(shared::RUNS.to_owned(), removed);
    }
    let bundles: Vec<Vec<Action>> = split::bundles(Vec::new(), unit);
    for bundle in &bundles {
        desk.send(&[], bundle, true).await?;
    }
    desk.state.keep(values);
    (desk.spent, desk.dropped) = (0, false);
    Ok(())
}
