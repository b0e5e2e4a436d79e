//! Requests of whole runs: how many, how large, and what a run that reads little still notices.

use std::path::Path;

use demarche_numerique::report::Report;
use demarche_numerique::sandbox::grist::{Fault, FaultPlan};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, DemarcheSpec, FormSpec, WorldSpec};
use demarche_numerique::sink::{GristSink, SinkError};
use demarche_numerique::{Platform, sync};
use serde_json::json;
use tempfile::TempDir;

use super::Place;
use crate::sync_runs::lab::Lab;

const BOTH: [Platform; 2] = [Platform::DemarcheNumerique, Platform::DematSocial];
const DEMARCHE: u32 = 7;
const DOSSIERS: &str = "Demarche_7_dossiers";

/// The largest body that Grist takes.
const MOST: usize = 1 << 20;

/// A démarche of plain questions.
fn simple(platform: Platform, champs: u32, dossiers: u32) -> WorldSpec {
    let mut spec = WorldSpec::new(platform);
    spec.demarches = vec![DemarcheSpec::new(DEMARCHE, FormSpec::Simple { champs }, dossiers)];
    spec
}

async fn try_open(place: &Place, cache: &Path) -> Result<GristSink, SinkError> {
    GristSink::of(place.doc("cle-du-bac-a-sable")).cache(cache).open().await
}

/// One run by a process of its own, with what an earlier one kept.
async fn run(lab: &Lab, place: &Place, cache: &Path) -> Report {
    let sink = try_open(place, cache).await.expect("a document");
    let run = lab.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    run.report
}

/// A document with what a first load brought, and the cache of that run.
async fn loaded(spec: WorldSpec, demarche: u32) -> (Lab, Place, TempDir) {
    let (place, cache) = (Place::new().await, TempDir::new().expect("a directory"));
    let lab = Lab::of(spec, demarche).await;
    let report = run(&lab, &place, cache.path()).await;
    assert!(report.counts.inserted > 0, "{report:?}");
    lab.wait_minutes(5);
    (lab, place, cache)
}

/// A run that finds nothing: it asks little, reads little and writes nothing.
async fn assert_light(lab: &Lab, place: &Place, cache: &Path) {
    place.grist.reset_log();
    let before = place.grist.state_number(&place.document);
    let report = run(lab, place, cache).await;
    let asked = place.grist.count();
    let tables = place.person().tables().len();
    assert_eq!((asked.writes, place.grist.state_number(&place.document)), (0, before), "{report:?}");
    assert!(
        asked.requests <= 3 && asked.sent <= 10_000,
        "{asked:?} with {tables} tables: {:?}",
        place.grist.requests()
    );
}

/// The writes of a first load that carry no dossier.
const BESIDE_DATA: usize = 5;

#[tokio::test]
async fn a_first_load_writes_once_for_a_page() {
    for platform in BOTH {
        // Pages of a hundred dossiers, of 200 kB and of 950 kB.
        for (champs, dossiers) in [(20, 300), (400, 100)] {
            let (place, lab) = (Place::new().await, Lab::of(simple(platform, champs, dossiers), DEMARCHE).await);
            let report = lab.run_into(&place.open().await).await.report;
            let bodies: Vec<usize> = place.grist.requests().iter().filter(|r| r.write).map(|r| r.received).collect();
            let largest = bodies.iter().max().copied().unwrap_or_default();
            assert!(largest < MOST - 10_000, "{platform:?}: a body of {largest} bytes");
            // Three bundles make tables and pages, one says where the lists of deletions stand, one is the line of the run.
            let data = bodies.len() - BESIDE_DATA;
            let allowed = usize::try_from(report.pages).expect("few pages");
            assert_eq!(report.counts.inserted, u64::from(dossiers));
            assert!(data <= allowed, "{platform:?}: {data} writes, {allowed} pages: {bodies:?}");
        }
    }
}

