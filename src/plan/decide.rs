//! Decides what a change does to what is held: one rule for the preview and for every target. Pure.
//!
//! A preview calls [`decide`] with what it knows of the target. A commit calls it again, inside its transaction, with what the
//! target holds at that moment: a batch whose answer was lost is committed again, and must change nothing then.

use std::fmt;

use super::changes::{Change, KnownDossier};
use crate::dossier::{DossierState, Gone, GoneReason};
use crate::fingerprint::{Digest, Fingerprint};
use crate::ids::DossierNumber;
use crate::table::Row;

/// Kind of a line of the change feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FeedKind {
    /// A dossier that was never there.
    Insert,
    /// Its content moved.
    Update,
    /// It is gone; its last content stays readable.
    Delete,
    /// It had gone and is there again.
    Restore,
    /// The same dossier, kept in another form: the privacy policy or the stored form changed.
    Rewrite,
    /// Its term was over: it is anonymised.
    Anonymise,
    /// Its term was over: nothing of it is kept.
    Purge,
}

impl FeedKind {
    /// Returns the word that is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Rewrite => "rewrite",
            Self::Anonymise => "anonymise",
            Self::Purge => "purge",
        }
    }
}

/// Effect of a change on what a target holds of its dossier.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect<'a> {
    /// The dossier.
    pub number: DossierNumber,
    /// The kind under which it is counted; `None` for a dossier whose content is as it was.
    pub kind: Option<FeedKind>,
    /// The content that is written.
    pub write: Write<'a>,
    /// True if this version, or this tombstone, is first seen now. Otherwise the date of the one before stays.
    pub is_new: bool,
    /// The line of the change feed. A dossier that is rewritten with the same fingerprint has a kind and no line.
    pub event: Option<FeedEvent>,
}

/// Content that is written of a dossier.
#[derive(Clone, Debug, PartialEq)]
pub enum Write<'a> {
    /// Nothing.
    Nothing,
    /// The row and all its children, in the place of those that are there.
    Row {
        /// The row.
        row: &'a Row,
        /// The tombstone that it has afterwards.
        gone: Option<Gone>,
        /// True if nothing of this dossier is stored: there are no children to take away.
        fresh: bool,
    },
    /// The date and the digest of the listing alone: the content is the same, and a date came with no change (trap 28).
    Light(&'a Row),
    /// A tombstone.
    Tomb(&'a Gone),
    /// Everything that is kept of it is removed; its number, the digest of its listing and the tombstone of a purge stay.
    Purge {
        /// The digest to recognise it by, in case the platform shows it again.
        light: Digest,
    },
}

/// A line of the change feed, without its dossier and date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedEvent {
    /// The kind.
    pub kind: FeedKind,
    /// The fingerprint before; `None` for a dossier that was never there.
    pub before: Option<Fingerprint>,
    /// The fingerprint after; `None` for a dossier that is gone.
    pub after: Option<Fingerprint>,
}

/// The document in the place of that of a dossier that was purged.
pub const NOTHING: &str = "{}";

/// Computes the fingerprint in the place of that of a dossier that was purged: of [`NOTHING`].
#[must_use]
pub fn nothing() -> Fingerprint {
    Digest::of(NOTHING.as_bytes())
}

