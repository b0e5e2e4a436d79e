//! Commits a batch, and the line of a run: reads what must be known, and sends what `commit` computes.

use std::collections::{BTreeMap, BTreeSet};

use grist_client::{Action, GristError};
use serde_json::json;

use super::bundles::{self, Unit};
use super::commit::{self, CommitPlan};
use super::encoding::Kind;
use super::fault::GristFault;
use super::holdings::Extent;
use super::journal::Notice;
use super::known::{self, Holdings};
use super::session::DocumentSession;
use super::shape::NUMBER;
use super::state::{Count, Slot};
use super::target::{self, TableTarget, TableTargets, row_sources};
use super::{choices, prepare, runs, shared, value};
use crate::ids::{DossierNumber, Scope};
use crate::plan::Change;
use crate::report::RunRecord;
use crate::sink::{Batch, Prepared, QuarantineChange, QuarantineEntry, Receipt};

/// Reads what is held of some dossiers, unless it is known. The last answer is good until the next bundle.
pub(super) async fn holdings(
    session: &mut DocumentSession,
    scope: &Scope,
    numbers: &BTreeSet<DossierNumber>,
    extent: Extent,
) -> Result<Holdings, GristFault> {
    if let Some((of, holdings)) = &session.asked
        && of == scope
        && holdings.covers(numbers)
        && (holdings.whole || extent == Extent::Fingerprints)
    {
        return Ok(holdings.clone());
    }
    if session.state.count(scope).rows == 0 {
        session.fresh.entry(scope.clone()).or_default();
    }
    // Nothing of this démarche was there, and nothing of these dossiers was sent since.
    let unknown = session.fresh.get(scope).is_some_and(|sent| sent.is_disjoint(numbers));
    let holdings = if unknown || numbers.is_empty() {
        Holdings { asked: numbers.clone(), whole: true, ..Holdings::default() }
    } else {
        let sources = row_sources(&session.state.memory(scope)?, &session.state.structure, &session.extensions)?;
        let waiting = session.state.shows(shared::of(shared::QUARANTINE));
        let holdings = session.reader.holdings(scope, &sources, numbers, waiting, extent).await?;
        session.mend().await?;
        holdings
    };
    session.asked = Some((scope.clone(), holdings.clone()));
    Ok(holdings)
}

/// The analysts' table of dossiers and its key; `None` before it is made.
pub(super) fn shown(session: &DocumentSession, scope: &Scope) -> Result<Option<(String, String)>, GristFault> {
    let memory = session.state.memory(scope)?;
    let found = memory.tables.first().and_then(|table| Some((table, table.find(&session.state.structure)?)));
    let Some((found, number)) = found.and_then(|(table, found)| Some((found, table.technical(NUMBER)?.find(found)?)))
    else {
        return Ok(None);
    };
    target::key_holds(found, &number.id)?;
    Ok(Some((found.id.clone(), number.id.clone())))
}

/// Commits a batch. Notices come with the receipt.
pub(super) async fn commit(
    session: &mut DocumentSession,
    prepared: &Prepared,
    batch: &Batch,
) -> Result<(Receipt, Vec<Notice>), GristFault> {
    if session.me.is_none() {
        return Err(GristFault::ReadOnly);
    }
    session.settle().await?;
    match commit_again(session, prepared, batch).await {
        Err(fault) if fault.is_of_the_past() => {
            session.reread().await?;
            commit_again(session, prepared, batch).await
        }
        // Of several bundles some may have been applied: what is there is read again before the next attempt.
        Err(fault) if fault.is_of_what_was_given() && !batch.plan.changes.is_empty() => {
            session.reread().await?;
            match fault {
                GristFault::Grist(error) => Err(GristFault::CannotHold(error.to_string())),
                fault => Err(fault),
            }
        }
        other => other,
    }
}

