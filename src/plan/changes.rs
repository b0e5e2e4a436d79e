//! Plans a batch: observations, minus those that change nothing by what is known. Pure.

use std::collections::BTreeMap;

use super::decide::{FeedKind, Write, decide};
use crate::dossier::Gone;
use crate::fingerprint::{Digest, Fingerprint};
use crate::ids::DossierNumber;
use crate::table::Row;

/// Observation of one dossier. Beside [`Change`], so that code which reads the platform cannot ask for what only a rewriting or
/// retention may: no reading anonymises or purges.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// It is there, like this.
    Present(Box<Row>),
    /// It is gone, on the word of a deletion list or of a complete listing confirmed by a direct question.
    Gone(DossierNumber, Gone),
}

impl Observation {
    /// Returns the number of the dossier.
    #[must_use]
    pub fn number(&self) -> DossierNumber {
        match self {
            Self::Present(row) => row.number,
            Self::Gone(number, _) => *number,
        }
    }
}

/// State of the dossiers of one page in a target.
pub type Known = BTreeMap<DossierNumber, KnownDossier>;

/// State of one dossier in a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDossier {
    /// The fingerprint of its stored document.
    pub fingerprint: Fingerprint,
    /// The digest of its line in the light listing.
    pub light: Digest,
    /// Its tombstone, when it has one.
    pub gone: Option<Gone>,
}

/// Change of one dossier: an observation, or what a rewriting or retention asks of it. One type, so that [`decide`] and every
/// target have one rule for the effect on what is held.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The platform shows it, like this. One that has a tombstone comes back: the platform restores deleted dossiers (traps 16
    /// and 36).
    Present(Box<Row>),
    /// It is gone: it gets a tombstone; the content stays unless retention says otherwise.
    Gone(DossierNumber, Gone),
    /// The same dossier in other cells, after the columns or the privacy policy changed. A tombstone stays.
    Rewrite(Box<Row>),
    /// A decided or deleted dossier whose term is over is anonymised. A tombstone stays. The `light` of its row is
    /// [sealed](Digest::sealed).
    Anonymise(Box<Row>),
    /// A dossier whose term is over is purged: only its number and a tombstone stay.
    Purge(DossierNumber),
}

impl From<Observation> for Change {
    fn from(observation: Observation) -> Self {
        match observation {
            Observation::Present(row) => Self::Present(row),
            Observation::Gone(number, gone) => Self::Gone(number, gone),
        }
    }
}

impl Change {
    /// Returns the number of the dossier.
    #[must_use]
    pub fn number(&self) -> DossierNumber {
        match self {
            Self::Present(row) | Self::Rewrite(row) | Self::Anonymise(row) => row.number,
            Self::Gone(number, _) | Self::Purge(number) => *number,
        }
    }

    /// Returns the row that it writes, if there is one.
    #[must_use]
    pub fn row(&self) -> Option<&Row> {
        match self {
            Self::Present(row) | Self::Rewrite(row) | Self::Anonymise(row) => Some(row),
            Self::Gone(..) | Self::Purge(_) => None,
        }
    }

    /// Returns the row that it writes, to be modified.
    pub(crate) fn row_mut(&mut self) -> Option<&mut Row> {
        match self {
            Self::Present(row) | Self::Rewrite(row) | Self::Anonymise(row) => Some(row),
            Self::Gone(..) | Self::Purge(_) => None,
        }
    }

    /// Returns true if it anonymises or purges.
    #[must_use]
    pub fn empties(&self) -> bool {
        matches!(self, Self::Anonymise(_) | Self::Purge(_))
    }
}

/// Changes of a target, in order of dossier number, each dossier at most once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The changes.
    pub changes: Vec<Change>,
    /// The number of observations that change nothing.
    pub unchanged: u64,
    /// The number of dossiers that would get a tombstone, by what is known: the safety brake compares it.
    pub deletions: u64,
}

impl Plan {
    /// Returns true if there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl From<Vec<Change>> for Plan {
    /// Changes that no observation gave.
    fn from(changes: Vec<Change>) -> Self {
        Self { changes, ..Self::default() }
    }
}

/// Plans the changes. The last of several observations of one dossier counts, so they must be given in the order in which they
/// were made.
#[must_use]
pub fn plan(known: &Known, observed: Vec<Observation>) -> Plan {
    // The same dossier may come several times in a run: it moves while pages are read. One change, with the last content
    // (trap 28).
    let last: BTreeMap<DossierNumber, Observation> =
        observed.into_iter().map(|observation| (observation.number(), observation)).collect();
    let mut plan = Plan::default();
    for (number, observation) in last {
        let change = Change::from(observation);
        let effect = decide(&change, known.get(&number));
        if effect.write == Write::Nothing {
            plan.unchanged += 1;
            continue;
        }
        plan.deletions += u64::from(effect.kind == Some(FeedKind::Delete));
        plan.changes.push(change);
    }
    plan
}

#[cfg(test)]
#[path = "changes_tests.rs"]
mod tests;
