//! Names the kinds of lines that one question in SQL unites. Pure.
//!
//! A document takes ten requests at once (Grist trap 24), so one question unites what is asked of several tables. Each line
//! has a tag in the column `sorte`, and its cells as JSON in `valeur`.

use std::fmt;

/// Says what a line of an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LineKind {
    /// A table of the document.
    Table,
    /// A column of the document.
    Column,
    /// A value of `Dn_etat`.
    State,
    /// A row of `Dn_baux`.
    Lease,
    /// The number of dossiers of a démarche.
    Count,
    /// The view that a table was made with.
    View,
    /// A widget of a view.
    Section,
    /// A line of the list of pages.
    Page,
    /// A view.
    PageView,
    /// A column of a widget.
    Field,
    /// A column of a summary table.
    SummaryColumn,
    /// A row of `Dn_dossiers`.
    Stored,
    /// A row of a table of dossiers.
    Dossier,
    /// A row of a child table.
    Child,
    /// A row of `Dn_quarantaine`.
    Quarantine,
    /// The rows that have one number.
    Number,
    /// The rows of a table.
    Rows,
    /// Cells that SQL does not see as they are.
    Damaged,
    /// The last action of the history.
    Position,
}

impl LineKind {
    const ALL: [Self; 19] = [
        Self::Table,
        Self::Column,
        Self::State,
        Self::Lease,
        Self::Count,
        Self::View,
        Self::Section,
        Self::Page,
        Self::PageView,
        Self::Field,
        Self::SummaryColumn,
        Self::Stored,
        Self::Dossier,
        Self::Child,
        Self::Quarantine,
        Self::Number,
        Self::Rows,
        Self::Damaged,
        Self::Position,
    ];

    /// Gives the tag of its lines in SQL.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Column => "colonne",
            Self::State => "etat",
            Self::Lease => "bail",
            Self::Count => "compte",
            Self::View => "vue",
            Self::Section => "section",
            Self::Page => "page",
            Self::PageView => "page_vue",
            Self::Field => "champ",
            Self::SummaryColumn => "synthese",
            Self::Stored => "livre",
            Self::Dossier => "ligne",
            Self::Child => "enfant",
            Self::Quarantine => "quarantaine",
            Self::Number => "numero",
            Self::Rows => "lignes",
            Self::Damaged => "abime",
            Self::Position => "action",
        }
    }

    /// Reads a tag.
    pub(super) fn of(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.tag() == tag)
    }
}

impl fmt::Display for LineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_tag_of_its_own() {
        for kind in LineKind::ALL {
            assert_eq!(LineKind::of(kind.tag()), Some(kind));
        }
    }
}
