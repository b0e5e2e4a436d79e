//! Makes the tables of the outbox when the first intent comes, and mends them where people broke what they may see.

use grist_client::{Action, Table};
use serde_json::{Value, json};

use super::labels::STATUSES;
use super::tables::{self, OutboxCounts};
use crate::ids::Scope;
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::pages::Views;
use crate::sink::grist::session::DocumentSession;
use crate::sink::grist::shared::{self, Shared};

/// Checks if there are intents to be read.
///
/// # Errors
/// [`GristFault::Altered`] when there were, and their table is gone or broken.
pub(super) fn is_there(session: &DocumentSession, scope: &Scope) -> Result<bool, GristFault> {
    let shared = tables::of(tables::INTENTS);
    match shared.find(&session.state.structure) {
        Some(table) => match shared.damage(table) {
            None => Ok(true),
            Some(reason) => Err(GristFault::Altered(reason)),
        },
        None if OutboxCounts::of(&session.state, scope)?.intents > 0 => {
            Err(GristFault::Altered(missing(session, tables::INTENTS)))
        }
        None => Ok(false),
    }
}

/// Says what is missing of a table.
pub(super) fn missing(session: &DocumentSession, id: &str) -> String {
    let shared = tables::of(id);
    match shared.find(&session.state.structure).map(|table| shared.missing_column(table)) {
        Some(column) => format!("{id}: column {} is missing", column.unwrap_or_default()),
        None => format!("the table {id} is missing"),
    }
}

/// Makes what is not there, and shows what is new.
pub(in crate::sink::grist) async fn ready(session: &mut DocumentSession, scope: &Scope) -> Result<(), GristFault> {
    if session.me.is_none() {
        return Err(GristFault::ReadOnly);
    }
    is_there(session, scope)?;
    let core = session.state.missing()?;
    let absent = |shared: &&Shared| shared.find(&session.state.structure).is_none();
    let core = core.into_iter().filter(|shared| !shared.is_for_people());
    let made: Vec<Action> = core.flat_map(Shared::create).collect();
    let mut actions: Vec<Action> = tables::OUTBOX.iter().filter(absent).flat_map(Shared::create).collect();
    actions.extend(shared::mend(tables::OUTBOX, &session.state.structure));
    if !made.is_empty() || !actions.is_empty() {
        session.send(&made, &actions, false).await?;
        session.reread_structure().await?;
    }
    let bare = |table: &Table, shared: &Shared| {
        let own = |column: &&grist_client::Column| shared.columns().any(|id| id == column.id);
        table.columns.iter().filter(own).any(|column| !column.untied)
    };
    let found = |shared: &Shared| shared.find(&session.state.structure).is_some_and(|table| bare(table, shared));
    if tables::OUTBOX.iter().any(found) {
        let views = session.reader.views().await?;
        let actions = dress(&session.state.structure, &views);
        session.send(&[], &actions, false).await?;
        session.reread_structure().await?;
    }
    Ok(())
}

/// Titles, colours, and ids that do not follow titles, for what is new.
fn dress(structure: &[Table], views: &Views) -> Vec<Action> {
    let mut actions = Vec::new();
    for shared in tables::OUTBOX {
        let Some(table) = shared.find(structure) else { continue };
        let own = table.columns.iter().filter(|column| shared.columns().any(|id| id == column.id));
        let (bare, dressed): (Vec<_>, Vec<_>) = own.partition(|column| !column.untied);
        for column in &bare {
            let mut patch = json!({ "untieColIdFromLabel": true });
            if column.kind == "Choice" {
                patch["widgetOptions"] = statuses().to_string().into();
            }
            actions.push(update("_grist_Tables_column", column.col_ref, patch));
        }
        if !shared.is_for_people() || !dressed.is_empty() {
            continue;
        }
        let Some(view) = views.of_table.get(&table.table_ref).copied() else { continue };
        actions.push(update("_grist_Views", view, json!({ "name": shared.title })));
        if let Some(section) = views.shows(view, table.table_ref) {
            actions.push(update("_grist_Views_section", section.id, json!({ "title": shared.title })));
        }
    }
    actions
}

fn statuses() -> Value {
    let choices: Vec<&str> = STATUSES.iter().map(|(word, _, _)| *word).collect();
    let options: serde_json::Map<String, Value> = STATUSES
        .iter()
        .map(|(word, fill, text)| ((*word).to_owned(), json!({ "fillColor": fill, "textColor": text })))
        .collect();
    json!({ "widget": "TextBox", "choices": choices, "choiceOptions": options })
}

fn update(table: &str, row: grist_client::RowId, values: Value) -> Action {
    Action::UpdateRecord { table: table.to_owned(), row, values: shared::row(values) }
}
