//! Dates the effects of a commit: [`decide`] says what is written, the target since when it holds. Pure.

use jiff::Timestamp;

use crate::ids::DossierNumber;
use crate::plan::{Change, Effect, FeedEvent, FeedKind, KnownDossier, Write, decide};

/// State of a dossier in a target at the moment of a commit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Held {
    pub known: KnownDossier,
    pub last_changed: Timestamp,
}

/// Effect of a change, dated.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step<'a> {
    pub number: DossierNumber,
    pub kind: Option<FeedKind>,
    pub write: Write<'a>,
    pub event: Option<FeedEvent>,
    /// When this version, or this tombstone, was first seen.
    pub changed_at: Timestamp,
}

/// Decides about a change by what is held now, not by what was held when it was planned: a commit whose answer was lost is
/// committed again, and must then change nothing.
pub(super) fn settle<'a>(change: &'a Change, held: Option<&Held>, seen_at: Timestamp) -> Step<'a> {
    let Effect { number, kind, write, is_new, event } = decide(change, held.map(|held| &held.known));
    let changed_at = held.filter(|_| !is_new).map_or(seen_at, |held| held.last_changed);
    Step { number, kind, write, event, changed_at }
}

impl Step<'_> {
    /// Returns true if retention removes something: what else is kept of the dossier is removed with it.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "grist"))]
    pub(super) fn empties(&self) -> bool {
        self.event.is_some_and(|event| matches!(event.kind, FeedKind::Anonymise | FeedKind::Purge))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dossier::{Gone, GoneReason};
    use crate::fingerprint::Digest;

    #[test]
    fn only_what_is_new_gets_a_new_date() {
        let number = DossierNumber::new(1);
        let gone = |reason| Gone { reason, at: None };
        let (pending, deleted) = (gone(GoneReason::Pending("r".into())), gone(GoneReason::Deleted("r".into())));
        let (then, now) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let held = |gone| {
            let known = KnownDossier { fingerprint: Digest::of(b"f"), light: Digest::of(b"l"), gone };
            Held { known, last_changed: then }
        };
        let change = Change::Gone(number, deleted);
        assert_eq!(settle(&change, Some(&held(None)), now).changed_at, now, "it left");
        assert_eq!(settle(&change, Some(&held(Some(pending))), now).changed_at, then, "it left before");
        assert_eq!(settle(&Change::Purge(number), Some(&held(None)), now).changed_at, now);
    }
}
