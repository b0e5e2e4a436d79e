//! Section A of the traps: losing dossiers.

use demarche_numerique::Platform;
use demarche_numerique::report::RunOutcome;
use demarche_numerique::sandbox::world::{Poison, State};
use demarche_numerique::sandbox::{DEMARCHE_CLONE, DEMARCHE_COMPLETE, Fault, FaultPlan, Kind, WorldSpec};
use demarche_numerique::sink::SqliteSink;
use demarche_numerique::sync::Settings;
use jiff::SignedDuration;

use super::lab::{Lab, pages_of};
use super::look::{alive, all_in, failure, in_order, one_in, set_aside, tombstone};

/// A text champ of the complete form.
const TEXT: u64 = 102;

#[tokio::test]
async fn a_first_run_copies_everything_and_a_second_one_writes_nothing() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 120).await;
        let report = lab.run().await;
        assert_eq!(report.outcome, RunOutcome::Done, "{report:?}");
        assert_eq!(report.counts.inserted, lab.sandbox.snapshot(lab.demarche()).dossiers.len() as u64);
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_1_a_change_that_becomes_visible_behind_the_watermark_arrives_with_the_next_run() {
    let lab = Lab::new(Platform::DemarcheNumerique, 30).await;
    let numbers = lab.sandbox.world().numbers(lab.demarche());
    let (late_one, other) = (numbers[0], numbers[1]);
    let late = lab.sandbox.world().begin(move |world| world.touch(late_one));
    lab.sandbox.world().touch(other);
    lab.run().await;
    lab.sandbox.world().commit(late);
    let report = lab.run().await;
    assert_eq!(report.counts.updated, 1, "{report:?}");
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_1_a_change_that_becomes_visible_behind_a_saved_page_arrives_with_the_next_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let sink = SqliteSink::open(folder.path().join("essai.db")).await.expect("a database");
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(30);
    let mut lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, sink).await;
    lab.settings.page_size = pages_of(5);
    let numbers = in_order(&lab);
    let late_one = numbers[0];
    let late = lab.sandbox.world().begin(move |world| world.edit(late_one, TEXT, "tardif").expect("a question"));
    // Twelve later changes: the late one belongs before them, three pages before the end.
    for number in &numbers[1..13] {
        lab.sandbox.world().touch(*number);
    }
    // After the news, the form and five pages of five.
    lab.sandbox.after_request(7, move |world| world.commit(late));
    lab.run().await;
    lab.sandbox.clear_hooks();
    let before = lab.dossier(late_one).await.date_derniere_modification;
    let report = lab.run().await;
    assert_eq!(report.counts.updated, 1, "{report:?}");
    assert!(lab.dossier(late_one).await.date_derniere_modification > before);
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_1_a_change_that_becomes_visible_behind_a_slow_run_arrives_with_the_next_run() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    lab.wait(2);
    lab.run().await;
    lab.wait_minutes(20);
    lab.settings.page_size = pages_of(1);
    let order = in_order(&lab);
    let (late_one, between, last) = (order[0], order[1], order[2]);
    let late = lab.sandbox.world().begin(move |world| world.touch(late_one));
    lab.sandbox.world().touch(between);
    // After the news and the page of the dossier between: the platform is slow, others go on working, and the next page is
    // dated further after the late change than the overlap reaches.
    lab.sandbox.after_request(2, move |world| {
        world.advance(SignedDuration::from_mins(20));
        world.touch(last);
    });
    assert_eq!(lab.run().await.counts.updated, 2, "the one between and the last one");
    lab.sandbox.clear_hooks();
    lab.sandbox.world().commit(late);
    let report = lab.run().await;
    assert_eq!(report.counts.updated, 1, "{report:?}");
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_1_a_change_that_is_hours_late_arrives_with_the_hourly_look_back() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    let numbers = in_order(&lab);
    let (late_one, other) = (numbers[0], numbers[1]);
    let late = lab.sandbox.world().begin(move |world| world.touch(late_one));
    lab.wait(3);
    lab.sandbox.world().touch(other);
    lab.run().await;
    lab.sandbox.world().commit(late);
    assert_eq!(lab.run().await.counts.updated, 0, "three hours are beyond the overlap of every run");
    lab.wait(1);
    assert_eq!(lab.run().await.counts.updated, 1);
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_1_a_change_that_is_days_late_arrives_with_the_daily_listing() {
    let lab = Lab::new(Platform::DematSocial, 20).await;
    let numbers = in_order(&lab);
    let (late_one, other) = (numbers[0], numbers[1]);
    let late = lab.sandbox.world().begin(move |world| world.touch(late_one));
    lab.wait(72);
    lab.sandbox.world().touch(other);
    lab.run().await;
    lab.sandbox.world().commit(late);
    let report = lab.reconcile().await;
    assert_eq!((report.counts.updated, report.listing.map(|listing| listing.stale)), (1, Some(1)), "{report:?}");
    lab.assert_exact().await;
}

