use std::collections::BTreeSet;

use super::*;
use crate::champ::{File, Withheld};
use crate::demarche::TypeDeChamp as T;
use crate::ids::DossierNumber;
use crate::plan::{Remembered, RememberedColumn, RememberedTable, reconcile};
use crate::privacy::samples::{at, block, champ, demarche, dossier, file, id, question, revision, rows};
use crate::table::naming::NameLimits;
use crate::table::{LayoutColumn, LayoutTable, TableKey, infer, narrowed};

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
fn a_value_that_does_not_fit_its_column_is_named_and_stays_in_the_document() {
    let mapped = map(dossier(vec![champ(2, ChampValue::Text("99999999999999999999".into()))]));
    assert_eq!(mapped.misfits, ["age"]);
    assert_eq!((cell(&mapped, "age"), cell(&mapped, DOCUMENT_ONLY)), (Cell::Null, Cell::Text("age".into())));
    let demarche = demarche(vec![revision("r1", vec![question(1, "Jour", T::Date)], Vec::new())]);
    let day = reconcile(&infer(&demarche), &Remembered::default(), NameLimits::default()).layout;
    let far = dossier(vec![champ(1, ChampValue::Text("20222-07-19".into()))]);
    assert_eq!(Mapper::new(&day).row(far, Digest::of(b"light")).misfits, ["jour"], "a year of five digits");
    assert!(mapped.row.document.contains("99999999999999999999"), "the document loses nothing");
}

#[test]
fn answers_beyond_the_columns_that_a_table_has_room_for_are_named_and_stay_in_the_document() {
    let questions = (0..2_000).map(|rank| question(rank, &format!("Question {rank}"), T::Text)).collect();
    let demarche = demarche(vec![revision("r1", questions, Vec::new())]);
    let remembered = Remembered { prefix: "demarche_123".to_owned(), ..Remembered::default() };
    let spec = infer(&demarche);
    let layout = reconcile(&spec, &remembered, NameLimits::default()).layout;
    assert_eq!(layout.tables[0].columns.len(), crate::plan::MOST_COLUMNS);
    let answered = vec![champ(0, ChampValue::Text("a".into())), champ(1_999, ChampValue::Text("b".into()))];
    let mapped = Mapper::of(&spec, &layout).row(dossier(answered), Digest::of(b"light"));
    assert_eq!((mapped.misfits.as_slice(), mapped.unknown.as_slice()), (&["Question 1999".to_owned()][..], &[][..]));
    let unanswered =
        Mapper::of(&spec, &layout).row(dossier(vec![champ(1_999, ChampValue::Empty)]), Digest::of(b"light"));
    assert!(unanswered.misfits.is_empty());
    // Tables that are there already get no more columns either.
    let column = |column: &LayoutColumn| RememberedColumn {
        key: column.spec.key.clone(),
        name: column.name.clone(),
        title: column.spec.title.clone(),
        kind: column.spec.kind,
    };
    let table = |table: &LayoutTable| RememberedTable {
        key: table.key.clone(),
        name: table.name.clone(),
        title: table.title.clone(),
        columns: table.columns.iter().map(column).collect(),
    };
    let remembered = Remembered { tables: layout.tables.iter().map(table).collect(), ..remembered };
    let again = reconcile(&spec, &remembered, NameLimits::default());
    assert_eq!((again.layout, again.changes), (layout, Vec::new()));
}

#[test]
fn a_row_that_is_too_wide_keeps_the_first_answers_of_the_form_and_names_the_others() {
    let questions = (0..400).map(|rank| question(rank, &format!("Question {rank}"), T::Text)).collect();
    let demarche = demarche(vec![revision("r1", questions, Vec::new())]);
    let remembered = Remembered { prefix: "demarche_123".to_owned(), ..Remembered::default() };
    let layout = reconcile(&infer(&demarche), &remembered, NameLimits::default()).layout;
    let answers = |count| (0..count).map(|rank| champ(rank, ChampValue::Text("long".into()))).collect();
    let row = Mapper::new(&layout).row(dossier(answers(400)), Digest::of(b"light")).row;
    let narrow = narrowed(&row, &layout, 2).expect("much in it");
    let filled = |row: &crate::table::Row| row.cells.iter().filter(|cell| **cell == Cell::Text("long".into())).count();
    assert_eq!((filled(&row), filled(&narrow)), (400, 200));
    let Cell::Text(named) = &narrow.cells[layout.mark().expect("a mark")] else { panic!("no mark") };
    assert_eq!((named.split(", ").count(), named.contains("question_399")), (200, true));
    assert_eq!((narrow.fingerprint, &narrow.document), (row.fingerprint, &row.document));
    let few = Mapper::new(&layout).row(dossier(answers(100)), Digest::of(b"light")).row;
    assert!(narrowed(&few, &layout, 1).is_none(), "nothing in it is too much");
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
