//! One job of a work cycle: a démarche with everything that working on it needs.

use crate::api::Client;
use crate::config::{self, RetentionSettings, Target};
use crate::ids::Scope;
use crate::privacy::Filter;
use crate::sync::Settings;

/// Holds everything that working on one démarche needs, but for its open target: each step opens that in its own way.
#[derive(Clone, Debug)]
pub struct CycleJob {
    /// The démarche and its instance.
    pub scope: Scope,
    /// The client of the instance.
    pub client: Client,
    /// The target that keeps its dossiers.
    pub target: Target,
    /// The privacy filter: what may leave the platform.
    pub filter: Filter,
    /// The settings of its runs.
    pub settings: Settings,
    /// The instructeur in whose name decisions are sent that name none.
    pub instructeur: Option<String>,
    /// True if a cycle sends the intents that wait in the outbox.
    pub push_on_schedule: bool,
    /// The terms after which its dossiers are anonymised and purged.
    pub retention: RetentionSettings,
}

impl CycleJob {
    /// Puts the settings of a job together with the client of its instance and the filter of its policy.
    #[must_use]
    pub fn new(job: &config::JobConfig, client: &Client, filter: Filter) -> Self {
        Self {
            scope: Scope { instance: job.instance.name.clone(), demarche: job.demarche.value },
            client: client.with_columns(job.sync.columns.value),
            target: job.target.value.clone(),
            filter: filter.only(job.selection.selection()),
            settings: Settings { page_size: job.instance.page_size.value, ..job.sync.settings() },
            instructeur: job.sync.instructeur.as_ref().map(|setting| setting.value.clone()),
            push_on_schedule: job.sync.push_on_schedule.value,
            retention: job.sync.retention.clone(),
        }
    }
}
