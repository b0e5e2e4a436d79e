//! Checks columns whose id follows their title (Grist trap 12).

use demarche_numerique::sink::Sink;
use demarche_numerique::table::CellKind;
use serde_json::{Value, json};

use super::fixture::{DOSSIERS, ENFANTS, Fixture, again, ready};
use crate::contracts::world::*;

traps!(
    trap_12_a_column_whose_id_follows_its_title_is_still_ours,
    trap_12_our_very_last_column_is_ours_whatever_its_title,
    trap_12_a_column_that_takes_the_place_of_a_deleted_one_is_a_persons,
    trap_12_ids_that_follow_titles_double_no_column_of_the_run_history,
    trap_30_a_trigger_formula_on_a_column_of_ours_is_told,
);

/// The reference of a column.
async fn reference(fixture: &Fixture, table: &str, column: &str) -> i64 {
    let tables = fixture.tables().await;
    let found = tables.iter().find(|found| found.id == table).expect("a table");
    found.columns.iter().find(|found| found.id == column).expect("a column").col_ref
}

/// Clicks on the link icon of a column.
async fn click(fixture: &Fixture, table: &str, column: &str) {
    let row = reference(fixture, table, column).await;
    fixture.act(json!([["UpdateRecord", "_grist_Tables_column", row, { "untieColIdFromLabel": false }]])).await;
}

async fn trap_12_a_column_whose_id_follows_its_title_is_still_ours(fixture: &Fixture) {
    fixture.fill().await;
    for table in [DOSSIERS, ENFANTS] {
        for column in fixture.columns(table).await {
            click(fixture, table, &column).await;
        }
    }
    let columns = fixture.columns(DOSSIERS).await;
    assert!(columns.contains(&"Dossier_n_".to_owned()) && columns.contains(&"Effectif".to_owned()), "{columns:?}");
    // One is renamed too.
    let row = reference(fixture, DOSSIERS, "Effectif").await;
    fixture.act(json!([["UpdateRecord", "_grist_Tables_column", row, { "label": "Nombre de salariés" }]])).await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    assert_eq!(sink.notices(), [""; 0]);
    assert_eq!(sink.known(&scope(), &[number(1), number(2)]).await.expect("an answer").len(), 2);
    sink.commit(&prepared, &batch(2, vec![update(2, "DEUX"), insert(4, "quatre")])).await.expect("a commit");
    sink.close().await.expect("a clean end");
    assert_eq!(fixture.column(DOSSIERS, "Dossier_n_").await, [1, 2, 4]);
    assert_eq!(fixture.column(DOSSIERS, "Nombre_de_salaries").await, [-1, -2, -4]);
    assert_eq!(fixture.columns(DOSSIERS).await.len(), columns.len(), "no column was made again");
}

async fn trap_12_our_very_last_column_is_ours_whatever_its_title(fixture: &Fixture) {
    fixture.fill().await;
    // A question that the form got later: no column was made after its own.
    let mut wider = layout("demarche_12");
    wider.tables[0].columns.push(column(40, "surnom", "Surnom", CellKind::Text));
    let sink = fixture.open().await;
    again(&sink, wider.clone()).await.expect("a new column");
    sink.close().await.expect("a clean end");
    click(fixture, DOSSIERS, "surnom").await;
    let row = reference(fixture, DOSSIERS, "Surnom").await;
    fixture.act(json!([["UpdateRecord", "_grist_Tables_column", row, { "label": "Petit nom" }]])).await;
    let sink = fixture.open().await;
    again(&sink, wider.clone()).await.expect("the same tables");
    assert_eq!(sink.notices(), [""; 0]);
    sink.close().await.expect("a clean end");
    let columns = fixture.columns(DOSSIERS).await;
    assert!(columns.contains(&"Petit_nom".to_owned()) && !columns.contains(&"surnom".to_owned()), "{columns:?}");
    // Deleted, it is not taken for the next one that somebody makes.
    fixture.act(json!([["RemoveColumn", DOSSIERS, "Petit_nom"]])).await;
    let info = json!({ "type": "Text", "label": "Remarque", "isFormula": false });
    fixture.act(json!([["AddVisibleColumn", DOSSIERS, "Remarque", info]])).await;
    assert_ne!(reference(fixture, DOSSIERS, "Remarque").await, row, "a higher reference was there");
    let sink = fixture.open().await;
    again(&sink, wider).await.expect("the same tables");
    let notices = sink.notices();
    assert!(notices.len() == 1 && notices[0].contains("“Surnom” of Demarche_12_dossiers was deleted"), "{notices:?}");
    sink.close().await.expect("a clean end");
}

async fn trap_12_a_column_that_takes_the_place_of_a_deleted_one_is_a_persons(fixture: &Fixture) {
    fixture.fill().await;
    let was = reference(fixture, ENFANTS, "age").await;
    fixture.act(json!([["RemoveColumn", ENFANTS, "age"]])).await;
    let info = json!({ "type": "Int", "label": "Âge", "isFormula": false });
    fixture.act(json!([["AddVisibleColumn", ENFANTS, "Âge", info]])).await;
    assert_ne!(reference(fixture, ENFANTS, "Age").await, was, "references are not given twice below higher ones");
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    let notices = sink.notices();
    assert!(notices.len() == 1 && notices[0].contains("“Âge” of Demarche_12_enfants was deleted"), "{notices:?}");
    assert!(notices[0].contains("--restore-columns"), "{notices:?}");
    ready(&sink).await;
    assert!(sink.notices().len() < 2, "each thing is told once");
    sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect("a commit");
    sink.close().await.expect("a clean end");
    assert!(fixture.column(ENFANTS, "Age").await.iter().all(|age| *age == json!(0)), "nothing was written there");
}

async fn trap_12_ids_that_follow_titles_double_no_column_of_the_run_history(fixture: &Fixture) {
    fixture.fill().await;
    let columns = fixture.columns("Dn_executions").await.len();
    click(fixture, "Dn_executions", "debut").await;
    assert!(fixture.columns("Dn_executions").await.contains(&"Debut".to_owned()));
    for _ in 0..2 {
        let sink = fixture.open().await;
        again(&sink, layout("demarche_12")).await.expect("the same tables");
        sink.close().await.expect("a clean end");
    }
    let found = fixture.columns("Dn_executions").await;
    assert!(found.contains(&"debut".to_owned()) && found.len() == columns, "{found:?}");
}

async fn trap_30_a_trigger_formula_on_a_column_of_ours_is_told(fixture: &Fixture) {
    fixture.fill().await;
    fixture.act(json!([["ModifyColumn", DOSSIERS, "nom", { "formula": "\"à moi\"", "isFormula": false }]])).await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    let notices = sink.notices();
    assert!(notices.len() == 1 && notices[0].contains("has a trigger formula"), "{notices:?}");
    sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect("a commit");
    assert_eq!(fixture.column(DOSSIERS, "nom").await.last().map(Value::as_str), Some(Some("quatre")));
}
