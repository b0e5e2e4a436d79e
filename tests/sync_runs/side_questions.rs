//! Side requests do not delay the dossiers, and pages that contradict themselves are no answer.

use demarche_numerique::checkpoint::SideQuestion;
use demarche_numerique::dossier::{Gone, GoneReason};
use demarche_numerique::report::RunOutcome;
use demarche_numerique::sandbox::world::{Poison, State};
use demarche_numerique::sandbox::{Fault, FaultPlan};
use demarche_numerique::sink::Sink;
use demarche_numerique::{DossierNumber, Platform};

use super::lab::{Lab, pages_of};
use super::look::{alive, all_in, failure, in_order, one_in, set_aside, tombstone};

/// A list that takes longer than somebody on the way waits for.
fn slow(lab: &Lab) {
    for operation in ["ReadNews", "ListPendingDeleted"] {
        lab.sandbox.plan(FaultPlan::new(Fault::GatewayTimeout).operation(operation));
    }
}

fn asked(lab: &Lab) -> Vec<String> {
    lab.sandbox.requests().into_iter().filter_map(|request| request.operation).collect()
}

async fn attempts(lab: &Lab) -> u32 {
    let checkpoint = lab.sink.checkpoint(&lab.scope).await.expect("a readable target").expect("a checkpoint");
    checkpoint.setbacks.get(&SideQuestion::Pending).map_or(0, |setback| setback.attempts)
}

#[tokio::test]
async fn a_list_of_deletions_that_takes_too_long_keeps_no_dossier_waiting() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 20).await;
        slow(&lab);
        let report = lab.run().await;
        assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Done, 20), "{platform}: {report:?}");
        assert!(report.suppressions_incomplete, "{platform}: it is told");
        let told = |words: &str| report.notices.iter().any(|notice| notice.contains(words));
        assert!(told("the list of dossiers that wait to be purged could not be read"), "{:?}", report.notices);
        let asked = asked(&lab);
        let first = |operation: &str| asked.iter().position(|asked| asked == operation);
        assert!(first("ListDossiers") < first("ReadNews"), "{platform}: dossiers come first: {asked:?}");
        assert_eq!(asked.iter().filter(|asked| *asked == "ListPendingDeleted").count(), 1, "{platform}: {asked:?}");
        lab.sandbox.clear_faults();
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn a_list_that_fails_is_asked_for_less_and_less_often_whoever_runs() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    slow(&lab);
    lab.run().await;
    let mut tried = Vec::new();
    for minute in 1..=80 {
        let before = attempts(&lab).await;
        lab.wait_minutes(1);
        lab.sandbox.reset_log();
        let report = lab.run().await;
        assert!(report.suppressions_incomplete, "told in every run");
        if attempts(&lab).await > before {
            tried.push(minute);
        } else {
            // Nobody waits for it, and the other list is read all the same.
            assert_eq!(asked(&lab), ["ReadHead", "ListDossiers", "ListDeleted"], "minute {minute}");
        }
    }
    assert_eq!(tried, [5, 15, 35, 75]);
    lab.sandbox.clear_faults();
    lab.wait(2);
    let report = lab.run().await;
    assert!(!report.suppressions_incomplete && report.notices.is_empty(), "{report:?}");
    assert_eq!(attempts(&lab).await, 0);
    lab.sandbox.reset_log();
    lab.run().await;
    assert_eq!(asked(&lab), ["ReadHead", "ListDossiers", "ReadNews"], "an unchanged run is three requests again");
}

