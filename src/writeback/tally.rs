//! Counts what became of entries, and keeps what is later about the same dossiers in its place. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::decision::Decision;
use super::judge::Refusal;
use super::report::{Item, Pushed};
use crate::ids::DossierNumber;
use crate::intent::{Intent, IntentId};
use crate::sink::Entry;

/// Counts what became of the entries of one push.
pub(super) struct Tally {
    report: Pushed,
    /// Dossiers with an entry that is still pending: what comes later for them waits.
    held: BTreeSet<DossierNumber>,
    /// Intents that require another one, with that one.
    requiring: BTreeMap<IntentId, (Entry, IntentId)>,
}

impl Tally {
    /// Starts with an empty report.
    pub fn new(report: Pushed) -> Self {
        Self { report, held: BTreeSet::new(), requiring: BTreeMap::new() }
    }

    /// Gives the report.
    pub fn into_report(self) -> Pushed {
        self.report
    }

    /// Leaves an entry that is not to be examined now; `None` if it is.
    pub fn not_now(&self, entry: &Entry, now: Timestamp) -> Option<Decision> {
        if self.held.contains(&entry.dossier) {
            return Some(Decision::behind_an_earlier_one());
        }
        let until = entry.progress.not_before.filter(|until| *until > now)?;
        Some(Decision::too_early(&entry.progress, until))
    }

    /// Adds what became of an entry, or would.
    pub fn add(&mut self, entry: &Entry, decision: &Decision) -> Item {
        if let Ok(Intent { requires: Some(required), .. }) = &entry.intent {
            self.requiring.insert(entry.id.clone(), (entry.clone(), required.clone()));
        }
        match decision {
            Decision::Leave(_) | Decision::PutOff { .. } => {
                self.held.insert(entry.dossier);
            }
            // After a planned mutation the plan goes on: what is later about the dossier is examined as things are now.
            Decision::Send { .. } | Decision::Settle { .. } => {}
        }
        let item = Item::of(entry, decision);
        self.report.add(item.clone());
        item
    }

    /// Puts what became of an entry in the place of what was added before.
    pub fn replace(&mut self, entry: &Entry, decision: &Decision) -> Item {
        let item = Item::of(entry, decision);
        self.report.replace(item.clone());
        item
    }

    /// Refuses intents that wait for each other: none of them would ever be sent.
    pub fn circles(&self) -> Vec<(Entry, Decision)> {
        let is_in_a_circle = |start: &IntentId| {
            let mut at = start;
            for _ in 0..self.requiring.len() {
                match self.requiring.get(at) {
                    Some((_, next)) if next == start => return true,
                    Some((_, next)) => at = next,
                    None => return false,
                }
            }
            false
        };
        let circle = self.requiring.iter().filter(|(id, _)| is_in_a_circle(id));
        let refused = circle.map(|(_, (entry, required))| {
            let refusal = Refusal::Requires(required.to_string());
            (entry.clone(), Decision::refuse(entry.progress.clone(), &refusal, None))
        });
        refused.collect()
    }
}
