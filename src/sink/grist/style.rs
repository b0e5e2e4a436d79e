//! Decides how the columns of a layout look in each style. Pure.
//!
//! In the French style a column that holds words of the API is hidden, and a twin of it shows their French; every column
//! of ours says what it is; and nothing that a type cannot hold is framed in red by Grist.

use super::describe;
use super::encoding::Kind;
use super::memory::{ChoiceColour, ColumnMemory, Style};
use super::shape::{self, ColumnPosition, GONE_REASON, Technical};
use super::words::{self, Word};
use crate::demarche::{Demarche, TypeDeChamp};
use crate::ids::RevisionId;
use crate::privacy::Treatment;
use crate::sink::names;
use crate::table::{CellKind, ColumnKey, ColumnSpec, LayoutTable, Origin, TableKey};

/// Look of the cells of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Render {
    /// As the mapper made them.
    AsMapped,
    /// HTML as plain text.
    PlainText,
    /// Texts as values of the kind that the published form asks for, if they are such values.
    Asked(CellKind),
}

/// The largest number of instructeurs that are choices before they follow a dossier.
const MOST_INSTRUCTEURS: usize = 300;

impl Style {
    /// Finds the words that a column of a table is translated with; `None` for a column that is shown as it is.
    pub(super) fn words(self, table: &TableKey, key: &ColumnKey) -> Option<&'static [Word]> {
        match (self, key) {
            (Self::First, _) | (Self::French, ColumnKey::Champ(..) | ColumnKey::Column(..)) => None,
            (Self::French, ColumnKey::Fixed(name)) => words::of(table, name),
        }
    }

    /// Where a column of a layout is shown.
    pub(super) fn place(self, table: &TableKey, spec: &ColumnSpec) -> ColumnPosition {
        // A label shows its colour by itself.
        let colour = self == Self::French
            && *table == TableKey::Labels
            && matches!(&spec.key, ColumnKey::Fixed(name) if name == "color");
        if colour || self.words(table, &spec.key).is_some() { ColumnPosition::Hidden } else { shape::place(spec) }
    }

    /// Where a column is shown that every table of the kind has.
    pub(super) fn technical_place(self, table: &TableKey, technical: &Technical) -> ColumnPosition {
        let key = ColumnKey::Fixed(technical.name.to_owned());
        if self.words(table, &key).is_some() { ColumnPosition::Hidden } else { technical.place }
    }

    /// Look of the cells of a column.
    pub(super) fn render(self, table: &TableKey, spec: &ColumnSpec) -> Render {
        match (self, &spec.key) {
            (Self::First, _) => Render::AsMapped,
            (Self::French, ColumnKey::Fixed(name)) if *table == TableKey::Messages && name == "body" => {
                Render::PlainText
            }
            (Self::French, _) => asked(spec).map_or(Render::AsMapped, Render::Asked),
        }
    }

    /// Lists the twins of a table, with ids yet to be found free.
    pub(super) fn twins(self, table: &LayoutTable) -> Vec<ColumnMemory> {
        let own = table.columns.iter().filter_map(|column| {
            let (spec, name) = (&column.spec, &column.name);
            let words = self.words(&table.key, &spec.key)?;
            Some(twin(&spec.key, name, &spec.title, names::withheld(spec.policy), words))
        });
        let technical = shape::technical(&table.key).iter().filter_map(|technical| {
            let key = ColumnKey::Fixed(technical.name.to_owned());
            let words = self.words(&table.key, &key)?;
            Some(twin(&key, technical.name, technical.title, "", words))
        });
        own.chain(technical).collect()
    }

    /// Gives a column of a layout the look of the style.
    pub(super) fn column(
        self,
        table: &TableKey,
        spec: &ColumnSpec,
        form: &Demarche,
        column: ColumnMemory,
    ) -> ColumnMemory {
        match self {
            Self::First => column,
            Self::French => {
                let awaited = is_of_draft(spec, form);
                ColumnMemory { awaited, left_out: awaited, ..french(table, spec, form, column) }
            }
        }
    }

    /// Gives a column that every table of the kind has the look of the style.
    pub(super) fn technical(self, table: &TableKey, technical: &Technical, column: ColumnMemory) -> ColumnMemory {
        match self {
            Self::First => column,
            Self::French => {
                let key = ColumnKey::Fixed(technical.name.to_owned());
                let label = match self.words(table, &key) {
                    Some(_) => of_the_platform(&column.label),
                    None => column.label,
                };
                ColumnMemory { label, description: describe::technical(technical.name).to_owned(), ..column }
            }
        }
    }
}

/// The title of a column whose twin has its own.
fn of_the_platform(title: &str) -> String {
    format!("{title} (mot de la plateforme)")
}

