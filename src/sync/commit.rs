//! Filters, maps, plans and commits the dossiers of a page.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::documents::read_document;
use super::error::SyncError;
use super::event::Event;
use super::quarantine;
use super::refused::concerns_rows;
use super::run::{Engine, until_stopped};
use crate::api::Drift;
use crate::checkpoint::Checkpoint;
use crate::dossier::Dossier;
use crate::fingerprint::Digest;
use crate::ids::{DescriptorId, DossierNumber};
use crate::observe::Unread;
use crate::observe::walk::{LISTED_NOT_FOUND, listed_not_found};
use crate::plan::{Observation, Plan, plan};
use crate::report::Counts;
use crate::sink::{Batch, QuarantineChange, Sink};
use crate::table::Row;

impl<S: Sink> Engine<'_, S> {
    /// Maps dossiers to rows. The form is read again if a dossier answers a question that the form lacks, once for each
    /// question: a revision may be published while a run reads (trap 25). A value that does not fit its column stays in
    /// the document, and the row lists the column: kinds of columns follow the form, never an answer.
    pub(super) async fn rows(&mut self, dossiers: Vec<Dossier>) -> Result<Vec<Row>, SyncError> {
        let mut rows = Vec::with_capacity(dossiers.len());
        let mut unknown = BTreeSet::new();
        for dossier in dossiers {
            let light = dossier.light().digest();
            let (row, strangers) = self.row(dossier, light);
            unknown.extend(strangers);
            rows.push(row);
        }
        if !unknown.is_subset(&self.asked) {
            self.fetch_form().await?;
            self.asked.append(&mut unknown);
            (rows, unknown) = self.rows_again(rows)?;
        }
        while !self.unplaced.is_empty() {
            self.place_columns().await?;
            (rows, unknown) = self.rows_again(rows)?;
        }
        if self.checkpoint.remap {
            self.remap().await?;
        }
        self.tell_strangers(unknown);
        Ok(rows)
    }

    /// Filters and maps one dossier. Returns also the questions that it answers and the form lacks.
    pub(super) fn row(&mut self, mut dossier: Dossier, light: Digest) -> (Row, Vec<DescriptorId>) {
        self.job.filter.apply(&mut dossier, &self.form.types);
        let fields = dossier.unread_fields();
        if !fields.is_empty() && self.report.unread.get(&dossier.number) != Some(&fields) {
            (self.job.events)(&Event::Unread { number: dossier.number, fields: fields.clone() });
            self.report.unread.insert(dossier.number, fields);
        }
        let mapped = self.form.mapper.row(dossier, light);
        for name in mapped.misfits {
            self.misfits.entry(name).or_default().insert(mapped.row.number);
        }
        for (question, column) in mapped.unplaced {
            // A known sub-value without a column belongs to a question that the form no longer asks.
            let learned = self.form.demarche.learned.columns.get(&question);
            let waiting = self.unplaced.get(&question);
            if !learned.into_iter().chain(waiting).flatten().any(|known| known.id == column.id) {
                self.unplaced.entry(question).or_default().push(column);
            }
        }
        (mapped.row, mapped.unknown)
    }

    fn rows_again(&mut self, rows: Vec<Row>) -> Result<(Vec<Row>, BTreeSet<DescriptorId>), SyncError> {
        self.misfits.clear();
        let mut unknown = BTreeSet::new();
        let again = rows.into_iter().map(|row| {
            let dossier = read_document(row.number, &row.document)?;
            let (row, strangers) = self.row(dossier, row.light);
            unknown.extend(strangers);
            Ok(row)
        });
        let rows = again.collect::<Result<_, SyncError>>()?;
        Ok((rows, unknown))
    }

    /// Reports the questions that no revision of the form has, each once, and keeps them with the next commit: their
    /// answers are only in the documents.
    fn tell_strangers(&mut self, unknown: BTreeSet<DescriptorId>) {
        for descriptor in unknown {
            if self.told_strangers.insert(descriptor.clone()) {
                (self.job.events)(&Event::UnknownDescriptor(descriptor.clone()));
            }
            self.checkpoint.strangers.insert(descriptor);
        }
    }

    /// Plans and commits.
    pub(super) async fn commit(
        &mut self,
        observed: Vec<Observation>,
        unread: Vec<Unread>,
        checkpoint: Checkpoint,
    ) -> Result<Counts, SyncError> {
        let batch = self.decide(observed, unread, checkpoint).await?;
        let counts = self.carry_out(batch).await?;
        self.report.counts.add(counts);
        Ok(counts)
    }

    /// Plans changes: compares the observations with the state of the target.
    pub(super) async fn decide(
        &self,
        observed: Vec<Observation>,
        unread: Vec<Unread>,
        checkpoint: Checkpoint,
    ) -> Result<Batch, SyncError> {
        let keys: Vec<DossierNumber> = observed.iter().map(Observation::number).collect();
        let known = self.job.sink.known(&self.job.scope, &keys).await?;
        let mut batch = self.batch(plan(&known, observed), checkpoint);
        batch.quarantine = self.quarantine_changes(&keys, unread, batch.seen_at);
        Ok(batch)
    }

    /// Commits a batch, if it is not empty, and returns the counts.
    pub(super) async fn carry_out(&mut self, batch: Batch) -> Result<Counts, SyncError> {
        let silent = batch.plan.is_empty() && batch.quarantine.is_empty();
        if silent && self.stored.as_ref() == Some(&batch.checkpoint) {
            return Ok(Counts { unchanged: batch.plan.unchanged, ..Counts::default() });
        }
        self.hand_over(batch).await
    }

    /// Builds a batch of this run that leaves the quarantine as it is.
    pub(super) fn batch(&self, plan: Plan, checkpoint: Checkpoint) -> Batch {
        let (run, seen_at) = (self.report.run.clone(), (self.job.clock)());
        Batch { run, seen_at, plan, checkpoint, quarantine: Vec::new() }
    }

    /// Sets a dossier aside that was listed, now or once, and is not found when it is asked for alone: it may only be hidden. It
    /// waits until it can be read, or a list of deletions or a complete listing says that it left.
    pub(super) async fn set_aside_unfound(&mut self, number: DossierNumber) -> Result<(), SyncError> {
        if self.quarantine.get(&number).is_some_and(|entry| entry.reason != LISTED_NOT_FOUND) {
            // A discarded démarche hides its dossiers (trap 17): then "not found" says nothing about this one.
            until_stopped(&self.job.stop, self.job.client.head(self.job.scope.demarche)).await?;
        }
        self.commit(Vec::new(), vec![listed_not_found(number)], self.checkpoint.clone()).await?;
        Ok(())
    }

    /// Takes a dossier out of quarantine.
    pub(super) async fn release(&mut self, number: DossierNumber) -> Result<(), SyncError> {
        let mut batch = self.batch(Plan::default(), self.checkpoint.clone());
        batch.quarantine.push(QuarantineChange::Release(number));
        self.hand_over(batch).await?;
        Ok(())
    }

    /// Commits a batch, and updates the state in memory only after that. Returns the counts. Dossiers that the target
    /// cannot hold go into quarantine.
    pub(super) async fn hand_over(&mut self, mut batch: Batch) -> Result<Counts, SyncError> {
        let mut counts = Counts { unchanged: batch.plan.unchanged, ..Counts::default() };
        self.narrow_again(&mut batch);
        let batch = match self.job.sink.commit(&self.form.prepared, &batch).await {
            Ok(receipt) => {
                self.report.rows_written += receipt.rows_written;
                counts.add(receipt.counts);
                batch
            }
            Err(error) if concerns_rows(&error) && !batch.plan.is_empty() => {
                match self.hand_over_in_parts(batch, error, &mut counts).await {
                    Ok(batch) => batch,
                    Err(error) => {
                        // What the target took before is there.
                        self.report.counts.add(counts);
                        return Err(error);
                    }
                }
            }
            Err(error) => return Err(error.into()),
        };
        self.stored = Some(batch.checkpoint.clone());
        self.checkpoint = batch.checkpoint;
        self.settle_quarantine(batch.quarantine);
        Ok(counts)
    }

    fn quarantine_changes(&self, read: &[DossierNumber], unread: Vec<Unread>, now: Timestamp) -> Vec<QuarantineChange> {
        let released = read.iter().filter(|number| self.quarantine.contains_key(number));
        let put = unread.into_iter().map(|unread| {
            let before = self.quarantine.get(&unread.number);
            QuarantineChange::Put(quarantine::entry(unread, before, now))
        });
        // Later entries win: a dossier that could not be read on this page stays in quarantine.
        let mut changes: BTreeMap<DossierNumber, QuarantineChange> =
            released.map(|number| (*number, QuarantineChange::Release(*number))).collect();
        for change in put {
            if let QuarantineChange::Put(entry) = &change {
                changes.insert(entry.number, change);
            }
        }
        changes.into_values().collect()
    }

    fn settle_quarantine(&mut self, changes: Vec<QuarantineChange>) {
        for change in changes {
            match change {
                QuarantineChange::Put(entry) => {
                    let (number, reason) = (entry.number, entry.reason.clone());
                    (self.job.events)(&Event::Quarantined { number, reason });
                    self.quarantine.insert(entry.number, entry);
                }
                QuarantineChange::Release(number) => {
                    (self.job.events)(&Event::Released(number));
                    self.quarantine.remove(&number);
                }
            }
        }
    }

    pub(super) fn tell_drift(&mut self, drift: Vec<Drift>) {
        for drift in drift {
            let words = match &drift {
                Drift::Typename(name) => format!("type {name}"),
                Drift::EnumValue(name, value) => format!("{name} `{value}`"),
            };
            if !self.report.drift.contains(&words) {
                self.report.drift.push(words);
                (self.job.events)(&Event::Drift(drift));
            }
        }
    }
}
