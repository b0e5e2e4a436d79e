//! Section B of the traps: changes without a date.

use std::collections::BTreeSet;

use demarche_numerique::sandbox::world::{Demandeur, State};
use demarche_numerique::sandbox::{Area, AreaSource, FileRecord, Kind, Scan, Value, World};
use demarche_numerique::{ChampValue, Platform};
use serde_json::json;

use super::lab::Lab;
use super::survey::{Database, answer, question};

/// A change without a date, made to one dossier.
struct Silent {
    name: &'static str,
    number: u32,
    /// True if the complete light listing shows it.
    listed: bool,
    change: Box<dyn Fn(&mut World)>,
}

/// An instructeur whom nobody else has.
const LONE_INSTRUCTEUR: u32 = 9;

/// Gives each silent change a dossier of its own, made ready for it: all of that is dated now.
fn silent_changes(lab: &Lab) -> Vec<Silent> {
    let platform = lab.client.platform();
    let kind = |kind| question(platform, kind);
    let (files, map, rna) = (kind(Kind::PieceJustificative), kind(Kind::Carte), kind(Kind::Rna));
    let mut open = lab.in_state(State::EnConstruction).into_iter().chain(lab.in_state(State::EnInstruction));
    let mut next = || open.next().expect("enough open dossiers");
    let (label, pending, infected, purged, rebased) = (next(), next(), next(), next(), next());
    let (company, area, association, expiring) = (next(), next(), next(), next());
    let (transferred, forgotten, followed, corrected) = (next(), next(), next(), next());
    let decided = *lab.in_state(State::EnInstruction).last().expect("an open dossier");
    let demarche = lab.demarche();
    let mut world = lab.sandbox.world();
    let now = world.now();
    let file = |scan| {
        let mut file = FileRecord::new("plan.pdf", 300, now);
        file.scan = scan;
        Value::Files(vec![file])
    };
    for number in [label, rebased, expiring, transferred, forgotten] {
        world.touch(number);
    }
    if world.dossier(label).expect("a dossier").extra.as_ref().is_some_and(|extra| extra.labels.contains(&10013)) {
        world.remove_label(label, 10013).expect("it has the label");
    }
    for number in [pending, infected] {
        world.edit(number, files, file(Scan::Pending)).expect("the question is asked");
    }
    world.edit(purged, files, file(Scan::Safe)).expect("the question is asked");
    world.touch(company);
    world.set_demandeur(company, Demandeur::PersonneMorale { siret: "90000000000018".to_owned(), enriched: false });
    let drawn = Area {
        id: 1,
        description: None,
        source: AreaSource::SelectionUtilisateur,
        geometry: json!({"type": "Point", "coordinates": [1.0, 2.0]}),
    };
    world.edit(area, map, Value::Areas(vec![drawn])).expect("the question is asked");
    let unknown = Value::Reference { id: "W991234567".to_owned(), known: false };
    world.edit(association, rna, unknown).expect("the question is asked");
    world.add_instructeur(demarche, demarche * 10 + 1, LONE_INSTRUCTEUR);
    world.suivre(followed, LONE_INSTRUCTEUR, true);
    world.touch(followed);
    if world.dossier(corrected).expect("a dossier").pending_correction().is_none() {
        world.envoyer_message(corrected, Some(1), "Corrigez.", Some("incorrect"), Vec::new()).expect("it is open");
    } else {
        world.touch(corrected);
    }
    world.accepter(decided, "Bravo", Some(1)).expect("it is in instruction");
    let silent = |name, number, listed, change: Box<dyn Fn(&mut World)>| Silent { name, number, listed, change };
    let mut changes = vec![
        silent("attestation", decided, true, Box::new(move |w| w.deliver_attestation(decided))),
        silent(
            "scan passed",
            pending,
            false,
            Box::new(move |w| w.scan_files(pending, files, Scan::Safe).expect("files")),
        ),
        silent(
            "scan failed",
            infected,
            false,
            Box::new(move |w| w.scan_files(infected, files, Scan::Infected).expect("files")),
        ),
        silent("purge", purged, false, Box::new(move |w| w.purge_files(purged, files).expect("files"))),
        silent("rebase", rebased, true, Box::new(move |w| w.rebase(rebased, 0))),
        silent("demandeur", company, false, Box::new(move |w| w.enrich_demandeur(company))),
        silent("geometry", area, false, Box::new(move |w| w.refine_geometry(area, map).expect("a map"))),
        silent("rna", association, false, Box::new(move |w| w.resolve_reference(association, rna).expect("a number"))),
        silent(
            "expiration",
            expiring,
            true,
            Box::new(move |w| {
                let at = w.now() + jiff::SignedDuration::from_hours(24 * 900);
                w.set_expiration(expiring, at);
            }),
        ),
        silent("transfer", transferred, true, Box::new(move |w| w.transfer(transferred, "autre@example.org"))),
        silent("account", forgotten, true, Box::new(move |w| w.forget_usager(forgotten))),
        silent("instructeur", followed, true, Box::new(move |w| w.remove_instructeur(demarche, LONE_INSTRUCTEUR))),
        silent("correction", corrected, true, Box::new(move |w| w.resolve_corrections(corrected))),
    ];
    if platform == Platform::DemarcheNumerique {
        changes.push(silent("label", label, true, Box::new(move |w| w.add_label(label, 10013).expect("a new label"))));
    } else {
        // The open files of Démat Social say nothing about viruses: that one was let through does not show.
        changes.retain(|silent| silent.name != "scan passed");
    }
    changes
}

