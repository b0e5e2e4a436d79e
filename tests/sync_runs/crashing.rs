//! Runs that die at any point, and the run after them.

use std::sync::atomic::{AtomicU32, Ordering};

use demarche_numerique::checkpoint::Checkpoint;
use demarche_numerique::demarche::Demarche;
use demarche_numerique::ids::Scope;
use demarche_numerique::plan::{Known, Remembered, SchemaPlan};
use demarche_numerique::report::{RowDifference, RunOutcome, RunRecord};
use demarche_numerique::sandbox::world::{Poison, State};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::{
    Batch, CensusEntry, ExpectedDossier, InstanceAddress, MemorySink, Prepared, QuarantineEntry, Receipt, Sink,
    SinkError, SqliteSink, StoredDocument, Totals,
};
use demarche_numerique::sync::{Stop, SyncError};
use demarche_numerique::table::Layout;
use demarche_numerique::{DossierNumber, Platform};

use super::lab::{Lab, pages_of};
use super::look::{all_in, in_order};

/// A target that ceases to work at one of its writes, as when the process dies there.
pub struct Dying<'a, S> {
    inner: &'a S,
    /// Writes that still succeed.
    left: AtomicU32,
    /// True if the fatal write is applied all the same.
    done: bool,
}

impl<'a, S: Sink> Dying<'a, S> {
    /// Dies at this write, which is done all the same or is not.
    pub fn new(inner: &'a S, writes: u32, done: bool) -> Self {
        Self { inner, left: AtomicU32::new(writes), done }
    }

    /// Returns whether this write is applied, and whether its result is reported.
    fn write(&self) -> (bool, Result<(), SinkError>) {
        let target = self.inner.name().to_owned();
        let dead =
            || SinkError::Unusable { target, action: "written", reason: "the process died".to_owned(), hint: None };
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Err(_) => (false, Err(dead())),
            Ok(1) => (self.done, Err(dead())),
            Ok(_) => (true, Ok(())),
        }
    }
}

impl<S: Sink> Sink for Dying<'_, S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn schema(&self, scope: &Scope) -> Result<Remembered, SinkError> {
        self.inner.schema(scope).await
    }

    async fn form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        self.inner.form(scope).await
    }

    async fn prepare(&self, scope: &Scope, form: &Demarche, plan: SchemaPlan) -> Result<Prepared, SinkError> {
        let (happens, told) = self.write();
        let prepared = if happens { Some(self.inner.prepare(scope, form, plan).await?) } else { None };
        told.map(|()| prepared.expect("a write that is told happened"))
    }

    async fn checkpoint(&self, scope: &Scope) -> Result<Option<Checkpoint>, SinkError> {
        self.inner.checkpoint(scope).await
    }

    async fn known(&self, scope: &Scope, keys: &[DossierNumber]) -> Result<Known, SinkError> {
        self.inner.known(scope, keys).await
    }

    async fn commit(&self, prepared: &Prepared, batch: &Batch) -> Result<Receipt, SinkError> {
        let (happens, told) = self.write();
        let receipt = if happens { Some(self.inner.commit(prepared, batch).await?) } else { None };
        told.map(|()| receipt.expect("a write that is told happened"))
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

    async fn remove_unknown_rows(&self, prepared: &Prepared) -> Result<u64, SinkError> {
        let (happens, told) = self.write();
        let done = if happens { Some(self.inner.remove_unknown_rows(prepared).await?) } else { None };
        told.map(|()| done.expect("a write that is told happened"))
    }

    async fn instances(&self) -> Result<Vec<(String, Option<InstanceAddress>)>, SinkError> {
        self.inner.instances().await
    }

    async fn keep_address(
        &self,
        instance: &str,
        address: &InstanceAddress,
        was: Option<&InstanceAddress>,
    ) -> Result<(), SinkError> {
        self.inner.keep_address(instance, address, was).await
    }

    async fn quarantine(&self, scope: &Scope) -> Result<Vec<QuarantineEntry>, SinkError> {
        self.inner.quarantine(scope).await
    }

    async fn record_run(&self, scope: &Scope, run: &RunRecord) -> Result<(), SinkError> {
        let (happens, told) = self.write();
        if happens {
            self.inner.record_run(scope, run).await?;
        }
        told
    }

    async fn runs(&self, scope: &Scope, limit: u32) -> Result<Vec<RunRecord>, SinkError> {
        self.inner.runs(scope, limit).await
    }
}