/// Commits a batch; decides again where columns had to change for its values.
async fn commit_again(
    session: &mut DocumentSession,
    prepared: &Prepared,
    batch: &Batch,
) -> Result<(Receipt, Vec<Notice>), GristFault> {
    loop {
        if let Some(committed) = commit_once(session, prepared, batch).await? {
            return Ok(committed);
        }
    }
}

/// Changes columns for values that Grist would frame in red. Returns true if it did; the rows are decided again then.
async fn widen_columns(session: &mut DocumentSession, scope: &Scope, units: &[Unit]) -> Result<bool, GristFault> {
    if session.fixed_columns {
        return Ok(false);
    }
    let memory = session.state.memory(scope)?;
    let Some(widening) = choices::widen(&memory, &session.state.structure, units) else { return Ok(false) };
    if !session.state.is_placed() {
        session.reread().await?;
    }
    let values = session.state.changed(vec![(Slot::Memory.key(scope), value::write(&widening.memory))]);
    let mut actions = widening.actions;
    let first = actions.len();
    actions.extend(prepare::remember(session, &values));
    match session.send(&[], &actions, false).await {
        Ok(answers) => {
            prepare::believe(session, values, answers.map(|answers| answers[first..].to_vec()));
            session.state.structure = widening.structure;
            Ok(true)
        }
        // A document whose rules close its structure goes on without.
        Err(GristFault::Grist(GristError::Blocked { .. } | GristError::Forbidden { .. })) => {
            session.fixed_columns = true;
            Ok(false)
        }
        Err(fault) => Err(fault),
    }
}

/// Commits a batch; `None` if columns had to change for its values first.
async fn commit_once(
    session: &mut DocumentSession,
    prepared: &Prepared,
    batch: &Batch,
) -> Result<Option<(Receipt, Vec<Notice>)>, GristFault> {
    let scope = prepared.scope();
    if let Some(stored) = session.state.checkpoint(scope)?
        && batch.checkpoint.watermark < stored.watermark
    {
        return Err(GristFault::Backward(scope.to_string()));
    }
    let targets = TableTargets::resolve(
        &session.state.memory(scope)?,
        &session.state.structure,
        prepared.layout(),
        &session.extensions,
    )?;
    let waiting = session.state.quarantine(scope)?;
    let moved = moved(&waiting, &batch.quarantine);
    let mut numbers: BTreeSet<DossierNumber> = batch.plan.changes.iter().map(Change::number).collect();
    numbers.extend(moved.iter().map(|change| match change {
        QuarantineChange::Put(entry) => entry.number,
        QuarantineChange::Release(number) => *number,
    }));
    widen(session, targets.dossiers()?, &numbers).await?;
    let holdings = holdings(session, scope, &numbers, Extent::Rows).await?;
    let count = session.state.count(scope);
    let dictionary = session.state.dictionary(scope)?;
    let (layout, dictionary) = (prepared.layout(), dictionary.as_ref());
    let emptied = batch.plan.changes.iter().filter(|change| change.empties()).map(Change::number).collect();
    let extensions = session.extensions.clone();
    let intents = extensions.emptied(session, scope, &emptied).await?;
    let totals = count.totals;
    let counts = shared::counts_rows(&session.state.structure);
    let plan = CommitPlan {
        scope,
        layout,
        targets: &targets,
        holdings: &holdings,
        totals,
        dictionary,
        intents: &intents,
        counts,
    };
    let draft = plan.draft(batch)?;
    if widen_columns(session, scope, &draft.units).await? {
        return Ok(None);
    }

    let mut values = vec![(Slot::Checkpoint.key(scope), value::write(&batch.checkpoint))];
    if !moved.is_empty() {
        let entries: Vec<QuarantineEntry> = commit::quarantine(waiting, &moved).into_values().collect();
        values.push((Slot::Quarantine.key(scope), value::write(&entries)));
    }
    let values = session.state.changed(values);
    let mut last = Unit::default();
    if session.state.shows(shared::of(shared::QUARANTINE)) {
        last = commit::quarantine_shown(scope, &moved, &holdings);
    }
    last.rows.extend(commit::state(&values));
    // Where the walks stand is no news that would be worth holding the lease for: should nothing follow, it is free.
    let free = draft.units.is_empty();
    let removes = draft.units.iter().any(|unit| !unit.removals.is_empty());
    let bundles = bundles::bundles(draft.units, last);
    session.asked = None;
    if let Some(sent) = session.fresh.get_mut(scope) {
        sent.extend(numbers);
    }
    for bundle in &bundles {
        session.send(&[], bundle, free).await?;
    }
    session.rows_removed |= removes;
    session.state.keep(values);
    let rows = count.rows.max(draft.totals.alive + draft.totals.gone);
    session.state.counts.insert(scope.clone(), Count { rows, totals: draft.totals });
    Ok(Some((draft.receipt, draft.notices)))
}

