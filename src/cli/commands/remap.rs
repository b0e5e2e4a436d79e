//! `dn remap`: columns computed again from the stored documents.

use clap::Args;

use super::sync::finish;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::JobArgs;
use crate::cli::jobs::Work;
use crate::cli::signals;
use crate::cli::targets::open_existing;
use crate::sync;

/// `dn remap`.
#[derive(Clone, Debug, Args)]
pub struct RemapArgs {
    /// What to write again.
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
    work.each(&stop, async |prepared| {
        let events = |event: &sync::Event| prepared.progress.on(event);
        let sink = open_existing(prepared.target).await?;
        let run = sync::remap(&prepared.job(&sink, &events)).await;
        sink.close().await?;
        prepared.progress.end();
        Ok(finish(context, args.json, run))
    })
    .await
}
