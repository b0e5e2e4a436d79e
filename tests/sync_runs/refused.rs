//! Dossiers that the target cannot hold go into quarantine by number, and cost no other dossier.

use std::collections::BTreeSet;

use demarche_numerique::report::RunOutcome;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, DEMARCHE_LARGE, DemarcheSpec, FormSpec, Kind, WorldSpec};
use demarche_numerique::sink::memory::HoldingFault;
use demarche_numerique::sink::{QuarantineEntry, Sink, SinkError};
use demarche_numerique::sync::SyncError;
use demarche_numerique::{DossierNumber, Platform};

use super::lab::{Lab, pages_of};
use super::look::{alive, in_order, set_aside};
use super::survey::Database;

/// A text champ of the complete form.
const TEXT: u64 = 102;

fn refuse(lab: &Lab, numbers: &[u32], refusal: Option<HoldingFault>) {
    numbers.iter().for_each(|number| lab.sink.refuse(DossierNumber::new(*number), refusal));
}

#[tokio::test]
async fn a_dossier_that_the_target_refuses_is_set_aside_and_all_others_arrive() {
    for platform in Platform::ALL {
        for ranks in [vec![0], vec![17], vec![3, 4, 5, 39]] {
            let mut lab = Lab::new(platform, 40).await;
            lab.settings.page_size = pages_of(25);
            let order = in_order(&lab);
            let mut culprits: Vec<u32> = ranks.iter().map(|rank: &usize| order[*rank]).collect();
            culprits.sort_unstable();
            refuse(&lab, &culprits, Some(HoldingFault::Value));
            let report = lab.run().await;
            assert_eq!(report.outcome, RunOutcome::Quarantine, "{platform}: {report:?}");
            assert_eq!(report.counts.inserted as usize, 40 - culprits.len(), "{platform}: {report:?}");
            assert_eq!((set_aside(&lab).await, alive(&lab).await as usize), (culprits.clone(), 40 - culprits.len()));
            let entry = lab.quarantine().await.remove(0);
            assert_eq!(entry.reason, "refused_by_target");
            assert!(entry.message.contains("told to refuse it"), "the target's own word: {}", entry.message);
            assert!(report.watermark.is_some(), "it holds nobody back");
            lab.assert_exact_but(&culprits).await;
            // The target changes its mind, and nobody has to do anything.
            refuse(&lab, &culprits, None);
            lab.wait(1);
            let report = lab.run().await;
            assert_eq!((report.outcome, report.counts.inserted as usize), (RunOutcome::Done, culprits.len()));
            lab.assert_exact().await;
        }
    }
}

