use super::*;
use crate::world::Effect;
use crate::world::form::stable_id::FIRST_ANNOTATION;

pub(super) fn annotation(rank: u64) -> String {
    id("Champ", FIRST_ANNOTATION + rank)
}

const ANNOTATION: &str = "annotation { id stringValue } errors { message }";

/// Suffix of the mutation, rank of the annotation, a value, its text.
fn values() -> Vec<(&'static str, u64, Json, &'static str)> {
    vec![
        ("Text", 0, json!("Favorable"), "Favorable"),
        ("Text", 0, json!(""), ""),
        ("Checkbox", 1, json!(false), "false"),
        ("Checkbox", 7, json!(true), "true"),
        ("Date", 2, json!("2026-04-01"), "1 avril 2026"),
        ("Datetime", 3, json!("2026-04-01T08:30:00Z"), "1 avril 2026 10:30"),
        ("IntegerNumber", 4, json!(-12), "-12"),
        ("DecimalNumber", 5, json!(12.125), "12.125"),
        ("DropDownList", 6, json!("Haute"), "Haute"),
    ]
}

#[test]
fn each_type_has_its_mutation_which_dates_the_dossier_but_not_its_annotations() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let number = dossier(&sandbox, State::EnConstruction);
        for (suffix, rank, value, text) in values() {
            if platform == Platform::DematSocial && ["DecimalNumber", "DropDownList"].contains(&suffix) {
                continue;
            }
            let before = sandbox.world().dossier(number).expect("exists").clone();
            let field = format!("dossierModifierAnnotation{suffix}");
            let input = by_one(number, &json!({"annotationId": annotation(rank), "value": value}));
            let shown = accepted(&sandbox, &field, &input, ANNOTATION);
            let expected = json!({"id": annotation(rank), "stringValue": text});
            assert_eq!(shown["annotation"], expected, "{platform} {suffix}");
            let after = sandbox.world().dossier(number).expect("exists").clone();
            assert!(after.updated_at > before.updated_at);
            assert_eq!(after.annotations_at, before.annotations_at);
            let effect = sandbox.audit().pop().expect("an entry").effect;
            let stable_id = FIRST_ANNOTATION + rank;
            assert_eq!(effect, Effect::Annotation { stable_id, row: None, text: text.to_owned() });
        }
    }
}

#[test]
fn an_annotation_of_another_type_a_champ_and_nothing_at_all_do_not_exist() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let number = dossier(&sandbox, State::EnInstruction);
        for wrong in [annotation(1), id("Champ", 102), id("Champ", 9999), "x".to_owned()] {
            let input = by_one(number, &json!({"annotationId": wrong, "value": "a"}));
            let said = refused(&sandbox, "dossierModifierAnnotationText", &input);
            assert_eq!(said, format!("L’annotation \"{wrong}\" n’existe pas"));
        }
    }
}

#[test]
fn values_that_are_none_are_refused_before_anything_is_executed() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    for (suffix, rank, value) in [
        ("Date", 2, json!("demain")),
        ("Date", 2, json!(20_260_401)),
        ("Datetime", 3, json!("2026-04-01 10:00")),
        ("IntegerNumber", 4, json!(3_000_000_000_u64)),
        ("Text", 0, Json::Null),
    ] {
        let input = by_one(number, &json!({"annotationId": annotation(rank), "value": value}));
        let answer = answer(&sandbox, &format!("dossierModifierAnnotation{suffix}"), &input, ANNOTATION);
        assert!(answer.get("data").is_none() && answer["errors"][0]["message"].is_string(), "{suffix}: {answer}");
    }
    assert_eq!(sandbox.audit(), []);
}

#[test]
fn a_value_that_does_not_fit_the_question_is_refused_where_the_platform_looks() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    for (suffix, rank, value) in [("DropDownList", 6, json!("Énorme")), ("DecimalNumber", 5, json!(0.1234))] {
        let input = by_one(number, &json!({"annotationId": annotation(rank), "value": value}));
        let said = refused(&sandbox, &format!("dossierModifierAnnotation{suffix}"), &input);
        assert!(said.starts_with("Le champ « "), "{said}");
    }
}

#[test]
fn a_row_is_added_each_time_and_its_cells_are_annotations_too() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let number = dossier(&sandbox, State::EnInstruction);
        let rows = |answer: &Json| answer["annotation"]["rows"].as_array().map_or(0, Vec::len);
        let shown = "annotation { rows { id champs { id stringValue } } } errors { message }";
        let input = by_one(number, &json!({"annotationId": annotation(8)}));
        let one = accepted(&sandbox, "dossierModifierAnnotationAjouterLigne", &input, shown);
        let two = accepted(&sandbox, "dossierModifierAnnotationAjouterLigne", &input, shown);
        assert_eq!(rows(&two), rows(&one) + 1);
        let cell = &two["annotation"]["rows"][rows(&two) - 1]["champs"][0];
        assert_eq!(cell["stringValue"], "");
        let input = by_one(number, &json!({"annotationId": cell["id"], "value": "V-001"}));
        let written = accepted(&sandbox, "dossierModifierAnnotationText", &input, ANNOTATION);
        assert_eq!(written["annotation"], json!({"id": cell["id"], "stringValue": "V-001"}));
        let query = "query($n: Int!) { dossier(number: $n) { annotations { ... on RepetitionChamp { rows {
            champs { stringValue } } } } } }";
        let read = data(&sandbox, query, &json!({ "n": number }));
        assert_eq!(read.to_string().matches("V-001").count(), 1, "{read}");
        let input = by_one(number, &json!({"annotationId": annotation(0)}));
        let said = refused(&sandbox, "dossierModifierAnnotationAjouterLigne", &input);
        assert_eq!(said, format!("L’annotation \"{}\" n’existe pas", annotation(0)));
        let effects: Vec<_> = sandbox.audit().into_iter().map(|entry| entry.effect).collect();
        assert!(matches!(&effects[0], Effect::Rows { stable_id: 408, rows } if rows.len() == 1), "{effects:?}");
        assert!(matches!(&effects[2], Effect::Annotation { stable_id: 480, row: Some(_), .. }), "{effects:?}");
    }
}
