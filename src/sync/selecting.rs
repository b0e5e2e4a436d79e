//! Applies the selection: dossiers that leave it get a tombstone, and everything is read again if the selection itself
//! changes.

use std::collections::BTreeSet;

use super::error::SyncError;
use super::run::Engine;
use crate::checkpoint::Sweep;
use crate::dossier::{Dossier, Gone, GoneReason};
use crate::ids::DossierNumber;
use crate::plan::Observation;
use crate::sink::Sink;

/// Returns the tombstone of a dossier outside the selection.
pub(super) fn filtered() -> Gone {
    Gone { reason: GoneReason::Filtered, at: None }
}

impl<S: Sink> Engine<'_, S> {
    /// Adopts another selection: plans a sweep from the beginning, so that no dossier is missed. The same if dossiers
    /// still have to leave.
    pub(super) fn adopt_selection(&mut self) {
        let wanted = self.job.filter.selection();
        if self.checkpoint.selection != *wanted {
            self.checkpoint.leaving |= self.stored.is_some();
            self.checkpoint.selection = wanted.clone();
        }
        if self.checkpoint.leaving && self.checkpoint.watermark.is_some() {
            // A dossier that enters the selection moved no date: only a reading from the beginning finds it (trap
            // 13).
            self.checkpoint.sweep = Some(Sweep::default());
        }
        let groupes = &self.form.demarche.groupes_instructeurs;
        let unknown: Vec<String> = wanted.unknown_groupes(groupes).iter().map(ToString::to_string).collect();
        for groupe in unknown {
            self.notice(format!("the démarche has no groupe `{groupe}`, of which dossiers are to be kept"));
        }
    }

    /// Returns the dossiers of a page that the selection keeps. Others that the target has are remembered, to leave
    /// together at the end of the walk; others in quarantine leave it.
    pub(super) async fn select(&mut self, dossiers: Vec<Dossier>) -> Result<Vec<Dossier>, SyncError> {
        let selection = self.job.filter.selection();
        let (kept, outside): (Vec<_>, Vec<_>) = dossiers.into_iter().partition(|dossier| selection.keeps(dossier));
        for dossier in &kept {
            self.outside.remove(&dossier.number);
        }
        if outside.is_empty() {
            return Ok(kept);
        }
        let numbers: Vec<DossierNumber> = outside.iter().map(|dossier| dossier.number).collect();
        let known = self.job.sink.known(&self.job.scope, &numbers).await?;
        let alive: BTreeSet<_> = known.into_iter().filter(|(_, known)| known.gone.is_none()).map(|(n, _)| n).collect();
        // Together at the end: the brake compares all that leave with all that stay.
        self.checkpoint.leaving |= !alive.is_empty();
        self.outside.extend(alive);
        for number in numbers {
            if self.quarantine.contains_key(&number) {
                self.release(number).await?;
            }
        }
        Ok(kept)
    }

    /// Writes tombstones for the dossiers outside the selection, unless the brake holds them back: then the next run
    /// reads everything again and reports it again.
    pub(super) async fn let_go(&mut self, alive: u64) -> Result<(), SyncError> {
        let outside = std::mem::take(&mut self.outside);
        if !self.checkpoint.leaving {
            return Ok(());
        }
        let gone = outside.into_iter().map(|number| (number, filtered())).collect();
        if self.bury(gone, alive).await? {
            let mut checkpoint = self.checkpoint.clone();
            checkpoint.leaving = false;
            self.commit(Vec::new(), Vec::new(), checkpoint).await?;
        }
        Ok(())
    }

    /// Converts dossiers that were read one by one to observations: rows, or tombstones outside the selection.
    pub(super) async fn observed(&mut self, dossiers: Vec<Dossier>) -> Result<Vec<Observation>, SyncError> {
        let selection = self.job.filter.selection();
        let (kept, outside): (Vec<_>, Vec<_>) = dossiers.into_iter().partition(|dossier| selection.keeps(dossier));
        let gone = outside.into_iter().map(|dossier| Observation::Gone(dossier.number, filtered()));
        let mut observed: Vec<_> = self.rows(kept).await?.into_iter().map(super::run::present).collect();
        observed.extend(gone);
        Ok(observed)
    }
}
