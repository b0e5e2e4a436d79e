//! Anonymises and purges dossiers whose term is over. Works on the target alone, without the network.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::documents::{BATCH, Documents, document_of};
use super::error::SyncError;
use super::event::Event;
use super::run::{Engine, Job, Run, begin_offline};
use crate::checkpoint::Checkpoint;
use crate::dossier::DossierState;
use crate::ids::{DossierNumber, Scope};
use crate::plan::retention::{Age, Fate, Retention, RetentionRule, Term, due};
use crate::plan::{Change, Plan};
use crate::privacy::{ANONYMOUS, Anonymiser};
use crate::report::{Brake, RETENTION, RetentionReport, RuleReport};
use crate::sink::{Sink, StoredDocument};

/// The number of dossiers that a report names for each rule.
const NAMED: usize = 20;

/// Due dossiers.
#[derive(Clone, Debug, Default)]
struct Found {
    report: RetentionReport,
    /// The number of dossiers that were examined, without those that were purged before.
    seen: u64,
    due: BTreeMap<DossierNumber, Fate>,
}

/// Finds the dossiers that are due at the instant `now`. Only reads; `busy` are those with an unsettled intent.
///
/// # Errors
/// If the target cannot be read.
pub async fn retention_due<S: Sink>(
    sink: &S,
    scope: &Scope,
    rules: &Retention,
    busy: &BTreeSet<DossierNumber>,
    now: Timestamp,
) -> Result<RetentionReport, SyncError> {
    if sink.checkpoint(scope).await?.is_none() {
        return Err(SyncError::never_synced(scope, sink.name()));
    }
    let waiting = sink.quarantine(scope).await?.into_iter().map(|entry| entry.number);
    let waiting = waiting.chain(busy.iter().copied()).collect();
    Ok(look(sink, scope, rules, &waiting, now).await?.report)
}

/// Anonymises and purges the dossiers that are due.
///
/// A dossier leaves every table of the target in one commit, with the texts of intents about it, and does not come back
/// as long as the platform shows it unchanged. One that changes on the platform is written again, and is due again by
/// its dates. If the brake holds so many deletions back, nothing is done. Killed at any instant and started again, it
/// has the same result.
pub async fn retain<S: Sink>(job: &Job<'_, S>, rules: &Retention, busy: &BTreeSet<DossierNumber>) -> Run {
    let mut engine = match begin_offline(job).await {
        Ok(engine) => engine,
        Err(error) => return Run::failed(job, error).await,
    };
    engine.report.run.insert_str(0, RETENTION);
    let result = engine.retain(rules, busy).await;
    engine.end(result).await
}

impl<S: Sink> Engine<'_, S> {
    async fn retain(&mut self, rules: &Retention, busy: &BTreeSet<DossierNumber>) -> Result<(), SyncError> {
        if self.checkpoint.remap {
            self.remap().await?;
        }
        let now = (self.job.clock)();
        // A dossier that could not be read may have changed, and an intent needs the dossier that it is about.
        let waiting = self.quarantine.keys().chain(busy).copied().collect();
        let found = look(self.job.sink, &self.job.scope, rules, &waiting, now).await?;
        self.report.retention = Some(found.report);
        let (deletions, alive) = (found.due.len() as u64, found.seen);
        if self.job.settings.brakes(deletions, alive) {
            self.report.brake = Some(Brake { deletions, alive });
        } else {
            self.anonymise(&found.due).await?;
            self.purge(&found.due).await?;
        }
        if let Some(term) = rules.runs {
            self.job.sink.forget_runs(&self.job.scope, term.before(now)).await?;
        }
        let checkpoint = Checkpoint { retained_at: Some(now), ..self.checkpoint.clone() };
        self.carry_out(self.batch(Plan::default(), checkpoint)).await?;
        Ok(())
    }

    async fn purge(&mut self, due: &BTreeMap<DossierNumber, Fate>) -> Result<(), SyncError> {
        let purged = due.iter().filter(|(_, fate)| **fate == Fate::Purge);
        let purged: Vec<Change> = purged.map(|(number, _)| Change::Purge(*number)).collect();
        for changes in purged.chunks(BATCH as usize) {
            self.empty(changes.to_vec()).await?;
        }
        Ok(())
    }

    async fn anonymise(&mut self, due: &BTreeMap<DossierNumber, Fate>) -> Result<(), SyncError> {
        let wanted = |number: &DossierNumber| matches!(due.get(number), Some(Fate::Anonymise));
        let Some(first) = due.keys().find(|number| wanted(number)) else { return Ok(()) };
        let anonymiser = Anonymiser::new(&self.form.demarche);
        let mut stored = Documents::from(*first);
        while let Some(documents) = stored.next(self.job.sink, &self.job.scope).await? {
            let mut changes = Vec::new();
            for stored in documents.into_iter().filter(|stored| wanted(&stored.number)) {
                let Some(mut dossier) = document_of(&stored) else { continue };
                anonymiser.apply(&mut dossier);
                // No column is widened for an anonymised dossier: a value that does not fit stays in the document.
                // Sealed, so that the same listing is recognised and the dossier does not come back in clear.
                let row = self.form.mapper.row(dossier, stored.light.sealed()).row;
                changes.push(Change::Anonymise(Box::new(row)));
            }
            self.empty(changes).await?;
        }
        Ok(())
    }

    async fn empty(&mut self, changes: Vec<Change>) -> Result<(), SyncError> {
        if !changes.is_empty() {
            let counts = self.put(Plan::from(changes)).await?;
            self.report.counts.add(counts);
            (self.job.events)(&Event::Retained { anonymised: counts.anonymised, purged: counts.purged });
        }
        self.check_stop()
    }
}

