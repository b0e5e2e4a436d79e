//! Describes the table of commands, and shows it. Pure.

use grist_client::{Action, ColRef, Table};
use serde_json::{Value, json};

use super::command::DocumentCommand;
use crate::sink::grist::pages::Views;
use crate::sink::grist::shared::{self, Shared};

/// The table.
pub(super) const TABLE: &str = "Dn_commandes";
/// The key of a row: the démarche.
pub(super) const KEY: &str = "cle";
/// Who ticked, by a formula of the document: shown, never trusted.
pub(super) const BY: &str = "demande_par";
const SINCE: &str = "demande_le";
/// The answer.
pub(super) const ANSWER: &str = "reponse";
/// The run that took the row, until it has answered.
pub(super) const HOLD: &str = "prise";
/// The title of the démarche.
pub(super) const DEMARCHE: &str = "demarche";

/// One row a démarche. The order of the columns is that of the page.
pub(super) static COMMANDS: Shared = Shared {
    id: TABLE,
    title: "Commandes",
    columns: &[
        (DEMARCHE, "Text", "Démarche"),
        ("synchroniser", "Bool", "Synchroniser"),
        ("verifier", "Bool", "Vérifier"),
        ("relire", "Bool", "Relire tout"),
        ("quarantaine", "Bool", "Réessayer la quarantaine"),
        ("envoyer", "Bool", "Envoyer les décisions"),
        (BY, "Text", "Demandé par"),
        (SINCE, "DateTime:Europe/Paris", "Demandé le"),
        (ANSWER, "Text", "Réponse"),
        (KEY, "Text", ""),
        (HOLD, "Text", ""),
    ],
};

/// True if the table was made, and not shown yet: its ids still follow its titles.
pub(super) fn is_bare(table: &Table) -> bool {
    let own = |column: &&grist_client::Column| COMMANDS.columns().any(|id| id == column.id);
    table.columns.iter().filter(own).any(|column| !column.untied)
}

/// The actions that show a new table: ids that stay, the formulas that say who ticked and when, a section on the page of the
/// run history. Where that page is gone, the table keeps the page that it was made with.
pub(super) fn dress(structure: &[Table], views: &Views) -> Vec<Action> {
    let Some(table) = COMMANDS.find(structure) else { return Vec::new() };
    let reference = |id: &str| table.columns.iter().find(|column| column.id == id).map(|column| column.col_ref);
    let mut actions = Vec::new();
    let own = table.columns.iter().filter(|column| COMMANDS.columns().any(|id| id == column.id));
    actions.extend(own.map(|column| {
        let mut patch = json!({ "untieColIdFromLabel": true });
        let options = match column.id.as_str() {
            ANSWER => json!({ "widget": "TextBox", "wrap": true }),
            SINCE => json!({
                "widget": "TextBox", "dateFormat": "DD/MM/YYYY", "timeFormat": "HH:mm",
                "isCustomDateFormat": false, "isCustomTimeFormat": false,
            }),
            // Grist draws an empty box of the other widget only under the mouse: nobody would see that it can be ticked.
            _ if column.kind == "Bool" => json!({ "widget": "Switch" }),
            _ => json!({}),
        };
        if options != json!({}) {
            patch["widgetOptions"] = options.to_string().into();
        }
        update("_grist_Tables_column", column.col_ref, patch)
    }));
    // A trigger formula of a column whose own value a bundle does not write: it follows the boxes alone.
    let boxes: Vec<ColRef> = DocumentCommand::ALL.iter().filter_map(|command| reference(command.word())).collect();
    let deps: Vec<Value> = std::iter::once("L".into()).chain(boxes.iter().map(|col| (*col).into())).collect();
    for (id, value) in [(BY, who()), (SINCE, "NOW()".to_owned())] {
        if let Some(col) = reference(id) {
            let formula = format!("if {}:\n  return {value}\nreturn value", any_box());
            let patch = json!({ "formula": formula, "recalcWhen": 0, "recalcDeps": deps });
            actions.push(update("_grist_Tables_column", col, patch));
        }
    }
    actions.extend(place(table, structure, views));
    actions
}

/// The width of a column on the page, in pixels: titles are read whole, and an answer in a line or two.
fn width(id: &str) -> u32 {
    match id {
        DEMARCHE => 180,
        BY => 160,
        SINCE => 130,
        ANSWER => 330,
        "quarantaine" | "envoyer" => 170,
        _ => 105,
    }
}

/// True in the document if any box of the row is ticked. When the program takes ticks away, the formulas keep their value.
fn any_box() -> String {
    DocumentCommand::ALL.map(|command| format!("${}", command.word())).join(" or ")
}

/// Names who ticked: Grist gives people without an account an address of its own.
fn who() -> String {
    "\"sans compte\" if user.Email in (None, \"\", \"anon@getgrist.com\") else user.Email".to_owned()
}

/// Puts the table on the page of the run history, and takes away the page that it was made with.
fn place(table: &Table, structure: &[Table], views: &Views) -> Vec<Action> {
    let own = views.of_table.get(&table.table_ref).copied();
    let runs = shared::of(shared::RUNS).find(structure).map(|runs| runs.table_ref);
    let page = runs.and_then(|runs| {
        let view = views.of_table.get(&runs).copied()?;
        views.shows(view, runs).map(|_| view)
    });
    let mut actions = Vec::new();
    match (page, own) {
        (Some(page), _) if views.shows(page, table.table_ref).is_some() => {}
        (Some(page), own) => {
            let values = json!({
                "tableRef": table.table_ref, "parentId": page, "parentKey": "record", "title": COMMANDS.title,
                "borderWidth": 1, "defaultWidth": 100, "linkSrcSectionRef": 0,
            });
            let section = "_grist_Views_section".to_owned();
            actions.push(Action::AddRecord { table: section, row: Some(-1), values: shared::row(values) });
            let shown = COMMANDS.shown().filter_map(|id| table.columns.iter().find(|column| column.id == id));
            let (refs, widths): (Vec<ColRef>, Vec<u32>) =
                shown.map(|column| (column.col_ref, width(&column.id))).unzip();
            let columns = json!({ "parentId": vec![-1; refs.len()], "colRef": refs, "width": widths });
            let rows = vec![Value::Null; refs.len()];
            actions.push(Action::Raw(json!(["BulkAddRecord", "_grist_Views_section_field", rows, columns])));
            if let Some(own) = own {
                actions.push(Action::BulkRemove { table: "_grist_Views".to_owned(), rows: vec![own] });
            }
        }
        (None, Some(own)) => {
            actions.push(update("_grist_Views", own, json!({ "name": COMMANDS.title })));
            if let Some(section) = views.shows(own, table.table_ref) {
                actions.push(update("_grist_Views_section", section.id, json!({ "title": COMMANDS.title })));
            }
        }
        (None, None) => {}
    }
    actions
}

fn update(table: &str, row: grist_client::RowId, values: Value) -> Action {
    Action::UpdateRecord { table: table.to_owned(), row, values: shared::row(values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_box() {
        for command in DocumentCommand::ALL {
            let own = COMMANDS.columns.iter().find(|(id, _, _)| *id == command.word());
            assert_eq!(own, Some(&(command.word(), "Bool", command.title())));
            assert_eq!(DocumentCommand::of_word(command.word()), Some(command));
        }
    }
}
