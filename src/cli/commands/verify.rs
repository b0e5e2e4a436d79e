//! `dn verify`: is anything missing?

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::JobArgs;
use crate::cli::jobs::{Network, Prepared, Work};
use crate::cli::printer::answer_json;
use crate::cli::targets::{open_existing, open_to_read};
use crate::cli::{signals, summary, told};
use crate::sink::AnySink;
use crate::sync::{self, Event, Run, SyncError, Verification};

/// `dn verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// What to compare.
    #[command(flatten)]
    pub job: JobArgs,
    /// Read again what differs, then compare again [default: only compare]
    #[arg(long)]
    pub repair: bool,
    /// Mark dossiers as gone however many they are [default: stop above the share of the configuration]
    #[arg(long, requires = "repair")]
    pub allow_deletes: bool,
    /// Print one versioned JSON object for each démarche [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// Compares every target with the platform, and mends it when asked.
pub async fn run(context: &Context, args: &VerifyArgs) -> Result<Exit, CliError> {
    let work = Work {
        context,
        overrides: args.job.overrides(None),
        network: Network::Needed,
        json: args.json,
        full: false,
        allow_deletes: args.allow_deletes,
    };
    let stop = signals::listen()?;
    work.each(&stop, async |prepared| {
        let (mended, sink) = if args.repair {
            let sink = open_existing(prepared.target).await?;
            let Run { report, error } = repair_one(prepared, &sink).await;
            if let Some(error) = error {
                return Err(error.into());
            }
            if !args.json {
                told(&summary::report(context, &report));
            }
            (summary::exit_of(&report), sink)
        } else {
            (Exit::Done, open_to_read(prepared.target).await?)
        };
        let verification = verify_one(prepared, &sink).await?;
        sink.close().await?;
        if args.json {
            answer_json(&verification)?;
        } else {
            told(&summary::verification(context, &verification));
        }
        let exit = if verification.is_exact() { Exit::Done } else { Exit::Differences };
        Ok(mended.worse(exit))
    })
    .await
}

async fn repair_one(prepared: &Prepared<'_>, sink: &AnySink) -> Run {
    let events = |event: &Event| prepared.progress.on(event);
    let run = sync::repair(&prepared.job(sink, &events)).await;
    prepared.progress.end();
    run
}

/// One comparison, given up when somebody asks to stop.
pub async fn verify_one(prepared: &Prepared<'_>, sink: &AnySink) -> Result<Verification, SyncError> {
    let seen = |seen| prepared.progress.on(&Event::Listing { seen });
    let result = tokio::select! {
        biased;
        () = prepared.stop.asked() => Err(SyncError::Interrupted),
        verification = sync::verify(prepared.client, sink, &prepared.scope, prepared.filter, seen) => verification,
    };
    prepared.progress.end();
    result
}