#[tokio::test]
async fn what_a_list_would_have_told_is_found_by_the_complete_listing() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 20).await;
        lab.run().await;
        slow(&lab);
        let number = one_in(&lab, State::EnConstruction);
        lab.sandbox.world().delete_by_user(number).expect("it is open");
        let report = lab.run().await;
        assert_eq!((report.outcome, report.counts.deleted), (RunOutcome::Done, 1), "{platform}: {report:?}");
        assert_eq!(tombstone(&lab, number).await.map(|gone| gone.reason), Some(GoneReason::Missing), "{platform}");
        lab.sandbox.clear_faults();
        lab.wait(1);
        lab.run().await;
        let reason = tombstone(&lab, number).await.map(|gone| gone.reason);
        assert_eq!(reason, Some(GoneReason::Pending("user_request".to_owned())), "{platform}: the list says why");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn a_list_fails_in_many_ways_and_none_of_them_ends_the_run() {
    for fault in [
        Fault::Crash,
        Fault::BadGateway,
        Fault::Maintenance,
        Fault::GatewayTimeout,
        Fault::NotJson,
        Fault::NoData,
        Fault::Truncate,
        Fault::LoseAnswer,
        Fault::Redirect,
        Fault::EmptyPages,
        Fault::LostCursors,
        Fault::NullNodes,
    ] {
        let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
        lab.run().await;
        let numbers = all_in(&lab, State::EnConstruction);
        for number in &numbers[..2] {
            lab.sandbox.world().delete_by_user(*number).expect("it is open");
        }
        for operation in ["ReadNews", "ListPendingDeleted", "ListDeleted"] {
            lab.sandbox.plan(FaultPlan::new(fault.clone()).operation(operation));
        }
        lab.sandbox.world().submit(lab.demarche());
        let report = lab.run().await;
        assert_eq!((report.counts.inserted, report.counts.deleted), (1, 2), "{fault:?}: {report:?}");
        assert!(report.suppressions_incomplete, "{fault:?}");
        assert_eq!(alive(&lab).await, 19, "{fault:?}: no ghost stays");
        lab.sandbox.clear_faults();
        lab.wait(1);
        lab.run().await;
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn a_hole_in_the_second_page_of_a_list_of_deletions_leaves_no_ghost() {
    for fault in [Fault::NullNodes, Fault::Crash, Fault::EmptyPages] {
        let mut lab = Lab::new(Platform::DemarcheNumerique, 260).await;
        lab.settings.allow_deletes = true;
        lab.run().await;
        for number in in_order(&lab).into_iter().take(250) {
            let mut world = lab.sandbox.world();
            drop(world.delete_by_administration(number).or_else(|_| world.delete_by_user(number)));
        }
        let left = lab.sandbox.snapshot(lab.demarche()).dossiers.len() as u64;
        let gone = 260 - left;
        assert!(gone > 100, "more than a page of them: {gone}");
        lab.sandbox.plan(FaultPlan::new(fault.clone()).operation("ListPendingDeleted"));
        let report = lab.run().await;
        assert!(report.suppressions_incomplete, "{fault:?}");
        assert_eq!((report.counts.deleted, alive(&lab).await), (gone, left), "{fault:?}");
    }
}

#[tokio::test]
async fn a_form_that_cannot_be_read_keeps_no_dossier_waiting() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    lab.run().await;
    {
        let mut world = lab.sandbox.world();
        world.publish_revision(lab.demarche(), |form| form.champs.swap(0, 1));
        world.submit(lab.demarche());
    }
    lab.sandbox.plan(FaultPlan::new(Fault::GatewayTimeout).operation("ReadDemarche"));
    let report = lab.run().await;
    assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Done, 1), "{report:?}");
    assert!(report.notices.iter().any(|notice| notice.contains("the form could not be read")), "{report:?}");
    lab.sandbox.clear_faults();
    lab.run().await;
    lab.wait(1);
    lab.run().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn a_head_that_cannot_be_read_keeps_no_dossier_waiting() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    lab.run().await;
    lab.sandbox.world().submit(lab.demarche());
    lab.sandbox.plan(FaultPlan::new(Fault::Crash).operation("ReadHead"));
    let report = lab.run().await;
    assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Done, 1), "{report:?}");
    assert!(report.notices.iter().any(|notice| notice.contains("does not tell its revisions")), "{report:?}");
    lab.sandbox.clear_faults();
    lab.assert_exact().await;
}

#[tokio::test]
async fn a_dossier_in_quarantine_that_never_answers_keeps_nobody_waiting() {
    for fault in [Fault::GatewayTimeout, Fault::LoseAnswer, Fault::BadGateway] {
        let mut lab = Lab::new(Platform::DemarcheNumerique, 20).await;
        lab.settings.page_size = pages_of(20);
        let slow = in_order(&lab)[7];
        lab.sandbox.world().poison(slow, Poison::Crash);
        lab.run().await;
        assert_eq!(set_aside(&lab).await, [slow]);
        lab.sandbox.plan(FaultPlan::new(fault.clone()).operation("ReadDossier"));
        lab.sandbox.world().submit(lab.demarche());
        lab.wait(1);
        lab.sandbox.reset_log();
        let report = lab.run().await;
        assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Quarantine, 1), "{fault:?}: {report:?}");
        assert_eq!(set_aside(&lab).await, [slow], "{fault:?}");
    }
}

