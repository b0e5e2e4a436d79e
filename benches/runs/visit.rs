//! Which run it is.

use std::fmt;
use std::str::FromStr;

/// A run over a démarche, after those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visit {
    /// Into an empty target.
    First,
    /// Nothing changed since.
    Unchanged,
    /// One dossier was archived since.
    Changed,
}

impl Visit {
    pub const ALL: [Self; 3] = [Self::First, Self::Unchanged, Self::Changed];

    /// What the reader of the table is told.
    pub fn title(self) -> &'static str {
        match self {
            Self::First => "first run",
            Self::Unchanged => "nothing changed",
            Self::Changed => "one dossier changed",
        }
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
        })
    }
}

impl FromStr for Visit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|visit| visit.to_string() == text).ok_or("no such run")
    }
}
