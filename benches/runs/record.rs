//! Records the answers of the sandbox to real runs in a folder.

use std::path::Path;

use demarche_numerique::sink::SqliteSink;

use super::run::engine;
use super::run_kind::RunKind;
use super::support::Anyhow;
use super::support::recorder::Recorder;

pub const NAME: &str = "record";

/// Records each run over one démarche, in order.
#[tokio::main]
pub async fn record(folder: &Path, demarche: u32, dossiers: u32) -> Anyhow<()> {
    let (recorder, url) = Recorder::start(demarche, dossiers, folder).await?;
    let sandbox = recorder.sandbox();
    let token = sandbox.token();
    let target = tempfile::tempdir()?;
    let sink = SqliteSink::open(target.path().join("thrown-away.db")).await?;
    for kind in RunKind::ALL {
        if kind == RunKind::Changed {
            let mut world = sandbox.world();
            // Some are decided and hidden: a change of those is none that the platform shows.
            let mut numbers = world.numbers(demarche).into_iter();
            let changed = numbers.find(|number| world.truth(*number).is_some() && world.archiver(*number).is_ok());
            changed.ok_or("no dossier can be archived")?;
        }
        engine(&format!("{url}/{kind}/api/v2/graphql"), &token, &sink, demarche).await?;
    }
    sink.close().await?;
    println!("null");
    Ok(())
}