/// Part of a document that the rules need.
#[derive(Deserialize)]
struct Dates {
    state: DossierState,
    date_traitement: Option<Timestamp>,
    usager: Usager,
}

#[derive(Deserialize)]
struct Usager {
    id: String,
}

/// Reads the dates of a document; `None` if it is damaged.
fn age(stored: &StoredDocument) -> Option<Age> {
    let dates: Dates = document_of(stored)?;
    Some(Age {
        state: dates.state,
        decided_at: dates.date_traitement,
        // A dossier that left without a trace has no date of its own (trap 34): the one of its tombstone counts.
        gone_at: stored.gone.as_ref().map(|gone| gone.at.unwrap_or(stored.last_changed)),
        anonymous: dates.usager.id == ANONYMOUS,
    })
}

async fn look<S: Sink>(
    sink: &S,
    scope: &Scope,
    rules: &Retention,
    waiting: &BTreeSet<DossierNumber>,
    now: Timestamp,
) -> Result<Found, SyncError> {
    let mut found = Found { report: RetentionReport { rules: configured(rules), waiting: 0 }, ..Found::default() };
    let mut stored = Documents::default();
    while let Some(documents) = stored.next(sink, scope).await? {
        found.seen += documents.len() as u64;
        for stored in &documents {
            let Some(age) = age(stored) else {
                found.report.waiting += 1;
                continue;
            };
            let Some(due) = due(rules, &age, now) else { continue };
            if waiting.contains(&stored.number) {
                found.report.waiting += 1;
                continue;
            }
            found.due.insert(stored.number, due.fate);
            let of = |line: &&mut RuleReport| line.rule == due.rule && line.action == due.fate;
            if let Some(line) = found.report.rules.iter_mut().find(of) {
                line.due += 1;
                line.oldest = Some(line.oldest.map_or(due.since, |oldest| oldest.min(due.since)));
                if line.dossiers.len() < NAMED {
                    line.dossiers.push(stored.number);
                }
            }
        }
    }
    Ok(found)
}

/// Lists every rule that is configured.
fn configured(rules: &Retention) -> Vec<RuleReport> {
    let line = |rule, action, term: Option<Term>| {
        let line = |term: Term| RuleReport {
            rule,
            action,
            after: term.to_string(),
            due: 0,
            oldest: None,
            dossiers: Vec::new(),
        };
        term.map(line)
    };
    let of = |rule, terms: &crate::plan::Terms| {
        [line(rule, Fate::Anonymise, terms.anonymise), line(rule, Fate::Purge, terms.purge)]
    };
    of(RetentionRule::Deleted, &rules.deleted)
        .into_iter()
        .chain(of(RetentionRule::Finished, &rules.finished))
        .flatten()
        .collect()
}
