//! Decides how columns are shown: which, how wide, and how their values are written. Pure.

use grist_client::ColRef;
use serde_json::{Map, Value, json};

use crate::demarche::TypeDeChamp as T;
use crate::sink::grist::encoding::Kind;
use crate::sink::grist::memory::{ColumnMemory, TableMemory};
use crate::sink::grist::shape::{self, NUMBER};
use crate::table::{CellKind, ColumnKey, ColumnSpec, LayoutTable, Origin, Part};

/// A column of a widget, with its width in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub column: ColRef,
    /// 0 for that of the widget.
    pub width: u32,
    /// Format of values in this widget only; empty as everywhere.
    pub widget: &'static str,
}

impl Shown {
    /// A column that is shown as everywhere.
    pub fn new(column: ColRef, width: u32) -> Self {
        Self { column, width, widget: "" }
    }

    /// The column, no wider than so many pixels.
    pub fn at_most(self, width: u32) -> Self {
        Self { width: self.width.min(width), ..self }
    }

    /// The days of a column of instants.
    pub fn days(self) -> Self {
        Self { width: 105, widget: r#"{"dateFormat":"DD/MM/YYYY","timeFormat":""}"#, ..self }
    }
}

/// The columns of a table of ours.
#[derive(Clone, Copy)]
pub(super) struct TableColumns<'a> {
    pub memory: &'a TableMemory,
    pub layout: Option<&'a LayoutTable>,
}

impl<'a> TableColumns<'a> {
    /// Finds a column that the table always has, or a formula of ours.
    pub fn named(&self, name: &str) -> Option<Shown> {
        let fixed = ColumnKey::Fixed(name.to_owned());
        let own = self.memory.technical.iter().chain(&self.memory.columns).find(|column| column.key == fixed);
        own.and_then(|column| self.shown(column)).or_else(|| self.formula(name))
    }

    /// Finds a formula of ours.
    pub fn formula(&self, name: &str) -> Option<Shown> {
        let formula = self.memory.formulas.iter().find(|formula| formula.name == name)?;
        Some(Shown::new(formula.col_ref?, super::formulas::width(name)))
    }

    /// Lists several of them, those that there are.
    pub fn all(&self, names: &[&str]) -> Vec<Shown> {
        names.iter().filter_map(|name| self.named(name)).collect()
    }

    /// Shows a column, by its French words where it has some; `None` where it is not there.
    pub fn shown(&self, column: &ColumnMemory) -> Option<Shown> {
        let twin = self.memory.twin(&column.key).filter(|twin| twin.col_ref.is_some() && !twin.left_out);
        let column = twin.unwrap_or(column);
        let column_ref = column.col_ref.filter(|_| !column.left_out)?;
        Some(Shown::new(column_ref, width(column, self.spec(column))))
    }

    /// The specification of a column.
    fn spec(&self, column: &ColumnMemory) -> Option<&'a ColumnSpec> {
        let columns = self.layout.into_iter().flat_map(|layout| &layout.columns);
        columns.map(|column| &column.spec).find(|spec| spec.key == column.key)
    }

    /// Lists the columns of the layout in its order, with their specification.
    pub fn columns(&self) -> impl Iterator<Item = (&'a ColumnMemory, &'a ColumnSpec)> + use<'a> {
        let memory = self.memory;
        let columns = self.layout.into_iter().flat_map(|layout| &layout.columns);
        columns.filter_map(move |column| {
            let known = memory.columns.iter().find(|known| known.key == column.spec.key)?;
            Some((known, &column.spec))
        })
    }

    /// Lists the questions that people read: no codes, no drawings.
    pub fn questions(&self) -> impl Iterator<Item = (&'a ColumnMemory, &'a ColumnSpec)> + use<'a> {
        let asked = |spec: &ColumnSpec| matches!(spec.origin, Origin::Champ(..) | Origin::Annotation(..));
        self.columns().filter(move |(_, spec)| asked(spec) && is_read(spec))
    }
}

/// Returns true if people read the column: codes and drawings are for programs.
pub(super) fn is_read(spec: &ColumnSpec) -> bool {
    let code = matches!(
        &spec.key,
        ColumnKey::Champ(_, Part::Code | Part::CityCode | Part::DepartementCode | Part::Longitude | Part::Latitude)
    );
    !code && spec.kind != CellKind::Json && shape::place(spec) == shape::ColumnPosition::Head
}

