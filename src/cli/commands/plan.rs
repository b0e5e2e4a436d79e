//! `dn plan`: what a sync would change. It is the same run over a sink that writes nothing.

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::{JobArgs, PageArgs};
use crate::cli::jobs::{Network, Prepared, Work};
use crate::cli::printer::{answer_json, counted, grouped, legible};
use crate::cli::targets::open_to_read_if_there;
use crate::cli::{signals, told};
use crate::report::REPORT_VERSION;
use crate::sink::{MemorySink, Preview, Previewed, Sink};
use crate::sync::{self, Event, SyncError};

/// `dn plan`.
#[derive(Clone, Debug, Args)]
pub struct PlanArgs {
    /// What to look at.
    #[command(flatten)]
    pub job: JobArgs,
    /// How much to ask for at a time.
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

/// What `dn plan --json` prints for each démarche.
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
    work.each(&stop, async |prepared| {
        let previewed = if let Some(sink) = open_to_read_if_there(prepared.target).await? {
            let previewed = preview(prepared, &sink).await?;
            sink.close().await?;
            previewed
        } else {
            // Nothing is created for a plan: a target that does not exist holds nothing.
            preview(prepared, &MemorySink::default()).await?
        };
        let changes = !previewed.changes.is_empty() || !previewed.schema.is_empty();
        if args.json {
            answer_json(&PlanReport {
                version: REPORT_VERSION,
                instance: &prepared.scope.instance,
                demarche: prepared.scope.demarche.get(),
                target: prepared.target.to_string(),
                previewed,
            })?;
        } else {
            told(&lines(prepared, &previewed));
        }
        Ok(if args.exit_code && changes { Exit::Changes } else { Exit::Done })
    })
    .await
}

async fn preview<S: Sink>(prepared: &Prepared<'_>, sink: &S) -> Result<Previewed, SyncError> {
    let preview = Preview::new(sink);
    let events = |event: &Event| prepared.progress.on(event);
    let run = sync::run(&prepared.job(&preview, &events)).await;
    prepared.progress.end();
    match run.error {
        Some(error) => Err(error),
        None => Ok(preview.previewed()),
    }
}

fn lines(prepared: &Prepared<'_>, previewed: &Previewed) -> String {
    let mut text = format!("{} → {}\n", prepared.scope, prepared.target);
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
