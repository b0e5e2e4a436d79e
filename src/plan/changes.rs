//! Plans the changes of dossiers: known state × observations → changes.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::retention::RetentionRule;
use crate::dossier::{Gone, GoneReason};
use crate::fingerprint::{Digest, Fingerprint};
use crate::ids::DossierNumber;
use crate::table::Row;

/// Observation of one dossier.
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

/// Change of one dossier in a target.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A dossier that the target never had.
    Insert(Box<Row>),
    /// A dossier whose content moved.
    Update {
        /// Its new row.
        row: Box<Row>,
        /// The fingerprint that it replaces.
        was: Fingerprint,
    },
    /// The content is the same; only its line in the light listing changed, in a field that is not kept. No event.
    Touch(Box<Row>),
    /// A dossier that has a tombstone and is listed again: the platform restores deleted dossiers (traps 16 and 36).
    Restore {
        /// Its new row.
        row: Box<Row>,
        /// The fingerprint that it had.
        was: Fingerprint,
    },
    /// A dossier that is gone: it gets a tombstone; the content stays unless retention says otherwise.
    Delete {
        /// The number.
        number: DossierNumber,
        /// The reason and the date.
        gone: Gone,
        /// The fingerprint that it had.
        was: Fingerprint,
    },
    /// The tombstone gets another reason (pending, then purged). No event.
    Retomb {
        /// The number.
        number: DossierNumber,
        /// The reason and the date.
        gone: Gone,
    },
    /// The same dossier in other cells, after the columns or the privacy policy changed. An event only if the
    /// fingerprint changed. A tombstone stays.
    Rewrite {
        /// Its new row.
        row: Box<Row>,
        /// The fingerprint that it had.
        was: Fingerprint,
    },
    /// A decided or deleted dossier whose term is over is anonymised. A tombstone stays.
    Anonymise {
        /// The anonymised row; its `light` is [sealed](Digest::sealed).
        row: Box<Row>,
        /// The fingerprint that it had.
        was: Fingerprint,
    },
    /// A dossier whose term is over is purged: only its number and a tombstone stay.
    Purge {
        /// The number.
        number: DossierNumber,
        /// The rule, for people who read the plan.
        rule: RetentionRule,
    },
}

/// Returns true if the platform still lists a dossier as it was when retention emptied it: it must not come back.
/// `shown` is the digest of its present line, `light` the one that the target kept. A dossier that changed since comes
/// back like any other.
#[must_use]
pub fn is_emptied(light: Digest, gone: Option<&Gone>, shown: Digest) -> bool {
    match gone.map(|gone| &gone.reason) {
        None => light == shown.sealed(),
        // It may have been anonymised before it was purged: then the digest is sealed.
        Some(GoneReason::Retention) => light == shown || light == shown.sealed(),
        Some(GoneReason::Pending(_) | GoneReason::Deleted(_) | GoneReason::Missing | GoneReason::Filtered) => false,
    }
}

/// Changes of a target, in order of dossier number, each dossier at most once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The changes.
    pub changes: Vec<Change>,
    /// The number of observations that change nothing.
    pub unchanged: u64,
}

/// Plans the changes. The last of several observations of one dossier counts, so they must be given in the order in
/// which they were made.
#[must_use]
pub fn plan(known: &Known, observed: Vec<Observation>) -> Plan {
    let last: BTreeMap<DossierNumber, Observation> =
        // The same dossier may come several times in a run: it moves while pages are read. One change, with the last
        // content (trap 28).
        observed.into_iter().map(|observation| (observation.number(), observation)).collect();
    let mut plan = Plan::default();
    for (number, observation) in last {
        let change = match (observation, known.get(&number)) {
            (Observation::Present(row), None) => Some(Change::Insert(row)),
            (Observation::Present(row), Some(KnownDossier { light, gone, fingerprint: _ }))
                if is_emptied(*light, gone.as_ref(), row.light) =>
            {
                None
            }
            (Observation::Present(row), Some(KnownDossier { fingerprint, gone: Some(_), light: _ })) => {
                // Restored on the platform: the row is written again even if its content is equal, as it has a
                // tombstone.
                Some(Change::Restore { row, was: *fingerprint })
            }
            // Fingerprints decide, never dates: two changes within a second have one date, and a date may come without a
            // change (traps 27 and 28).
            (Observation::Present(row), Some(KnownDossier { fingerprint, light, gone: None })) => {
                match (row.fingerprint == *fingerprint, row.light == *light) {
                    (true, true) => None,
                    (true, false) => Some(Change::Touch(row)),
                    (false, _) => Some(Change::Update { row, was: *fingerprint }),
                }
            }
            // The lists of deletions contain every dossier that ever was, also those that this target never had.
            (Observation::Gone(..), None) => None,
            (Observation::Gone(_, gone), Some(KnownDossier { fingerprint, gone: None, light: _ })) => {
                Some(Change::Delete { number, gone, was: *fingerprint })
            }
            (Observation::Gone(_, gone), Some(KnownDossier { gone: Some(before), fingerprint: _, light: _ })) => {
                supersedes(&gone, before).then_some(Change::Retomb { number, gone })
            }
        };
        match change {
            Some(change) => plan.changes.push(change),
            None => plan.unchanged += 1,
        }
    }
    plan
}

