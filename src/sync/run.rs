//! One run.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join;
use jiff::Timestamp;

use super::address;
use super::ahead::Ahead;
use super::error::SyncError;
use super::event::Event;
use super::fields::client_of;
use super::form::{Form, is_stricter, spec_of};
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

/// What a run needs: where to read, where to write, under which rules.
pub struct Job<'a, S> {
    /// The platform.
    pub client: &'a Client,
    /// The target.
    pub sink: &'a S,
    /// Which démarche of which instance.
    pub scope: Scope,
    /// What may leave the platform, and in which form.
    pub filter: &'a Filter,
    /// What the operator set.
    pub settings: Settings,
    /// Who listens.
    pub events: &'a (dyn Fn(&Event) + Send + Sync),
    /// How to ask it to stop.
    pub stop: Stop,
    /// The present instant. It decides when to look again, never what was seen.
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
}

/// A run that ended.
#[derive(Debug)]
pub struct Run {
    /// What it did.
    pub report: Report,
    /// What ended it early, if anything did.
    pub error: Option<SyncError>,
}

/// A run under way.
pub(super) struct Engine<'a, S> {
    pub(super) job: &'a Job<'a, S>,
    /// The platform, asked for whole dossiers in the way of this target.
    pub(super) client: Client,
    /// True if this run has read the schema of the platform.
    pub(super) fields_asked: bool,
    pub(super) form: Form,
    pub(super) form_is_fresh: bool,
    /// Where the walks stand, in memory.
    pub(super) checkpoint: Checkpoint,
    /// The same in the target; `None` before the first commit.
    pub(super) stored: Option<Checkpoint>,
    pub(super) quarantine: BTreeMap<DossierNumber, QuarantineEntry>,
    /// Which stored dossiers are to be written again.
    pub(super) owed: Backfill,
    /// Questions without a column for which the form was read again in this run.
    pub(super) asked: BTreeSet<DescriptorId>,
    /// Those of them that were told.
    pub(super) told_strangers: BTreeSet<DescriptorId>,
    /// Dossiers whose stored document is damaged.
    pub(super) damaged: BTreeSet<DossierNumber>,
    /// Dossiers that the target shows and that are outside the selection.
    pub(super) outside: BTreeSet<DossierNumber>,
    /// Columns that could not hold a value, and of which dossiers.
    pub(super) misfits: BTreeMap<String, BTreeSet<DossierNumber>>,
    /// Whether the tables changed with this run: what they could not hold they may hold now.
    tables_moved: bool,
    /// Sub-values that the tables have no column for yet.
    pub(super) unplaced: BTreeMap<DescriptorId, Vec<SubColumn>>,
    pub(super) report: Report,
    stats_before: Stats,
}

/// Brings the target up to what the platform shows, and says what was done.
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

/// Reads where the target stands and which revisions the platform has, and begins; with the instant since which deletions
/// are to be asked for.
pub(super) async fn open<'a, S: Sink>(job: &'a Job<'a, S>) -> Result<(Engine<'a, S>, Option<Timestamp>), SyncError> {
    let stats_before = job.client.stats();
    let stored = job.sink.checkpoint(&job.scope).await?;
    let since = stored.as_ref().and_then(watermark::deleted_since);
    let place = address::check(job.client, job.sink, &job.scope, job.settings.accept_address).await?;
    let head = match until_stopped(&job.stop, job.client.head(job.scope.demarche)).await {
        // The dossiers may be had all the same, under the form of the last run.
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

/// Whether a side question failed in a way that tells nothing of the others.
fn of_this_question(error: &ApiError) -> bool {
    error.may_be_of_this_question() && (!error.may_be_an_outage() || is_timeout(error))
}

/// Waits for the platform, unless somebody asks to stop.
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

/// Makes the tables of the target follow the form: the form in the target when it is the one that
/// `head` shows (or when there is no head: without the network), the platform's otherwise.
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
                // Answers to questions that it does not have stay in the documents until it can be read.
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
    let (form, plan, kept) = Form::prepare(job, demarche, &spec).await?;
    let mut owed = if form.prepared.owes_remap() || stricter { Backfill::Everything } else { plan.backfill() };
    if let Some(stored) = &mut stored {
        // What an earlier run left undone is not known in parts.
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

/// Begins where the target stands, without the network.
pub(super) async fn begin_offline<'a, S: Sink>(job: &'a Job<'a, S>) -> Result<Engine<'a, S>, SyncError> {
    // Numbers of two instances collide: nothing is rewritten, anonymised or purged of another one.
    address::check(job.client, job.sink, &job.scope, job.settings.accept_address).await.map(drop)?;
    let stored = job.sink.checkpoint(&job.scope).await?;
    begin(job, stored, None, job.client.stats()).await
}

impl<S: Sink> Engine<'_, S> {
    /// The dossiers first: no other question may keep them waiting.
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
            // A form may change in its place, without a revision.
            if !self.form_is_fresh {
                self.fetch_form().await?;
            }
            if self.checkpoint.remap {
                self.remap().await?;
            }
            self.mend_rows().await?;
        }
        self.walk(alive, now).await?;
        self.follow_deletions(since, alive, now).await?;
        self.retry_quarantine(now).await?;
        if watermark::listing_is_due(&self.checkpoint, &self.job.settings.rhythm, now) {
            self.compare_listing(alive, now).await?;
        }
        Ok(())
    }

    /// Another policy than the one under which the target was filled: what is stored is filtered again at once, and
    /// everything is read again for what may now be kept.
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

    /// Remembers the démarche as it is now. A revision published since the last run makes the platform move every dossier
    /// that is not decided, without a date (trap 25): everything is to be read again once that is done.
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

    /// Whether a dossier in quarantine is tried again now. What the target refused is also tried when the target changed.
    fn is_due(&self, entry: &QuarantineEntry, now: Timestamp) -> bool {
        entry.next_try <= now
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

    /// Reads one dossier and commits what it is now. One that the platform does not know (any more) is not in the way:
    /// how it went is for the lists of deletions and the complete listing to say (trap 35).
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
                    // It may be this dossier or the whole platform: an easier question tells.
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

    /// Writes the line of the run history and closes the report.
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
        }
        let record = self.report.record(ended_at);
        if let Err(refused) = self.job.sink.record_run(&self.job.scope, &record).await {
            // The first error says more than its consequence.
            error.get_or_insert_with(|| refused.into());
        }
        Run { report: self.report, error }
    }
}

pub(super) fn present(row: crate::table::Row) -> Observation {
    Observation::Present(Box::new(row))
}

impl Run {
    /// A run that ended before it began. Told in the history of a démarche that has one; a target that never saw the
    /// démarche stays as it was.
    pub(super) async fn failed<S: Sink>(job: &Job<'_, S>, error: SyncError) -> Self {
        let mut report = begin_report(job);
        report.end_early(error.outcome(), &error);
        if matches!(job.sink.checkpoint(&job.scope).await, Ok(Some(_))) {
            // The error at hand says more than that of the history.
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
