//! Rows that people remove from our tables, add to them and change: what `verify` and the daily comparison make of it.

use demarche_numerique::Platform;
use demarche_numerique::report::{Report, RowFault};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::MemorySink;
use demarche_numerique::sync::{self, Verification};
use serde_json::{Value, json};

use super::Place;
use crate::sync_runs::lab::Lab;

const DOSSIERS: &str = "Demarche_1001_dossiers";
const HISTORY: &str = "Demarche_1001_traitements";

async fn filled() -> (Place, Lab<MemorySink>) {
    let place = Place::new().await;
    let world = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(12);
    let lab = Lab::of(world, DEMARCHE_COMPLETE).await;
    run(&lab, &place).await;
    assert!(verify(&lab, &place).await.is_exact());
    (place, lab)
}

async fn run(lab: &Lab<MemorySink>, place: &Place) -> Report {
    let sink = place.open().await;
    let run = lab.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    run.report
}

async fn repair(lab: &Lab<MemorySink>, place: &Place) -> Report {
    let sink = place.open().await;
    let run = lab.job(&sink, async |job| sync::repair(&job).await).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    run.report
}

async fn verify(lab: &Lab<MemorySink>, place: &Place) -> Verification {
    let sink = place.open().await;
    sync::verify(&lab.client, &sink, &lab.scope, &lab.filter, |_| {}).await.expect("a listing")
}