fn twin(key: &ColumnKey, name: &str, title: &str, withheld: &str, words: &'static [Word]) -> ColumnMemory {
    let title = shape::one_line(title);
    let described = match key {
        ColumnKey::Fixed(fixed) if fixed == GONE_REASON => describe::technical(fixed),
        ColumnKey::Fixed(_) | ColumnKey::Champ(..) | ColumnKey::Column(..) => "",
    };
    let before = if described.is_empty() { String::new() } else { format!("{described} ") };
    ColumnMemory {
        key: key.clone(),
        name: twin_name(name),
        title: title.clone(),
        kind: CellKind::Choice,
        id: format!("{name}_libelle"),
        col_ref: None,
        dressed: false,
        given: Kind::Choice.to_string(),
        label: format!("{title}{withheld}"),
        description: format!(
            "{before}{} Pour une formule, le mot de la plateforme est dans ${name}.",
            describe::COPIED
        ),
        options: words::choices(words),
        left_out: false,
        awaited: false,
        fenced: false,
        colours: words::colours(words),
    }
}

/// The name of a twin, which no column of a layout has.
pub(super) fn twin_name(name: &str) -> String {
    format!("libelle:{name}")
}

fn french(table: &TableKey, spec: &ColumnSpec, form: &Demarche, column: ColumnMemory) -> ColumnMemory {
    let label = match Style::French.words(table, &spec.key) {
        Some(_) => of_the_platform(&column.label),
        None => column.label.clone(),
    };
    let kind = kind(spec);
    let mut options = if kind == Kind::Choice && spec.kind == CellKind::Text {
        // The published form asks for a choice, and an older revision for a text.
        shape::options(&ColumnSpec { kind: asked(spec).unwrap_or(spec.kind), ..spec.clone() })
    } else {
        column.options.clone()
    };
    let mut colours = column.colours.clone();
    if let (ColumnKey::Fixed(name), Treatment::Include, TableKey::Dossiers) = (&spec.key, spec.policy, table) {
        match name.as_str() {
            "labels" => {
                options = form.labels.iter().map(|label| label.name.clone()).collect();
                let colour = |color: &str| words::label_colours(color);
                colours = form
                    .labels
                    .iter()
                    .map(|label| {
                        let (fill, text) = colour(&label.color);
                        ChoiceColour::new(&label.name, fill, text)
                    })
                    .collect();
            }
            "instructeurs" => options = instructeurs(form),
            _ => {}
        }
    }
    let description = describe::column(table, spec, form);
    ColumnMemory { label, given: kind.to_string(), description, options, colours, ..column }
}

/// The type of a new column: no value of a form makes Grist frame it in red.
fn kind(spec: &ColumnSpec) -> Kind {
    let spec = match asked(spec) {
        Some(kind) => &ColumnSpec { kind, ..spec.clone() },
        None => spec,
    };
    match shape::kind(spec) {
        // Grist's whole numbers end at 32 bits, and what is beyond is framed.
        Kind::Int => Kind::Numeric,
        // A list whose choices come with the dossiers, and that is long.
        Kind::ChoiceList if matches!(&spec.key, ColumnKey::Fixed(name) if name == "changed_columns") => Kind::Text,
        kind => kind,
    }
}

/// The kind that the published form asks for, if the column is of a wider one because an older revision asked for another.
fn asked(spec: &ColumnSpec) -> Option<CellKind> {
    let (Origin::Champ(kind, _) | Origin::Annotation(kind, _)) = &spec.origin else { return None };
    let ColumnKey::Champ(_, part) = &spec.key else { return None };
    let asked = crate::table::kind_of_part(kind, *part)?;
    let typed = match asked {
        CellKind::Integer
        | CellKind::Decimal
        | CellKind::Real
        | CellKind::Boolean
        | CellKind::Date
        | CellKind::Datetime
        | CellKind::Choice => true,
        CellKind::Text | CellKind::Choices | CellKind::Json => false,
    };
    (typed && spec.kind == CellKind::Text && *kind != TypeDeChamp::TitreIdentite).then_some(asked)
}

fn instructeurs(form: &Demarche) -> Vec<String> {
    let mut emails: Vec<String> = Vec::new();
    for profile in form.groupes_instructeurs.iter().flat_map(|groupe| &groupe.instructeurs) {
        if !profile.email.is_empty() && !emails.contains(&profile.email) {
            emails.push(profile.email.clone());
        }
    }
    // With so many, those that follow no dossier would only hide the others: they come with their first one.
    if emails.len() > MOST_INSTRUCTEURS { Vec::new() } else { emails }
}

/// Returns true if only the draft of the form asks for a column.
pub(super) fn is_of_draft(spec: &ColumnSpec, form: &Demarche) -> bool {
    let (Origin::Champ(_, Some(since)) | Origin::Annotation(_, Some(since))) = &spec.origin else { return false };
    let published = |id: &RevisionId| {
        let revision = form.revisions.iter().find(|revision| revision.id == *id);
        *id == form.active_revision || revision.is_none_or(|revision| revision.date_publication.is_some())
    };
    !published(since)
}
