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

pub use ended::{About, finish, show_plan};
pub use unserved::{Served, in_words, place};

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::JobArgs;
use crate::cli::jobs::{Network, Work};
use crate::cli::printer::tell;
use crate::cli::signals;
use crate::config::Overrides;
use crate::cycle::targets::{open_existing, open_to_read};
use crate::sink::AnySink;

/// `dn push`.
#[derive(Clone, Debug, Args)]
pub struct PushArgs {
    /// The démarches and targets to send from.
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
    work.each(&stop, async |cycle| {
        let (target, secrets) = (&cycle.job.target, &context.secrets);
        if resolves {
            return resolve::resolve(context, cycle, args).await;
        }
        let (outcome, unserved) = match &file {
            Some(file) => decisions::push(cycle, args, file, &served).await?,
            None => {
                let sink = match args.apply {
                    true => open_existing(target, secrets).await?,
                    false => open_to_read(target, secrets).await?,
                };
                if args.adopt {
                    adopt(&sink).await?;
                }
                let outcome = match args.apply {
                    true => cycle.push(&sink, args.instructeur.as_deref()).await,
                    false => cycle.plan_push(&sink, args.instructeur.as_deref()).await,
                };
                let unserved = match told.insert(place(target)) {
                    true => served.unserved_in(&sink, target).await,
                    false => Ok(Vec::new()),
                };
                sink.close().await?;
                (outcome?, unserved?)
            }
        };
        Ok(finish(context, args.json, if args.apply { About::Applied } else { About::Plan }, outcome, unserved))
    })
    .await
}

/// Lets a copy of a document send.
async fn adopt(sink: &AnySink) -> Result<(), CliError> {
    let Some(sink) = sink.document() else {
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
