//! Reading the platform's schema is a side question: if it fails, the dossiers arrive and are read as before.

use demarche_numerique::Platform;
use demarche_numerique::checkpoint::{Checkpoint, SideQuestion};
use demarche_numerique::report::{Report, RunOutcome};
use demarche_numerique::sandbox::{Fault, FaultPlan, WorldSpec};
use demarche_numerique::sink::{Sink, SqliteSink};

use super::lab::{Lab, fresh_client};
use super::survey::Database;

const PLATFORM: Platform = Platform::DemarcheNumerique;

/// Ways in which the question fails; with the last of them it is never answered.
const FAULTS: [Fault; 8] = [
    Fault::Crash,
    Fault::BadGateway,
    Fault::Maintenance,
    Fault::NotJson,
    Fault::NoData,
    Fault::Redirect,
    Fault::LoseAnswer,
    Fault::GatewayTimeout,
];

async fn lab(base: &Database) -> Lab<SqliteSink> {
    let spec = WorldSpec { newer: true, ..WorldSpec::new(PLATFORM).only(&[1001]).dossiers(12) };
    let mut lab = Lab::with_sink(spec, 1001, base.sink().await).await;
    lab.client = fresh_client(&lab);
    lab
}

/// A run of a program that has just started.
async fn run(lab: &mut Lab<SqliteSink>) -> Report {
    lab.client = fresh_client(lab);
    lab.run().await
}

async fn checkpoint(lab: &Lab<SqliteSink>) -> Checkpoint {
    lab.sink.checkpoint(&lab.scope).await.expect("a readable target").expect("a checkpoint")
}

fn fail(lab: &Lab<SqliteSink>, fault: &Fault) {
    lab.sandbox.plan(FaultPlan::new(fault.clone()).operation("IntrospectionQuery"));
}

/// Counts the requests for the platform's schema.
fn asked(lab: &Lab<SqliteSink>) -> usize {
    let requests = lab.sandbox.requests();
    requests.iter().filter(|request| request.operation.as_deref() == Some("IntrospectionQuery")).count()
}

fn told(report: &Report, words: &str) -> bool {
    report.notices.iter().any(|notice| notice.contains("the schema of the platform") && notice.contains(words))
}

