//! The work on one job: due or not, what webhooks named, the run, and what follows a run.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{debug, error, info};

use super::tell::{tell, tell_end};
use crate::api::Client;
use crate::cli::commands::{outbox_of_target, retain_one, run_and_fetch};
use crate::cli::error::CliError;
use crate::cli::jobs::Prepared;
use crate::cli::progress::Progress;
use crate::cli::targets::with_outbox;
use crate::cli::terminal::ProgressMode;
use crate::config::{RetentionSettings, Target};
use crate::ids::Scope;
use crate::intent::Status;
use crate::plan::retention::is_time;
use crate::privacy::Filter;
use crate::report::RunRecord;
use crate::serve::hints::Hinted;
use crate::serve::{Attempt, Board, Due, Ended, History, LOOK_BACK, Planned};
use crate::sink::{AnySink, Outbox as _, Sink as _};
use crate::sync::{self, Settings, Stop, SyncError};
use crate::telemetry::{DEMARCHE_NUMBER, INSTANCE, RUN_ID};
use crate::writeback::PushError;

/// One job with everything that working on it needs.
pub(super) struct Assignment {
    pub scope: Scope,
    pub client: Client,
    pub target: Target,
    /// What its connections are kept under: the target and, of a database, the schema.
    pub place: String,
    pub filter: Filter,
    pub settings: Settings,
    /// In whose name decisions are sent that do not say.
    pub instructeur: Option<String>,
    /// Whether what waits in the outbox is sent after a run.
    pub pushes: bool,
    /// For how long dossiers are kept.
    pub retention: RetentionSettings,
}

/// What the loop asks for.
pub(super) struct Call<'a> {
    pub planned: &'a Planned,
    pub hinted: Option<&'a Hinted>,
    pub stop: &'a Stop,
}

impl Call<'_> {
    /// What it comes to when it is too early; `None` when it is time, by the rhythm or by hints.
    fn too_early(&self, runs: &[RunRecord], now: Timestamp) -> Option<Attempt> {
        let by_hint = self.hinted.map_or(Due::Never, |_| self.planned.due_by_hint(runs, now));
        match (self.planned.due(runs, now), by_hint) {
            (Due::Since(_), _) | (_, Due::Since(_)) => None,
            // Another has just done it, and before that the hint may not have been true yet.
            (_, Due::At(at)) => {
                Some(Attempt::Taken { again: Duration::try_from(at.duration_since(now)).unwrap_or_default() })
            }
            (_, Due::Never) => Some(Attempt::NotDue(History::of(runs))),
        }
    }
}

impl Assignment {
    /// Takes the job, asks whether it is due, runs it and lets it go.
    pub(super) async fn work(&self, call: &Call<'_>, sink: &AnySink, board: &Board) -> Result<Attempt, CliError> {
        let AnySink::Postgres(shared) = sink else { return self.work_on(call, sink, board).await };
        let leases = shared.leases()?;
        let Some(lease) = leases.claim(std::slice::from_ref(&self.scope)).await? else {
            return Ok(Attempt::Taken { again: leases.free_in(&self.scope).await? });
        };
        let attempt = self.work_on(call, sink, board).await;
        let released = lease.release().await;
        let attempt = attempt?;
        released?;
        Ok(attempt)
    }

    async fn work_on(&self, call: &Call<'_>, sink: &AnySink, board: &Board) -> Result<Attempt, CliError> {
        let Call { planned, hinted, stop } = *call;
        let mut runs = sink.runs(&self.scope, LOOK_BACK).await?;
        runs.retain(|run| !run.is_retention());
        board.looked(planned, &runs);
        if let Some(attempt) = call.too_early(&runs, Timestamp::now()) {
            self.count_outbox(sink, planned, board).await;
            return Ok(attempt);
        }
        let progress = Progress::new(ProgressMode::Silent, &self.scope);
        let prepared = Prepared {
            scope: self.scope.clone(),
            client: &self.client,
            target: &self.target,
            filter: &self.filter,
            settings: self.settings,
            instructeur: self.instructeur.clone(),
            retention: self.retention.clone(),
            stop,
            progress: &progress,
        };
        if let Some(hinted) = hinted {
            self.look(&prepared, sink, hinted).await?;
        }
        let run = run_and_fetch(&prepared, sink).await;
        tell_end(&run);
        board.reported(&planned.key, &run.report);
        if self.pushes && run.error.is_none() {
            self.push(&prepared, sink).await?;
        }
        if run.error.is_none() {
            self.retain(&prepared, sink).await?;
        }
        self.count_outbox(sink, planned, board).await;
        let ended = Ended::of(&run.report);
        match run.error {
            Some(error @ SyncError::Sink(_)) => Err(error.into()),
            Some(SyncError::Interrupted) | None => Ok(Attempt::Ran(ended)),
            Some(error) => {
                tell(&self.scope, &CliError::Sync(error));
                Ok(Attempt::Ran(ended))
            }
        }
    }

