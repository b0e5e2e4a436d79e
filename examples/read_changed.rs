//! Reads what changed in a démarche during the last day, and one answer of each dossier.
//!
//! ```text
//! DN_TOKEN=... cargo run --example read_changed -- 1234 "Montant demandé"
//! ```

use std::env;
use std::error::Error;
use std::pin::pin;

use demarche_numerique::{Client, DemarcheNumber, Platform, changed};
use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let demarche: DemarcheNumber = arguments.next().ok_or("usage: read_changed DEMARCHE QUESTION")?.parse()?;
    let question = arguments.next().ok_or("usage: read_changed DEMARCHE QUESTION")?;

    let mut builder = Client::builder(Platform::DemarcheNumerique).token(env::var("DN_TOKEN")?);
    if let Ok(url) = env::var("DN_URL") {
        builder = builder.url(url);
    }
    let client = builder.build()?;

    let yesterday = Timestamp::now() - SignedDuration::from_hours(24);
    let mut dossiers = pin!(changed(&client, demarche, Some(yesterday)));
    while let Some(dossier) = dossiers.try_next().await? {
        match dossier.champ(&question)?.value.as_text() {
            Some(answer) => println!("{} ({}): {answer}", dossier.number, dossier.state),
            None => println!("{} ({}): no answer in words", dossier.number, dossier.state),
        }
    }
    Ok(())
}