#[tokio::test]
async fn a_platform_that_does_not_tell_its_schema_keeps_no_dossier_of_a_fresh_target_waiting() {
    for fault in FAULTS {
        let base = Database::new();
        let mut lab = lab(&base).await;
        fail(&lab, &fault);
        let report = run(&mut lab).await;
        assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Done, 12), "{fault:?}: {report:?}");
        assert!(told(&report, "could not be read"), "{fault:?}: {:?}", report.notices);
        assert!(!report.suppressions_incomplete, "{fault:?}: the lists were read");
        assert!(asked(&lab) <= 4, "{fault:?}: with little patience");

        lab.sandbox.reset_log();
        let again = run(&mut lab).await;
        assert_eq!(
            (again.outcome, again.rows_written, again.requests),
            (RunOutcome::Done, 0, 3),
            "{fault:?}: {again:?}"
        );
        assert_eq!(asked(&lab), 0, "{fault:?}: not so soon");
        assert!(told(&again, "it failed 1 times"), "{fault:?}: {:?}", again.notices);

        lab.sandbox.clear_faults();
        lab.wait(1);
        let healed = run(&mut lab).await;
        assert!(healed.sweep && healed.notices.is_empty(), "{fault:?}: {healed:?}");
        assert_eq!(checkpoint(&lab).await.setbacks.len(), 0, "{fault:?}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn a_target_keeps_its_fields_while_the_platform_does_not_tell_its_schema() {
    for fault in FAULTS {
        let base = Database::new();
        let mut lab = lab(&base).await;
        run(&mut lab).await;
        let fields = checkpoint(&lab).await.newer_fields;
        assert!(fields.is_some(), "they are newer than the pinned schema");
        fail(&lab, &fault);
        lab.wait(25);
        lab.sandbox.world().submit(1001);
        let report = run(&mut lab).await;
        let counts = report.counts;
        assert_eq!(
            (report.outcome, counts.inserted, counts.updated),
            (RunOutcome::Done, 1, 0),
            "{fault:?}: {report:?}"
        );
        assert!(told(&report, "the newer fields of before"), "{fault:?}: {:?}", report.notices);
        assert!(!report.sweep, "{fault:?}: nothing is read again for it");
        assert_eq!(checkpoint(&lab).await.newer_fields, fields, "{fault:?}");
        let again = run(&mut lab).await;
        assert_eq!((again.outcome, again.rows_written), (RunOutcome::Done, 0), "{fault:?}: {again:?}");
        lab.sandbox.clear_faults();
        lab.wait(1);
        run(&mut lab).await;
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn a_target_of_an_earlier_version_keeps_its_fields_too() {
    let base = Database::new();
    let mut lab = lab(&base).await;
    run(&mut lab).await;
    // An earlier version kept the digest of what it asked, and nothing else.
    let fields = checkpoint(&lab).await.newer_fields;
    base.run("UPDATE dn_checkpoints SET checkpoint = json_remove(checkpoint, '$.platform_fields')").await;
    assert_eq!(checkpoint(&lab).await.platform_fields, None);
    fail(&lab, &Fault::GatewayTimeout);
    lab.sandbox.world().submit(1001);
    let report = run(&mut lab).await;
    assert_eq!((report.counts.inserted, report.counts.updated, report.sweep), (1, 0, false), "{report:?}");
    assert_eq!(checkpoint(&lab).await.newer_fields, fields);
    lab.sandbox.clear_faults();
    lab.wait(1);
    assert!(!run(&mut lab).await.sweep, "the same is asked as ever");
    assert!(checkpoint(&lab).await.platform_fields.is_some());
    lab.assert_exact().await;
}

#[tokio::test]
async fn the_platform_is_asked_what_it_has_once_a_day_whoever_runs() {
    let base = Database::new();
    let mut lab = lab(&base).await;
    run(&mut lab).await;
    assert_eq!(asked(&lab), 1);
    let mut hours = Vec::new();
    for hour in 1..=50 {
        lab.wait(1);
        lab.sandbox.reset_log();
        run(&mut lab).await;
        if asked(&lab) > 0 {
            hours.push(hour);
        }
    }
    assert_eq!(hours, [24, 48]);
    lab.sandbox.reset_log();
    let report = run(&mut lab).await;
    assert_eq!((report.requests, report.rows_written), (3, 0), "an unchanged run is three requests");
    lab.assert_exact().await;
}

#[tokio::test]
async fn the_question_is_asked_less_and_less_often_while_it_fails() {
    let base = Database::new();
    let mut lab = lab(&base).await;
    fail(&lab, &Fault::GatewayTimeout);
    run(&mut lab).await;
    let mut tried = Vec::new();
    for minute in 1..=80 {
        lab.wait_minutes(1);
        lab.sandbox.reset_log();
        run(&mut lab).await;
        if asked(&lab) > 0 {
            tried.push(minute);
        }
    }
    assert_eq!(tried, [5, 15, 35, 75]);
    let setback = checkpoint(&lab).await.setbacks.get(&SideQuestion::Schema).map(|setback| setback.attempts);
    assert_eq!(setback, Some(5));
}

#[tokio::test]
async fn a_field_that_goes_between_two_questions_ends_no_run() {
    let base = Database::new();
    let mut lab = lab(&base).await;
    run(&mut lab).await;
    let before = checkpoint(&lab).await.newer_fields;
    lab.wait(1);
    lab.sandbox.world().newer = false;
    lab.sandbox.world().submit(1001);
    let report = run(&mut lab).await;
    assert_eq!((report.outcome, report.counts.inserted, report.sweep), (RunOutcome::Done, 1, true), "{report:?}");
    assert_ne!(checkpoint(&lab).await.newer_fields, before);
    let again = run(&mut lab).await;
    assert_eq!((again.outcome, again.rows_written), (RunOutcome::Done, 0), "{again:?}");
}

#[tokio::test]
async fn a_program_that_works_on_many_demarches_asks_and_waits_once() {
    for (fault, asks) in [(None, 1), (Some(Fault::GatewayTimeout), 1)] {
        let base = Database::new();
        let lab = lab(&base).await;
        if let Some(fault) = &fault {
            fail(&lab, fault);
        }
        for _ in 0..3 {
            let other = demarche_numerique::sink::MemorySink::default();
            let run = lab.run_into(&other).await;
            assert!(run.error.is_none(), "{fault:?}: {:?}", run.error);
            assert_eq!(run.report.counts.inserted, 12, "{fault:?}");
        }
        assert_eq!(asked(&lab), asks, "{fault:?}");
    }
}