    /// Tells the board what the outbox of the target holds. Nothing but the signals lacks it when it cannot be read.
    async fn count_outbox(&self, sink: &AnySink, planned: &Planned, board: &Board) {
        let Some(depth) = with_outbox!(sink, outbox => outbox.depth(&self.scope).await) else { return };
        match depth {
            Ok(depth) => {
                let mut counted: BTreeMap<_, _> = Status::ALL.iter().map(|status| (status.as_str(), 0)).collect();
                counted.extend(depth.iter().map(|(status, count)| (status.as_str(), *count)));
                board.counted(&planned.key, counted);
            }
            Err(error) => debug!(%error, "the outbox of {} was not counted", self.scope),
        }
    }

    /// Reads what webhooks named, before the run that finds out everything. What this cannot do the run does, or tells.
    async fn look(&self, prepared: &Prepared<'_>, sink: &AnySink, hinted: &Hinted) -> Result<(), CliError> {
        let named = hinted.to_read();
        let looked = match sync::look(&prepared.job(sink, &|_| {}), named).await {
            Ok(looked) => looked,
            Err(error @ (SyncError::Sink(_) | SyncError::Interrupted)) => return Err(error.into()),
            Err(error) => {
                tell(&self.scope, &CliError::Sync(error));
                return Ok(());
            }
        };
        let (number, counts) = (self.scope.demarche.get(), looked.counts);
        info!(
            { INSTANCE } = self.scope.instance.as_str(),
            { DEMARCHE_NUMBER } = number,
            named = named.len(),
            read = looked.read,
            changed = counts.inserted + counts.updated + counts.restored,
            "webhooks named dossiers of démarche {number}: it is looked at now"
        );
        Ok(())
    }

    /// Anonymises and purges what has been kept for its term, once a day. What goes wrong with it is told and tried again
    /// with the next run, which is done already.
    async fn retain(&self, prepared: &Prepared<'_>, sink: &AnySink) -> Result<(), CliError> {
        if !self.retention.on_schedule.value || self.retention.rules().is_empty() {
            return Ok(());
        }
        let last = sink.checkpoint(&self.scope).await?.and_then(|checkpoint| checkpoint.retained_at);
        if !is_time(last, Timestamp::now()) {
            return Ok(());
        }
        let run = retain_one(prepared, sink).await?;
        let (number, counts) = (self.scope.demarche.get(), run.report.counts);
        if let Some(brake) = run.report.brake {
            error!(
                { INSTANCE } = self.scope.instance.as_str(),
                { DEMARCHE_NUMBER } = number,
                "retention of démarche {number}: {} of {} dossiers are due at once, so the safety brake holds them; look \
                 with `dn retention`, then let it with `dn retention --apply --allow-deletes`",
                brake.deletions,
                brake.alive
            );
        } else if counts.anonymised + counts.purged > 0 {
            info!(
                { RUN_ID } = run.report.run.as_str(),
                { INSTANCE } = self.scope.instance.as_str(),
                { DEMARCHE_NUMBER } = number,
                anonymised = counts.anonymised,
                purged = counts.purged,
                "retention of démarche {number} ends: {} anonymised, {} purged",
                counts.anonymised,
                counts.purged
            );
        }
        match run.error {
            Some(error @ SyncError::Sink(_)) => Err(error.into()),
            Some(error) => {
                tell(&self.scope, &CliError::Sync(error));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Sends what waits in the outbox. What the platform does not take now waits for the next run.
    async fn push(&self, prepared: &Prepared<'_>, sink: &AnySink) -> Result<(), CliError> {
        let ended = outbox_of_target(prepared, sink, None, true).await?;
        if let Some(pushed) = ended.pushed.filter(|pushed| !pushed.items.is_empty()) {
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
        match ended.error {
            Some(PushError::Outbox(error)) => Err(error.into()),
            Some(error) => {
                tell(&self.scope, &CliError::Push(error));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