/// Returns true if the answer to a question may be a long text.
pub(super) fn is_long(column: &ColumnMemory, spec: Option<&ColumnSpec>) -> bool {
    const LONG: [&str; 8] = [
        "body",
        "motivation",
        "motivation_a_envoyer",
        "message_a_l_usager",
        "suite_donnee",
        "reponse",
        "question",
        "description",
    ];
    let origin = spec.map(|spec| &spec.origin);
    let asked = matches!(
        origin,
        Some(Origin::Champ(T::Textarea | T::Formatted, _) | Origin::Annotation(T::Textarea | T::Formatted, _))
    );
    asked || matches!(&column.key, ColumnKey::Fixed(name) if LONG.contains(&name.as_str()))
}

/// Words in the title of a question that ask for an amount of money.
const MONEY: [&str; 14] = [
    "montant",
    "coût",
    "budget",
    "prix",
    "dépense",
    "recette",
    "euros",
    "(€)",
    " €",
    "salaire",
    "loyer",
    "subvention demandée",
    "subvention sollicitée",
    "chiffre d’affaires",
];

/// Returns true if a number is an amount of money, by the title of its question.
pub(super) fn is_amount(column: &ColumnMemory) -> bool {
    let title = column.title.to_lowercase().replace('\'', "’");
    let number = matches!(column.kind, CellKind::Integer | CellKind::Decimal);
    number && !title.contains('%') && !title.contains("taux") && MONEY.iter().any(|word| title.contains(word))
}

/// Returns true if a number names something: it has no thousands.
fn is_name(column: &ColumnMemory) -> bool {
    let title = column.title.to_lowercase();
    column.name == NUMBER || ["numéro", "année", "n°", "code"].iter().any(|word| title.contains(word))
}

/// The properties with which values are written; empty for those of Grist.
pub(super) fn format(column: &ColumnMemory, spec: Option<&ColumnSpec>) -> Map<String, Value> {
    let coordinate = matches!(&column.key, ColumnKey::Champ(_, Part::Longitude | Part::Latitude))
        || matches!(&column.key, ColumnKey::Fixed(name) if ["longitude", "latitude"].contains(&name.as_str()));
    let value = match Kind::parse(&column.given) {
        Kind::Numeric if coordinate => json!({ "decimals": 5, "maxDecimals": 5 }),
        Kind::Int | Kind::Numeric if is_amount(column) => {
            json!({ "numMode": "currency", "currency": "EUR", "decimals": 0, "maxDecimals": 2 })
        }
        Kind::Int if !is_name(column) => json!({ "numMode": "decimal" }),
        Kind::Numeric if column.kind == CellKind::Integer => {
            if is_name(column) {
                json!({ "decimals": 0, "maxDecimals": 0 })
            } else {
                json!({ "numMode": "decimal", "decimals": 0, "maxDecimals": 0 })
            }
        }
        Kind::Numeric => json!({ "numMode": "decimal", "maxDecimals": 6 }),
        // A short text takes one line in a grid, and as many as it needs on a card.
        Kind::Text => json!({ "wrap": is_long(column, spec).then_some(true) }),
        _ => Value::Null,
    };
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The width of a letter in a cell, in pixels.
const LETTER: usize = 7;

/// The width of a column: that of its values, and of its title as far as that is short.
fn width(column: &ColumnMemory, spec: Option<&ColumnSpec>) -> u32 {
    let longest = |least: usize, most: usize| {
        let longest = column.options.iter().map(|option| option.chars().count()).max().unwrap_or_default();
        (longest * LETTER + 30).clamp(least, most)
    };
    let of_values = match Kind::parse(&column.given) {
        Kind::Bool => 70,
        Kind::Int => 90,
        Kind::Numeric if is_amount(column) => 120,
        Kind::Numeric => 110,
        Kind::Date => 100,
        Kind::DateTime(_) => 140,
        Kind::Ref(_) => 110,
        Kind::Choice => longest(90, 190),
        Kind::ChoiceList => longest(150, 240),
        Kind::Text | Kind::Any | Kind::Other(_) => text_width(column, spec),
    };
    let icon = if column.description.is_empty() { 0 } else { 20 };
    let of_title = (column.label.chars().count() * 8 + 24 + icon).min(170);
    u32::try_from(of_values.max(of_title)).unwrap_or(100)
}

fn text_width(column: &ColumnMemory, spec: Option<&ColumnSpec>) -> usize {
    if is_long(column, spec) {
        return 320;
    }
    let fixed = match &column.key {
        ColumnKey::Fixed(name) => name.as_str(),
        _ => "",
    };
    match fixed {
        "filename" => 240,
        name if name.contains("email") || name == "instructeurs" => 200,
        _ => match spec.map(|spec| &spec.origin) {
            Some(Origin::Champ(T::Email | T::Text | T::Address, _)) => 200,
            Some(Origin::Champ(T::Siret | T::Phone | T::Departements | T::Pays, _)) => 130,
            _ => 150,
        },
    }
}
