//! The desk of `dn run`: everything that its jobs need, checked and made once, and the work on one of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use tracing::{debug, error, info, warn};

use super::commands::{outbox_of_target, run_and_fetch};
use super::context::{Context, variable};
use super::error::CliError;
use super::exit::Exit;
use super::jobs::Prepared;
use super::progress::Progress;
use super::summary;
use super::targets::{lease_of, open, open_or_make, places, with_outbox};
use super::terminal::ProgressMode;
use super::webhooks;
use crate::api::{Client, RateLimiter};
use crate::config::{self, Config, Overrides, PostgresTarget, Target, defaults};
use crate::intent::Status;
use crate::privacy::Filter;
use crate::serve::hints::{Hinted, SecretPath, Webhooks};
use crate::serve::{Attempt, Board, Desk, Due, Ended, History, JobKey, LOOK_BACK, Planned};
use crate::sink::postgres::Rule;
use crate::sink::{AnySink, Outbox as _, RunOutcome, RunRecord, Scope, Sink as _, SinkError};
use crate::sync::{self, Run, Settings, Stop, SyncError};
use crate::telemetry::{DEMARCHE_NUMBER, DURATION_MS, INSTANCE, OUTCOME, RUN_ID, TARGET};
use crate::writeback::PushError;

/// When to look again at a file or a document that another run holds.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// The span of time in which the platform counts requests (dn-api 1.6).
const WINDOW: Duration = Duration::from_secs(60);
/// How long a place from a shared count may be used: longer than any question to the database should take, and a small part
/// of the window, as a place counts for both.
const FRESH: Duration = Duration::from_secs(2);

/// The counts of requests, kept through reloads: one for all that uses the same token at the same address.
#[derive(Debug, Default)]
pub struct Limiters(Mutex<HashMap<String, Known>>);

#[derive(Debug)]
struct Known {
    limit: u32,
    /// Where the count is shared.
    place: Option<(String, String, Duration)>,
    limiter: RateLimiter,
}

impl Known {
    fn is(&self, limit: u32, place: &Option<(String, String, Duration)>) -> bool {
        (self.limit, &self.place) == (limit, place)
    }
}

impl Limiters {
    /// The limiter of a token, made when it is new or when its limit has changed.
    ///
    /// `shared`: the target in which several processes keep the count together.
    fn of(&self, key: &str, limit: u32, shared: Option<&PostgresTarget>) -> Result<RateLimiter, CliError> {
        let place = shared.map(|target| (target.to_string(), target.schema.clone(), target.lease));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Known { limiter, .. }) = known.get(key).filter(|known| known.is(limit, &place)) {
            return Ok(limiter.clone());
        }
        let mut limiter = RateLimiter::new(limit, WINDOW);
        if let Some(target) = shared {
            limiter = limiter.sharing(Arc::new(places(target, key, Rule { limit, window: WINDOW, fresh: FRESH })?));
        }
        known.insert(key.to_owned(), Known { limit, place, limiter: limiter.clone() });
        Ok(limiter)
    }
}

/// One job with everything that working on it needs.
struct Assignment {
    scope: Scope,
    client: Client,
    target: Target,
    /// What its connections are kept under: the target and, of a database, the schema.
    place: String,
    filter: Filter,
    settings: Settings,
    /// In whose name decisions are sent that do not say.
    instructeur: Option<String>,
    /// Whether what waits in the outbox is sent after a run.
    pushes: bool,
}

/// All jobs of a configuration.
pub struct Office {
    assignments: BTreeMap<JobKey, Assignment>,
    /// The clients of the instances, each with the day on which its token ends.
    clients: BTreeMap<String, (Client, Option<Date>)>,
    /// The secret paths of the instances whose webhooks may call.
    webhooks: BTreeMap<String, SecretPath>,
    /// Where it is told what targets and reports say.
    board: Board,
    /// Connections to targets that several jobs may use at once, between two jobs; `None` once the office is closed.
    idle: Mutex<Option<HashMap<String, Vec<AnySink>>>>,
}

