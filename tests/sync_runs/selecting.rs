//! Targets that keep a selection of the dossiers.

use std::collections::BTreeSet;

use demarche_numerique::dossier::GoneReason;
use demarche_numerique::privacy::{Filter, GroupeName, Policy, Preset, Selection};
use demarche_numerique::report::{Brake, RunOutcome};
use demarche_numerique::sandbox::world::form::stable_id;
use demarche_numerique::sandbox::world::{Poison, State};
use demarche_numerique::sandbox::{Value, WorldSpec};
use demarche_numerique::sink::{MemorySink, Sink, SqliteSink};
use demarche_numerique::sync;
use demarche_numerique::{DossierNumber, Platform};

use super::lab::{Lab, pages_of};
use super::look::{in_order, set_aside, tombstone};
use super::survey::{Database, occurs};

fn only<S: Sink>(lab: &mut Lab<S>, selection: Selection) {
    lab.filter = Filter::new(Policy::default(), None).expect("the default policy needs no key").only(selection);
}

fn of_groupe(number: u32) -> Selection {
    Selection { groupes: BTreeSet::from([GroupeName::Number(number)]), ..Selection::default() }
}

fn in_state(state: &str) -> Selection {
    Selection { states: BTreeSet::from([state.to_owned()]), ..Selection::default() }
}

/// The dossiers that the platform shows in a groupe.
fn of<S: Sink>(lab: &Lab<S>, groupe: u32) -> Vec<u32> {
    let truth = lab.sandbox.snapshot(lab.demarche());
    truth.dossiers.values().filter(|dossier| dossier.groupe == groupe).map(|dossier| dossier.number).collect()
}

async fn shown<S: Sink>(lab: &Lab<S>) -> Vec<u32> {
    lab.held().await.into_iter().filter(|(_, (alive, _))| *alive).map(|(number, _)| number.get()).collect()
}

/// The target shows these dossiers, `verify` agrees, and a second run and a listing change nothing.
async fn assert_shows<S: Sink>(lab: &Lab<S>, numbers: &[u32]) {
    assert_eq!(shown(lab).await, numbers);
    let verification = lab.verify().await;
    assert!(verification.is_exact(), "{verification:?}");
    for report in [lab.run().await, lab.reconcile().await, lab.run().await] {
        let counts = report.counts;
        let changed = counts.inserted + counts.updated + counts.deleted + counts.restored + report.rows_written;
        assert_eq!((changed, report.brake), (0, None), "{report:?}");
    }
    assert_eq!(shown(lab).await, numbers);
}

#[tokio::test]
async fn dossiers_of_other_groupes_are_never_stored() {
    for platform in Platform::ALL {
        let mut lab = Lab::new(platform, 40).await;
        let groupe = lab.demarche() * 10 + 1;
        only(&mut lab, of_groupe(groupe));
        lab.settings.page_size = pages_of(7);
        let wanted = of(&lab, groupe);
        assert!((1..40).contains(&wanted.len()), "there are others: {}", wanted.len());
        let report = lab.run().await;
        assert_eq!((report.outcome, report.counts.inserted as usize), (RunOutcome::Done, wanted.len()), "{platform}");
        assert_eq!(lab.held().await.len(), wanted.len(), "nothing is kept of the others, no tombstone either");
        assert_shows(&lab, &wanted).await;
    }
}

#[tokio::test]
async fn a_groupe_may_be_named_and_one_that_is_not_there_is_told() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 30).await;
    let groupe = lab.demarche() * 10 + 1;
    let label = {
        let world = lab.sandbox.world();
        world.demarche(lab.demarche()).and_then(|demarche| demarche.groupe(groupe)).expect("it is there").label.clone()
    };
    let groupes = BTreeSet::from([GroupeName::Label(label), GroupeName::Label("Atlantide".to_owned())]);
    only(&mut lab, Selection { groupes, ..Selection::default() });
    let report = lab.run().await;
    assert!(report.notices.iter().any(|notice| notice.contains("no groupe `Atlantide`")), "{:?}", report.notices);
    assert_shows(&lab, &of(&lab, groupe)).await;
}

