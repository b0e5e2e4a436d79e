use super::*;
use crate::privacy::samples::{block, demarche, id, question, revision};
use TypeDeChamp as T;

fn columns<'a>(spec: &'a Spec, key: &TableKey) -> Vec<(&'a str, CellKind)> {
    let table = spec.tables.iter().find(|table| table.key == *key).expect("the table");
    let champs = table.columns.iter().filter(|column| matches!(column.key, ColumnKey::Champ(..)));
    champs.map(|column| (column.title.as_str(), column.kind)).collect()
}

fn column(spec: &Spec, number: u32) -> &ColumnSpec {
    let key = ColumnKey::Champ(id(number), Part::Value);
    let mut all = spec.tables.iter().flat_map(|table| &table.columns);
    all.find(|column| column.key == key).expect("the column")
}

#[test]
fn section_titles_create_no_column_and_are_known_as_presentation() {
    let spec = infer(&demarche(vec![revision(
        "r1",
        vec![
            question(1, "Identité", T::HeaderSection),
            question(2, "Nom", T::Text),
            question(3, "Aide", T::Explication),
        ],
        Vec::new(),
    )]));
    assert_eq!(columns(&spec, &TableKey::Dossiers), [("Nom", CellKind::Text)]);
    assert_eq!(spec.presentation, BTreeSet::from([id(1), id(3)]));
}

#[test]
fn a_renamed_question_keeps_its_column_and_homonyms_never_mix() {
    let spec = infer(&demarche(vec![
        revision("r1", vec![question(1, "Précisez", T::Text), question(2, "Ancien nom", T::Text)], Vec::new()),
        revision("r2", vec![question(2, "Précisez", T::Text), question(1, "Précisez", T::Text)], Vec::new()),
    ]));
    let keys: Vec<&ColumnKey> = spec.tables[0].columns.iter().map(|column| &column.key).collect();
    let champs = [ColumnKey::Champ(id(2), Part::Value), ColumnKey::Champ(id(1), Part::Value)];
    assert!(keys.ends_with(&[&champs[0], &champs[1]]));
    assert_eq!(column(&spec, 2).title, "Précisez");
    assert_eq!(column(&spec, 2).origin, Origin::Champ(T::Text, Some(RevisionId::new("r1"))));
}

#[test]
fn the_revision_in_force_names_questions_and_a_draft_only_what_nothing_else_asks() {
    let spec = infer(&demarche(vec![
        revision("r1", vec![question(1, "Un", T::Text), question(9, "Abandonnée", T::Text)], Vec::new()),
        revision("r2", vec![question(1, "Un bis", T::Text)], Vec::new()),
        revision("draft", vec![question(5, "Essai", T::Text), question(1, "Un ter", T::IntegerNumber)], Vec::new()),
    ]));
    let titles: Vec<&str> = columns(&spec, &TableKey::Dossiers).iter().map(|(title, _)| *title).collect();
    assert_eq!(titles, ["Un bis", "Abandonnée", "Essai"]);
}

#[test]
fn kinds_widen_and_parts_unite_over_revisions() {
    let spec = infer(&demarche(vec![
        revision(
            "r1",
            vec![
                question(1, "Montant", T::IntegerNumber),
                question(2, "Lieu", T::Communes),
                question(3, "Liste", T::Text),
            ],
            Vec::new(),
        ),
        revision(
            "r2",
            vec![
                question(1, "Montant", T::DecimalNumber),
                question(2, "Lieu", T::Pays),
                Descriptor { options: vec!["a".into()], ..question(3, "Liste", T::DropDownList) },
            ],
            Vec::new(),
        ),
    ]));
    assert_eq!(
        columns(&spec, &TableKey::Dossiers),
        [
            ("Montant", CellKind::Decimal),
            ("Lieu", CellKind::Text),
            ("Lieu – code", CellKind::Text),
            ("Lieu – code postal", CellKind::Text),
            ("Lieu – département", CellKind::Text),
            ("Lieu – code département", CellKind::Text),
            ("Liste", CellKind::Text),
        ]
    );
}

#[test]
fn a_block_is_a_table_of_the_questions_of_all_revisions() {
    let spec = infer(&demarche(vec![
        revision("r1", vec![block(1, "Enfants", vec![question(2, "Prénom", T::Text)])], Vec::new()),
        revision(
            "r2",
            vec![block(1, "Personnes", vec![question(3, "Âge", T::IntegerNumber)])],
            vec![block(4, "Suivi", vec![question(5, "Date", T::Date)])],
        ),
    ]));
    let block = |number| TableKey::Block(id(number));
    assert_eq!(columns(&spec, &block(1)), [("Âge", CellKind::Integer), ("Prénom", CellKind::Text)]);
    assert_eq!(columns(&spec, &block(4)), [("Date", CellKind::Date)]);
    assert_eq!(columns(&spec, &TableKey::Dossiers), []);
    let keys: Vec<&TableKey> = spec.tables.iter().map(|table| &table.key).collect();
    assert_eq!(keys[..4], [&TableKey::Dossiers, &block(1), &block(4), &TableKey::PiecesJointes]);
    assert_eq!(spec.tables[1].title, "Personnes");
    assert!(matches!(column(&spec, 5).origin, Origin::Annotation(T::Date, _)));
}

#[test]
fn the_options_of_a_linked_list_go_to_the_choice_that_they_belong_to() {
    let options = ["--Fruits--", "Abricot", "--Légumes--", "Radis", ""].map(String::from).to_vec();
    let linked = Descriptor { options, ..question(1, "Produit", T::LinkedDropDownList) };
    let spec = infer(&demarche(vec![revision("r1", vec![linked], Vec::new())]));
    let options: Vec<&[String]> = spec.tables[0].columns.iter().rev().take(2).map(|c| c.options.as_slice()).collect();
    assert_eq!(options, [["Abricot", "Radis"], ["Fruits", "Légumes"]]);
}
