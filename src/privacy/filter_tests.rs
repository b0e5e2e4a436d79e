use std::collections::BTreeMap;

use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::json;

use super::super::nir::tests::nir;
use super::super::policy::DossierPart;
use super::super::pseudonym::tests::key;
use super::super::samples::{block, champ, demarche, dossier, file, id, question, revision, rows};
use super::*;
use crate::champ::{Address, ColumnValue, GeoArea, Geometry, HealthRecord, PersonneMorale, Registration};
use crate::demarche::Demarche;
use crate::dossier::Demandeur;
use TypeDeChamp as T;

/// One question of each kind (its number is its place in [`T::KNOWN`]), and a block (number 100) with an e-mail (101).
fn forms() -> FormTypes {
    let mut champs: Vec<_> = (0..).zip(T::KNOWN).map(|(number, kind)| question(number, "q", kind.clone())).collect();
    champs.push(block(100, "b", vec![question(101, "e", T::Email)]));
    FormTypes::of(&demarche(vec![revision("r1", champs, Vec::new())]))
}

fn number(kind: &T) -> u32 {
    (0..).zip(T::KNOWN).find(|(_, known)| *known == kind).expect("a known kind").0
}

fn filter(preset: Preset, kinds: &[(&str, Treatment)]) -> Filter {
    let kinds = kinds.iter().map(|(kind, treatment)| ((*kind).to_owned(), *treatment)).collect();
    let policy = Policy { preset, kinds, descriptors: BTreeMap::new() };
    Filter::new(policy, Some(key())).expect("a sound policy")
}

fn apply(filter: &Filter, mut dossier: Dossier) -> Dossier {
    filter.apply(&mut dossier, &forms());
    dossier
}

fn value_of(filter: &Filter, kind: &T, value: ChampValue) -> ChampValue {
    apply(filter, dossier(vec![champ(number(kind), value)])).champs.remove(0).value
}

fn text(text: &str) -> ChampValue {
    ChampValue::Text(text.to_owned())
}

fn json(dossier: &Dossier) -> String {
    serde_json::to_string(dossier).expect("plain data")
}

#[test]
fn each_treatment_leaves_its_mark_and_a_blank_answer_stays_blank() {
    let email = |treatment, value| value_of(&filter(Preset::Default, &[("email", treatment)]), &T::Email, value);
    let pseudonym = Withheld::Pseudonym(key().pseudonym("email", "camille@example.org"));
    let cases = [
        (Treatment::Include, text("Camille@example.org"), text("Camille@example.org")),
        (Treatment::Exclude, text("Camille@example.org"), ChampValue::Withheld(Withheld::Excluded)),
        (Treatment::Mask, text("Camille@example.org"), ChampValue::Withheld(Withheld::Masked)),
        (Treatment::Pseudonymise, text(" Camille@example.org "), ChampValue::Withheld(pseudonym)),
        (Treatment::Exclude, ChampValue::Empty, ChampValue::Empty),
        (Treatment::Mask, text(" "), text(" ")),
    ];
    for (treatment, value, expected) in cases {
        assert_eq!(email(treatment, value.clone()), expected, "{treatment} {value:?}");
    }
}

#[test]
fn an_email_has_one_pseudonym_wherever_it_stands() {
    let filter = filter(Preset::Default, &[("email", Treatment::Pseudonymise), ("usager", Treatment::Pseudonymise)]);
    let filtered = apply(&filter, dossier(vec![champ(number(&T::Email), text("usagere@example.org"))]));
    let expected = ChampValue::Withheld(Withheld::Pseudonym(filtered.usager.email.clone()));
    assert_eq!(filtered.champs[0].value, expected);
}

#[test]
fn phones_and_ibans_are_compared_as_people_do() {
    let filter = filter(Preset::Strict, &[]);
    let same = |kind: &T, one: &str, other: &str| {
        assert_eq!(value_of(&filter, kind, text(one)), value_of(&filter, kind, text(other)), "{one} {other}");
    };
    same(&T::Phone, "01 99 00 12 34", "+33 1 99 00 12 34");
    same(&T::Iban, "FR00 1234 5678", "fr0012345678");
}