#[tokio::test]
async fn what_a_refused_dossier_was_before_stays_and_it_is_tried_less_and_less_often() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    lab.run().await;
    let number = in_order(&lab)[3];
    let before = lab.dossier(number).await;
    refuse(&lab, &[number], Some(HoldingFault::Value));
    lab.wait(3);
    lab.sandbox.world().edit(number, TEXT, "tout autre chose").expect("it is asked");
    let report = lab.run().await;
    assert_eq!((report.outcome, report.counts.updated), (RunOutcome::Quarantine, 0), "{report:?}");
    assert_eq!(lab.dossier(number).await, before);
    let attempts = async || lab.quarantine().await[0].attempts;
    lab.wait(25);
    // From here on the walk passes it over: others moved since.
    let other = in_order(&lab)[5];
    lab.sandbox.world().touch(other);
    lab.run().await;
    let after = attempts().await;
    lab.run().await;
    assert_eq!(attempts().await, after, "not at every run");
    lab.assert_exact_but(&[number]).await;
    refuse(&lab, &[number], None);
    lab.wait(25);
    lab.run().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn a_target_that_refuses_everything_ends_the_run_and_quarantines_nobody() {
    let lab = Lab::new(Platform::DemarcheNumerique, 40).await;
    refuse(&lab, &in_order(&lab), Some(HoldingFault::Value));
    let error = lab.try_run().await.error.expect("the target is at fault");
    assert!(matches!(error, SyncError::Sink(SinkError::CannotHold { .. })), "{error:?}");
    assert_eq!((set_aside(&lab).await, alive(&lab).await), (Vec::new(), 0));
    refuse(&lab, &in_order(&lab), None);
    lab.run().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn a_run_that_is_stopped_while_it_looks_for_the_culprit_goes_on_from_there() {
    let lab = Lab::new(Platform::DemarcheNumerique, 30).await;
    let culprit = in_order(&lab)[11];
    refuse(&lab, &[culprit], Some(HoldingFault::Value));
    lab.stop.ask();
    lab.try_run().await;
    let lab = Lab { stop: demarche_numerique::sync::Stop::default(), ..lab };
    lab.run().await;
    assert_eq!(set_aside(&lab).await, [culprit]);
    lab.assert_exact_but(&[culprit]).await;
}

/// A démarche with so many questions that ask for texts, and one dossier with a long answer to each.
async fn wide<S: Sink>(questions: u32, sink: S) -> (Lab<S>, u32) {
    let demarche = DemarcheSpec::new(DEMARCHE_LARGE, FormSpec::Simple { champs: questions }, 12);
    let spec = WorldSpec { demarches: vec![demarche], ..WorldSpec::new(Platform::DemarcheNumerique) };
    let lab = Lab::with_sink(spec, DEMARCHE_LARGE, sink).await;
    let number = in_order(&lab)[4];
    lab.change(|world| {
        world.publish_revision(DEMARCHE_LARGE, |form| form.champs.iter_mut().for_each(|asked| asked.kind = Kind::Text));
        let rank = world.demarche(DEMARCHE_LARGE).expect("it is there").active_revision();
        world.rebase(number, rank);
        let form = world.form_of(world.dossier(number).expect("it is there")).expect("a form");
        let ids: Vec<u64> = form.champs.iter().map(|asked| asked.stable_id).collect();
        for id in ids {
            let answer: String =
                (0..20_u64).map(|rank| format!("{:x} ", id.wrapping_mul(2_654_435_761 + rank))).collect();
            world.edit(number, id, answer).expect("it is asked");
        }
    });
    (lab, number)
}

#[tokio::test]
async fn a_row_with_too_much_in_it_keeps_what_fits_and_says_what_the_document_alone_holds() {
    let (lab, number) = wide(450, demarche_numerique::sink::MemorySink::default()).await;
    lab.sink.refuse(DossierNumber::new(number), Some(HoldingFault::Wide(400)));
    let report = lab.run().await;
    assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Done, 12), "{report:?}");
    assert!(report.notices.iter().any(|notice| notice.contains(&number.to_string())), "{:?}", report.notices);
    let content = lab.sink.content(&lab.scope);
    let stored = &content.dossiers[&DossierNumber::new(number)];
    let demarche_numerique::table::Cell::Text(named) = &stored.cells["hors_colonnes"] else { panic!("no mark") };
    let named: BTreeSet<&str> = named.split(", ").collect();
    assert_eq!(named.len(), 450 - 450 * 3 / 4, "a quarter is enough");
    for (name, cell) in &stored.cells {
        assert!(!named.contains(name.as_str()) || *cell == demarche_numerique::table::Cell::Null, "{name}");
    }
    lab.assert_exact().await;
    // Nothing helps: the others arrive all the same.
    lab.sink.refuse(DossierNumber::new(number), Some(HoldingFault::Wide(3)));
    lab.change(|world| {
        let form = world.form_of(world.dossier(number).expect("it is there")).expect("a form");
        let id = form.champs[0].stable_id;
        world.edit(number, id, "autre chose").expect("it is asked");
    });
    assert_eq!(lab.run().await.outcome, RunOutcome::Quarantine);
    assert_eq!(set_aside(&lab).await, [number]);
}

#[tokio::test]
async fn a_rule_that_somebody_added_to_a_file_costs_the_dossiers_that_it_refuses() {
    let base = Database::new();
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(20);
    let lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, base.sink().await).await;
    let order = in_order(&lab);
    lab.run().await;
    base.run(&format!(
        "CREATE TRIGGER regle BEFORE UPDATE ON demarche_1001_dossiers WHEN NEW.number = {} \
         BEGIN SELECT RAISE(ABORT, 'le secret de Camille'); END",
        order[2]
    ))
    .await;
    order[..5].iter().for_each(|number| lab.sandbox.world().edit(*number, TEXT, "autre").expect("it is asked"));
    let report = lab.run().await;
    assert_eq!((report.outcome, report.counts.updated), (RunOutcome::Quarantine, 4), "{report:?}");
    let entry = lab.quarantine().await.remove(0);
    assert_eq!((entry.number.get(), entry.reason.as_str()), (order[2], "refused_by_target"));
    assert!(entry.message.contains("1811") && !entry.message.contains("Camille"), "{}", entry.message);
    base.run("DROP TRIGGER regle").await;
    lab.wait(1);
    assert_eq!(lab.run().await.outcome, RunOutcome::Done);
    lab.assert_exact().await;
}