#[tokio::test]
async fn a_run_that_retries_the_quarantine_does_not_wait_for_the_next_attempt_of_a_dossier() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    let number = in_order(&lab)[3];
    lab.sandbox.world().poison(number, Poison::NullNode);
    for _ in 0..4 {
        lab.run().await;
        lab.wait(1);
    }
    assert_eq!(set_aside(&lab).await, [number]);
    lab.run().await;
    lab.sandbox.world().heal(number);
    lab.run().await;
    assert_eq!(set_aside(&lab).await, [number], "its next attempt is later");
    lab.settings = Settings { retry_quarantine: true, ..lab.settings };
    assert_eq!(lab.run().await.outcome, RunOutcome::Done);
    assert!(lab.quarantine().await.is_empty(), "healed, and read again");
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_2_null_nodes_anywhere_in_a_page_are_set_aside_by_number_and_cost_no_other() {
    for platform in Platform::ALL {
        for culprits in [vec![0], vec![4], vec![7], (0..8).collect()] {
            let mut lab = Lab::new(platform, 20).await;
            lab.settings.page_size = pages_of(8);
            let order = in_order(&lab);
            let mut numbers: Vec<u32> = culprits.into_iter().map(|rank: usize| order[rank]).collect();
            numbers.sort_unstable();
            for number in &numbers {
                lab.sandbox.world().poison(*number, Poison::NullNode);
            }
            let report = lab.run().await;
            assert_eq!(report.outcome, RunOutcome::Quarantine);
            assert_eq!(report.counts.inserted as usize, order.len() - numbers.len(), "{platform}: {numbers:?}");
            assert_eq!(set_aside(&lab).await, numbers, "{platform}");
            lab.assert_exact_but(&numbers).await;
            for number in &numbers {
                lab.sandbox.world().heal(*number);
            }
            lab.wait(1);
            assert_eq!(lab.run().await.outcome, RunOutcome::Done);
            assert!(lab.quarantine().await.is_empty(), "healed, and read again");
            lab.assert_exact().await;
        }
    }
}

#[tokio::test]
async fn trap_3_a_page_that_times_out_in_its_middle_is_asked_for_in_smaller_pages() {
    for platform in Platform::ALL {
        let mut lab = Lab::new(platform, 40).await;
        lab.settings.page_size = pages_of(40);
        lab.sandbox.world().timeout_after = Some(3);
        let report = lab.run().await;
        assert_eq!(report.outcome, RunOutcome::Done, "{platform}: nobody is set aside for the weight of a page");
        assert_eq!(report.counts.inserted, 40, "{platform}: {report:?}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_3_one_dossier_that_takes_too_long_is_set_aside() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 20).await;
        let slow = in_order(&lab)[9];
        lab.sandbox.world().poison(slow, Poison::Timeout);
        let report = lab.run().await;
        assert_eq!(report.counts.inserted, 19, "{platform}: {report:?}");
        assert_eq!(set_aside(&lab).await, [slow], "{platform}");
        lab.assert_exact_but(&[slow]).await;
    }
}

#[tokio::test]
async fn trap_4_one_dossier_that_breaks_the_server_costs_few_requests_and_no_other_dossier() {
    let folder = tempfile::tempdir().expect("a folder");
    for (platform, rank) in [(Platform::DemarcheNumerique, 0), (Platform::DematSocial, 63), (Platform::DematSocial, 99)]
    {
        let sink = SqliteSink::open(folder.path().join(format!("{rank}.db"))).await.expect("a database");
        let spec = WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(100);
        let lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, sink).await;
        let culprit = in_order(&lab)[rank];
        lab.sandbox.world().poison(culprit, Poison::Crash);
        let report = lab.run().await;
        assert_eq!(report.counts.inserted, 99, "{report:?}");
        assert_eq!(report.outcome, RunOutcome::Quarantine);
        let entries = lab.quarantine().await;
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].number.get(), entries[0].reason.as_str()), (culprit, "internal_server_error"));
        // Seven halvings, each tried twice, and as many doublings on the way back.
        let asked = lab.sandbox.requests().len();
        assert!(asked <= 50, "{asked} requests for the culprit of rank {rank}");
        lab.assert_exact_but(&[culprit]).await;
    }
}

