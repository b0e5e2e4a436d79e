//! `dn run`: every job of the configuration on its rhythm, until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, watch};
use tracing::{error, info, warn};

use crate::cli::alarm::{self, Alarm};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::JobArgs;
use crate::cli::printer::tell;
use crate::cli::signals::{self, Hangups};
use crate::cli::words;
use crate::config::Config;
use crate::cycle::{CycleRunner, Limiters, Widget, watch_commands};
use crate::serve::hints::Webhooks;
use crate::serve::{AskedJobs, Clock, Endpoint, ServiceOptions, ServicePlan, StatusBoard, View, WidgetSource, serve};

/// `dn run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// The démarches and targets to sync.
    #[command(flatten)]
    pub job: JobArgs,
    /// Have so many runs under way at once, 1 to 64 [default: that of the configuration, else 1]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub workers: Option<u32>,
}

/// The number of hints that wait for the loop, which takes each at once; what finds no room is dropped and counted.
const HINTS_AT_ONCE: usize = 256;

/// Runs until it is told to stop. A configuration that is wrong ends it at the start, and changes nothing later.
pub async fn run(context: &Context, args: &RunArgs) -> Result<Exit, CliError> {
    let (limiters, board) = (Limiters::default(), StatusBoard::default());
    let clock: Clock = Arc::new(Timestamp::now);
    let (hint_sender, hints) = mpsc::channel(HINTS_AT_ONCE);
    let webhooks = Webhooks::new(hint_sender);
    let Wanted { plan: first, signals, alarm } = read(context, args, &limiters, &board)?;
    first.runner.admit(&webhooks);
    let look = Arc::new(Notify::new());
    let (runner_sender, runners) = watch::channel(Arc::clone(&first.runner));
    let widget = signals.widget.then(|| Widget::new(runners.clone(), board.clone(), Arc::clone(&look)));
    let endpoint = signals.open(&board, &clock, &webhooks, widget).await?;
    let stop = signals::listen()?;
    let hangups = Hangups::listen()?;
    info!("{}; SIGHUP reads the configuration again, SIGTERM stops", told(&first));
    first.runner.show_clients();
    let asked = AskedJobs::default();
    let options = ServiceOptions {
        board: board.clone(),
        stop,
        clock: Arc::clone(&clock),
        asked: asked.clone(),
        tie_breaker: rand::random::<u64>(),
    };
    let (plan_sender, plans) = mpsc::channel(1);
    let (alarm_sender, alarms) = watch::channel(alarm);
    let mut runner = Arc::clone(&first.runner);
    let replaced =
        Replaced { plans: plan_sender, alarms: alarm_sender, runners: runner_sender, webhooks: &webhooks, signals };
    let watching = tokio::spawn(alarm::watch(board.clone(), clock, alarms));
    let reading = tokio::spawn(watch_commands(runners, asked, look));
    tokio::select! {
        () = serve(first, &options, plans, hints) => {}
        () = reload(hangups, || read(context, args, &limiters, &board), &mut runner, replaced) => {}
    }
    watching.abort();
    reading.abort();
    if let Some(endpoint) = endpoint {
        endpoint.close().await;
    }
    runner.close().await;
    Ok(Exit::Done)
}

/// Everything that a configuration asks for.
struct Wanted {
    plan: ServicePlan<CycleRunner>,
    signals: Signals,
    alarm: Alarm,
}

/// Holds what a reload replaces, and what it cannot replace: the endpoint.
struct Replaced<'w> {
    plans: mpsc::Sender<ServicePlan<CycleRunner>>,
    alarms: watch::Sender<Alarm>,
    runners: watch::Sender<Arc<CycleRunner>>,
    webhooks: &'w Webhooks,
    signals: Signals,
}

/// Reads the configuration again at each SIGHUP. One that cannot be used is told, and the one before stays.
async fn reload(
    mut hangups: Hangups,
    read: impl Fn() -> Result<Wanted, CliError>,
    runner: &mut Arc<CycleRunner>,
    replaced: Replaced<'_>,
) {
    loop {
        hangups.next().await;
        match read() {
            Ok(Wanted { plan, signals, alarm }) => {
                let words = told(&plan);
                if signals != replaced.signals {
                    warn!(
                        "`listen`, `ready-within` or `grist-widget` has changed: that needs a restart, the endpoint stays as it was"
                    );
                }
                replaced.alarms.send_replace(alarm);
                let before = std::mem::replace(runner, Arc::clone(&plan.runner));
                runner.show_clients();
                runner.admit(replaced.webhooks);
                replaced.runners.send_replace(Arc::clone(runner));
                info!("the configuration was read again: {words}");
                if replaced.plans.send(plan).await.is_err() {
                    return;
                }
                before.close().await;
            }
            Err(error) => {
                error!("the new configuration cannot be used, the one before stays in force: {}", error.in_one_line())
            }
        }
    }
}

/// Everything that the configuration asks for, checked.
fn read(context: &Context, args: &RunArgs, limiters: &Limiters, board: &StatusBoard) -> Result<Wanted, CliError> {
    let config = context.config()?;
    let workers = args.workers.unwrap_or(config.service.workers.value);
    let overrides = args.job.overrides(None);
    let runner = CycleRunner::open(&config, &overrides, context.secrets.clone(), limiters, board)?;
    let runner = runner.listener(Arc::new(|_, event| {
        if let Some(line) = words::cycle_event(event) {
            tell(&line);
        }
    }));
    let plan = ServicePlan { jobs: runner.planned(), runner: Arc::new(runner), workers: workers as usize };
    Ok(Wanted { plan, signals: Signals::of(&config), alarm: Alarm::new(&config.service.alerts, &context.secrets)? })
}

fn told(plan: &ServicePlan<CycleRunner>) -> String {
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
    widget: bool,
}

impl Signals {
    fn of(config: &Config) -> Self {
        Self {
            listen: config.service.listen.as_ref().map(|setting| setting.value),
            ready_within: config.service.ready_within.as_ref().map(|setting| setting.value),
            widget: config.service.grist_widget.value,
        }
    }

    /// Opens the endpoint, where there is to be one.
    async fn open(
        self,
        board: &StatusBoard,
        clock: &Clock,
        webhooks: &Webhooks,
        widget: Option<Widget>,
    ) -> Result<Option<Endpoint>, CliError> {
        let Some(address) = self.listen else { return Ok(None) };
        let view = View {
            board: board.clone(),
            clock: Arc::clone(clock),
            ready_within: self.ready_within,
            webhooks: webhooks.clone(),
            widget: widget.map(|widget| Arc::new(widget) as Arc<dyn WidgetSource>),
        };
        let endpoint = Endpoint::open(address, view).await.map_err(|source| CliError::Listen { address, source })?;
        let more = if self.widget { ", /grist" } else { "" };
        info!("listening on http://{}: /healthz, /readyz, /metrics{more}; {webhooks} may call", endpoint.address());
        Ok(Some(endpoint))
    }
}
