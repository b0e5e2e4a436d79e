//! Retention from the rule to the target: due dossiers go, and do not come back.

use std::collections::BTreeSet;

use demarche_numerique::plan::{Retention, Term, Terms};
use demarche_numerique::report::{Brake, RunOutcome};
use demarche_numerique::sandbox::world::{Demandeur, State};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::{MemorySink, Sink, SqliteSink};
use demarche_numerique::sync::{self, Run};
use demarche_numerique::{DossierNumber, Platform};

use super::crashing::Dying;
use super::lab::Lab;
use super::look::{all_in, one_in};
use super::survey::{Database, occurs};

const DAY: i64 = 24;

fn term(text: &str) -> Option<Term> {
    Some(text.parse().expect("a term"))
}

/// Decided dossiers are purged, or anonymised, after so long.
fn finished(anonymise: Option<Term>, purge: Option<Term>) -> Retention {
    Retention { finished: Terms { anonymise, purge }, ..Retention::default() }
}

async fn retain_into<S: Sink, T: Sink>(lab: &Lab<S>, sink: &T, rules: &Retention, busy: &[u32]) -> Run {
    let busy: BTreeSet<DossierNumber> = busy.iter().copied().map(DossierNumber::new).collect();
    lab.job(sink, async |job| sync::retain(&job, rules, &busy).await).await
}

async fn retain<S: Sink>(lab: &Lab<S>, rules: &Retention) -> Run {
    let run = retain_into(lab, &lab.sink, rules, &[]).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    run
}

/// The decided dossiers.
fn decided<S: Sink>(lab: &Lab<S>) -> Vec<u32> {
    let states = [State::Accepte, State::Refuse, State::SansSuite];
    let mut numbers: Vec<u32> = states.into_iter().flat_map(|state| all_in(lab, state)).collect();
    numbers.sort_unstable();
    numbers
}

/// The dossiers of which the target has a document.
async fn documented<S: Sink>(lab: &Lab<S>) -> Vec<u32> {
    lab.held().await.keys().map(|number| number.get()).collect()
}

/// Whatever looks at the platform again: the overlap, the wide re-reading, the daily listing, a complete re-reading, and a
/// remap. None of them may change anything.
async fn assert_nothing_comes_back<S: Sink>(lab: &mut Lab<S>) {
    let before = lab.held().await;
    for (what, hours) in [("at once", 0), ("after two hours", 2), ("the listing", 25), ("everything", 8 * DAY)] {
        lab.wait(hours);
        let report = lab.run().await;
        let counts = report.counts;
        let moved = counts.inserted + counts.updated + counts.deleted + counts.restored + counts.rewritten;
        assert_eq!((moved, report.rows_written), (0, 0), "{what}: {report:?}");
        if let Some(listing) = report.listing {
            assert_eq!((listing.missing, listing.stale, listing.ghost), (0, 0, 0), "{what}");
        }
    }
    let remapped = lab.remap().await;
    assert_eq!(remapped.counts.inserted + remapped.counts.restored, 0);
    assert!(remapped.schema.is_empty(), "no column is widened for what was taken away: {:?}", remapped.schema);
    let verification = lab.verify().await;
    assert!(verification.is_exact(), "{verification:?}");
    assert_eq!(lab.held().await, before);
}

#[tokio::test]
async fn what_is_purged_does_not_come_back_and_what_is_not_due_stays() {
    for platform in Platform::ALL {
        let mut lab = Lab::new(platform, 30).await;
        lab.settings.allow_deletes = true;
        lab.run().await;
        let (all, due) = (documented(&lab).await, decided(&lab));
        let rules = finished(None, term("1 day"));
        let early = retain(&lab, &finished(None, term("10 years"))).await;
        assert_eq!((early.report.counts.purged, documented(&lab).await), (0, all.clone()), "nothing is due yet");

        lab.wait(4 * DAY);
        let run = retain(&lab, &rules).await;
        assert_eq!(run.report.counts.purged, due.len() as u64, "{:?}", run.report);
        let left: Vec<u32> = all.iter().copied().filter(|number| !due.contains(number)).collect();
        assert_eq!(documented(&lab).await, left);
        assert_nothing_comes_back(&mut lab).await;
        let again = retain(&lab, &rules).await;
        assert_eq!((again.report.counts.purged, again.report.rows_written), (0, 0), "a second run changes nothing");
    }
}

