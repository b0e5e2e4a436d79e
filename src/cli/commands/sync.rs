//! `dn sync`: the main job.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::{JobArgs, PageArgs};
use crate::cli::jobs::{Network, Work};
use crate::cli::printer::answer_json;
use crate::cli::{failed, signals, summary, told, written};
use crate::config::Overrides;
use crate::cycle::log_run_end;
use crate::cycle::targets::open_or_make;
use crate::sync::Run;

/// `dn sync`.
#[derive(Clone, Debug, Args)]
pub struct SyncArgs {
    /// The démarches and targets to sync.
    #[command(flatten)]
    pub job: JobArgs,
    /// The size of pages.
    #[command(flatten)]
    pub page: PageArgs,
    /// Read every dossier again [default: only those that moved]
    #[arg(long)]
    pub full: bool,
    /// Mark dossiers as gone however many they are [default: stop above the share of the configuration]
    #[arg(long)]
    pub allow_deletes: bool,
    /// Make columns again that somebody deleted from the Grist document [default: leave them out]
    #[arg(long)]
    pub restore_columns: bool,
    /// Keep the new address of an instance that moved; its platform must be the same [default: refuse another instance]
    #[arg(long)]
    pub accept_address: bool,
    /// Copy files themselves into the Grist document, within the limits of the configuration [default: names and sizes]
    #[arg(long)]
    pub files: bool,
    /// Print one versioned JSON object for each démarche [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// Brings every target up to what the platform shows.
pub async fn run(context: &Context, args: &SyncArgs) -> Result<Exit, CliError> {
    let work = Work {
        context,
        overrides: Overrides {
            restore_columns: args.restore_columns,
            files: args.files,
            accept_address: args.accept_address,
            ..args.job.overrides(Some(&args.page))
        },
        network: Network::Needed,
        json: args.json,
        full: args.full,
        allow_deletes: args.allow_deletes,
    };
    let stop = signals::listen()?;
    work.each(&stop, async |cycle| {
        let job = cycle.job;
        // A wrong token or number must not leave a new target behind.
        let sink = open_or_make(&job.target, &context.secrets, job.client.head(job.scope.demarche)).await?;
        let run = cycle.sync(&sink).await;
        sink.close().await?;
        Ok(finish(context, args.json, run))
    })
    .await
}

/// Prints what a run did, whatever ended it, and gives its code.
///
/// The run is done, whether or not that can be written: a program that reads the report misses it, so the code says so;
/// for people the code remains that of the run.
pub fn finish(context: &Context, json: bool, run: Run) -> Exit {
    let mut exit = summary::exit(&run);
    log_run_end(&run);
    if json {
        exit = written(exit, answer_json(&run.report));
    } else if run.error.is_none() {
        told(context, run.report.brake.is_some(), &summary::report(context, &run.report));
    }
    if let Some(error) = run.error {
        failed(&error.into());
    }
    exit
}