/// A day in which something of every kind happens: what the run after it writes, it writes in many commits.
fn a_day_passes<S: Sink>(lab: &Lab<S>) {
    lab.wait(25);
    let order = in_order(lab);
    let open = all_in(lab, State::EnConstruction);
    let mut world = lab.sandbox.world();
    world.delete_by_user(open[0]).expect("it is open");
    world.expire(open[1]).expect("it is open");
    let label = u64::from(lab.demarche()) * 10 + 1;
    let others: Vec<u32> = order.into_iter().filter(|number| !open[..2].contains(number)).collect();
    world.delete_without_trace(others[0]);
    if lab.client.platform() == Platform::DemarcheNumerique {
        drop(world.add_label(others[1], label));
    }
    for number in &others[2..9] {
        world.touch(*number);
    }
    world.edit(others[9], 102, "changé").expect("a question of its form");
    world.submit(lab.demarche());
}

/// Kills a first run and a later one at each write in turn. The number of writes that it took until both survive.
async fn kill_at_every_write<S: Sink>(platform: Platform, done: bool, make: impl AsyncFn(u32) -> S) -> u32 {
    for writes in 1..60 {
        let spec = WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(16);
        let mut lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, make(writes).await).await;
        lab.settings.page_size = pages_of(4);
        let culprit = in_order(&lab)[5];
        lab.sandbox.world().poison(culprit, Poison::Crash);
        let dying = Dying::new(&lab.sink, writes, done);
        let first = lab.run_into(&dying).await;
        lab.run().await;
        lab.sandbox.world().heal(culprit);
        a_day_passes(&lab);
        let dying = Dying::new(&lab.sink, writes, done);
        let later = lab.run_into(&dying).await;
        let report = lab.run().await;
        assert_eq!(report.outcome, RunOutcome::Done, "killed at write {writes}");
        lab.assert_exact().await;
        if first.error.is_none() && later.error.is_none() {
            return writes;
        }
    }
    panic!("a run of 16 dossiers takes fewer writes");
}

#[tokio::test]
async fn a_run_that_dies_before_any_of_its_writes_is_completed_by_the_next_one() {
    let writes = kill_at_every_write(Platform::DemarcheNumerique, false, async |_| MemorySink::default()).await;
    assert!(writes >= 8, "the runs had many writes to die at: {writes}");
}

#[tokio::test]
async fn a_run_that_dies_after_any_of_its_writes_is_completed_by_the_next_one() {
    let writes = kill_at_every_write(Platform::DematSocial, true, async |_| MemorySink::default()).await;
    assert!(writes >= 8, "the runs had many writes to die at: {writes}");
}

#[tokio::test]
async fn a_run_into_a_file_that_dies_at_any_of_its_writes_is_completed_by_the_next_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let make = async |writes| SqliteSink::open(folder.path().join(format!("{writes}.db"))).await.expect("a database");
    let writes = kill_at_every_write(Platform::DemarcheNumerique, true, make).await;
    assert!(writes >= 8, "the runs had many writes to die at: {writes}");
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_run_into_postgresql_that_dies_at_any_of_its_writes_is_completed_by_the_next_one() {
    let make = async |_| crate::support::postgres::Database::new().await.sink().await;
    let writes = kill_at_every_write(Platform::DemarcheNumerique, true, make).await;
    assert!(writes >= 8, "the runs had many writes to die at: {writes}");
}

#[tokio::test]
async fn a_target_that_refuses_a_commit_ends_the_run_and_the_next_one_completes_it() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    lab.settings.page_size = pages_of(5);
    for after in [false, true] {
        if after {
            lab.sink.fail_next_commit_after();
        } else {
            lab.sink.fail_next_commit_before();
        }
        let run = lab.try_run().await;
        assert!(matches!(run.error, Some(SyncError::Sink(_))), "{:?}", run.error);
        assert_eq!(run.report.outcome, RunOutcome::Failed);
    }
    lab.run().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_at_any_request_is_completed_by_the_next_one() {
    for platform in Platform::ALL {
        let mut lab = Lab::new(platform, 20).await;
        lab.settings.page_size = pages_of(4);
        let mut whole = 0;
        for rank in 1..40 {
            let stop = lab.stop.clone();
            lab.sandbox.after_request(rank, move |_| stop.ask());
            let run = lab.try_run().await;
            lab.sandbox.clear_hooks();
            match run.error {
                None => whole += 1,
                Some(SyncError::Interrupted) => assert_eq!(run.report.outcome, RunOutcome::Interrupted),
                Some(error) => panic!("asked to stop at request {rank}: {error:?}"),
            }
            lab.stop = Stop::default();
            if whole == 2 {
                break;
            }
            if rank % 4 == 0 {
                a_day_passes(&lab);
            }
        }
        assert_eq!(whole, 2, "{platform}: some number of requests is enough");
        lab.run().await;
        lab.reconcile().await;
        lab.assert_exact().await;
    }
}
