//! What a change does to what is stored: the one rule of all targets. Pure.

use jiff::Timestamp;

use crate::dossier::{Gone, GoneReason};
use crate::fingerprint::{Digest, Fingerprint};
use crate::ids::DossierNumber;
use crate::plan::Change;
use crate::plan::changes::is_emptied;
use crate::table::Row;

/// What a line of the change feed tells.
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
    /// Its term was over: what may tell of a person is gone.
    Anonymise,
    /// Its term was over: nothing of it is kept.
    Purge,
}

impl FeedKind {
    /// The word that is stored.
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

/// What a target holds of a dossier at the moment of a commit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Held {
    pub fingerprint: Fingerprint,
    pub light: Digest,
    pub updated_at: Timestamp,
    pub gone: Option<Gone>,
    pub last_changed: Timestamp,
}

/// What to do with one dossier.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step<'a> {
    pub number: DossierNumber,
    pub write: Write<'a>,
    pub event: Option<FeedEntry>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Write<'a> {
    Nothing,
    /// The row and all its children, in the place of those that are there.
    Row {
        row: &'a Row,
        /// The tombstone that it has afterwards.
        gone: Option<Gone>,
        /// When this version was first seen.
        changed_at: Timestamp,
        /// Nothing of this dossier is stored: there are no children to take away.
        fresh: bool,
    },
    /// The content is the same, only what the light listing shows moved: a date that came with no change (trap 28).
    Light(&'a Row),
    /// A tombstone.
    Tomb {
        gone: &'a Gone,
        changed_at: Timestamp,
    },
    /// Everything that is kept of it goes; its number, the digest of its listing and the tombstone of a purge stay.
    Purge {
        at: Timestamp,
        /// What is kept to know it by, should the platform show it again.
        light: Digest,
    },
}

/// The fingerprint in the place of that of a dossier that was purged: of nothing.
#[must_use]
pub(super) fn nothing() -> Fingerprint {
    Digest::of(NOTHING.as_bytes())
}

/// The document in the place of that of a dossier that was purged.
pub(super) const NOTHING: &str = "{}";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FeedEntry {
    pub kind: FeedKind,
    pub before: Option<Fingerprint>,
    pub after: Option<Fingerprint>,
}

/// The dossier of a change.
pub(super) fn number_of(change: &Change) -> DossierNumber {
    match change {
        Change::Insert(row)
        | Change::Touch(row)
        | Change::Update { row, .. }
        | Change::Restore { row, .. }
        | Change::Rewrite { row, .. }
        | Change::Anonymise { row, .. } => row.number,
        Change::Delete { number, .. } | Change::Retomb { number, .. } | Change::Purge { number, .. } => *number,
    }
}

/// Compares a change with what is held now, not with what was held when it was planned: a commit whose answer was lost
/// is committed again, and must then change nothing.
pub(super) fn settle<'a>(change: &'a Change, held: Option<&Held>, seen_at: Timestamp) -> Step<'a> {
    match change {
        Change::Insert(row) | Change::Touch(row) | Change::Update { row, .. } | Change::Restore { row, .. } => {
            present(row, held, seen_at)
        }
        Change::Rewrite { row, .. } => rewrite(row, held, seen_at, FeedKind::Rewrite),
        Change::Anonymise { row, .. } => rewrite(row, held, seen_at, FeedKind::Anonymise),
        Change::Purge { number, .. } => purge(*number, held, seen_at),
        Change::Delete { number, gone, .. } | Change::Retomb { number, gone } => absent(*number, gone, held, seen_at),
    }
}

fn present<'a>(row: &'a Row, held: Option<&Held>, seen_at: Timestamp) -> Step<'a> {
    let kind = match held {
        None => FeedKind::Insert,
        Some(held) if is_emptied(held.light, held.gone.as_ref(), row.light) => return Step::nothing(row.number),
        Some(held) if held.gone.is_some() => FeedKind::Restore,
        Some(held) if held.fingerprint != row.fingerprint => FeedKind::Update,
        Some(held) => {
            let same = held.light == row.light && held.updated_at == row.updated_at;
            let write = if same { Write::Nothing } else { Write::Light(row) };
            return Step { number: row.number, write, event: None };
        }
    };
    let before = held.map(|held| held.fingerprint);
    Step {
        number: row.number,
        write: Write::Row { row, gone: None, changed_at: seen_at, fresh: held.is_none() },
        event: Some(FeedEntry { kind, before, after: Some(row.fingerprint) }),
    }
}

/// The same dossier in another form. One that is not held, or was purged in the meantime, stays away where something is
/// to be taken from it.
fn rewrite<'a>(row: &'a Row, held: Option<&Held>, seen_at: Timestamp, kind: FeedKind) -> Step<'a> {
    let held = match (held, kind) {
        (Some(held), _) => held,
        (None, FeedKind::Anonymise) => return Step::nothing(row.number),
        (None, _) => return present(row, None, seen_at),
    };
    if is_purged(held) {
        return Step::nothing(row.number);
    }
    let moved = held.fingerprint != row.fingerprint;
    // A term that runs since the tombstone was seen goes on.
    let same_stone = kind == FeedKind::Anonymise && held.gone.is_some();
    let changed_at = if moved && !same_stone { seen_at } else { held.last_changed };
    let event = FeedEntry { kind, before: Some(held.fingerprint), after: Some(row.fingerprint) };
    Step {
        number: row.number,
        write: Write::Row { row, gone: held.gone.clone(), changed_at, fresh: false },
        event: moved.then_some(event),
    }
}

