//! The page of charts: dossiers by state, by groupe, by month, delays, and answers to questions of few choices. Pure.

use grist_client::{Action, ColRef, RowId, Table};
use serde_json::{Value, json};

use super::arrange::{self, Arranged};
use super::builder::Builder;
use super::columns::TableColumns;
use super::formulas::{DECIDED, DELAY, MONTH};
use super::views::{Summary, Views};
use crate::demarche::TypeDeChamp;
use crate::sink::grist::encoding::Kind;
use crate::table::{ColumnKey, Origin, Part};

/// The name of the page.
pub(super) const NAME: &str = "Tableau de bord";

/// A chart of dossiers that have something in common.
#[derive(Clone, Debug, PartialEq)]
struct Chart {
    title: String,
    kind: &'static str,
    /// The columns by which dossiers are grouped.
    by: Vec<ColRef>,
    /// The column of the summary that is drawn.
    value: &'static str,
    options: Value,
    /// Dossiers without a value in the last column are left out.
    answered: bool,
    /// The largest comes first.
    ranked: bool,
}

/// The number of dossiers, in a summary of Grist.
const COUNT: &str = "count";
/// The number of charts that every démarche has.
const COMMON: usize = 4;
/// The most choices of a question that has a chart.
const CHOICES: usize = 12;
/// The most questions that have one.
const QUESTIONS: usize = 3;

/// Lists the charts of a démarche.
fn charts(dossiers: TableColumns<'_>) -> Vec<Chart> {
    let by = |names: &[&str]| {
        let columns = dossiers.all(names);
        (columns.len() == names.len()).then(|| columns.iter().map(|shown| shown.column).collect::<Vec<_>>())
    };
    let chart = |title: &str, kind, by| Chart {
        title: title.to_owned(),
        kind,
        by,
        value: COUNT,
        options: Value::Null,
        answered: false,
        ranked: false,
    };
    let mut charts = Vec::new();
    if let Some(by) = by(&["state"]) {
        let options = json!({ "showTotal": true });
        charts.push(Chart { options, ..chart("Dossiers par état", "donut", by) });
    }
    if let Some(by) = by(&["state", "groupe_instructeur"]) {
        let options = json!({ "multiseries": true, "stacked": true });
        charts.push(Chart { options, ..chart("Dossiers par groupe instructeur et par état", "bar", by) });
    }
    if let Some(by) = by(&[MONTH]) {
        charts.push(Chart { answered: true, ..chart("Dossiers déposés par mois", "bar", by) });
    }
    if let Some(by) = by(&[DECIDED]).filter(|_| dossiers.formula(DELAY).is_some()) {
        let title = "Délai moyen de décision, par mois de décision (jours)";
        charts.push(Chart { value: DELAY, answered: true, ..chart(title, "bar", by) });
    }
    let few = dossiers.questions().filter(|(_, spec)| {
        matches!(&spec.key, ColumnKey::Champ(_, Part::Value))
            && matches!(&spec.origin, Origin::Champ(kind, _) if *kind != TypeDeChamp::Civilite)
            && (2..=CHOICES).contains(&spec.options.len())
    });
    for (column, _) in few.take(QUESTIONS) {
        let Some(shown) = dossiers.shown(column) else { continue };
        let options = json!({ "orientation": "h" });
        charts.push(Chart { options, answered: true, ranked: true, ..chart(&column.label, "bar", vec![shown.column]) });
    }
    charts
}

/// Makes the charts. Grist gives each summary a sum for every number; they go where nobody else uses the summary.
pub(super) fn make(build: &mut Builder, view: RowId, dossiers: TableColumns<'_>, found: &Table, views: &Views) {
    for chart in charts(dossiers) {
        let (table, no_table) = (found.table_ref, Value::Null);
        build.actions.push(Action::Raw(json!(["CreateViewSection", table, view, "chart", chart.by, no_table])));
        if summary(views, found.table_ref, &chart.by).is_some() {
            continue;
        }
        let id = summary_id(found, &chart.by);
        let column = |action: &str, column: &str| Value::from(vec![action, &id, column]);
        let modify = |name: &str, patch: Value| Action::Raw(json!(["ModifyColumn", id, name, patch]));
        for number in
            found.columns.iter().filter(|column| is_number(&column.kind) && !chart.by.contains(&column.col_ref))
        {
            let delay = dossiers.formula(DELAY).is_some_and(|delay| delay.column == number.col_ref);
            if delay && chart.value == DELAY {
                let formula = format!("round(AVERAGE($group.{}))", number.id);
                let patch = json!({ "formula": formula, "label": "Délai moyen (jours)", "untieColIdFromLabel": true });
                build.actions.push(modify(&number.id, patch));
            } else {
                build.actions.push(Action::Raw(column("RemoveColumn", &number.id)));
            }
        }
        if chart.value == COUNT {
            let patch = json!({ "label": "Dossiers", "untieColIdFromLabel": true });
            build.actions.push(modify(COUNT, patch));
        } else {
            build.actions.push(Action::Raw(column("RemoveColumn", COUNT)));
        }
    }
}