#[tokio::test]
async fn a_first_load_of_the_complete_form_writes_once_for_a_page() {
    for platform in BOTH {
        let spec = WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(200);
        let (place, lab) = (Place::new().await, Lab::of(spec, DEMARCHE_COMPLETE).await);
        let report = lab.run_into(&place.open().await).await.report;
        let bodies: Vec<usize> = place.grist.requests().iter().filter(|r| r.write).map(|r| r.received).collect();
        let pages = usize::try_from(report.pages).expect("few pages");
        assert!(bodies.iter().all(|bytes| *bytes < MOST - 10_000), "{platform:?}: {bodies:?}");
        assert!(bodies.len() <= pages + BESIDE_DATA, "{platform:?}: {pages} pages, {bodies:?}");
    }
}

#[tokio::test]
async fn a_run_without_news_reads_little_however_wide_the_document_is() {
    for platform in BOTH {
        let complete = WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(40);
        let worlds =
            [(simple(platform, 20, 40), DEMARCHE), (simple(platform, 700, 5), DEMARCHE), (complete, DEMARCHE_COMPLETE)];
        for (spec, demarche) in worlds {
            let (lab, place, cache) = loaded(spec, demarche).await;
            for _ in 0..3 {
                assert_light(&lab, &place, cache.path()).await;
                lab.wait_minutes(5);
            }
        }
    }
}

#[tokio::test]
async fn what_people_do_beside_our_tables_and_columns_costs_nothing() {
    let (lab, place, cache) = loaded(simple(Platform::DemarcheNumerique, 200, 20), DEMARCHE).await;
    let person = place.person();
    person.add_table("Notes", &[("texte", "Text")]);
    run(&lab, &place, cache.path()).await;
    person.add_row("Notes", &[("texte", json!("à rappeler"))]);
    let row = place.rows(DOSSIERS)[0].id;
    person.edit(DOSSIERS, row, "state", json!("autre"));
    assert_light(&lab, &place, cache.path()).await;
    assert_light(&lab, &place, cache.path()).await;
}

#[tokio::test]
async fn a_run_with_news_goes_on_from_what_was_kept() {
    let (lab, place, cache) = loaded(simple(Platform::DemarcheNumerique, 30, 20), DEMARCHE).await;
    for _ in 0..3 {
        lab.change(|world| world.submit(DEMARCHE));
        lab.wait_minutes(1);
        place.grist.reset_log();
        let report = run(&lab, &place, cache.path()).await;
        assert_eq!(report.counts.inserted, 1);
        let asked = place.grist.count();
        assert!(asked.requests <= 4 && asked.sent <= 12_000, "{:?}", place.grist.requests());
        place.assert_sound();
    }
    assert_light(&lab, &place, cache.path()).await;
    let sink = try_open(&place, cache.path()).await.expect("a document");
    let verification = sync::verify(&lab.client, &sink, &lab.scope, &lab.filter, |_| {}).await.expect("a listing");
    assert!(verification.is_exact() && verification.held == 23, "{verification:?}");
}

#[tokio::test]
async fn everything_that_people_do_to_our_columns_is_told_as_without_a_cache() {
    let (lab, place, cache) = loaded(simple(Platform::DemarcheNumerique, 20, 10), DEMARCHE).await;
    let person = place.person();
    let questions: Vec<String> =
        person.columns(DOSSIERS).into_iter().skip_while(|id| id != "instructeurs").skip(1).collect();
    let mut told = Vec::new();
    for step in 0..9 {
        match step {
            0 => person.remove_column(DOSSIERS, &questions[0]),
            1 => person.make_formula(DOSSIERS, &questions[1], "$number * 2"),
            2 => person.add_trigger(DOSSIERS, &questions[2], "'autre'"),
            3 => person.toggle_link(DOSSIERS, &questions[3]),
            4 => person.relabel_column(DOSSIERS, &questions[4], "Un autre titre"),
            5 => person.rename_column(DOSSIERS, &questions[5], "un_autre_nom"),
            6 => person.rename_table("Demarche_7_messages", "Courrier"),
            7 => drop(person.add_column(DOSSIERS, "Ma note", "Text")),
            // What goes unseen is an access rule, which is no action of the history: it closes SQL, or hides nothing.
            _ => person.remove_column(DOSSIERS, &questions[6]),
        }
        lab.wait_minutes(5);
        let first = run(&lab, &place, cache.path()).await.notices;
        let news = first.iter().filter(|notice| !told.contains(*notice)).count();
        assert_eq!(news, usize::from([0, 1, 2, 8].contains(&step)), "step {step}: {first:?}");
        let plain = lab.run_into(&place.open().await).await.report.notices;
        // Told again, from what was read and from what was kept.
        for again in ["read", "kept"] {
            assert_eq!(run(&lab, &place, cache.path()).await.notices, plain, "step {step}, {again}");
        }
        told = plain;
    }
    assert!(told.len() >= 3, "{told:?}");
    lab.change(|world| world.submit(DEMARCHE));
    lab.wait_minutes(1);
    assert_eq!(run(&lab, &place, cache.path()).await.counts.inserted, 1);
    place.assert_sound();
}

