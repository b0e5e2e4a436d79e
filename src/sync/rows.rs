//! Compares the rows of a target with its own documents, and writes again what differs.
//!
//! What the platform shows is compared by [`listing`](super::listing); this is about the target alone: rows that somebody
//! removed, added or changed, cells that were never filled, documents that are damaged.

use std::collections::{BTreeMap, BTreeSet};

use super::documents::{Documents, document_of};
use super::error::SyncError;
use super::event::Event;
use super::run::Engine;
use super::selecting::filtered;
use crate::dossier::Dossier;
use crate::ids::{DescriptorId, DossierNumber, Scope};
use crate::observe::walk::unread;
use crate::plan::{Change, Observation, Plan};
use crate::privacy::Anonymiser;
use crate::report::{RowDifference, RowFault};
use crate::sink::{ExpectedDossier, Sink, StoredDocument};
use crate::table::{Layout, Mapper, narrowed};

/// Limits the differences asked of each table when rows are counted. With more, everything is compared.
const COUNTED: u32 = 500;

/// Limits the differences asked for before rows are removed.
const MOST: u32 = 100_000;

/// Limits the differences that a report names.
const NAMED: usize = 100;

/// Compares the stored rows of some dossiers with their documents.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Rows that are not what they should be.
    pub(super) differences: Vec<RowDifference>,
    /// Documents that cannot be read, or do not match their fingerprint.
    pub(super) damaged: BTreeMap<DossierNumber, StoredDocument>,
    /// Questions that have no column, and how many dossiers answer them.
    pub(super) strangers: BTreeMap<DescriptorId, u64>,
    /// The dossiers that differ, with the rows that they should have.
    pub(super) wrong: Vec<ExpectedDossier>,
}

/// Compares the rows of some dossiers with their documents.
pub(super) async fn compare<S: Sink>(
    sink: &S,
    scope: &Scope,
    layout: &Layout,
    mapper: &Mapper,
    known: &BTreeMap<DossierNumber, u8>,
    documents: Vec<StoredDocument>,
) -> Result<Compared, SyncError> {
    let mut compared = Compared::default();
    let mut expected = Vec::with_capacity(documents.len());
    for stored in documents {
        let Some(dossier) = document_of::<Dossier>(&stored) else {
            compared.damaged.insert(stored.number, stored);
            continue;
        };
        let mut mapped = mapper.row(dossier, stored.light);
        // What a row of the target does not hold is not expected there.
        let narrow = known.get(&stored.number).and_then(|quarters| narrowed(&mapped.row, layout, *quarters));
        if let Some(narrow) = narrow {
            mapped.row = narrow;
        }
        for descriptor in mapped.unknown {
            *compared.strangers.entry(descriptor).or_default() += 1;
        }
        expected.push(ExpectedDossier { row: mapped.row, gone: stored.gone, last_changed: stored.last_changed });
    }
    compared.differences = sink.compare_rows(scope, layout, &expected).await?;
    let wrong: BTreeSet<DossierNumber> = compared.differences.iter().filter_map(|found| found.number).collect();
    compared.wrong = expected.into_iter().filter(|dossier| wrong.contains(&dossier.row.number)).collect();
    Ok(compared)
}

