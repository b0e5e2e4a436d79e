//! Does the jobs of a configuration: everything that they need is checked and made once, connections are kept between two jobs.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use tracing::{debug, warn};

use super::clients::{InstanceToken, filter};
use super::commands::SeenCommands;
use super::error::CycleError;
use super::event::CycleEvent;
use super::job::CycleJob;
use super::kind::ErrorKind;
use super::limiters::Limiters;
use super::log;
use super::steps::{Cycle, CycleReport};
use super::targets::{kind_of, open, open_or_make};
use super::webhook_paths;
use crate::api::Client;
use crate::config::{self, Config, Overrides, Secrets};
use crate::ids::Scope;
use crate::intent::Status;
use crate::report::{RunOutcome, RunRecord};
use crate::serve::hints::{Hinted, SecretPath, Webhooks};
use crate::serve::{
    Clock, Due, Ended, History, JobKey, JobOutcome, JobRunner, LOOK_BACK, Planned, RunProgress, StatusBoard,
};
use crate::sink::{AnySink, Outbox as _, Sink as _, SinkError, with_outbox};
use crate::sync::{Event, Stop, SyncError};

/// When to try again a file or a document that another run holds.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// Receives what happens in the cycles of all jobs.
pub type Listener = Arc<dyn Fn(&Scope, &CycleEvent<'_>) + Send + Sync>;

/// Runs the work cycles of all jobs of a configuration.
///
/// [`cycle`](Self::cycle) does one job now, for a program that has a scheduler. As a [`JobRunner`] it does a job when
/// [`serve`](crate::serve::serve) asks for it and the target says that it is due, as `dn run` does.
///
/// Several runners, in one process or in many, may share targets: who comes second is told so ([`CycleEnd::Taken`]).
pub struct CycleRunner {
    pub(super) jobs: BTreeMap<JobKey, (Planned, CycleJob)>,
    /// The clients of the instances, each with the day on which its token ends.
    clients: BTreeMap<String, (Client, Option<Date>)>,
    /// The secret paths of the instances whose webhooks may call.
    webhooks: BTreeMap<String, SecretPath>,
    pub(super) secrets: Secrets,
    board: StatusBoard,
    pub(super) clock: Clock,
    listener: Listener,
    /// The interval at which documents are read for commands; zero for never.
    pub(super) grist_poll: Duration,
    pub(super) seen: SeenCommands,
    /// Connections to targets that several jobs may use at once, between two jobs; `None` once the runner is closed.
    idle: Mutex<Option<HashMap<String, Vec<AnySink>>>>,
}

/// Says what became of a cycle.
#[derive(Debug)]
pub enum CycleEnd {
    /// It was done.
    Ran(Box<CycleReport>),
    /// Another worker has the job, or has just done it.
    Taken {
        /// After how long it is worth trying again.
        again: Duration,
    },
    /// It is not due: another worker has done it.
    NotDue(History),
}

/// The reason for a cycle.
#[derive(Clone, Copy)]
enum Reason<'a> {
    /// The caller's own schedule.
    Asked,
    /// The rhythm of the configuration, or these hints: the target says whether it is due.
    Due(Option<&'a Hinted>),
}

impl CycleRunner {
    /// Makes everything that the jobs of a configuration need: clients, filters, rate limiters. Nothing is sent, no target is
    /// opened.
    ///
    /// `limiters` outlives the runner where another one takes its place after a reload, and so does `board`.
    ///
    /// # Errors
    /// Whatever would keep one of the jobs from running: a name, a secret that is not there, a policy.
    pub fn open(
        config: &Config,
        overrides: &Overrides,
        secrets: Secrets,
        limiters: &Limiters,
        board: &StatusBoard,
    ) -> Result<Self, CycleError> {
        let mut clients: BTreeMap<String, (Client, Option<Date>)> = BTreeMap::new();
        let mut jobs = BTreeMap::new();
        let hint_window = config.service.hint_window.value;
        let resolved = config::resolve(config, overrides, &|name| secrets.variable(name))?;
        let places = resolved
            .iter()
            .filter_map(|job| Some((job.instance.name.as_str(), &job.instance.webhook_path.as_ref()?.value)));
        let paths = webhook_paths::read(places.collect::<BTreeMap<_, _>>(), &secrets)?;
        if let Some(error) = paths.absent.into_iter().next() {
            return Err(error);
        }
        for job in &resolved {
            let name = &job.instance.name;
            let client = match clients.get(name) {
                Some((client, _)) => client.clone(),
                None => {
                    let client = shared_client(job, &resolved, limiters, &secrets)?;
                    let expires = job.instance.token_expires.as_ref().map(|setting| setting.value);
                    clients.insert(name.clone(), (client.clone(), expires));
                    client
                }
            };
            let cycle = CycleJob::new(job, &client, filter(&job.policy.value, &secrets)?);
            let key = JobKey { scope: cycle.scope.clone(), target: cycle.target.to_string() };
            let alone = kind_of(&cycle.target).lease().is_none();
            let planned = Planned { key: key.clone(), schedule: job.run.schedule(), alone, hint_window };
            jobs.insert(key, (planned, cycle));
        }
        Ok(Self {
            jobs,
            clients,
            webhooks: paths.known,
            secrets,
            board: board.clone(),
            clock: Arc::new(Timestamp::now),
            listener: Arc::new(|_, _| {}),
            grist_poll: config.service.grist_poll.value,
            seen: SeenCommands::default(),
            idle: Mutex::new(Some(HashMap::new())),
        })
    }

    /// Tells this listener what happens in each cycle, beside the log.
    #[must_use]
    pub fn listener(self, listener: Listener) -> Self {
        Self { listener, ..self }
    }

    /// Takes the present instant from this clock instead of the system's.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Lists the jobs, each with its rhythm.
    #[must_use]
    pub fn planned(&self) -> Vec<Planned> {
        self.jobs.values().map(|(planned, _)| planned.clone()).collect()
    }

    /// Does the work cycle of one job now: opens its target, takes the lock or the lease, does every step, lets the target go.
    ///
    /// The sync decides by what the target holds, so that a cycle too many costs a few requests and changes nothing.
    ///
    /// # Errors
    /// No job has this key; the target cannot be opened or fails; it was asked to stop. A failure of the platform is in the
    /// report.
    pub async fn cycle(&self, key: &JobKey, stop: &Stop) -> Result<CycleEnd, CycleError> {
        let Some((planned, job)) = self.jobs.get(key) else { return Err(CycleError::NoJob(key.clone())) };
        match self.work(planned, job, Reason::Asked, stop).await {
            Err(error) if error.kind() == ErrorKind::Locked => Ok(CycleEnd::Taken { again: try_again(job) }),
            end => end,
        }
    }

    /// Lets the webhooks of its instances call, and no others.
    pub fn admit(&self, webhooks: &Webhooks) {
        webhooks.admit(self.webhooks.clone());
    }

    /// Puts its clients on the board, in the place of those before.
    pub fn show_clients(&self) {
        let clients = self.clients.iter();
        self.board.watch(clients.map(|(name, (client, expires))| (name.clone(), client.clone(), *expires)));
    }

    /// Closes the connections that no job uses, and keeps none that a job gives back later.
    pub async fn close(&self) {
        let idle = self.idle().take();
        for sink in idle.into_iter().flatten().flat_map(|(_, sinks)| sinks) {
            if let Err(error) = sink.close().await {
                warn!(%error, "a target was not closed properly; its leases expire by themselves");
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Option<HashMap<String, Vec<AnySink>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self, job: &CycleJob) -> Result<AnySink, CycleError> {
        let idle =
            self.idle().as_mut().and_then(|idle| idle.get_mut(&kind_of(&job.target).identity())).and_then(Vec::pop);
        match idle {
            Some(sink) => Ok(sink),
            // The count of requests lies in a shared target: it must be there before the first one.
            None if is_shared(job) => open(&job.target, &self.secrets).await,
            None => open_or_make(&job.target, &self.secrets, job.client.head(job.scope.demarche)).await,
        }
    }

    async fn give_back(&self, job: &CycleJob, sink: AnySink) -> Result<(), SinkError> {
        if let (true, Some(idle)) = (is_shared(job), self.idle().as_mut()) {
            idle.entry(kind_of(&job.target).identity()).or_default().push(sink);
            return Ok(());
        }
        sink.close().await
    }

    async fn work(
        &self,
        planned: &Planned,
        job: &CycleJob,
        reason: Reason<'_>,
        stop: &Stop,
    ) -> Result<CycleEnd, CycleError> {
        let sink = tokio::select! {
            biased;
            () = stop.asked() => return Err(SyncError::Interrupted.into()),
            sink = self.take(job) => sink?,
        };
        let end = Box::pin(self.under_lease(planned, job, reason, stop, &sink)).await;
        // After a failure the next job begins with a connection of its own.
        let given_back = match end.is_ok() {
            true => self.give_back(job, sink).await,
            false => sink.close().await,
        };
        let end = end?;
        given_back?;
        Ok(end)
    }

    /// Claims the démarche where several workers share the target; elsewhere opening the target has locked it.
    async fn under_lease(
        &self,
        planned: &Planned,
        job: &CycleJob,
        reason: Reason<'_>,
        stop: &Stop,
        sink: &AnySink,
    ) -> Result<CycleEnd, CycleError> {
        let Some(shared) = sink.shared() else { return self.on_target(planned, job, reason, stop, sink).await };
        let leases = shared.leases()?;
        let Some(lease) = leases.claim(std::slice::from_ref(&job.scope)).await? else {
            return Ok(CycleEnd::Taken { again: leases.free_in(&job.scope).await? });
        };
        let end = self.on_target(planned, job, reason, stop, sink).await;
        let released = lease.release().await;
        let end = end?;
        released?;
        Ok(end)
    }

    async fn on_target(
        &self,
        planned: &Planned,
        job: &CycleJob,
        reason: Reason<'_>,
        stop: &Stop,
        sink: &AnySink,
    ) -> Result<CycleEnd, CycleError> {
        let mut runs = sink.runs(&job.scope, LOOK_BACK).await?;
        runs.retain(|run| !run.is_retention());
        self.board.looked(planned, &runs);
        if let Some(taken) = self.take_commands(planned, job, sink).await? {
            let hinted = match reason {
                Reason::Asked => None,
                Reason::Due(hinted) => hinted,
            };
            let end = Box::pin(self.carry_out(planned, job, hinted, stop, (sink, &runs), &taken)).await;
            self.count_outbox(sink, planned, job).await;
            return end;
        }
        let hinted = match reason {
            Reason::Asked => None,
            Reason::Due(hinted) => {
                if let Some(end) = too_early(planned, hinted, &runs, (self.clock)()) {
                    self.offer_commands(planned, job, sink).await;
                    self.count_outbox(sink, planned, job).await;
                    return Ok(end);
                }
                hinted
            }
        };
        let events = |event: &CycleEvent<'_>| self.hear(planned, job, event);
        let report = Cycle { job, stop, clock: &*self.clock, events: &events }.run(sink, hinted).await?;
        self.count_outbox(sink, planned, job).await;
        let end = self.ended(job, report)?;
        self.offer_commands(planned, job, sink).await;
        Ok(end)
    }

    /// Tells the log, the board and the listener what happens in a cycle.
    pub(super) fn hear(&self, planned: &Planned, job: &CycleJob, event: &CycleEvent<'_>) {
        match event {
            CycleEvent::Run(event) => {
                log::log_event(&job.scope, event);
                self.progressed(&planned.key, event);
            }
            CycleEvent::Synced(report) => self.board.reported(&planned.key, report),
            _ => {}
        }
        (self.listener)(&job.scope, event);
    }

    /// Tells the board how far a run is.
    fn progressed(&self, key: &JobKey, event: &Event) {
        match event {
            Event::Started { alive, sweep } => {
                self.board.progressed(key, |progress| {
                    *progress = RunProgress { read: 0, alive: *alive, sweep: *sweep };
                });
            }
            Event::Page { dossiers, .. } => {
                self.board.progressed(key, |progress| progress.read += *dossiers as u64);
            }
            _ => {}
        }
    }

    /// Ends a cycle with its report, or with the error of the target that ended its run.
    pub(super) fn ended(&self, job: &CycleJob, report: CycleReport) -> Result<CycleEnd, CycleError> {
        match report.run.error {
            Some(error @ SyncError::Sink(_)) => Err(error.into()),
            Some(SyncError::Interrupted) | None => Ok(CycleEnd::Ran(Box::new(report))),
            Some(ref error) => {
                log::log_sync_error(&job.scope, error);
                Ok(CycleEnd::Ran(Box::new(report)))
            }
        }
    }

    /// Puts the counts of the outbox on the board. Where they cannot be read, only the metrics lack them.
    async fn count_outbox(&self, sink: &AnySink, planned: &Planned, job: &CycleJob) {
        let Some(depth) = with_outbox!(sink, outbox => outbox.depth(&job.scope).await) else { return };
        match depth {
            Ok(depth) => {
                let mut counted: BTreeMap<_, _> = Status::ALL.iter().map(|status| (status.as_str(), 0)).collect();
                counted.extend(depth.iter().map(|(status, count)| (status.as_str(), *count)));
                self.board.counted(&planned.key, counted);
            }
            Err(error) => debug!(%error, "the outbox of {} was not counted", job.scope),
        }
    }
}

impl JobRunner for CycleRunner {
    async fn attempt(&self, planned: &Planned, hinted: Option<&Hinted>, stop: &Stop) -> JobOutcome {
        let Some((_, job)) = self.jobs.get(&planned.key) else {
            return JobOutcome::NotDue(History::default());
        };
        match self.work(planned, job, Reason::Due(hinted), stop).await {
            Ok(CycleEnd::Ran(report)) => JobOutcome::Ran(Ended::of(&report.run.report)),
            Ok(CycleEnd::Taken { again }) => JobOutcome::Taken { again },
            Ok(CycleEnd::NotDue(history)) => JobOutcome::NotDue(history),
            Err(error) => {
                log::log_error(&job.scope, &error);
                let failed = Ended::failed((self.clock)());
                match error.kind() {
                    ErrorKind::Locked => JobOutcome::Taken { again: try_again(job) },
                    ErrorKind::Interrupted => JobOutcome::Ran(Ended { outcome: RunOutcome::Interrupted, ..failed }),
                    ErrorKind::Configuration | ErrorKind::Refused | ErrorKind::Unavailable | ErrorKind::Unexpected => {
                        JobOutcome::Ran(failed)
                    }
                }
            }
        }
    }
}

/// Makes the client of a job's instance. Its rate limiter is shared with all that uses the token: in this process, and through
/// PostgreSQL with other processes, where one of the instance's targets is there.
fn shared_client(
    job: &config::JobConfig,
    jobs: &[config::JobConfig],
    limiters: &Limiters,
    secrets: &Secrets,
) -> Result<Client, CycleError> {
    let token = InstanceToken::read(&job.instance, secrets)?;
    let targets = jobs.iter().filter(|other| other.instance.name == job.instance.name).map(|job| &job.target.value);
    let limiter = limiters.of(&token.key(&job.instance), job.instance.rate_limit.value, targets, secrets)?;
    token.client(&job.instance, limiter)
}

/// True if several workers share the target of a job: connections to it are kept for the next job.
fn is_shared(job: &CycleJob) -> bool {
    kind_of(&job.target).lease().is_some()
}

/// After how long a target that another run holds is worth trying again.
fn try_again(job: &CycleJob) -> Duration {
    kind_of(&job.target).lease().map_or(TRY_AGAIN, |lease| lease / 3)
}

/// Says why it is too early for a job; `None` if it is time, by the rhythm or by hints.
fn too_early(planned: &Planned, hinted: Option<&Hinted>, runs: &[RunRecord], now: Timestamp) -> Option<CycleEnd> {
    let by_hint = hinted.map_or(Due::Never, |_| planned.due_by_hint(runs, now));
    match (planned.due(runs, now), by_hint) {
        (Due::Since(_), _) | (_, Due::Since(_)) => None,
        // Another has just done it, and before that the hint may not have been true yet.
        (_, Due::At(at)) => {
            Some(CycleEnd::Taken { again: Duration::try_from(at.duration_since(now)).unwrap_or_default() })
        }
        (_, Due::Never) => Some(CycleEnd::NotDue(History::of(runs))),
    }
}
