//! Shares a client, a scope and a recorder among the benchmarks.

pub mod recorder;

use std::error::Error;
use std::time::Duration;

use demarche_numerique::api::RateLimiter;
use demarche_numerique::ids::{DemarcheNumber, Scope};
use demarche_numerique::{Client, Platform};

pub type Anyhow<T> = Result<T, Box<dyn Error>>;

/// Champs of a dossier.
pub const CHAMPS: u32 = 30;

/// Makes a client without a rate limit, as waiting for permits would be measured as time of the run.
pub fn client(url: &str, token: &str) -> Anyhow<Client> {
    let limiter = RateLimiter::new(u32::MAX, Duration::from_secs(1));
    let client = Client::builder(Platform::DemarcheNumerique).url(url).token(token.to_owned());
    Ok(client.limiter(limiter).build()?)
}

/// Makes the scope of a démarche.
pub fn scope(demarche: u32) -> Scope {
    Scope { instance: "bench".to_owned(), demarche: DemarcheNumber::new(demarche) }
}
