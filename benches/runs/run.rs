//! Measures one run in its own process: the engine into a target, or the floor.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use demarche_numerique::privacy::{Filter, Policy};
use demarche_numerique::report::Report;
use demarche_numerique::sandbox::WorldSpec;
use demarche_numerique::sink::postgres::Options;
use demarche_numerique::sink::{AnySink, PostgresSink, Sink, SqliteSink};
use demarche_numerique::sync::{self, Job, Settings, Stop};
use serde::{Deserialize, Serialize};

use super::document;
use super::process::{cpu, peak_memory};
use super::support::recorder::kept;
use super::support::{Anyhow, client, scope};
use super::target::Target;

pub const NAME: &str = "run";

/// The cost of a run, from opening the target to its end.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Measure {
    pub seconds: f64,
    /// Of the process from its very beginning.
    pub cpu_ms: f64,
    pub peak_mib: f64,
    /// New or changed dossiers.
    pub dossiers: u64,
    pub rows: u64,
}

/// Measures one, and says so as JSON on a line.
#[tokio::main]
pub async fn measure(target: Target, place: &str, url: &str, demarche: u32) -> Anyhow<()> {
    let begun = Instant::now();
    let (dossiers, rows) = match open(target, place).await? {
        Some(sink) => {
            let report = engine(url, "replayed", &sink, demarche).await?;
            sink.close().await?;
            (report.counts.inserted + report.counts.updated, report.rows_written)
        }
        None => {
            throw_away(url, Path::new(place)).await?;
            (0, 0)
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    let measure = Measure { seconds, cpu_ms: cpu(), peak_mib: peak_memory()?, dossiers, rows };
    println!("{}", serde_json::to_string(&measure)?);
    Ok(())
}

/// Nothing is opened for the floor.
async fn open(target: Target, place: &str) -> Anyhow<Option<AnySink>> {
    Ok(match target {
        Target::Nothing => None,
        Target::Sqlite => Some(SqliteSink::open(place).await?.into()),
        Target::Postgres => Some(PostgresSink::open(place, Options::default()).await?.into()),
        Target::Grist => Some(document::open(place).await?.into()),
    })
}

/// A run with the settings of `dn sync`, but for the limit of requests a minute. It believes that it is always the same
/// instant: requests are kept by their texts, and some of them hold instants.
pub async fn engine(url: &str, token: &str, sink: &impl Sink, demarche: u32) -> Anyhow<Report> {
    let client = client(url, token)?;
    let filter = Filter::new(Policy::default(), None)?;
    let now = WorldSpec::default().start;
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
        None => Ok(run.report),
    }
}

/// The floor: asks for what was kept of a run, one after the other, and throws the answers away.
async fn throw_away(url: &str, folder: &Path) -> Anyhow<()> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build()?;
    for kept in kept(folder)? {
        let mut answer = http.post(url).body(kept.request).send().await?.error_for_status()?;
        while answer.chunk().await?.is_some() {}
    }
    Ok(())
}
