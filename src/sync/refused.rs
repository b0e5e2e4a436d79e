//! Commits a batch that the target refused as a whole, without the dossiers that it cannot hold: those are set aside by
//! number, and the others arrive.

use std::collections::BTreeSet;

use super::error::SyncError;
use super::quarantine;
use super::run::Engine;
use crate::ids::DossierNumber;
use crate::observe::Unread;
use crate::plan::{Change, Plan};
use crate::report::Counts;
use crate::sink::{Batch, QuarantineChange, Sink, SinkError};
use crate::table::narrowed;

/// The reason of a dossier that the target cannot hold.
pub const REFUSED_BY_TARGET: &str = "refused_by_target";

/// When a target refuses more dossiers than this, and takes none, it is not about these dossiers.
const MOST_REFUSED: usize = 10;

/// Lists the shares, in quarters, of the answers of an oversized row that are tried in turn.
const QUARTERS: [u8; 3] = [3, 2, 1];

/// Tells if an error concerns some of the given rows, so that the others may be written.
pub(super) fn concerns_rows(error: &SinkError) -> bool {
    matches!(error, SinkError::CannotHold { .. })
}

impl<S: Sink> Engine<'_, S> {
    /// Commits what the target takes of a batch, by halves, and then the rest of the batch: what was committed in the end, and into `counts` what that changed.
    /// Until then the walks stand where they stood, so that a run which dies in between does it again.
    pub(super) async fn hand_over_in_parts(
        &mut self,
        mut batch: Batch,
        error: SinkError,
        counts: &mut Counts,
    ) -> Result<Batch, SyncError> {
        let before = *counts;
        let mut refused: Vec<(DossierNumber, SinkError)> = Vec::new();
        let mut parts = Vec::new();
        let whole = std::mem::take(&mut batch.plan.changes);
        self.divide(&batch, whole, error, &mut parts, counts, &mut refused).await?;
        while let Some(part) = parts.pop() {
            match self.commit_part(&batch, &part, counts).await {
                Ok(()) => {}
                Err(error) if concerns_rows(&error) => {
                    self.divide(&batch, part, error, &mut parts, counts, &mut refused).await?;
                }
                Err(error) => return Err(error.into()),
            }
            self.check_stop()?;
        }
        // Every dossier would enter the quarantine for a fault of the target, such as a trigger that refuses each
        // row.
        if *counts == before && refused.len() > MOST_REFUSED {
            return Err(refused.swap_remove(0).1.into());
        }
        let numbers: BTreeSet<DossierNumber> = refused.iter().map(|(number, _)| *number).collect();
        // The rest of the batch must not release what is put into quarantine below.
        batch.quarantine.retain(|change| match change {
            QuarantineChange::Put(entry) => !numbers.contains(&entry.number),
            QuarantineChange::Release(number) => !numbers.contains(number),
        });
        for (number, error) in refused {
            let unread = Unread { number, reason: REFUSED_BY_TARGET.to_owned(), message: error.to_string() };
            let entry = quarantine::entry(unread, self.quarantine.get(&number), batch.seen_at);
            batch.quarantine.push(QuarantineChange::Put(entry));
        }
        // The watermark moves with this commit alone: until here a run that dies does the parts again, which changes
        // nothing.
        batch.checkpoint.narrowed = self.checkpoint.narrowed.clone();
        let receipt = self.job.sink.commit(&self.form.prepared, &batch).await?;
        self.report.rows_written += receipt.rows_written;
        Ok(batch)
    }

    /// Cuts a part that was refused in two; of a single dossier, tries it with fewer columns filled where that may help.
    async fn divide(
        &mut self,
        batch: &Batch,
        mut part: Vec<Change>,
        error: SinkError,
        parts: &mut Vec<Vec<Change>>,
        counts: &mut Counts,
        refused: &mut Vec<(DossierNumber, SinkError)>,
    ) -> Result<(), SyncError> {
        if part.len() > 1 {
            let rest = part.split_off(part.len() / 2);
            parts.extend([rest, part]);
            return Ok(());
        }
        let Some(change) = part.pop() else { return Ok(()) };
        // A tombstone, or what retention leaves, has nothing in it that could be set aside.
        let Some(number) = change.row().map(|row| row.number).filter(|_| !change.empties()) else {
            return Err(error.into());
        };
        if matches!(error, SinkError::CannotHold { too_wide: true, .. }) {
            for quarters in QUARTERS {
                let mut change = change.clone();
                let Some(row) = change.row_mut() else { break };
                let Some(narrow) = narrowed(row, self.form.prepared.layout(), quarters) else { break };
                *row = narrow;
                match self.commit_part(batch, std::slice::from_ref(&change), counts).await {
                    Ok(()) => {
                        self.checkpoint.narrowed.insert(number, quarters);
                        self.notice(format!(
                            "dossier {number} has more in it than a row of this target holds: some of its answers are kept \
                             in its document alone, and are named in `{}`",
                            crate::table::DOCUMENT_ONLY
                        ));
                        return Ok(());
                    }
                    Err(error) if concerns_rows(&error) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        refused.push((number, error));
        Ok(())
    }

    /// Takes out of the columns what a row of this target did not hold before, so that it is not found out at each commit.
    pub(super) fn narrow_again(&self, batch: &mut Batch) {
        if batch.checkpoint.narrowed.is_empty() {
            return;
        }
        for row in batch.plan.changes.iter_mut().filter_map(Change::row_mut) {
            let Some(quarters) = batch.checkpoint.narrowed.get(&row.number) else { continue };
            match narrowed(row, self.form.prepared.layout(), *quarters) {
                Some(narrow) => *row = narrow,
                None => _ = batch.checkpoint.narrowed.remove(&row.number),
            }
        }
    }

    async fn commit_part(&mut self, batch: &Batch, part: &[Change], counts: &mut Counts) -> Result<(), SinkError> {
        let part = Batch {
            run: batch.run.clone(),
            seen_at: batch.seen_at,
            plan: Plan::from(part.to_vec()),
            checkpoint: self.checkpoint.clone(),
            quarantine: Vec::new(),
        };
        let receipt = self.job.sink.commit(&self.form.prepared, &part).await?;
        self.report.rows_written += receipt.rows_written;
        counts.add(receipt.counts);
        Ok(())
    }
}
