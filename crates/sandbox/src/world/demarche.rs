//! Démarches, their teams and their labels.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::dossier::Tombstone;
use super::form::Revision;

/// A team of instructeurs.
#[derive(Clone, Debug, PartialEq)]
pub struct Groupe {
    /// The number that people see.
    pub number: u32,
    /// Its name.
    pub label: String,
    /// `true` if it takes no more dossiers.
    pub closed: bool,
    /// Numbers of its instructeurs.
    pub instructeurs: BTreeSet<u32>,
}

/// A coloured tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Number of the row.
    pub id: u64,
    /// Its text.
    pub name: String,
    /// One of the colours of the API.
    pub color: &'static str,
}

/// A démarche and the indexes of its dossiers.
#[derive(Clone, Debug)]
pub struct Demarche {
    /// The number that people see.
    pub number: u32,
    /// Its title.
    pub title: String,
    /// Drafted, and not published: its dossiers leave no tombstone.
    pub brouillon: bool,
    /// Closed to new dossiers.
    pub closed_at: Option<Timestamp>,
    /// Thrown away: everything about it reads as not found.
    pub discarded: bool,
    /// `true` if anyone may read its descriptor.
    pub opendata: bool,
    /// `true` if silence is a decision: `repasser_en_construction` then breaks the server.
    pub sva: bool,
    /// `true` if a pending correction keeps a dossier from going to `en_instruction`, once the démarche is published.
    pub correction_blocks: bool,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// When its form, title or settings last changed.
    pub updated_at: Timestamp,
    /// Versions of its form, oldest first; the last one is the draft.
    pub revisions: Vec<Revision>,
    /// Its teams.
    pub groupes: Vec<Groupe>,
    /// Its labels.
    pub labels: Vec<Label>,
    /// Dossiers that went away for good, by date and row.
    pub deleted: BTreeMap<(Timestamp, u32), Tombstone>,
    /// Every dossier by date of change and number.
    pub(crate) by_updated: BTreeSet<(Timestamp, u32)>,
    /// Every dossier by date of deposit and number.
    pub(crate) by_depose: BTreeSet<(Timestamp, u32)>,
    /// Dossiers hidden in one way or another.
    pub(crate) hidden: BTreeSet<u32>,
    /// The next number to give to a dossier.
    pub(super) next_dossier: u32,
    /// The form as the API tells it, and its date, while these lag behind.
    pub(super) held_form: Option<(Vec<Revision>, Timestamp)>,
    /// The revision to which dossiers are to be moved, and when.
    pub(super) rebase_due: Option<Timestamp>,
}

impl Demarche {
    /// Rank of the published revision, or of the draft before any publication.
    #[must_use]
    pub fn active_revision(&self) -> usize {
        active(&self.revisions)
    }

    /// The revisions that the API tells, the rank of the one in force, and the date of the last change of the form.
    pub(crate) fn visible_form(&self) -> (&[Revision], usize, Timestamp) {
        let (revisions, updated_at) = match &self.held_form {
            Some((revisions, updated_at)) => (revisions.as_slice(), *updated_at),
            None => (self.revisions.as_slice(), self.updated_at),
        };
        (revisions, active(revisions), updated_at)
    }

    /// The team with that number.
    #[must_use]
    pub fn groupe(&self, number: u32) -> Option<&Groupe> {
        self.groupes.iter().find(|groupe| groupe.number == number)
    }
}

fn active(revisions: &[Revision]) -> usize {
    revisions.iter().rposition(|revision| revision.published_at.is_some()).unwrap_or(revisions.len() - 1)
}
