//! `dn push`: what the back office decided, sent to the platform. Prints the plan unless told to apply it.

mod decisions;
mod file;
mod render;

use std::path::PathBuf;

use futures_util::future::BoxFuture;

use crate::cli::args::PushArgs;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::jobs::{Network, Prepared, Work};
use crate::cli::printer::{answer, answer_json, tell};
use crate::cli::targets::{open, open_existing, open_to_read, with_outbox};
use crate::cli::{failed, signals};
use crate::config::Overrides;
use crate::dossier::Dossier;
use crate::intent::{IntentId, Status};
use crate::sink::{AnySink, MemoryOutbox, Outbox};
use crate::sync::refresh;
use crate::writeback::{Push, PushError, Pushed, QUIET, plan, push};

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
    work.each(&stop, async |prepared| {
        if resolves {
            return resolve(prepared, args).await;
        }
        let ended = match &file {
            Some(file) => decisions::push(prepared, args, file).await?,
            None if args.apply => {
                let sink = open_existing(prepared.target).await?;
                let ended = outbox_of_target(prepared, &sink, args.instructeur.as_deref(), true).await;
                sink.close().await?;
                ended?
            }
            None => {
                let sink = open_to_read(prepared.target).await?;
                let ended = outbox_of_target(prepared, &sink, args.instructeur.as_deref(), false).await;
                sink.close().await?;
                ended?
            }
        };
        finish(context, args.json, args.apply, ended)
    })
    .await
}

/// A push that ended, and what ended it early if anything did.
pub struct Ended {
    /// What it did.
    pub pushed: Option<Pushed>,
    /// What ended it early.
    pub error: Option<PushError>,
}

impl Ended {
    /// Both, one after the other.
    fn and(self, other: Self) -> Self {
        let pushed = match (self.pushed, other.pushed) {
            (Some(mut pushed), Some(more)) => {
                pushed.append(more);
                Some(pushed)
            }
            (one, other) => one.or(other),
        };
        Self { pushed, error: self.error.or(other.error) }
    }
}

impl From<Result<Pushed, PushError>> for Ended {
    fn from(result: Result<Pushed, PushError>) -> Self {
        match result {
            Ok(pushed) => Self { pushed: Some(pushed), error: None },
            Err(error) => {
                let (pushed, error) = error.split();
                Self { pushed, error: Some(error) }
            }
        }
    }
}

/// Empties the outbox of a target, and lets the target take in what moved.
pub async fn outbox_of_target(
    prepared: &Prepared<'_>,
    sink: &AnySink,
    author: Option<&str>,
    apply: bool,
) -> Result<Ended, CliError> {
    match sink {
        AnySink::Grist(outbox) if apply => {
            // What people ticked becomes intents first.
            let taken = outbox.take_decisions(&prepared.scope, jiff::Timestamp::now()).await?;
            for declined in taken.declined {
                let dossier = declined.dossier.map_or_else(String::new, |number| format!(" of dossier {number}"));
                prepared.progress.pause(|| tell(&format!("a decision{dossier} was not taken: {}", declined.reason)));
            }
            Ok(empty(prepared, outbox.as_ref(), Some(sink), author, true).await)
        }
        AnySink::Grist(outbox) => {
            let kept = empty(prepared, outbox.as_ref(), Some(sink), author, false).await;
            let ticked = MemoryOutbox::default();
            let decisions = outbox.decisions(&prepared.scope).await?.intents;
            ticked.put(&prepared.scope, &decisions, jiff::Timestamp::now()).await?;
            Ok(kept.and(empty(prepared, &ticked, None, author, false).await))
        }
        sink => {
            with_outbox!(sink, outbox => empty(prepared, outbox, Some(sink), author, apply).await).ok_or_else(no_outbox)
        }
    }
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
    push(&work, &take_in).await.into()
}

/// An operator's word on intents that are parked.
async fn resolve(prepared: &Prepared<'_>, args: &PushArgs) -> Result<Exit, CliError> {
    let sink = open(prepared.target).await?;
    let ended =
        with_outbox!(&sink, outbox => resolve_in(prepared, outbox, args).await).unwrap_or_else(|| Err(no_outbox()));
    sink.close().await?;
    ended
}

async fn resolve_in<O: Outbox>(prepared: &Prepared<'_>, outbox: &O, args: &PushArgs) -> Result<Exit, CliError> {
    let words = [(&args.retry, Status::Pending), (&args.cancel, Status::Cancelled), (&args.done, Status::Done)];
    let mut exit = Exit::Done;
    outbox.begin(&prepared.scope).await?;
    for (ids, status) in words {
        for id in ids {
            let id = IntentId::new(id.as_str()).map_err(|error| CliError::Usage {
                message: error.to_string(),
                hint: "take the id from `dn push` or from `dn trail`",
            })?;
            if outbox.resolve(&prepared.scope, &id, status, jiff::Timestamp::now()).await? {
                answer(&format!("{id}: {}", status.as_str()))?;
            } else {
                exit = exit.worse(failed(&CliError::Usage {
                    message: format!("`{id}` is unknown, or done already"),
                    hint: "take the id from `dn push` or from `dn trail`",
                }));
            }
        }
    }
    outbox.end(&prepared.scope).await?;
    Ok(exit)
}

/// Prints what a push did, or would do, and gives its code.
pub fn finish(context: &Context, json: bool, applied: bool, ended: Ended) -> Result<Exit, CliError> {
    let mut exit = Exit::Done;
    if let Some(pushed) = &ended.pushed {
        if json {
            answer_json(pushed)?;
        } else {
            answer(&render::pushed(context, pushed, applied))?;
        }
        if applied && pushed.needs_a_person() {
            exit = Exit::Parked;
        }
    }
    Ok(match ended.error {
        Some(error) => exit.worse(failed(&CliError::Push(error))),
        None => exit,
    })
}