fn absent<'a>(number: DossierNumber, gone: &'a Gone, held: Option<&Held>, seen_at: Timestamp) -> Step<'a> {
    let (write, event) = match held {
        None => (Write::Nothing, None),
        Some(held) if is_purged(held) => (Write::Nothing, None),
        Some(held) => match &held.gone {
            Some(before) if before == gone => (Write::Nothing, None),
            Some(_) => (Write::Tomb { gone, changed_at: held.last_changed }, None),
            None => {
                let event = FeedEntry { kind: FeedKind::Delete, before: Some(held.fingerprint), after: None };
                (Write::Tomb { gone, changed_at: seen_at }, Some(event))
            }
        },
    };
    Step { number, write, event }
}

fn purge<'a>(number: DossierNumber, held: Option<&Held>, seen_at: Timestamp) -> Step<'a> {
    let Some(held) = held.filter(|held| !is_purged(held)) else { return Step::nothing(number) };
    // What the platform shows is the same as long as its listing is. What it did not show any more is news whenever it
    // is back.
    let light = if held.gone.is_some() { nothing() } else { held.light };
    // The fingerprints of what is gone are not repeated.
    let event = FeedEntry { kind: FeedKind::Purge, before: None, after: None };
    Step { number, write: Write::Purge { at: seen_at, light }, event: Some(event) }
}

fn is_purged(held: &Held) -> bool {
    held.gone.as_ref().is_some_and(|gone| gone.reason == GoneReason::Retention)
}

impl Step<'_> {
    fn nothing(number: DossierNumber) -> Self {
        Self { number, write: Write::Nothing, event: None }
    }

    /// Whether retention takes something away: what else is kept of the dossier goes with it.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "grist"))]
    pub(super) fn empties(&self) -> bool {
        self.event.is_some_and(|event| matches!(event.kind, FeedKind::Anonymise | FeedKind::Purge))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Box<Row> {
        Box::new(Row {
            number: DossierNumber::new(1),
            state: "accepte".into(),
            updated_at: Timestamp::UNIX_EPOCH,
            fingerprint: Digest::of(text.as_bytes()),
            light: Digest::of(b"light"),
            document: text.to_owned(),
            cells: Vec::new(),
            children: Vec::new(),
        })
    }

    fn held(row: &Row, gone: Option<&Gone>) -> Held {
        Held {
            fingerprint: row.fingerprint,
            light: row.light,
            updated_at: row.updated_at,
            gone: gone.cloned(),
            last_changed: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn an_event_is_told_only_when_what_is_stored_moves() {
        let (old, new) = (row("old"), row("new"));
        let was = old.fingerprint;
        let gone = Gone { reason: GoneReason::Pending("user_request".into()), at: None };
        let purged = Gone { reason: GoneReason::Deleted("user_request".into()), at: None };
        let delete = |gone: &Gone| Change::Delete { number: new.number, gone: gone.clone(), was };
        let (alive, dead) = (held(&old, None), held(&old, Some(&gone)));
        for (name, change, held, expected) in [
            ("new", Change::Insert(new.clone()), None, Some(FeedKind::Insert)),
            (
                "planned as new, there in another version",
                Change::Insert(new.clone()),
                Some(&alive),
                Some(FeedKind::Update),
            ),
            ("planned as new, there already", Change::Insert(old.clone()), Some(&alive), None),
            ("moved", Change::Update { row: new.clone(), was }, Some(&alive), Some(FeedKind::Update)),
            ("back", Change::Restore { row: old.clone(), was }, Some(&dead), Some(FeedKind::Restore)),
            ("back, committed again", Change::Restore { row: old.clone(), was }, Some(&alive), None),
            ("gone", delete(&gone), Some(&alive), Some(FeedKind::Delete)),
            ("gone, committed again", delete(&gone), Some(&dead), None),
            ("gone otherwise", delete(&purged), Some(&dead), None),
            ("gone, never held", delete(&gone), None, None),
            ("other cells", Change::Rewrite { row: old.clone(), was }, Some(&alive), None),
            ("another policy", Change::Rewrite { row: new.clone(), was }, Some(&alive), Some(FeedKind::Rewrite)),
        ] {
            let step = settle(&change, held, Timestamp::MAX);
            assert_eq!(step.event.map(|event| event.kind), expected, "{name}");
        }
    }

    #[test]
    fn a_rewritten_dossier_keeps_its_tombstone() {
        let gone = Gone { reason: GoneReason::Missing, at: None };
        let row = row("same");
        let held = held(&row, Some(&gone));
        let change = Change::Rewrite { row: row.clone(), was: row.fingerprint };
        let step = settle(&change, Some(&held), Timestamp::MAX);
        let kept = Write::Row { row: &row, gone: Some(gone), changed_at: held.last_changed, fresh: false };
        assert_eq!(step.write, kept);
    }

    #[test]
    fn a_date_that_moves_alone_is_kept_without_an_event() {
        let old = row("same");
        let mut new = old.clone();
        new.updated_at = Timestamp::MAX;
        let change = Change::Update { row: new.clone(), was: old.fingerprint };
        let step = settle(&change, Some(&held(&old, None)), Timestamp::MAX);
        assert_eq!((step.write, step.event), (Write::Light(&new), None));
    }
}
