//! How the rows of a target differ from its documents.

use serde::{Deserialize, Serialize};

use crate::ids::DossierNumber;

/// How the rows of a target differed from its documents, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RowsReport {
    /// How many dossiers differed, those without a readable document included.
    pub dossiers: u64,
    /// How many of them were written again.
    pub mended: u64,
    /// How many rows belong to no dossier of the target.
    pub unknown: u64,
    /// How many of those were removed.
    pub removed: u64,
    /// The differences, at most a hundred.
    pub differences: Vec<RowDifference>,
}

/// How rows of one table differ from what they should be, for one dossier and one kind of difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowDifference {
    /// The dossier; `None` for rows whose number cannot be that of a dossier.
    pub number: Option<DossierNumber>,
    /// The table.
    pub table: String,
    /// What is wrong.
    pub fault: RowFault,
    /// How many rows.
    pub rows: u64,
    /// For [`RowFault::Changed`], the columns whose cells differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

/// What is wrong with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFault {
    /// They should be there and are not.
    Missing,
    /// They belong to a dossier that the target holds, and should not be there.
    Extra,
    /// Their key is that of another row.
    Doubled,
    /// Some of their cells are not what the document says.
    Changed,
    /// They belong to no dossier that the target holds: unknown, or purged.
    Unknown,
    /// They are right, and the target does not know how many there should be: an older version wrote them. Not an error.
    Uncounted,
}

impl RowFault {
    /// The word that reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Doubled => "doubled",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
            Self::Uncounted => "uncounted",
        }
    }

    /// Whether a person has to know.
    #[must_use]
    pub const fn is_error(self) -> bool {
        !matches!(self, Self::Uncounted)
    }
}
