//! The jobs of a command, one after the other: clients are made once, one failure does not stop the rest.

use std::collections::BTreeMap;

use super::context::{Context, variable};
use super::error::CliError;
use super::exit::Exit;
use super::flags::JobArgs;
use super::{failed, progress::Progress};
use crate::api::Client;
use crate::config::{self, Overrides, RetentionSettings, Target};
use crate::ids::Scope;
use crate::privacy::Filter;
use crate::sink::Sink;
use crate::sync::{Job, Settings, Stop};

/// Whether a command talks to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// It does: a token is needed.
    Needed,
    /// It does not.
    Unused,
}

/// One démarche with everything that working on it needs, but for its target: each command opens it in its own way.
pub struct Prepared<'a> {
    /// Which démarche of which instance.
    pub scope: Scope,
    /// The platform.
    pub client: &'a Client,
    /// Where its dossiers are kept.
    pub target: &'a Target,
    /// What may leave the platform.
    pub filter: &'a Filter,
    /// What the operator set.
    pub settings: Settings,
    /// In whose name decisions are sent that do not say.
    pub instructeur: Option<String>,
    /// For how long dossiers are kept.
    pub retention: RetentionSettings,
    /// How to ask for a stop.
    pub stop: &'a Stop,
    /// Who tells how it goes on.
    pub progress: &'a Progress,
}

impl Prepared<'_> {
    /// The engine's job over a sink.
    pub fn job<'j, S: Sink>(&'j self, sink: &'j S, events: &'j EventReader<'j>) -> Job<'j, S> {
        Job {
            client: self.client,
            sink,
            scope: self.scope.clone(),
            filter: self.filter,
            settings: self.settings,
            events,
            stop: self.stop.clone(),
            clock: &jiff::Timestamp::now,
        }
    }
}

/// Who listens to a run.
pub type EventReader<'a> = dyn Fn(&crate::sync::Event) + Send + Sync + 'a;

/// What all jobs of a command have in common.
pub struct Work<'a> {
    /// The surroundings.
    pub context: &'a Context,
    /// What flags say.
    pub overrides: Overrides,
    /// Whether it talks to the platform.
    pub network: Network,
    /// Whether a program reads the answer.
    pub json: bool,
    /// Whether everything is read again.
    pub full: bool,
    /// Whether dossiers are marked as gone however many they are.
    pub allow_deletes: bool,
}

impl<'a> Work<'a> {
    /// That of a command that works on targets alone.
    pub fn offline(context: &'a Context, job: &JobArgs, json: bool) -> Self {
        Self {
            context,
            overrides: job.overrides(None),
            network: Network::Unused,
            json,
            full: false,
            allow_deletes: false,
        }
    }
}

impl Work<'_> {
    /// Does something for every démarche that flags, environment and file name.
    ///
    /// A failure is told and the next démarche is worked on; the exit code is that of the gravest end.
    ///
    /// # Errors
    /// What concerns all of them: the configuration, the output.
    pub async fn each(
        &self,
        stop: &Stop,
        mut work: impl AsyncFnMut(&Prepared<'_>) -> Result<Exit, CliError>,
    ) -> Result<Exit, CliError> {
        let config = self.context.config()?;
        let jobs = config::resolve(&config, &self.overrides, &variable)?;
        let mut clients: BTreeMap<String, Client> = BTreeMap::new();
        let mut exit = Exit::Done;
        for job in &jobs {
            let one = self.one(job, &mut clients, stop, &mut work).await;
            exit = exit.worse(one.unwrap_or_else(|error| failed(&error)));
            if exit == Exit::Interrupted {
                break;
            }
        }
        Ok(exit)
    }

    async fn one(
        &self,
        job: &config::Job,
        clients: &mut BTreeMap<String, Client>,
        stop: &Stop,
        work: &mut impl AsyncFnMut(&Prepared<'_>) -> Result<Exit, CliError>,
    ) -> Result<Exit, CliError> {
        let filter = self.context.filter(&job.policy.value)?.only(job.selection.selection());
        let name = &job.instance.name;
        if !clients.contains_key(name) {
            // One client for each instance: its limiter is shared by all that uses the same token.
            let client = match self.network {
                Network::Needed => self.context.client(&job.instance)?,
                Network::Unused => self.context.client_with_or_without_token(&job.instance)?,
            };
            clients.insert(name.clone(), client);
        }
        let client = clients[name].with_columns(job.sync.columns.value);
        let scope = Scope { instance: name.clone(), demarche: job.demarche.value };
        let progress = Progress::new(self.context.progress(self.json), &scope);
        let prepared = Prepared {
            scope,
            client: &client,
            target: &job.target.value,
            filter: &filter,
            settings: Settings {
                page_size: job.instance.page_size.value,
                full: self.full,
                allow_deletes: self.allow_deletes,
                accept_address: self.overrides.accept_address,
                ..job.sync.settings()
            },
            instructeur: job.sync.instructeur.as_ref().map(|setting| setting.value.clone()),
            retention: job.sync.retention.clone(),
            stop,
            progress: &progress,
        };
        let result = work(&prepared).await;
        progress.end();
        result
    }
}
