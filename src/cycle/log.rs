//! Writes what happens in a work cycle to the log.
//!
//! Numbers, counts, states and ids only: no token, no name, no value of a champ.

use tracing::{debug, error, info, warn};

use super::error::{CycleError, in_one_line, render};
use super::kind::ErrorKind;
use super::legible::shortened;
use crate::api::Drift;
use crate::ids::Scope;
use crate::report::{Report, RunOutcome};
use crate::sync::{Event, Looked, Run, SyncError};
use crate::telemetry::{
    DEMARCHE_NUMBER, DOSSIER_NUMBER, DURATION_MS, INSTANCE, OUTCOME, PAGE_SIZE, REASON, RUN_ID, TARGET,
};
use crate::writeback::{PushError, Pushed};

/// Gives the words for the end of a run.
pub(crate) fn outcome(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Done => "done",
        RunOutcome::Quarantine => "done, some in quarantine",
        RunOutcome::Interrupted => "interrupted",
        RunOutcome::Failed => "failed",
    }
}

/// Logs the end of a run.
pub(crate) fn log_run_end(run: &Run) {
    let report = &run.report;
    let (number, outcome) = (report.demarche, outcome(report.outcome));
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

/// Logs that the dossiers which webhooks named were read.
pub(super) fn log_looked(scope: &Scope, named: usize, looked: &Looked) {
    let (number, counts) = (scope.demarche.get(), looked.counts);
    info!(
        { INSTANCE } = scope.instance.as_str(),
        { DEMARCHE_NUMBER } = number,
        named,
        read = looked.read,
        changed = counts.inserted + counts.updated + counts.restored,
        "webhooks named dossiers of démarche {number}: it is looked at now"
    );
}

/// Logs what the retention did, or that the brake holds it.
pub(super) fn log_retained(scope: &Scope, report: &Report) {
    let (number, counts) = (scope.demarche.get(), report.counts);
    if let Some(brake) = report.brake {
        error!(
            { INSTANCE } = scope.instance.as_str(),
            { DEMARCHE_NUMBER } = number,
            "retention of démarche {number}: {} of {} dossiers are due at once, so the safety brake holds them; look \
             with `dn retention`, then let it with `dn retention --apply --allow-deletes`",
            brake.deletions,
            brake.alive
        );
    } else if counts.anonymised + counts.purged > 0 {
        info!(
            { RUN_ID } = report.run.as_str(),
            { INSTANCE } = scope.instance.as_str(),
            { DEMARCHE_NUMBER } = number,
            anonymised = counts.anonymised,
            purged = counts.purged,
            "retention of démarche {number} ends: {} anonymised, {} purged",
            counts.anonymised,
            counts.purged
        );
    }
}

/// Logs what a push did.
pub(super) fn log_pushed(pushed: &Pushed) {
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

/// Logs an error that ended a cycle.
pub(super) fn log_error(scope: &Scope, error: &CycleError) {
    let before_the_run = matches!(error, CycleError::Sink(_));
    log_rendered(scope, error.kind(), before_the_run, &error.render());
}

/// Logs an error that ended a run.
pub(super) fn log_sync_error(scope: &Scope, error: &SyncError) {
    let lines = error.to_string();
    log_rendered(scope, error.into(), false, &render(error, std::iter::once(lines.as_str()), error.hint()));
}

/// Logs an error that ended a push.
pub(super) fn log_push_error(scope: &Scope, error: &PushError) {
    let lines = error.to_string();
    log_rendered(scope, error.into(), false, &render(error, std::iter::once(lines.as_str()), error.hint()));
}

fn log_rendered(scope: &Scope, kind: ErrorKind, before_the_run: bool, rendered: &str) {
    let (instance, number) = (scope.instance.as_str(), scope.demarche.get());
    let words = in_one_line(rendered);
    match kind {
        ErrorKind::Interrupted => {}
        // Another worker holds the target, so nothing happened here.
        ErrorKind::Locked if before_the_run => {
            debug!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = number, "démarche {number}: {words}");
        }
        // Another worker took over in the middle of a run.
        ErrorKind::Locked => info!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = number, "démarche {number}: {words}"),
        ErrorKind::Unavailable => {
            warn!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = number, "démarche {number}: {words}");
        }
        ErrorKind::Configuration | ErrorKind::Refused | ErrorKind::Unexpected => {
            error!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = number, "démarche {number}: {words}");
        }
    }
}

