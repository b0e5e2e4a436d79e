//! The page of the run history, which all démarches of a document share. Pure.

use grist_client::{ColRef, RowId, Table};
use serde_json::{Value, json};

use super::arrange::{self, Arranged};
use super::builder::{Builder, NewSection};
use super::columns::Shown;
use crate::sink::grist::journal;
use crate::sink::grist::shared::{self, Shared};

/// The name of the page.
pub(super) const NAME: &str = "Synchronisation";

const SENTENCE: &str = "Une ligne par passage, le dernier en premier. Ces lignes sont écrites pour vous : les modifier ou les \
                        supprimer est sans conséquence.";

/// The columns of the run history in their order, with their widths.
const RUNS: [(&str, u32); 9] = [
    ("debut", 140),
    ("resultat", 210),
    ("message", 340),
    ("nouveaux", 85),
    ("modifies", 85),
    ("supprimes", 90),
    ("quarantaine", 120),
    ("demarche", 220),
    ("fin", 140),
];

/// Those of the quarantine.
const QUARANTINE: [(&str, u32); 7] = [
    ("dossier", 110),
    ("motif", 160),
    ("message", 380),
    ("depuis", 140),
    ("prochain_essai", 140),
    ("essais", 80),
    ("demarche", 220),
];

/// Makes the widgets of the page, and gives its columns their forms.
pub(super) fn make(build: &mut Builder, view: RowId, runs: &Table, waiting: Option<&Table>) {
    dates(build, runs);
    let result = runs.columns.iter().find(|column| column.id == "resultat");
    if let Some(result) = result.filter(|column| column.kind == "Text" && column.widget_options.is_empty()) {
        let choices: Vec<&str> = journal::RESULTS.iter().map(|(word, _, _)| *word).collect();
        let colours: serde_json::Map<String, Value> = journal::RESULTS
            .iter()
            .map(|(word, fill, text)| ((*word).to_owned(), json!({ "fillColor": fill, "textColor": text })))
            .collect();
        let widget = json!({ "widget": "TextBox", "choices": choices, "choiceOptions": colours }).to_string();
        build.update("_grist_Tables_column", result.col_ref, json!({ "type": "Choice", "widgetOptions": widget }));
    }
    section(build, view, runs, shared::of(shared::RUNS), &RUNS, "debut");
    if let Some(waiting) = waiting {
        quarantine(build, view, waiting);
    }
}

/// Makes the widget of the quarantine.
pub(super) fn quarantine(build: &mut Builder, view: RowId, waiting: &Table) {
    dates(build, waiting);
    section(build, view, waiting, shared::of(shared::QUARANTINE), &QUARANTINE, "depuis");
}

/// Writes dates as in France, and lets messages take two lines.
fn dates(build: &mut Builder, table: &Table) {
    for column in table.columns.iter().filter(|column| column.widget_options.is_empty()) {
        let widget = if column.kind.starts_with("DateTime") {
            json!({ "dateFormat": "DD/MM/YYYY", "timeFormat": "HH:mm" })
        } else if column.id == "message" {
            json!({ "wrap": true })
        } else {
            continue;
        };
        build.update("_grist_Tables_column", column.col_ref, json!({ "widgetOptions": widget.to_string() }));
    }
}

fn section(build: &mut Builder, view: RowId, table: &Table, of: &Shared, columns: &[(&str, u32)], newest: &str) {
    let find = |id: &str| table.columns.iter().find(|column| column.id == id).map(|column| column.col_ref);
    let fields = columns.iter().filter_map(|(id, width)| Some(Shown::new(find(id)?, *width)));
    let description = if of.id == shared::RUNS { SENTENCE } else { "" };
    build.section(&NewSection {
        table: table.table_ref,
        view,
        kind: "record",
        title: of.title.to_owned(),
        description,
        options: json!({ "rowHeight": 3 }),
        sort: find(newest).map(|column: ColRef| -column),
        link: None,
        fields: fields.collect(),
    });
}

/// Arranges the page: the runs above, then what other features put there, the quarantine below.
pub(super) fn arrange(page: &Arranged<'_>) -> Value {
    let titles = [shared::RUNS, shared::QUARANTINE].map(|id| shared::of(id).title);
    let others = page.sections().filter(|section| !titles.contains(&section.property("title")));
    let others = others.map(|section| arrange::sized(Some(arrange::leaf(section.id)), 200));
    let mut rows = vec![arrange::sized(page.titled(titles[0]), 480)];
    rows.splice(0..0, others);
    rows.push(arrange::sized(page.titled(titles[1]), 220));
    arrange::split(rows).unwrap_or_else(|| json!({}))
}