impl<S: Sink> Engine<'_, S> {
    /// Compares every row with its document, and writes again what differs. Documents that are damaged are read again
    /// from the platform.
    pub(super) async fn mend_rows(&mut self) -> Result<(), SyncError> {
        let mut strangers = BTreeSet::new();
        let mut stored = Documents::default();
        while let Some(documents) = stored.next(self.job.sink, &self.job.scope).await? {
            let compared = self.compare(documents).await?;
            strangers.extend(compared.strangers.keys().cloned());
            self.mend_compared(compared).await?;
            self.check_stop()?;
        }
        self.checkpoint.strangers = strangers;
        self.tell_unknown_rows().await
    }

    /// Counts rows, which needs no document, and compares the dossiers whose rows are too few or too many.
    pub(super) async fn mend_counts(&mut self) -> Result<(), SyncError> {
        let found = self.job.sink.survey_rows(&self.job.scope, COUNTED).await?;
        self.tell_unknown(&found);
        let of_dossiers = found.iter().filter(|found| found.fault != RowFault::Unknown);
        let numbers: BTreeSet<DossierNumber> = of_dossiers.filter_map(|found| found.number).collect();
        if numbers.len() >= COUNTED as usize {
            return self.mend_rows().await;
        }
        for number in numbers {
            let stored = Documents::from(number).first(self.job.sink, &self.job.scope).await?;
            let stored: Vec<StoredDocument> = stored.into_iter().filter(|stored| stored.number == number).collect();
            let compared = self.compare(stored).await?;
            self.mend_compared(compared).await?;
            self.check_stop()?;
        }
        Ok(())
    }

    async fn compare(&self, documents: Vec<StoredDocument>) -> Result<Compared, SyncError> {
        let (sink, scope) = (self.job.sink, &self.job.scope);
        let narrowed = &self.checkpoint.narrowed;
        compare(sink, scope, self.form.prepared.layout(), &self.form.mapper, narrowed, documents).await
    }

    async fn mend_compared(&mut self, compared: Compared) -> Result<(), SyncError> {
        let errors: Vec<RowDifference> =
            compared.differences.into_iter().filter(|found| found.fault.is_error()).collect();
        let wrong: BTreeSet<DossierNumber> = errors.iter().filter_map(|found| found.number).collect();
        self.tell_rows(errors, wrong.len() as u64 + compared.damaged.len() as u64);
        let mended = compared.wrong.iter().filter(|dossier| wrong.contains(&dossier.row.number)).count() as u64;
        let changes = compared.wrong.into_iter().map(|dossier| Change::Rewrite(Box::new(dossier.row)));
        let plan = Plan::from(changes.collect::<Vec<_>>());
        if !plan.is_empty() {
            let counts = self.put(plan).await?;
            self.report.counts.add(counts);
            self.count_mended(mended);
        }
        for (_, stored) in compared.damaged {
            if self.restore(stored).await? {
                self.count_mended(1);
            }
            self.check_stop()?;
        }
        Ok(())
    }

    /// Reads a dossier again whose stored document is damaged, and writes it whatever the fingerprints say: `false` when
    /// the platform does not show it any more, or cannot show it now. Then nothing can be told from the document, and it
    /// stays as it is. One that is outside the selection gets a tombstone.
    pub(super) async fn restore(&mut self, stored: StoredDocument) -> Result<bool, SyncError> {
        self.damaged.insert(stored.number);
        let answer = tokio::select! {
            biased;
            () = self.job.stop.asked() => return Err(SyncError::Interrupted),
            answer = self.client.dossier_of(self.job.scope.demarche, stored.number) => answer,
        };
        let dossier = match answer {
            Ok(Some(dossier)) => dossier,
            Ok(None) => return Ok(false),
            Err(error) => {
                unread(stored.number, error)?;
                return Ok(false);
            }
        };
        if !self.job.filter.selection().keeps(&dossier) {
            // What is outside the selection is not read into the target again; what is left of it needs no mending.
            self.damaged.remove(&stored.number);
            let gone = Observation::Gone(stored.number, filtered());
            self.commit(vec![gone], Vec::new(), self.checkpoint.clone()).await?;
            return Ok(false);
        }
        let light = dossier.light().digest();
        let Some(row) = self.rows(vec![dossier]).await?.pop() else { return Ok(false) };
        let change = if stored.light == light.sealed() {
            // What retention took away stays away.
            let mut dossier = super::documents::read_document(row.number, &row.document)?;
            Anonymiser::new(&self.form.demarche).apply(&mut dossier);
            Change::Anonymise(Box::new(self.form.mapper.row(dossier, stored.light).row))
        } else {
            Change::Rewrite(Box::new(row))
        };
        let counts = self.put(Plan::from(vec![change])).await?;
        self.report.counts.add(counts);
        self.damaged.remove(&stored.number);
        Ok(true)
    }

    /// Reads again the dossiers whose documents a rewriting could not read.
    pub(super) async fn restore_damaged(&mut self) -> Result<(), SyncError> {
        for number in std::mem::take(&mut self.damaged) {
            let stored = Documents::from(number).first(self.job.sink, &self.job.scope).await?;
            for stored in stored.into_iter().filter(|stored| stored.number == number) {
                if document_of::<Dossier>(&stored).is_some() {
                    continue;
                }
                self.tell_rows(Vec::new(), 1);
                if self.restore(stored).await? {
                    self.count_mended(1);
                }
            }
            self.check_stop()?;
        }
        Ok(())
    }

    /// Removes rows that belong to no dossier of the target, unless they are more than may be deleted at once.
    pub(super) async fn remove_unknown_rows(&mut self, alive: u64) -> Result<(), SyncError> {
        let found = self.job.sink.survey_rows(&self.job.scope, MOST).await?;
        let unknown = found.iter().filter(|found| found.fault == RowFault::Unknown).map(|found| found.rows).sum();
        if unknown == 0 || self.brakes(unknown, alive) {
            return Ok(());
        }
        let removed = self.job.sink.remove_unknown_rows(&self.form.prepared).await?;
        let report = self.report.rows.get_or_insert_default();
        (report.unknown, report.removed) = (unknown, removed);
        Ok(())
    }

    async fn tell_unknown_rows(&mut self) -> Result<(), SyncError> {
        let found = self.job.sink.survey_rows(&self.job.scope, COUNTED).await?;
        self.tell_unknown(&found);
        Ok(())
    }

    fn tell_unknown(&mut self, found: &[RowDifference]) {
        let unknown: Vec<RowDifference> =
            found.iter().filter(|found| found.fault == RowFault::Unknown).cloned().collect();
        if !unknown.is_empty() {
            let rows = unknown.iter().map(|found| found.rows).sum();
            self.tell_rows(unknown, 0);
            self.report.rows.get_or_insert_default().unknown = rows;
        }
    }

    fn tell_rows(&mut self, differences: Vec<RowDifference>, dossiers: u64) {
        if differences.is_empty() && dossiers == 0 {
            return;
        }
        let report = self.report.rows.get_or_insert_default();
        report.dossiers += dossiers;
        for found in differences {
            (self.job.events)(&Event::Row(found.clone()));
            if report.differences.len() < NAMED {
                report.differences.push(found);
            }
        }
    }

    fn count_mended(&mut self, dossiers: u64) {
        if dossiers > 0 {
            self.report.rows.get_or_insert_default().mended += dossiers;
        }
    }
}
