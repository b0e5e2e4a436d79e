//! Runs a sync of one démarche into one target.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join;
use jiff::Timestamp;

use super::address;
use super::ahead::Ahead;
use super::error::SyncError;
use super::event::Event;
use super::fields::client_of;
use super::form::{MappedForm, is_stricter, spec_of};
use super::refused::REFUSED_BY_TARGET;
use super::settings::Settings;
use super::stop::Stop;
use crate::api::{ApiError, Client, Drift, Listing, ListingSource, Stats, is_timeout};
use crate::checkpoint::{Checkpoint, Sweep};
use crate::demarche::{DemarcheHead, SubColumn};
use crate::ids::{DescriptorId, DossierNumber, Scope};
use crate::observe::walk::unread;
use crate::observe::{Walk, reading, watermark};
use crate::plan::{Backfill, Observation};
use crate::privacy::Filter;
use crate::report::{Counts, Report, RunOutcome};
use crate::sink::{QuarantineEntry, Sink};

/// Inputs of a run: client, sink, scope, filter, settings.
pub struct Job<'a, S> {
    /// The platform.
    pub client: &'a Client,
    /// The target.
    pub sink: &'a S,
    /// The démarche, and its instance.
    pub scope: Scope,
    /// The privacy filter.
    pub filter: &'a Filter,
    /// The operator's settings.
    pub settings: Settings,
    /// The listener of events.
    pub events: &'a (dyn Fn(&Event) + Send + Sync),
    /// The request to stop.
    pub stop: Stop,
    /// The present instant. It decides when to read again, never where: the watermark consists of the platform's dates.
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
}

/// Run that ended.
#[derive(Debug)]
pub struct Run {
    /// Its report.
    pub report: Report,
    /// The error that ended it early, if there was one.
    pub error: Option<SyncError>,
}

/// Run in progress.
pub(super) struct Engine<'a, S> {
    pub(super) job: &'a Job<'a, S>,
    /// The platform, asked for whole dossiers in the way of this target.
    pub(super) client: Client,
    /// True if this run has read the schema of the platform.
    pub(super) fields_asked: bool,
    pub(super) form: MappedForm,
    pub(super) form_is_fresh: bool,
    /// The checkpoint in memory.
    pub(super) checkpoint: Checkpoint,
    /// The checkpoint in the target; `None` before the first commit.
    pub(super) stored: Option<Checkpoint>,
    pub(super) quarantine: BTreeMap<DossierNumber, QuarantineEntry>,
    /// The stored dossiers that must be written again.
    pub(super) owed: Backfill,
    /// Questions that the form lacks, and for which it was read again in this run.
    pub(super) asked: BTreeSet<DescriptorId>,
    /// Those of them that were reported.
    pub(super) told_strangers: BTreeSet<DescriptorId>,
    /// Dossiers whose stored document is damaged.
    pub(super) damaged: BTreeSet<DossierNumber>,
    /// Dossiers of the target that are outside the selection.
    pub(super) outside: BTreeSet<DossierNumber>,
    /// Columns that could not hold a value, with the dossiers.
    pub(super) misfits: BTreeMap<String, BTreeSet<DossierNumber>>,
    /// True if this run changed the tables: they may now hold values that they refused before.
    tables_moved: bool,
    /// Sub-values without a column yet.
    pub(super) unplaced: BTreeMap<DescriptorId, Vec<SubColumn>>,
    pub(super) report: Report,
    stats_before: Stats,
}

/// Syncs a démarche into a target, and reports the changes.
///
/// Every change that the platform shows reaches the target, each dossier once. The run may be killed at any instant: rows
/// and checkpoint land together, and the next run goes on from there.
pub async fn run<S: Sink>(job: &Job<'_, S>) -> Run {
    match open(job).await {
        Ok((mut engine, since)) => {
            let result = engine.go(since).await;
            engine.end(result).await
        }
        Err(error) => Run::failed(job, error).await,
    }
}

/// Reads the checkpoint and the head of the démarche, and begins a run. Returns also the start of the list of
/// deletions.
pub(super) async fn open<'a, S: Sink>(job: &'a Job<'a, S>) -> Result<(Engine<'a, S>, Option<Timestamp>), SyncError> {
    let stats_before = job.client.stats();
    let stored = job.sink.checkpoint(&job.scope).await?;
    let since = stored.as_ref().and_then(watermark::deleted_since);
    let place = address::check(job.client, job.sink, &job.scope, job.settings.accept_address).await?;
    let head = match until_stopped(&job.stop, job.client.head(job.scope.demarche)).await {
        // The dossiers may be readable all the same, with the form of the last run.
        Err(SyncError::Api(error)) if stored.is_some() && of_this_question(&error) => Err(error),
        head => Ok(head?),
    };
    if head.is_ok() {
        place.keep(job.sink, &job.scope).await?;
    }
    let mut engine = begin(job, stored, head.as_ref().ok(), stats_before).await?;
    if let Err(error) = head {
        engine.notice(format!("the platform does not tell its revisions ({error}): those of the last run count"));
    }
    Ok((engine, since))
}

