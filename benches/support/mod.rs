//! What the benchmarks share: dossiers to measure with, and a sandbox whose answers are kept.

pub mod recorder;

use std::error::Error;
use std::time::Duration;

use demarche_numerique::api::RateLimiter;
use demarche_numerique::ids::{DemarcheNumber, Scope};
use demarche_numerique::{Client, Platform};

pub type Anyhow<T> = Result<T, Box<dyn Error>>;

/// How many champs a dossier has.
pub const CHAMPS: u32 = 30;

/// A client that sends as many requests as it takes: politeness would be measured as patience.
pub fn client(url: &str, token: &str) -> Anyhow<Client> {
    let limiter = RateLimiter::new(u32::MAX, Duration::from_secs(1));
    let client = Client::builder(Platform::DemarcheNumerique).url(url).token(token.to_owned());
    Ok(client.limiter(limiter).build()?)
}

/// Which dossiers.
pub fn scope(demarche: u32) -> Scope {
    Scope { instance: "bench".to_owned(), demarche: DemarcheNumber::new(demarche) }
}
