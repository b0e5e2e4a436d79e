//! A platform, a target and the loop between them, in virtual time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use demarche_numerique::api::{Exchange, RateLimiter, TransportFailure};
use demarche_numerique::ids::Scope;
use demarche_numerique::privacy::{Filter, Policy};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, Sandbox, WorldSpec};
use demarche_numerique::serve::hints::Hinted;
use demarche_numerique::serve::{
    Clock, Due, Ended, History, JobKey, JobOutcome, JobRunner, LOOK_BACK, Limits, News, Planned, Schedule, StatusBoard,
    Ticks, Told, alerts,
};
use demarche_numerique::sink::{MemorySink, Sink as _};
use demarche_numerique::sync::{self, Job, Settings, Stop};
use demarche_numerique::{Client, DemarcheNumber, Platform};
use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

pub const DEMARCHE: u32 = DEMARCHE_COMPLETE;

/// Everything but the loop.
#[derive(Debug)]
pub struct Life {
    pub sandbox: Sandbox,
    pub client: Client,
    pub sink: MemorySink,
    pub scope: Scope,
    pub board: StatusBoard,
    /// True if the target cannot be opened.
    pub down: AtomicBool,
    /// The alerts that were sent, and when.
    pub told: Mutex<(Told, Vec<(Timestamp, News)>)>,
    time: Arc<Time>,
}

/// The platform's clock follows the paused one; what happens on the platform puts it ahead now and then.
#[derive(Debug)]
struct Time {
    sandbox: Sandbox,
    seen: Mutex<Instant>,
}

impl Time {
    fn now(&self) -> Timestamp {
        let mut seen = self.seen.lock().expect("no panic under the lock");
        let passed = seen.elapsed();
        *seen += passed;
        self.sandbox.advance(SignedDuration::try_from(passed).expect("not so long"));
        self.sandbox.now()
    }
}

impl Exchange for Time {
    fn exchange(&self, request: reqwest::Request) -> BoxFuture<'_, Result<reqwest::Response, TransportFailure>> {
        self.now();
        self.sandbox.exchange(request)
    }
}

impl Life {
    pub fn new(start: Timestamp) -> Arc<Self> {
        let platform = Platform::DemarcheNumerique;
        let spec = WorldSpec { start, ..WorldSpec::new(platform).only(&[DEMARCHE]).dossiers(30) };
        let sandbox = Sandbox::new(&spec);
        let time = Arc::new(Time { sandbox: sandbox.clone(), seen: Mutex::new(Instant::now()) });
        let clock = Arc::clone(&time);
        let client = Client::builder(platform)
            .url("http://localhost/api/v2/graphql")
            .token(sandbox.token())
            .limiter(RateLimiter::new(1_000_000, Duration::from_secs(60)))
            .retry_jitter(0.0)
            .clock(move || clock.now())
            .exchange(Arc::clone(&time) as Arc<dyn Exchange>)
            .build()
            .expect("a client");
        Arc::new(Self {
            sandbox,
            client,
            sink: MemorySink::default(),
            scope: Scope { instance: "essai".to_owned(), demarche: DemarcheNumber::new(DEMARCHE) },
            board: StatusBoard::default(),
            down: AtomicBool::new(false),
            told: Mutex::default(),
            time,
        })
    }

    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    pub fn clock(&self) -> Clock {
        let time = Arc::clone(&self.time);
        Arc::new(move || time.now())
    }

    /// The one job: every ten minutes by the clock of Paris.
    pub fn job(&self) -> Planned {
        let ticks: Ticks = "*/10 * * * *".parse().expect("a rhythm");
        let zone = TimeZone::get("Europe/Paris").expect("a zone");
        let schedule = Schedule { ticks, zone, jitter: Duration::from_secs(30), adaptive: false, paused: false };
        let key = JobKey { scope: self.scope.clone(), target: self.sink.name().to_owned() };
        Planned { key, schedule, alone: true, hint_window: Duration::from_secs(30) }
    }

    /// Looks at the board, as what wakes somebody does.
    pub fn look(&self) {
        let limits = Limits {
            failing: Duration::from_secs(20 * 60),
            quarantine: Duration::from_secs(2 * 3_600),
            token_days: 14,
        };
        let now = self.now();
        let current = alerts(&self.board.snapshot(), &self.board.instances(), &limits, now);
        let mut told = self.told.lock().expect("no panic under the lock");
        for news in told.0.news(&current) {
            told.0.note(news.clone());
            told.1.push((now, news));
        }
    }

    async fn run(&self, stop: &Stop) -> sync::Run {
        let filter = Filter::new(Policy::default(), None).expect("the default policy needs no key");
        let time = Arc::clone(&self.time);
        let job = Job {
            client: &self.client,
            sink: &self.sink,
            scope: self.scope.clone(),
            filter: &filter,
            settings: Settings::default(),
            events: &|_| {},
            stop: stop.clone(),
            clock: &move || time.now(),
        };
        sync::run(&job).await
    }
}

/// Works as the runner of `dn run` does.
#[derive(Clone, Debug)]
pub struct Hand(pub Arc<Life>);

impl JobRunner for Hand {
    async fn attempt(&self, planned: &Planned, _: Option<&Hinted>, stop: &Stop) -> JobOutcome {
        let life = &self.0;
        if life.down.load(Ordering::SeqCst) {
            return JobOutcome::Ran(Ended::failed(life.now()));
        }
        let runs = life.sink.runs(&life.scope, LOOK_BACK).await.expect("a target in memory");
        life.board.looked(planned, &runs);
        if !matches!(planned.due(&runs, life.now()), Due::Since(_)) {
            return JobOutcome::NotDue(History::of(&runs));
        }
        let run = life.run(stop).await;
        life.board.reported(&planned.key, &run.report);
        JobOutcome::Ran(Ended::of(&run.report))
    }
}