/// Returns true if the failure of a side request says nothing about other requests.
fn of_this_question(error: &ApiError) -> bool {
    error.may_be_of_this_question() && (!error.may_be_an_outage() || is_timeout(error))
}

/// Waits for the platform, or for a request to stop.
pub(super) async fn until_stopped<T>(
    stop: &Stop,
    answer: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, SyncError> {
    tokio::select! {
        biased;
        () = stop.asked() => Err(SyncError::Interrupted),
        answer = answer => answer.map_err(SyncError::from),
    }
}

/// Begins a run and makes the tables follow the form: the stored form if `head` is unchanged (or if there is no head,
/// without the network), otherwise the platform's.
pub(super) async fn begin<'a, S: Sink>(
    job: &'a Job<'a, S>,
    mut stored: Option<Checkpoint>,
    head: Option<&DemarcheHead>,
    stats_before: Stats,
) -> Result<Engine<'a, S>, SyncError> {
    let report = begin_report(job);
    let mut late = None;
    let before = job.sink.form(&job.scope).await?;
    let (mut demarche, form_is_fresh) = match (before.clone(), head) {
        (Some(form), Some(head)) if form.head() == *head => (form, false),
        (Some(form), None) => (form, false),
        (Some(form), Some(_)) => {
            let asked = job.client.aside();
            match until_stopped(&job.stop, asked.demarche(job.scope.demarche)).await {
                // Answers to questions that the stored form lacks stay in the documents until the form can be read.
                Err(SyncError::Api(error)) if error.may_be_of_this_question() => {
                    late = Some(error);
                    (form, true)
                }
                demarche => (demarche?, true),
            }
        }
        (None, Some(_)) => (until_stopped(&job.stop, job.client.demarche(job.scope.demarche)).await?, true),
        (None, None) => return Err(SyncError::never_synced(&job.scope, job.sink.name())),
    };
    if let Some(before) = before.as_ref().filter(|_| form_is_fresh) {
        demarche.remember(before);
    }
    let spec = spec_of(job.filter.policy(), &demarche);
    let stricter = before.is_some_and(|before| is_stricter(&spec, &spec_of(job.filter.policy(), &before)));
    let (form, plan, kept) = MappedForm::prepare(job, demarche, &spec).await?;
    let mut owed = if form.prepared.owes_remap() || stricter { Backfill::Everything } else { plan.backfill() };
    if let Some(stored) = &mut stored {
        // An interrupted remap does not know its rest: write all of them again.
        owed = if stored.remap { Backfill::Everything } else { owed };
        stored.remap |= owed != Backfill::Nothing;
    }
    let quarantine = job.sink.quarantine(&job.scope).await?;
    let quarantine = quarantine.into_iter().map(|entry| (entry.number, entry)).collect();
    let checkpoint = stored.clone().unwrap_or_default();
    let mut engine = Engine {
        job,
        client: client_of(job.client, Some(&checkpoint)),
        fields_asked: false,
        form,
        form_is_fresh,
        checkpoint,
        stored,
        quarantine,
        owed,
        asked: BTreeSet::new(),
        told_strangers: BTreeSet::new(),
        damaged: BTreeSet::new(),
        outside: BTreeSet::new(),
        misfits: BTreeMap::new(),
        tables_moved: !plan.changes.is_empty(),
        unplaced: BTreeMap::new(),
        report,
        stats_before,
    };
    engine.tell_schema(&plan);
    kept.into_iter().for_each(|words| engine.notice(words));
    engine.tell_notices();
    if let Some(error) = late {
        engine.tell_late_form(&error);
    }
    Ok(engine)
}

/// Begins a run from the checkpoint, without the network.
pub(super) async fn begin_offline<'a, S: Sink>(job: &'a Job<'a, S>) -> Result<Engine<'a, S>, SyncError> {
    // Numbers of two instances collide: nothing is rewritten, anonymised or purged of another one.
    address::check(job.client, job.sink, &job.scope, job.settings.accept_address).await.map(drop)?;
    let stored = job.sink.checkpoint(&job.scope).await?;
    begin(job, stored, None, job.client.stats()).await
}