/// State of a dossier in a target, as far as effects differ.
#[derive(Clone, Copy)]
enum Standing<'h> {
    Absent,
    Alive(&'h KnownDossier),
    /// It has a tombstone, and its last content is there.
    Left(&'h KnownDossier, &'h Gone),
    /// Only its number is kept.
    Purged(&'h KnownDossier),
}

impl<'h> Standing<'h> {
    fn of(held: Option<&'h KnownDossier>) -> Self {
        let Some(held) = held else { return Self::Absent };
        match &held.gone {
            None => Self::Alive(held),
            Some(Gone { reason: GoneReason::Retention, .. }) => Self::Purged(held),
            Some(gone) => Self::Left(held, gone),
        }
    }
}

/// Decides the effect of a change, given what is held of its dossier (`None`: nothing).
#[must_use]
pub fn decide<'a>(change: &'a Change, held: Option<&KnownDossier>) -> Effect<'a> {
    use Standing::{Absent, Alive, Left, Purged};
    // Fingerprints decide, never dates: two changes within a second have one date, and a date may come without a change
    // (traps 27 and 28).
    match (change, Standing::of(held)) {
        // A rewritten dossier that somebody took away meanwhile comes back.
        (Change::Present(row) | Change::Rewrite(row), Absent) => bring(row, FeedKind::Insert, None),
        // The lists of deletions contain every dossier that ever was, also those that this target never had.
        (Change::Gone(..) | Change::Anonymise(_) | Change::Purge(_), Absent) => keep(change),
        // What retention emptied is no news while the platform shows it as it was then.
        (Change::Present(row), Alive(held) | Left(held, _) | Purged(held))
            if is_emptied(held.light, held.gone.as_ref(), row.light) =>
        {
            keep(change)
        }
        // Restored on the platform: the row is written again even if its content is equal, as it has a tombstone.
        (Change::Present(row), Left(held, _) | Purged(held)) => bring(row, FeedKind::Restore, Some(held)),
        (Change::Present(row), Alive(held)) if row.fingerprint != held.fingerprint => {
            bring(row, FeedKind::Update, Some(held))
        }
        (Change::Present(row), Alive(held)) if row.light != held.light => {
            Effect { write: Write::Light(row), ..keep(change) }
        }
        (Change::Present(_), Alive(_)) => keep(change),
        (Change::Gone(number, gone), Alive(held)) => bury(*number, gone, held),
        (Change::Gone(_, gone), Left(_, before)) if supersedes(gone, before) => {
            Effect { write: Write::Tomb(gone), ..keep(change) }
        }
        (Change::Gone(..), Left(..)) => keep(change),
        (Change::Rewrite(row), Alive(held) | Left(held, _)) => replace(row, FeedKind::Rewrite, held),
        (Change::Anonymise(row), Alive(held) | Left(held, _)) => replace(row, FeedKind::Anonymise, held),
        // What the platform shows is the same as long as its listing is.
        (Change::Purge(number), Alive(held)) => purge(*number, held.light),
        // What the platform did not show any more is news whenever it is back.
        (Change::Purge(number), Left(..)) => purge(*number, nothing()),
        (Change::Gone(..) | Change::Rewrite(_) | Change::Anonymise(_) | Change::Purge(_), Purged(_)) => keep(change),
    }
}

fn keep(change: &Change) -> Effect<'_> {
    Effect { number: change.number(), kind: None, write: Write::Nothing, is_new: false, event: None }
}

fn bring<'a>(row: &'a Row, kind: FeedKind, held: Option<&KnownDossier>) -> Effect<'a> {
    let before = held.map(|held| held.fingerprint);
    Effect {
        number: row.number,
        kind: Some(kind),
        write: Write::Row { row, gone: None, fresh: held.is_none() },
        is_new: true,
        event: Some(FeedEvent { kind, before, after: Some(row.fingerprint) }),
    }
}

/// The same dossier in another form: it keeps its tombstone.
fn replace<'a>(row: &'a Row, kind: FeedKind, held: &KnownDossier) -> Effect<'a> {
    let moved = held.fingerprint != row.fingerprint;
    // The second term of a dossier that left runs since its tombstone was seen: anonymising must not begin it anew.
    let same_tombstone = kind == FeedKind::Anonymise && held.gone.is_some();
    let event = FeedEvent { kind, before: Some(held.fingerprint), after: Some(row.fingerprint) };
    Effect {
        number: row.number,
        kind: Some(kind),
        write: Write::Row { row, gone: held.gone.clone(), fresh: false },
        is_new: moved && !same_tombstone,
        event: moved.then_some(event),
    }
}

fn bury<'a>(number: DossierNumber, gone: &'a Gone, held: &KnownDossier) -> Effect<'a> {
    let kind = FeedKind::Delete;
    Effect {
        number,
        kind: Some(kind),
        write: Write::Tomb(gone),
        is_new: true,
        event: Some(FeedEvent { kind, before: Some(held.fingerprint), after: None }),
    }
}

