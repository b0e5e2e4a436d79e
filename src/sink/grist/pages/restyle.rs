//! Says which pages are made anew, and what people made of them. Pure.

use grist_client::{RowId, Table, TableRef};

use super::views::Views;
use super::{dashboard, first_widgets};
use crate::sink::grist::memory::{DocumentMemory, PageKey, Style};
use crate::sink::grist::shared;

/// Lists what making the pages of a démarche anew replaces, adds and keeps, one line each.
pub(in crate::sink::grist) fn preview(memory: &DocumentMemory, structure: &[Table], views: &Views) -> Vec<String> {
    let mut lines = Vec::new();
    if memory.style == Style::First {
        lines.push("~ columns with words of the platform get a French one beside them".to_owned());
    }
    if memory.pages.iter().all(|page| page.key != PageKey::Dashboard) {
        lines.push(format!("+ page “{}”", dashboard::NAME));
    }
    let mut told: Vec<RowId> = Vec::new();
    for page in &memory.pages {
        let Some(view) = page.view else { continue };
        match views.views.get(&view) {
            Some(here) => {
                let changed = !page.made.is_empty() && views.digest(view) != page.made;
                lines.push(replaced(&here.name, changed));
                told.push(view);
                lines.extend(kept(views, view, &page.sections));
            }
            None => lines.push(format!("  page “{}” was removed, and stays away", page.name)),
        }
    }
    let own = memory.tables.iter().filter_map(|table| table.table_ref).map(|table| vec![table]);
    let shared = [shared::RUNS, shared::QUARANTINE].iter().filter_map(|id| shared::of(id).find(structure));
    let shared: Vec<TableRef> = shared.map(|table| table.table_ref).collect();
    for tables in own.chain([shared]) {
        let Some(view) = tables.first().and_then(|table| views.of_table.get(table)) else { continue };
        let Some(here) = views.views.get(view).filter(|_| !told.contains(view)) else { continue };
        let ours = first_widgets(views, *view, &tables);
        // How it was made was not remembered then.
        lines.push(replaced(&here.name, true));
        lines.extend(kept(views, *view, &ours));
    }
    lines
}

fn replaced(name: &str, changed: bool) -> String {
    let words = if changed { ", and what was changed of its widgets since they were made is lost" } else { "" };
    format!("~ page “{name}” is made anew{words}")
}

/// The widgets of people on a page.
fn kept<'a>(views: &'a Views, view: RowId, ours: &'a [RowId]) -> impl Iterator<Item = String> + 'a {
    let theirs = views.on(view).filter(|section| !ours.contains(&section.id));
    theirs.map(|section| match section.property("title") {
        "" => "  a widget of yours on it is kept".to_owned(),
        title => format!("  the widget “{title}” on it is kept"),
    })
}
