//! Edits the document as people do, and looks at it after the next run.

use demarche_numerique::plan::SchemaPlan;
use demarche_numerique::sink::{GristSink, Prepared, Sink, SinkError};
use demarche_numerique::table::{Cell, CellKind, Layout};
use serde_json::{Value, json};

use super::Place;
use crate::contracts::world::*;

const DOSSIERS: &str = "Demarche_12_dossiers";
const ENFANTS: &str = "Demarche_12_enfants";

/// A document with two dossiers, and nobody at work.
async fn filled() -> Place {
    let place = Place::new().await;
    let sink = place.open().await;
    let prepared = prepare(&sink, &scope()).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("a commit");
    sink.close().await.expect("a clean end");
    place
}

async fn again(sink: &GristSink, layout: Layout) -> Result<Prepared, SinkError> {
    sink.prepare(&scope(), &form(), SchemaPlan { layout, changes: Vec::new() }).await
}

fn widget(place: &Place, column: &str) -> Value {
    serde_json::from_str(place.person().column(DOSSIERS, column).text("widgetOptions")).expect("JSON")
}

#[tokio::test]
async fn what_people_make_of_the_document_stays_and_the_sync_goes_on() {
    let place = filled().await;
    let person = place.person();
    person.relabel_column(DOSSIERS, "nom", "Raison sociale");
    assert_eq!(person.column(DOSSIERS, "nom").text("label"), "Raison sociale", "a title does not change the id");
    person.rename_column(DOSSIERS, "effectif", "nombre_de_salaries");
    person.add_column(DOSSIERS, "Avis de la commission", "Text");
    person.add_formula(DOSSIERS, "Double", "$nombre_de_salaries * 2");
    let first = place.rows(DOSSIERS)[0].id;
    person.edit(DOSSIERS, first, "Avis_de_la_commission", json!("favorable"));
    person.add_table("Contacts", &[("nom", "Text")]);
    person.add_row("Contacts", &[("nom", json!("Camille Martin"))]);
    person.rename_table(ENFANTS, "Personnes");

    let sink = place.open().await;
    let prepared = again(&sink, layout("demarche_12")).await.expect("nothing to say");
    assert_eq!(sink.notices(), [""; 0]);
    let mut changed = row(2, "DEUX");
    changed.cells[1] = Cell::Integer(77);
    let change = demarche_numerique::plan::Change::Present(changed);
    sink.commit(&prepared, &batch(2, vec![change, insert(5, "cinq")])).await.expect("a commit");

    let rows = place.rows(DOSSIERS);
    let told: Vec<(&str, &Value, &str)> =
        rows.iter().map(|r| (r.text("nom"), r.cell("nombre_de_salaries"), r.text("Avis_de_la_commission"))).collect();
    assert_eq!(told, [("un", &json!(-1), "favorable"), ("DEUX", &json!(77), ""), ("cinq", &json!(-5), "")]);
    assert_eq!(place.rows("Personnes").len(), 5);
    assert_eq!(place.rows("Contacts")[0].text("nom"), "Camille Martin");
    assert!(!person.tables().contains(&ENFANTS.to_owned()));
    place.assert_sound();
}

#[tokio::test]
async fn a_title_follows_the_form_unless_a_person_gave_another() {
    let place = filled().await;
    place.person().relabel_column(DOSSIERS, "nom", "Raison sociale");
    let mut layout = layout("demarche_12");
    layout.tables[0].columns[0].spec.title = "Dénomination".to_owned();
    layout.tables[0].columns[1].spec.title = "Nombre de salariés".to_owned();
    layout.tables[0].columns[1].spec.description = Some("Au 31 décembre.".to_owned());
    let sink = place.open().await;
    again(&sink, layout).await.expect("other titles");
    let column = |id: &str| place.person().column(DOSSIERS, id);
    assert_eq!(column("nom").text("label"), "Raison sociale");
    let effectif = column("effectif");
    assert_eq!(effectif.text("label"), "Nombre de salariés");
    assert!(effectif.text("description").starts_with("Au 31 décembre. "), "{effectif:?}");
}

#[tokio::test]
async fn new_choices_leave_colours_and_order_to_people() {
    let place = Place::new().await;
    let sink = place.open().await;
    let mut layout = layout("demarche_12");
    let state = &mut layout.tables[0].columns[7].spec;
    (state.kind, state.options) = (CellKind::Choice, vec!["en_instruction".into(), "accepte".into()]);
    sink.prepare(&scope(), &form(), creation(layout.clone())).await.expect("tables");
    assert_eq!(widget(&place, "choix")["choiceOptions"]["accepte"]["fillColor"], "#B8FEC9");
    let person = place.person();
    person.recolour(DOSSIERS, "choix", "accepte", "#000000");
    person.set_widget(DOSSIERS, "choix", &json!({ "choices": ["à revoir", "accepte"] }));

    layout.tables[0].columns[7].spec.options.push("refuse".into());
    sink.close().await.expect("a clean end");
    let sink = place.open().await;
    again(&sink, layout).await.expect("one more choice");
    let widget = widget(&place, "choix");
    assert_eq!(widget["choices"], json!(["à revoir", "accepte", "refuse"]), "what a person took away stays away");
    assert_eq!(widget["choiceOptions"]["accepte"]["fillColor"], "#000000");
}