#[test]
fn a_rule_on_a_block_counts_for_its_questions_and_keeps_its_rows() {
    let policy = Policy { descriptors: [(id(100), Treatment::Exclude)].into(), ..Policy::default() };
    let filter = Filter::new(policy, None).expect("no key is needed");
    let value = rows(&["r1", "r2"], |_| vec![champ(101, text("a@example.org"))]);
    let filtered = apply(&filter, dossier(vec![champ(100, value)]));
    assert_eq!(
        filtered.champs[0].value,
        rows(&["r1", "r2"], |_| vec![champ(101, ChampValue::Withheld(Withheld::Excluded))])
    );
}

#[test]
fn withheld_files_keep_their_number_and_size() {
    let filter = filter(Preset::Default, &[("pieces-jointes", Treatment::Exclude)]);
    let files = ChampValue::Files(vec![file("a.pdf"), file("b.pdf")]);
    let ChampValue::Files(files) = value_of(&filter, &T::PieceJustificative, files) else { panic!("files stay files") };
    let kept: Vec<_> =
        files.iter().map(|file| (file.filename.as_str(), file.checksum.as_str(), file.byte_size)).collect();
    assert_eq!(kept, [(NOT_KEPT, "", 1200), (NOT_KEPT, "", 1200)]);
}

#[test]
fn signed_addresses_and_identity_documents_are_never_kept() {
    let mut signed = file("a.pdf");
    signed.url = "https://example.org/signed".parse().ok();
    let filter = filter(Preset::Integral, &[("titre_identite", Treatment::Include)]);
    let files = ChampValue::Files(vec![signed.clone()]);
    let ChampValue::Files(kept) = value_of(&filter, &T::PieceJustificative, files.clone()) else { panic!("files") };
    assert_eq!((kept[0].url.as_ref(), kept[0].filename.as_str()), (None, "a.pdf"));
    let given = ChampValue::TitreIdentite { grant_type: "piece_justificative".into() };
    assert_eq!(value_of(&filter, &T::TitreIdentite, files), given);
    assert_eq!(value_of(&filter, &T::TitreIdentite, ChampValue::Empty), ChampValue::Empty);
}

#[test]
fn the_parts_of_a_dossier_are_withheld_visibly() {
    let rules: Vec<_> = DossierPart::ALL.into_iter().map(|part| (part.as_str(), Treatment::Exclude)).collect();
    let filtered = apply(&filter(Preset::Default, &rules), dossier(Vec::new()));
    let document = json(&filtered);
    for personal in ["example.org", "Fictif", "Fictive", "Camille", "1990", "Bonjour", "complet", "pensez", ".pdf"] {
        assert!(!document.contains(personal), "{personal} was kept");
    }
    assert_eq!(filtered.messages[0].body, NOT_KEPT);
    assert_eq!(filtered.demandeur, Demandeur::Withheld);
    assert_eq!((filtered.messages.len(), filtered.avis.len(), filtered.instructeurs.len()), (1, 1, 2));
}

#[test]
fn a_pseudonymised_dossier_names_nobody() {
    let champs = vec![
        champ(number(&T::Text), text("Camille Fictive")),
        champ(number(&T::DropDownList), ChampValue::Choice { label: "Oui".into(), value: None }),
    ];
    let filtered = apply(&filter(Preset::Strict, &[]), dossier(champs));
    let document = json(&filtered);
    for personal in ["example.org", "Fictif", "Fictive", "Camille", "1990", "Bonjour", "complet", "pensez", ".pdf"] {
        assert!(!document.contains(personal), "{personal} was kept");
    }
    assert!(document.contains("Oui"), "choices are what analysts count");
    assert_eq!(filtered.traitements[0].email_agent_traitant, Some(filtered.instructeurs[1].email.clone()));
}