impl Office {
    /// Makes everything that the jobs of a configuration need; nothing is sent.
    ///
    /// # Errors
    /// Whatever would keep one of them from running: a name, a secret that is not there, a policy.
    pub fn open(
        context: &Context,
        config: &Config,
        overrides: &Overrides,
        limiters: &Limiters,
        board: &Board,
    ) -> Result<(Self, Vec<Planned>), CliError> {
        let mut clients: BTreeMap<String, (Client, Option<Date>)> = BTreeMap::new();
        let mut assignments = BTreeMap::new();
        let mut planned = Vec::new();
        let hint_window = config.hint_window.as_ref().map_or(defaults::HINT_WINDOW, |setting| setting.value);
        let jobs = config::resolve(config, overrides, &variable)?;
        let places = jobs
            .iter()
            .filter_map(|job| Some((job.instance.name.as_str(), &job.instance.webhook_path.as_ref()?.value)));
        let paths = webhooks::read(places.collect::<BTreeMap<_, _>>())?;
        if let Some(error) = paths.absent.into_iter().next() {
            return Err(error);
        }
        for job in &jobs {
            let name = job.instance.name.clone();
            let client = match clients.get(&name) {
                Some((client, _)) => client.clone(),
                None => {
                    let token = context.token(&job.instance)?;
                    let mut shared = jobs.iter().filter(|other| other.instance.name == name);
                    let shared = shared.find_map(|other| match &other.target.value {
                        Target::Postgres(postgres) => Some(postgres),
                        Target::Sqlite(_) | Target::Grist(_) => None,
                    });
                    let key = token.key(&job.instance);
                    let limiter = limiters.of(&key, job.instance.rate_limit.value, shared)?;
                    let client = token.client(&job.instance, limiter)?;
                    let expires = job.instance.token_expires.as_ref().map(|setting| setting.value);
                    clients.insert(name.clone(), (client.clone(), expires));
                    client
                }
            };
            let scope = Scope { instance: name, demarche: job.demarche.value };
            let target = job.target.value.clone();
            let key = JobKey { scope: scope.clone(), target: target.to_string() };
            let alone = lease_of(&target).is_none();
            planned.push(Planned { key: key.clone(), schedule: job.run.schedule(), alone, hint_window });
            let settings = Settings { page_size: job.instance.page_size.value, ..job.sync.settings() };
            let filter = context.filter(&job.policy.value)?;
            let place = match &target {
                Target::Postgres(postgres) => format!("{target} {}", postgres.schema),
                Target::Sqlite(_) | Target::Grist(_) => target.to_string(),
            };
            let instructeur = job.sync.instructeur.as_ref().map(|setting| setting.value.clone());
            let pushes = job.sync.push_on_schedule.value;
            let assignment = Assignment { scope, client, target, place, filter, settings, instructeur, pushes };
            assignments.insert(key, assignment);
        }
        let idle = Mutex::new(Some(HashMap::new()));
        Ok((Self { assignments, clients, webhooks: paths.known, board: board.clone(), idle }, planned))
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

    /// Ends the connections that are open, and keeps none that a job still uses.
    pub async fn close(&self) {
        let idle = self.idle().take();
        for sink in idle.into_iter().flatten().flat_map(|(_, sinks)| sinks) {
            if let Err(error) = sink.close().await {
                warn!(%error, "a target did not take leave; its leases go with their time");
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Option<HashMap<String, Vec<AnySink>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self, job: &Assignment) -> Result<AnySink, CliError> {
        let idle = self.idle().as_mut().and_then(|idle| idle.get_mut(&job.place)).and_then(Vec::pop);
        match idle {
            Some(sink) => Ok(sink),
            // The count of requests lies in the schema: it must be there before the first one.
            None if matches!(job.target, Target::Postgres(_)) => open(&job.target).await,
            None => open_or_make(&job.target, job.client.head(job.scope.demarche)).await,
        }
    }

    async fn give_back(&self, job: &Assignment, sink: AnySink) -> Result<(), SinkError> {
        if let (Target::Postgres(_), Some(idle)) = (&job.target, self.idle().as_mut()) {
            idle.entry(job.place.clone()).or_default().push(sink);
            return Ok(());
        }
        sink.close().await
    }

    async fn work(&self, call: &Call<'_>, job: &Assignment) -> Result<Attempt, CliError> {
        let stop = call.stop;
        let sink = tokio::select! {
            biased;
            () = stop.asked() => return Err(SyncError::Interrupted.into()),
            sink = self.take(job) => sink?,
        };
        let attempt = job.work(call, &sink, &self.board).await;
        // After a failure the next job begins with a connection of its own.
        let given_back = match attempt.is_ok() {
            true => self.give_back(job, sink).await,
            false => sink.close().await,
        };
        let attempt = attempt?;
        given_back?;
        Ok(attempt)
    }
}

impl Desk for Office {
    async fn attempt(&self, planned: &Planned, hinted: Option<&Hinted>, stop: &Stop) -> Attempt {
        let Some(job) = self.assignments.get(&planned.key) else {
            return Attempt::NotDue(History::default());
        };
        match self.work(&Call { planned, hinted, stop }, job).await {
            Ok(attempt) => attempt,
            Err(error) => {
                tell(&job.scope, &error);
                match error {
                    CliError::Sink(SinkError::Locked { .. })
                    | CliError::Sync(SyncError::Sink(SinkError::Locked { .. })) => {
                        Attempt::Taken { again: lease_of(&job.target).map_or(LOOK_AGAIN, |lease| lease / 3) }
                    }
                    CliError::Sync(SyncError::Interrupted) => {
                        Attempt::Ran(Ended { outcome: RunOutcome::Interrupted, ..Ended::failed(Timestamp::now()) })
                    }
                    _ => Attempt::Ran(Ended::failed(Timestamp::now())),
                }
            }
        }
    }
}

/// What the loop asks for.
struct Call<'a> {
    planned: &'a Planned,
    hinted: Option<&'a Hinted>,
    stop: &'a Stop,
}

impl Call<'_> {
    /// What it comes to when it is too early; `None` when it is time, by the rhythm or by hints.
    fn too_early(&self, runs: &[RunRecord], now: Timestamp) -> Option<Attempt> {
        let by_hint = self.hinted.map_or(Due::Never, |_| self.planned.due_by_hint(runs, now));
        match (self.planned.due(runs, now), by_hint) {
            (Due::Since(_), _) | (_, Due::Since(_)) => None,
            // Another has just done it, and before that the hint may not have been true yet.
            (_, Due::At(at)) => {
                Some(Attempt::Taken { again: Duration::try_from(at.duration_since(now)).unwrap_or_default() })
            }
            (_, Due::Never) => Some(Attempt::NotDue(History::of(runs))),
        }
    }
}

impl Assignment {
    /// Takes the job, asks whether it is due, runs it and lets it go.
    async fn work(&self, call: &Call<'_>, sink: &AnySink, board: &Board) -> Result<Attempt, CliError> {
        let AnySink::Postgres(shared) = sink else { return self.work_on(call, sink, board).await };
        let leases = shared.leases()?;
        let Some(lease) = leases.claim(std::slice::from_ref(&self.scope)).await? else {
            return Ok(Attempt::Taken { again: leases.free_in(&self.scope).await? });
        };
        let attempt = self.work_on(call, sink, board).await;
        let released = lease.release().await;
        let attempt = attempt?;
        released?;
        Ok(attempt)
    }