impl<S: Sink> Engine<'_, S> {
    /// Reads the dossiers first: no side request may delay them.
    async fn go(&mut self, since: Option<Timestamp>) -> Result<(), SyncError> {
        let now = (self.job.clock)();
        self.adopt_policy();
        self.adopt_fields(now).await?;
        self.adopt_selection();
        self.adopt_head(now);
        match self.bring_up_to_date(since, now).await {
            Err(error) if self.fields_moved(&error, now).await? => self.bring_up_to_date(since, now).await,
            ended => ended,
        }
    }

    /// Reads what moved, then what left, then what is due beside.
    async fn bring_up_to_date(&mut self, since: Option<Timestamp>, now: Timestamp) -> Result<(), SyncError> {
        if self.checkpoint.remap {
            self.remap().await?;
            self.restore_damaged().await?;
        }
        let alive = self.job.sink.totals(&self.job.scope).await?.alive;
        if self.job.settings.full || watermark::sweep_is_due(&self.checkpoint, &self.job.settings.rhythm, now) {
            self.checkpoint.sweep.get_or_insert_default();
        }
        if self.checkpoint.sweep.is_some() && self.checkpoint.swept_at.is_some() {
            // The platform may change a form in place, without a revision: read it with every sweep.
            if !self.form_is_fresh {
                self.fetch_form().await?;
            }
            if self.checkpoint.remap {
                self.remap().await?;
            }
            self.mend_rows().await?;
        }
        self.walk(alive, now).await?;
        // A first run began with a target that holds nothing: what went before its dossiers were read is not there, and
        // the next run asks for the same list.
        let since = since.or_else(|| watermark::deleted_since(&self.checkpoint));
        self.follow_deletions(since, alive, now).await?;
        self.retry_quarantine(now).await?;
        if watermark::listing_is_due(&self.checkpoint, &self.job.settings.rhythm, now) {
            self.compare_listing(alive, now).await?;
        }
        Ok(())
    }

    /// Adopts another privacy policy: filters stored documents again at once, and plans a sweep for values that may be
    /// kept now.
    fn adopt_policy(&mut self) {
        let policy = Some(self.job.filter.digest());
        if self.checkpoint.policy != policy {
            self.checkpoint.remap |= self.stored.is_some();
            self.owed = Backfill::Everything;
            if self.checkpoint.watermark.is_some() {
                self.checkpoint.sweep = Some(Sweep::default());
            }
            self.checkpoint.policy = policy;
        }
    }

    /// Keeps the present head of the démarche. After the publication of a revision the platform moves every undecided
    /// dossier to it in a background job, without a date (trap 25): plans a sweep for the time after that.
    pub(super) fn adopt_head(&mut self, now: Timestamp) {
        let head = self.form.demarche.head();
        if let Some(before) = &self.checkpoint.demarche {
            let published = |head: &DemarcheHead| -> BTreeSet<_> {
                let published = head.revisions.iter().filter(|revision| revision.date_publication.is_some());
                published.map(|revision| revision.id.clone()).collect()
            };
            if !published(&head).is_subset(&published(before)) {
                self.checkpoint.sweep_due = now.checked_add(self.job.settings.rhythm.rebase_delay).ok();
            }
        }
        self.checkpoint.demarche = Some(head);
    }

    /// Returns true if a dossier in quarantine is due. One that the target refused is also due if its tables changed.
    fn is_due(&self, entry: &QuarantineEntry, now: Timestamp) -> bool {
        self.job.settings.retry_quarantine
            || entry.next_try <= now
            || (self.tables_moved && entry.reason == REFUSED_BY_TARGET && entry.since < self.report.started_at)
    }

    async fn retry_quarantine(&mut self, now: Timestamp) -> Result<(), SyncError> {
        let due: Vec<DossierNumber> =
            self.quarantine.values().filter(|entry| self.is_due(entry, now)).map(|entry| entry.number).collect();
        for number in due {
            self.read_again(number).await?;
        }
        Ok(())
    }

    /// Reads one dossier and commits its present state. One that the platform does not know is kept in quarantine: "not
    /// found" has many meanings, and the lists of deletions and the complete listing decide (trap 35).
    pub(super) async fn read_again(&mut self, number: DossierNumber) -> Result<bool, SyncError> {
        let answer = tokio::select! {
            biased;
            () = self.job.stop.asked() => return Err(SyncError::Interrupted),
            answer = self.client.dossier(number) => answer,
        };
        match answer {
            Ok(Some(dossier)) => {
                let observed = self.observed(vec![dossier]).await?;
                self.commit(observed, Vec::new(), self.checkpoint.clone()).await?;
                Ok(true)
            }
            Ok(None) => {
                if self.quarantine.contains_key(&number) {
                    self.set_aside_unfound(number).await?;
                }
                Ok(false)
            }
            Err(error) => {
                if error.may_be_an_outage() {
                    // The failure may concern this dossier or the whole platform: a light request shows which.
                    let client = self.job.client.aside();
                    if until_stopped(&self.job.stop, client.head(self.job.scope.demarche)).await.is_err() {
                        return Err(error.into());
                    }
                }
                let unread = unread(number, error)?;
                self.commit(Vec::new(), vec![unread], self.checkpoint.clone()).await?;
                Ok(true)
            }
        }
    }

    pub(super) async fn walk(&mut self, alive: u64, now: Timestamp) -> Result<(), SyncError> {
        let reading = reading(&self.checkpoint, &self.job.settings.rhythm, now);
        self.report.sweep = reading.sweep;
        (self.job.events)(&Event::Started { alive, sweep: reading.sweep });
        let listing = Listing::all(ListingSource::Demarche(self.job.scope.demarche), reading.since);
        let mut pages = Ahead::new(Walk::new(&self.client, listing, self.job.settings.page_size));
        let stop = self.job.stop.clone();
        let began = self.job.client.platform_now();
        let mut next = until_stopped(&stop, pages.next()).await?;
        while let Some(mut step) = next {
            self.tell_drift(std::mem::take(&mut step.drift));
            let (dossiers, reached) = (step.dossiers.len(), step.reached);
            let kept = self.select(step.dossiers).await?;
            let observed = self.rows(kept).await?.into_iter().map(present).collect();
            let mut checkpoint = watermark::advance(&self.checkpoint, reading, reached, began);
            if step.last {
                checkpoint = watermark::finish(&checkpoint, reading, now);
            }
            // The next page is fetched and read while this one is committed.
            let committing = self.commit(observed, step.unread, checkpoint);
            let (committed, fetched) = join(committing, until_stopped(&stop, pages.next())).await;
            let counts: Counts = committed?;
            self.report.pages += 1;
            (self.job.events)(&Event::Page { dossiers, counts, reached });
            next = fetched?;
        }
        self.let_go(alive).await
    }

    /// Writes the line of the run history and completes the report.
    pub(super) async fn end(mut self, result: Result<(), SyncError>) -> Run {
        let ended_at = (self.job.clock)();
        let stats = self.job.client.stats();
        self.report.requests = stats.requests - self.stats_before.requests;
        self.report.retries = stats.retries - self.stats_before.retries;
        self.report.watermark = self.checkpoint.watermark;
        self.report.strangers = self.checkpoint.strangers.iter().cloned().collect();
        self.report.damaged = self.damaged.iter().copied().collect();
        self.report.quarantined = self.quarantine.values().map(|entry| (entry.number, entry.reason.clone())).collect();
        self.report.duration_ms =
            u64::try_from(ended_at.duration_since(self.report.started_at).as_millis()).unwrap_or_default();
        let beyond = format!("{} `", Drift::BEYOND);
        let complete = self.quarantine.is_empty() && !self.report.drift.iter().any(|drift| drift.starts_with(&beyond));
        self.report.outcome = if complete { RunOutcome::Done } else { RunOutcome::Quarantine };
        self.tell_misfits();
        self.tell_notices();
        let mut error = result.err();
        if let Some(error) = &error {
            self.report.end_early(error.outcome(), error);
            self.report.error_kind = Some(error.kind().to_owned());
        }
        let record = self.report.record(ended_at);
        if let Err(refused) = self.job.sink.record_run(&self.job.scope, &record).await {
            // The first error explains more than its consequence.
            error.get_or_insert_with(|| refused.into());
        }
        Run { report: self.report, error }
    }
}

pub(super) fn present(row: crate::table::Row) -> Observation {
    Observation::Present(Box::new(row))
}

impl Run {
    /// Reports a run that failed before it began. Recorded in the history of a démarche that has one; a target that
    /// never saw the démarche stays unchanged.
    pub(super) async fn failed<S: Sink>(job: &Job<'_, S>, error: SyncError) -> Self {
        let mut report = begin_report(job);
        report.end_early(error.outcome(), &error);
        report.error_kind = Some(error.kind().to_owned());
        if matches!(job.sink.checkpoint(&job.scope).await, Ok(Some(_))) {
            // The error at hand explains more than one of the history.
            let _ = job.sink.record_run(&job.scope, &report.record((job.clock)())).await;
        }
        Self { report, error: Some(error) }
    }
}

fn begin_report<S: Sink>(job: &Job<'_, S>) -> Report {
    let started_at = (job.clock)();
    let run = format!("{}-{:04x}", started_at.strftime("%Y%m%dT%H%M%SZ"), rand::random::<u16>());
    Report::begin(run, &job.scope, job.sink.name(), started_at)
}
