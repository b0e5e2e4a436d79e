//! Client and sandbox in one process, without a socket.

use std::sync::Arc;
use std::time::Duration;

use demarche_numerique::api::{ApiError, TransportFailure};
use demarche_numerique::sandbox::{DEMARCHE_LARGE, Fault, FaultPlan, Reset, Sandbox, WorldSpec};
use demarche_numerique::{Client, DemarcheNumber, Platform};
use tokio::time::Instant;

const DEMARCHE: DemarcheNumber = DemarcheNumber::new(DEMARCHE_LARGE);

fn pair() -> (Sandbox, Client) {
    let sandbox = Sandbox::new(&WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_LARGE]).dossiers(3));
    let ours = sandbox.clone();
    let client = Client::builder(Platform::DemarcheNumerique)
        .url("http://localhost/api/v2/graphql")
        .token(sandbox.token())
        .retry_jitter(0.0)
        .clock(move || ours.now())
        .exchange(Arc::new(sandbox.clone()))
        .build()
        .expect("valid settings");
    (sandbox, client)
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_socket_fails_and_tries_again_as_over_the_network() {
    let (sandbox, client) = pair();
    for fault in [Fault::LoseAnswer, Fault::Truncate, Fault::BadGateway, Fault::NotJson] {
        sandbox.fault(fault.clone());
        let before = client.stats();
        client.head(DEMARCHE).await.unwrap_or_else(|error| panic!("after {fault:?}: {error}"));
        assert_eq!(client.stats().retries, before.retries + 1, "{fault:?}");
    }
    sandbox.plan(FaultPlan::new(Fault::CloseBefore));
    let error = client.head(DEMARCHE).await.expect_err("nobody answers");
    assert!(matches!(error, ApiError::Transport { failure: TransportFailure::Broken, .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn waits_without_jitter_are_as_long_as_they_say_by_the_clock_that_was_given() {
    let (sandbox, client) = pair();
    client.head(DEMARCHE).await.expect("an answer");
    assert_eq!(client.clock_offset(), Some(0), "the platform's clock is the one that was given");
    sandbox.fault(Fault::RateLimited(Reset::In(20)));
    let start = Instant::now();
    client.head(DEMARCHE).await.expect("an answer");
    // One second more, as the platform tells whole seconds.
    assert_eq!(start.elapsed(), Duration::from_secs(21));
    sandbox.fault(Fault::Slow(Duration::from_secs(3)));
    let start = Instant::now();
    client.head(DEMARCHE).await.expect("an answer");
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}
