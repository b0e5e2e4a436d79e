//! Shows the pages of a document to people for whom it is new.

use demarche_numerique::ids::{DemarcheNumber, Scope};
use demarche_numerique::sandbox::grist::Row;
use demarche_numerique::sink::Sink;
use demarche_numerique::table::{CellKind, ColumnKey};
use serde_json::json;

use super::Place;
use crate::contracts::world::*;

fn with<'a>(rows: &'a [Row], column: &str, value: i64) -> Vec<&'a Row> {
    rows.iter().filter(|row| row.cell(column) == &json!(value)).collect()
}

/// The names of pages in their order, indented ones with a dash.
fn pages(place: &Place) -> Vec<String> {
    let views = place.rows("_grist_Views");
    let mut pages = place.rows("_grist_Pages");
    pages.sort_by(|a, b| {
        a.cell("pagePos").as_f64().unwrap_or_default().total_cmp(&b.cell("pagePos").as_f64().unwrap_or_default())
    });
    let name = |page: &Row| {
        let view = views.iter().find(|view| page.cell("viewRef") == &json!(view.id)).expect("a view");
        let dash = if page.cell("indentation") == &json!(1) { "- " } else { "" };
        format!("{dash}{}", view.text("name"))
    };
    pages.iter().map(name).collect()
}

/// The titles of the columns that a widget shows, in order.
fn titles(place: &Place, section: i64) -> Vec<String> {
    let columns = place.rows("_grist_Tables_column");
    let mut fields = place.rows("_grist_Views_section_field");
    fields.retain(|field| field.cell("parentId") == &json!(section));
    fields.sort_by(|a, b| {
        a.cell("parentPos").as_f64().unwrap_or_default().total_cmp(&b.cell("parentPos").as_f64().unwrap_or_default())
    });
    let title = |field: &Row| {
        let column = columns.iter().find(|column| field.cell("colRef") == &json!(column.id)).expect("a column");
        column.text("label").to_owned()
    };
    fields.iter().map(title).collect()
}

#[tokio::test]
async fn a_demarche_has_a_page_of_dossiers_with_their_card_and_a_page_for_each_block() {
    let place = Place::new().await;
    let sink = place.open().await;
    let mut layout = layout("demarche_12");
    let revision = &mut layout.tables[0].columns[9].spec;
    (revision.key, revision.title) = (ColumnKey::Fixed("revision".to_owned()), "Révision du formulaire".to_owned());
    layout.tables[0].columns[0].spec.description = Some("Le nom complet.".to_owned());
    sink.prepare(&scope(), &form(), creation(layout)).await.expect("tables");
    assert_eq!(pages(&place), ["Table1", "Dossiers", "- Enfants", "Synchronisation"]);

    let tables = place.rows("_grist_Tables");
    let dossiers = tables.iter().find(|table| table.text("tableId") == "Demarche_12_dossiers").expect("a table");
    let view = dossiers.cell("primaryViewId").as_i64().expect("a view");
    let sections = place.rows("_grist_Views_section");
    let [grid, card] = with(&sections, "parentId", view)[..] else { panic!("two widgets") };
    assert_eq!((grid.text("parentKey"), grid.text("title"), card.text("parentKey")), ("record", "Dossiers", "single"));
    assert_eq!(card.cell("linkSrcSectionRef"), &json!(grid.id), "the card shows the dossier that is chosen");
    let shown = titles(&place, grid.id);
    assert_eq!(shown, titles(&place, card.id));
    assert_eq!(shown.first().map(String::as_str), Some("Dossier n°"));
    assert_eq!(shown[shown.len() - 2..], ["Motif de suppression", "Date de suppression"]);
    for technical in ["Révision du formulaire", "Changement vu le"] {
        assert!(!shown.contains(&technical.to_owned()), "{technical} is for programs");
    }

    let person = place.person();
    let nom = person.column("Demarche_12_dossiers", "nom");
    assert!(nom.text("description").starts_with("Le nom complet. "), "{nom:?}");
    assert_eq!(nom.cell("untieColIdFromLabel"), &json!(true));
    let parent = person.column("Demarche_12_enfants", "dossier");
    assert_eq!(parent.text("type"), "Ref:Demarche_12_dossiers");
    assert_eq!(parent.cell("visibleCol"), &json!(person.column_ref("Demarche_12_dossiers", "number")));
    assert_ne!(parent.cell("displayCol"), &json!(0), "a reference shows the number of its dossier");

    let runs = tables.iter().find(|table| table.text("tableId") == "Dn_executions").expect("a table");
    let page = runs.cell("primaryViewId").as_i64().expect("a view");
    let sections = place.rows("_grist_Views_section");
    let on_page: Vec<&str> = with(&sections, "parentId", page).iter().map(|section| section.text("title")).collect();
    assert_eq!(on_page, ["Exécutions", "Quarantaine"]);
}

#[tokio::test]
async fn the_page_of_runs_stays_the_last_one_and_titles_tell_demarches_apart() {
    let place = Place::new().await;
    let sink = place.open().await;
    prepare(&sink, &scope()).await;
    prepare(&sink, &Scope { demarche: DemarcheNumber::new(13), ..scope() }).await;
    let expected =
        ["Table1", "Dossiers", "- Enfants", "Dossiers – Démarche", "- Enfants – Démarche", "Synchronisation"];
    assert_eq!(pages(&place), expected);
}

#[tokio::test]
async fn a_new_question_is_shown_and_pages_of_people_stay_as_they_are() {
    let place = Place::new().await;
    let sink = place.open().await;
    let prepared = prepare(&sink, &scope()).await;
    let person = place.person();
    let view = person.rows("_grist_Views").into_iter().find(|view| view.text("name") == "Dossiers").expect("a view");
    person.act(json!([["UpdateRecord", "_grist_Views", view.id, { "name": "Demandes" }]]));
    let mut layout = prepared.layout().clone();
    layout.tables[0].columns.push(column(40, "surnom", "Surnom", CellKind::Text));
    let plan = demarche_numerique::plan::SchemaPlan { layout, changes: Vec::new() };
    sink.prepare(&scope(), &form(), plan).await.expect("a new question");
    assert_eq!(pages(&place), ["Table1", "Demandes", "- Enfants", "Synchronisation"]);
    let sections = place.rows("_grist_Views_section");
    let grid = sections.iter().find(|section| section.text("title") == "Dossiers").expect("a grid");
    assert!(titles(&place, grid.id).contains(&"Surnom".to_owned()));
    assert!(person.column("Demarche_12_dossiers", "surnom").cell("untieColIdFromLabel") == &json!(true));
}
