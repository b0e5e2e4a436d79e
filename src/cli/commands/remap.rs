//! `dn remap`: columns computed again from the stored documents.

use clap::Args;

use super::sync::finish;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::JobArgs;
use crate::cli::jobs::Work;
use crate::cli::signals;
use crate::cycle::CycleEvent;
use crate::cycle::targets::open_existing;
use crate::sync;

/// `dn remap`.
#[derive(Clone, Debug, Args)]
pub struct RemapArgs {
    /// The démarches and targets to write again.
    #[command(flatten)]
    pub job: JobArgs,
    /// Print one versioned JSON object for each démarche [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// Writes every stored dossier again, without the network.
pub async fn run(context: &Context, args: &RemapArgs) -> Result<Exit, CliError> {
    let work = Work::offline(context, &args.job, args.json);
    let stop = signals::listen()?;
    work.each(&stop, async |cycle| {
        let sink = open_existing(&cycle.job.target, &context.secrets).await?;
        let run = sync::remap(&cycle.engine_job(&sink, &cycle.run_events())).await;
        sink.close().await?;
        (cycle.events)(&CycleEvent::StepEnded);
        Ok(finish(context, args.json, run))
    })
    .await
}