#[tokio::test]
async fn a_dossier_that_leaves_the_selection_gets_a_tombstone_of_its_own_and_returns_with_its_row() {
    let folder = tempfile::tempdir().expect("a folder");
    for platform in Platform::ALL {
        let spec = demarche_numerique::sandbox::WorldSpec::new(platform).only(&[1001]).dossiers(30);
        let sink = SqliteSink::open(folder.path().join(format!("{platform}.db"))).await.expect("a database");
        let mut lab = Lab::with_sink(spec, 1001, sink).await;
        let (ours, other) = (lab.demarche() * 10 + 1, lab.demarche() * 10 + 2);
        only(&mut lab, of_groupe(ours));
        lab.run().await;
        let number = *of(&lab, ours).last().expect("one of them");
        lab.sandbox.world().changer_groupe(number, other).expect("it is open or not");
        let report = lab.run().await;
        assert_eq!((report.counts.deleted, report.brake), (1, None), "{platform}: {report:?}");
        assert_eq!(tombstone(&lab, number).await.map(|gone| gone.reason), Some(GoneReason::Filtered), "{platform}");
        assert_shows(&lab, &of(&lab, ours)).await;
        lab.sandbox.world().changer_groupe(number, ours).expect("it is open or not");
        let report = lab.run().await;
        assert_eq!(report.counts.restored, 1, "{platform}: {report:?}");
        assert_shows(&lab, &of(&lab, ours)).await;
    }
}

#[tokio::test]
async fn a_state_and_a_day_select_as_well() {
    for platform in Platform::ALL {
        let mut lab = Lab::new(platform, 40).await;
        only(&mut lab, in_state("en_instruction"));
        lab.run().await;
        let wanted = lab.in_state(State::EnInstruction);
        assert_shows(&lab, &wanted).await;
        lab.sandbox.world().accepter_automatiquement(wanted[0]).expect("it is open");
        assert_eq!(lab.run().await.counts.deleted, 1, "{platform}");
        assert_shows(&lab, &wanted[1..]).await;

        let mut lab = Lab::new(platform, 40).await;
        lab.run().await;
        let mut days: Vec<_> =
            lab.held().await.into_values().map(|(_, dossier)| (dossier.date_depot, dossier.number)).collect();
        days.sort_unstable();
        let (since, _) = days[25];
        lab.sink = MemorySink::default();
        only(&mut lab, Selection { deposited_since: Some(since), ..Selection::default() });
        lab.run().await;
        let mut wanted: Vec<u32> =
            days.iter().filter(|(day, _)| *day >= since).map(|(_, number)| number.get()).collect();
        wanted.sort_unstable();
        assert!(wanted.len() <= 15, "{}", wanted.len());
        assert_shows(&lab, &wanted).await;
    }
}

#[tokio::test]
async fn a_selection_that_is_widened_is_read_again_and_one_that_is_narrowed_pulls_the_brake() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 60).await;
    let groupe = lab.demarche() * 10 + 1;
    only(&mut lab, of_groupe(groupe));
    lab.run().await;
    let narrow = of(&lab, groupe);
    // A year of quiet lies between: only a complete re-reading finds the others.
    lab.wait(30);
    only(&mut lab, Selection::default());
    let report = lab.run().await;
    assert!(report.sweep, "{report:?}");
    assert_eq!(report.counts.inserted as usize, 60 - narrow.len());
    lab.assert_exact().await;

    only(&mut lab, of_groupe(groupe));
    let leaving = (60 - narrow.len()) as u64;
    for _ in 0..2 {
        let report = lab.run().await;
        assert_eq!(report.brake, Some(Brake { deletions: leaving, alive: 60 }), "in every run until it is settled");
        assert_eq!((report.counts.deleted, shown(&lab).await.len()), (0, 60));
    }
    lab.settings.allow_deletes = true;
    assert_eq!(lab.run().await.counts.deleted, leaving);
    lab.settings.allow_deletes = false;
    assert_shows(&lab, &narrow).await;
    // And back again, from tombstones.
    only(&mut lab, Selection::default());
    assert_eq!(lab.run().await.counts.restored, leaving);
    lab.assert_exact().await;
}

#[tokio::test]
async fn whenever_a_run_dies_while_dossiers_leave_the_next_one_lets_them_go() {
    for rank in 1..9 {
        let mut lab = Lab::new(Platform::DemarcheNumerique, 30).await;
        lab.settings.page_size = pages_of(6);
        lab.settings.allow_deletes = true;
        lab.run().await;
        let groupe = lab.demarche() * 10 + 1;
        only(&mut lab, of_groupe(groupe));
        lab.wait(1);
        let stop = lab.stop.clone();
        lab.sandbox.after_request(rank, move |_| stop.ask());
        drop(lab.try_run().await);
        lab.sandbox.clear_hooks();
        lab.stop = sync::Stop::default();
        lab.run().await;
        assert_shows(&lab, &of(&lab, groupe)).await;
    }
}

