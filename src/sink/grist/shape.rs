//! Describes how tables and columns are made: types, titles, choices, and the columns that every table has.

use serde_json::{Map, Value, json};

use super::encoding::{Kind, YES_NO};
use super::memory::{ChoiceColour, ColumnMemory};
use crate::demarche::TypeDeChamp;
use crate::sink::names;
use crate::table::{CellKind, ColumnKey, ColumnSpec, LayoutTable, Origin, TableKey};

/// Where a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnPosition {
    /// Before those of the layout.
    Head,
    /// After those of the layout.
    Tail,
    /// Nowhere, until a person wants it.
    Hidden,
}

/// A column that every table of dossiers, or every child table, has.
pub(super) struct Technical {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub place: ColumnPosition,
    kind: CellKind,
}

/// The type of a column of files.
pub(super) const ATTACHMENTS: &str = "Attachments";

/// The number of a dossier, in its table.
pub(super) const NUMBER: &str = "number";
pub(super) const GONE_REASON: &str = "dn_gone_reason";
pub(super) const GONE_AT: &str = "dn_gone_at";
pub(super) const SEEN_AT: &str = "dn_seen_at";
/// The dossier of a child row.
pub(super) const PARENT: &str = "dossier";
/// The place of a child row among those of its dossier, from 1.
pub(super) const RANK: &str = "position";
/// The key of a child row: the number of its dossier and its own key.
pub(super) const KEY: &str = "cle";

const OF_DOSSIERS: [Technical; 4] = [
    Technical {
        name: NUMBER,
        title: "Dossier n°",
        description: "",
        place: ColumnPosition::Head,
        kind: CellKind::Integer,
    },
    Technical {
        name: GONE_REASON,
        title: "Motif de suppression",
        description: "Vide tant que la plateforme montre le dossier.",
        place: ColumnPosition::Tail,
        kind: CellKind::Text,
    },
    Technical {
        name: GONE_AT,
        title: "Date de suppression",
        description: "",
        place: ColumnPosition::Tail,
        kind: CellKind::Datetime,
    },
    Technical {
        name: SEEN_AT,
        title: "Changement vu le",
        description: "Quand cette version du dossier a été copiée pour la première fois.",
        place: ColumnPosition::Hidden,
        kind: CellKind::Datetime,
    },
];

const OF_CHILDREN: [Technical; 3] = [
    Technical { name: PARENT, title: "Dossier", description: "", place: ColumnPosition::Head, kind: CellKind::Integer },
    Technical { name: RANK, title: "Rang", description: "", place: ColumnPosition::Head, kind: CellKind::Integer },
    Technical {
        name: KEY,
        title: "Clé",
        description: "Identifie la ligne d’une synchronisation à l’autre : ne pas modifier.",
        place: ColumnPosition::Hidden,
        kind: CellKind::Text,
    },
];

/// The columns that every table of the kind has.
pub(super) fn technical(key: &TableKey) -> &'static [Technical] {
    if key.is_child() { &OF_CHILDREN } else { &OF_DOSSIERS }
}

impl Technical {
    /// Its type; `dossiers` is the id of the table of dossiers.
    pub(super) fn given(&self, dossiers: &str) -> Kind {
        match (self.name, self.kind) {
            (PARENT, _) => Kind::Ref(dossiers.to_owned()),
            (_, CellKind::Datetime) => Kind::instant(),
            (_, CellKind::Integer) => Kind::Int,
            _ => Kind::Text,
        }
    }

    pub(super) fn memory(&self, dossiers: &str) -> ColumnMemory {
        ColumnMemory {
            key: ColumnKey::Fixed(self.name.to_owned()),
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            kind: self.kind,
            id: self.name.to_owned(),
            col_ref: None,
            dressed: false,
            given: self.given(dossiers).to_string(),
            label: self.title.to_owned(),
            description: self.description.to_owned(),
            options: Vec::new(),
            left_out: false,
            awaited: false,
            fenced: false,
            colours: Vec::new(),
        }
    }
}

/// Columns of layouts for programs, hidden from people.
const HIDDEN: [&str; 8] =
    ["revision", "origine_id", "descriptor_id", "champ_id", "area_id", "instructeur_id", "label_id", "checksum"];

