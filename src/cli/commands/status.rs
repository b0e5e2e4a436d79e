//! `dn status`: how fresh a target is. Reads the target only.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::push::{Served, in_words, place};
use crate::cli::context::{Context, variable};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::failed;
use crate::cli::flags::JobArgs;
use crate::cli::printer::{age, answer, answer_json, grouped, instant, legible, table};
use crate::cli::words;
use crate::config::{self, JobConfig};
use crate::cycle::outcome;
use crate::cycle::targets::open_to_read;
use crate::ids::{DescriptorId, Scope};
use crate::intent;
use crate::report::{REPORT_VERSION, Report, RunRecord};
use crate::sink::{Backlog, Outbox as _, QuarantineEntry, Sink as _, with_outbox};
use crate::sync::SyncError;

/// `dn status`.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// The démarches and targets to look at.
    #[command(flatten)]
    pub job: JobArgs,
    /// Show so many runs
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    pub runs: u32,
    /// Print one versioned JSON object for each démarche [default: tables]
    #[arg(long)]
    pub json: bool,
}

/// The number of runs that are searched for the last one that ended well.
const LOOK_BACK: u32 = 200;

/// The object that `dn status --json` prints for each démarche.
#[derive(Debug, Serialize)]
struct Status {
    version: u32,
    instance: String,
    demarche: u32,
    target: String,
    /// The title of the démarche when last read.
    title: Option<String>,
    /// Dossiers that the target shows.
    alive: u64,
    /// Dossiers that have a tombstone.
    gone: u64,
    /// The newest `dateDerniereModification` up to which everything is there or in quarantine.
    watermark: Option<Timestamp>,
    /// When the last run that ended well ended.
    last_success: Option<Timestamp>,
    /// The age of that, in seconds.
    age_seconds: Option<i64>,
    /// When the complete listing was last compared.
    listed_at: Option<Timestamp>,
    /// When everything was last read again.
    swept_at: Option<Timestamp>,
    quarantine: Vec<QuarantineEntry>,
    /// The questions that dossiers answer and that no revision of the form has: their answers are in the documents alone.
    strangers: Vec<DescriptorId>,
    /// The number of intents of each status; empty where none was ever asked.
    outbox: BTreeMap<intent::Status, u64>,
    /// Intents in the same target that nothing will ever send; with the first démarche of each target.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unserved: Vec<Backlog>,
    runs: Vec<RunRecord>,
}

/// Shows how fresh every target is.
pub async fn run(context: &Context, args: &StatusArgs) -> Result<Exit, CliError> {
    let config = context.config()?;
    let mut exit = Exit::Done;
    let flags = args.job.overrides(None);
    let served = Served::of(context, &flags)?;
    let mut told = BTreeSet::new();
    for job in config::resolve(&config, &flags, &variable)? {
        let served = told.insert(place(&job.target.value)).then_some(&served);
        let one = match read(context, &job, args.runs, served).await {
            Ok(status) if args.json => answer_json(&status).map(|()| Exit::Done),
            Ok(status) => answer(&render(context, &status)).map(|()| Exit::Done),
            Err(error) => Ok(failed(&error)),
        };
        // The next démarches are read all the same.
        exit = exit.worse(one.unwrap_or_else(|error| failed(&error)));
    }
    Ok(exit)
}

async fn read(context: &Context, job: &JobConfig, runs: u32, served: Option<&Served>) -> Result<Status, CliError> {
    let sink = open_to_read(&job.target.value, &context.secrets).await?;
    let scope = Scope { instance: job.instance.name.clone(), demarche: job.demarche.value };
    let history = sink.runs(&scope, LOOK_BACK.max(runs)).await?;
    let Some(checkpoint) = sink.checkpoint(&scope).await? else {
        return Err(SyncError::never_synced(&scope, sink.name()).into());
    };
    let totals = sink.totals(&scope).await?;
    let well = |run: &&RunRecord| run.outcome.did_its_work() && !run.is_retention();
    let last_success = history.iter().find(well).map(|run| run.ended_at);
    let status = Status {
        version: REPORT_VERSION,
        instance: scope.instance.clone(),
        demarche: scope.demarche.get(),
        target: sink.name().to_owned(),
        title: checkpoint.demarche.map(|head| head.title),
        alive: totals.alive,
        gone: totals.gone,
        watermark: checkpoint.watermark,
        last_success,
        age_seconds: last_success.map(|at| context.now().duration_since(at).as_secs().max(0)),
        listed_at: checkpoint.listed_at,
        swept_at: checkpoint.swept_at,
        quarantine: sink.quarantine(&scope).await?,
        strangers: checkpoint.strangers.into_iter().collect(),
        outbox: with_outbox!(&sink, outbox => outbox.depth(&scope).await?).unwrap_or_default().into_iter().collect(),
        unserved: match served {
            Some(served) => served.unserved_in(&sink, &job.target.value).await?,
            None => Vec::new(),
        },
        runs: history.into_iter().take(runs as usize).collect(),
    };
    sink.close().await?;
    Ok(status)
}

fn render(context: &Context, status: &Status) -> String {
    let now = context.now();
    let when = |at: Option<Timestamp>| match at {
        Some(at) => format!("{} ({} ago)", instant(at, &context.zone), age(at, now)),
        None => "never".to_owned(),
    };
    let title = legible(status.title.as_deref().unwrap_or_default());
    let mut facts = table(&["Démarche", &title], context.width);
    facts.add_row(["last success".to_owned(), when(status.last_success)]);
    facts.add_row(["last change seen".to_owned(), when(status.watermark)]);
    facts.add_row(["complete listing".to_owned(), when(status.listed_at)]);
    facts.add_row(["complete re-reading".to_owned(), when(status.swept_at)]);
    facts.add_row(["dossiers".to_owned(), format!("{}, and {} gone", grouped(status.alive), grouped(status.gone))]);
    facts.add_row(["in quarantine".to_owned(), grouped(status.quarantine.len() as u64)]);
    if !status.strangers.is_empty() {
        let ids: Vec<String> = status.strangers.iter().map(|id| legible(id.as_str())).collect();
        facts.add_row(["questions without a column".to_owned(), ids.join(", ")]);
    }
    if !status.outbox.is_empty() {
        let counts =
            status.outbox.iter().map(|(status, count)| format!("{} {}", grouped(*count), words::in_words(*status)));
        facts.add_row(["outbox".to_owned(), counts.collect::<Vec<_>>().join(", ")]);
    }
    let mut text = format!("{}/{} → {}\n{facts}\n", status.instance, status.demarche, status.target);
    for line in in_words(&status.unserved) {
        text.push_str(&format!("{line}\n"));
    }
    if !status.quarantine.is_empty() {
        let mut rows = table(&["Quarantine", "Since", "Reason", "Tried", "Next"], context.width);
        for entry in &status.quarantine {
            rows.add_row([
                entry.number.to_string(),
                instant(entry.since, &context.zone),
                legible(&entry.reason),
                entry.attempts.to_string(),
                instant(entry.next_try, &context.zone),
            ]);
        }
        text.push_str(&format!("{rows}\n"));
    }
    if !status.runs.is_empty() {
        let mut rows = table(&["Run", "Ended", "New", "Changed", "Gone", "Requests"], context.width);
        for run in &status.runs {
            let Report { counts, requests, .. } = &run.report;
            rows.add_row([
                instant(run.started_at, &context.zone),
                outcome(run.outcome).to_owned(),
                grouped(counts.inserted),
                grouped(counts.updated),
                grouped(counts.deleted),
                grouped(*requests),
            ]);
        }
        text.push_str(&format!("{rows}\n"));
    }
    text
}
