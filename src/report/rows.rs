//! Differences between the rows of a target and its documents.

use serde::{Deserialize, Serialize};

use crate::ids::DossierNumber;

/// Differences between the rows of a target and its documents, and their repair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RowsReport {
    /// The number of dossiers that differed, those without a readable document included.
    pub dossiers: u64,
    /// The number of those that were written again.
    pub mended: u64,
    /// The number of rows that belong to no dossier of the target.
    pub unknown: u64,
    /// The number of those that were removed.
    pub removed: u64,
    /// The differences, at most a hundred.
    pub differences: Vec<RowDifference>,
}

/// Difference in the rows of one table, for one dossier and one kind of fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowDifference {
    /// The dossier; `None` for rows whose number cannot be that of a dossier.
    pub number: Option<DossierNumber>,
    /// The table.
    pub table: String,
    /// The fault.
    pub fault: RowFault,
    /// The number of rows.
    pub rows: u64,
    /// For [`RowFault::Changed`], the columns whose cells differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

/// Fault of rows.
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
    /// Returns the word for reports.
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

    /// Returns true if a person has to know.
    #[must_use]
    pub const fn is_error(self) -> bool {
        !matches!(self, Self::Uncounted)
    }
}
