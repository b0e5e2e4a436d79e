//! `dn retention`: what has been kept for its term.

use std::collections::BTreeSet;

use clap::Args;
use serde::Serialize;

use super::sync::finish;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::JobArgs;
use crate::cli::jobs::{Prepared, Work};
use crate::cli::printer::{answer, answer_json};
use crate::cli::targets::{open_existing, open_to_read, with_outbox};
use crate::cli::{signals, summary};
use crate::ids::{DossierNumber, Scope};
use crate::report::{REPORT_VERSION, RetentionReport};
use crate::sink::{AnySink, Outbox as _, Sink as _};
use crate::sync::{self, Run};

/// `dn retention`.
#[derive(Clone, Debug, Args)]
pub struct RetentionArgs {
    /// Which démarches and targets.
    #[command(flatten)]
    pub job: JobArgs,
    /// Do it [default: only tell what is due]
    #[arg(long)]
    pub apply: bool,
    /// Go on however many dossiers are due at once [default: the brake of `max-delete-share`]
    #[arg(long, requires = "apply")]
    pub allow_deletes: bool,
    /// Print one versioned JSON object for each démarche [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// How many pending intents are read at a time.
const PAGE: u32 = 500;

/// What is due, as `dn retention --json` prints it.
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
    work.each(&stop, async |prepared| {
        if args.apply {
            let sink = open_existing(prepared.target).await?;
            let run = retain_one(prepared, &sink).await?;
            sink.close().await?;
            return Ok(finish(context, args.json, run));
        }
        let sink = open_to_read(prepared.target).await?;
        let busy = busy(&sink, &prepared.scope).await?;
        let rules = prepared.retention.rules();
        let report = sync::retention_due(&sink, &prepared.scope, &rules, &busy, context.now()).await?;
        let (scope, target) = (&prepared.scope, sink.name());
        if args.json {
            let (instance, demarche) = (scope.instance.as_str(), scope.demarche.get());
            answer_json(&Look { version: REPORT_VERSION, instance, demarche, target, report: &report })?;
        } else {
            let title = format!("{scope} → {target}\n");
            answer(&(title + &summary::retention(context, &report)))?;
        }
        sink.close().await?;
        Ok(Exit::Done)
    })
    .await
}

/// Does what is due in one target.
///
/// # Errors
/// The outbox cannot be read. What ends the work itself is in the run.
pub async fn retain_one(prepared: &Prepared<'_>, sink: &AnySink) -> Result<Run, CliError> {
    let busy = busy(sink, &prepared.scope).await?;
    let events = |event: &sync::Event| prepared.progress.on(event);
    let run = sync::retain(&prepared.job(sink, &events), &prepared.retention.rules(), &busy).await;
    prepared.progress.end();
    Ok(run)
}

/// The dossiers about which an intent waits, or a decision that somebody ticked in a document.
async fn busy(sink: &AnySink, scope: &Scope) -> Result<BTreeSet<DossierNumber>, CliError> {
    let mut busy = BTreeSet::new();
    if let AnySink::Grist(document) = sink {
        busy.extend(document.decisions(scope).await?.intents.iter().map(|intent| intent.dossier));
    }
    let mut after = None;
    loop {
        let entries = with_outbox!(sink, outbox => outbox.pending(scope, after, PAGE).await?).unwrap_or_default();
        let Some(last) = entries.last() else { return Ok(busy) };
        after = Some(last.seq);
        busy.extend(entries.iter().map(|entry| entry.dossier));
    }
}
