//! `dn run`: every job of the configuration on its rhythm, until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::cli::args::RunArgs;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::office::{Limiters, Office};
use crate::cli::signals::{self, Hangups};
use crate::config::{Config, defaults};
use crate::serve::hints::Webhooks;
use crate::serve::{Board, Clock, Door, Options, Plan, View, serve};

/// How many hints wait for the loop, which takes each at once; what finds no room is dropped and counted.
const HINTS_AT_ONCE: usize = 256;

/// Runs until it is told to stop. A configuration that is wrong ends it at the start, and changes nothing later.
pub async fn run(context: &Context, args: &RunArgs) -> Result<Exit, CliError> {
    let (limiters, board) = (Limiters::default(), Board::default());
    let clock: Clock = Arc::new(Timestamp::now);
    let (hint_sender, hints) = mpsc::channel(HINTS_AT_ONCE);
    let webhooks = Webhooks::new(hint_sender);
    let (first, signals) = plan(context, args, &limiters, &board)?;
    first.desk.admit(&webhooks);
    let door = signals.open(&board, &clock, &webhooks).await?;
    let stop = signals::listen()?;
    let hangups = Hangups::listen()?;
    info!("{}; SIGHUP reads the configuration again, SIGTERM stops", told(&first));
    first.desk.show_clients();
    let options = Options { board: board.clone(), stop, clock, lot: rand::random::<u64>() };
    let (sender, plans) = mpsc::channel(1);
    let mut desk = Arc::clone(&first.desk);
    tokio::select! {
        () = serve(first, &options, plans, hints) => {}
        () = reload(hangups, sender, &mut desk, || plan(context, args, &limiters, &board), (signals, &webhooks)) => {}
    }
    if let Some(door) = door {
        door.close().await;
    }
    desk.close().await;
    Ok(Exit::Done)
}

/// Reads the configuration again whenever somebody asks. One that cannot be used is told, and the one before stays.
async fn reload(
    mut hangups: Hangups,
    plans: mpsc::Sender<Plan<Office>>,
    desk: &mut Arc<Office>,
    read: impl Fn() -> Result<(Plan<Office>, Signals), CliError>,
    (signals, webhooks): (Signals, &Webhooks),
) {
    loop {
        hangups.next().await;
        match read() {
            Ok((plan, wanted)) => {
                let read = told(&plan);
                if wanted != signals {
                    warn!("`listen` or `ready-within` has changed: that needs a restart, the door stays as it was");
                }
                let before = std::mem::replace(desk, Arc::clone(&plan.desk));
                desk.show_clients();
                desk.admit(webhooks);
                info!("the configuration was read again: {read}");
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
fn plan(
    context: &Context,
    args: &RunArgs,
    limiters: &Limiters,
    board: &Board,
) -> Result<(Plan<Office>, Signals), CliError> {
    let config = context.config()?;
    let workers = args.workers.or(config.workers.as_ref().map(|workers| workers.value)).unwrap_or(defaults::WORKERS);
    let (office, jobs) = Office::open(context, &config, &args.job.overrides(None), limiters, board)?;
    Ok((Plan { jobs, desk: Arc::new(office), workers: workers as usize }, Signals::of(&config)))
}

fn told(plan: &Plan<Office>) -> String {
    let paused = plan.jobs.iter().filter(|job| job.schedule.paused).count();
    format!("{} jobs, of which {paused} paused; {} at once", plan.jobs.len(), plan.workers)
}

/// Where the program says how it is, and what it calls fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Signals {
    listen: Option<SocketAddr>,
    ready_within: Option<Duration>,
}

impl Signals {
    fn of(config: &Config) -> Self {
        Self {
            listen: config.listen.as_ref().map(|setting| setting.value),
            ready_within: config.ready_within.as_ref().map(|setting| setting.value),
        }
    }

    /// Opens the door, where there is to be one.
    async fn open(self, board: &Board, clock: &Clock, webhooks: &Webhooks) -> Result<Option<Door>, CliError> {
        let Some(address) = self.listen else { return Ok(None) };
        let view = View {
            board: board.clone(),
            clock: Arc::clone(clock),
            ready_within: self.ready_within,
            webhooks: webhooks.clone(),
        };
        let door = Door::open(address, view).await.map_err(|source| CliError::Listen { address, source })?;
        info!("listening on http://{}: /healthz, /readyz, /metrics; {webhooks} may call", door.address());
        Ok(Some(door))
    }
}
