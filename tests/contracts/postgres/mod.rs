//! Checks the contract that only PostgreSQL has: opening, content, several writers, the feed, faults of a server.

mod content;
mod faults;
mod feed;
mod leases;
mod opening;
mod permits;
mod pooled;
mod replica;
mod reserved_names;
mod tls;

use demarche_numerique::ids::Scope;
use demarche_numerique::sink::{Prepared, Sink};

use super::world::{batch, insert, prepare, scope};

/// The démarches 12, 13...
fn scopes(count: u32) -> Vec<Scope> {
    (12..12 + count)
        .map(|number| Scope { demarche: demarche_numerique::DemarcheNumber::new(number), ..scope() })
        .collect()
}

/// Two dossiers.
async fn filled(sink: &impl Sink) -> Prepared {
    let prepared = prepare(sink, &scope()).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("a commit");
    prepared
}