    async fn work_on(&self, call: &Call<'_>, sink: &AnySink, board: &Board) -> Result<Attempt, CliError> {
        let Call { planned, hinted, stop } = *call;
        let runs = sink.runs(&self.scope, LOOK_BACK).await?;
        board.looked(planned, &runs);
        if let Some(attempt) = call.too_early(&runs, Timestamp::now()) {
            self.count_outbox(sink, planned, board).await;
            return Ok(attempt);
        }
        let progress = Progress::new(ProgressMode::Silent, &self.scope);
        let prepared = Prepared {
            scope: self.scope.clone(),
            client: &self.client,
            target: &self.target,
            filter: &self.filter,
            settings: self.settings,
            instructeur: self.instructeur.clone(),
            stop,
            progress: &progress,
        };
        if let Some(hinted) = hinted {
            self.look(&prepared, sink, hinted).await?;
        }
        let run = run_and_fetch(&prepared, sink).await;
        tell_end(&run);
        board.reported(&planned.key, &run.report);
        if self.pushes && run.error.is_none() {
            self.push(&prepared, sink).await?;
        }
        self.count_outbox(sink, planned, board).await;
        let ended = Ended::of(&run.report);
        match run.error {
            Some(error @ SyncError::Sink(_)) => Err(error.into()),
            Some(SyncError::Interrupted) | None => Ok(Attempt::Ran(ended)),
            Some(error) => {
                tell(&self.scope, &CliError::Sync(error));
                Ok(Attempt::Ran(ended))
            }
        }
    }
}

impl Assignment {
    /// Tells the board what the outbox of the target holds. Nothing but the signals lacks it when it cannot be read.
    async fn count_outbox(&self, sink: &AnySink, planned: &Planned, board: &Board) {
        let Some(depth) = with_outbox!(sink, outbox => outbox.depth(&self.scope).await) else { return };
        match depth {
            Ok(depth) => {
                let mut counted: BTreeMap<_, _> = Status::ALL.iter().map(|status| (status.as_str(), 0)).collect();
                counted.extend(depth.iter().map(|(status, count)| (status.as_str(), *count)));
                board.counted(&planned.key, counted);
            }
            Err(error) => debug!(%error, "the outbox of {} was not counted", self.scope),
        }
    }

