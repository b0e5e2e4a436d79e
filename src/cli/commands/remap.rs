//! `dn remap`: columns computed again from the stored documents.

use super::sync::finish;
use crate::cli::args::RemapArgs;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::jobs::Work;
use crate::cli::signals;
use crate::cli::targets::open_existing;
use crate::sync;

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