/// Where a column of a layout is shown.
pub(super) fn place(spec: &ColumnSpec) -> ColumnPosition {
    match &spec.key {
        ColumnKey::Fixed(name) if HIDDEN.contains(&name.as_str()) => ColumnPosition::Hidden,
        _ => ColumnPosition::Head,
    }
}

/// The type that a new column of a layout gets. A list of choices that nobody knows beforehand would show every value as
/// a wrong one, so it is text.
pub(super) fn kind(spec: &ColumnSpec) -> Kind {
    let files = matches!(
        &spec.origin,
        Origin::Champ(TypeDeChamp::PieceJustificative, _) | Origin::Annotation(TypeDeChamp::PieceJustificative, _)
    );
    match Kind::of(spec) {
        Kind::Choice if spec.kind == CellKind::Choice && spec.options.is_empty() => Kind::Text,
        Kind::ChoiceList if files => Kind::Text,
        kind => kind,
    }
}

/// A column of a layout as it is made; `id` is free in its table.
pub(super) fn column(spec: &ColumnSpec, name: &str, id: String) -> ColumnMemory {
    ColumnMemory {
        key: spec.key.clone(),
        name: name.to_owned(),
        title: spec.title.clone(),
        kind: spec.kind,
        id,
        col_ref: None,
        dressed: false,
        given: kind(spec).to_string(),
        label: label(spec),
        description: description(spec),
        options: options(spec),
        left_out: false,
        awaited: false,
        fenced: false,
        colours: Vec::new(),
    }
}

/// The title of a column, on one line.
pub(super) fn label(spec: &ColumnSpec) -> String {
    let title = one_line(&spec.title);
    let title = if title.is_empty() { "(sans titre)".to_owned() } else { title };
    format!("{title}{}", names::withheld(spec.policy))
}

/// The help of a column; what the form asks no more says so.
pub(super) fn description(spec: &ColumnSpec) -> String {
    match (&spec.origin, &spec.description) {
        (Origin::Former, _) => "Le formulaire ne pose plus cette question.".to_owned(),
        (_, help) => help.as_deref().unwrap_or_default().trim().to_owned(),
    }
}

/// The choices of a column.
pub(super) fn options(spec: &ColumnSpec) -> Vec<String> {
    match kind(spec) {
        Kind::Choice if spec.kind == CellKind::Boolean => YES_NO.map(str::to_owned).to_vec(),
        Kind::Choice | Kind::ChoiceList => spec.options.clone(),
        _ => Vec::new(),
    }
}

pub(super) fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Writes the widget options of a new column of a type alone; `None` for those of Grist.
pub(super) fn widget_of(kind: &Kind) -> Option<String> {
    Some(Value::Object(french_dates(kind)?).to_string())
}

fn french_dates(kind: &Kind) -> Option<Map<String, Value>> {
    match kind {
        Kind::Date => Some(into(json!({ "dateFormat": "DD/MM/YYYY" }))),
        Kind::DateTime(_) => Some(into(json!({ "dateFormat": "DD/MM/YYYY", "timeFormat": "HH:mm" }))),
        _ => None,
    }
}

/// Writes the widget options of a new column; empty for those of Grist.
pub(super) fn widget(column: &ColumnMemory) -> String {
    let kind = Kind::parse(&column.given);
    if let Some(dates) = widget_of(&kind) {
        return dates;
    }
    let options = match kind {
        Kind::Choice | Kind::ChoiceList => with_choices(Map::new(), &column.options, &column.colours),
        Kind::Text if column.kind == CellKind::Text => into(json!({ "wrap": true })),
        Kind::Bool => into(json!({ "widget": "CheckBox" })),
        Kind::Numeric if column.kind == CellKind::Integer => into(json!({ "decimals": 0, "maxDecimals": 0 })),
        _ => return String::new(),
    };
    Value::Object(options).to_string()
}

