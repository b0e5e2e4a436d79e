//! The jobs of a command, one after the other: clients are made once, one failure does not stop the rest.

use std::collections::BTreeMap;

use super::context::{Context, variable};
use super::error::CliError;
use super::exit::Exit;
use super::flags::JobArgs;
use super::{failed, progress::ProgressReporter};
use crate::api::Client;
use crate::config::{self, Overrides};
use crate::cycle::{self, Cycle, CycleEvent, CycleJob};
use crate::sync::Stop;

/// Says if a command talks to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// It does: a token is needed.
    Needed,
    /// It does not.
    Unused,
}

/// Holds the settings that all jobs of a command have in common.
pub struct Work<'a> {
    /// The surroundings.
    pub context: &'a Context,
    /// The settings that flags give.
    pub overrides: Overrides,
    /// Says if a token is needed.
    pub network: Network,
    /// True if a program reads the answer.
    pub json: bool,
    /// True if everything is read again.
    pub full: bool,
    /// True if the safety brake is off: dossiers are marked as gone however many they are.
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
    /// Those that concern all of them: the configuration, the output.
    pub async fn each(
        &self,
        stop: &Stop,
        mut work: impl AsyncFnMut(&Cycle<'_>) -> Result<Exit, CliError>,
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
        job: &config::JobConfig,
        clients: &mut BTreeMap<String, Client>,
        stop: &Stop,
        work: &mut impl AsyncFnMut(&Cycle<'_>) -> Result<Exit, CliError>,
    ) -> Result<Exit, CliError> {
        let filter = cycle::filter(&job.policy.value, &self.context.secrets)?;
        let name = &job.instance.name;
        if !clients.contains_key(name) {
            // One client for each instance: its limiter is shared by all that uses the same token.
            let client = match self.network {
                Network::Needed => self.context.client(&job.instance)?,
                Network::Unused => cycle::client_or_anonymous(&job.instance, &self.context.secrets)?,
            };
            clients.insert(name.clone(), client);
        }
        let mut job = CycleJob::new(job, &clients[name], filter);
        job.settings.full = self.full;
        job.settings.allow_deletes = self.allow_deletes;
        job.settings.accept_address = self.overrides.accept_address;
        let progress = ProgressReporter::new(self.context.progress(self.json), &job.scope);
        let events = |event: &CycleEvent<'_>| progress.hear(event);
        let result = work(&Cycle { job: &job, stop, clock: &jiff::Timestamp::now, events: &events }).await;
        progress.end();
        result
    }
}
