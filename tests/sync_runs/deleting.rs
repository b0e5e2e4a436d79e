//! Section D of the traps: deletions.

use demarche_numerique::dossier::{Gone, GoneReason};
use demarche_numerique::report::{Brake, RunOutcome};
use demarche_numerique::sandbox::world::{Poison, State};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, DemarcheSpec, FormSpec, WorldSpec};
use demarche_numerique::sink::SqliteSink;
use demarche_numerique::{DossierNumber, Platform};
use jiff::Timestamp;

use super::lab::Lab;
use super::look::{alive, all_in, in_order, one_in, set_aside, tombstone};

const DAY: i64 = 24;

fn deleted(reason: &str, at: Timestamp) -> Option<Gone> {
    let at = Timestamp::from_second(at.as_second()).expect("a whole second");
    Some(Gone { reason: GoneReason::Deleted(reason.to_owned()), at: Some(at) })
}

fn missing() -> Option<Gone> {
    Some(Gone { reason: GoneReason::Missing, at: None })
}

/// Days for which each platform keeps what its usager deleted.
const GRACE: [(Platform, i64); 2] = [(Platform::DemarcheNumerique, 14), (Platform::DematSocial, 7)];

#[tokio::test]
async fn trap_32_a_dossier_deleted_by_its_usager_is_pending_and_then_purged_whatever_date_that_bears() {
    for (platform, days) in GRACE {
        let lab = Lab::new(platform, 20).await;
        lab.run().await;
        let number = one_in(&lab, State::EnConstruction);
        lab.sandbox.world().delete_by_user(number).expect("it is open");
        let asked = lab.sandbox.now();
        let report = lab.run().await;
        assert_eq!(report.counts.deleted, 1, "{platform}: {report:?}");
        let pending = tombstone(&lab, number).await.expect("a tombstone");
        assert_eq!(pending.reason, GoneReason::Pending("user_request".to_owned()), "{platform}");
        lab.assert_exact().await;
        lab.wait(days * DAY + 1);
        let purged = lab.sandbox.snapshot(lab.demarche()).deleted[&number].at;
        assert_eq!(purged == asked, platform == Platform::DemarcheNumerique, "only one platform dates it back");
        let report = lab.run().await;
        assert_eq!(report.counts.deleted, 0, "{platform}: it is gone already");
        assert_eq!(tombstone(&lab, number).await, deleted("user_request", purged), "{platform}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_32_a_dossier_deleted_and_purged_between_two_runs_is_found_by_its_old_date() {
    let folder = tempfile::tempdir().expect("a folder");
    for (platform, days) in GRACE {
        let sink = SqliteSink::open(folder.path().join(format!("{platform}.db"))).await.expect("a database");
        let spec = WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(20);
        let mut lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, sink).await;
        // Only the lists of deletions may find it.
        lab.settings.rhythm.listing_every = jiff::SignedDuration::from_hours(1000 * DAY);
        lab.run().await;
        let number = one_in(&lab, State::EnConstruction);
        lab.sandbox.world().delete_by_user(number).expect("it is open");
        lab.wait(DAY);
        let other = in_order(&lab)[0];
        lab.wait(days * DAY);
        lab.sandbox.world().touch(other);
        let report = lab.run().await;
        assert_eq!(report.counts.deleted, 1, "{platform}: {report:?}");
        let purged = lab.sandbox.snapshot(lab.demarche()).deleted[&number].at;
        assert_eq!(tombstone(&lab, number).await, deleted("user_request", purged), "{platform}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_33_an_expired_dossier_is_found_by_the_listing_and_told_why_once_it_is_purged() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    lab.run().await;
    let number = one_in(&lab, State::EnConstruction);
    lab.sandbox.world().expire(number).expect("it is open");
    assert_eq!(lab.run().await.counts.deleted, 0, "no list tells");
    assert!(lab.shows(number).await);
    let report = lab.reconcile().await;
    assert_eq!((report.counts.deleted, report.listing.map(|listing| listing.ghost)), (1, Some(1)), "{report:?}");
    assert_eq!(tombstone(&lab, number).await, missing());
    lab.assert_exact().await;
    lab.wait(14 * DAY);
    let purged = lab.sandbox.snapshot(lab.demarche()).deleted[&number].at;
    assert_eq!(lab.run().await.counts.deleted, 0, "it is gone already");
    assert_eq!(tombstone(&lab, number).await, deleted("expired", purged));
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_39_a_dossier_that_expires_on_the_other_platform_is_gone_with_the_next_run() {
    let lab = Lab::new(Platform::DematSocial, 20).await;
    lab.run().await;
    let number = one_in(&lab, State::Accepte);
    lab.sandbox.world().expire(number).expect("it is decided");
    assert_eq!(lab.run().await.counts.deleted, 1);
    let purged = lab.sandbox.snapshot(lab.demarche()).deleted[&number].at;
    assert_eq!(tombstone(&lab, number).await, deleted("expired", purged));
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_34_what_leaves_without_a_tombstone_is_found_by_the_listing() {
    let mut demarche = DemarcheSpec::new(DEMARCHE_COMPLETE, FormSpec::Complete, 20);
    demarche.brouillon = true;
    let spec = WorldSpec { demarches: vec![demarche], ..WorldSpec::default() };
    let lab = Lab::of(spec, DEMARCHE_COMPLETE).await;
    lab.run().await;
    let (preview, test) = (in_order(&lab)[0], one_in(&lab, State::EnConstruction));
    lab.sandbox.world().delete_without_trace(preview);
    if test != preview {
        let usager = lab.sandbox.dossier(test).expect("listed").usager;
        lab.sandbox.world().delete_account(&usager);
    }
    assert_eq!(lab.run().await.counts.deleted, 0, "no list tells");
    lab.reconcile().await;
    for number in [preview, test] {
        assert_eq!(tombstone(&lab, number).await, missing());
    }
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_34_when_too_much_disappears_nothing_is_deleted_until_somebody_says_so() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 40).await;
    lab.run().await;
    let order = in_order(&lab);
    for number in &order[..15] {
        lab.sandbox.world().delete_without_trace(*number);
    }
    lab.wait(25);
    lab.sandbox.world().touch(order[20]);
    for _ in 0..2 {
        let report = lab.run().await;
        assert_eq!(report.brake, Some(Brake { deletions: 15, alive: 40 }), "in every run until it is settled");
        assert_eq!((report.counts.deleted, alive(&lab).await), (0, 40));
        let truth = lab.sandbox.dossier(order[20]).expect("listed").updated_at;
        let held = lab.dossier(order[20]).await.date_derniere_modification;
        assert_eq!(held.as_second(), truth.as_second(), "the rest of the run is done");
        assert_eq!(lab.verify().await.ghost.len(), 15, "and the difference is told");
    }
    assert!(lab.events.lock().expect("no panic").iter().any(|event| event.starts_with("Brake")));
    lab.settings.allow_deletes = true;
    assert_eq!(lab.run().await.counts.deleted, 15);
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_34_the_brake_also_holds_for_what_the_lists_tell() {
    let mut lab = Lab::new(Platform::DematSocial, 60).await;
    lab.run().await;
    let open = all_in(&lab, State::EnConstruction);
    assert!(open.len() > 12, "enough open dossiers");
    for number in &open[..12] {
        lab.sandbox.world().delete_by_user(*number).expect("it is open");
    }
    lab.sandbox.world().submit(lab.demarche());
    let report = lab.run().await;
    assert_eq!(report.brake, Some(Brake { deletions: 12, alive: 60 }), "{report:?}");
    assert_eq!((report.counts.deleted, report.counts.inserted), (0, 1));
    lab.settings.allow_deletes = true;
    assert_eq!(lab.run().await.counts.deleted, 12);
    lab.settings.allow_deletes = false;
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_35_one_answer_not_found_deletes_nothing() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    lab.run().await;
    let number = one_in(&lab, State::EnConstruction);
    lab.sandbox.world().touch(number);
    lab.sandbox.world().poison(number, Poison::Crash);
    lab.run().await;
    assert_eq!(set_aside(&lab).await, [number]);
    assert!(lab.shows(number).await, "what was read before stays");
    // Hidden now, which looks like gone: the question whether it can be read again is answered "not found".
    lab.sandbox.world().expire(number).expect("it is open");
    lab.wait(1);
    let report = lab.run().await;
    assert_eq!((report.counts.deleted, report.outcome), (0, RunOutcome::Quarantine), "{report:?}");
    assert!(lab.shows(number).await);
    assert_eq!(set_aside(&lab).await, [number], "what is not found alone may only be hidden");
    // Not listed either: now there are two witnesses. The content stays.
    lab.reconcile().await;
    assert!(set_aside(&lab).await.is_empty());
    assert_eq!(tombstone(&lab, number).await, missing());
    assert!(lab.held().await.contains_key(&DossierNumber::new(number)));
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_35_a_dossier_that_is_not_listed_and_still_answers_stays() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    lab.run().await;
    let number = in_order(&lab)[3];
    lab.wait(25);
    // Hidden while the listing is made, and back when it is asked about.
    lab.sandbox.on_request(move |request, world| {
        let back = match request.operation.as_deref() {
            Some("ListDossiers") => world.silently(|world| world.expire(number)),
            Some("ListLight") => world.silently(|world| world.restore(number)),
            _ => Ok(()),
        };
        drop(back);
    });
    let report = lab.run().await;
    lab.sandbox.clear_hooks();
    assert_eq!((report.listing.map(|l| l.ghost), report.counts.deleted), (Some(1), 0), "{report:?}");
    assert!(lab.shows(number).await);
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_36_a_tombstone_of_any_kind_is_lifted_when_the_dossier_returns() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    lab.run().await;
    let (pending, limbo, decided) =
        (all_in(&lab, State::EnConstruction)[0], all_in(&lab, State::EnConstruction)[1], one_in(&lab, State::Refuse));
    {
        let mut world = lab.sandbox.world();
        world.delete_by_user(pending).expect("it is open");
        world.expire(limbo).expect("it is open");
        world.delete_by_administration(decided).expect("it is decided");
    }
    lab.reconcile().await;
    assert_eq!(alive(&lab).await, 17);
    lab.assert_exact().await;
    for number in [pending, limbo, decided] {
        lab.sandbox.world().restore(number).expect("it is hidden");
    }
    let report = lab.run().await;
    assert_eq!(report.counts.restored, 3, "{report:?}");
    lab.assert_exact().await;
    let inserted = lab.sink.content(&lab.scope).dossiers.len();
    assert_eq!(inserted, 20, "each under its first key");
}

#[tokio::test]
async fn trap_37_a_pending_list_that_breaks_the_server_costs_that_list_alone() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 20).await;
        lab.run().await;
        let order = in_order(&lab);
        let (hidden, purged) = (all_in(&lab, State::EnConstruction)[0], all_in(&lab, State::EnConstruction)[1]);
        let other = *order.iter().find(|number| ![hidden, purged].contains(number)).expect("another one");
        {
            let mut world = lab.sandbox.world();
            world.hide_without_reason(hidden).expect("it exists");
            world.touch(other);
            world.transfer(purged, "partant@example.org");
            world.delete_account("partant@example.org");
        }
        let report = lab.run().await;
        assert!(report.suppressions_incomplete, "{platform}: it is told");
        assert_eq!(report.outcome, RunOutcome::Done, "{platform}: {report:?}");
        assert_eq!((report.counts.updated, report.counts.deleted), (1, 2), "{platform}: {report:?}");
        assert_eq!(tombstone(&lab, hidden).await, missing(), "{platform}: found by the listing, in the same run");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_38_a_decided_dossier_that_only_its_usager_deleted_stays() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 20).await;
        lab.run().await;
        let number = one_in(&lab, State::Accepte);
        lab.sandbox.world().delete_by_user(number).expect("it is decided");
        let report = lab.run().await;
        assert_eq!((report.counts.deleted, report.counts.updated), (0, 1), "{platform}: {report:?}");
        assert!(lab.dossier(number).await.date_suppression_par_usager.is_some());
        lab.wait(30 * DAY);
        lab.run().await;
        assert!(lab.shows(number).await);
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_38_an_account_that_goes_takes_its_open_dossiers_and_leaves_the_others() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    let numbers = in_order(&lab);
    for number in &numbers[..8] {
        lab.sandbox.world().transfer(*number, "partant@example.org");
    }
    lab.run().await;
    let open: Vec<u32> =
        all_in(&lab, State::EnConstruction).into_iter().filter(|number| numbers[..8].contains(number)).collect();
    lab.sandbox.world().delete_account("partant@example.org");
    let report = lab.run().await;
    assert_eq!(report.counts.deleted, open.len() as u64);
    for number in &open {
        let gone = tombstone(&lab, *number).await.expect("a tombstone");
        assert_eq!(gone.reason, GoneReason::Deleted("user_removed".to_owned()));
    }
    // Nothing dates what became of the others.
    lab.reconcile().await;
    lab.assert_exact().await;
}
