//! Checks the rate limit of a token, counted in the database.

use std::time::Duration;

use demarche_numerique::sink::postgres::{Options, PermitRule, Permits};
use demarche_numerique::sink::{PostgresSink, SinkError};

use crate::support::postgres::Database;

/// A window that does not end while a test runs.
const RULE: PermitRule = PermitRule { limit: 60, window: Duration::from_secs(3600), fresh: Duration::from_secs(2) };

fn permits(database: &Database, key: &str, holder: &str) -> Permits {
    Permits::new(&database.url(), &Options::default(), (key, holder), RULE).expect("an address")
}

async fn given(permits: &Permits, want: u32) -> u32 {
    permits.ask(want).await.expect("an answer").permits
}

#[tokio::test(flavor = "multi_thread")]
async fn what_several_processes_are_given_together_is_the_limit_and_no_more() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let mut tasks = tokio::task::JoinSet::new();
    for holder in ["a", "b", "c"] {
        let permits = permits(&database, "jeton", holder);
        tasks.spawn(async move {
            let mut all = 0;
            for _ in 0..40 {
                all += given(&permits, 2).await;
            }
            all
        });
    }
    let all: Vec<u32> = tasks.join_all().await;
    assert_eq!(all.iter().sum::<u32>(), RULE.limit, "{all:?}");
    // Another token has a count of its own, and the token itself is nowhere.
    assert_eq!(given(&permits(&database, "autre", "a"), 5).await, 5);
    assert_eq!(database.column("SELECT key FROM dn_budgets ORDER BY 1").await, ["autre", "jeton"]);
    sink.close().await.expect("a clean end");
}

#[tokio::test]
async fn a_hold_is_obeyed_by_the_others() {
    let database = Database::new().await;
    let sink = database.sink().await;
    let (one, other) = (permits(&database, "jeton", "a"), permits(&database, "jeton", "b"));
    one.hold(Duration::from_secs(600)).await.expect("an answer");
    let granted = other.ask(1).await.expect("an answer");
    assert_eq!(granted.permits, 0);
    assert!(granted.ask_again > Duration::ZERO);
    sink.close().await.expect("a clean end");
}

#[tokio::test]
async fn a_connection_that_was_cut_is_replaced_and_no_count_is_an_error() {
    let database = Database::new().await;
    let permits = permits(&database, "jeton", "a");
    let error = permits.ask(1).await.expect_err("there is no schema");
    assert!(
        matches!(error, SinkError::Altered { .. } | SinkError::Refused { .. } | SinkError::Unusable { .. }),
        "{error:?}"
    );
    let sink: PostgresSink = database.sink().await;
    assert_eq!(given(&permits, 1).await, 1);
    database.cut().await;
    assert_eq!(given(&permits, 1).await, 1);
    drop(sink);
}
