//! Names the three kinds of runs that are measured.

use std::fmt;
use std::str::FromStr;

/// A run over a démarche, in the order of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunKind {
    /// Into an empty target.
    First,
    /// Nothing changed since.
    Unchanged,
    /// One dossier was archived since.
    Changed,
}

impl RunKind {
    pub const ALL: [Self; 3] = [Self::First, Self::Unchanged, Self::Changed];

    /// The title in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::First => "first run",
            Self::Unchanged => "nothing changed",
            Self::Changed => "one dossier changed",
        }
    }
}

impl fmt::Display for RunKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
        })
    }
}

impl FromStr for RunKind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.to_string() == text).ok_or("no such run")
    }
}
