//! `dn plan`: what a sync would change. It is the same run over a sink that writes nothing.

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::{JobArgs, PageArgs};
use crate::cli::jobs::{Network, Work};
use crate::cli::printer::{answer_json, counted, grouped, legible};
use crate::cli::{shown, signals};
use crate::cycle::targets::open_to_read_if_there;
use crate::cycle::{Cycle, CycleEvent, CycleJob};
use crate::report::REPORT_VERSION;
use crate::sink::{MemorySink, Preview, Previewed, Sink};
use crate::sync::{self, SyncError};

/// `dn plan`.
#[derive(Clone, Debug, Args)]
pub struct PlanArgs {
    /// The démarches and targets to look at.
    #[command(flatten)]
    pub job: JobArgs,
    /// The size of pages.
    #[command(flatten)]
    pub page: PageArgs,
    /// Read every dossier again [default: only those that moved]
    #[arg(long)]
    pub full: bool,
    /// End with code 10 when something would change [default: 0]
    #[arg(long)]
    pub exit_code: bool,
    /// Print one versioned JSON object for each démarche [default: lines]
    #[arg(long)]
    pub json: bool,
}

/// The object that `dn plan --json` prints for each démarche.
#[derive(Debug, Serialize)]
struct PlanReport<'a> {
    version: u32,
    instance: &'a str,
    demarche: u32,
    target: String,
    #[serde(flatten)]
    previewed: Previewed,
}

/// Prints what a sync would change.
pub async fn run(context: &Context, args: &PlanArgs) -> Result<Exit, CliError> {
    let work = Work {
        context,
        overrides: args.job.overrides(Some(&args.page)),
        network: Network::Needed,
        json: args.json,
        full: args.full,
        allow_deletes: true,
    };
    let stop = signals::listen()?;
    work.each(&stop, async |cycle| {
        let CycleJob { scope, target, .. } = cycle.job;
        let previewed = if let Some(sink) = open_to_read_if_there(target, &context.secrets).await? {
            let previewed = preview(cycle, &sink).await?;
            sink.close().await?;
            previewed
        } else {
            // Nothing is created for a plan: a target that does not exist holds nothing.
            preview(cycle, &MemorySink::default()).await?
        };
        let changes = !previewed.changes.is_empty() || !previewed.schema.is_empty();
        if args.json {
            answer_json(&PlanReport {
                version: REPORT_VERSION,
                instance: &scope.instance,
                demarche: scope.demarche.get(),
                target: target.to_string(),
                previewed,
            })?;
        } else {
            shown(&lines(cycle.job, &previewed));
        }
        Ok(if args.exit_code && changes { Exit::Changes } else { Exit::Done })
    })
    .await
}

async fn preview<S: Sink>(cycle: &Cycle<'_>, sink: &S) -> Result<Previewed, SyncError> {
    let preview = Preview::new(sink);
    let run = sync::run(&cycle.engine_job(&preview, &cycle.run_events())).await;
    (cycle.events)(&CycleEvent::StepEnded);
    match run.error {
        Some(error) => Err(error),
        None => Ok(preview.previewed()),
    }
}

fn lines(job: &CycleJob, previewed: &Previewed) -> String {
    let mut text = format!("{} → {}\n", job.scope, job.target);
    for change in &previewed.schema {
        text.push_str(&format!("{}\n", legible(change)));
    }
    for change in previewed.changes.values() {
        text.push_str(&format!("{}\n", legible(change)));
    }
    let counts = previewed.counts;
    text.push_str(&format!(
        "{} new, {} changed, {} gone, {} back; {} to the tables\n",
        grouped(counts.inserted),
        grouped(counts.updated),
        grouped(counts.deleted),
        grouped(counts.restored),
        counted(previewed.schema.len() as u64, "change"),
    ));
    text
}
