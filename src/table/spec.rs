//! Specifies the tables and columns of a form, before a target has named them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use super::infer::infer;
use crate::demarche::TypeDeChamp;
use crate::ids::{DemarcheNumber, DescriptorId, RevisionId};
use crate::privacy::Treatment;

/// Tables of one démarche: the dossiers first, then their children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The démarche.
    pub demarche: DemarcheNumber,
    /// Its title.
    pub title: String,
    /// The tables; the first is [`TableKey::Dossiers`], the others are its children.
    pub tables: Vec<TableSpec>,
    /// Titles and explanations: the platform lists them among the champs, and no column holds them (trap 45).
    pub presentation: BTreeSet<DescriptorId>,
}

/// Table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// Identity of the table.
    pub key: TableKey,
    /// Its title, in French.
    pub title: String,
    /// Its columns in order, without those that every table of the kind has (see [`TableKey::is_child`]).
    pub columns: Vec<ColumnSpec>,
}

/// Identity of a table: the thing that it holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKey {
    /// One row a dossier.
    Dossiers,
    /// One row a file, whatever it belongs to.
    PiecesJointes,
    /// One row a message.
    Messages,
    /// One row an opinion.
    Avis,
    /// One row a step of the history.
    Traitements,
    /// One row an area of a map.
    GeoZones,
    /// One row an instructeur who follows the dossier.
    Instructeurs,
    /// One row a label put on the dossier.
    Labels,
    /// One row an assignment of the dossier to another groupe d'instructeurs.
    Affectations,
    /// One row a row of this repetition block.
    Block(DescriptorId),
}

impl TableKey {
    /// Returns true if its rows belong to a dossier. A child table has three columns before its own: the dossier's
    /// number, the row's key (unique in the dossier) and its position from 0.
    #[must_use]
    pub fn is_child(&self) -> bool {
        *self != Self::Dossiers
    }
}

/// Column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Identity of the column, for ever the same.
    pub key: ColumnKey,
    /// Its title, in French: the label of the question, and the part for values that are split.
    pub title: String,
    /// The kind of its cells.
    pub kind: CellKind,
    /// The help text of the question.
    pub description: Option<String>,
    /// The choices of the list, when they are known.
    pub options: Vec<String>,
    /// Its origin in the form.
    pub origin: Origin,
    /// The treatment of its values under the privacy policy.
    pub policy: Treatment,
}

/// Identity of a column inside its table. Never its label: labels repeat and change (trap 47).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKey {
    /// A column that the table always has, by its name.
    Fixed(String),
    /// (A part of) the answer to a question.
    Champ(DescriptorId, Part),
    /// A sub-value of the answer to a question, by the platform's id of it.
    Column(DescriptorId, String),
}

impl ColumnKey {
    /// Returns the question whose answer, or sub-value, the column holds.
    #[must_use]
    pub fn question(&self) -> Option<&DescriptorId> {
        match self {
            Self::Fixed(_) => None,
            Self::Champ(id, _) | Self::Column(id, _) => Some(id),
        }
    }
}

/// Part of an answer that a column holds. Most answers have one, `Value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The answer itself, or its legible form.
    Value,
    /// The second choice of a linked list.
    Secondary,
    /// An official code (commune, département, région, country, intercommunality).
    Code,
    /// A postal code.
    PostalCode,
    /// A commune's name.
    City,
    /// A commune's INSEE code.
    CityCode,
    /// Number and street.
    Street,
    /// The département's name.
    Departement,
    /// The département's code.
    DepartementCode,
    /// The région's name.
    Region,
    /// A registered name (company, association, establishment).
    Name,
    /// The SIREN.
    Siren,
    /// An activity code.
    Activity,
    /// Longitude in degrees.
    Longitude,
    /// Latitude in degrees.
    Latitude,
    /// The whole record as JSON.
    Record,
}

/// Origin of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The table always has it.
    Fixed,
    /// A question to the usager, first asked by this revision.
    Champ(TypeDeChamp, Option<RevisionId>),
    /// A private annotation, first present in this revision.
    Annotation(TypeDeChamp, Option<RevisionId>),
    /// The target has it, the form asks it no more.
    Former,
}

/// Kind of the cells of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellKind {
    /// Text. Every other kind can be widened to it.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// An exact decimal.
    Decimal,
    /// A floating-point number (coordinates).
    Real,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// An instant, UTC.
    Datetime,
    /// One of some choices.
    Choice,
    /// Some of some choices.
    Choices,
    /// JSON text (GeoJSON, records).
    Json,
}

impl CellKind {
    /// Returns the narrowest kind that holds both: types widen, they never narrow.
    #[must_use]
    pub fn widen(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Integer, Self::Decimal) | (Self::Decimal, Self::Integer) => Self::Decimal,
            _ => Self::Text,
        }
    }
}
