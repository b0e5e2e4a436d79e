//! Tests mutations and their refusals.

mod annotations;
mod batch;
mod checks;
mod decisions;
mod faults;
mod messages;
mod sorting;
mod states;
mod teams;
mod upload;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::world::{Demandeur, State, World};

/// The selection of each mutation.
const SHOWN: &str = "dossier { number state archived motivation } errors { message } clientMutationId";

fn id(typename: &str, number: impl std::fmt::Display) -> String {
    STANDARD.encode(format!("{typename}-{number}"))
}

/// A sandbox with one complete démarche and nothing in it but what tests submit.
fn empty(platform: Platform) -> Sandbox {
    Sandbox::new(&WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(0))
}

/// A new dossier of a person, led to that state by instructeur 1.
fn dossier(sandbox: &Sandbox, state: State) -> u32 {
    let mut world = sandbox.world();
    let number = world.submit(DEMARCHE_COMPLETE).expect("the démarche exists");
    let (nom, prenom) = ("Exemple".to_owned(), "Ariane".to_owned());
    world.set_demandeur(number, Demandeur::PersonnePhysique { civilite: None, nom, prenom });
    if state != State::EnConstruction {
        world.passer_en_instruction(number, Some(1)).expect("legal");
    }
    match state {
        State::Accepte => world.accepter(number, "Complet", Some(1)).expect("legal"),
        State::Refuse => world.refuser(number, "Hors sujet", Some(1)).expect("legal"),
        State::SansSuite => world.classer_sans_suite(number, "Doublon", Some(1)).expect("legal"),
        State::Brouillon | State::EnConstruction | State::EnInstruction => {}
    }
    number
}

/// The ids of a dossier and of instructeur 1, with more fields if any are given.
fn by_one(number: u32, more: &Json) -> Json {
    let mut input = json!({"dossierId": id("Dossier", number), "instructeurId": id("Instructeur", 1)});
    for (key, value) in more.as_object().into_iter().flatten() {
        input[key] = value.clone();
    }
    input
}

fn body(field: &str, input: &Json, shown: &str) -> Json {
    let typename = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let query = format!("mutation Write($input: {typename}!) {{ {field}(input: $input) {{ {shown} }} }}");
    json!({"query": query, "operationName": "Write", "variables": {"input": input}})
}

/// The whole answer to one mutation with the default token.
fn answer(sandbox: &Sandbox, field: &str, input: &Json, shown: &str) -> Json {
    let (status, answer) = raw(sandbox, Some(&sandbox.token()), &body(field, input, shown));
    assert_eq!(status, 200, "{field}: {answer}");
    answer
}

/// The payload of one mutation, which must have been looked at.
fn payload(sandbox: &Sandbox, field: &str, input: &Json, shown: &str) -> Json {
    let answer = answer(sandbox, field, input, shown);
    assert_eq!(answer.get("errors"), None, "{field}");
    answer["data"][field].clone()
}

/// The payload of a mutation that succeeds.
fn accepted(sandbox: &Sandbox, field: &str, input: &Json, shown: &str) -> Json {
    let payload = payload(sandbox, field, input, shown);
    match sandbox.world().platform {
        Platform::DemarcheNumerique => assert_eq!(payload["errors"], Json::Null, "{field}"),
        Platform::DematSocial => assert_eq!(payload["errors"], json!([]), "{field}"),
    }
    payload
}

/// The only message of a mutation that is refused, changes nothing and leaves no trace.
fn refused(sandbox: &Sandbox, field: &str, input: &Json) -> String {
    let before = (sandbox.audit(), sandbox.webhooks(), sandbox.snapshot(DEMARCHE_COMPLETE));
    let payload = payload(sandbox, field, input, "errors { message }");
    assert_eq!((sandbox.audit(), sandbox.webhooks(), sandbox.snapshot(DEMARCHE_COMPLETE)), before, "{field}");
    let errors = payload["errors"].as_array().unwrap_or_else(|| panic!("{field} is refused: {payload}"));
    assert_eq!(errors.len(), 1, "{field}: {payload}");
    errors[0]["message"].as_str().expect("a text").to_owned()
}