/// Returns true if a tombstone becomes more precise: missing, pending, purged. Every run reads both lists, and they
/// must not undo one another. A purge by retention stays.
fn supersedes(now: &Gone, before: &Gone) -> bool {
    let rank = |gone: &Gone| match gone.reason {
        GoneReason::Missing | GoneReason::Filtered => 0,
        GoneReason::Pending(_) => 1,
        GoneReason::Deleted(_) => 2,
        GoneReason::Retention => 3,
    };
    rank(now) > rank(before) || (rank(now) == rank(before) && rank(now) > 0 && now != before)
}

/// Counts of changes by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Dossiers new to the target.
    pub inserted: u64,
    /// Dossiers whose content moved.
    pub updated: u64,
    /// Observations that changed nothing.
    pub unchanged: u64,
    /// Dossiers newly gone.
    pub deleted: u64,
    /// Dossiers that came back.
    pub restored: u64,
    /// Dossiers written again in other columns or under another policy.
    pub rewritten: u64,
    /// Dossiers whose term was over and that were anonymised.
    pub anonymised: u64,
    /// Dossiers whose term was over, of which nothing is kept.
    pub purged: u64,
}

impl Counts {
    /// Adds another count to this one.
    pub fn add(&mut self, other: Self) {
        let Self { inserted, updated, unchanged, deleted, restored, rewritten, anonymised, purged } = other;
        self.inserted += inserted;
        self.updated += updated;
        self.unchanged += unchanged;
        self.deleted += deleted;
        self.restored += restored;
        self.rewritten += rewritten;
        self.anonymised += anonymised;
        self.purged += purged;
    }
}

impl Counts {
    /// Returns true if nothing changed.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        let Self { inserted, updated, unchanged: _, deleted, restored, rewritten, anonymised, purged } = self;
        inserted + updated + deleted + restored + rewritten + anonymised + purged == 0
    }
}

impl Plan {
    /// Returns true if there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Counts the changes by kind.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { unchanged: self.unchanged, ..Counts::default() };
        for change in &self.changes {
            match change {
                Change::Insert(_) => counts.inserted += 1,
                Change::Update { .. } => counts.updated += 1,
                Change::Restore { .. } => counts.restored += 1,
                Change::Delete { .. } => counts.deleted += 1,
                Change::Touch(_) | Change::Retomb { .. } => counts.unchanged += 1,
                Change::Rewrite { .. } => counts.rewritten += 1,
                Change::Anonymise { .. } => counts.anonymised += 1,
                Change::Purge { .. } => counts.purged += 1,
            }
        }
        counts
    }
}

impl Change {
    /// Returns the row that it writes, if there is one.
    #[must_use]
    pub fn row(&self) -> Option<&Row> {
        match self {
            Self::Insert(row)
            | Self::Touch(row)
            | Self::Update { row, .. }
            | Self::Restore { row, .. }
            | Self::Rewrite { row, .. }
            | Self::Anonymise { row, .. } => Some(row),
            Self::Delete { .. } | Self::Retomb { .. } | Self::Purge { .. } => None,
        }
    }

    /// Returns the row that it writes, to be modified.
    pub(crate) fn row_mut(&mut self) -> Option<&mut Row> {
        match self {
            Self::Insert(row)
            | Self::Touch(row)
            | Self::Update { row, .. }
            | Self::Restore { row, .. }
            | Self::Rewrite { row, .. }
            | Self::Anonymise { row, .. } => Some(row),
            Self::Delete { .. } | Self::Retomb { .. } | Self::Purge { .. } => None,
        }
    }

    /// Returns true if it anonymises or purges.
    #[must_use]
    pub fn empties(&self) -> bool {
        matches!(self, Self::Anonymise { .. } | Self::Purge { .. })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Insert(row) => write!(f, "+ dossier {} ({})", row.number, row.state),
            Self::Update { row, .. } => write!(f, "~ dossier {} ({})", row.number, row.state),
            Self::Touch(row) => write!(f, "= dossier {} ({})", row.number, row.state),
            Self::Restore { row, .. } => write!(f, "+ dossier {} ({}), restored", row.number, row.state),
            Self::Delete { number, gone, .. } => write!(f, "- dossier {number} ({})", gone.reason.as_str()),
            Self::Retomb { number, gone } => write!(f, "= dossier {number} stays deleted ({})", gone.reason.as_str()),
            Self::Rewrite { row, .. } => write!(f, "= dossier {} ({}), written again", row.number, row.state),
            Self::Anonymise { row, .. } => write!(f, "~ dossier {} ({}), anonymised", row.number, row.state),
            Self::Purge { number, rule } => write!(f, "- dossier {number}, purged ({})", rule.as_str()),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

#[cfg(test)]
#[path = "changes_tests.rs"]
mod tests;