#[tokio::test]
async fn what_is_outside_is_not_taken_in_by_hints_and_does_not_stay_in_quarantine() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 30).await;
    let (ours, other) = (lab.demarche() * 10 + 1, lab.demarche() * 10 + 2);
    only(&mut lab, of_groupe(ours));
    let (poisoned, outside) = (of(&lab, other)[0], of(&lab, other)[1]);
    lab.sandbox.world().poison(poisoned, Poison::Crash);
    lab.run().await;
    assert_eq!(set_aside(&lab).await, [poisoned], "nobody can tell whose it is");
    lab.sandbox.world().heal(poisoned);
    lab.wait(1);
    assert_eq!(lab.run().await.outcome, RunOutcome::Done);
    let named = BTreeSet::from([DossierNumber::new(outside), DossierNumber::new(of(&lab, ours)[0])]);
    let looked = lab.job(&lab.sink, async |job| sync::look(&job, &named).await).await.expect("a look");
    assert_eq!(looked.counts.inserted, 0);
    assert_shows(&lab, &of(&lab, ours)).await;
    // One that leaves is let go by a hint too.
    let leaving = of(&lab, ours)[0];
    lab.sandbox.world().changer_groupe(leaving, other).expect("it is open or not");
    let named = BTreeSet::from([DossierNumber::new(leaving)]);
    let looked = lab.job(&lab.sink, async |job| sync::look(&job, &named).await).await.expect("a look");
    assert_eq!(looked.counts.deleted, 1);
    assert_shows(&lab, &of(&lab, ours)).await;
}

#[tokio::test]
async fn two_targets_share_a_demarche_without_a_dossier_in_both_or_in_neither() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 40).await;
    let (one, two) = (lab.demarche() * 10 + 1, lab.demarche() * 10 + 2);
    let mut found = Vec::new();
    for groupe in [one, two] {
        only(&mut lab, of_groupe(groupe));
        lab.sink = MemorySink::default();
        lab.run().await;
        found.extend(shown(&lab).await);
    }
    let mut all = in_order(&lab);
    found.sort_unstable();
    all.sort_unstable();
    assert_eq!(found, all);
}

/// A document that is damaged is read again, and of a dossier that left the selection nothing is.
#[tokio::test]
async fn a_damaged_document_of_a_dossier_outside_the_selection_is_not_read_into_the_target_again() {
    let base = Database::new();
    let spec = WorldSpec::default().only(&[1001]).dossiers(30);
    let mut lab = Lab::with_sink(spec, 1001, base.sink().await).await;
    let (ours, other) = (lab.demarche() * 10 + 1, lab.demarche() * 10 + 2);
    only(&mut lab, of_groupe(ours));
    lab.run().await;
    let open = lab.in_state(State::EnConstruction);
    let number = *of(&lab, ours).iter().find(|number| open.contains(number)).expect("one of them");
    base.run(&format!("UPDATE dn_dossiers SET document = '{{}}' WHERE number = {number}")).await;
    lab.sandbox.world().changer_groupe(number, other).expect("it is open");
    let secret = "écrit après le départ";
    lab.sandbox.world().edit(number, stable_id::RENAMED, Value::Text(secret.to_owned())).expect("it is asked");
    // Another policy writes everything again from the documents, and so finds the damaged one before the walk.
    let policy = Policy { preset: Preset::Integral, ..Policy::default() };
    lab.filter = Filter::new(policy, None).expect("no key is needed").only(of_groupe(ours));
    lab.run().await;
    assert_eq!(tombstone(&lab, number).await.map(|gone| gone.reason), Some(GoneReason::Filtered));
    lab.sink.close().await.expect("a clean end");
    assert!(!occurs(&base.bytes(), secret), "nothing of what came later is in the target");
    lab.sink = base.sink().await;
    let again = lab.run().await;
    assert_eq!((again.counts.updated, again.counts.deleted, again.rows_written), (0, 0, 0), "{again:?}");
}
