//! Reads what changed in a démarche during the last day, or since an instant, and one answer of each dossier.
//!
//! ```text
//! DN_TOKEN=... cargo run --example read_changed -- 1234 "Montant demandé" [2026-01-15T00:00:00Z]
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::env;
use std::error::Error;
use std::pin::pin;

use demarche_numerique::champ::ChampNotFound;
use demarche_numerique::{Client, DemarcheNumber, Platform, changed};
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};

const USAGE: &str = "usage: read_changed DEMARCHE QUESTION [SINCE]";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let demarche: DemarcheNumber = arguments.next().ok_or(USAGE)?.parse()?;
    let question = arguments.next().ok_or(USAGE)?;
    let since = match arguments.next() {
        Some(instant) => instant.parse()?,
        None => Timestamp::now() - SignedDuration::from_hours(24),
    };

    let mut builder = Client::builder(Platform::DemarcheNumerique).token(env::var("DN_TOKEN")?);
    if let Ok(url) = env::var("DN_URL") {
        builder = builder.url(url);
    }
    let client = builder.build()?;

    let (mut read, mut unread) = (0, 0);
    let mut dossiers = pin!(changed(&client, demarche, Some(since)));
    while let Some(item) = dossiers.next().await {
        let dossier = match item {
            Ok(dossier) => dossier,
            // One dossier that the platform cannot serve; the stream goes on, unless this concerns all of them.
            Err(error) => {
                eprintln!("not read: {error}");
                unread += 1;
                continue;
            }
        };
        read += 1;
        match dossier.champ(&question) {
            Ok(champ) => match champ.value.as_text() {
                Some(answer) => println!("{} ({}): {answer}", dossier.number, dossier.state),
                None => println!("{} ({}): no answer in words", dossier.number, dossier.state),
            },
            // Hidden by a condition, or not asked by the revision that this dossier answers.
            Err(absent @ ChampNotFound::Unknown { .. }) => println!("{}: {absent}", dossier.number),
            Err(error) => return Err(error.into()),
        }
    }
    println!("{read} dossiers read");
    if unread > 0 {
        return Err(format!("{unread} could not be read: run this again later").into());
    }
    Ok(())
}
