//! Whole runs from a platform into a document.

use demarche_numerique::ids::DemarcheNumber;
use demarche_numerique::sandbox::world::State;
use demarche_numerique::sandbox::{DEMARCHE_CLONE, DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::MemorySink;
use demarche_numerique::{Platform, Report, sync};

use super::Place;
use crate::sync_runs::lab::Lab;

/// One run of a lab into the document, by a process of its own.
async fn run(lab: &Lab<MemorySink>, place: &Place) -> Report {
    let sink = place.open().await;
    let run = lab.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    run.report
}

fn world(platform: Platform, dossiers: u32) -> WorldSpec {
    WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(dossiers)
}

#[tokio::test]
async fn the_document_is_the_truth_of_the_platform() {
    for platform in [Platform::DemarcheNumerique, Platform::DematSocial] {
        let place = Place::new().await;
        let lab = Lab::with_sink(world(platform, 60), DEMARCHE_COMPLETE, place.open().await).await;
        let report = lab.run().await;
        assert_eq!((report.notices.len(), report.counts.inserted > 50), (0, true), "{report:?}");
        lab.assert_exact().await;
        for number in lab.in_state(State::EnConstruction).into_iter().take(2) {
            lab.change(|world| world.touch(number));
        }
        lab.wait(1);
        lab.run().await;
        lab.assert_exact().await;
        place.assert_sound();
    }
}

#[tokio::test]
async fn a_run_without_news_asks_three_questions_and_leaves_no_trace() {
    for platform in [Platform::DemarcheNumerique, Platform::DematSocial] {
        let place = Place::new().await;
        let lab = Lab::of(world(platform, 40), DEMARCHE_COMPLETE).await;
        run(&lab, &place).await;
        lab.wait_minutes(5);
        run(&lab, &place).await;
        // Beyond an hour the walk looks further back and says so, and the next one leaves a line.
        let rhythm = [(5, true), (5, true), (50, false), (5, false), (5, true), (120, false), (5, false), (5, true)];
        for (minutes, silent) in rhythm {
            lab.wait_minutes(minutes);
            place.grist.reset_log();
            let before = place.grist.state_number(&place.document);
            let report = run(&lab, &place).await;
            let asked = place.grist.count();
            assert!(asked.requests <= 3, "{} requests after {minutes} minutes", asked.requests);
            assert_eq!(report.rows_written, 0);
            if silent {
                let left = (asked.writes, place.grist.state_number(&place.document));
                assert_eq!(left, (0, before), "{platform:?}: {report:?}");
            }
        }
    }
}

#[tokio::test]
async fn one_changed_dossier_costs_four_requests() {
    let place = Place::new().await;
    let lab = Lab::of(world(Platform::DemarcheNumerique, 40), DEMARCHE_COMPLETE).await;
    run(&lab, &place).await;
    lab.wait_minutes(30);
    run(&lab, &place).await;
    let number = lab.in_state(State::EnConstruction)[0];
    lab.wait_minutes(5);
    lab.change(|world| world.submit(DEMARCHE_COMPLETE));
    lab.change(|world| world.touch(number));
    lab.wait_minutes(1);
    place.grist.reset_log();
    let report = run(&lab, &place).await;
    assert!(report.rows_written > 0, "{report:?}");
    let asked = place.grist.count_by_route();
    assert!(place.grist.count().requests <= 4, "{asked:?}");
}

#[tokio::test]
async fn several_demarches_of_both_platforms_share_a_document() {
    let place = Place::new().await;
    let spec = |platform| WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE, DEMARCHE_CLONE]).dossiers(20);
    // Two démarches of one platform, as an instance has one address.
    let mut labs = Vec::new();
    for (instance, platform) in [("dn", Platform::DemarcheNumerique), ("ds", Platform::DematSocial)] {
        let mut lab = Lab::of(spec(platform), DEMARCHE_COMPLETE).await;
        lab.scope.instance = instance.to_owned();
        labs.push(lab);
    }
    let jobs = [(0, DEMARCHE_COMPLETE), (0, DEMARCHE_CLONE), (1, DEMARCHE_COMPLETE)];
    for (of, demarche) in jobs {
        labs[of].scope.demarche = DemarcheNumber::new(demarche);
        run(&labs[of], &place).await;
    }
    for (of, demarche) in jobs {
        labs[of].scope.demarche = DemarcheNumber::new(demarche);
        let lab = &labs[of];
        let again = run(lab, &place).await;
        assert_eq!(again.rows_written, 0);
        let sink = place.open().await;
        let verification = sync::verify(&lab.client, &sink, &lab.scope, &lab.filter, |_| {}).await.expect("a listing");
        assert!(verification.is_exact() && verification.held > 0, "{verification:?}");
    }
    let tables = place.person().tables();
    for name in ["Demarche_1001_dossiers", "Demarche_1002_dossiers", "Ds_demarche_1001_dossiers"] {
        assert!(tables.contains(&name.to_owned()), "{tables:?}");
    }
    assert_eq!(tables.iter().filter(|table| table.starts_with("Dn_")).count(), 6);
    place.assert_sound();
}

#[tokio::test]
async fn a_first_load_writes_fifteen_times_a_thousand_dossiers_and_reads_nothing_back() {
    let place = Place::new().await;
    let dossiers = 300;
    let lab = Lab::of(world(Platform::DemarcheNumerique, dossiers), DEMARCHE_COMPLETE).await;
    run(&lab, &place).await;
    let asked = place.grist.count_by_route();
    let held = place.rows("Dn_dossiers").len();
    let writes = place.grist.count().writes;
    // Three bundles for the tables and their pages, one for the line of the run, and the rows.
    let allowed = 4 + (held * 12).div_ceil(1000);
    assert!(writes <= allowed, "{writes} writes for {held} dossiers: {asked:?}");
    let read = asked["POST sql"];
    assert!(read.requests <= 6, "{asked:?}");
}
