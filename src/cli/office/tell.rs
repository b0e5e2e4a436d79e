//! What the log says of runs: nobody sits before this program.

use tracing::{debug, error, info, warn};

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::summary;
use crate::ids::Scope;
use crate::sync::Run;
use crate::telemetry::{DEMARCHE_NUMBER, DURATION_MS, INSTANCE, OUTCOME, RUN_ID, TARGET};

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

/// Tells an error.
pub(super) fn tell(scope: &Scope, error: &CliError) {
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