#[tokio::test]
async fn a_page_behind_a_proxy_without_patience_is_asked_for_in_smaller_pages() {
    let lab = Lab::new(Platform::DemarcheNumerique, 40).await;
    lab.sandbox.plan(FaultPlan::new(Fault::GatewayTimeout).operation("ListDossiers").times(3));
    let report = lab.run().await;
    assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Done, 40), "{report:?}");
    let sizes: Vec<_> = lab
        .sandbox
        .requests()
        .into_iter()
        .filter(|request| request.operation.as_deref() == Some("ListDossiers"))
        .map(|request| request.variables["first"].as_u64().unwrap_or_default())
        .collect();
    assert_eq!(sizes[..4], [100, 50, 25, 12], "{sizes:?}");
    lab.assert_exact().await;
}

#[tokio::test]
async fn pages_of_dossiers_that_contradict_themselves_are_no_answer() {
    for fault in [Fault::EmptyPages, Fault::LostCursors] {
        let mut lab = Lab::new(Platform::DemarcheNumerique, 20).await;
        lab.settings.page_size = pages_of(8);
        for operation in ["ListDossiers", "ListPositions"] {
            lab.sandbox.plan(FaultPlan::new(fault.clone()).operation(operation));
        }
        assert_eq!(failure(&lab).await, "undecodable", "{fault:?}");
        lab.sandbox.clear_faults();
        // A moment later it is another answer.
        lab.sandbox.plan(FaultPlan::new(fault.clone()).operation("ListDossiers").times(1));
        let report = lab.run().await;
        assert_eq!((report.outcome, alive(&lab).await), (RunOutcome::Done, 20), "{fault:?}: {report:?}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn a_complete_listing_whose_pages_contradict_themselves_proves_nothing() {
    for fault in [Fault::EmptyPages, Fault::LostCursors] {
        let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
        lab.run().await;
        for operation in ["ListLight", "ListPositions"] {
            lab.sandbox.plan(FaultPlan::new(fault.clone()).operation(operation));
        }
        lab.wait(25);
        assert_eq!(failure(&lab).await, "undecodable", "{fault:?}");
        assert_eq!(alive(&lab).await, 20, "{fault:?}");
        lab.sandbox.clear_faults();
        lab.run().await;
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn a_dossier_that_is_listed_and_not_found_alone_is_set_aside_until_a_listing_says_that_it_left() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 20).await;
        let number = in_order(&lab)[9];
        lab.sandbox.world().poison(number, Poison::Unfindable);
        let report = lab.run().await;
        assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Quarantine, 19), "{platform}: {report:?}");
        assert_eq!(lab.quarantine().await[0].reason, "listed_not_found");
        lab.wait(1);
        assert_eq!(lab.run().await.outcome, RunOutcome::Quarantine, "{platform}: one more answer of the kind is none");
        lab.reconcile().await;
        assert_eq!(set_aside(&lab).await, [number], "{platform}: it is still listed");
        lab.assert_exact_but(&[number]).await;
        lab.sandbox.world().delete_without_trace(number);
        lab.reconcile().await;
        assert_eq!(set_aside(&lab).await, Vec::<u32>::new(), "{platform}: it left");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn a_dossier_that_only_the_listing_shows_is_not_forgotten() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    let number = in_order(&lab)[9];
    lab.run().await;
    lab.wait(72);
    // Changed without a date: only the listing can tell.
    lab.sandbox.world().poison(number, Poison::Unfindable);
    lab.sandbox.world().silently(|world| world.touch(number));
    lab.reconcile().await;
    assert!(lab.shows(number).await, "nothing says that it left");
    let gone: Option<Gone> = tombstone(&lab, number).await;
    assert_eq!(gone, None);
    assert!(lab.held().await.contains_key(&DossierNumber::new(number)));
    lab.sandbox.world().heal(number);
    lab.reconcile().await;
    lab.assert_exact().await;
}