/// Returns true if Grist sums a column of this type up.
fn is_number(kind: &str) -> bool {
    matches!(Kind::parse(kind), Kind::Int | Kind::Numeric)
}

/// The id that Grist gives a new summary table.
fn summary_id(found: &Table, by: &[ColRef]) -> String {
    let mut ids: Vec<&str> =
        found.columns.iter().filter(|column| by.contains(&column.col_ref)).map(|column| column.id.as_str()).collect();
    ids.sort_unstable();
    format!("{}_summary_{}", found.id, ids.join("_"))
}

/// Finds the summary of a table by some columns.
fn summary<'a>(views: &'a Views, source: i64, by: &[ColRef]) -> Option<&'a Summary> {
    let sorted = |mut columns: Vec<ColRef>| {
        columns.sort_unstable();
        columns
    };
    let wanted = sorted(by.to_vec());
    views.summaries.iter().find(|summary| {
        let grouped = summary.columns.iter().map(|(_, _, of)| *of).filter(|of| *of != 0).collect();
        summary.source == source && sorted(grouped) == wanted
    })
}

/// Gives the charts their titles and shapes, and arranges them in rows of two.
pub(super) fn arrange(
    build: &mut Builder,
    page: &Arranged<'_>,
    dossiers: TableColumns<'_>,
    delay: Option<&str>,
) -> Value {
    let mut boxes = Vec::new();
    for chart in charts(dossiers) {
        let Some(summary) = dossiers.memory.table_ref.and_then(|table| summary(page.views, table, &chart.by)) else {
            continue;
        };
        let Some(section) = page.views.shows(page.view, summary.table) else { continue };
        let by_id = |id: &str| summary.columns.iter().find(|(_, known, _)| known == id).map(|(column, _, _)| *column);
        let value = if chart.value == DELAY { delay.and_then(by_id) } else { by_id(chart.value) };
        let of = |source: ColRef| summary.columns.iter().find(|(_, _, of)| *of == source).map(|(column, _, _)| *column);
        let mut values = json!({ "title": chart.title, "chartType": chart.kind });
        if !chart.options.is_null() {
            values["options"] = chart.options.to_string().into();
        }
        let last = chart.by.last().copied().and_then(of);
        // A chart with horizontal bars begins below.
        let sort = if chart.ranked { value } else { last };
        if let Some(sort) = sort.filter(|_| chart.kind != "donut") {
            values["sortColRefs"] = json!([sort]).to_string().into();
        }
        build.update("_grist_Views_section", section.id, values);
        if let Some(column) = last.filter(|_| chart.answered) {
            build.filter(section.id, column, &json!({ "excluded": ["", null] }));
        }
        let drawn: Vec<ColRef> = chart.by.iter().copied().filter_map(of).chain(value).collect();
        let fields = page.views.fields.get(&section.id).into_iter().flatten();
        let useless = fields.filter(|field| !drawn.contains(&field.column)).map(|field| field.id).collect();
        build.remove("_grist_Views_section_field", useless);
        boxes.push(arrange::leaf(section.id));
    }
    // Two a row for what every démarche has, and one row for the questions.
    let questions = boxes.split_off(boxes.len().min(COMMON));
    let mut rows: Vec<Option<Value>> =
        boxes.chunks(2).map(|pair| arrange::split(pair.iter().cloned().map(Some).collect())).collect();
    rows.push(arrange::split(questions.into_iter().map(Some).collect()));
    rows.retain(Option::is_some);
    match rows.len() {
        1 => json!({ "children": rows }),
        _ => arrange::split(rows).unwrap_or_else(|| json!({})),
    }
}