fn make(lab: &Lab, changes: &[Silent]) {
    for silent in changes {
        let date = |world: &World| world.dossier(silent.number).expect("a dossier").updated_at;
        let mut world = lab.sandbox.world();
        let before = date(&world);
        (silent.change)(&mut world);
        assert_eq!(date(&world), before, "{} bears no date", silent.name);
    }
}

/// The dossiers of some changes, and the names of those that are not among the given ones.
fn numbers<'a>(changes: impl IntoIterator<Item = &'a Silent>) -> BTreeSet<u32> {
    changes.into_iter().map(|silent| silent.number).collect()
}

fn named(changes: &[Silent], stale: &BTreeSet<u32>) -> Vec<&'static str> {
    changes.iter().filter(|silent| stale.contains(&silent.number)).map(|silent| silent.name).collect()
}

#[tokio::test]
async fn trap_20_a_silent_change_within_the_overlap_arrives_with_the_next_run() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 40).await;
        let changes = silent_changes(&lab);
        lab.run().await;
        make(&lab, &changes);
        assert_eq!(lab.stale().await, numbers(&changes), "{platform}: every change shows");
        lab.run().await;
        assert_eq!(named(&changes, &lab.stale().await), [""; 0], "{platform}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_20_a_silent_change_within_a_day_arrives_within_the_hour() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 40).await;
        let changes = silent_changes(&lab);
        lab.wait(20);
        lab.change(|world| world.submit(1001)).expect("a new dossier");
        lab.run().await;
        make(&lab, &changes);
        lab.run().await;
        assert_eq!(lab.stale().await, numbers(&changes), "{platform}: nothing said that they changed");
        lab.wait_minutes(61);
        lab.run().await;
        assert_eq!(named(&changes, &lab.stale().await), [""; 0], "{platform}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_20_a_silent_change_to_an_old_dossier_arrives_within_a_day_where_it_is_listed_and_a_week_elsewhere() {
    let lab = Lab::new(Platform::DemarcheNumerique, 40).await;
    let changes = silent_changes(&lab);
    lab.run().await;
    lab.wait(24 * 28);
    lab.change(|world| world.submit(1001)).expect("a new dossier");
    let report = lab.run().await;
    assert!(report.sweep, "{report:?}");
    make(&lab, &changes);
    lab.run().await;
    assert_eq!(lab.stale().await, numbers(&changes), "nothing said that they changed");
    lab.wait_minutes(61);
    lab.run().await;
    assert_eq!(lab.stale().await, numbers(&changes), "they are too old for the hourly look");
    lab.wait(23);
    let report = lab.run().await;
    let listed = changes.iter().filter(|silent| silent.listed).count() as u64;
    assert_eq!(report.listing.map(|listing| listing.stale), Some(listed), "{report:?}");
    let late: Vec<_> = changes.iter().filter(|silent| !silent.listed).map(|silent| silent.name).collect();
    assert_eq!(named(&changes, &lab.stale().await), late, "within a day");
    lab.wait(24 * 6);
    let report = lab.run().await;
    assert!(report.sweep, "{report:?}");
    assert_eq!(named(&changes, &lab.stale().await), [""; 0], "within a week");
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_20_the_new_name_of_a_label_reaches_every_dossier_within_a_week() {
    let lab = Lab::new(Platform::DemarcheNumerique, 30).await;
    lab.run().await;
    lab.change(|world| world.rename_label(1001, 10012, "Très urgent"));
    assert!(!lab.stale().await.is_empty(), "some dossiers carry it");
    lab.wait(24 * 7);
    lab.run().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_21_a_submission_seen_halfway_converges() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 20).await;
        let number = lab.in_state(State::EnConstruction)[0];
        lab.change(|world| {
            if world.dossier(number).expect("a dossier").pending_correction().is_none() {
                world
                    .envoyer_message(number, Some(1), "Corrigez.", Some("incomplete"), Vec::new())
                    .expect("it is open");
            }
        });
        lab.run().await;
        let name = question(platform, Kind::Text);
        lab.change(|world| world.edit(number, name, "corrigé")).expect("the question is asked");
        lab.run().await;
        let half = lab.dossier(number).await;
        assert_eq!(answer(&half, name), Some(&ChampValue::Text("corrigé".to_owned())));
        assert!(half.date_derniere_correction_en_attente.is_some(), "the correction still waits");
        // The step of the history and the end of the correction come afterwards, without a date.
        lab.change(|world| world.silently(|world| world.submit_again(number))).expect("it is open");
        lab.run().await;
        let whole = lab.dossier(number).await;
        assert_eq!(whole.traitements.len(), half.traitements.len() + 1);
        assert_eq!(whole.date_derniere_correction_en_attente, None);
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_22_an_attestation_made_after_the_decision_arrives() {
    let base = Database::new();
    let spec = demarche_numerique::sandbox::WorldSpec::default().only(&[1001]).dossiers(20);
    let lab = Lab::with_sink(spec, 1001, base.sink().await).await;
    let number = lab.in_state(State::EnInstruction)[0];
    lab.change(|world| world.accepter(number, "Bravo", Some(1))).expect("it is in instruction");
    lab.run().await;
    let query = format!("SELECT attestation FROM demarche_1001_dossiers WHERE number = {number}");
    let files = format!(
        "SELECT filename FROM demarche_1001_pieces_jointes WHERE dossier_number = {number} AND origine = 'attestation'"
    );
    assert_eq!(base.list(&files).await, []);
    let before = base.one(&query).await;
    lab.change(|world| world.deliver_attestation(number));
    lab.run().await;
    assert_ne!(base.one(&query).await, before);
    assert_eq!(base.list(&files).await, [Some("attestation.pdf".to_owned())]);
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_23_a_file_is_marked_pending_until_it_is_scanned_and_an_infected_one_goes() {
    let base = Database::new();
    let spec = demarche_numerique::sandbox::WorldSpec::default().only(&[1001]).dossiers(20);
    let lab = Lab::with_sink(spec, 1001, base.sink().await).await;
    let number = lab.in_state(State::EnConstruction)[0];
    let files = question(Platform::DemarcheNumerique, Kind::PieceJustificative);
    let now = lab.sandbox.now();
    let pending = |name: &str| FileRecord { scan: Scan::Pending, ..FileRecord::new(name, 90, now) };
    let handed_in = Value::Files(vec![pending("a.pdf"), pending("b.pdf")]);
    lab.change(|world| world.edit(number, files, handed_in)).expect("the question is asked");
    lab.run().await;
    let query = format!(
        "SELECT filename || ' ' || virus_scan_result FROM demarche_1001_pieces_jointes \
         WHERE dossier_number = {number} AND descriptor_id = '{}' ORDER BY 1",
        super::survey::descriptor(files).as_str()
    );
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(base.list(&query).await, [text("a.pdf pending"), text("b.pdf pending")]);
    let scanned = |value: &mut Value| {
        let Value::Files(files) = value else { panic!("files") };
        (files[0].scan, files[1].scan) = (Scan::Safe, Scan::Infected);
    };
    lab.change(|world| world.mutate_answer(number, files, scanned)).expect("the question is asked");
    lab.run().await;
    assert_eq!(base.list(&query).await, [text("a.pdf safe")]);
    assert_eq!(base.cell(1001, number, files).await, text(r#"["a.pdf"]"#));
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_24_what_the_platform_clears_after_a_decision_goes_from_the_target() {
    let base = Database::new();
    let spec = demarche_numerique::sandbox::WorldSpec::default().only(&[1001]).dossiers(20);
    let lab = Lab::with_sink(spec, 1001, base.sink().await).await;
    let number = lab.in_state(State::EnInstruction)[0];
    let platform = Platform::DemarcheNumerique;
    let (identity, files) = (question(platform, Kind::TitreIdentite), question(platform, Kind::PieceJustificative));
    let now = lab.sandbox.now();
    lab.change(|world| {
        world.edit(number, identity, true).expect("the question is asked");
        world
            .edit(number, files, Value::Files(vec![FileRecord::new("a.pdf", 90, now)]))
            .expect("the question is asked");
    });
    lab.run().await;
    assert_eq!(base.cell(1001, number, identity).await.as_deref(), Some("1"));
    lab.change(|world| {
        world.accepter(number, "Bravo", Some(1)).expect("it is in instruction");
        world.purge_files(number, files).expect("the question is asked");
    });
    lab.run().await;
    assert_eq!(base.cell(1001, number, identity).await, None);
    assert_eq!(base.cell(1001, number, files).await, None);
    lab.assert_exact().await;
}