/// Runs into a target that refuses one dossier: it alone goes into quarantine, and it arrives once the target takes it.
async fn costs_its_dossier_alone<S: Sink>(lab: &Lab<S>, refuse: impl AsyncFn(u32), accept: impl AsyncFn()) {
    lab.run().await;
    let order = in_order(lab);
    let refused = order[2];
    refuse(refused).await;
    for number in &order[..5] {
        lab.sandbox.world().edit(*number, TEXT, marked(*number)).expect("it is asked");
    }
    let report = lab.run().await;
    assert_eq!((report.outcome, report.counts.updated), (RunOutcome::Quarantine, 4), "{report:?}");
    assert_eq!(set_aside(lab).await, [refused]);
    assert_eq!(lab.quarantine().await[0].reason, "refused_by_target");
    lab.assert_exact_but(&[refused]).await;
    accept().await;
    lab.wait(1);
    let report = lab.run().await;
    assert_eq!((report.outcome, report.counts.updated), (RunOutcome::Done, 1), "{report:?}");
    lab.assert_exact().await;
}

/// An answer that no other dossier has.
fn marked(number: u32) -> String {
    format!("answer of {number} alone")
}

/// The complete démarche, and twenty dossiers.
fn twenty() -> WorldSpec {
    WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(20)
}

#[tokio::test]
async fn a_row_that_memory_refuses_costs_its_dossier_alone() {
    let lab = Lab::of(twenty(), DEMARCHE_COMPLETE).await;
    let refuse = async |number: u32| refuse(&lab, &[number], Some(HoldingFault::Value));
    costs_its_dossier_alone(&lab, refuse, async || self::refuse(&lab, &in_order(&lab), None)).await;
}

