//! `dn verify`: is anything missing?

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::JobArgs;
use crate::cli::jobs::{Network, Work};
use crate::cli::printer::answer_json;
use crate::cli::{signals, summary, told, written};
use crate::cycle::targets::{open_existing, open_to_read};
use crate::cycle::{Cycle, CycleEvent};
use crate::sink::AnySink;
use crate::sync::{self, Run};

/// `dn verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// The démarches and targets to compare.
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
    work.each(&stop, async |cycle| {
        let (mended, sink) = if args.repair {
            let sink = open_existing(&cycle.job.target, &context.secrets).await?;
            let Run { report, error } = repair_one(cycle, &sink).await;
            if let Some(error) = error {
                return Err(error.into());
            }
            if !args.json {
                told(context, report.brake.is_some(), &summary::report(context, &report));
            }
            (summary::exit_of(&report), sink)
        } else {
            (Exit::Done, open_to_read(&cycle.job.target, &context.secrets).await?)
        };
        let verification = cycle.verify(&sink).await?;
        sink.close().await?;
        let exit = if verification.is_exact() { Exit::Done } else { Exit::Differences };
        let exit = mended.worse(exit);
        if args.json {
            return Ok(written(exit, answer_json(&verification)));
        }
        told(context, !verification.is_exact(), &summary::verification(context, &verification));
        Ok(exit)
    })
    .await
}

async fn repair_one(cycle: &Cycle<'_>, sink: &AnySink) -> Run {
    let run = sync::repair(&cycle.engine_job(sink, &cycle.run_events())).await;
    (cycle.events)(&CycleEvent::StepEnded);
    run
}