#[tokio::test]
async fn a_state_that_somebody_edited_stops_a_run_that_keeps_it_too() {
    let (lab, place, cache) = loaded(simple(Platform::DemarcheNumerique, 20, 10), DEMARCHE).await;
    let row = place.rows("Dn_etat").into_iter().find(|row| row.text("cle").ends_with("/jalon")).expect("a checkpoint");
    place.person().edit("Dn_etat", row.id, "valeur", json!("t:{}"));
    let sink = try_open(&place, cache.path()).await.expect("a document");
    let error = lab.run_into(&sink).await.error.expect("it stops").to_string();
    assert!(error.contains("of Dn_etat was edited"), "{error}");
}

#[tokio::test]
async fn a_document_of_the_past_and_a_run_without_the_cache_are_noticed() {
    let (lab, place, cache) = loaded(simple(Platform::DemarcheNumerique, 20, 10), DEMARCHE).await;
    let snapshot = place.grist.snapshot(&place.document);
    lab.change(|world| world.submit(DEMARCHE));
    lab.wait_minutes(1);
    assert_eq!(run(&lab, &place, cache.path()).await.counts.inserted, 1);
    place.grist.restore(&place.document, &snapshot);
    assert_eq!(run(&lab, &place, cache.path()).await.counts.inserted, 1, "it catches up");
    // The same number of actions as before, and others.
    place.grist.restore(&place.document, &snapshot);
    assert_eq!(lab.run_into(&place.open().await).await.report.counts.inserted, 1, "another machine catches up");
    let report = run(&lab, &place, cache.path()).await;
    assert_eq!((report.counts.inserted, report.rows_written), (0, 0));
    place.assert_sound();
}

#[tokio::test]
async fn a_cache_that_is_lost_or_damaged_costs_a_larger_answer() {
    let (lab, place, cache) = loaded(simple(Platform::DemarcheNumerique, 20, 10), DEMARCHE).await;
    let file = std::fs::read_dir(cache.path()).expect("a directory").next().expect("a file").expect("a file").path();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    }
    let text = std::fs::read_to_string(&file).expect("a text");
    for broken in [String::new(), "\n".to_owned(), text[..text.len() / 2].to_owned(), text.replacen('A', "B", 1)] {
        std::fs::write(&file, broken).expect("it can be written");
        let report = run(&lab, &place, cache.path()).await;
        assert_eq!((report.rows_written, report.notices.len()), (0, 0), "{report:?}");
        assert_light(&lab, &place, cache.path()).await;
    }
    std::fs::remove_file(&file).expect("it is there");
    run(&lab, &place, cache.path()).await;
    assert_light(&lab, &place, cache.path()).await;
    // Where nothing can be kept everything is read.
    run(&lab, &place, Path::new("/dev/null/nowhere")).await;
}

#[tokio::test]
async fn a_grist_that_does_not_show_its_history_is_read_as_before() {
    let (place, cache) = (Place::new().await, TempDir::new().expect("a directory"));
    let lab = Lab::of(simple(Platform::DemarcheNumerique, 20, 10), DEMARCHE).await;
    let body = r#"{"error":"SQLITE_ERROR: no such table: _gristsys_ActionHistoryBranch"}"#;
    let hides = Fault::Answer { status: 400, body: body.to_owned() };
    place.grist.plan(FaultPlan::new(hides).holding("_gristsys_"));
    for inserted in [10, 0] {
        assert_eq!(run(&lab, &place, cache.path()).await.counts.inserted, inserted);
        lab.wait_minutes(5);
    }
    place.grist.clear_faults();
    run(&lab, &place, cache.path()).await;
    assert_light(&lab, &place, cache.path()).await;
}
