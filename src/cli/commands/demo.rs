//! `dn demo`: the main job on the embedded platform, from nothing to a verified copy.

use std::time::{Duration, Instant};

use clap::Args;
use comfy_table::CellAlignment;
use jiff::SignedDuration;

use crate::api::Client;
use crate::cli::context::{Context, variable};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::printer::{grouped, table, tell};
use crate::cli::progress::ProgressReporter;
use crate::cli::{signals, summary, told};
use crate::config::{SqliteTarget, SyncSettings, Target, resolve_target};
use crate::cycle::targets::{kind_of, open};
use crate::cycle::{Cycle, CycleEvent, CycleJob};
use crate::ids::{DemarcheNumber, Scope};
use crate::platform::Platform;
use crate::privacy::{Filter, Policy};
use crate::report::Report;
use crate::sandbox::{DEMARCHE_COMPLETE, Sandbox, WorldSpec};
use crate::sink::AnySink;
use crate::sync::{self, Settings, Verification};

/// `dn demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Keep the database here [default: a file in the temporary folder]
    #[arg(long, value_name = "TARGET")]
    pub to: Option<String>,
    /// Generate another world
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Generate so many dossiers
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    pub dossiers: u32,
    /// Imitate this platform: demarche-numerique or demat-social
    #[arg(long, value_name = "NAME", default_value_t = Platform::DemarcheNumerique)]
    pub platform: Platform,
}

/// The number of changes to the world between two runs.
const CHANGES: u32 = 80;

/// One run of the demonstration.
struct Round {
    title: &'static str,
    report: Report,
    took: Duration,
}

/// Syncs, changes the world, syncs again, and verifies.
pub async fn run(context: &Context, args: &DemoArgs) -> Result<Exit, CliError> {
    let stop = signals::listen()?;
    let target = target(args)?;
    let spec = WorldSpec { seed: args.seed, ..WorldSpec::new(args.platform) };
    let sandbox = Sandbox::new(&spec.only(&[DEMARCHE_COMPLETE]).dossiers(args.dossiers));
    let server =
        sandbox.serve_locally().await.map_err(|source| CliError::System { what: "listening on a port", source })?;
    let client = Client::builder(args.platform).url(server.url()).token(sandbox.token()).build()?;
    let filter = Filter::new(Policy::default(), None)?;
    let sink = open(&target, &context.secrets).await?;
    let scope = Scope { instance: "sandbox".to_owned(), demarche: DemarcheNumber::new(DEMARCHE_COMPLETE) };
    let progress = ProgressReporter::new(context.progress(false), &scope);
    let job = CycleJob {
        scope,
        client,
        target,
        filter,
        settings: Settings::default(),
        instructeur: None,
        push_on_schedule: false,
        retention: SyncSettings::default().retention,
    };
    // The world has a clock of its own: a day can go by between two runs.
    let clock = || sandbox.now();
    let events = |event: &CycleEvent<'_>| progress.hear(event);
    let cycle = Cycle { job: &job, stop: &stop, clock: &clock, events: &events };
    let say = |text: &str| {
        if !context.global.quiet {
            progress.pause(|| tell(text));
        }
    };

    let mut rounds = Vec::new();
    say("first run: everything since the beginning");
    rounds.push(round("first run", &cycle, &sink).await?);
    say("the platform lives: answers, decisions, deletions, silent changes, a day goes by");
    sandbox.live(DEMARCHE_COMPLETE, CHANGES, args.seed);
    sandbox.advance(SignedDuration::from_hours(25));
    say("second run: what moved, and the daily complete listing");
    rounds.push(round("after changes", &cycle, &sink).await?);
    say("third run: nothing moved");
    rounds.push(round("again", &cycle, &sink).await?);
    say("verification: the platform's complete listing against the database");
    let verification = cycle.verify(&sink).await?;
    progress.end();
    sink.close().await?;
    server.stop().await.map_err(|source| CliError::System { what: "the end of the server", source })?;
    told(context, false, &render(context, &job.target, &rounds, &verification));
    let exit = if verification.is_exact() { Exit::Done } else { Exit::Differences };
    Ok(rounds.iter().map(|round| summary::exit_of(&round.report)).fold(exit, Exit::worse))
}

/// Where the database goes: a file of its own in the temporary folder, unless said otherwise.
fn target(args: &DemoArgs) -> Result<Target, CliError> {
    match &args.to {
        Some(text) => Ok(resolve_target(text, &variable)?),
        None => {
            let name = format!("dn-demo-{}.db", std::process::id());
            Ok(Target::Sqlite(SqliteTarget { path: std::env::temp_dir().join(name) }))
        }
    }
}

async fn round(title: &'static str, cycle: &Cycle<'_>, sink: &AnySink) -> Result<Round, CliError> {
    let begun = Instant::now();
    let run = sync::run(&cycle.engine_job(sink, &cycle.run_events())).await;
    match run.error {
        Some(error) => Err(error.into()),
        None => Ok(Round { title, report: run.report, took: begun.elapsed() }),
    }
}

fn render(context: &Context, target: &Target, rounds: &[Round], verification: &Verification) -> String {
    let mut rows = table(&["Run", "New", "Changed", "Gone", "Back", "Requests", "Seconds"], context.width);
    for Round { title, report, took } in rounds {
        let counts = report.counts;
        rows.add_row([
            (*title).to_owned(),
            grouped(counts.inserted),
            grouped(counts.updated),
            grouped(counts.deleted),
            grouped(counts.restored),
            grouped(report.requests),
            format!("{:.1}", took.as_secs_f64()),
        ]);
    }
    for index in 1..7 {
        if let Some(column) = rows.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let verdict = format!(
        "verified: {} dossiers listed, {} missing, {} stale, {} ghost",
        grouped(verification.listed),
        verification.missing.len(),
        verification.stale.len(),
        verification.ghost.len(),
    );
    let place = kind_of(target).how_to_look(DEMARCHE_COMPLETE);
    format!("{rows}\n{verdict}\n\n{place}")
}
