//! Counts of dossiers by what happened to them.

use serde::{Deserialize, Serialize};

use crate::plan::FeedKind;

/// Counts of dossiers by kind of change.
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
    /// Dossiers whose term was over, kept without what may tell of a person.
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

    /// Counts one decision; one without a kind changed nothing.
    pub fn count(&mut self, kind: Option<FeedKind>) {
        *match kind {
            None => &mut self.unchanged,
            Some(FeedKind::Insert) => &mut self.inserted,
            Some(FeedKind::Update) => &mut self.updated,
            Some(FeedKind::Delete) => &mut self.deleted,
            Some(FeedKind::Restore) => &mut self.restored,
            Some(FeedKind::Rewrite) => &mut self.rewritten,
            Some(FeedKind::Anonymise) => &mut self.anonymised,
            Some(FeedKind::Purge) => &mut self.purged,
        } += 1;
    }

    /// Returns true if nothing changed.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        let Self { inserted, updated, unchanged: _, deleted, restored, rewritten, anonymised, purged } = self;
        inserted + updated + deleted + restored + rewritten + anonymised + purged == 0
    }
}