#[test]
fn a_nir_goes_wherever_it_was_typed() {
    let nir = nir("1850578006084");
    let told = format!("mon numéro : {nir}.");
    let mut around = dossier(vec![
        champ(number(&T::Nir), text("une valeur quelconque")),
        champ(number(&T::Text), text(&nir)),
        champ(number(&T::Textarea), text(&told)),
        champ(number(&T::IntegerNumber), ChampValue::Integer(nir.parse().expect("a number"))),
        champ(
            number(&T::Finess),
            ChampValue::Finess(HealthRecord {
                text: told.clone(),
                data: Some(json!({ "a": told, "b": nir.parse::<i64>().expect("a number"), "c": [nir] })),
            }),
        ),
        champ(100, rows(&["r"], |_| vec![champ(101, text(&told))])),
        champ(999, ChampValue::Unknown { typename: "NirChamp".into(), string_value: Some("185 05".into()) }),
        champ(998, ChampValue::Files(vec![file(&told)])),
    ]);
    around.motivation = Some(told.clone());
    around.messages[0].body = format!("<p>{told}</p>");
    around.messages[0].attachments = vec![file(&told)];
    around.avis[0].reponse = Some(told.clone());
    around.traitements[0].motivation = Some(told);
    around.usager.email.clone_from(&nir);
    let filtered = apply(&filter(Preset::Default, &[]), around);
    let mut document = filtered.clone();
    // The sample's checksums repeat the names of files; real ones are digests.
    if let ChampValue::Files(files) = &mut document.champs[7].value {
        files[0].checksum.clear();
    }
    document.messages[0].attachments[0].checksum.clear();
    assert!(!json(&document).contains(&nir), "digits survive");
    let masked = ChampValue::Withheld(Withheld::Masked);
    for index in [0, 1, 3, 6] {
        assert_eq!(filtered.champs[index].value, masked, "{index}");
    }
    assert_eq!(filtered.champs[2].value, text("mon numéro : [masqué]."));
    assert_eq!(filtered.messages[0].body, "<p>mon numéro : [masqué].</p>");
}

#[test]
fn the_integral_preset_leaves_free_text_and_still_masks_a_nir_that_stands_alone() {
    let nir = nir("1850578006084");
    let told = text(&format!("mon numéro : {nir}."));
    let filter = filter(Preset::Integral, &[]);
    assert_eq!(value_of(&filter, &T::Textarea, told.clone()), told);
    assert_eq!(value_of(&filter, &T::Textarea, text(&nir)), ChampValue::Withheld(Withheld::Masked));
}

#[test]
fn only_an_explicit_rule_keeps_a_nir() {
    let nir = text(&nir("1850578006084"));
    let by_kind = filter(Preset::Default, &[("nir", Treatment::Include)]);
    assert_eq!(value_of(&by_kind, &T::Nir, nir.clone()), nir);
    assert_eq!(value_of(&by_kind, &T::Text, nir), ChampValue::Withheld(Withheld::Masked));
}

#[test]
fn a_policy_that_pseudonymises_needs_a_key_and_names_that_exist() {
    let strict = Policy { preset: Preset::Strict, ..Policy::default() };
    assert_eq!(Filter::new(strict, None).err(), Some(FilterError::MissingKey));
    let typo = Policy { kinds: [("e-mails".to_owned(), Treatment::Mask)].into(), ..Policy::default() };
    assert!(matches!(Filter::new(typo, None), Err(FilterError::Policy(problems)) if problems.len() == 1));
    assert!(!format!("{:?}", filter(Preset::Strict, &[])).contains("for the tests"), "the key is shown");
}

fn any_value() -> impl Strategy<Value = ChampValue> {
    prop_oneof![
        Just(ChampValue::Empty),
        "[a-z0-9 @.]{0,30}".prop_map(ChampValue::Text),
        (1_u32..100, 0_u32..1_000_000).prop_map(|(departement, end)| {
            ChampValue::Text(format!("n° {} !", nir(&format!("18505{:02}{end:06}", departement % 95 + 1))))
        }),
        any::<i64>().prop_map(ChampValue::Integer),
        any::<bool>().prop_map(ChampValue::Boolean),
        "[a-z]{1,9}".prop_map(|label| ChampValue::Address(Box::new(Address { label, ..Address::default() }))),
        "[a-z]{0,9}".prop_map(|name| ChampValue::Files(vec![file(&name)])),
        "[a-z]{0,9}".prop_map(|choice| ChampValue::LinkedChoice { primary: Some(choice), secondary: None }),
        "[a-z]{1,9}".prop_map(|choice| ChampValue::Choices { values: vec![choice], text: None }),
        "[A-Za-z]{1,9}".prop_map(|typename| ChampValue::Unknown { typename, string_value: Some("x".into()) }),
        Just(ChampValue::Carte(vec![GeoArea {
            id: "z".into(),
            source: "cadastre".into(),
            description: Some("chez Camille".into()),
            geometry: Geometry { kind: "Point".into(), coordinates: json!([1.0, 2.0]) },
            parcelle: None,
            rpg: None,
        }])),
    ]
}

