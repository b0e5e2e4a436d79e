//! The desk of `dn run`: everything that its jobs need, checked and made once, and the work on one of them.

mod assignment;
mod limiters;
mod tell;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use tracing::warn;

use super::context::{Context, variable};
use super::error::CliError;
use super::targets::{lease_of, open, open_or_make};
use super::webhooks;
use crate::api::Client;
use crate::config::{self, Config, Overrides, Target, defaults};
use crate::ids::Scope;
use crate::report::RunOutcome;
use crate::serve::hints::{Hinted, SecretPath, Webhooks};
use crate::serve::{Attempt, Board, Desk, Ended, History, JobKey, Planned};
use crate::sink::{AnySink, SinkError};
use crate::sync::{Settings, Stop, SyncError};

use assignment::{Assignment, Call};
pub use limiters::Limiters;
use tell::tell;
pub use tell::tell_end;

/// When to look again at a file or a document that another run holds.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

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
            let client = client.with_columns(job.sync.columns.value);
            let scope = Scope { instance: name, demarche: job.demarche.value };
            let target = job.target.value.clone();
            let key = JobKey { scope: scope.clone(), target: target.to_string() };
            let alone = lease_of(&target).is_none();
            planned.push(Planned { key: key.clone(), schedule: job.run.schedule(), alone, hint_window });
            let settings = Settings { page_size: job.instance.page_size.value, ..job.sync.settings() };
            let filter = context.filter(&job.policy.value)?.only(job.selection.selection());
            let place = match &target {
                Target::Postgres(postgres) => format!("{target} {}", postgres.schema),
                Target::Sqlite(_) | Target::Grist(_) => target.to_string(),
            };
            let instructeur = job.sync.instructeur.as_ref().map(|setting| setting.value.clone());
            let pushes = job.sync.push_on_schedule.value;
            let retention = job.sync.retention.clone();
            let assignment =
                Assignment { scope, client, target, place, filter, settings, instructeur, pushes, retention };
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
