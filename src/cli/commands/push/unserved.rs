//! Intents that nothing will ever send: they wait for a démarche that neither the command nor the configuration names.

use crate::cli::context::{Context, variable};
use crate::cli::error::CliError;
use crate::cli::printer::counted;
use crate::config::{self, Overrides, Target};
use crate::cycle::targets::kind_of;
use crate::ids::{DemarcheNumber, Scope};
use crate::sink::{AnySink, Backlog, Outbox, Sink as _, SinkError, with_outbox};

/// Says which démarches are sent from which target.
pub struct Served {
    /// The démarches that this command works on.
    pub named: Vec<(String, Scope)>,
    /// The démarches that the configuration lists, whether this command works on them or not.
    listed: Vec<(String, Scope)>,
}

/// Names a target so that two jobs with the same one agree.
pub fn place(target: &Target) -> String {
    kind_of(target).identity()
}

impl Served {
    /// Reads the démarches that a command with these flags works on, and those that the configuration lists.
    pub fn of(context: &Context, flags: &Overrides) -> Result<Self, CliError> {
        let config = context.config()?;
        let scopes = |jobs: Vec<config::JobConfig>| {
            let scope = |job: config::JobConfig| {
                let scope = Scope { instance: job.instance.name, demarche: job.demarche.value };
                (place(&job.target.value), scope)
            };
            jobs.into_iter().map(scope).collect::<Vec<_>>()
        };
        let named = scopes(config::resolve(&config, flags, &variable)?);
        // A configuration that lists no démarche is an error there, and nothing to look at here.
        let listed = config::resolve(&config, &Overrides::default(), &variable).map(scopes).unwrap_or_default();
        Ok(Self { named, listed })
    }

    fn serves(&self, place: &str, waits: &Backlog) -> bool {
        let all = self.named.iter().chain(&self.listed);
        all.into_iter().any(|(at, scope)| {
            at == place && scope.instance == waits.instance && scope.demarche.to_string() == waits.demarche
        })
    }

    /// Finds the intents of an outbox that nothing will ever send.
    pub async fn unserved<O: Outbox>(&self, outbox: &O, place: &str) -> Result<Vec<Backlog>, SinkError> {
        let mut waiting = outbox.backlog().await?;
        waiting.retain(|waits| !self.serves(place, waits));
        Ok(waiting)
    }

    /// The same of a target. Without a configuration, another command may be about any démarche that the target holds.
    pub async fn unserved_in(&self, sink: &AnySink, target: &Target) -> Result<Vec<Backlog>, SinkError> {
        let place = place(target);
        let waiting = with_outbox!(sink, outbox => self.unserved(outbox, &place).await?).unwrap_or_default();
        let mut unserved = Vec::new();
        for waits in waiting {
            let scope = waits.demarche.parse().map(DemarcheNumber::new);
            let scope = scope.map(|demarche| Scope { instance: waits.instance.clone(), demarche });
            let held = match scope {
                Ok(scope) if self.listed.is_empty() => sink.checkpoint(&scope).await?.is_some(),
                _ => false,
            };
            if !held {
                unserved.push(waits);
            }
        }
        Ok(unserved)
    }
}

/// The same, for people.
pub fn in_words(unserved: &[Backlog]) -> Vec<String> {
    let line = |waits: &Backlog| {
        format!(
            "{} for démarche {} of instance `{}` will never be sent: neither this command nor the configuration \
             names it. Correct `instance` and `demarche` of these rows, or list the démarche in the configuration",
            counted(waits.pending, "pending intent"),
            waits.demarche,
            waits.instance
        )
    };
    unserved.iter().map(line).collect()
}
