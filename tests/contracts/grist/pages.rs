//! Shows the pages of a document to people for whom it is new.

use demarche_numerique::ids::{DemarcheNumber, Scope};
use demarche_numerique::sandbox::grist::Row;
use demarche_numerique::sink::Sink;
use demarche_numerique::table::{CellKind, ColumnKey, Origin};
use serde_json::{Value, json};

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

/// The widgets of the page of a name.
fn widgets(place: &Place, page: &str) -> Vec<Row> {
    let views = place.rows("_grist_Views");
    let view = views.iter().find(|view| view.text("name") == page).unwrap_or_else(|| panic!("no page {page}"));
    place
        .rows("_grist_Views_section")
        .into_iter()
        .filter(|section| section.cell("parentId") == &json!(view.id))
        .collect()
}

/// The references in the arrangement of a page, in order.
fn arranged(place: &Place, page: &str) -> Vec<i64> {
    fn leaves(part: &Value, found: &mut Vec<i64>) {
        found.extend(part["leaf"].as_i64());
        part["children"].as_array().into_iter().flatten().for_each(|part| leaves(part, found));
    }
    let views = place.rows("_grist_Views");
    let view = views.iter().find(|view| view.text("name") == page).expect("a page");
    let mut found = Vec::new();
    leaves(&serde_json::from_str(view.text("layoutSpec")).expect("an arrangement"), &mut found);
    found
}

/// Everything that people see of a document beyond its rows.
fn look(place: &Place) -> Vec<Vec<Row>> {
    let tables =
        ["_grist_Views", "_grist_Pages", "_grist_Views_section", "_grist_Views_section_field", "_grist_Filters"];
    let columns = ["_grist_Tables", "_grist_Tables_column"];
    tables.iter().chain(&columns).map(|table| place.rows(table)).collect()
}