fn any_treatment() -> impl Strategy<Value = Treatment> {
    prop::sample::select(vec![Treatment::Include, Treatment::Pseudonymise, Treatment::Mask, Treatment::Exclude])
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let names: Vec<String> = T::KNOWN.iter().map(|kind| kind.as_str().to_owned()).collect();
    let parts = DossierPart::ALL.iter().map(|part| part.as_str().to_owned());
    let names: Vec<String> = names.into_iter().chain(parts).collect();
    let kinds = prop::collection::btree_map(prop::sample::select(names), any_treatment(), 0..12);
    let descriptors = prop::collection::btree_map((0_u32..102).prop_map(id), any_treatment(), 0..4);
    let preset = prop::sample::select(vec![Preset::Default, Preset::Strict, Preset::Integral]);
    (preset, kinds, descriptors).prop_map(|(preset, kinds, descriptors)| Policy { preset, kinds, descriptors })
}

proptest! {
    #[test]
    fn filtering_twice_is_filtering_once(
        policy in any_policy(),
        values in prop::collection::vec((0_u32..102, any_value()), 0..8),
        nested in any_value(),
    ) {
        let filter = Filter::new(policy, Some(key())).expect("a sound policy");
        let mut champs: Vec<Champ> = values.into_iter().map(|(number, value)| champ(number, value)).collect();
        champs.push(champ(100, rows(&["r"], |_| vec![champ(101, nested.clone())])));
        let once = apply(&filter, dossier(champs));
        prop_assert_eq!(&apply(&filter, once.clone()), &once);
        let stored: Dossier = serde_json::from_str(&json(&once)).expect("a dossier");
        prop_assert_eq!(&apply(&filter, stored), &once);
    }

    #[test]
    fn no_nir_survives_in_the_stored_document(
        end in 0_u32..1_000_000,
        before in "[a-zé ]{0,10}",
        kind in prop::sample::select(vec![T::Text, T::Textarea, T::Phone, T::DropDownList, T::AnnuaireEducation, T::Nir]),
    ) {
        let nir = nir(&format!("2851278{end:06}"));
        let mut around = dossier(vec![champ(number(&kind), text(&format!("{before}{nir}")))]);
        around.messages[0].body = format!("{before}{nir}");
        around.motivation = Some(nir.clone());
        let document = json(&apply(&filter(Preset::Default, &[]), around));
        prop_assert!(!document.contains(&nir[..13]));
    }
}

fn column(text: &str) -> ColumnValue {
    ColumnValue { id: "id".to_owned(), label: "label".to_owned(), text: Some(text.to_owned()) }
}

#[test]
fn an_accreditation_is_no_nir_even_where_its_key_fits() {
    let fits = |number: u32| {
        let digits = nir(&format!("{number}199005"));
        let answer = format!("{number} – 1990-05-{}", &digits[13..]);
        (nir::is_nir(&answer) && nir::is_accreditation(&answer)).then_some(answer)
    };
    let answer = (1_230_501..1_230_599).find_map(fits).expect("one in some");
    let form = demarche(vec![revision(
        "r1",
        vec![question(1, "Accréditation", T::Cojo), question(2, "Autre", T::Text)],
        Vec::new(),
    )]);
    let mut dossier = dossier(vec![
        champ(1, ChampValue::Text(answer.clone())),
        champ(2, ChampValue::Text("FR14 2004 1010 0505 0001 3M02 606".into())),
    ]);
    dossier.champs[0].columns = vec![column(&answer), column(&nir("1850578006084"))];
    let filter = Filter::new(Policy::default(), None).expect("no key is needed");
    filter.apply(&mut dossier, &FormTypes::of(&form));
    assert_eq!(dossier.champs[0].value, ChampValue::Text(answer.clone()));
    assert_eq!(dossier.champs[0].columns[0].text.as_deref(), Some(answer.as_str()));
    assert_eq!(dossier.champs[0].columns[1].text.as_deref(), Some(MASKED));
    assert_eq!(dossier.champs[1].value.as_text(), Some("FR14 2004 1010 0505 0001 3M02 606"));
}