fn purge<'a>(number: DossierNumber, light: Digest) -> Effect<'a> {
    let kind = FeedKind::Purge;
    Effect {
        number,
        kind: Some(kind),
        write: Write::Purge { light },
        is_new: true,
        // The fingerprints of what is gone are not repeated.
        event: Some(FeedEvent { kind, before: None, after: None }),
    }
}

/// Returns true if the platform still lists a dossier as it was when retention emptied it: it must not come back. `shown` is
/// the digest of its present line, `light` the one that the target kept. A dossier that changed since comes back like any other.
#[must_use]
pub fn is_emptied(light: Digest, gone: Option<&Gone>, shown: Digest) -> bool {
    match gone.map(|gone| &gone.reason) {
        None => light == shown.sealed(),
        // It may have been anonymised before it was purged: then the digest is sealed.
        Some(GoneReason::Retention) => light == shown || light == shown.sealed(),
        Some(GoneReason::Pending(_) | GoneReason::Deleted(_) | GoneReason::Missing | GoneReason::Filtered) => false,
    }
}

/// Returns true if a tombstone becomes more precise: missing, pending, purged. Every run reads both lists, and they must not
/// undo one another.
fn supersedes(now: &Gone, before: &Gone) -> bool {
    let rank = |gone: &Gone| match gone.reason {
        GoneReason::Missing | GoneReason::Filtered => 0,
        GoneReason::Pending(_) => 1,
        GoneReason::Deleted(_) => 2,
        GoneReason::Retention => 3,
    };
    rank(now) > rank(before) || (rank(now) == rank(before) && rank(now) > 0 && now != before)
}

impl Effect<'_> {
    /// Computes what is held after this was carried out.
    #[must_use]
    pub fn after(&self, held: Option<&KnownDossier>) -> Option<KnownDossier> {
        match &self.write {
            Write::Nothing => held.cloned(),
            Write::Row { row, gone, fresh: _ } => {
                Some(KnownDossier { fingerprint: row.fingerprint, light: row.light, gone: gone.clone() })
            }
            Write::Light(row) => held.map(|held| KnownDossier { light: row.light, ..held.clone() }),
            Write::Tomb(gone) => held.map(|held| KnownDossier { gone: Some((*gone).clone()), ..held.clone() }),
            Write::Purge { light } => {
                let gone = Some(Gone { reason: GoneReason::Retention, at: None });
                Some(KnownDossier { fingerprint: nothing(), light: *light, gone })
            }
        }
    }
}

/// A line for people who read a plan: the number and the state only.
impl fmt::Display for Effect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number;
        let of = |state: &DossierState| format!("dossier {number} ({state})");
        match (&self.write, self.kind) {
            (Write::Nothing, _) => write!(f, "= dossier {number}"),
            (Write::Light(row), _) => write!(f, "= {}", of(&row.state)),
            (Write::Tomb(gone), Some(_)) => write!(f, "- dossier {number} ({})", gone.reason.as_str()),
            (Write::Tomb(gone), None) => write!(f, "= dossier {number} stays deleted ({})", gone.reason.as_str()),
            (Write::Purge { .. }, _) => write!(f, "- dossier {number}, purged"),
            (Write::Row { row, .. }, Some(FeedKind::Insert)) => write!(f, "+ {}", of(&row.state)),
            (Write::Row { row, .. }, Some(FeedKind::Restore)) => write!(f, "+ {}, restored", of(&row.state)),
            (Write::Row { row, .. }, Some(FeedKind::Rewrite)) => write!(f, "= {}, written again", of(&row.state)),
            (Write::Row { row, .. }, Some(FeedKind::Anonymise)) => write!(f, "~ {}, anonymised", of(&row.state)),
            (Write::Row { row, .. }, Some(FeedKind::Update | FeedKind::Delete | FeedKind::Purge) | None) => {
                write!(f, "~ {}", of(&row.state))
            }
        }
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
