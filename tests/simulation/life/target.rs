//! Target and outbox with injected failures, and the invariants of every commit.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use demarche_numerique::DossierNumber;
use demarche_numerique::checkpoint::Checkpoint;
use demarche_numerique::demarche::Demarche;
use demarche_numerique::ids::Scope;
use demarche_numerique::intent::{Intent, IntentId, Move, Status};
use demarche_numerique::plan::{Change, Known, Remembered, SchemaPlan};
use demarche_numerique::report::{RowDifference, RunRecord};
use demarche_numerique::sandbox::Random;
use demarche_numerique::sink::{
    Backlog, Batch, CensusEntry, Entry, ExpectedDossier, InstanceAddress, MemoryOutbox, MemorySink, Outbox, OutboxStep,
    Prepared, QuarantineEntry, Receipt, Received, Recorded, Sink, SinkError, StoredDocument, Totals, TrailLine,
};
use demarche_numerique::table::Layout;
use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use super::stage::Stage;
use super::trouble::Failure;

/// By how much a machine of the platform is ahead of the others at most, in seconds.
const AHEAD: i64 = 120;

/// The target and its outbox.
pub struct Target {
    stage: Arc<Stage>,
    /// The sink that keeps.
    pub inner: MemorySink,
    /// The outbox.
    pub outbox: MemoryOutbox,
    holders: AtomicU32,
    checkpoint: Mutex<Option<Checkpoint>>,
}

/// The target as it was at one instant.
pub struct Backup {
    inner: MemorySink,
    outbox: MemoryOutbox,
    checkpoint: Option<Checkpoint>,
}

/// The target as one run holds it, until another takes its place.
pub struct Hold<'a> {
    target: &'a Target,
    rank: u32,
    since: Timestamp,
}

impl Target {
    /// An empty one.
    pub fn new(stage: &Arc<Stage>) -> Self {
        Self {
            stage: Arc::clone(stage),
            inner: MemorySink::default(),
            outbox: MemoryOutbox::default(),
            holders: AtomicU32::new(0),
            checkpoint: Mutex::new(None),
        }
    }

    /// A copy of all of it.
    pub fn backup(&self) -> Backup {
        let checkpoint = self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Backup { inner: self.inner.clone(), outbox: self.outbox.clone(), checkpoint }
    }

    /// Makes it what it was.
    pub fn restore(&mut self, backup: &Backup) {
        self.inner = backup.inner.clone();
        self.outbox = backup.outbox.clone();
        *self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner) = backup.checkpoint.clone();
    }

    /// Takes it, from whoever has it.
    pub fn hold(&self) -> Hold<'_> {
        let rank = self.holders.fetch_add(1, Ordering::Relaxed) + 1;
        Hold { target: self, rank, since: self.stage.now() }
    }
}

