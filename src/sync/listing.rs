//! Compares the complete light listing with the target.

use jiff::Timestamp;

use super::error::SyncError;
use super::event::Event;
use super::run::{Engine, until_stopped};
use crate::checkpoint::Sweep;
use crate::dossier::{Gone, GoneReason};
use crate::ids::{DossierNumber, Scope};
use crate::observe::walk::LISTED_NOT_FOUND;
use crate::observe::{CompleteListing, list_selected};
use crate::plan::{Observation, is_emptied};
use crate::report::ListingReport;
use crate::sink::{Sink, SinkError};

/// The number of dossiers of the target that are compared at a time.
const CENSUS: u32 = 1000;

/// Difference between the target and a complete listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Listed, and not in the target, or with a tombstone there.
    pub(super) missing: Vec<DossierNumber>,
    /// Listed, with a different line.
    pub(super) stale: Vec<DossierNumber>,
    /// In the target, and not listed.
    pub(super) ghost: Vec<DossierNumber>,
    /// In the target, and listed outside the selection.
    pub(super) outside: Vec<DossierNumber>,
}

/// Compares by pages of the target. Only the listing and the differences are in memory.
pub(super) async fn compare<S: Sink>(
    sink: &S,
    scope: &Scope,
    mut listing: CompleteListing,
) -> Result<Difference, SinkError> {
    let mut difference = Difference::default();
    let mut after = None;
    loop {
        let census = sink.census(scope, after, CENSUS).await?;
        let Some(last) = census.last() else { break };
        after = Some(last.number);
        for entry in census {
            if listing.shows_outside(entry.number) {
                if entry.gone.is_none() {
                    difference.outside.push(entry.number);
                }
                continue;
            }
            match (listing.take(entry.number), entry.gone) {
                (Some(light), gone) if is_emptied(entry.light, gone.as_ref(), light) => {}
                (Some(_), Some(_)) => difference.missing.push(entry.number),
                (Some(light), None) if light != entry.light => difference.stale.push(entry.number),
                (Some(_), None) | (None, Some(_)) => {}
                (None, None) => difference.ghost.push(entry.number),
            }
        }
    }
    difference.missing.extend(listing.into_numbers());
    Ok(difference)
}

impl<S: Sink> Engine<'_, S> {
    /// Finds dossiers that left without a trace (traps 33 and 34) or changed without a date (trap 20), and repairs the
    /// target.
    pub(super) async fn compare_listing(&mut self, alive: u64, now: Timestamp) -> Result<(), SyncError> {
        let events = self.job.events;
        let on_page = |seen| events(&Event::Listing { seen });
        let (selection, groupes) = (self.job.filter.selection(), &self.form.demarche.groupes_instructeurs);
        let listing = list_selected(self.job.client, self.job.scope.demarche, selection, groupes, on_page);
        let listing = until_stopped(&self.job.stop, listing).await?;
        let listed = listing.len() as u64;
        let left: Vec<DossierNumber> = self
            .quarantine
            .values()
            .filter(|entry| entry.reason == LISTED_NOT_FOUND && !listing.contains(entry.number))
            .map(|entry| entry.number)
            .collect();
        let difference = compare(self.job.sink, &self.job.scope, listing).await?;
        self.report.listing = Some(ListingReport {
            listed,
            missing: difference.missing.len() as u64,
            stale: (difference.stale.len() + difference.outside.len()) as u64,
            ghost: difference.ghost.len() as u64,
        });
        for number in left {
            self.release(number).await?;
        }
        // If the brake held deletions back, the comparison is due again in the next run.
        let mended = self.mend(difference, alive, now).await?;
        self.mend_counts().await?;
        if mended {
            let mut checkpoint = self.checkpoint.clone();
            checkpoint.listed_at = Some(now);
            self.commit(Vec::new(), Vec::new(), checkpoint).await?;
        }
        Ok(())
    }

    /// Reads differing dossiers again, and asks for dossiers that are not listed by number: absence alone is no proof
    /// (trap 35). `false` if the brake held deletions back.
    async fn mend(&mut self, difference: Difference, alive: u64, now: Timestamp) -> Result<bool, SyncError> {
        let Difference { mut missing, mut stale, ghost, outside } = difference;
        // Dossiers in quarantine have their own backoff: a dossier that always fails must not fail every listing (trap
        // 5).
        let waits = |number: &DossierNumber| self.quarantine.get(number).is_some_and(|entry| entry.next_try > now);
        missing.retain(|number| !waits(number));
        stale.retain(|number| !waits(number));
        let reread = missing.len() + stale.len();
        // A sweep reads a hundred dossiers with one request: above this number it costs the platform less than single
        // requests.
        if reread as u64 > 20 + alive / 100 {
            self.checkpoint.sweep = Some(Sweep::default());
            self.walk(alive, (self.job.clock)()).await?;
        } else {
            for number in missing.into_iter().chain(stale) {
                if !self.read_again(number).await? && !self.quarantine.contains_key(&number) {
                    self.set_aside_unfound(number).await?;
                }
                self.check_stop()?;
            }
        }
        if self.brakes((ghost.len() + outside.len()) as u64, alive) {
            return Ok(false);
        }
        for number in outside {
            self.read_again(number).await?;
            self.check_stop()?;
        }
        for number in ghost {
            if !self.read_again(number).await? {
                let gone = Gone { reason: GoneReason::Missing, at: None };
                self.commit(vec![Observation::Gone(number, gone)], Vec::new(), self.checkpoint.clone()).await?;
            }
            self.check_stop()?;
        }
        Ok(true)
    }

    pub(super) fn check_stop(&self) -> Result<(), SyncError> {
        if self.job.stop.is_asked() { Err(SyncError::Interrupted) } else { Ok(()) }
    }
}
