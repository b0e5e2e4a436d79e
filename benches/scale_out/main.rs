//! Measures the gain of several workers: `cargo bench --bench scale_out`. See `docs/postgres.md`.
//!
//! One, two and four processes of `dn run` load the same démarches for the first time, from a sandbox whose pages take half a
//! second into a PostgreSQL that flushes each commit.

#![allow(clippy::print_stdout, clippy::print_stderr)]

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/support/postgres.rs"]
mod postgres;

use std::error::Error;
use std::process::Stdio;
use std::time::Duration;

use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DemarcheSpec, Fault, FaultPlan, FormSpec, Sandbox, WorldSpec};
use tokio::process::{Child, Command};

use self::postgres::{Database, OwnServer};

type Anyhow<T> = Result<T, Box<dyn Error>>;

/// Number of démarches, and of dossiers in each: five pages.
const DEMARCHES: u32 = 16;
const DOSSIERS: u32 = 500;
const FIRST: u32 = 1100;

/// Delay of a page.
const PAGE: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> Anyhow<()> {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing is measured without optimisations: cargo bench --bench scale_out");
        return Ok(());
    }
    let demarches =
        (FIRST..FIRST + DEMARCHES).map(|number| DemarcheSpec::new(number, FormSpec::Simple { champs: 10 }, DOSSIERS));
    let world = WorldSpec { demarches: demarches.collect(), ..WorldSpec::new(Platform::DemarcheNumerique) };
    let sandbox = Sandbox::new(&world);
    let server = sandbox.serve_locally().await?;
    for list in ["ListDossiers", "ListLight"] {
        sandbox.plan(FaultPlan::new(Fault::Slow(PAGE)).operation(list));
    }
    let cluster = OwnServer::start(true);
    println!(
        "first load of {DEMARCHES} démarches of {DOSSIERS} dossiers; a page of 100 takes {} ms\n",
        PAGE.as_millis()
    );
    println!("  workers   seconds   dossiers a second   times one worker   requests");
    let mut alone = None;
    for workers in [1, 2, 4] {
        let database = Database::on(&cluster.url).await;
        sandbox.reset_log();
        let seconds = load(&database, (&server.url(), &sandbox.token()), workers).await?;
        let rate = f64::from(DEMARCHES * DOSSIERS) / seconds;
        let ratio = rate / *alone.get_or_insert(rate);
        let requests = sandbox.requests().len();
        println!("  {workers:>7}   {seconds:>7.1}   {rate:>17.0}   {ratio:>16.2}   {requests:>8}");
    }
    Ok(())
}

/// Loads everything with so many processes: the seconds from the beginning of the first run to the end of the last one.
async fn load(database: &Database, (url, token): (&str, &str), workers: usize) -> Anyhow<f64> {
    let folder = tempfile::tempdir()?;
    let mut config =
        "[instances.dn]\n[targets.base]\ntype = 'postgres'\nurl-env = 'BASE'\n[run]\nschedule = '0 0 1 1 *'\n"
            .to_owned();
    for number in FIRST..FIRST + DEMARCHES {
        config.push_str(&format!("[[demarches]]\nnumber = {number}\n"));
    }
    let path = folder.path().join("dn.toml");
    std::fs::write(&path, config)?;
    let start = || -> std::io::Result<Child> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dn"));
        command.args(["--quiet", "run", "--config"]).arg(&path).env_clear();
        command.env("DN_URL", url).env("DN_TOKEN", token).env("BASE", database.url());
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn()
    };
    let mut processes = (0..workers).map(|_| start()).collect::<Result<Vec<_>, _>>()?;
    let made = "SELECT ((SELECT count(*) FROM pg_class WHERE relname = 'dn_runs') = 1)::text FROM pg_sleep(0.1)";
    while database.column(made).await != ["true"] {}
    let done = format!(
        "SELECT ((SELECT count(*) FROM dn_runs WHERE outcome = 'done') >= {DEMARCHES})::text FROM pg_sleep(0.1)"
    );
    while database.column(&done).await != ["true"] {}
    for process in &mut processes {
        process.kill().await?;
    }
    let span = "SELECT extract(epoch FROM max(ended_at) - min(started_at))::text FROM dn_runs";
    Ok(database.column(span).await.first().ok_or("no run")?.parse()?)
}