impl Hold<'_> {
    async fn through<T>(
        &self,
        what: &'static str,
        writes: bool,
        work: impl Future<Output = Result<T, SinkError>> + Send,
    ) -> Result<T, SinkError> {
        let stage = &self.target.stage;
        let (rank, failure) = stage.call();
        let mut random = Random::of(&[stage.seed, 0xca11, u64::from(rank)]);
        let (there, back) = (Duration::from_millis(random.below(30)), Duration::from_millis(random.below(30)));
        sleep(there).await;
        if writes && self.target.holders.load(Ordering::Relaxed) != self.rank {
            stage.count("writes refused to whom another has replaced");
            stage.tell(&format!("call {rank}: {what} is refused, another holds the target"));
            return Err(SinkError::Locked { target: "memory".to_owned(), holder: None });
        }
        let unavailable = |reason: &str| {
            stage.count("calls of the target that fail");
            stage.tell(&format!("call {rank}: {what}, {reason}"));
            let (target, reason) = ("memory".to_owned(), reason.to_owned());
            SinkError::Unavailable { target, action: what, reason, hint: None }
        };
        if failure == Some(Failure::Before) {
            return Err(unavailable("nothing was done"));
        }
        let done = work.await;
        if writes {
            stage.tell(&format!("call {rank}: {what} is {}", if done.is_ok() { "done" } else { "refused" }));
        }
        sleep(back).await;
        if failure == Some(Failure::After) { Err(unavailable("the answer was lost")) } else { done }
    }

    /// A dossier of the batch that the target cannot hold. Tombstones have nothing in them that it could refuse.
    fn refused(&self, batch: &Batch) -> Option<u32> {
        let state = self.target.stage.state();
        let rows = batch.plan.changes.iter().filter(|change| !change.empties()).filter_map(Change::row);
        rows.map(|row| row.number.get()).find(|number| state.refused.contains(number))
    }

    /// Checks the invariants of a commit.
    fn check(&self, batch: &Batch) {
        let stage = &self.target.stage;
        let before = self.target.checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
        let watermark = batch.checkpoint.watermark;
        if before.as_ref().is_some_and(|before| watermark < before.watermark) {
            stage.broke(format!("the watermark goes back to {watermark:?}"));
        }
        if watermark > Some(stage.now() + SignedDuration::from_secs(AHEAD)) {
            stage.broke(format!("the watermark is {watermark:?}, and the platform has no such date yet"));
        }
        let mut numbers = BTreeSet::new();
        for change in &batch.plan.changes {
            let number = match change {
                Change::Present(row) | Change::Rewrite(row) | Change::Anonymise(row) => row.number,
                Change::Gone(number, _) => {
                    self.check_gone(*number);
                    *number
                }
                Change::Purge(number) => *number,
            };
            if !numbers.insert(number) {
                stage.broke(format!("dossier {number} is twice in one batch"));
            }
        }
    }

    /// A tombstone is for a dossier that was not shown, at one moment of the run at least.
    fn check_gone(&self, number: DossierNumber) {
        let stage = &self.target.stage;
        stage.catch_up();
        let shown = stage.sandbox.world().dossier(number.get()).is_some_and(|dossier| dossier.is_visible());
        let unseen = stage.state().unseen.get(&number.get()).copied();
        if shown && unseen.is_none_or(|at| at < self.since) {
            stage.broke(format!("a tombstone for dossier {number}, which the platform showed all the time"));
        }
    }
}