#[tokio::test]
async fn trap_4_a_dossier_that_breaks_even_the_light_listing_is_passed_over() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    let culprit = in_order(&lab)[7];
    lab.sandbox.world().poison(culprit, Poison::Crash);
    lab.sandbox.plan(FaultPlan::new(Fault::Crash).operation("ListLight"));
    let report = lab.run().await;
    assert_eq!((report.counts.inserted, report.outcome), (19, RunOutcome::Quarantine), "{report:?}");
    // A listing that must be read dossier by dossier, and tells nothing of any of them, still proves that each is there.
    let verified = lab.verify().await;
    assert_eq!((verified.listed, verified.missing.len(), verified.ghost.len()), (20, 0, 0), "{verified:?}");
    lab.sandbox.clear_faults();
    lab.assert_exact_but(&[culprit]).await;
}

#[tokio::test]
async fn trap_4_neighbours_that_all_break_the_server_are_each_set_aside() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 30).await;
    lab.settings.page_size = pages_of(16);
    let order = in_order(&lab);
    let mut culprits = vec![order[3], order[4], order[5], order[15], order[16], order[29]];
    culprits.sort_unstable();
    for culprit in &culprits {
        lab.sandbox.world().poison(*culprit, Poison::Crash);
    }
    let report = lab.run().await;
    assert_eq!(report.counts.inserted, 24, "{report:?}");
    assert_eq!(set_aside(&lab).await, culprits);
    lab.assert_exact_but(&culprits).await;
}

