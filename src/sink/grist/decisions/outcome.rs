//! Writes what became of intents beside what was asked.

use grist_client::Action;
use serde_json::{Map, Value};

use super::cells;
use super::columns::Columns;
use crate::demarche::Demarche;
use crate::ids::Scope;
use crate::intent::{Action as Wanted, Intent, Status, Words};
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::known::{DocRecord, id};
use crate::sink::grist::outbox::{OutboxLine, ask, named_action, outcome, update};
use crate::sink::grist::session::DocumentSession;

/// Lists the actions that go with the new status of an intent: « Suite donnée », and the cells that asked for it emptied
/// once it is done, as far as nobody wrote something else there meanwhile.
pub(super) async fn actions(
    session: &DocumentSession,
    scope: &Scope,
    line: &OutboxLine,
) -> Result<Vec<Action>, GristFault> {
    let memory = session.state.memory(scope)?;
    let columns = memory.tables.first().and_then(|table| Columns::of(table, &session.state.structure));
    let Some(columns) = columns else { return Ok(Vec::new()) };
    let mut cells = Map::new();
    if let Some(outcome) = &columns.outcome {
        let form = session.state.form(scope)?;
        cells.insert(outcome.clone(), story(&chain(session, scope, line).await?, form.as_ref()).into());
    }
    if let (Some(_), Ok(intent)) = (&line.kept.chain, line.intent())
        && (line.status.is_success() || columns.fills_agent && !waits(line))
    {
        let number = vec![line.kept.dossier.get().into()];
        let mut rows = session.reader.doc.records(&columns.table, &[(columns.number.as_str(), number)]).await?;
        rows.sort_by_key(id);
        if let Some(row) = rows.first() {
            let done = if line.status.is_success() { emptied(&columns, &intent, row) } else { Vec::new() };
            cells.extend(done.into_iter().chain(agent(&columns, &intent, row)).map(|column| (column, Value::Null)));
        }
    }
    if cells.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![update(&columns.table, &columns.number, line.kept.dossier.get().into(), cells)])
}

/// The intents of one tick, in their order, this one as it is now.
async fn chain(session: &DocumentSession, scope: &Scope, line: &OutboxLine) -> Result<Vec<OutboxLine>, GristFault> {
    let Some(name) = &line.kept.chain else { return Ok(vec![line.clone()]) };
    let mut lines = ask(session, scope, &[("chaine", vec![name.as_str().into()])]).await?;
    match lines.iter_mut().find(|known| known.place == line.place) {
        Some(known) => *known = line.clone(),
        None => lines.push(line.clone()),
    }
    Ok(lines)
}

/// Says what became of the intents of one tick: a line each.
fn story(lines: &[OutboxLine], form: Option<&Demarche>) -> String {
    let alone = lines.len() == 1;
    let told = |line: &OutboxLine| {
        if alone || line.status.is_success() {
            outcome(line, form)
        } else {
            format!("{} – {}", named_action(line), outcome(line, form))
        }
    };
    lines.iter().map(told).collect::<Vec<_>>().join("\n")
}

/// The cell of the agent who ticked, where the next one who ticks is to fill it.
fn agent(columns: &Columns, intent: &Intent, row: &DocRecord) -> Option<String> {
    let column = columns.agent.as_ref().filter(|_| columns.fills_agent)?;
    let named = row.get(column).and_then(Value::as_str).map(str::trim);
    (named == intent.author.as_ref().map(Words::as_str)).then(|| column.clone())
}

/// The cells that still ask for what is done.
fn emptied(columns: &Columns, intent: &Intent, row: &DocRecord) -> Vec<String> {
    match &intent.action {
        Wanted::Annotations { edits } => {
            let asks = columns.annotations.iter().filter(|annotation| {
                let asked = cells::edit(annotation, row).ok().flatten();
                asked.is_some_and(|asked| edits.contains(&asked))
            });
            asks.map(|annotation| annotation.id.clone()).collect()
        }
        Wanted::Message { body, .. }
            if cells::message(columns, row).is_ok_and(|asked| asked.as_ref() == Some(body)) =>
        {
            columns.message.iter().cloned().collect()
        }
        action if cells::decision(columns, row).is_ok_and(|asked| asked.as_ref() == Some(action)) => {
            columns.decision.iter().chain(&columns.motivation).cloned().collect()
        }
        _ => Vec::new(),
    }
}

/// Returns true if an intent is still to be done.
pub(super) fn waits(line: &OutboxLine) -> bool {
    line.status == Status::Pending
}
