//! Is anything missing? The platform's complete listing against the target.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::error::SyncError;
use super::listing::compare;
use super::report::REPORT_VERSION;
use super::run::{Job, Run, open};
use crate::api::Client;
use crate::ids::DossierNumber;
use crate::observe::list_all;
use crate::sink::{Scope, Sink};

/// How a target differs from what the platform shows at this moment: the versioned object that `dn verify --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The version of this object.
    pub version: u32,
    /// The instance.
    pub instance: String,
    /// The démarche.
    pub demarche: u32,
    /// The target, without credentials.
    pub target: String,
    /// How many dossiers the platform lists.
    pub listed: u64,
    /// How many the target shows.
    pub held: u64,
    /// Listed, and not in the target.
    pub missing: Vec<DossierNumber>,
    /// Listed, and different in the target (state, dates, groupe, labels, instructeurs, usager, revision).
    pub stale: Vec<DossierNumber>,
    /// In the target, and not listed.
    pub ghost: Vec<DossierNumber>,
    /// In quarantine: known not to be readable, and therefore counted neither as missing nor as stale.
    pub quarantined: Vec<DossierNumber>,
}

impl Verification {
    /// Whether the target is what the platform shows, but for what is in quarantine.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.missing.is_empty() && self.stale.is_empty() && self.ghost.is_empty()
    }
}

/// Compares a target with the platform. Only reads. What moved on the platform since the last run shows as a difference.
///
/// # Errors
/// A listing that cannot be completed proves nothing, so it is an error.
pub async fn verify<S: Sink>(
    client: &Client,
    sink: &S,
    scope: &Scope,
    on_page: impl FnMut(usize),
) -> Result<Verification, SyncError> {
    if sink.checkpoint(scope).await?.is_none() {
        return Err(SyncError::never_synced(scope, sink.name()));
    }
    let listing = list_all(client, scope.demarche, on_page).await?;
    let listed = listing.len() as u64;
    let mut difference = compare(sink, scope, listing).await?;
    let quarantined: BTreeSet<DossierNumber> =
        sink.quarantine(scope).await?.into_iter().map(|entry| entry.number).collect();
    difference.missing.retain(|number| !quarantined.contains(number));
    difference.stale.retain(|number| !quarantined.contains(number));
    Ok(Verification {
        version: REPORT_VERSION,
        instance: scope.instance.clone(),
        demarche: scope.demarche.get(),
        target: sink.name().to_owned(),
        listed,
        held: sink.totals(scope).await?.alive,
        missing: difference.missing,
        stale: difference.stale,
        ghost: difference.ghost,
        quarantined: quarantined.into_iter().collect(),
    })
}

/// Mends what [`verify`] would find: reads again what differs, and puts a tombstone on what the platform says it does not
/// know.
pub async fn repair<S: Sink>(job: &Job<'_, S>) -> Run {
    match open(job).await {
        Ok((mut engine, ..)) => {
            let result = engine.repair().await;
            engine.end(result).await
        }
        Err(error) => Run::failed(job, error).await,
    }
}

impl<S: Sink> super::run::Engine<'_, S> {
    async fn repair(&mut self) -> Result<(), SyncError> {
        if self.checkpoint.remap {
            self.remap().await?;
        }
        let now = (self.job.clock)();
        let alive = self.job.sink.totals(&self.job.scope).await?.alive;
        self.compare_listing(alive, now).await
    }
}