impl Sink for Hold<'_> {
    fn name(&self) -> &str {
        "memory"
    }

    async fn schema(&self, scope: &Scope) -> Result<Remembered, SinkError> {
        self.through("schema", false, self.target.inner.schema(scope)).await
    }

    async fn form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        self.through("form", false, self.target.inner.form(scope)).await
    }

    async fn prepare(&self, scope: &Scope, form: &Demarche, plan: SchemaPlan) -> Result<Prepared, SinkError> {
        self.through("prepare", true, self.target.inner.prepare(scope, form, plan)).await
    }

    async fn checkpoint(&self, scope: &Scope) -> Result<Option<Checkpoint>, SinkError> {
        self.through("checkpoint", false, self.target.inner.checkpoint(scope)).await
    }

    async fn known(&self, scope: &Scope, keys: &[DossierNumber]) -> Result<Known, SinkError> {
        self.through("known", false, self.target.inner.known(scope, keys)).await
    }

    async fn commit(&self, prepared: &Prepared, batch: &Batch) -> Result<Receipt, SinkError> {
        let work = async {
            self.check(batch);
            if let Some(number) = self.refused(batch) {
                self.target.stage.tell(&format!("the target cannot hold dossier {number}"));
                let (target, reason) = ("memory".to_owned(), "a rule of somebody else's".to_owned());
                return Err(SinkError::CannotHold { target, action: "a commit", reason, too_wide: false });
            }
            let receipt = self.target.inner.commit(prepared, batch).await?;
            let mut kept = self.target.checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
            *kept = Some(batch.checkpoint.clone());
            Ok(receipt)
        };
        self.through("commit", true, work).await
    }

    async fn totals(&self, scope: &Scope) -> Result<Totals, SinkError> {
        self.through("totals", false, self.target.inner.totals(scope)).await
    }

    async fn census(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<CensusEntry>, SinkError> {
        self.through("census", false, self.target.inner.census(scope, after, limit)).await
    }

    async fn documents(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<StoredDocument>, SinkError> {
        self.through("documents", false, self.target.inner.documents(scope, after, limit)).await
    }

    async fn survey_rows(&self, scope: &Scope, limit: u32) -> Result<Vec<RowDifference>, SinkError> {
        self.through("survey_rows", false, self.target.inner.survey_rows(scope, limit)).await
    }

    async fn compare_rows(
        &self,
        scope: &Scope,
        layout: &Layout,
        expected: &[ExpectedDossier],
    ) -> Result<Vec<RowDifference>, SinkError> {
        self.through("compare_rows", false, self.target.inner.compare_rows(scope, layout, expected)).await
    }

    async fn remove_unknown_rows(&self, prepared: &Prepared) -> Result<u64, SinkError> {
        self.through("remove_unknown_rows", true, self.target.inner.remove_unknown_rows(prepared)).await
    }

    async fn instances(&self) -> Result<Vec<(String, Option<InstanceAddress>)>, SinkError> {
        self.through("instances", false, self.target.inner.instances()).await
    }

    async fn keep_address(
        &self,
        instance: &str,
        address: &InstanceAddress,
        was: Option<&InstanceAddress>,
    ) -> Result<(), SinkError> {
        self.through("keep_address", true, self.target.inner.keep_address(instance, address, was)).await
    }

    async fn quarantine(&self, scope: &Scope) -> Result<Vec<QuarantineEntry>, SinkError> {
        self.through("quarantine", false, self.target.inner.quarantine(scope)).await
    }

    async fn record_run(&self, scope: &Scope, run: &RunRecord) -> Result<(), SinkError> {
        self.through("record_run", true, self.target.inner.record_run(scope, run)).await
    }

    async fn runs(&self, scope: &Scope, limit: u32) -> Result<Vec<RunRecord>, SinkError> {
        self.through("runs", false, self.target.inner.runs(scope, limit)).await
    }
}

impl Outbox for Hold<'_> {
    fn outbox_name(&self) -> &str {
        "memory"
    }

    async fn begin(&self, scope: &Scope) -> Result<(), SinkError> {
        self.through("begin", true, self.target.outbox.begin(scope)).await
    }

    async fn end(&self, scope: &Scope) -> Result<(), SinkError> {
        self.through("end", false, self.target.outbox.end(scope)).await
    }

    async fn put(&self, scope: &Scope, intents: &[Intent], at: Timestamp) -> Result<Received, SinkError> {
        self.through("put", false, self.target.outbox.put(scope, intents, at)).await
    }

    async fn pending(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<Entry>, SinkError> {
        self.through("pending", false, self.target.outbox.pending(scope, after, limit)).await
    }

    async fn status(&self, scope: &Scope, id: &IntentId) -> Result<Option<Status>, SinkError> {
        self.through("status", false, self.target.outbox.status(scope, id)).await
    }

    async fn of_dossier(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Recorded>, SinkError> {
        self.through("of_dossier", false, self.target.outbox.of_dossier(scope, dossier)).await
    }

    async fn moves(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Move>, SinkError> {
        self.through("moves", false, self.target.outbox.moves(scope, dossier)).await
    }

    async fn write(&self, scope: &Scope, step: &OutboxStep<'_>) -> Result<(), SinkError> {
        self.through("write", true, self.target.outbox.write(scope, step)).await
    }

    async fn trail(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<TrailLine>, SinkError> {
        self.through("trail", false, self.target.outbox.trail(scope, after, limit)).await
    }

    async fn depth(&self, scope: &Scope) -> Result<Vec<(Status, u64)>, SinkError> {
        self.through("depth", false, self.target.outbox.depth(scope)).await
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, SinkError> {
        self.through("backlog", false, self.target.outbox.backlog()).await
    }

    async fn resolve(&self, scope: &Scope, id: &IntentId, status: Status, at: Timestamp) -> Result<bool, SinkError> {
        self.through("resolve", true, self.target.outbox.resolve(scope, id, status, at)).await
    }
}
