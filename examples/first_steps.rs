//! The example of the README: reads what changed in a démarche since a day, and one answer of each dossier.
//!
//! ```text
//! cargo run --example first_steps
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::pin::pin;

use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, Sandbox, WorldSpec};
use demarche_numerique::{Client, DemarcheNumber, Platform, changed};
use futures_util::TryStreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The embedded platform, to try this at once. In your program: no `url`, and `token(std::env::var("DN_TOKEN")?)`.
    let sandbox = Sandbox::new(&WorldSpec::default());
    let server = sandbox.serve_locally().await?;
    let client = Client::builder(Platform::DemarcheNumerique).url(server.url()).token(sandbox.token()).build()?;

    let since = "2026-01-15T00:00:00Z".parse()?;
    let mut dossiers = pin!(changed(&client, DemarcheNumber::new(DEMARCHE_COMPLETE), Some(since)));
    while let Some(dossier) = dossiers.try_next().await? {
        // By label or by id; a near miss answers "did you mean …?".
        println!("{}: {:?}", dossier.number, dossier.champ("Intitulé du projet")?.value);
    }
    Ok(())
}
