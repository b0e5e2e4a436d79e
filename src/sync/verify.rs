//! Verifies a target: compares it with the platform's complete listing, and its rows with its documents.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::address::check_instance;
use super::documents::Documents;
use super::error::SyncError;
use super::form::spec_of;
use super::listing::compare;
use super::rows::compare as compare_rows;
use super::run::{Job, Run, open};
use crate::api::Client;
use crate::ids::{DescriptorId, DossierNumber, Scope};
use crate::observe::list_selected;
use crate::privacy::Filter;
use crate::report::{REPORT_VERSION, RowDifference, RowFault};
use crate::sink::Sink;
use crate::table::{Layout, Mapper};

/// Difference between a target and the platform at this moment: the versioned object that `dn verify --json` prints.
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
    /// The number of dossiers that the platform lists.
    pub listed: u64,
    /// The number of dossiers that the target shows.
    pub held: u64,
    /// Listed, and not in the target.
    pub missing: Vec<DossierNumber>,
    /// Listed, and different in the target (state, dates, groupe, labels, instructeurs, usager, revision).
    pub stale: Vec<DossierNumber>,
    /// In the target, and not listed.
    pub ghost: Vec<DossierNumber>,
    /// In quarantine: known to be unreadable, and therefore neither missing nor stale.
    pub quarantined: Vec<DossierNumber>,
    /// The number of dossiers whose rows were compared with their documents: all but the purged ones, or none if the
    /// next run writes them again under another privacy policy.
    #[serde(default)]
    pub compared: u64,
    /// Rows of the target that differ from its documents.
    #[serde(default)]
    pub rows: Vec<RowDifference>,
    /// Dossiers whose stored document cannot be decoded, or does not match its fingerprint.
    #[serde(default)]
    pub damaged: Vec<DossierNumber>,
    /// Questions without a column, with the number of stored dossiers that answer each.
    #[serde(default)]
    pub strangers: BTreeMap<DescriptorId, u64>,
}

impl Verification {
    /// Returns true if the target equals the platform in all its tables, except for dossiers in quarantine.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.missing.is_empty()
            && self.stale.is_empty()
            && self.ghost.is_empty()
            && self.rows.is_empty()
            && self.damaged.is_empty()
            && self.strangers.is_empty()
    }
}

/// Compares a target with the platform, and its rows with its own documents. Only reads. Changes on the platform since
/// the last run are differences.
///
/// # Errors
/// A listing that cannot be completed is an error, as it proves nothing.
pub async fn verify<S: Sink>(
    client: &Client,
    sink: &S,
    scope: &Scope,
    filter: &Filter,
    on_page: impl FnMut(usize),
) -> Result<Verification, SyncError> {
    let Some(checkpoint) = sink.checkpoint(scope).await? else {
        return Err(SyncError::never_synced(scope, sink.name()));
    };
    check_instance(client, sink, scope).await?;
    let groupes = sink.form(scope).await?.map(|form| form.groupes_instructeurs).unwrap_or_default();
    let listing = list_selected(client, scope.demarche, &checkpoint.selection, &groupes, on_page).await?;
    let listed = listing.len() as u64;
    let mut difference = compare(sink, scope, listing).await?;
    difference.stale.append(&mut difference.outside);
    let quarantined: BTreeSet<DossierNumber> =
        sink.quarantine(scope).await?.into_iter().map(|entry| entry.number).collect();
    // They are told apart: `quarantined` has them, and runs retry them.
    difference.missing.retain(|number| !quarantined.contains(number));
    difference.stale.retain(|number| !quarantined.contains(number));
    // Under another policy every row differs, until the next run writes them again.
    let mut own = if checkpoint.policy == Some(filter.digest()) {
        look_at_rows(sink, scope, filter, &checkpoint.narrowed).await?
    } else {
        Rows::default()
    };
    let counted = sink.survey_rows(scope, u32::MAX).await?;
    // A comparison is more precise than a count.
    own.differences.extend(counted.into_iter().filter(|found| own.compared == 0 || found.fault == RowFault::Unknown));
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
        compared: own.compared,
        rows: own.differences,
        damaged: own.damaged,
        strangers: own.strangers,
    })
}

/// Comparison of all rows of a target.
#[derive(Default)]
struct Rows {
    compared: u64,
    differences: Vec<RowDifference>,
    damaged: Vec<DossierNumber>,
    strangers: BTreeMap<DescriptorId, u64>,
}

async fn look_at_rows<S: Sink>(
    sink: &S,
    scope: &Scope,
    filter: &Filter,
    narrowed: &BTreeMap<DossierNumber, u8>,
) -> Result<Rows, SyncError> {
    let mut found = Rows::default();
    let Some(form) = sink.form(scope).await? else { return Ok(found) };
    let spec = spec_of(filter.policy(), &form);
    let layout = Layout::held(&spec, &sink.schema(scope).await?);
    if layout.tables.is_empty() {
        return Ok(found);
    }
    let mapper = Mapper::of(&spec, &layout);
    let mut stored = Documents::default();
    while let Some(documents) = stored.next(sink, scope).await? {
        found.compared += documents.len() as u64;
        let mut compared = compare_rows(sink, scope, &layout, &mapper, narrowed, documents).await?;
        let differs = |found: &RowDifference| found.fault.is_error();
        let suspects: BTreeSet<DossierNumber> =
            compared.differences.iter().filter(|found| differs(found)).filter_map(|found| found.number).collect();
        compared.differences.retain(|found| differs(found) && found.number.is_none());
        for number in suspects.into_iter().chain(compared.damaged.into_keys()) {
            // A run may have written the dossier between the reading of its document and of its rows: compare once
            // more.
            let again = Documents::from(number).first(sink, scope).await?;
            let again = again.into_iter().filter(|stored| stored.number == number).collect();
            let again = compare_rows(sink, scope, &layout, &mapper, narrowed, again).await?;
            found.differences.extend(again.differences.into_iter().filter(differs));
            found.damaged.extend(again.damaged.into_keys());
        }
        found.differences.append(&mut compared.differences);
        for (descriptor, dossiers) in compared.strangers {
            *found.strangers.entry(descriptor).or_default() += dossiers;
        }
    }
    Ok(found)
}

/// Repairs the differences of [`verify`]: writes differing rows again, reads dossiers again that differ from the
/// platform or are damaged, removes rows that belong to no dossier, and writes a tombstone for dossiers that the
/// platform does not know.
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
        if !self.form_is_fresh {
            self.fetch_form().await?;
        }
        if self.checkpoint.remap {
            self.remap().await?;
        }
        let now = (self.job.clock)();
        let alive = self.job.sink.totals(&self.job.scope).await?.alive;
        self.mend_rows().await?;
        self.remove_unknown_rows(alive).await?;
        self.compare_listing(alive, now).await
    }
}
