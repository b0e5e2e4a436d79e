use std::collections::BTreeSet;

use super::*;
use crate::champ::Withheld;
use crate::demarche::TypeDeChamp as T;
use crate::dossier::File;
use crate::ids::DossierNumber;
use crate::plan::{Remembered, reconcile};
use crate::privacy::samples::{at, block, champ, demarche, dossier, file, id, question, revision, rows};
use crate::table::infer;
use crate::table::naming::NameLimits;

fn layout() -> Layout {
    let demarche = demarche(vec![revision(
        "r1",
        vec![
            question(1, "Nom", T::Text),
            question(2, "Âge", T::IntegerNumber),
            question(3, "Section", T::HeaderSection),
            block(
                4,
                "Enfants",
                vec![question(5, "Prénom", T::Text), question(6, "Justificatif", T::PieceJustificative)],
            ),
            question(7, "Pièces", T::PieceJustificative),
        ],
        Vec::new(),
    )]);
    let remembered = Remembered { prefix: "demarche_123".to_owned(), ..Remembered::default() };
    reconcile(&infer(&demarche), &remembered, NameLimits::default()).layout
}

fn map(dossier: Dossier) -> Mapped {
    Mapper::new(&layout()).row(dossier, Digest::of(b"light"))
}

fn cell(mapped: &Mapped, name: &str) -> Cell {
    let layout = layout();
    let column = layout.tables[0].columns.iter().position(|column| column.name == name);
    mapped.row.cells[column.expect("the column")].clone()
}

fn children<'a>(mapped: &'a Mapped, key: &TableKey) -> Vec<&'a ChildRow> {
    let table = layout().position(key).expect("the table");
    mapped.row.children.iter().filter(|child| child.table == table).collect()
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

#[test]
fn answers_go_to_their_columns_and_an_absent_champ_empties_its_own() {
    let full = map(dossier(vec![champ(1, ChampValue::Text("Fictive".into())), champ(2, ChampValue::Integer(34))]));
    assert_eq!((cell(&full, "nom"), cell(&full, "age")), (text("Fictive"), Cell::Integer(34)));
    assert_eq!((full.misfits.len(), full.unknown.len()), (0, 0));
    let hidden = map(dossier(vec![champ(1, ChampValue::Text("Fictive".into()))]));
    assert_eq!(cell(&hidden, "age"), Cell::Null);
    assert_ne!(hidden.row.fingerprint, full.row.fingerprint);
}

#[test]
fn the_dossier_itself_fills_the_columns_that_the_table_always_has() {
    let mapped = map(dossier(Vec::new()));
    let list = |items: &[&str]| Cell::List(items.iter().map(|item| (*item).to_owned()).collect());
    let cases = [
        ("state", text("en_instruction")),
        ("date_depot", Cell::Datetime(at("2025-03-01T08:00:00Z"))),
        ("date_traitement", Cell::Null),
        ("usager_email", text("Usagere@example.org")),
        ("demandeur_type", text("personne_physique")),
        ("demandeur_nom", text("Fictive")),
        ("demandeur_date_de_naissance", Cell::Date(jiff::civil::date(1990, 5, 17))),
        ("demandeur_siret", Cell::Null),
        ("mandataire_prenom", text("Alex")),
        ("attestation", Cell::Boolean(true)),
        ("labels", list(&["À relire", "Urgent"])),
        ("instructeurs", list(&["agent.un@example.org", "agent.deux@example.org"])),
    ];
    for (name, expected) in cases {
        assert_eq!(cell(&mapped, name), expected, "{name}");
    }
    assert_eq!((mapped.row.number, mapped.row.light), (DossierNumber::new(7), Digest::of(b"light")));
}

