use super::*;
use crate::champ::Commune;
use crate::demarche::TypeDeChamp as T;
use crate::privacy::samples::{block, champ, demarche, dossier, file, id, question, revision, rows};

fn listed(number: u32, label: &str, kind: T, options: &[&str]) -> Descriptor {
    Descriptor { options: options.iter().map(|o| (*o).to_owned()).collect(), ..question(number, label, kind) }
}

fn form() -> Demarche {
    demarche(vec![revision(
        "r1",
        vec![
            question(1, "Nom", T::Text),
            question(2, "Montant", T::DecimalNumber),
            question(3, "Majeur", T::YesNo),
            listed(4, "Fruit", T::DropDownList, &["Pomme", "Poire"]),
            listed(5, "Jours", T::MultipleDropDownList, &["Lundi", "Mardi"]),
            listed(6, "Panier", T::LinkedDropDownList, &["--Fruits--", "Pomme"]),
            question(7, "Né le", T::Date),
            question(8, "Commune", T::Communes),
            question(9, "Pièce", T::PieceJustificative),
            question(10, "Courriel", T::Email),
            block(11, "Enfants", vec![question(12, "Prénom", T::Text), question(13, "Âge", T::IntegerNumber)]),
            question(14, "Neuf", T::Inconnu("neuf".into())),
        ],
        vec![question(20, "Note", T::Textarea)],
    )])
}

fn choice(label: &str) -> ChampValue {
    ChampValue::Choice { label: label.to_owned(), value: None }
}

fn full() -> Dossier {
    let text = |text: &str| ChampValue::Text(text.to_owned());
    let linked = |a: &str, b: &str| ChampValue::LinkedChoice { primary: Some(a.into()), secondary: Some(b.into()) };
    let commune = Commune { name: "Ambérieu".into(), code: Some("01004".into()), postal_code: Some("01500".into()) };
    let mut dossier = dossier(vec![
        champ(1, text("Secret un")),
        champ(2, ChampValue::Decimal(12.into())),
        champ(3, ChampValue::Boolean(true)),
        champ(4, choice("Pomme")),
        champ(5, ChampValue::Choices { values: vec!["Lundi".into()], text: None }),
        champ(6, linked("Fruits", "Pomme")),
        champ(7, ChampValue::Date(jiff::civil::date(1990, 5, 17))),
        champ(8, ChampValue::Commune { commune: Some(commune), departement: None }),
        champ(9, ChampValue::Files(vec![file("secret deux.pdf")])),
        champ(10, text("secret.trois@example.org")),
        champ(11, rows(&["r1"], |_| vec![champ(12, text("Secret quatre")), champ(13, ChampValue::Integer(7))])),
        champ(14, ChampValue::Unknown { typename: "NeufChamp".into(), string_value: Some("secret cinq".into()) }),
    ]);
    dossier.annotations = vec![champ(20, text("secret six"))];
    dossier
}

#[test]
fn what_is_counted_stays_and_what_was_written_goes() {
    let mut left = full();
    Anonymiser::new(&form()).apply(&mut left);
    let kept: Vec<(u32, bool)> =
        [(1, false), (2, true), (3, true), (4, true), (5, true), (6, true), (7, false), (8, false)]
            .into_iter()
            .chain([(9, false), (10, false), (14, false)])
            .collect();
    for (number, kept) in kept {
        let champ = left.champs.iter().find(|champ| champ.descriptor == id(number)).expect("the champ");
        assert_eq!(champ.value != ChampValue::Empty, kept, "{number}: {:?}", champ.value);
    }
    let ChampValue::Repetition(rows) = &left.champs[10].value else { panic!("the block") };
    assert_eq!((&rows[0].champs[0].value, &rows[0].champs[1].value), (&ChampValue::Empty, &ChampValue::Integer(7)));
    let before = full();
    assert_eq!((&left.state, left.date_depot, &left.revision), (&before.state, before.date_depot, &before.revision));
    assert_eq!((left.groupe_instructeur.label.as_str(), left.labels.len()), ("défaut", 2));
}

#[test]
fn nothing_that_tells_of_a_person_is_left_in_the_document() {
    let mut left = full();
    Anonymiser::new(&form()).apply(&mut left);
    let document = left.document();
    for word in
        ["ecret", "example.org", "Fictive", "Camille", "Alex", "1990", "Bonjour", "Favorable", "Dossier complet"]
            .into_iter()
            .chain(["\"u1\"", "\"i1\"", "\"i2\"", "\"e1\"", ".pdf", "md5", "Mme", "Ambérieu"])
    {
        assert!(!document.contains(word), "{word} is left: {document}");
    }
    assert_eq!(left.usager.id, ANONYMOUS);
}

#[test]
fn a_choice_that_was_written_by_hand_is_no_choice() {
    let mut dossier = dossier(vec![
        champ(4, choice("Une autre, de ma main")),
        champ(5, ChampValue::Choices { values: vec!["Lundi".into(), "chez moi".into()], text: None }),
        champ(6, ChampValue::LinkedChoice { primary: Some("Fruits".into()), secondary: Some("le mien".into()) }),
    ]);
    Anonymiser::new(&form()).apply(&mut dossier);
    assert!(dossier.champs.iter().all(|champ| champ.value == ChampValue::Empty), "{:?}", dossier.champs);
}

#[test]
fn doing_it_again_changes_nothing() {
    let anonymiser = Anonymiser::new(&form());
    let mut once = full();
    anonymiser.apply(&mut once);
    let mut twice = once.clone();
    anonymiser.apply(&mut twice);
    assert_eq!(once, twice);
}

#[test]
fn the_policy_needs_no_key_and_knows_every_kind() {
    let policy = Policy::anonymous();
    assert!(!policy.needs_key());
    assert_eq!(policy.problems(), []);
    assert!(DossierPart::ALL.iter().all(|part| policy.of_part(*part) == Treatment::Exclude));
}
