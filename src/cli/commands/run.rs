//! `dn run`: every job of the configuration on its rhythm, until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use crate::cli::alarm::{self, Alarm};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::JobArgs;
use crate::cli::office::{Limiters, Office};
use crate::cli::signals::{self, Hangups};
use crate::config::{Config, defaults};
use crate::serve::hints::Webhooks;
use crate::serve::{Board, Clock, Door, Options, Plan, View, serve};

/// `dn run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// What to sync.
    #[command(flatten)]
    pub job: JobArgs,
    /// Have so many runs under way at once, 1 to 64 [default: that of the configuration, else 1]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub workers: Option<u32>,
}

/// How many hints wait for the loop, which takes each at once; what finds no room is dropped and counted.
const HINTS_AT_ONCE: usize = 256;

/// Runs until it is told to stop. A configuration that is wrong ends it at the start, and changes nothing later.
pub async fn run(context: &Context, args: &RunArgs) -> Result<Exit, CliError> {
    let (limiters, board) = (Limiters::default(), Board::default());
    let clock: Clock = Arc::new(Timestamp::now);
    let (hint_sender, hints) = mpsc::channel(HINTS_AT_ONCE);
    let webhooks = Webhooks::new(hint_sender);
    let Wanted { plan: first, signals, alarm } = read(context, args, &limiters, &board)?;
    first.desk.admit(&webhooks);
    let door = signals.open(&board, &clock, &webhooks).await?;
    let stop = signals::listen()?;
    let hangups = Hangups::listen()?;
    info!("{}; SIGHUP reads the configuration again, SIGTERM stops", told(&first));
    first.desk.show_clients();
    let options = Options { board: board.clone(), stop, clock: Arc::clone(&clock), lot: rand::random::<u64>() };
    let (plan_sender, plans) = mpsc::channel(1);
    let (alarm_sender, alarms) = watch::channel(alarm);
    let mut desk = Arc::clone(&first.desk);
    let replaced = Replaced { plans: plan_sender, alarms: alarm_sender, webhooks: &webhooks, signals };
    let watching = tokio::spawn(alarm::watch(board.clone(), clock, alarms));
    tokio::select! {
        () = serve(first, &options, plans, hints) => {}
        () = reload(hangups, || read(context, args, &limiters, &board), &mut desk, replaced) => {}
    }
    watching.abort();
    if let Some(door) = door {
        door.close().await;
    }
    desk.close().await;
    Ok(Exit::Done)
}

/// Everything that a configuration asks for.
struct Wanted {
    plan: Plan<Office>,
    signals: Signals,
    alarm: Alarm,
}

/// What a reload replaces, and what it cannot: the door.
struct Replaced<'w> {
    plans: mpsc::Sender<Plan<Office>>,
    alarms: watch::Sender<Alarm>,
    webhooks: &'w Webhooks,
    signals: Signals,
}

/// Reads the configuration again whenever somebody asks. One that cannot be used is told, and the one before stays.
async fn reload(
    mut hangups: Hangups,
    read: impl Fn() -> Result<Wanted, CliError>,
    desk: &mut Arc<Office>,
    replaced: Replaced<'_>,
) {
    loop {
        hangups.next().await;
        match read() {
            Ok(Wanted { plan, signals, alarm }) => {
                let words = told(&plan);
                if signals != replaced.signals {
                    warn!("`listen` or `ready-within` has changed: that needs a restart, the door stays as it was");
                }
                replaced.alarms.send_replace(alarm);
                let before = std::mem::replace(desk, Arc::clone(&plan.desk));
                desk.show_clients();
                desk.admit(replaced.webhooks);
                info!("the configuration was read again: {words}");
                if replaced.plans.send(plan).await.is_err() {
                    return;
                }
                before.close().await;
            }
            Err(error) => error!("the configuration is not taken, the one before stays: {}", error.in_one_line()),
        }
    }
}

/// Everything that the configuration asks for, checked.
fn read(context: &Context, args: &RunArgs, limiters: &Limiters, board: &Board) -> Result<Wanted, CliError> {
    let config = context.config()?;
    let workers = args.workers.or(config.workers.as_ref().map(|workers| workers.value)).unwrap_or(defaults::WORKERS);
    let (office, jobs) = Office::open(context, &config, &args.job.overrides(None), limiters, board)?;
    let plan = Plan { jobs, desk: Arc::new(office), workers: workers as usize };
    Ok(Wanted { plan, signals: Signals::of(&config), alarm: Alarm::new(&config.alerts)? })
}

fn told(plan: &Plan<Office>) -> String {
    let paused = plan.jobs.iter().filter(|job| job.schedule.paused).count();
    let jobs = match plan.jobs.len() {
        1 => "1 job".to_owned(),
        count => format!("{count} jobs"),
    };
    format!("{jobs}, of which {paused} paused; {} at once", plan.workers)
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
