//! Finds values that Grist would frame in red, and what to change of their columns before they are written. Pure.
//!
//! A choice that a column does not list, and a text in a column of numbers or dates, are framed as errors. Most values fit:
//! the form tells its choices and kinds beforehand. This is for the others: « Autre : … », an instructeur or a label that is
//! new, an answer of a time when the question was of another kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grist_client::{Action, Column, Table};
use serde_json::{Map, Value};

use super::bundles::{RowShape, Unit};
use super::encoding::Kind;
use super::memory::{ColumnMemory, DocumentMemory, Style};
use super::shape;
use crate::table::ColumnKey;

/// The most choices that a column gets as they come: a longer list is no help, and the column becomes text.
const MOST: usize = 200;

/// Changes of columns before rows are written.
#[derive(Clone, Debug)]
pub(super) struct Widening {
    pub actions: Vec<Action>,
    pub memory: DocumentMemory,
    pub structure: Vec<Table>,
}

/// Finds the columns that the rows need otherwise than they are; `None` if they are fine.
pub(super) fn widen(memory: &DocumentMemory, structure: &[Table], units: &[Unit]) -> Option<Widening> {
    match memory.style {
        Style::First => return None,
        Style::French => {}
    }
    let strangers = strangers(memory, structure, units);
    let mut widening = Widening { actions: Vec::new(), memory: memory.clone(), structure: structure.to_vec() };
    for table in &mut widening.memory.tables {
        let Some(found) = table.find(structure).cloned() else { continue };
        let Some(seen) = strangers.get(found.id.as_str()) else { continue };
        for column in table.columns.iter_mut().chain(&mut table.twins) {
            let Some(here) = column.find(&found).filter(|here| !column.left_out && !here.is_formula) else { continue };
            let Some(values) = seen.get(here.id.as_str()) else { continue };
            let here_now = widening.structure.iter_mut().find(|table| table.table_ref == found.table_ref);
            let here_now = here_now.and_then(|table| table.columns.iter_mut().find(|now| now.col_ref == here.col_ref));
            let (Some(now), Some(patch)) = (here_now, patch(column, here, values)) else { continue };
            match &patch {
                Patch::Type(kind) => now.kind = kind.to_string(),
                Patch::Choices(widget) => now.widget_options.clone_from(widget),
            }
            let values = Map::from_iter([match patch {
                Patch::Type(kind) => ("type".to_owned(), kind.to_string().into()),
                Patch::Choices(widget) => ("widgetOptions".to_owned(), widget.into()),
            }]);
            let table = "_grist_Tables_column".to_owned();
            widening.actions.push(Action::UpdateRecord { table, row: here.col_ref, values });
        }
    }
    (!widening.actions.is_empty()).then_some(widening)
}

/// Change of a column.
enum Patch {
    Type(Kind),
    Choices(String),
}

/// Decides what to change of a column for values that it does not expect. What people arranged stays: their choices are
/// added to, and a type that they gave is left.
fn patch(column: &mut ColumnMemory, here: &Column, values: &BTreeSet<&str>) -> Option<Patch> {
    match Kind::parse(&here.kind) {
        Kind::Choice | Kind::ChoiceList => {
            let known = listed(&here.widget_options);
            let new = values.iter().filter(|value| !known.iter().any(|known| known == *value));
            // One that we gave and that is not there any more was taken away by a person.
            let new = new.filter(|value| !column.options.iter().any(|given| given == *value));
            let new: Vec<String> = new.map(|value| (*value).to_owned()).collect();
            if new.is_empty() {
                return None;
            }
            let single = Kind::parse(&here.kind) == Kind::Choice;
            let question = matches!(column.key, ColumnKey::Champ(..));
            if single && question && (is_as_made(column, here) || known.len() + new.len() > MOST) {
                // A question with « Autre » is text after all.
                return Some(Patch::Type(Kind::Text));
            }
            column.options.extend(new.iter().cloned());
            Some(Patch::Choices(shape::merged(&here.widget_options, &new, &[])))
        }
        // A column without a type shows numbers as numbers and texts as texts.
        Kind::Int | Kind::Numeric => Some(Patch::Type(Kind::Any)),
        Kind::Date | Kind::DateTime(_) => Some(Patch::Type(Kind::Text)),
        Kind::Text | Kind::Bool | Kind::Ref(_) | Kind::Any | Kind::Other(_) => None,
    }
}

