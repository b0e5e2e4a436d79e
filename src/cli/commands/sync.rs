//! `dn sync`: the main job.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::{JobArgs, PageArgs};
use crate::cli::jobs::{Network, Prepared, Work};
use crate::cli::office::tell_end;
use crate::cli::printer::answer_json;
use crate::cli::targets::{keeps_files, open_or_make};
use crate::cli::{failed, signals, summary, told};
use crate::config::Overrides;
use crate::sink::{AnySink, Sink as _};
use crate::sync::{self, Run};

/// `dn sync`.
#[derive(Clone, Debug, Args)]
pub struct SyncArgs {
    /// What to sync.
    #[command(flatten)]
    pub job: JobArgs,
    /// How much to ask for at a time.
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
    work.each(&stop, async |prepared| {
        // A wrong token or number must not leave a new target behind.
        let sink = open_or_make(prepared.target, prepared.client.head(prepared.scope.demarche)).await?;
        let run = run_and_fetch(prepared, &sink).await;
        sink.close().await?;
        Ok(finish(context, args.json, run))
    })
    .await
}

/// One run, and the files that its dossiers name where the target keeps them.
pub async fn run_and_fetch(prepared: &Prepared<'_>, sink: &AnySink) -> Run {
    let mut run = sync_one(prepared, sink).await;
    if run.error.is_none() && keeps_files(prepared.target) {
        fetch_files(prepared, sink, &mut run).await;
    }
    run
}

/// One run.
pub async fn sync_one(prepared: &Prepared<'_>, sink: &AnySink) -> Run {
    let events = |event: &sync::Event| prepared.progress.on(event);
    let run = sync::run(&prepared.job(sink, &events)).await;
    prepared.progress.end();
    run
}

/// The files that its dossiers name. What went wrong with them is the run's, whose dossiers are in the target already.
async fn fetch_files(prepared: &Prepared<'_>, sink: &AnySink, run: &mut Run) {
    let events = |event: &sync::Event| prepared.progress.on(event);
    match sync::files(&prepared.job(sink, &events)).await {
        Ok(files) => run.report.files = Some(files),
        Err(error) => {
            run.report.end_early(error.outcome(), &error);
            run.error = Some(error);
        }
    }
    for notice in sink.notices() {
        events(&sync::Event::Notice(notice.clone()));
        run.report.notices.push(notice);
    }
    prepared.progress.end();
}

/// Prints what a run did, whatever ended it, and gives its code.
///
/// The run is done, whether or not that can be written: a program that reads the report misses it, so the code says so;
/// for people the code remains that of the run.
pub fn finish(context: &Context, json: bool, run: Run) -> Exit {
    let mut exit = summary::exit(&run);
    tell_end(&run);
    if json {
        exit = answer_json(&run.report).map_or_else(|error| exit.worse(failed(&error)), |()| exit);
    } else if run.error.is_none() {
        told(&summary::report(context, &run.report));
    }
    if let Some(error) = run.error {
        failed(&CliError::Sync(error));
    }
    exit
}