/// Logs an event of a run.
pub(crate) fn log_event(scope: &Scope, event: &Event) {
    let (instance, demarche) = (scope.instance.as_str(), scope.demarche.get());
    match event {
        Event::Started { alive, sweep } => {
            info!(
                { INSTANCE } = instance,
                { DEMARCHE_NUMBER } = demarche,
                alive,
                sweep,
                "run of démarche {demarche} begins"
            );
        }
        Event::Schema(change) => {
            info!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = demarche, "tables of démarche {demarche}: {change}");
        }
        Event::Page { dossiers, counts, .. } => {
            let changed = counts.inserted + counts.updated + counts.deleted + counts.restored;
            debug!(
                { INSTANCE } = instance,
                { DEMARCHE_NUMBER } = demarche,
                { PAGE_SIZE } = dossiers,
                changed,
                "page of {dossiers} dossiers of démarche {demarche}: {changed} changed"
            );
        }
        Event::Quarantined { number, reason } => {
            let number = number.get();
            warn!(
                { INSTANCE } = instance,
                { DEMARCHE_NUMBER } = demarche,
                { DOSSIER_NUMBER } = number,
                { REASON } = reason.as_str(),
                "dossier {number} cannot be read and is set aside: {reason}"
            );
        }
        Event::Released(number) => {
            let number = number.get();
            info!(
                { INSTANCE } = instance,
                { DEMARCHE_NUMBER } = demarche,
                { DOSSIER_NUMBER } = number,
                "dossier {number} leaves the quarantine"
            );
        }
        Event::Drift(drift) => {
            let what = describe(drift);
            warn!(
                { INSTANCE } = instance,
                { DEMARCHE_NUMBER } = demarche,
                "the platform sent {what}, which this version does not know; it is kept as text"
            );
        }
        Event::Unread { number, fields } => {
            let (number, fields) = (number.get(), fields.join(", "));
            warn!(
                { INSTANCE } = instance,
                { DEMARCHE_NUMBER } = demarche,
                { DOSSIER_NUMBER } = number,
                fields,
                "some values of dossier {number} could not be read: {fields}; the others are kept"
            );
        }
        Event::UnknownDescriptor(id) => {
            warn!(
                { INSTANCE } = instance,
                { DEMARCHE_NUMBER } = demarche,
                descriptor.id = id.as_str(),
                "no revision of démarche {demarche} asks the question {id}; its answers are kept in the documents"
            );
        }
        Event::Notice(notice) => {
            warn!(
                { INSTANCE } = instance,
                { DEMARCHE_NUMBER } = demarche,
                "the target of démarche {demarche}: {notice}"
            );
        }
        Event::SuppressionsIncomplete => {
            warn!(
                { INSTANCE } = instance,
                { DEMARCHE_NUMBER } = demarche,
                "the deletions of démarche {demarche} could not be read to their end; the next run tries again"
            );
        }
        Event::Listing { seen } => {
            debug!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = demarche, seen, "listing of démarche {demarche}");
        }
        Event::Remapped { dossiers } => {
            debug!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = demarche, dossiers, "dossiers written again");
        }
        Event::Retained { anonymised, purged } => {
            debug!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = demarche, anonymised, purged, "dossiers emptied");
        }
        Event::Files { kept, bytes } => {
            debug!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = demarche, kept, bytes, "files fetched");
        }
        Event::Row(found) => {
            let number = found.number.map_or(0, |number| number.get());
            warn!(
                { INSTANCE } = instance,
                { DEMARCHE_NUMBER } = demarche,
                { DOSSIER_NUMBER } = number,
                table = found.table.as_str(),
                rows = found.rows,
                { REASON } = found.fault.as_str(),
                "rows of {} are not what the document of dossier {number} says: {}",
                found.table,
                found.fault.as_str()
            );
        }
        Event::Brake { deletions, alive } => {
            warn!(
                { INSTANCE } = instance,
                { DEMARCHE_NUMBER } = demarche,
                deletions,
                alive,
                "{deletions} of {alive} dossiers of démarche {demarche} seem gone: more than allowed, so none is marked"
            );
        }
    }
}

fn describe(drift: &Drift) -> String {
    match drift {
        Drift::Typename(name) => format!("the type `{}`", shortened(name, 60)),
        Drift::EnumValue(kind, value) => format!("the {kind} `{}`", shortened(value, 60)),
    }
}
