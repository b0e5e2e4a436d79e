//! Types of columns.

use super::value::Cell;

/// The type of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::grist) enum Kind {
    Any,
    Text,
    Choice,
    ChoiceList,
    Numeric,
    Int,
    Bool,
    Date,
    /// With the name of its zone, which may be none that exists.
    DateTime(String),
    Ref(String),
    RefList(String),
    Attachments,
    /// `ManualSortPos` and `PositionNumber`.
    Position,
}

impl Kind {
    /// Returns `true` if the engine knows a type of that name.
    pub(in crate::grist) fn is_known(text: &str) -> bool {
        let name = text.split(':').next().unwrap_or_default();
        matches!(name, "Any" | "Blob" | "Id") || Self::of(text) != Self::Any
    }

    /// The type that a text names; see [`Kind::is_known`].
    pub(in crate::grist) fn of(text: &str) -> Self {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        match name {
            "Text" => Self::Text,
            "Choice" => Self::Choice,
            "ChoiceList" => Self::ChoiceList,
            "Numeric" => Self::Numeric,
            "Int" => Self::Int,
            "Bool" => Self::Bool,
            "Date" => Self::Date,
            "DateTime" => Self::DateTime(rest.to_owned()),
            "Ref" => Self::Ref(rest.to_owned()),
            "RefList" => Self::RefList(rest.to_owned()),
            "Attachments" => Self::Attachments,
            "ManualSortPos" | "PositionNumber" => Self::Position,
            _ => Self::Any,
        }
    }

    /// The default of a new row.
    pub(in crate::grist) fn default_cell(&self) -> Cell {
        match self {
            Self::Text | Self::Choice => Cell::text(""),
            Self::Numeric | Self::Int | Self::Ref(_) => Cell::Int(0),
            Self::Bool => Cell::Bool(false),
            Self::Position => Cell::Float(f64::INFINITY),
            Self::Any | Self::ChoiceList | Self::Date | Self::DateTime(_) | Self::RefList(_) | Self::Attachments => {
                Cell::Null
            }
        }
    }

    /// The table that a reference points to.
    pub(in crate::grist) fn target(&self) -> Option<&str> {
        match self {
            Self::Ref(table) | Self::RefList(table) => Some(table),
            Self::Attachments => Some("_grist_Attachments"),
            _ => None,
        }
    }

    /// The type with which SQLite declares such a column. A `DateTime` with a zone falls through to `BLOB`.
    pub(in crate::grist) fn sql(&self) -> &'static str {
        match self {
            Self::Text | Self::Choice | Self::ChoiceList | Self::RefList(_) | Self::Attachments => "TEXT",
            Self::Numeric | Self::Position => "NUMERIC",
            Self::Int | Self::Ref(_) => "INTEGER",
            Self::Bool => "BOOLEAN",
            Self::Date => "DATE",
            Self::DateTime(zone) if zone.is_empty() => "DATETIME",
            Self::DateTime(_) | Self::Any => "BLOB",
        }
    }
}
