//! Section F of the traps: failures of the network and of the platform during a whole run.

use std::collections::BTreeSet;

use demarche_numerique::observe::list_all;
use demarche_numerique::report::RunOutcome;
use demarche_numerique::sandbox::world::{State, Token};
use demarche_numerique::sandbox::{Fault, FaultPlan, Reset};
use demarche_numerique::sync::SyncError;
use demarche_numerique::{Client, DemarcheNumber, Platform};
use jiff::SignedDuration;
use serde_json::json;

use super::lab::{Lab, pages_of};
use super::look::{alive, failure, in_order, one_in};

/// A little of everything that a run has to do: a change, a deletion by the lists, one without a trace, a new dossier.
fn something_happens(lab: &Lab, rank: usize) {
    lab.wait(25);
    let order = in_order(lab);
    let open = one_in(lab, State::EnConstruction);
    let mut world = lab.sandbox.world();
    world.touch(order[rank % order.len()]);
    world.delete_by_user(open).expect("it is open");
    if let Some(ghost) = order.iter().find(|number| **number != open) {
        world.delete_without_trace(*ghost);
    }
    world.submit(lab.demarche());
    world.submit(lab.demarche());
}

/// Change of a token.
type Refusal = fn(&mut Token, jiff::civil::Date);

#[tokio::test]
async fn trap_14_a_cursor_that_does_not_advance_ends_the_listing_with_an_error() {
    let server = wiremock::MockServer::start().await;
    let page = json!({ "data": { "demarche": { "dossiers": {
        "pageInfo": { "hasNextPage": true, "endCursor": "MjAyNi0wMS0xNVQxNDo1MjozNS4xMjM0NTYwMDBaOzEyMzQ" },
        "nodes": [null],
    } } } });
    let answer = wiremock::ResponseTemplate::new(200).set_body_json(page);
    wiremock::Mock::given(wiremock::matchers::method("POST")).respond_with(answer).mount(&server).await;
    let client = Client::builder(Platform::DemarcheNumerique).url(server.uri()).build().expect("valid settings");
    let error = list_all(&client, DemarcheNumber::new(1), |_| {}).await.expect_err("it would never end");
    assert_eq!(error.kind(), "undecodable", "{error}");
    assert!(error.to_string().contains("the cursor does not advance"), "{error}");
    assert!(client.stats().requests < 20);
}