#[tokio::test]
async fn a_demarche_has_charts_a_page_of_dossiers_with_their_card_and_a_page_for_each_block() {
    let place = Place::new().await;
    let sink = place.open().await;
    let mut layout = layout("demarche_12");
    let fixed = |name: &str, title: &str, kind| {
        let mut column = column(60, name, title, kind);
        (column.spec.key, column.spec.origin) = (ColumnKey::Fixed(name.to_owned()), Origin::Fixed);
        column
    };
    layout.tables[0].columns.push(fixed("revision", "Révision du formulaire", CellKind::Text));
    layout.tables[0].columns.push(fixed("state", "État", CellKind::Choice));
    layout.tables[0].columns.push(fixed("date_depot", "Date de dépôt", CellKind::Datetime));
    layout.tables[0].columns.push(fixed("demandeur_raison_sociale", "Raison sociale", CellKind::Text));
    layout.tables[0].columns[0].spec.description = Some("Le nom complet.".to_owned());
    layout.tables[0].columns[7].spec.options = vec!["Oui".to_owned(), "Peut-être".to_owned()];
    sink.prepare(&scope(), &form(), creation(layout)).await.expect("tables");
    let expected = ["Tableau de bord", "Dossiers", "- Enfants", "Synchronisation"];
    assert_eq!(pages(&place), expected, "and the empty table of a new document is gone");

    let sections = widgets(&place, "Dossiers");
    let [grid, card] = &sections[..] else { panic!("two widgets, for lack of messages, files and a history") };
    assert_eq!((grid.text("parentKey"), grid.text("title"), card.text("parentKey")), ("record", "Dossiers", "single"));
    assert_eq!(card.cell("linkSrcSectionRef"), &json!(grid.id), "the card shows the dossier that is chosen");
    assert_eq!(arranged(&place, "Dossiers"), [grid.id, card.id], "the card lies below");
    let shown = titles(&place, grid.id);
    assert_eq!(shown[..2], ["État", "Demandeur"]);
    assert_eq!(shown[2..], ["Nom de l'\"établissement\"", "Jour", "Dossier n°", "Montant", "Date de dépôt"]);
    let card = titles(&place, card.id);
    assert_eq!(card[..4], ["État", "Dossier n°", "Demandeur", "Nom de l'\"établissement\""]);
    for technical in ["Révision du formulaire", "Changement vu le"] {
        assert!(!card.contains(&technical.to_owned()), "{technical} is for programs");
    }

    let person = place.person();
    let nom = person.column("Demarche_12_dossiers", "nom");
    assert!(nom.text("description").starts_with("Le nom complet. "), "{nom:?}");
    assert_eq!(nom.cell("untieColIdFromLabel"), &json!(true));
    let amount = person.column("Demarche_12_dossiers", "montant");
    assert!(amount.text("widgetOptions").contains(r#""currency":"EUR""#), "{}", amount.text("widgetOptions"));
    let parent = person.column("Demarche_12_enfants", "dossier");
    assert_eq!(parent.text("type"), "Ref:Demarche_12_dossiers");
    assert_eq!(parent.cell("visibleCol"), &json!(person.column_ref("Demarche_12_dossiers", "number")));
    assert_ne!(parent.cell("displayCol"), &json!(0), "a reference shows the number of its dossier");
    let [block] = &widgets(&place, "Enfants")[..] else { panic!("one widget") };
    assert_eq!(titles(&place, block.id), ["Dossier", "Prénom", "Âge"], "the rank of a row is for programs");

    let titles_of =
        |page: &str| widgets(&place, page).iter().map(|row| row.text("title").to_owned()).collect::<Vec<_>>();
    assert_eq!(titles_of("Synchronisation"), ["Exécutions", "Quarantaine"]);
    assert_eq!(titles_of("Tableau de bord"), ["Dossiers par état", "Dossiers déposés par mois", "Choix"]);
    for chart in widgets(&place, "Tableau de bord") {
        let shown = titles(&place, chart.id);
        assert_eq!(shown.len(), 2, "what is counted, and how many: {shown:?}");
        assert_eq!((shown[1].as_str(), chart.text("parentKey")), ("Dossiers", "chart"));
    }
}

#[tokio::test]
async fn every_column_of_a_new_table_is_in_its_raw_data_so_that_people_can_duplicate_it() {
    let place = Place::new().await;
    let sink = place.open().await;
    prepare(&sink, &scope()).await;
    let columns = place.rows("_grist_Tables_column");
    let fields = place.rows("_grist_Views_section_field");
    for table in place.rows("_grist_Tables").iter().filter(|table| table.text("tableId").starts_with("Demarche_")) {
        let raw = with(&fields, "parentId", table.cell("rawViewSectionRef").as_i64().expect("raw data"));
        for column in with(&columns, "parentId", table.id) {
            let id = column.text("colId");
            let shown = raw.iter().any(|field| field.cell("colRef") == &json!(column.id));
            assert!(shown || id == "manualSort" || id.starts_with("gristHelper_"), "{id} of {}", table.text("tableId"));
        }
    }
}

#[tokio::test]
async fn a_second_run_changes_no_page() {
    let place = Place::new().await;
    let sink = place.open().await;
    prepare(&sink, &scope()).await;
    let before = look(&place);
    prepare(&sink, &scope()).await;
    sink.close().await.expect("a closing");
    prepare(&place.open().await, &scope()).await;
    assert!(look(&place) == before, "pages were made again");
}

#[tokio::test]
async fn demarches_of_one_document_have_a_group_of_pages_each_and_the_page_of_runs_stays_the_last_one() {
    let place = Place::new().await;
    let sink = place.open().await;
    prepare(&sink, &scope()).await;
    prepare(&sink, &Scope { demarche: DemarcheNumber::new(13), ..scope() }).await;
    let group = ["Démarche", "- Dossiers", "- Enfants"];
    let expected: Vec<&str> = group.iter().chain(&group).copied().chain(["Synchronisation"]).collect();
    assert_eq!(pages(&place), expected);
}

#[tokio::test]
async fn pages_that_people_named_keep_their_name_when_a_second_demarche_comes() {
    let place = Place::new().await;
    let sink = place.open().await;
    prepare(&sink, &scope()).await;
    let person = place.person();
    let view =
        person.rows("_grist_Views").into_iter().find(|view| view.text("name") == "Tableau de bord").expect("a view");
    person.act(json!([["UpdateRecord", "_grist_Views", view.id, { "name": "Chiffres" }]]));
    prepare(&sink, &Scope { demarche: DemarcheNumber::new(13), ..scope() }).await;
    assert_eq!(pages(&place)[..3], ["Chiffres", "Dossiers", "- Enfants"]);
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
    assert_eq!(pages(&place), ["Tableau de bord", "Demandes", "- Enfants", "Synchronisation"]);
    let sections = place.rows("_grist_Views_section");
    let grid = sections.iter().find(|section| section.text("title") == "Dossiers").expect("a grid");
    assert!(titles(&place, grid.id).contains(&"Surnom".to_owned()));
    assert!(person.column("Demarche_12_dossiers", "surnom").cell("untieColIdFromLabel") == &json!(true));
}