#[tokio::test]
async fn a_row_that_sqlite_refuses_costs_its_dossier_alone() {
    let base = Database::new();
    let lab = Lab::with_sink(twenty(), DEMARCHE_COMPLETE, base.sink().await).await;
    let refuse = async |number: u32| {
        let rule = format!(
            "CREATE TRIGGER regle BEFORE UPDATE ON demarche_1001_dossiers WHEN NEW.number = {number} \
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        );
        base.run(&rule).await;
    };
    costs_its_dossier_alone(&lab, refuse, async || base.run("DROP TRIGGER regle").await).await;
}

#[cfg(feature = "grist")]
#[tokio::test]
async fn a_row_that_grist_refuses_costs_its_dossier_alone() {
    use demarche_numerique::sandbox::grist::{Fault, FaultPlan};

    let place = crate::contracts::grist::Place::new().await;
    let lab = Lab::with_sink(twenty(), DEMARCHE_COMPLETE, place.open().await).await;
    let refuse = async |number: u32| {
        let body = r#"{"error":"[Sandbox] ValueError refused"}"#.to_owned();
        let refusal = FaultPlan::new(Fault::Answer { status: 500, body });
        place.grist.plan(refusal.writes().holding(&marked(number)));
    };
    costs_its_dossier_alone(&lab, refuse, async || place.grist.clear_faults()).await;
    place.assert_sound();
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;
    use crate::support::postgres;

    #[tokio::test]
    async fn a_row_that_postgresql_refuses_costs_its_dossier_alone() {
        let database = postgres::Database::new().await;
        let lab = Lab::with_sink(twenty(), DEMARCHE_COMPLETE, database.sink().await).await;
        let refuse = async |number: u32| {
            let rule = "CREATE FUNCTION regle() RETURNS trigger LANGUAGE plpgsql AS \
                        $$ BEGIN RAISE EXCEPTION 'refused'; END $$";
            database.run(rule).await;
            let trigger = format!(
                "CREATE TRIGGER regle BEFORE UPDATE ON demarche_1001_dossiers FOR EACH ROW \
                 WHEN (NEW.number = {number}) EXECUTE FUNCTION regle()"
            );
            database.run(&trigger).await;
        };
        let accept = async || database.run("DROP TRIGGER regle ON demarche_1001_dossiers").await;
        costs_its_dossier_alone(&lab, refuse, accept).await;
    }

    #[tokio::test]
    async fn four_hundred_long_answers_are_more_than_a_row_of_postgresql_holds_and_cost_nobody() {
        let database = postgres::Database::new().await;
        let (lab, number) = wide(600, database.sink().await).await;
        let report = lab.run().await;
        assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Done, 12), "{report:?}");
        let mark = format!("SELECT hors_colonnes FROM demarche_1003_dossiers WHERE number = {number}");
        let named = database.column(&mark).await.remove(0);
        assert!((299..=302).contains(&named.split(", ").count()), "half of them: {named}");
        lab.assert_exact().await;
    }

    #[tokio::test]
    async fn a_character_that_the_encoding_of_a_database_has_no_place_for_costs_its_dossier_alone() {
        let database = postgres::Database::in_encoding("WIN1252").await;
        let demarche = DemarcheSpec::new(DEMARCHE_LARGE, FormSpec::Simple { champs: 6 }, 20);
        let spec = WorldSpec { demarches: vec![demarche], ..WorldSpec::new(Platform::DemarcheNumerique) };
        let lab = Lab::with_sink(spec, DEMARCHE_LARGE, database.sink().await).await;
        let order = in_order(&lab);
        let texts: Vec<u64> = {
            let world = lab.sandbox.world();
            let form = world.form_of(world.dossier(order[0]).expect("a dossier")).expect("a form");
            form.champs.iter().filter(|asked| asked.kind == Kind::Text).map(|asked| asked.stable_id).collect()
        };
        lab.change(|world| world.edit(order[5], texts[0], "12 🎉")).expect("it is asked");
        let report = lab.run().await;
        // Some of the sandbox's other dossiers hold characters as rare: each is refused for itself, and none for another.
        let refused = lab.quarantine().await;
        let arrived = 20 - u64::try_from(refused.len()).expect("a few dossiers");
        assert_eq!((report.outcome, report.counts.inserted), (RunOutcome::Quarantine, arrived), "{report:?}");
        let numbers = |entries: &[QuarantineEntry]| entries.iter().map(|entry| entry.number.get()).collect::<Vec<_>>();
        assert!(numbers(&refused).contains(&order[5]) && arrived > 0, "{report:?}");
        for entry in &refused {
            assert_eq!(entry.reason, "refused_by_target");
            assert!(entry.message.contains("22P05") && entry.message.contains("encoding"), "{}", entry.message);
        }
        lab.change(|world| world.edit(order[5], texts[0], "12 euros")).expect("it is asked");
        lab.wait(1);
        lab.run().await;
        let mut others = numbers(&refused);
        others.retain(|number| *number != order[5]);
        assert_eq!(numbers(&lab.quarantine().await), others, "it alone left the quarantine");
    }

    #[tokio::test]
    async fn a_view_on_a_column_whose_type_the_form_changes_costs_what_does_not_fit_and_nothing_else() {
        let database = postgres::Database::new().await;
        let demarche = DemarcheSpec::new(DEMARCHE_LARGE, FormSpec::Simple { champs: 6 }, 20);
        let spec = WorldSpec { demarches: vec![demarche], ..WorldSpec::new(Platform::DemarcheNumerique) };
        let lab = Lab::with_sink(spec, DEMARCHE_LARGE, database.sink().await).await;
        lab.run().await;
        let order = in_order(&lab);
        let (number, id) = {
            let world = lab.sandbox.world();
            let form = world.form_of(world.dossier(order[0]).expect("a dossier")).expect("a form");
            let asked = form.champs.iter().find(|asked| asked.kind == Kind::IntegerNumber).expect("it is asked");
            (order[0], asked.stable_id)
        };
        let column = format!(
            "SELECT \"column\" FROM dn_columns WHERE descriptor = '{}'",
            super::super::survey::descriptor(id).as_str()
        );
        let column = database.column(&column).await.remove(0);
        database.run(&format!("CREATE VIEW a_nous AS SELECT \"{column}\" FROM demarche_1003_dossiers")).await;
        lab.change(|world| {
            world.publish_revision(DEMARCHE_LARGE, |form| {
                form.champs.iter_mut().for_each(|asked| asked.kind = Kind::Text);
            });
            let rank = world.demarche(DEMARCHE_LARGE).expect("it is there").active_revision();
            world.rebase(number, rank);
            world.edit(number, id, "une douzaine").expect("it is asked");
        });
        let report = lab.run().await;
        assert_eq!(report.outcome, RunOutcome::Done, "{report:?}");
        assert!(report.notices.iter().any(|notice| notice.contains("keeps its type")), "{:?}", report.notices);
        assert!(
            report.schema.iter().any(|change| change.contains("becomes")),
            "the others follow: {:?}",
            report.schema
        );
        let mark = format!("SELECT hors_colonnes FROM demarche_1003_dossiers WHERE number = {number}");
        assert_eq!(database.column(&mark).await, std::slice::from_ref(&column));
        database.run("DROP VIEW a_nous").await;
        lab.run().await;
        let cell = format!("SELECT \"{column}\" FROM demarche_1003_dossiers WHERE number = {number}");
        assert_eq!(database.column(&cell).await, ["une douzaine"]);
        lab.wait(1);
        lab.run().await;
        lab.assert_exact().await;
    }
}