#[tokio::test]
async fn what_is_anonymised_stays_so_and_keeps_what_is_counted() {
    for platform in Platform::ALL {
        let mut lab = Lab::new(platform, 30).await;
        lab.settings.allow_deletes = true;
        lab.run().await;
        let (before, due) = (lab.held().await, decided(&lab));
        lab.wait(4 * DAY);
        let run = retain(&lab, &finished(term("1 day"), term("10 years"))).await;
        assert_eq!(run.report.counts.anonymised, due.len() as u64, "{:?}", run.report);
        let after = lab.held().await;
        for (number, (alive, was)) in &before {
            let (still, is) = &after[number];
            assert_eq!((alive, &was.state, was.date_traitement), (still, &is.state, is.date_traitement), "{number}");
            assert_eq!(was == is, !due.contains(&number.get()), "{number}");
        }
        assert_nothing_comes_back(&mut lab).await;
        let again = retain(&lab, &finished(term("1 day"), None)).await;
        assert_eq!((again.report.counts.anonymised, again.report.rows_written), (0, 0));
        // The term of the purge goes on under the anonymisation.
        let purged = retain(&lab, &finished(term("1 day"), term("2 days"))).await;
        assert_eq!(purged.report.counts.purged, due.len() as u64);
        assert_nothing_comes_back(&mut lab).await;
    }
}

#[tokio::test]
async fn a_dossier_that_moves_is_taken_in_again_and_is_due_again_by_its_dates() {
    for rules in [finished(None, term("1 day")), finished(term("1 day"), None)] {
        let mut lab = Lab::new(Platform::DemarcheNumerique, 20).await;
        lab.settings.allow_deletes = true;
        lab.run().await;
        lab.wait(4 * DAY);
        retain(&lab, &rules).await;
        let number = decided(&lab)[0];
        lab.sandbox.world().touch(number);
        let report = lab.run().await;
        assert_eq!(report.counts.restored + report.counts.updated, 1, "{report:?}");
        let truth = lab.sandbox.snapshot(lab.demarche()).dossiers[&number].usager.clone();
        assert_eq!(lab.dossier(number).await.usager.email, truth, "all of it is there");
        let run = retain(&lab, &rules).await;
        assert_eq!(run.report.counts.purged + run.report.counts.anonymised, 1, "it was decided long ago");
        assert_nothing_comes_back(&mut lab).await;
    }
}

#[tokio::test]
async fn a_deleted_dossier_is_purged_by_the_date_of_its_deletion() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    lab.settings.allow_deletes = true;
    lab.run().await;
    let (pending, missing) = (one_in(&lab, State::EnConstruction), one_in(&lab, State::EnInstruction));
    lab.sandbox.world().delete_by_user(pending).expect("it is open");
    lab.sandbox.world().delete_without_trace(missing);
    lab.reconcile().await;
    let terms = |purge| Retention { deleted: Terms { anonymise: None, purge }, ..Retention::default() };
    let none = retain(&lab, &terms(term("30 days"))).await;
    assert_eq!(none.report.counts.purged, 0, "{:?}", none.report);
    lab.wait(33 * DAY);
    lab.run().await;
    let run = retain(&lab, &terms(term("30 days"))).await;
    assert_eq!(run.report.counts.purged, 2, "{:?}", run.report);
    let left = documented(&lab).await;
    assert!(!left.contains(&pending) && !left.contains(&missing));
    assert_nothing_comes_back(&mut lab).await;
}

#[tokio::test]
async fn what_a_person_is_working_on_waits() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    lab.settings.allow_deletes = true;
    lab.run().await;
    lab.wait(4 * DAY);
    let due = decided(&lab);
    let run = retain_into(&lab, &lab.sink, &finished(None, term("1 day")), &due[..1]).await;
    let report = run.report.retention.expect("it looked");
    assert_eq!((report.waiting, report.rules[0].due), (1, due.len() as u64 - 1));
    assert!(documented(&lab).await.contains(&due[0]));
}

#[tokio::test]
async fn too_many_at_once_pull_the_brake_and_nothing_is_done() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 60).await;
    lab.settings.max_delete_floor = 2;
    lab.run().await;
    lab.wait(4 * DAY);
    let (before, due) = (lab.held().await, decided(&lab).len() as u64);
    let run = retain(&lab, &finished(None, term("1 day"))).await;
    assert_eq!(run.report.brake, Some(Brake { deletions: due, alive: before.len() as u64 }));
    assert_eq!(lab.held().await, before);
}