/// The choices of a column in the document.
fn listed(widget: &str) -> Vec<String> {
    let widget: Value = serde_json::from_str(widget).unwrap_or_default();
    let choices = widget["choices"].as_array().into_iter().flatten();
    choices.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns true if nobody arranged the choices of a column.
fn is_as_made(column: &ColumnMemory, here: &Column) -> bool {
    let widget: Value = serde_json::from_str(&here.widget_options).unwrap_or_default();
    let plain = widget["choiceOptions"].as_object().is_none_or(Map::is_empty);
    plain && listed(&here.widget_options) == column.options
}

type Seen<'a> = BTreeMap<&'a str, BTreeMap<&'a str, BTreeSet<&'a str>>>;

/// Lists the texts that rows have where they may be framed, by table and column.
fn strangers<'a>(memory: &DocumentMemory, structure: &'a [Table], units: &'a [Unit]) -> Seen<'a> {
    let mut seen = Seen::new();
    let tables: BTreeMap<&str, &Table> = memory
        .tables
        .iter()
        .filter_map(|table| table.find(structure))
        .map(|found| (found.id.as_str(), found))
        .collect();
    let mut places: BTreeMap<*const RowShape, Vec<(usize, &Column)>> = BTreeMap::new();
    for row in units.iter().flat_map(|unit| &unit.rows) {
        let Some(found) = tables.get(row.form.table.as_str()) else { continue };
        let places = places.entry(Arc::as_ptr(&row.form)).or_insert_with(|| {
            let place = |(at, id): (usize, &String)| {
                let here = found.columns.iter().find(|here| here.id == *id)?;
                matters(&Kind::parse(&here.kind)).then_some((at, here))
            };
            row.form.columns.iter().enumerate().filter_map(place).collect()
        });
        for (at, here) in places.iter() {
            let mut tell = |text: &'a str| {
                let known = seen.entry(found.id.as_str()).or_default().entry(here.id.as_str()).or_default();
                known.insert(text);
            };
            match row.values.get(*at) {
                Some(Value::String(text)) if !text.is_empty() => tell(text),
                // The first says that it is a list.
                Some(Value::Array(items)) => items.iter().skip(1).filter_map(Value::as_str).for_each(tell),
                _ => {}
            }
        }
    }
    seen
}

