//! Tests the sandbox against the facts that it reproduces.

mod deletion;
mod endpoint;
mod errors;
mod fragments;
mod listing;
mod mutation;
mod operations;
mod server;
mod silent;

use serde_json::{Value as Json, json};

use super::{DEMARCHE_COMPLETE, Incoming, Sandbox, WorldSpec};
use crate::Platform;

/// A sandbox of that platform with a small complete démarche, and its dossiers' numbers.
fn small(platform: Platform) -> (Sandbox, Vec<u32>) {
    let sandbox = Sandbox::new(&WorldSpec::new(platform).dossiers(8));
    let numbers = sandbox.snapshot(DEMARCHE_COMPLETE).dossiers.into_keys().collect();
    (sandbox, numbers)
}

/// Executes a query with the default token, and asserts that it went well.
fn data(sandbox: &Sandbox, query: &str, variables: &Json) -> Json {
    let answer = sandbox.graphql(query, variables);
    assert_eq!(answer.get("errors"), None, "{query}");
    answer["data"].clone()
}

/// A page of dossiers of the complete démarche: numbers of the nodes, and `pageInfo`.
fn page(sandbox: &Sandbox, arguments: &str) -> (Vec<u32>, Json) {
    let listing = format!("dossiers({arguments}) {{ nodes {{ number }} pageInfo {{ hasNextPage endCursor }} }}");
    let query = format!("{{ demarche(number: {DEMARCHE_COMPLETE}) {{ {listing} }} }}");
    let answer = data(sandbox, &query, &json!({}));
    let dossiers = &answer["demarche"]["dossiers"];
    (numbers(&dossiers["nodes"]), dossiers["pageInfo"].clone())
}

fn numbers(nodes: &Json) -> Vec<u32> {
    let nodes = nodes.as_array().expect("nodes is a list");
    nodes.iter().map(|node| serde_json::from_value(node["number"].clone()).expect("a number")).collect()
}

/// The status and the body of a raw request.
fn raw(sandbox: &Sandbox, token: Option<&str>, body: &Json) -> (u16, Json) {
    let answer = sandbox.answer(&Incoming::graphql(token, body));
    (answer.status, answer.as_json())
}
