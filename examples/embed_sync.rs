//! Runs the sync engine inside another program, against the embedded sandbox, and reads the change feed.
//!
//! ```text
//! cargo run --example embed_sync
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;

use demarche_numerique::ids::Scope;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, Sandbox, WorldSpec};
use demarche_numerique::sink::SqliteSink;
use demarche_numerique::sync::{self, Job, Settings, Stop};
use demarche_numerique::{Client, DemarcheNumber, Platform, privacy};
use jiff::Timestamp;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In your program: the address and the token of the platform.
    let sandbox = Sandbox::new(&WorldSpec::default());
    let server = sandbox.serve_locally().await?;
    let client = Client::builder(Platform::DemarcheNumerique).url(server.url()).token(sandbox.token()).build()?;

    let folder = tempfile::tempdir()?;
    let sink = SqliteSink::open(folder.path().join("dossiers.db")).await?;
    let filter = privacy::Filter::new(privacy::Policy::default(), None)?;

    for round in ["first run", "second run"] {
        let job = Job {
            client: &client,
            sink: &sink,
            scope: Scope { instance: "bac-a-sable".into(), demarche: DemarcheNumber::new(DEMARCHE_COMPLETE) },
            filter: &filter,
            settings: Settings::default(),
            events: &|_| {},
            stop: Stop::default(),
            clock: &Timestamp::now,
        };
        let run = sync::run(&job).await;
        if let Some(error) = run.error {
            return Err(error.into());
        }
        let counts = run.report.counts;
        println!("{round}: {} inserted, {} updated, {} unchanged", counts.inserted, counts.updated, counts.unchanged);
    }
    Ok(())
}
