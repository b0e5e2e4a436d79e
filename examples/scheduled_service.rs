//! Runs the work cycles of a configuration on the jobs of a scheduler that a service already has: here tokio-cron-scheduler,
//! against the embedded sandbox. It ends after two cycles; a service ends when it is told to.
//!
//! ```text
//! cargo run --example scheduled_service
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::sync::Arc;

use demarche_numerique::config::{Config, Overrides, Secrets};
use demarche_numerique::cycle::{CycleEnd, CycleRunner, Limiters};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, Sandbox, WorldSpec};
use demarche_numerique::serve::StatusBoard;
use demarche_numerique::sync::Stop;
use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler};

/// Every second, for the demonstration. This scheduler puts the seconds first: every ten minutes is `0 */10 * * * *`.
const RHYTHM: &str = "* * * * * *";
/// Ends the demonstration after so many cycles.
const CYCLES: usize = 2;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In your service: the address and the token of the platform, and a file that `dn config example` begins.
    let sandbox = Sandbox::new(&WorldSpec::default());
    let server = sandbox.serve_locally().await?;
    let folder = tempfile::tempdir()?;
    let text = format!(
        "[instances.dn]\nurl = \"{}\"\n[targets.local]\ntype = \"sqlite\"\npath = \"dossiers.db\"\n\
         [[demarches]]\nnumber = {DEMARCHE_COMPLETE}\n",
        server.url()
    );
    let config = Config::parse(&folder.path().join("service.toml"), &text)?;
    let token = sandbox.token();
    // In your service: `Secrets::new(|name| std::env::var(name).ok())`.
    let secrets = Secrets::new(move |name| (name == "DN_TOKEN").then(|| token.clone()));

    let (limiters, board) = (Limiters::default(), StatusBoard::default());
    let runner = Arc::new(CycleRunner::open(&config, &Overrides::default(), secrets, &limiters, &board)?);
    let stop = Stop::default();
    let (done, mut ends) = mpsc::channel(8);
    let mut scheduler = JobScheduler::new().await?;
    for planned in runner.planned() {
        let (runner, stop, done) = (Arc::clone(&runner), stop.clone(), done.clone());
        // In UTC, whatever the country: a job of this scheduler keeps the offset from UTC of the moment at which it was added,
        // so in a local time zone each job runs an hour off after the next change of clocks, until the service is restarted.
        // Where the hour of the wall clock matters, `dn run` and `demarche_numerique::serve` read schedules in a time zone.
        let job = Job::new_async(RHYTHM, move |_, _| {
            let (runner, stop, done, key) = (Arc::clone(&runner), stop.clone(), done.clone(), planned.key.clone());
            Box::pin(async move {
                // A tick while a cycle of the same target is under way is no error: it is told as taken.
                let end = runner.cycle(&key, &stop).await;
                drop(done.send((key, end)).await);
            })
        })?;
        scheduler.add(job).await?;
    }
    scheduler.start().await?;

    let mut cycles = 0;
    while cycles < CYCLES
        && let Some((key, end)) = ends.recv().await
    {
        match end {
            Ok(CycleEnd::Ran(report)) => {
                if let Some(error) = report.run.error {
                    return Err(error.into());
                }
                cycles += 1;
                let counts = report.run.report.counts;
                println!("{key}: {} inserted, {} updated", counts.inserted, counts.updated);
            }
            Ok(CycleEnd::Taken { .. } | CycleEnd::NotDue(_)) => {}
            // Transient failures of the platform are in the report of a cycle; this is for whoever operates the service.
            Err(error) => return Err(error.in_one_line().into()),
        }
    }
    stop.ask();
    scheduler.shutdown().await?;
    runner.close().await;
    Ok(())
}