    /// Reads what webhooks named, before the run that finds out everything. What this cannot do the run does, or tells.
    async fn look(&self, prepared: &Prepared<'_>, sink: &AnySink, hinted: &Hinted) -> Result<(), CliError> {
        let named = hinted.to_read();
        let looked = match sync::look(&prepared.job(sink, &|_| {}), named).await {
            Ok(looked) => looked,
            Err(error @ (SyncError::Sink(_) | SyncError::Interrupted)) => return Err(error.into()),
            Err(error) => {
                tell(&self.scope, &CliError::Sync(error));
                return Ok(());
            }
        };
        let (number, counts) = (self.scope.demarche.get(), looked.counts);
        info!(
            { INSTANCE } = self.scope.instance.as_str(),
            { DEMARCHE_NUMBER } = number,
            named = named.len(),
            read = looked.read,
            changed = counts.inserted + counts.updated + counts.restored,
            "webhooks named dossiers of démarche {number}: it is looked at now"
        );
        Ok(())
    }

    /// Sends what waits in the outbox. What the platform does not take now waits for the next run.
    async fn push(&self, prepared: &Prepared<'_>, sink: &AnySink) -> Result<(), CliError> {
        let ended = outbox_of_target(prepared, sink, None, true).await?;
        if let Some(pushed) = ended.pushed.filter(|pushed| !pushed.items.is_empty()) {
            let counts = pushed.counts.iter().map(|(status, count)| format!("{count} {}", status.as_str()));
            let counts = counts.collect::<Vec<_>>().join(", ");
            let number = pushed.demarche;
            info!(
                { INSTANCE } = pushed.instance.as_str(),
                { DEMARCHE_NUMBER } = number,
                needs_a_person = pushed.needs_a_person(),
                "push to démarche {number} ends: {counts}"
            );
        }
        match ended.error {
            Some(PushError::Outbox(error)) => Err(error.into()),
            Some(error) => {
                tell(&self.scope, &CliError::Push(error));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The line of a run in the log.
pub fn tell_end(run: &Run) {
    let report = &run.report;
    let (number, outcome) = (report.demarche, summary::outcome(report.outcome));
    info!(
        { RUN_ID } = report.run.as_str(),
        { INSTANCE } = report.instance.as_str(),
        { DEMARCHE_NUMBER } = number,
        { TARGET } = report.target.as_str(),
        { DURATION_MS } = report.duration_ms,
        { OUTCOME } = outcome,
        "run of démarche {number} ends: {outcome}"
    );
}

/// Tells an error in the log: nobody sits before this program.
fn tell(scope: &Scope, error: &CliError) {
    let (instance, number) = (scope.instance.as_str(), scope.demarche.get());
    let words = error.in_one_line();
    match Exit::from(error) {
        Exit::Interrupted => {}
        // Before a run: nothing happened. In its middle: another has taken its place.
        Exit::Locked if matches!(error, CliError::Sink(_)) => {
            debug!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = number, "démarche {number}: {words}");
        }
        Exit::Locked => info!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = number, "démarche {number}: {words}"),
        Exit::Unavailable => warn!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = number, "démarche {number}: {words}"),
        _ => error!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = number, "démarche {number}: {words}"),
    }
}
