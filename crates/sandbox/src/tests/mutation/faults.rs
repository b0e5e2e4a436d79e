use super::*;
use crate::{Fault, FaultPlan, Reset};

/// Sends a message and tells how many the platform has sent in all.
fn send(sandbox: &Sandbox, number: u32) -> usize {
    let input = by_one(number, &json!({"body": "Bonjour"}));
    let request = Incoming::graphql(
        Some(&sandbox.token()),
        &body("dossierEnvoyerMessage", &input, "message { id } errors { message }"),
    );
    let _answer = sandbox.answer(&request);
    sandbox.audit().len()
}

#[test]
fn the_audit_knows_what_was_executed_whatever_became_of_the_answer() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    let mut done = 0;
    for (fault, executed) in [
        (Fault::CloseBefore, false),
        (Fault::Crash, false),
        (Fault::RateLimited(Reset::In(10)), false),
        (Fault::BadGateway, false),
        (Fault::LoseAnswer, true),
        (Fault::Truncate, true),
        (Fault::Slow(std::time::Duration::ZERO), true),
        (Fault::GatewayTimeout, true),
    ] {
        sandbox.plan(FaultPlan::new(fault.clone()).operation("Write").times(1));
        done += usize::from(executed);
        assert_eq!(send(&sandbox, number), done, "{fault:?}");
    }
    let messages = sandbox.dossier(number).expect("listed").messages;
    let system = 1;
    assert_eq!(messages, system + done, "the audit and the world agree");
}

#[test]
fn a_plan_for_a_mutation_leaves_reading_alone() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    sandbox.plan(FaultPlan::new(Fault::CloseBefore).operation("Write").every(2));
    let counts: Vec<usize> = (0..4)
        .map(|_| {
            data(&sandbox, "query Read { demarche(number: 1001) { number } }", &json!({}));
            send(&sandbox, number)
        })
        .collect();
    assert_eq!(counts, [0, 1, 1, 2]);
}

#[test]
fn a_payload_that_breaks_the_server_does_not_undo_what_was_done() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnConstruction);
    sandbox.world().poison(number, crate::world::Poison::Crash);
    let body = body("dossierPasserEnInstruction", &by_one(number, &json!({})), "dossier { champs { id } }");
    let (status, _) = raw(&sandbox, Some(&sandbox.token()), &body);
    assert_eq!((status, sandbox.audit().len()), (500, 1));
    assert_eq!(sandbox.dossier(number).expect("listed").state, State::EnInstruction);
}
