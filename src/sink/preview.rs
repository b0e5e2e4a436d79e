//! Previews a run: forwards reads to a target, and counts the changes instead of writing them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::{
    Batch, CensusEntry, ExpectedDossier, InstanceAddress, Prepared, QuarantineEntry, Receipt, Sink, SinkError,
    StoredDocument, Totals,
};
use crate::checkpoint::Checkpoint;
use crate::demarche::Demarche;
use crate::ids::{DossierNumber, Scope};
use crate::plan::{Change, FeedKind, Known, KnownDossier, Remembered, SchemaPlan, decide};
use crate::report::Counts;
use crate::report::{RowDifference, RunRecord};
use crate::table::Layout;

/// Reads from a sink and writes nothing to it: a run over it is a plan.
///
/// It remembers fingerprints of what it was given, so that a dossier seen twice counts once; its memory follows the
/// number of changes, not of dossiers.
#[derive(Debug)]
pub struct Preview<'a, S> {
    inner: &'a S,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    known: BTreeMap<DossierNumber, KnownDossier>,
    lines: BTreeMap<DossierNumber, String>,
    counts: Counts,
    schema: Vec<String>,
}

/// The changes that a run would make.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Previewed {
    /// The changes to the tables, in words.
    pub schema: Vec<String>,
    /// The changes to dossiers, in words, by number.
    pub changes: BTreeMap<DossierNumber, String>,
    /// Numbers by kind.
    #[serde(flatten)]
    pub counts: Counts,
}

impl<'a, S: Sink> Preview<'a, S> {
    /// A preview over a sink.
    pub fn new(inner: &'a S) -> Self {
        Self { inner, seen: Mutex::default() }
    }

    /// The changes so far.
    #[must_use]
    pub fn previewed(&self) -> Previewed {
        let seen = self.seen();
        Previewed { schema: seen.schema.clone(), changes: seen.lines.clone(), counts: seen.counts }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().expect("no code panics while it holds the lock")
    }
}

impl<S: Sink> Sink for Preview<'_, S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn schema(&self, scope: &Scope) -> Result<Remembered, SinkError> {
        self.inner.schema(scope).await
    }

    async fn form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        self.inner.form(scope).await
    }

    async fn prepare(&self, scope: &Scope, _form: &Demarche, plan: SchemaPlan) -> Result<Prepared, SinkError> {
        let mut seen = self.seen();
        for change in &plan.changes {
            let words = change.to_string();
            if !seen.schema.contains(&words) {
                seen.schema.push(words);
            }
        }
        Ok(Prepared::new(scope.clone(), plan.layout))
    }

    async fn checkpoint(&self, scope: &Scope) -> Result<Option<Checkpoint>, SinkError> {
        self.inner.checkpoint(scope).await
    }

    async fn known(&self, scope: &Scope, keys: &[DossierNumber]) -> Result<Known, SinkError> {
        let mut known = self.inner.known(scope, keys).await?;
        let seen = self.seen();
        known.extend(keys.iter().filter_map(|key| seen.known.get(key).map(|dossier| (*key, dossier.clone()))));
        Ok(known)
    }

    async fn commit(&self, prepared: &Prepared, batch: &Batch) -> Result<Receipt, SinkError> {
        let numbers: Vec<DossierNumber> = batch.plan.changes.iter().map(Change::number).collect();
        let known = if numbers.is_empty() { Known::new() } else { self.known(prepared.scope(), &numbers).await? };
        let mut receipt = Receipt::default();
        let mut seen = self.seen();
        for change in &batch.plan.changes {
            let held = known.get(&change.number());
            let effect = decide(change, held);
            receipt.counts.count(effect.kind);
            match effect.kind {
                Some(FeedKind::Insert | FeedKind::Update | FeedKind::Restore | FeedKind::Delete) => {
                    seen.lines.insert(effect.number, effect.to_string());
                    seen.known.extend(effect.after(held).map(|after| (effect.number, after)));
                }
                Some(FeedKind::Rewrite | FeedKind::Anonymise | FeedKind::Purge) | None => {}
            }
        }
        seen.counts.add(Counts { unchanged: 0, ..receipt.counts });
        Ok(receipt)
    }

    async fn totals(&self, scope: &Scope) -> Result<Totals, SinkError> {
        self.inner.totals(scope).await
    }

    async fn census(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<CensusEntry>, SinkError> {
        self.inner.census(scope, after, limit).await
    }

    async fn documents(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<StoredDocument>, SinkError> {
        self.inner.documents(scope, after, limit).await
    }

    async fn survey_rows(&self, scope: &Scope, limit: u32) -> Result<Vec<RowDifference>, SinkError> {
        self.inner.survey_rows(scope, limit).await
    }

    async fn compare_rows(
        &self,
        scope: &Scope,
        layout: &Layout,
        expected: &[ExpectedDossier],
    ) -> Result<Vec<RowDifference>, SinkError> {
        self.inner.compare_rows(scope, layout, expected).await
    }

    async fn remove_unknown_rows(&self, _prepared: &Prepared) -> Result<u64, SinkError> {
        Ok(0)
    }

    async fn instances(&self) -> Result<Vec<(String, Option<InstanceAddress>)>, SinkError> {
        self.inner.instances().await
    }

    async fn keep_address(
        &self,
        _instance: &str,
        _address: &InstanceAddress,
        _was: Option<&InstanceAddress>,
    ) -> Result<(), SinkError> {
        Ok(())
    }

    async fn quarantine(&self, scope: &Scope) -> Result<Vec<QuarantineEntry>, SinkError> {
        self.inner.quarantine(scope).await
    }

    async fn record_run(&self, _scope: &Scope, _run: &RunRecord) -> Result<(), SinkError> {
        Ok(())
    }

    async fn runs(&self, scope: &Scope, limit: u32) -> Result<Vec<RunRecord>, SinkError> {
        self.inner.runs(scope, limit).await
    }

    fn notices(&self) -> Vec<String> {
        self.inner.notices()
    }
}