#[test]
fn a_value_too_wide_for_its_column_is_reported_and_left_out() {
    let mapped = map(dossier(vec![champ(2, ChampValue::Text("99999999999999999999".into()))]));
    let column = layout().tables[0].columns.iter().position(|column| column.name == "age").expect("the column");
    assert_eq!(mapped.misfits, [Misfit { table: 0, column, needs: CellKind::Text }]);
    assert_eq!(cell(&mapped, "age"), Cell::Null);
    assert!(mapped.row.document.contains("99999999999999999999"), "the document loses nothing");
}

#[test]
fn a_question_that_the_layout_does_not_know_is_reported_and_titles_are_not() {
    let mapped = map(dossier(vec![
        champ(3, ChampValue::Text("un titre que Démat Social sert comme un texte".into())),
        champ(8, ChampValue::Presentation),
        champ(9, ChampValue::Empty),
    ]));
    assert_eq!(mapped.unknown, [id(9)]);
}

#[test]
fn each_row_of_a_block_is_a_row_of_its_table() {
    let children_of = |names: &[&str]| {
        let value = rows(names, |index| vec![champ(5, ChampValue::Text(format!("enfant {index}")))]);
        map(dossier(vec![champ(4, value)]))
    };
    let mapped = children_of(&["row-b", "row-a"]);
    let found = children(&mapped, &TableKey::Block(id(4)));
    let shape: Vec<(&str, u32, &Cell)> =
        found.iter().map(|row| (row.key.as_str(), row.position, &row.cells[0])).collect();
    assert_eq!(shape, [("row-b", 0, &text("enfant 0")), ("row-a", 1, &text("enfant 1"))]);
    assert!(children(&map(dossier(vec![champ(4, ChampValue::Empty)])), &TableKey::Block(id(4))).is_empty());
}

#[test]
fn two_files_of_the_same_name_both_survive() {
    let newer = File { created_at: Some(at("2025-02-02T08:00:00Z")), ..file("a.pdf") };
    let nested = rows(&["r"], |_| vec![champ(6, ChampValue::Files(vec![file("a.pdf")]))]);
    let files = vec![file("a.pdf"), newer, file("a.pdf")];
    let mapped = map(dossier(vec![champ(7, ChampValue::Files(files.clone())), champ(4, nested)]));
    let found = children(&mapped, &TableKey::PiecesJointes);
    let keys: BTreeSet<&str> = found.iter().map(|row| row.key.as_str()).collect();
    // Three of the champ, one of the block, one of the message, of the opinion, of the decision, and the attestation.
    assert_eq!((found.len(), keys.len()), (8, 8));
    let reversed = vec![files[2].clone(), files[1].clone(), files[0].clone()];
    let again = map(dossier(vec![champ(7, ChampValue::Files(reversed))]));
    let again: BTreeSet<&str> = children(&again, &TableKey::PiecesJointes).iter().map(|row| row.key.as_str()).collect();
    assert!(again.is_subset(&keys), "keys do not depend on the order");
}

#[test]
fn what_the_platform_gives_in_no_order_makes_no_difference() {
    let one = dossier(vec![champ(1, ChampValue::Text("x".into()))]);
    let mut other = one.clone();
    other.labels.reverse();
    other.instructeurs.reverse();
    other.groupe_instructeur.instructeurs.clear();
    other.champs[0].updated_at = Some(at("2025-03-01T08:00:00Z"));
    other.champs[0].prefilled = Some(true);
    other.attestation.as_mut().expect("the attestation").url = "https://example.org/signed".parse().ok();
    assert_eq!(map(one), map(other));
}

#[test]
fn a_stored_document_maps_to_the_same_row() {
    let mapped = map(dossier(vec![champ(1, ChampValue::Withheld(Withheld::Masked)), champ(2, ChampValue::Integer(3))]));
    let stored: Dossier = serde_json::from_str(&mapped.row.document).expect("a dossier");
    assert_eq!(map(stored), mapped);
}

#[test]
fn withheld_values_are_visible_as_such() {
    let mapped = map(dossier(vec![champ(1, ChampValue::Withheld(Withheld::Excluded))]));
    assert_eq!(cell(&mapped, "nom"), text("[non conservé]"));
}