fn matters(kind: &Kind) -> bool {
    match kind {
        Kind::Choice | Kind::ChoiceList | Kind::Int | Kind::Numeric | Kind::Date | Kind::DateTime(_) => true,
        Kind::Text | Kind::Bool | Kind::Ref(_) | Kind::Any | Kind::Other(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ids::DescriptorId;
    use crate::sink::grist::bundles::Upsert;
    use crate::sink::grist::memory::TableMemory;
    use crate::table::{CellKind, Part, TableKey};

    fn remembered(name: &str, col_ref: i64, kind: &str, key: ColumnKey) -> ColumnMemory {
        ColumnMemory {
            key,
            name: name.to_owned(),
            title: name.to_owned(),
            kind: CellKind::Choice,
            id: name.to_owned(),
            col_ref: Some(col_ref),
            dressed: true,
            given: kind.to_owned(),
            label: name.to_owned(),
            description: String::new(),
            options: vec!["a".to_owned(), "b".to_owned()],
            left_out: false,
            awaited: false,
            fenced: true,
            colours: Vec::new(),
        }
    }

    /// A document with one column, the widget that it has, and a row that brings a value.
    fn brought(kind: &str, widget: &Value, key: ColumnKey, value: Value) -> Option<Widening> {
        let column = remembered("q", 7, kind, key);
        let here = Column {
            id: "q".to_owned(),
            col_ref: 7,
            kind: kind.to_owned(),
            label: "q".to_owned(),
            is_formula: false,
            formula: String::new(),
            widget_options: widget.to_string(),
            description: String::new(),
            untied: true,
        };
        let structure = [Table { id: "T".to_owned(), table_ref: 3, columns: vec![here] }];
        let table = TableMemory {
            key: TableKey::Dossiers,
            name: "t".to_owned(),
            title: "t".to_owned(),
            id: "T".to_owned(),
            table_ref: Some(3),
            dressed: true,
            technical: Vec::new(),
            columns: vec![column],
            file: None,
            decisions: Vec::new(),
            twins: Vec::new(),
            formulas: Vec::new(),
        };
        let memory = DocumentMemory { tables: vec![table], style: Style::French, pages: Vec::new() };
        let form = RowShape {
            rank: 0,
            table: "T".to_owned(),
            key: "number".to_owned(),
            columns: vec!["q".to_owned()],
            adds: true,
        };
        let row = Upsert { form: Arc::new(form), key: 1.into(), values: vec![value] };
        let units = [Unit { rows: vec![row], ..Unit::default() }];
        let first = DocumentMemory { style: Style::First, ..memory.clone() };
        assert!(widen(&first, &structure, &units).is_none(), "a document of an older version stays as it is");
        widen(&memory, &structure, &units)
    }

    fn question() -> ColumnKey {
        ColumnKey::Champ(DescriptorId::new("Q"), Part::Value)
    }

    fn values(widening: Option<Widening>) -> Value {
        let widening = widening.expect("a change");
        match &widening.actions[..] {
            [Action::UpdateRecord { row: 7, values, .. }] => Value::Object(values.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_choice_that_is_listed_or_that_a_person_took_away_changes_nothing() {
        let widget = json!({ "choices": ["a"] });
        for value in [json!("a"), json!("b"), json!(""), Value::Null] {
            assert!(brought("Choice", &widget, question(), value.clone()).is_none(), "{value}");
        }
        assert!(brought("ChoiceList", &widget, question(), json!(["L", "a"])).is_none());
        assert!(brought("Text", &json!({}), question(), json!("anything")).is_none());
        assert!(brought("Numeric", &json!({}), question(), json!(12)).is_none());
    }

    #[test]
    fn an_answer_beyond_the_list_makes_a_text_of_a_column_that_nobody_arranged() {
        let widget = json!({ "choices": ["a", "b"] });
        assert_eq!(values(brought("Choice", &widget, question(), json!("Autre : c"))), json!({ "type": "Text" }));
        let theirs = json!({ "choices": ["b", "a"], "choiceOptions": { "a": { "fillColor": "#000000" } } });
        let patch = values(brought("Choice", &theirs, question(), json!("c")));
        let widget: Value = serde_json::from_str(patch["widgetOptions"].as_str().expect("options")).expect("JSON");
        assert_eq!(widget["choices"], json!(["b", "a", "c"]));
        assert_eq!(widget["choiceOptions"]["a"]["fillColor"], "#000000");
    }

    #[test]
    fn labels_come_as_choices_and_are_remembered() {
        let key = ColumnKey::Fixed("labels".to_owned());
        let widening = brought("ChoiceList", &json!({ "choices": ["a", "b"] }), key, json!(["L", "a", "urgent"]));
        let options = &widening.as_ref().expect("a change").memory.tables[0].columns[0].options;
        assert_eq!(options, &["a", "b", "urgent"]);
        assert!(values(widening)["widgetOptions"].as_str().is_some_and(|widget| widget.contains("urgent")));
    }

    #[test]
    fn a_text_among_numbers_or_dates_takes_the_type_away() {
        assert_eq!(values(brought("Numeric", &json!({}), question(), json!("douze"))), json!({ "type": "Any" }));
        assert_eq!(values(brought("Date", &json!({}), question(), json!("hier"))), json!({ "type": "Text" }));
    }
}