/// The keys of a table, in order.
fn keys(place: &Place, table: &str) -> Vec<String> {
    let mut keys: Vec<String> = place.rows(table).iter().map(|row| row.text("cle").to_owned()).collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn child_rows_that_a_person_removes_come_back_with_the_daily_comparison_and_with_a_repair() {
    let (place, lab) = filled().await;
    let before = keys(&place, HISTORY);
    let last = |of: &str| before.iter().filter(|key| key.split('/').next() == Some(of)).count();
    for daily in [true, false] {
        // The first of one dossier, the last of another: neither leaves the other rows with a gap that would tell.
        let rows = place.rows(HISTORY);
        let (first, other) = (&rows[0], rows.last().expect("rows"));
        assert!(last(other.text("cle").split('/').next().expect("a number")) > 0);
        place.person().remove_row(HISTORY, first.id);
        place.person().remove_row(HISTORY, other.id);
        let told = verify(&lab, &place).await;
        let missing = told.rows.iter().filter(|found| found.fault == RowFault::Missing);
        assert_eq!(missing.map(|found| found.rows).sum::<u64>(), 2, "{told:?}");
        if daily {
            lab.wait(25);
            let report = run(&lab, &place).await;
            assert_eq!(report.rows.as_ref().map(|rows| rows.mended), Some(2), "{report:?}");
            assert_eq!((report.counts.inserted, report.counts.updated), (0, 0), "it is told as what it is");
        } else {
            repair(&lab, &place).await;
        }
        assert_eq!(keys(&place, HISTORY), before, "daily: {daily}");
        assert!(verify(&lab, &place).await.is_exact(), "daily: {daily}");
        place.assert_sound();
    }
    // Of a table that is emptied too.
    let rows: Vec<i64> = place.rows(HISTORY).iter().map(|row| row.id).collect();
    place.person().act(json!([["BulkRemoveRecord", HISTORY, rows]]));
    lab.wait(25);
    run(&lab, &place).await;
    assert_eq!(keys(&place, HISTORY), before);
}

#[tokio::test]
async fn rows_that_are_no_dossiers_are_told_and_not_counted() {
    let (place, lab) = filled().await;
    let person = place.person();
    let rows = place.rows(DOSSIERS);
    let number = |at: usize| rows[at].cell("number").clone();
    let all = verify(&lab, &place).await;
    person.add_row(DOSSIERS, &[("number", number(0)), ("state", json!("accepte"))]);
    person.add_row(DOSSIERS, &[("state", json!("accepte"))]);
    person.edit(DOSSIERS, rows[2].id, "number", json!(77));
    person.add_row(HISTORY, &[("dossier", json!(rows[0].id))]);
    let told = verify(&lab, &place).await;
    let found = |table: &str, fault: RowFault, of: Option<&Value>| {
        told.rows.iter().any(|found| {
            let same = of.is_none_or(|of| found.number.map(|number| json!(number.get())).as_ref() == Some(of));
            found.table == table.to_lowercase() && found.fault == fault && same
        })
    };
    assert!(found(DOSSIERS, RowFault::Doubled, Some(&number(0))), "{told:?}");
    assert!(found(DOSSIERS, RowFault::Unknown, Some(&json!(77))), "{told:?}");
    assert!(found(DOSSIERS, RowFault::Unknown, Some(&json!(0))), "{told:?}");
    assert!(found(HISTORY, RowFault::Unknown, None), "{told:?}");
    assert_eq!(told.missing.iter().map(|number| json!(number.get())).collect::<Vec<_>>(), [number(2)]);
    assert_eq!(told.held, all.held, "a row that is not ours is no dossier");
    // The daily comparison tells them too, brings the dossier back, and leaves what is a person's alone.
    lab.wait(25);
    let report = run(&lab, &place).await;
    assert!(report.rows.as_ref().is_some_and(|rows| rows.unknown >= 3), "{report:?}");
    let numbers: Vec<Value> = place.rows(DOSSIERS).iter().map(|row| row.cell("number").clone()).collect();
    assert_eq!(numbers.len(), rows.len() + 3);
    assert!(numbers.contains(&number(2)) && numbers.contains(&json!(77)) && numbers.contains(&json!(0)));
    let left = verify(&lab, &place).await;
    assert!(left.missing.is_empty() && !left.is_exact(), "{left:?}");
    // Once the person has put them away, all is well.
    let ours = |row: &demarche_numerique::sandbox::grist::Row| rows.iter().any(|known| known.id == row.id);
    for row in place.rows(DOSSIERS) {
        let stray = row.cell("number") == &json!(77) || row.cell("number") == &json!(0);
        let copy = row.cell("number") == &number(0) && !ours(&row);
        if stray || copy {
            person.remove_row(DOSSIERS, row.id);
        }
    }
    for row in place.rows(HISTORY).iter().filter(|row| row.text("cle").is_empty()) {
        person.remove_row(HISTORY, row.id);
    }
    repair(&lab, &place).await;
    let left = verify(&lab, &place).await;
    assert!(left.is_exact(), "{left:?}");
}

#[tokio::test]
async fn a_copied_row_of_the_memory_is_not_another_dossier() {
    let (place, lab) = filled().await;
    let held = verify(&lab, &place).await.held;
    let row = place.rows("Dn_dossiers")[0].clone();
    let cells: Vec<(&str, Value)> = row
        .cells
        .iter()
        .filter(|(column, _)| *column != "manualSort")
        .map(|(column, cell)| (column.as_str(), cell.clone()))
        .collect();
    place.person().add_row("Dn_dossiers", &cells);
    let told = verify(&lab, &place).await;
    assert_eq!((told.held, told.is_exact()), (held, true), "{told:?}");
}

#[tokio::test]
async fn cells_that_a_person_changes_are_told_and_mended_by_a_repair() {
    let (place, lab) = filled().await;
    let row = &place.rows(DOSSIERS)[0];
    let was = row.cell("state").clone();
    place.person().edit(DOSSIERS, row.id, "state", json!("inventé"));
    let told = verify(&lab, &place).await;
    assert_eq!(told.rows.len(), 1, "{told:?}");
    assert_eq!((told.rows[0].fault, told.rows[0].columns.clone()), (RowFault::Changed, vec!["state".to_owned()]));
    repair(&lab, &place).await;
    assert_eq!(place.rows(DOSSIERS)[0].cell("state"), &was);
    assert!(verify(&lab, &place).await.is_exact());
}