#[tokio::test]
async fn a_column_that_a_person_deleted_is_told_and_comes_back_on_demand() {
    let place = filled().await;
    place.person().remove_column(DOSSIERS, "nom");
    let sink = place.open().await;
    for words in ["was deleted", "still left out"] {
        let prepared = again(&sink, layout("demarche_12")).await.expect("it is left out");
        let notices = sink.notices();
        assert!(
            notices.len() == 1 && notices[0].contains(words) && notices[0].contains("établissement"),
            "{notices:?}"
        );
        sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect("a commit");
    }
    assert!(!place.person().columns(DOSSIERS).contains(&"nom".to_owned()));
    sink.close().await.expect("a clean end");

    let sink = GristSink::of(place.doc(demarche_numerique::sandbox::grist::Grist::OWNER));
    let sink = sink.restore_columns(true).open().await.expect("the document");
    let prepared = again(&sink, layout("demarche_12")).await.expect("it is made again");
    assert!(prepared.owes_remap() && sink.notices().is_empty());
    assert!(sink.checkpoint(&scope()).await.expect("an answer").is_some_and(|checkpoint| checkpoint.remap));
    let same = row(1, "un");
    let rewrite = demarche_numerique::plan::Change::Rewrite(same);
    sink.commit(&prepared, &batch(3, vec![rewrite])).await.expect("a commit");
    assert_eq!(place.rows(DOSSIERS)[0].text("nom"), "un");
}

#[tokio::test]
async fn a_formula_in_the_place_of_our_values_is_left_alone() {
    let place = filled().await;
    place.person().make_formula(DOSSIERS, "nom", "'dossier ' + str($number)");
    let sink = place.open().await;
    let prepared = again(&sink, layout("demarche_12")).await.expect("it is left out");
    assert!(sink.notices()[0].contains("is a formula now"));
    sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect("a commit");
    assert_eq!(place.rows(DOSSIERS).len(), 3);
}

#[tokio::test]
async fn rows_that_a_person_deleted_come_back() {
    let place = filled().await;
    let person = place.person();
    let second = place.rows(DOSSIERS)[1].id;
    person.remove_row(DOSSIERS, second);
    assert_eq!(place.rows(ENFANTS)[1].cell("dossier"), &json!(0), "Grist lets children loose");
    let sink = place.open().await;
    assert_eq!(sink.known(&scope(), &[number(1), number(2)]).await.expect("an answer").len(), 1);
    assert_eq!(sink.census(&scope(), None, 9).await.expect("an answer").len(), 1);
    let prepared = again(&sink, layout("demarche_12")).await.expect("the same tables");
    sink.commit(&prepared, &batch(2, vec![insert(2, "deux")])).await.expect("a commit");
    assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, 2);
    assert_eq!((place.rows(DOSSIERS).len(), place.rows(ENFANTS).len()), (2, 3));
    place.assert_sound();
}

#[tokio::test]
async fn copies_of_rows_are_told_and_those_of_child_rows_go() {
    let place = filled().await;
    let person = place.person();
    person.add_row(DOSSIERS, &[("number", json!(2)), ("nom", json!("une copie"))]);
    let child = place.rows(ENFANTS).pop().expect("a child");
    person.add_row(ENFANTS, &[("cle", child.cell("cle").clone()), ("prenom", json!("une copie"))]);
    let sink = place.open().await;
    let prepared = again(&sink, layout("demarche_12")).await.expect("the same tables");
    sink.commit(&prepared, &batch(2, vec![update(2, "DEUX")])).await.expect("a commit");
    assert!(sink.notices()[0].contains("dossier 2 has 2 rows"));
    let names: Vec<String> = place.rows(DOSSIERS).iter().map(|row| row.text("nom").to_owned()).collect();
    assert_eq!(names, ["un", "DEUX", "une copie"]);
    let enfants: Vec<String> = place.rows(ENFANTS).iter().map(|row| row.text("prenom").to_owned()).collect();
    assert_eq!(enfants, ["un 0", "DEUX 0", "DEUX 1"]);
}

#[tokio::test]
async fn tables_for_people_are_made_again_and_never_believed() {
    let place = filled().await;
    let person = place.person();
    person.remove_table("Dn_executions");
    person.remove_column("Dn_quarantaine", "motif");
    let sink = place.open().await;
    let prepared = again(&sink, layout("demarche_12")).await.expect("they are made again");
    sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect("a commit");
    assert!(person.tables().contains(&"Dn_executions".to_owned()));
    assert!(person.columns("Dn_quarantaine").contains(&"motif".to_owned()));
    // In the middle of a run they are missed by nobody.
    person.remove_table("Dn_quarantaine");
    person.remove_table("Dn_executions");
    let mut put = batch(3, vec![]);
    let entry = demarche_numerique::sink::QuarantineEntry {
        number: number(9),
        reason: "timeout".to_owned(),
        message: String::new(),
        since: at(1),
        attempts: 1,
        next_try: at(2),
    };
    put.quarantine.push(demarche_numerique::sink::QuarantineChange::Put(entry.clone()));
    sink.commit(&prepared, &put).await.expect("a commit");
    assert_eq!(sink.quarantine(&scope()).await.expect("an answer"), [entry]);
    assert!(sink.runs(&scope(), 9).await.expect("an answer").is_empty());
}

