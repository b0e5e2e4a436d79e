//! Limits, faults, counts.

use serde_json::json;

use super::Client;
use crate::grist::{Fault, FaultPlan};

#[tokio::test]
async fn a_lost_answer_was_applied_and_a_closed_connection_was_not() {
    let client = Client::start().await;
    client.grist.person(&client.doc).add_table("T", &[("a", "Text")]);
    let add = || Some(json!([["AddRecord", "T", null, { "a": "x" }]]));
    client.grist.fault(Fault::CloseBefore);
    assert!(client.raw("POST", "apply", add()).await.is_err());
    assert_eq!(client.grist.rows(&client.doc, "T").len(), 0);
    client.grist.plan(FaultPlan::new(Fault::LoseAnswer).writes().times(1));
    assert_eq!(client.send("GET", "tables", None).await.0, 200);
    assert!(client.raw("POST", "apply", add()).await.is_err());
    assert_eq!(client.grist.rows(&client.doc, "T").len(), 1);
    client.grist.plan(FaultPlan::new(Fault::too_many(&client.doc)).route("POST sql").after(1));
    client.sql("select 1").await;
    assert_eq!(client.send("POST", "sql", Some(json!({ "sql": "select 1" }))).await.0, 429);
}

#[tokio::test]
async fn bodies_addresses_and_numbers_of_requests_have_limits() {
    let client = Client::start().await;
    let big = json!([["AddRecord", "Table1", null, { "A": "x".repeat(1_048_576) }]]);
    assert_eq!(client.apply(big).await, (413, json!({ "error": "request entity too large" })));
    let long = format!("tables/Table1/records?filter={}", "x".repeat(17_000));
    assert_eq!(client.raw("GET", &long, None).await.expect("an answer"), (431, String::new()));

    let held = client.grist.hold();
    let requests = (0..12).map(|_| client.send("GET", "tables", None));
    let all = futures_util::future::join_all(requests);
    let release = async {
        // Two of twelve have their answer while ten wait; a limit that is gone ends the wait too.
        for _ in 0..500_000 {
            if client.grist.count().requests >= 4 {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(held);
    };
    let (answers, ()) = tokio::join!(all, release);
    let refused: Vec<_> = answers.iter().filter(|(status, _)| *status == 429).collect();
    assert_eq!(refused.len(), 2);
    let text = refused[0].1["error"].as_str().expect("an error");
    assert!(text.starts_with("Too many backlogged requests for document"), "{text}");
}

#[tokio::test]
async fn requests_are_counted_by_route() {
    let client = Client::start().await;
    client.sql("select 1").await;
    client.done(json!([["AddRecord", "Table1", null, { "A": "x" }]])).await;
    client.send("GET", "tables/Table1/columns", None).await;
    let counts = client.grist.count_by_route();
    let routes: Vec<_> = counts.iter().map(|(route, count)| (route.as_str(), count.requests, count.writes)).collect();
    assert_eq!(routes, [("GET tables/columns", 1, 0), ("POST apply", 1, 1), ("POST sql", 1, 0)]);
    assert!(counts["POST apply"].received > 20);
}