#[tokio::test]
async fn retention_that_dies_at_any_of_its_writes_is_completed_by_the_next_one() {
    for done in [false, true] {
        let mut deaths = 0;
        for writes in 1..40 {
            let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(30);
            let mut lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, MemorySink::default()).await;
            lab.settings.allow_deletes = true;
            lab.run().await;
            lab.wait(4 * DAY);
            let due = decided(&lab);
            let rules = finished(term("1 day"), None);
            let dying = Dying::new(&lab.sink, writes, done);
            let first = retain_into(&lab, &dying, &rules, &[]).await;
            retain(&lab, &rules).await;
            let purge = finished(None, term("1 day"));
            let dying = Dying::new(&lab.sink, writes, done);
            let second = retain_into(&lab, &dying, &purge, &[]).await;
            retain(&lab, &purge).await;
            assert!(
                due.iter()
                    .all(|number| lab.sink.content(&lab.scope).dossiers[&DossierNumber::new(*number)].gone.is_some())
            );
            let verification = lab.verify().await;
            assert!(verification.is_exact(), "killed at write {writes}: {verification:?}");
            if first.error.is_none() && second.error.is_none() {
                break;
            }
            deaths += 1;
        }
        assert!((3..39).contains(&deaths), "{deaths} deaths");
    }
}

/// Anonymised first, purged later; nothing comes back in between nor afterwards.
async fn a_life_in<S: Sink>(sink: S) {
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(12);
    let mut lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, sink).await;
    lab.settings.allow_deletes = true;
    lab.run().await;
    let due = decided(&lab);
    lab.wait(4 * DAY);
    let run = retain(&lab, &finished(term("1 day"), term("5 years"))).await;
    assert_eq!(run.report.counts.anonymised, due.len() as u64, "{:?}", run.report);
    assert_nothing_comes_back(&mut lab).await;
    let dying = Dying::new(&lab.sink, 3, true);
    let purge = finished(None, term("1 day"));
    let died = retain_into(&lab, &dying, &purge, &[]).await;
    assert!(died.error.is_some(), "it was killed at its second commit");
    retain(&lab, &purge).await;
    let left = documented(&lab).await;
    assert!(due.iter().all(|number| !left.contains(number)));
    assert_nothing_comes_back(&mut lab).await;
}

#[tokio::test]
async fn a_life_in_a_file() {
    a_life_in(Database::new().sink().await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_life_in_postgresql() {
    a_life_in(crate::support::postgres::Database::new().await.sink().await).await;
}

#[tokio::test]
async fn a_life_in_a_document() {
    let place = crate::contracts::grist::Place::new().await;
    a_life_in(place.open().await).await;
    place.assert_sound();
}

#[tokio::test]
async fn what_was_purged_is_not_in_the_bytes_of_the_file() {
    let base = Database::new();
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(24);
    let mut lab: Lab<SqliteSink> = Lab::with_sink(spec, DEMARCHE_COMPLETE, base.sink().await).await;
    lab.settings.allow_deletes = true;
    let due = decided(&lab);
    let (purged, kept) = (due[0], one_in(&lab, State::EnInstruction));
    let named = |nom: &str| Demandeur::PersonnePhysique { civilite: None, nom: nom.into(), prenom: "Camille".into() };
    lab.sandbox.world().set_demandeur(purged, named("Introuvablement"));
    lab.sandbox.world().set_demandeur(kept, named("Restantement"));
    lab.sandbox.world().touch(purged);
    lab.sandbox.world().touch(kept);
    lab.run().await;
    assert!(occurs(&base.bytes(), "Introuvablement"));
    lab.wait(4 * DAY);
    let run = retain(&lab, &finished(None, term("1 day"))).await;
    assert_eq!((run.report.counts.purged, run.report.outcome), (due.len() as u64, RunOutcome::Done));
    let told = base.list("SELECT DISTINCT kind FROM dn_changes WHERE run LIKE 'retention-%'").await;
    assert_eq!(told, [Some("purge".to_owned())]);
    lab.sink.check().await.expect("a sound file");
    lab.sink.close().await.expect("the log is folded in");
    let bytes = base.bytes();
    assert!(!occurs(&bytes, "Introuvablement"), "it is in the file");
    assert!(occurs(&bytes, "Restantement"));
}
