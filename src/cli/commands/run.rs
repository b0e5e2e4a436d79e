//! `dn run`: every job of the configuration on its rhythm, until it is told to stop.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tracing::{error, info};

use crate::cli::args::RunArgs;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::office::{Limiters, Office};
use crate::cli::signals::{self, Hangups};
use crate::config::defaults;
use crate::serve::{Board, Options, Plan, serve};

/// Runs until it is told to stop. A configuration that is wrong ends it at the start, and changes nothing later.
pub async fn run(context: &Context, args: &RunArgs) -> Result<Exit, CliError> {
    let limiters = Limiters::default();
    let first = plan(context, args, &limiters)?;
    let stop = signals::listen()?;
    let hangups = Hangups::listen()?;
    info!("{}; SIGHUP reads the configuration again, SIGTERM stops", told(&first));
    let options =
        Options { board: Board::default(), stop, clock: Arc::new(Timestamp::now), lot: rand::random::<u64>() };
    let (sender, plans) = mpsc::channel(1);
    let mut desk = Arc::clone(&first.desk);
    tokio::select! {
        () = serve(first, &options, plans) => {}
        () = reload(context, args, &limiters, hangups, sender, &mut desk) => {}
    }
    desk.close().await;
    Ok(Exit::Done)
}

/// Reads the configuration again whenever somebody asks. One that cannot be used is told, and the one before stays.
async fn reload(
    context: &Context,
    args: &RunArgs,
    limiters: &Limiters,
    mut hangups: Hangups,
    plans: mpsc::Sender<Plan<Office>>,
    desk: &mut Arc<Office>,
) {
    loop {
        hangups.next().await;
        match plan(context, args, limiters) {
            Ok(plan) => {
                info!("the configuration was read again: {}", told(&plan));
                let before = std::mem::replace(desk, Arc::clone(&plan.desk));
                if plans.send(plan).await.is_err() {
                    return;
                }
                before.close().await;
            }
            Err(error) => error!("the configuration is not taken, the one before stays: {}", error.in_one_line()),
        }
    }
}

/// Everything that the configuration asks for, checked.
fn plan(context: &Context, args: &RunArgs, limiters: &Limiters) -> Result<Plan<Office>, CliError> {
    let config = context.config()?;
    let workers = args.workers.or(config.workers.as_ref().map(|workers| workers.value)).unwrap_or(defaults::WORKERS);
    let (office, jobs) = Office::open(context, &config, &args.job.overrides(None), limiters)?;
    Ok(Plan { jobs, desk: Arc::new(office), workers: workers as usize })
}

fn told(plan: &Plan<Office>) -> String {
    let paused = plan.jobs.iter().filter(|job| job.schedule.paused).count();
    format!("{} jobs, of which {paused} paused; {} at once", plan.jobs.len(), plan.workers)
}