#[tokio::test]
async fn trap_4_a_culprit_that_moves_while_it_is_looked_for_costs_no_other_dossier() {
    for rank in 2..14 {
        let lab = Lab::new(Platform::DemarcheNumerique, 10).await;
        let culprit = in_order(&lab)[4];
        lab.sandbox.world().poison(culprit, Poison::Crash);
        lab.sandbox.after_request(rank, move |world| world.touch(culprit));
        lab.run().await;
        lab.sandbox.clear_hooks();
        assert_eq!(set_aside(&lab).await, [culprit], "moved after request {rank}");
        assert_eq!(alive(&lab).await, 9, "moved after request {rank}");
        lab.sandbox.world().heal(culprit);
        lab.wait(1);
        lab.run().await;
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_5_a_dossier_that_fails_for_ever_stops_nobody_and_is_tried_less_and_less_often() {
    let lab = Lab::new(Platform::DemarcheNumerique, 30).await;
    let order = in_order(&lab);
    let culprit = order[0];
    lab.sandbox.world().poison(culprit, Poison::Crash);
    let attempts = async || lab.quarantine().await[0].attempts;
    let first = lab.run().await;
    let mut watermark = first.watermark;
    for (rank, number) in order[1..4].iter().enumerate() {
        lab.sandbox.world().touch(*number);
        let report = lab.run().await;
        assert_eq!(report.counts.updated, 1, "run {rank}: {report:?}");
        assert!(report.watermark > watermark, "run {rank}: the culprit holds nobody back");
        watermark = report.watermark;
        assert_eq!(attempts().await, 1, "not before five minutes");
        lab.wait_minutes(1);
    }
    let mut tried = Vec::new();
    for minute in 0..80 {
        let before = attempts().await;
        lab.wait_minutes(1);
        lab.run().await;
        if attempts().await > before {
            tried.push(minute);
        }
    }
    let waits: Vec<i32> = tried.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits, [10, 20, 40], "tried at {tried:?}");
    let entry = lab.quarantine().await.remove(0);
    assert_eq!(entry.since, first.started_at, "it says since when");
    lab.assert_exact_but(&[culprit]).await;
    lab.sandbox.world().heal(culprit);
    lab.wait(2);
    let report = lab.run().await;
    assert_eq!((report.counts.inserted, report.outcome), (1, RunOutcome::Done), "{report:?}");
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_5_the_daily_listing_does_not_try_again_what_waits_in_quarantine() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    let culprit = in_order(&lab)[0];
    lab.sandbox.world().poison(culprit, Poison::Crash);
    lab.run().await;
    let report = lab.reconcile().await;
    assert_eq!(report.listing.map(|listing| listing.missing), Some(1), "it is listed and not there");
    assert_eq!(lab.quarantine().await[0].attempts, 2, "once a run");
    lab.assert_exact_but(&[culprit]).await;
}

#[tokio::test]
async fn trap_6_a_link_to_a_dossier_out_of_scope_costs_nothing() {
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE, DEMARCHE_CLONE]).dossiers(10);
    let lab = Lab::of(spec, DEMARCHE_COMPLETE).await;
    let linking = one_in(&lab, State::EnConstruction);
    let linked = lab.sandbox.world().numbers(DEMARCHE_CLONE)[0];
    {
        let mut world = lab.sandbox.world();
        let form = world.form_of(world.dossier(linking).expect("it exists")).expect("it has a form");
        let link = form.champ_of(Kind::DossierLink).expect("the form asks for one").stable_id;
        world.edit(linking, link, linked.to_string()).expect("the question exists");
        world.remove_from_scope(DEMARCHE_CLONE);
    }
    let report = lab.run().await;
    assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Done, 10), "{report:?}");
    let champs = serde_json::to_string(&lab.dossier(linking).await.champs).expect("plain data");
    assert!(champs.contains(&linked.to_string()), "the number of the link is kept");
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_10_an_empty_page_takes_nothing_back() {
    let lab = Lab::new(Platform::DemarcheNumerique, 12).await;
    let order = in_order(&lab);
    let watermark = lab.run().await.watermark;
    // Nothing is left within the overlap: pages are empty, without a cursor.
    lab.sandbox.world().delete_without_trace(*order.last().expect("a dossier"));
    lab.sandbox.reset_log();
    let report = lab.run().await;
    assert_eq!((report.watermark, report.sweep), (watermark, false), "{report:?}");
    let asked = lab.sandbox.requests();
    let pages: Vec<_> = asked.iter().filter(|r| r.operation.as_deref() == Some("ListDossiers")).collect();
    assert_eq!(pages.len(), 1, "{pages:?}");
    assert!(pages[0].variables["updatedSince"].as_str() > Some("2000"), "{pages:?}");
    lab.sandbox.world().touch(order[0]);
    assert_eq!(lab.run().await.counts.updated, 1);
    lab.reconcile().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_10_a_demarche_without_dossiers_is_copied_and_its_first_dossier_arrives() {
    let lab = Lab::new(Platform::DematSocial, 0).await;
    lab.run().await;
    lab.assert_exact().await;
    let number = lab.sandbox.world().submit(lab.demarche()).expect("the démarche takes dossiers");
    assert_eq!(lab.run().await.counts.inserted, 1);
    assert!(lab.shows(number).await);
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_11_dossiers_that_move_between_pages_are_committed_once_each() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 60).await;
    lab.settings.page_size = pages_of(10);
    let numbers = lab.sandbox.world().numbers(lab.demarche());
    for (rank, number) in numbers.into_iter().take(20).enumerate() {
        let rank = u32::try_from(rank).expect("a small number");
        lab.sandbox.after_request(rank % 6 + 3, move |world| world.touch(number));
    }
    lab.run().await;
    lab.run().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_13_a_dossier_that_moves_to_another_state_groupe_or_to_the_archive_is_followed() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 24).await;
        lab.run().await;
        let (moved, decided) = (one_in(&lab, State::EnConstruction), one_in(&lab, State::EnInstruction));
        let shelved = *all_in(&lab, State::Accepte)
            .iter()
            .find(|number| !lab.sandbox.dossier(**number).expect("listed").archived)
            .expect("one that is not archived");
        {
            let mut world = lab.sandbox.world();
            let groupes: Vec<u32> =
                world.demarche(lab.demarche()).expect("it exists").groupes.iter().map(|g| g.number).collect();
            let here = world.dossier(moved).expect("it exists").groupe;
            let there = *groupes.iter().find(|groupe| **groupe != here).expect("a second groupe");
            world.changer_groupe(moved, there).expect("a groupe of the démarche");
            world.passer_en_instruction(moved, Some(1)).expect("it is open");
            world.refuser(decided, "Hors du périmètre", Some(1)).expect("it is being examined");
            world.archiver(shelved).expect("it is decided");
        }
        let report = lab.run().await;
        assert_eq!(report.counts.updated, 3, "{platform}: {report:?}");
        assert!(lab.dossier(shelved).await.archived);
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_15_dossiers_that_arrive_between_the_pages_are_there_after_the_next_run() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 21).await;
    lab.settings.page_size = pages_of(7);
    let mut left = 12;
    lab.sandbox.on_request(move |_, world| {
        if left > 0 {
            left -= 1;
            world.submit(DEMARCHE_COMPLETE);
        }
    });
    lab.run().await;
    lab.sandbox.clear_hooks();
    let late = lab.sandbox.snapshot(lab.demarche()).dossiers.len() as u64 - alive(&lab).await;
    assert!(late > 0, "the last one came after the last page");
    assert_eq!(lab.run().await.counts.inserted, late);
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_16_a_restored_dossier_is_the_same_one_again() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 20).await;
        lab.run().await;
        let number = one_in(&lab, State::EnConstruction);
        let key = demarche_numerique::DossierNumber::new(number);
        let first_seen = lab.sink.content(&lab.scope).dossiers[&key].first_seen;
        lab.sandbox.world().delete_by_user(number).expect("it is open");
        assert_eq!(lab.run().await.counts.deleted, 1);
        assert!(tombstone(&lab, number).await.is_some());
        lab.wait(2);
        lab.sandbox.world().restore(number).expect("it is hidden");
        assert_eq!(lab.run().await.counts.restored, 1, "{platform}");
        assert_eq!(tombstone(&lab, number).await, None);
        let content = lab.sink.content(&lab.scope);
        assert_eq!(content.dossiers[&key].first_seen, first_seen, "under the same key");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_17_a_demarche_thrown_away_while_the_quarantine_is_tried_again_lets_nothing_out_of_it() {
    let lab = Lab::new(Platform::DemarcheNumerique, 10).await;
    let (culprit, demarche) = (in_order(&lab)[3], lab.demarche());
    lab.sandbox.world().poison(culprit, Poison::NullNode);
    lab.run().await;
    lab.wait_minutes(10);
    // After the news: the platform then answers "not found" for every dossier.
    lab.sandbox.after_request(1, move |world| world.discard_demarche(demarche));
    assert_eq!(failure(&lab).await, "not_found");
    lab.sandbox.clear_hooks();
    assert_eq!(set_aside(&lab).await, [culprit]);
    lab.sandbox.world().restore_demarche(demarche);
    lab.sandbox.world().heal(culprit);
    lab.run().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_17_a_demarche_that_the_token_lost_deletes_nothing() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 12).await;
        lab.run().await;
        lab.wait(25);
        lab.sandbox.world().remove_from_scope(lab.demarche());
        assert_eq!(failure(&lab).await, "out_of_scope", "{platform}");
        assert_eq!(alive(&lab).await, 12, "{platform}");
        lab.sandbox.world().restore_to_scope(lab.demarche());
        lab.sandbox.world().discard_demarche(lab.demarche());
        assert_eq!(failure(&lab).await, "not_found", "{platform}");
        assert_eq!(alive(&lab).await, 12, "{platform}");
        lab.sandbox.world().restore_demarche(lab.demarche());
        lab.run().await;
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_17_a_token_that_loses_the_demarche_in_the_middle_of_a_run_deletes_nothing() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    lab.settings.page_size = pages_of(5);
    lab.run().await;
    let lost = in_order(&lab)[0];
    for rank in 1..10 {
        // A run that also compares the listing and has a dossier to ask about.
        lab.wait(25);
        lab.sandbox.after_request(rank, |world| world.remove_from_scope(DEMARCHE_COMPLETE));
        let _ = lab.try_run().await;
        lab.sandbox.clear_hooks();
        assert_eq!(alive(&lab).await, 20, "lost after request {rank}");
        lab.sandbox.world().restore_to_scope(lab.demarche());
        lab.sandbox.world().touch(lost);
    }
    lab.reconcile().await;
    lab.assert_exact().await;
}

/// Random changes of an hour happen between the pages of every run.
#[tokio::test]
async fn whatever_happens_between_pages_a_complete_run_after_it_is_exact() {
    for seed in 1..=6 {
        let platform = Platform::ALL[seed as usize % 2];
        let mut lab = Lab::new(platform, 30).await;
        lab.settings.page_size = pages_of(7);
        lab.settings.allow_deletes = true;
        for round in 0..3 {
            let mut left = 8;
            lab.sandbox.on_request(move |request, world| {
                if left > 0 {
                    left -= 1;
                    world.live(DEMARCHE_COMPLETE, 4, seed * 1000 + round * 100 + request.rank);
                }
            });
            lab.run().await;
            lab.sandbox.clear_hooks();
        }
        // A week later everything is read again, silent changes included.
        lab.wait(8 * 24);
        let report = lab.run().await;
        assert!(report.sweep && report.listing.is_some(), "seed {seed}: {report:?}");
        lab.assert_exact().await;
    }
}