fn into(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Adds choices to the widget of a column. Grist replaces the options as a whole: colours, order and choices of people are
/// written again with them (Grist trap 11).
pub(super) fn merged(widget: &str, more: &[String], colours: &[ChoiceColour]) -> String {
    let map = serde_json::from_str(widget).map(into).unwrap_or_default();
    Value::Object(with_choices(map, more, colours)).to_string()
}

fn with_choices(mut widget: Map<String, Value>, more: &[String], own: &[ChoiceColour]) -> Map<String, Value> {
    let mut choices = match widget.remove("choices") {
        Some(Value::Array(choices)) => choices,
        _ => Vec::new(),
    };
    let mut colours = match widget.remove("choiceOptions") {
        Some(Value::Object(colours)) => colours,
        _ => Map::new(),
    };
    for choice in more {
        if choices.iter().any(|known| known.as_str() == Some(choice)) {
            continue;
        }
        choices.push(choice.clone().into());
        if let Some((fill, text)) = colour(choice, own)
            && !colours.contains_key(choice)
        {
            colours.insert(choice.clone(), json!({ "fillColor": fill, "textColor": text }));
        }
    }
    widget.entry("widget").or_insert_with(|| "TextBox".into());
    widget.insert("choices".to_owned(), choices.into());
    if !colours.is_empty() {
        widget.insert("choiceOptions".to_owned(), colours.into());
    }
    widget
}

/// The colours of states, which are the same in every document, and those that a column brings along.
fn colour(choice: &str, own: &[ChoiceColour]) -> Option<(&'static str, &'static str)> {
    Some(match choice {
        "en_construction" => ("#E8EDFF", "#0063CB"),
        "en_instruction" => ("#FEECC2", "#716043"),
        "accepte" => ("#B8FEC9", "#18753C"),
        "refuse" => ("#FFE9E9", "#CE0500"),
        "sans_suite" => ("#EEEEEE", "#3A3A3A"),
        other => return own.iter().find(|own| own.word == other).map(|own| (own.fill, own.text)),
    })
}

/// Words that Python keeps for itself, in lower case as our names are.
const KEYWORDS: [&str; 32] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with", "yield",
];

/// Finds an id for a column: its name, unless Grist or a person has it already. `taken` are ids in lower case: Grist takes
/// `a` and `A` for one name (Grist trap 12).
pub(super) fn column_id(name: &str, taken: &mut std::collections::BTreeSet<String>) -> String {
    let name = if KEYWORDS.contains(&name) { format!("c{name}") } else { name.to_owned() };
    let free = |id: &String| !["id", "manualsort"].contains(&id.as_str()) && !taken.contains(id);
    let mut candidates = std::iter::once(name.clone()).chain((2_u32..).map(|n| format!("{name}_{n}")));
    let id = candidates.find(free).expect("there are fewer columns than numbers");
    taken.insert(id.clone());
    id
}

/// The id of a table: its name with a capital, as Grist wants it.
pub(super) fn table_id(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// Names a table in pages; with the `demarche` where several share the document.
pub(super) fn table_title(table: &LayoutTable, demarche: Option<&str>) -> String {
    let title = one_line(&table.title);
    let title = if title.is_empty() { table.name.clone() } else { title };
    match demarche {
        Some(demarche) => format!("{title} – {demarche}"),
        None => title,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_those_that_grist_would_leave_as_they_are() {
        let mut taken = BTreeSet::from(["nom".to_owned()]);
        for (name, expected) in [
            ("class", "cclass"),
            ("cclass", "cclass_2"),
            ("nom", "nom_2"),
            ("nom_2", "nom_2_2"),
            ("manualsort", "manualsort_2"),
            ("adresse_du_siege", "adresse_du_siege"),
        ] {
            assert_eq!(column_id(name, &mut taken), expected);
        }
        assert_eq!(table_id("demarche_12_dossiers"), "Demarche_12_dossiers");
    }

    #[test]
    fn new_choices_leave_what_people_made_of_the_others() {
        let theirs =
            r##"{"alignment":"center","choices":["b","à eux","a"],"choiceOptions":{"a":{"fillColor":"#123456"}}}"##;
        let widget: Value = serde_json::from_str(&merged(theirs, &["a".into(), "accepte".into()], &[])).expect("JSON");
        assert_eq!(widget["choices"], json!(["b", "à eux", "a", "accepte"]));
        assert_eq!(widget["choiceOptions"]["a"]["fillColor"], "#123456");
        assert_eq!(widget["choiceOptions"]["accepte"]["textColor"], "#18753C");
        assert_eq!((&widget["alignment"], &widget["widget"]), (&json!("center"), &json!("TextBox")));
        assert!(merged("not JSON", &["a".into()], &[]).contains(r#""choices":["a"]"#));
    }
}
