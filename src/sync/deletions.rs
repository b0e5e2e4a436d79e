//! Puts tombstones on what the lists of deletions name. The lists come after the dossiers, and no failure of theirs ends a
//! run: one that fails is asked for less and less often, and the complete listing finds what it would have told.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::error::SyncError;
use super::event::Event;
use super::run::{Engine, until_stopped};
use super::setbacks;
use crate::checkpoint::{Checkpoint, DeletionList, Setback, SideQuestion};
use crate::dossier::Gone;
use crate::fingerprint::Digest;
use crate::observe::suppressions;
use crate::plan::Observation;
use crate::report::{Brake, Counts};
use crate::sink::Sink;

/// Limits the gone dossiers that one commit compares with the target.
const GONE_BATCH: usize = 500;

/// The lists that are asked for in this run.
fn due(checkpoint: &Checkpoint, now: Timestamp, all: bool) -> BTreeSet<DeletionList> {
    let waits = |list: &DeletionList| setback(checkpoint, *list).is_some_and(|setback| setback.waits(now));
    DeletionList::ALL.into_iter().filter(|list| all || !waits(list)).collect()
}

fn setback(checkpoint: &Checkpoint, list: DeletionList) -> Option<&Setback> {
    checkpoint.setbacks.get(&SideQuestion::from(list))
}

impl<S: Sink> Engine<'_, S> {
    /// Reads the lists that are due and follows what they say; `since` is from when purged dossiers are asked for, `alive`
    /// how many dossiers the target showed before the run.
    pub(super) async fn follow_deletions(
        &mut self,
        since: Option<Timestamp>,
        alive: u64,
        now: Timestamp,
    ) -> Result<(), SyncError> {
        let asked = due(&self.checkpoint, now, self.job.settings.full);
        let frail = DeletionList::ALL.into_iter().filter(|list| setback(&self.checkpoint, *list).is_some()).collect();
        let (client, demarche) = (self.job.client, self.job.scope.demarche);
        let reading = suppressions(client, demarche, since, &asked, &frail);
        let found = until_stopped(&self.job.stop, reading).await?;
        let mut checkpoint = self.checkpoint.clone();
        for list in &asked {
            let before = checkpoint.setbacks.remove(&SideQuestion::from(*list));
            let Some(reason) = found.unread.get(list) else { continue };
            if before.is_none() && alive > 0 {
                // What it would have told is looked for at once; from then on the daily listing is enough.
                // Due, and not `None`: the end of a complete reading takes `None` for a first run, which needs no listing.
                checkpoint.listed_at = Some(Timestamp::UNIX_EPOCH);
            }
            let setback = setbacks::after(before.as_ref(), now);
            self.notice(format!(
                "{list} could not be read ({reason}); it is asked for again after {}, and the complete listing finds what \
                 left meanwhile",
                setback.next_try
            ));
            checkpoint.setbacks.insert(SideQuestion::from(*list), setback);
        }
        let waiting = DeletionList::ALL.into_iter().filter(|list| !asked.contains(list));
        for (list, setback) in waiting.filter_map(|list| Some((list, setback(&checkpoint, list)?))) {
            self.notice(setbacks::not_asked(list, setback));
        }
        let complete = DeletionList::ALL.into_iter().all(|list| setback(&checkpoint, list).is_none());
        if !complete {
            self.report.suppressions_incomplete = true;
            (self.job.events)(&Event::SuppressionsIncomplete);
        }
        let gone: Vec<_> = found.gone.into_iter().collect();
        let said = Digest::of(&serde_json::to_vec(&gone).expect("a list of tombstones is plain data with text keys"));
        if self.checkpoint.suppressions != Some(said) {
            if !self.bury(gone, alive).await? {
                checkpoint.suppressions = self.checkpoint.suppressions;
            } else if complete {
                checkpoint.suppressions = Some(said);
            }
        }
        self.commit(Vec::new(), Vec::new(), checkpoint).await?;
        Ok(())
    }

    /// Puts tombstones on dossiers; `false` when there are so many that they are held back.
    pub(super) async fn bury(
        &mut self,
        gone: Vec<(crate::ids::DossierNumber, Gone)>,
        alive: u64,
    ) -> Result<bool, SyncError> {
        let mut batches = Vec::new();
        for part in gone.chunks(GONE_BATCH) {
            let observed = part.iter().map(|(number, gone)| Observation::Gone(*number, gone.clone())).collect();
            batches.push(self.decide(observed, Vec::new(), self.checkpoint.clone()).await?);
        }
        let deletions = batches.iter().map(|batch| batch.plan.deletions).sum();
        // In a first run what is there was brought by it.
        let alive = alive.max(self.report.counts.inserted + self.report.counts.restored);
        if self.brakes(deletions, alive) {
            return Ok(false);
        }
        for batch in batches {
            // Lists name every dossier that ever went: those already known as gone are no news.
            let counts = Counts { unchanged: 0, ..self.carry_out(batch).await? };
            self.report.counts.add(counts);
        }
        Ok(true)
    }

    /// Tells if so many deletions are held back. Everything else of the run goes on.
    pub(super) fn brakes(&mut self, deletions: u64, alive: u64) -> bool {
        let brakes = self.job.settings.brakes(deletions, alive);
        if brakes {
            (self.job.events)(&Event::Brake { deletions, alive });
            self.report.brake = Some(Brake { deletions, alive });
        }
        brakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_failed_waits_for_its_turn_and_a_clock_that_was_set_back_does_not_make_it_wait_for_ever() {
        let at = |text: &str| -> Timestamp { text.parse().expect("an instant") };
        let setback = |next_try: &str| Setback { attempts: 3, next_try: at(next_try) };
        let checkpoint = Checkpoint {
            setbacks: [(SideQuestion::Pending, setback("2026-02-01T12:00:00Z"))].into(),
            ..Checkpoint::default()
        };
        for (now, all, pending) in [
            ("2026-02-01T11:59:59Z", false, false),
            ("2026-02-01T12:00:00Z", false, true),
            ("2026-02-01T11:00:00Z", true, true),
            ("2026-01-20T00:00:00Z", false, true),
        ] {
            let due = due(&checkpoint, at(now), all);
            assert_eq!(due.contains(&DeletionList::Pending), pending, "{now}");
            assert!(due.contains(&DeletionList::Deleted), "the other list is in no trouble");
        }
    }
}
