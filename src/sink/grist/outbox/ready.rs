//! The tables of the outbox: made when the first intent comes, mended where people broke what is theirs to see.

use serde_json::{Value, json};

use super::words::STATUSES;
use crate::ids::Scope;
use crate::sink::grist::desk::Desk;
use crate::sink::grist::fault::Fault;
use crate::sink::grist::pages::Views;
use crate::sink::grist::shared::{self, Shared};
use grist_client::{Action, Table};

/// Whether there are intents to be asked for.
///
/// # Errors
/// [`Fault::Altered`] when there were, and their table is gone or broken.
pub(super) fn is_there(desk: &Desk, scope: &Scope) -> Result<bool, Fault> {
    let shared = shared::of(shared::INTENTS);
    match shared.find(&desk.state.structure) {
        Some(table) => match shared.damage(table) {
            None => Ok(true),
            Some(reason) => Err(Fault::Altered(reason)),
        },
        None if desk.state.places(scope)?.intents > 0 => Err(Fault::Altered(missing(desk, shared::INTENTS))),
        None => Ok(false),
    }
}

/// What is missing of a table.
pub(super) fn missing(desk: &Desk, id: &str) -> String {
    let shared = shared::of(id);
    match shared.find(&desk.state.structure).map(|table| shared.missing_column(table)) {
        Some(column) => format!("{id}: column {} is missing", column.unwrap_or_default()),
        None => format!("the table {id} is missing"),
    }
}

/// Makes what is not there, and shows what is new.
pub(in crate::sink::grist) async fn ready(desk: &mut Desk, scope: &Scope) -> Result<(), Fault> {
    if desk.me.is_none() {
        return Err(Fault::ReadOnly);
    }
    is_there(desk, scope)?;
    let core = desk.state.missing()?;
    let absent = |shared: &&Shared| shared.find(&desk.state.structure).is_none();
    let core = core.into_iter().filter(|shared| !shared.is_for_people());
    let made: Vec<Action> = core.flat_map(Shared::create).collect();
    let mut actions: Vec<Action> = shared::OUTBOX.iter().filter(absent).flat_map(Shared::create).collect();
    actions.extend(shared::mend(&shared::OUTBOX, &desk.state.structure));
    if !made.is_empty() || !actions.is_empty() {
        desk.send(&made, &actions, false).await?;
        (desk.state.structure, desk.state.hidden) = desk.reader.structure().await?;
    }
    let bare = |table: &Table, shared: &Shared| {
        let own = |column: &&grist_client::Column| shared.columns().any(|id| id == column.id);
        table.columns.iter().filter(own).any(|column| !column.untied)
    };
    let found = |shared: &Shared| shared.find(&desk.state.structure).is_some_and(|table| bare(table, shared));
    if shared::OUTBOX.iter().any(found) {
        let views = desk.reader.views().await?;
        let actions = dress(&desk.state.structure, &views);
        desk.send(&[], &actions, false).await?;
        (desk.state.structure, desk.state.hidden) = desk.reader.structure().await?;
    }
    Ok(())
}

/// Titles, colours, and ids that do not follow titles, for what is new.
fn dress(structure: &[Table], views: &Views) -> Vec<Action> {
    let mut actions = Vec::new();
    for shared in &shared::OUTBOX {
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
        let grid = views.sections.iter().find(|(of, shows, _)| *of == view && *shows == table.table_ref);
        if let Some((_, _, section)) = grid {
            actions.push(update("_grist_Views_section", *section, json!({ "title": shared.title })));
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
