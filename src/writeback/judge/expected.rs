//! Compares the dossier with the one that the person saw when deciding. Pure.

use super::Case;
use super::verdict::Conflict;
use crate::dossier::DossierState;
use crate::fingerprint::Fingerprint;
use crate::intent::{Expected, Move, Seen};

impl Case<'_> {
    /// Finds out if somebody else changed the dossier since the person saw it.
    pub(super) fn moved(&self) -> Option<Conflict> {
        let Expected { state, fingerprint } = &self.intent.expected;
        let state_moved = state.as_ref().is_some_and(|state| !self.carried(state, |seen| &seen.state));
        let print_moved = fingerprint.as_ref().is_some_and(|print| !self.carried(print, |seen| &seen.fingerprint));
        (state_moved || print_moved).then(|| Conflict::Moved {
            expected: words(state.as_ref(), fingerprint.as_ref()),
            found: words(Some(&self.seen.state), fingerprint.as_ref().map(|_| &self.seen.fingerprint)),
        })
    }

    /// Tells if our own changes alone led from what the person saw to what is now.
    fn carried<T: PartialEq>(&self, expected: &T, of: impl Fn(&Seen) -> &T) -> bool {
        let own = self.progress.before.clone().zip(self.progress.last.as_ref().and_then(|last| last.seen.clone()));
        let own = own.map(|(before, after)| Move { before, after });
        let mut reached = vec![expected];
        for step in self.others.iter().filter_map(|other| other.moved.as_ref()).chain(&own) {
            if reached.contains(&of(&step.before)) {
                reached.push(of(&step.after));
            }
        }
        reached.contains(&of(self.seen))
    }
}

fn words(state: Option<&DossierState>, fingerprint: Option<&Fingerprint>) -> String {
    let state = state.map(ToString::to_string);
    let version = fingerprint.map(|fingerprint| format!("version {fingerprint}"));
    [state, version].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