#[tokio::test]
async fn a_type_that_holds_the_values_is_followed() {
    let place = filled().await;
    let person = place.person();
    person.retype_column(DOSSIERS, "effectif", "Numeric");
    person.retype_column(DOSSIERS, "jour", "Text");
    person.retype_column(DOSSIERS, "nom", "Choice");
    let sink = place.open().await;
    let prepared = again(&sink, layout("demarche_12")).await.expect("harmless types");
    let mut four = row(4, "quatre");
    four.cells[1] = Cell::Integer(3_000_000_000);
    sink.commit(&prepared, &batch(2, vec![demarche_numerique::plan::Change::Present(four)])).await.expect("a commit");
    let four = place.rows(DOSSIERS).pop().expect("a row");
    assert_eq!((four.cell("effectif"), four.text("jour")), (&json!(3_000_000_000_i64), "2026-01-15"));
}

#[tokio::test]
async fn what_no_run_can_go_on_with_is_told_before_anything_is_written() {
    type Breaker = fn(&Place);
    let breakers: [(&str, Breaker); 7] = [
        ("Demarche_12_dossiers: column effectif is Date, not Numeric", |place| {
            place.person().retype_column(DOSSIERS, "effectif", "Date");
        }),
        ("Demarche_12_dossiers: column number is Text, not Int", |place| {
            place.person().retype_column(DOSSIERS, "number", "Text");
        }),
        ("Demarche_12_enfants: column cle is missing", |place| place.person().remove_column(ENFANTS, "cle")),
        ("Demarche_12_enfants: the table is missing", |place| place.person().remove_table(ENFANTS)),
        ("the table Dn_dossiers is missing", |place| place.person().remove_table("Dn_dossiers")),
        ("Dn_dossiers: column document is missing", |place| place.person().remove_column("Dn_dossiers", "document")),
        ("the row dn/12/tables of Dn_etat was edited", |place| {
            let row = place.rows("Dn_etat").into_iter().find(|row| row.text("cle") == "dn/12/tables").expect("a row");
            place.person().edit("Dn_etat", row.id, "valeur", json!("t:{\"tables\":[]}"));
        }),
    ];
    for (expected, breaker) in breakers {
        let place = filled().await;
        breaker(&place);
        let before = place.grist.state_number(&place.document);
        let outcome = async { again(&place.try_open().await?, layout("demarche_12")).await };
        let error = outcome.await.expect_err(expected);
        assert!(matches!(&error, SinkError::Altered { .. }) && error.to_string().contains(expected), "{error}");
        assert!(error.hint().is_some());
        assert_eq!(place.grist.state_number(&place.document), before, "{expected}");
    }
}

#[tokio::test]
async fn a_column_or_a_table_that_is_renamed_during_a_run_is_found_again() {
    let place = filled().await;
    let sink = place.open().await;
    let prepared = again(&sink, layout("demarche_12")).await.expect("the same tables");
    place.person().rename_column(DOSSIERS, "nom", "raison_sociale");
    sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect("a commit");
    place.person().rename_table(DOSSIERS, "Demandes");
    sink.commit(&prepared, &batch(3, vec![insert(5, "cinq")])).await.expect("a commit");
    place.person().remove_column("Demandes", "effectif");
    sink.commit(&prepared, &batch(4, vec![insert(7, "sept")])).await.expect("a commit");
    let names: Vec<String> = place.rows("Demandes").iter().map(|row| row.text("raison_sociale").to_owned()).collect();
    assert_eq!(names, ["un", "deux", "quatre", "cinq", "sept"]);
    place.assert_sound();
}

#[tokio::test]
async fn a_copy_of_the_past_is_caught_up_with() {
    let place = filled().await;
    let past = place.grist.snapshot(&place.document);
    let sink = place.open().await;
    let prepared = again(&sink, layout("demarche_12")).await.expect("the same tables");
    sink.commit(&prepared, &batch(2, vec![delete(1), insert(4, "quatre")])).await.expect("a commit");
    sink.close().await.expect("a clean end");
    place.grist.restore(&place.document, &past);
    let sink = place.open().await;
    let watermark = sink.checkpoint(&scope()).await.expect("an answer").and_then(|checkpoint| checkpoint.watermark);
    assert_eq!(watermark, Some(at(1)), "rows and checkpoint are of one moment");
    let prepared = again(&sink, layout("demarche_12")).await.expect("the same tables");
    sink.commit(&prepared, &batch(2, vec![delete(1), insert(4, "quatre")])).await.expect("a commit");
    assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, 2);
    place.assert_sound();
}