/// Gives the column of numbers a type that holds them, if one is beyond the 32 bits of Grist's whole numbers (Grist
/// trap 3).
async fn widen(
    session: &mut DocumentSession,
    target: &TableTarget,
    numbers: &BTreeSet<DossierNumber>,
) -> Result<(), GristFault> {
    let is_wide = numbers.last().is_some_and(|number| i32::try_from(number.get()).is_err());
    let tables = session.state.structure.iter_mut().find(|table| table.id == target.id);
    let here = tables.and_then(|table| table.columns.iter_mut().find(|here| here.id == target.key));
    let Some(here) = here.filter(|here| is_wide && Kind::parse(&here.kind) == Kind::Int) else { return Ok(()) };
    here.kind = Kind::Numeric.to_string();
    let retype = json!(["ModifyColumn", target.id, target.key, { "type": here.kind }]);
    session.send(&[], &[Action::Raw(retype)], false).await.map(drop)
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
pub(super) async fn record_run(
    session: &mut DocumentSession,
    scope: &Scope,
    run: &RunRecord,
) -> Result<(), GristFault> {
    if session.me.is_none() {
        return Err(GristFault::ReadOnly);
    }
    session.settle().await?;
    match record_once(session, scope, run).await {
        Err(fault) if fault.is_of_the_past() => {
            session.reread().await?;
            record_once(session, scope, run).await
        }
        other => other,
    }?;
    session.know_structure().await;
    session.keep_in_cache();
    Ok(())
}

async fn record_once(session: &mut DocumentSession, scope: &Scope, run: &RunRecord) -> Result<(), GristFault> {
    let last = session.state.history(scope)?;
    let told = session.notices.french();
    if told.is_empty() && runs::is_skipped(&last, run, session.spent > 0) {
        session.spent = 0;
        return Ok(());
    }
    let mut removed = Vec::new();
    if last.lines >= runs::KEPT + runs::SLACK {
        let old = session.reader.history(scope, runs::KEPT - 1, None).await?;
        removed = old.iter().filter_map(known::id).collect();
    }
    let after = runs::after(&last, run, u32::try_from(removed.len()).unwrap_or_default());
    let values = session.state.changed(vec![(Slot::History.key(scope), value::write(&after))]);
    let mut unit = Unit { rows: commit::state(&values), ..Unit::default() };
    if session.rows_removed {
        unit.removals.extend(session.extensions.unused(session).await?);
    }
    if session.state.shows(shared::of(shared::RUNS)) {
        let title = session.state.form(scope)?.map(|form| form.title);
        unit.rows.push(runs::line(scope, run, title.as_deref(), &told));
        unit.removals.insert(shared::RUNS.to_owned(), removed);
    }
    let bundles: Vec<Vec<Action>> = bundles::bundles(Vec::new(), unit);
    for bundle in &bundles {
        session.send(&[], bundle, true).await?;
    }
    session.state.keep(values);
    session.notices.shown();
    (session.spent, session.rows_removed) = (0, false);
    Ok(())
}
