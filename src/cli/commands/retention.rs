//! `dn retention`: what has been kept for its term.

use clap::Args;
use serde::Serialize;

use super::sync::finish;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::JobArgs;
use crate::cli::jobs::Work;
use crate::cli::printer::{answer, answer_json};
use crate::cli::{signals, summary};
use crate::cycle::targets::{open_existing, open_to_read};
use crate::report::{REPORT_VERSION, RetentionReport};
use crate::sink::Sink as _;

/// `dn retention`.
#[derive(Clone, Debug, Args)]
pub struct RetentionArgs {
    /// The démarches and their targets.
    #[command(flatten)]
    pub job: JobArgs,
    /// Anonymise and purge what is due [default: only list it]
    #[arg(long)]
    pub apply: bool,
    /// Go on however many dossiers are due at once [default: the brake of `max-delete-share`]
    #[arg(long, requires = "apply")]
    pub allow_deletes: bool,
    /// Print one versioned JSON object for each démarche [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// The object that `dn retention --json` prints.
#[derive(Serialize)]
struct Look<'a> {
    version: u32,
    instance: &'a str,
    demarche: u32,
    target: &'a str,
    #[serde(flatten)]
    report: &'a RetentionReport,
}

/// Tells what is due in every target, and does it when asked.
pub async fn run(context: &Context, args: &RetentionArgs) -> Result<Exit, CliError> {
    let work = Work { allow_deletes: args.allow_deletes, ..Work::offline(context, &args.job, args.json) };
    let stop = signals::listen()?;
    work.each(&stop, async |cycle| {
        let target = &cycle.job.target;
        if args.apply {
            let sink = open_existing(target, &context.secrets).await?;
            let run = cycle.retain(&sink).await?;
            sink.close().await?;
            return Ok(finish(context, args.json, run));
        }
        let sink = open_to_read(target, &context.secrets).await?;
        let report = cycle.plan_retention(&sink).await?;
        let (scope, target) = (&cycle.job.scope, sink.name().to_owned());
        sink.close().await?;
        if args.json {
            let (instance, demarche) = (scope.instance.as_str(), scope.demarche.get());
            answer_json(&Look { version: REPORT_VERSION, instance, demarche, target: &target, report: &report })?;
        } else {
            let title = format!("{scope} → {target}\n");
            answer(&(title + &summary::retention(context, &report)))?;
        }
        Ok(Exit::Done)
    })
    .await
}
