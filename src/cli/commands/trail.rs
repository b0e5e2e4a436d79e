//! `dn trail`: who asked, what was sent when, what the platform answered. Reads the target only.

use std::collections::BTreeSet;

use clap::Args;
use serde::Serialize;

use super::push::{Served, in_words, place};
use crate::cli::context::{Context, variable};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::failed;
use crate::cli::flags::JobArgs;
use crate::cli::printer::{answer, answer_json, instant, legible, table, tell};
use crate::cli::words::mutation;
use crate::config::{self, JobConfig};
use crate::cycle::targets::open_to_read;
use crate::ids::Scope;
use crate::sink::{Happening, Outbox, TrailLine, with_outbox};

/// `dn trail`.
#[derive(Clone, Debug, Args)]
pub struct TrailArgs {
    /// The démarches and targets to look at.
    #[command(flatten)]
    pub job: JobArgs,
    /// Print comma-separated values [default: a table]
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// Print one JSON object a line [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// The number of lines that are read at a time.
const PAGE: u32 = 500;

/// One line, as JSON and as CSV.
#[derive(Serialize)]
struct Line<'a> {
    instance: &'a str,
    demarche: u32,
    seq: i64,
    at: jiff::Timestamp,
    intent: &'a str,
    dossier: u32,
    happening: Happening,
    action: &'a str,
    author: Option<&'a str>,
    mutation: Option<&'a str>,
    words: Option<&'a str>,
    state: Option<&'a str>,
    fingerprint: Option<String>,
}

impl<'a> Line<'a> {
    fn of(scope: &'a Scope, line: &'a TrailLine) -> Self {
        Self {
            instance: &scope.instance,
            demarche: scope.demarche.get(),
            seq: line.seq,
            at: line.at,
            intent: line.intent.as_str(),
            dossier: line.dossier.get(),
            happening: line.happening,
            action: &line.action,
            author: line.author.as_deref(),
            mutation: line.mutation.as_deref(),
            words: line.words.as_deref(),
            state: line.seen.as_ref().map(|seen| seen.state.as_str()),
            fingerprint: line.seen.as_ref().map(|seen| seen.fingerprint.to_string()),
        }
    }
}

/// Shows the trail of every démarche.
pub async fn run(context: &Context, args: &TrailArgs) -> Result<Exit, CliError> {
    let config = context.config()?;
    let mut exit = Exit::Done;
    let flags = args.job.overrides(None);
    let served = Served::of(context, &flags)?;
    let mut told = BTreeSet::new();
    for (index, job) in config::resolve(&config, &flags, &variable)?.iter().enumerate() {
        let served = told.insert(place(&job.target.value)).then_some(&served);
        let shown = match read(context, job, served).await {
            Ok((scope, lines)) => show(context, args, &scope, &lines, index == 0).map(|()| Exit::Done),
            Err(error) => Ok(failed(&error)),
        };
        // The next démarches are read all the same.
        exit = exit.worse(shown.unwrap_or_else(|error| failed(&error)));
    }
    Ok(exit)
}

async fn read(
    context: &Context,
    job: &JobConfig,
    served: Option<&Served>,
) -> Result<(Scope, Vec<TrailLine>), CliError> {
    let sink = open_to_read(&job.target.value, &context.secrets).await?;
    let scope = Scope { instance: job.instance.name.clone(), demarche: job.demarche.value };
    let lines = with_outbox!(&sink, outbox => all(outbox, &scope).await?).unwrap_or_default();
    if let Some(served) = served {
        // They have no line: nothing ever happened to them.
        in_words(&served.unserved_in(&sink, &job.target.value).await?).iter().for_each(|line| tell(line));
    }
    sink.close().await?;
    Ok((scope, lines))
}

async fn all<O: Outbox>(outbox: &O, scope: &Scope) -> Result<Vec<TrailLine>, CliError> {
    let mut lines = Vec::new();
    loop {
        let page = outbox.trail(scope, lines.last().map(|line: &TrailLine| line.seq), PAGE).await?;
        if page.is_empty() {
            return Ok(lines);
        }
        lines.extend(page);
    }
}

fn show(context: &Context, args: &TrailArgs, scope: &Scope, lines: &[TrailLine], first: bool) -> Result<(), CliError> {
    if args.json {
        return lines.iter().try_for_each(|line| answer_json(&Line::of(scope, line)));
    }
    if args.csv {
        let mut writer = csv::WriterBuilder::new().has_headers(first).from_writer(Vec::new());
        for line in lines {
            writer.serialize(Line::of(scope, line)).map_err(|error| CliError::Output(error.into()))?;
        }
        let bytes = writer.into_inner().map_err(|error| CliError::Output(error.into_error()))?;
        return answer(String::from_utf8_lossy(&bytes).trim_end());
    }
    let mut rows = table(&["When", "Dossier", "What", "Answer", "State"], context.width);
    for line in lines {
        let what = line.mutation.as_deref().map_or_else(|| line.action.clone(), mutation);
        rows.add_row([
            instant(line.at, &context.zone),
            line.dossier.to_string(),
            format!("{}: {what}", happening(line.happening)),
            legible(line.words.as_deref().unwrap_or_default()),
            line.seen.as_ref().map(|seen| seen.state.to_string()).unwrap_or_default(),
        ]);
    }
    answer(&format!("{scope}\n{rows}"))
}

fn happening(happening: Happening) -> &'static str {
    match happening {
        Happening::Asked => "asked",
        Happening::Sending => "sent",
        Happening::Answered => "answered",
        Happening::PutOff => "put off",
        Happening::Settled => "settled",
        Happening::Resolved => "resolved",
    }
}