#[tokio::test]
async fn trap_54_a_run_under_a_rate_limit_waits_as_it_is_told_and_ends_whole() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 30).await;
    lab.settings.page_size = pages_of(3);
    lab.sandbox.world().rate_limit = Some(4);
    // The minute that the client is told to wait for.
    lab.sandbox.on_request(|request, world| {
        if request.status == 429 {
            world.advance(SignedDuration::from_mins(1));
        }
    });
    let report = lab.run().await;
    assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Done, 30));
    let refused = lab.sandbox.requests().iter().filter(|request| request.status == 429).count();
    assert!(refused >= 2, "the limit was met");
    assert_eq!(report.retries, refused as u64, "one more request for each refusal, no storm");
    lab.sandbox.clear_hooks();
    lab.sandbox.world().rate_limit = None;
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_54_a_429_with_or_without_headers_costs_one_more_request_each() {
    for reset in [Reset::Absent, Reset::In(30), Reset::In(-30), Reset::In(100_000)] {
        let mut lab = Lab::new(Platform::DematSocial, 20).await;
        lab.settings.page_size = pages_of(5);
        lab.sandbox.plan(FaultPlan::new(Fault::RateLimited(reset)).every(2));
        let report = lab.run().await;
        assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Done, 20));
        assert_eq!(report.requests, 2 * report.retries, "every second request was refused");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_55_answers_that_fail_now_and_then_delay_a_run_and_cost_nothing() {
    let faults = [
        Fault::Crash,
        Fault::BadGateway,
        Fault::Maintenance,
        Fault::NotJson,
        Fault::CloseBefore,
        Fault::LoseAnswer,
        Fault::Truncate,
    ];
    for (rank, fault) in faults.into_iter().enumerate() {
        let mut lab = Lab::new(Platform::ALL[rank % 2], 20).await;
        lab.settings.page_size = pages_of(4);
        for every in [3, 2] {
            lab.sandbox.plan(FaultPlan::new(fault.clone()).every(every));
            let report = lab.run().await;
            assert_eq!(report.outcome, RunOutcome::Done, "{fault:?} every {every}: {report:?}");
            assert!(report.retries > 0, "{fault:?} struck");
            lab.sandbox.clear_faults();
            something_happens(&lab, rank);
        }
        lab.sandbox.plan(FaultPlan::new(fault.clone()).every(3));
        lab.run().await;
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_55_a_platform_that_goes_away_at_any_request_leaves_a_target_that_the_next_run_completes() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 24).await;
    lab.settings.page_size = pages_of(8);
    let mut survived = 0;
    for passed in 0..40 {
        lab.sandbox.plan(FaultPlan::new(Fault::Maintenance).after(passed));
        let run = lab.try_run().await;
        lab.sandbox.clear_faults();
        survived = if run.error.is_none() { survived + 1 } else { 0 };
        if survived == 2 {
            break;
        }
        if passed % 3 == 2 {
            lab.run().await;
            assert_eq!(lab.verify().await.missing, []);
            something_happens(&lab, passed as usize);
        }
    }
    assert_eq!(survived, 2, "some number of requests is enough");
    lab.run().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_55_an_answer_without_data_or_another_address_ends_the_run_at_once_and_deletes_nothing() {
    for (fault, kind) in [(Fault::NoData, "rejected"), (Fault::Redirect, "redirected")] {
        let lab = Lab::new(Platform::DemarcheNumerique, 12).await;
        lab.run().await;
        lab.wait(25);
        for passed in 0..4 {
            lab.sandbox.reset_log();
            lab.sandbox.plan(FaultPlan::new(fault.clone()).after(passed));
            if let Some(error) = lab.try_run().await.error {
                let SyncError::Api(error) = error else { panic!("{error:?}") };
                assert_eq!(error.kind(), kind);
                // A list of deletions that fails ends no run: the next question is another one, and none is asked twice.
                let failed: Vec<_> = lab.sandbox.requests().into_iter().skip(passed as usize).collect();
                let asked: BTreeSet<_> = failed.iter().map(|request| request.operation.clone()).collect();
                assert_eq!(asked.len(), failed.len(), "{fault:?} is not tried again: {asked:?}");
                assert!(passed >= 2 || failed.len() == 1, "{fault:?} ends the run at once: {asked:?}");
            }
            lab.sandbox.clear_faults();
            assert_eq!(alive(&lab).await, 12);
        }
        lab.run().await;
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_57_a_token_that_ends_stops_all_work_at_the_first_refusal() {
    let lab = Lab::new(Platform::DemarcheNumerique, 12).await;
    lab.run().await;
    lab.wait(25);
    let yesterday = "2026-03-02".parse().expect("a day");
    let refusals: [(&str, Refusal); 3] = [
        ("expired", |token, day| token.expires_on = Some(day)),
        ("another network", |token, _| token.forbidden_network = true),
        ("revoked", |token, _| token.revoked = true),
    ];
    let sound = lab.sandbox.world().token_mut().clone();
    for (case, spoil) in refusals {
        // Before the run, then in the middle of a run that also compares the listing.
        for passed in [0, 1, 2, 3] {
            lab.sandbox.reset_log();
            if passed == 0 {
                spoil(lab.sandbox.world().token_mut(), yesterday);
            } else {
                lab.sandbox.after_request(passed, move |world| spoil(world.token_mut(), yesterday));
            }
            match lab.try_run().await.error {
                Some(SyncError::Api(error)) => {
                    assert_eq!(error.kind(), "token_refused", "{case} after {passed}");
                    let refused = lab.sandbox.requests().iter().filter(|request| request.status >= 400).count();
                    assert_eq!(refused, 1, "{case} after {passed}: no attempt is burnt");
                }
                other => assert!(other.is_none() && passed >= 3, "{case} after {passed}: {other:?}"),
            }
            assert_eq!(alive(&lab).await, 12, "{case} after {passed}");
            lab.sandbox.clear_hooks();
            *lab.sandbox.world().token_mut() = sound.clone();
            lab.wait(25);
        }
    }
    lab.run().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_57_on_the_other_platform_a_token_that_ends_deletes_nothing_either() {
    let lab = Lab::new(Platform::DematSocial, 12).await;
    lab.run().await;
    lab.wait(25);
    lab.sandbox.world().token_mut().revoked = true;
    lab.sandbox.reset_log();
    let kind = failure(&lab).await;
    assert!(["out_of_scope", "token_refused"].contains(&kind.as_str()), "{kind}");
    assert_eq!((lab.sandbox.requests().len(), alive(&lab).await), (1, 12));
    lab.sandbox.world().token_mut().revoked = false;
    lab.run().await;
    lab.assert_exact().await;
}
