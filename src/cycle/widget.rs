//! Shows the widget how the démarches of a document are, and takes its commands: by the access token of the person who looks,
//! never by the key of the configuration.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::future::BoxFuture;
use grist_client::{Doc, GristError};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Notify, watch};
use tracing::{debug, info};

use super::commands::{DocumentJobs, decides};
use super::job::CycleJob;
use super::runner::CycleRunner;
use super::targets::grist::doc_as_person;
use crate::config::GristTarget;
use crate::serve::{
    JobKey, JobState, StatusBoard, Verdicts, WidgetCommand, WidgetJob, WidgetRefusal, WidgetSource, WidgetState,
};
use crate::sink::GristSink;
use crate::sink::grist::DocumentCommand;

/// The answer of Grist about a token.
type Verdict = Result<(), WidgetRefusal>;

/// Shows and does what widgets ask for, over the present runner.
pub struct Widget {
    runners: watch::Receiver<Arc<CycleRunner>>,
    board: StatusBoard,
    look: Arc<Notify>,
    verdicts: Mutex<Verdicts<Verdict>>,
}

impl Widget {
    /// Shows the jobs of the runner that the sender last sent. `look`: told when a command was ticked.
    #[must_use]
    pub fn new(runners: watch::Receiver<Arc<CycleRunner>>, board: StatusBoard, look: Arc<Notify>) -> Self {
        Self { runners, board, look, verdicts: Mutex::default() }
    }

    fn runner(&self) -> Arc<CycleRunner> {
        Arc::clone(&self.runners.borrow())
    }

    fn verdicts(&self) -> MutexGuard<'_, Verdicts<Verdict>> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that the person may edit the document, by asking Grist, or by what it said a moment ago.
    async fn check(
        &self,
        runner: &CycleRunner,
        target: &GristTarget,
        token: &SecretString,
    ) -> Result<Doc, WidgetRefusal> {
        let doc = doc_as_person(target, &runner.secrets, token.clone()).map_err(|error| {
            debug!(error = error.in_one_line(), "the widget cannot reach Grist");
            WidgetRefusal::Unavailable
        })?;
        let digest = Verdicts::<Verdict>::digest(target.document.as_str(), token.expose_secret());
        let now = Instant::now();
        {
            let mut verdicts = self.verdicts();
            match verdicts.find(&digest, now) {
                Some(verdict) => return verdict.map(|()| doc),
                None if verdicts.may_ask(now) => {}
                None => return Err(WidgetRefusal::TooMany),
            }
        }
        let verdict = doc.can_edit().await.map_err(|error| refusal(&error));
        if verdict != Err(WidgetRefusal::Unavailable) {
            self.verdicts().keep(digest, verdict, now);
        }
        verdict.map(|()| doc)
    }
}

/// Finds the document that a widget names among those of the configuration, with its jobs.
fn find<'r>(runner: &'r CycleRunner, document: Option<&str>) -> Result<DocumentJobs<'r>, WidgetRefusal> {
    let mut documents = runner.documents();
    documents.retain(|(target, _)| document.is_none_or(|document| document == target.document.as_str()));
    // A widget that names no document among several is not guessed at.
    let only = documents.len() == 1;
    documents.into_iter().next().filter(|_| only).ok_or(WidgetRefusal::Unknown)
}

fn refusal(error: &GristError) -> WidgetRefusal {
    use GristError as G;
    match error {
        G::WrongKey { .. } => WidgetRefusal::Token,
        G::Forbidden { .. } | G::Blocked { .. } => WidgetRefusal::Rights,
        G::NoDocument { .. } => WidgetRefusal::Unknown,
        G::NoTable { .. } | G::NoColumn { .. } | G::NoRow { .. } => WidgetRefusal::NoTable,
        G::Settings { .. }
        | G::FormulaColumn { .. }
        | G::KeysRepeat
        | G::NoSql { .. }
        | G::SlowSql
        | G::Sql { .. }
        | G::TooLarge { .. }
        | G::DeleteOnly
        | G::AttachmentsFull { .. }
        | G::Busy { .. }
        | G::Quota { .. }
        | G::EngineDown { .. }
        | G::Unavailable { .. }
        | G::Unreachable { .. }
        | G::TooSlow { .. }
        | G::Unclear { .. }
        | G::Storage { .. }
        | G::Redirected { .. }
        | G::Malformed { .. }
        | G::Refused { .. }
        | G::Undecodable { .. } => WidgetRefusal::Unavailable,
    }
}

/// Shows a job.
fn shown(runner: &CycleRunner, key: &JobKey, job: &CycleJob, state: JobState) -> WidgetJob {
    let row = runner.row_of(key);
    let commands = DocumentCommand::ALL.into_iter().filter(|command| *command != DocumentCommand::Push || decides(job));
    WidgetJob {
        instance: key.scope.instance.clone(),
        demarche: key.scope.demarche.get(),
        title: row.as_ref().map(|row| row.title.clone()).unwrap_or_default(),
        last_success: state.last_success,
        late_from: state.late_from,
        next: state.next,
        paused: state.paused,
        running_since: state.running_since,
        progress: state.progress,
        runs: state.recent,
        quarantine: state.found.map_or(0, |found| found.quarantine),
        outbox: state.outbox,
        commands: commands.map(|command| (command.word(), command.title())).collect(),
        waiting: row.iter().flat_map(|row| &row.ticked).map(|command| command.word()).collect(),
        answer: row.map(|row| row.answer).unwrap_or_default(),
    }
}

impl WidgetSource for Widget {
    fn origins(&self) -> Vec<String> {
        let runner = self.runner();
        let targets = runner.documents().into_iter().map(|(target, _)| target);
        let mut origins: Vec<String> = targets.map(|target| target.url.value.origin().ascii_serialization()).collect();
        origins.sort();
        origins.dedup();
        origins
    }

    fn state<'a>(
        &'a self,
        document: Option<&'a str>,
        token: &'a SecretString,
    ) -> BoxFuture<'a, Result<WidgetState, WidgetRefusal>> {
        Box::pin(async move {
            let runner = self.runner();
            let (target, jobs) = find(&runner, document)?;
            self.check(&runner, target, token).await?;
            let mut states = self.board.snapshot();
            let demarches = jobs
                .into_iter()
                .map(|(key, job)| shown(&runner, key, job, states.remove(key).unwrap_or_default()))
                .collect();
            Ok(WidgetState { now: (runner.clock)(), demarches })
        })
    }

    fn ask<'a>(
        &'a self,
        document: Option<&'a str>,
        token: &'a SecretString,
        asked: &'a WidgetCommand,
    ) -> BoxFuture<'a, Result<(), WidgetRefusal>> {
        Box::pin(async move {
            let runner = self.runner();
            let (target, jobs) = find(&runner, document)?;
            let doc = self.check(&runner, target, token).await?;
            let command = DocumentCommand::of_word(&asked.command).ok_or(WidgetRefusal::Unknown)?;
            let of = |key: &JobKey| key.scope.instance == asked.instance && key.scope.demarche.get() == asked.demarche;
            let (key, _) = jobs.into_iter().find(|(key, _)| of(key)).ok_or(WidgetRefusal::Unknown)?;
            // Grist itself checks the right, whatever was remembered, and writes beside the tick who it was.
            let ticked = GristSink::tick_command(&doc, &key.scope, command).await.map_err(|error| refusal(&error))?;
            if !ticked {
                return Err(WidgetRefusal::NoTable);
            }
            info!("démarche {}: somebody asks in the widget: {}", asked.demarche, command.word());
            self.look.notify_one();
            Ok(())
        })
    }
}
