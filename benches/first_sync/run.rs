//! The real engine, from a served listing to a SQLite file.

use std::path::Path;
use std::time::{Duration, Instant};

use demarche_numerique::api::RateLimiter;
use demarche_numerique::privacy::{Filter, Policy};
use demarche_numerique::sandbox::WorldSpec;
use demarche_numerique::sink::postgres::Options;
use demarche_numerique::sink::{PostgresSink, Sink, SqliteSink};
use demarche_numerique::sync::{self, Job, Report, Settings, Stop};
use demarche_numerique::{Client, Platform};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::process::{Cpu, peak_memory};
use super::{Anyhow, scope};

pub const NAME: &str = "run";
pub const POSTGRES: &str = "run-postgres";

/// What a first and a second run cost.
#[derive(Debug, Serialize, Deserialize)]
pub struct Measure {
    pub dossiers: u64,
    pub requests: u64,
    pub user_ms: f64,
    pub system_ms: f64,
    pub wall_ms: f64,
    pub peak_mib: f64,
    pub file_bytes: u64,
    pub again_requests: u64,
    pub again_rows: u64,
    pub again_dossiers: u64,
}

/// One run, and how many requests its client sent. It believes that it is `now`: requests are kept by their texts, and
/// some of them hold instants.
pub async fn one(url: &str, token: &str, sink: &impl Sink, demarche: u32, now: Timestamp) -> Anyhow<(Report, u64)> {
    // As many requests as it takes: politeness would be measured as patience.
    let limiter = RateLimiter::new(u32::MAX, Duration::from_secs(1));
    let client = Client::builder(Platform::DemarcheNumerique).url(url).token(token.to_owned()).limiter(limiter);
    let client = client.build()?;
    let filter = Filter::new(Policy::default(), None)?;
    let run = sync::run(&Job {
        client: &client,
        sink,
        scope: scope(demarche),
        filter: &filter,
        settings: Settings::default(),
        events: &|_| {},
        stop: Stop::default(),
        clock: &move || now,
    })
    .await;
    match run.error {
        Some(error) => Err(error.into()),
        None => Ok((run.report, client.stats().requests)),
    }
}

/// A first run into a new file, and a second one that finds nothing new.
#[tokio::main]
pub async fn measure(url: &str, folder: &Path, demarche: u32) -> Anyhow<()> {
    let path = folder.join(format!("{demarche}.db"));
    let now = WorldSpec::default().start;
    let sink = SqliteSink::open(&path).await?;
    let (begun, before) = (Instant::now(), Cpu::now()?);
    let (first, requests) = one(url, "replayed", &sink, demarche, now).await?;
    let (cpu, wall, peak) = (Cpu::now()?.since(before), begun.elapsed(), peak_memory()?);
    let (again, again_requests) = one(url, "replayed", &sink, demarche, now).await?;
    sink.close().await?;
    let measure = Measure {
        dossiers: first.counts.inserted,
        requests,
        user_ms: cpu.user,
        system_ms: cpu.system,
        wall_ms: wall.as_secs_f64() * 1000.0,
        peak_mib: peak,
        file_bytes: path.metadata()?.len(),
        again_requests,
        again_rows: again.rows_written,
        again_dossiers: again.counts.unchanged,
    };
    println!("{}", serde_json::to_string(&measure)?);
    Ok(())
}

/// A first run into a new schema of PostgreSQL: the dossiers, and the milliseconds on the clock.
#[tokio::main]
pub async fn measure_postgres(url: &str, database: &str, demarche: u32) -> Anyhow<()> {
    let now = WorldSpec::default().start;
    let sink = PostgresSink::open(database, Options::default()).await?;
    let begun = Instant::now();
    let (first, _) = one(url, "replayed", &sink, demarche, now).await?;
    let wall = begun.elapsed();
    sink.close().await?;
    println!("{}", serde_json::to_string(&(first.counts.inserted, wall.as_secs_f64() * 1000.0))?);
    Ok(())
}
