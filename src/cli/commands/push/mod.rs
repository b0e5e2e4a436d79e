//! `dn push`: what the back office decided, sent to the platform. Prints the plan unless told to apply it.

mod decisions;
mod ended;
mod file;
mod render;
mod resolve;
mod unserved;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use futures_util::future::BoxFuture;

pub use ended::{About, Ended, finish};
pub use unserved::{Served, in_words, place};

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::JobArgs;
use crate::cli::jobs::{Network, Prepared, Work};
use crate::cli::printer::tell;
use crate::cli::signals;
use crate::cli::targets::{open_existing, open_to_read, with_outbox};
use crate::config::Overrides;
use crate::dossier::Dossier;
use crate::intent::Status;
use crate::sink::grist::Declined;
use crate::sink::{AnySink, GristSink, MemoryOutbox, Outbox, Sink as _};
use crate::sync::{check_instance, refresh};
use crate::writeback::{Push, PushError, QUIET, plan, push};

/// `dn push`.
#[derive(Clone, Debug, Args)]
pub struct PushArgs {
    /// What to send.
    #[command(flatten)]
    pub job: JobArgs,
    /// Take decisions from here: a target such as sqlite:dossiers.db, or a .csv or .json file [default: the target]
    #[arg(long, value_name = "SOURCE", conflicts_with = "to")]
    pub from: Option<String>,
    /// Send [default: print what would be sent]
    #[arg(long)]
    pub apply: bool,
    /// Send in this instructeur's name, by e-mail address or id, where an intent does not say [default: that of the configuration]
    #[arg(long = "as", value_name = "INSTRUCTEUR")]
    pub instructeur: Option<String>,
    /// Send from this Grist document although it is a copy of another: nothing is sent from the other any more
    #[arg(long, requires = "apply")]
    pub adopt: bool,
    /// Try this parked intent again from its start; may be repeated
    #[arg(long, value_name = "ID", conflicts_with = "apply", help_heading = "Parked intents")]
    pub retry: Vec<String>,
    /// Take this intent back; may be repeated
    #[arg(long, value_name = "ID", conflicts_with = "apply", help_heading = "Parked intents")]
    pub cancel: Vec<String>,
    /// Call this parked intent done: you have seen it on the platform; may be repeated
    #[arg(long, value_name = "ID", conflicts_with = "apply", help_heading = "Parked intents")]
    pub done: Vec<String>,
    /// Print one versioned JSON object for each démarche [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// Sends, or tells what would be sent.
pub async fn run(context: &Context, args: &PushArgs) -> Result<Exit, CliError> {
    let file = args.from.as_deref().filter(|from| decisions::is_file(from)).map(PathBuf::from);
    let source = args.from.clone().filter(|_| file.is_none());
    // The outbox of a file lies beside it, and is a target like another; nothing but intents is in it.
    let beside = file.as_deref().map(|file| format!("sqlite:{}", decisions::outbox_of(file).display()));
    let overrides = Overrides { to: source.or(beside).or(args.job.to.clone()), ..args.job.overrides(None) };
    let resolves = !(args.retry.is_empty() && args.cancel.is_empty() && args.done.is_empty());
    let work = Work {
        context,
        overrides,
        network: if resolves { Network::Unused } else { Network::Needed },
        json: args.json,
        full: false,
        allow_deletes: false,
    };
    let stop = signals::listen()?;
    let served = Served::of(context, &work.overrides)?;
    if file.is_some() && served.named.len() > 1 {
        return Err(CliError::Usage {
            message: "a file of decisions is about one démarche, and several are named".to_owned(),
            hint: "name the one with `--demarche NUMBER`",
        });
    }
    // What a target holds for nobody is told once, however many démarches go into it.
    let mut told = BTreeSet::new();
    work.each(&stop, async |prepared| {
        if resolves {
            return resolve::resolve(prepared, args).await;
        }
        let ended = match &file {
            Some(file) => decisions::push(prepared, args, file, &served).await?,
            None => {
                let open =
                    if args.apply { open_existing(prepared.target).await } else { open_to_read(prepared.target).await };
                let sink = open?;
                if args.adopt {
                    adopt(&sink).await?;
                }
                let ended = outbox_of_target(prepared, &sink, args.instructeur.as_deref(), args.apply).await;
                let unserved = match told.insert(place(prepared.target)) {
                    true => served.unserved_in(&sink, prepared.target).await,
                    false => Ok(Vec::new()),
                };
                sink.close().await?;
                ended?.beside(unserved?)
            }
        };
        finish(context, args.json, if args.apply { About::Applied } else { About::Plan }, ended)
    })
    .await
}

/// Empties the outbox of a target, and lets the target take in what moved.
pub async fn outbox_of_target(
    prepared: &Prepared<'_>,
    sink: &AnySink,
    author: Option<&str>,
    apply: bool,
) -> Result<Ended, CliError> {
    // Numbers of two instances collide: a decision must not reach a stranger's dossier.
    check_instance(prepared.client, sink, &prepared.scope).await?;
    match sink {
        AnySink::Grist(outbox) if apply => {
            // What people ticked becomes intents first.
            let taken = outbox.take_decisions(&prepared.scope, jiff::Timestamp::now()).await?;
            tell_declined(prepared, &taken.declined, "was not taken");
            let ended = empty(prepared, outbox.as_ref(), Some(sink), author, true).await;
            tell_notices(prepared, outbox.as_ref());
            Ok(ended)
        }
        AnySink::Grist(outbox) => {
            let kept = empty(prepared, outbox.as_ref(), Some(sink), author, false).await;
            let ticked = MemoryOutbox::default();
            let taken = outbox.decisions(&prepared.scope).await?;
            tell_declined(prepared, &taken.declined, "would not be taken");
            ticked.put(&prepared.scope, &taken.intents, jiff::Timestamp::now()).await?;
            let planned = kept.and(empty(prepared, &ticked, None, author, false).await);
            if planned.pushed.as_ref().is_some_and(|pushed| !pushed.items.is_empty())
                && let Some(of) = outbox.copied_from().await?
            {
                prepared.progress.pause(|| {
                    tell(&format!(
                        "this document is a copy of {of}: `--apply` refuses to send from it, unless `--adopt` says that \
                         nothing is sent from {of} any more"
                    ));
                });
            }
            tell_notices(prepared, outbox.as_ref());
            Ok(planned)
        }
        sink => {
            with_outbox!(sink, outbox => empty(prepared, outbox, Some(sink), author, apply).await).ok_or_else(no_outbox)
        }
    }
}

/// Rows that somebody ticked and that make no sense: which, and why.
fn tell_declined(prepared: &Prepared<'_>, declined: &[Declined], what: &str) {
    for Declined { dossier, row, reason } in declined {
        let of = dossier.map_or_else(|| format!("in row {row}"), |number| format!("of dossier {number}"));
        prepared.progress.pause(|| tell(&format!("a decision {of} {what}: {reason}")));
    }
}

fn tell_notices(prepared: &Prepared<'_>, sink: &GristSink) {
    for notice in sink.notices() {
        prepared.progress.pause(|| tell(&format!("target: {notice}")));
    }
}

/// Lets a copy of a document send.
async fn adopt(sink: &AnySink) -> Result<(), CliError> {
    let AnySink::Grist(sink) = sink else {
        return Err(CliError::Usage {
            message: "--adopt: only a document of Grist has copies".to_owned(),
            hint: "leave it out",
        });
    };
    if let Some(of) = sink.copied_from().await? {
        sink.adopt().await?;
        tell(&format!("from now on this document sends; nothing must be sent from {of} any more"));
    }
    Ok(())
}

fn no_outbox() -> CliError {
    CliError::Usage {
        message: "this target keeps no outbox".to_owned(),
        hint: "name a SQLite file, a PostgreSQL schema, a Grist document or a file of intents with `--from`",
    }
}

async fn empty<O: Outbox>(
    prepared: &Prepared<'_>,
    outbox: &O,
    sink: Option<&AnySink>,
    author: Option<&str>,
    apply: bool,
) -> Ended {
    let told = |_: &crate::writeback::Item| {};
    let work = Push {
        client: prepared.client,
        outbox,
        scope: &prepared.scope,
        filter: prepared.filter,
        author: author.or(prepared.instructeur.as_deref()),
        quiet: QUIET,
        once: false,
        events: &told,
        stop: prepared.stop,
        clock: &jiff::Timestamp::now,
    };
    if !apply {
        return plan(&work).await.into();
    }
    let events = |event: &crate::sync::Event| prepared.progress.on(event);
    let job = sink.map(|sink| prepared.job(sink, &events));
    let take_in = |dossiers: Vec<Dossier>| -> BoxFuture<'_, Result<(), PushError>> {
        Box::pin(async {
            if let Some(job) = &job {
                refresh(job, dossiers).await?;
            }
            Ok(())
        })
    };
    let ended = Ended::from(push(&work, &take_in).await);
    if ended.error.is_none() {
        return ended;
    }
    // The report ends where the error came: the outbox tells what waits.
    let depth = outbox.depth(&prepared.scope).await.unwrap_or_default();
    let pending = depth.into_iter().find(|(status, _)| *status == Status::Pending);
    ended.leaving(pending.map_or(0, |(_, count)| count))
}
