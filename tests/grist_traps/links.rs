//! The icon between a column's title and its id (Grist trap 12): one click, and the id follows the title.

use demarche_numerique::sink::Sink;
use serde_json::{Value, json};

use super::ground::{DOSSIERS, ENFANTS, Ground, again, ready};
use crate::contracts::world::*;

traps!(
    trap_12_a_column_whose_id_follows_its_title_is_still_ours,
    trap_12_a_column_that_takes_the_place_of_a_deleted_one_is_a_persons,
    trap_12_ids_that_follow_titles_double_no_column_of_the_run_history,
    trap_30_a_trigger_formula_on_a_column_of_ours_is_told,
);

/// The reference of a column.
async fn reference(ground: &Ground, table: &str, column: &str) -> i64 {
    let tables = ground.tables().await;
    let found = tables.iter().find(|found| found.id == table).expect("a table");
    found.columns.iter().find(|found| found.id == column).expect("a column").col_ref
}

/// What a click does.
async fn click(ground: &Ground, table: &str, column: &str) {
    let row = reference(ground, table, column).await;
    ground.act(json!([["UpdateRecord", "_grist_Tables_column", row, { "untieColIdFromLabel": false }]])).await;
}

async fn trap_12_a_column_whose_id_follows_its_title_is_still_ours(ground: &Ground) {
    ground.fill().await;
    for table in [DOSSIERS, ENFANTS] {
        for column in ground.columns(table).await {
            click(ground, table, &column).await;
        }
    }
    let columns = ground.columns(DOSSIERS).await;
    assert!(columns.contains(&"Dossier_n_".to_owned()) && columns.contains(&"Effectif".to_owned()), "{columns:?}");
    // One is renamed too.
    let row = reference(ground, DOSSIERS, "Effectif").await;
    ground.act(json!([["UpdateRecord", "_grist_Tables_column", row, { "label": "Nombre de salariés" }]])).await;
    let sink = ground.open().await;
    let prepared = ready(&sink).await;
    assert_eq!(sink.notices(), [""; 0]);
    assert_eq!(sink.known(&scope(), &[number(1), number(2)]).await.expect("an answer").len(), 2);
    sink.commit(&prepared, &batch(2, vec![update(2, "deux", "DEUX"), insert(4, "quatre")])).await.expect("a commit");
    sink.close().await.expect("a clean end");
    assert_eq!(ground.column(DOSSIERS, "Dossier_n_").await, [1, 2, 4]);
    assert_eq!(ground.column(DOSSIERS, "Nombre_de_salaries").await, [-1, -2, -4]);
    assert_eq!(ground.columns(DOSSIERS).await.len(), columns.len(), "no column was made again");
}

async fn trap_12_a_column_that_takes_the_place_of_a_deleted_one_is_a_persons(ground: &Ground) {
    ground.fill().await;
    let was = reference(ground, ENFANTS, "age").await;
    ground.act(json!([["RemoveColumn", ENFANTS, "age"]])).await;
    let info = json!({ "type": "Int", "label": "Âge", "isFormula": false });
    ground.act(json!([["AddVisibleColumn", ENFANTS, "Âge", info]])).await;
    assert_ne!(reference(ground, ENFANTS, "Age").await, was, "references are not given twice below higher ones");
    let sink = ground.open().await;
    let prepared = ready(&sink).await;
    let notices = sink.notices();
    assert!(notices.len() == 1 && notices[0].contains("“Âge” of Demarche_12_enfants was deleted"), "{notices:?}");
    assert!(notices[0].contains("--restore-columns"), "{notices:?}");
    ready(&sink).await;
    assert!(sink.notices().len() < 2, "each thing is told once");
    sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect("a commit");
    sink.close().await.expect("a clean end");
    assert!(ground.column(ENFANTS, "Age").await.iter().all(|age| *age == json!(0)), "nothing was written there");
}

async fn trap_12_ids_that_follow_titles_double_no_column_of_the_run_history(ground: &Ground) {
    ground.fill().await;
    let columns = ground.columns("Dn_executions").await.len();
    click(ground, "Dn_executions", "debut").await;
    assert!(ground.columns("Dn_executions").await.contains(&"Debut".to_owned()));
    for _ in 0..2 {
        let sink = ground.open().await;
        again(&sink, layout("demarche_12")).await.expect("the same tables");
        sink.close().await.expect("a clean end");
    }
    let found = ground.columns("Dn_executions").await;
    assert!(found.contains(&"debut".to_owned()) && found.len() == columns, "{found:?}");
}

async fn trap_30_a_trigger_formula_on_a_column_of_ours_is_told(ground: &Ground) {
    ground.fill().await;
    ground.act(json!([["ModifyColumn", DOSSIERS, "nom", { "formula": "\"à moi\"", "isFormula": false }]])).await;
    let sink = ground.open().await;
    let prepared = ready(&sink).await;
    let notices = sink.notices();
    assert!(notices.len() == 1 && notices[0].contains("has a trigger formula"), "{notices:?}");
    sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect("a commit");
    assert_eq!(ground.column(DOSSIERS, "nom").await.last().map(Value::as_str), Some(Some("quatre")));
}