#[test]
fn what_is_partly_there_of_a_composite_answer_is_withheld_like_the_whole() {
    let registration = Registration {
        id: String::new(),
        title: Some("Fonds de la famille Fictive".into()),
        address: None,
        commune: None,
        departement: None,
    };
    let etablissement = PersonneMorale { libelle_naf: Some("Culture".into()), ..PersonneMorale::default() };
    let form = demarche(vec![revision("r1", Vec::new(), Vec::new())]);
    for value in [
        ChampValue::Rna(Box::new(registration.clone())),
        ChampValue::Rnf(Box::new(registration)),
        ChampValue::Siret { siret: String::new(), etablissement: Some(Box::new(etablissement)) },
        ChampValue::Finess(HealthRecord { text: String::new(), data: Some(json!({ "rs": "Clinique Fictive" })) }),
    ] {
        for treatment in [Treatment::Exclude, Treatment::Mask, Treatment::Pseudonymise] {
            let policy = Policy { descriptors: [(id(1), treatment)].into(), ..Policy::default() };
            let mut dossier = dossier(vec![champ(1, value.clone())]);
            Filter::new(policy, Some(key())).expect("sound").apply(&mut dossier, &FormTypes::of(&form));
            assert!(matches!(dossier.champs[0].value, ChampValue::Withheld(_)), "{value:?} {treatment}");
        }
    }
}

#[test]
fn a_pseudonym_stays_comparable_when_the_platform_makes_a_plain_text_of_its_question() {
    let kinds = [("iban".to_owned(), Treatment::Pseudonymise)].into();
    let filter = Filter::new(Policy { kinds, ..Policy::default() }, Some(key())).expect("sound");
    let before = demarche(vec![revision("r1", vec![question(1, "IBAN", T::Iban)], Vec::new())]);
    let mut after = demarche(vec![revision("r1", vec![question(1, "IBAN", T::Text)], Vec::new())]);
    after.remember(&before);
    let pseudonym = |form: &Demarche, typed: &str| {
        let mut dossier = dossier(vec![champ(1, ChampValue::Text(typed.into()))]);
        filter.apply(&mut dossier, &FormTypes::of(form));
        dossier.champs[0].value.clone()
    };
    let one = pseudonym(&before, "FR14 2004 1010 0505 0001 3M02 606");
    assert!(matches!(one, ChampValue::Withheld(Withheld::Pseudonym(_))), "{one:?}");
    assert_eq!(one, pseudonym(&after, "FR1420041010050500013M02606"));
}

#[test]
fn what_came_in_the_place_of_a_field_goes_the_way_of_the_field() {
    let form = demarche(vec![revision("r1", vec![question(1, "Nom", T::Text)], Vec::new())]);
    let full = || {
        let mut full = dossier(vec![champ(1, ChampValue::Text("Factice".into()))]);
        full.unread = [("demandeur.dateDeNaissance", "31/02/1990"), ("dateExpiration", "demain")]
            .map(|(field, text)| (field.to_owned(), text.to_owned()))
            .into();
        full.champs[0].unread = [("updatedBy".to_owned(), "Camille".to_owned())].into();
        full
    };
    let strict = Policy { preset: Preset::Strict, ..Policy::default() };
    let mut dossier = full();
    Filter::new(strict, Some(key())).expect("sound").apply(&mut dossier, &FormTypes::of(&form));
    assert_eq!(dossier.unread["demandeur.dateDeNaissance"], MASKED);
    assert_eq!(dossier.unread["dateExpiration"], "demain");
    assert_eq!(dossier.champs[0].unread["updatedBy"], "");
    assert_eq!(dossier.unread_fields().len(), 3, "that something could not be read stays told");
}

#[test]
fn the_digest_moves_with_the_policy_and_with_the_key_that_it_uses() {
    let digest = |preset, key: &str| {
        let policy = Policy { preset, ..Policy::default() };
        let key = PseudonymKey::new(&SecretString::from(key)).ok();
        Filter::new(policy, key).expect("a sound policy").digest()
    };
    let one = digest(Preset::Strict, "a key for the tests only");
    assert_eq!(one, digest(Preset::Strict, "a key for the tests only"));
    assert_ne!(one, digest(Preset::Strict, "another key for the tests"));
    assert_ne!(one, digest(Preset::Default, "a key for the tests only"));
    assert_eq!(
        digest(Preset::Default, "a key for the tests only"),
        digest(Preset::Default, "another key for the tests")
    );
}
