use super::annotations::annotation;
use super::*;
use crate::world::Effect;

const BATCH: &str = "annotations { id stringValue } errors { message }";

fn batch(sandbox: &Sandbox, number: u32, annotations: &Json) -> Json {
    let input = by_one(number, &json!({ "annotations": annotations }));
    answer(sandbox, "dossierModifierAnnotations", &input, BATCH)
}

#[test]
fn what_fits_is_saved_next_to_the_errors_of_the_rest() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    let unknown = id("Champ", 9999);
    let given = json!([
        {"id": annotation(0), "value": {"text": "Favorable"}},
        {"id": unknown, "value": {"text": "x"}},
        {"id": annotation(1), "value": {"text": "x"}},
        {"id": annotation(7), "value": {"yesNo": false}},
        {"id": annotation(6), "value": {"dropDownList": "Énorme"}},
    ]);
    let answer = batch(&sandbox, number, &given);
    assert_eq!(answer.get("errors"), None);
    let payload = &answer["data"]["dossierModifierAnnotations"];
    assert_eq!(
        payload["annotations"],
        json!([{"id": annotation(0), "stringValue": "Favorable"}, {"id": annotation(7), "stringValue": "false"}])
    );
    assert_eq!(payload["errors"][0]["message"], format!("L‘annotation \"{unknown}\" n’existe pas"));
    let other = annotation(1);
    assert_eq!(payload["errors"][1]["message"], format!("L‘annotation \"{other}\" n’est pas de type attendu"));
    assert_eq!(payload["errors"].as_array().map(Vec::len), Some(3));
    let audit = sandbox.audit();
    assert_eq!(audit.len(), 2, "one entry for each annotation that was saved");
    assert!(audit.iter().all(|entry| entry.mutation == "dossierModifierAnnotations"));
}

#[test]
fn exactly_one_key_or_nothing_is_executed() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    for value in [
        json!({"text": "x", "date": "2026-01-01"}),
        json!({"text": null}),
        json!({}),
        json!({"text": "x", "date": null}),
    ] {
        let given = json!([{"id": annotation(0), "value": {"text": "a"}}, {"id": annotation(0), "value": value}]);
        let answer = batch(&sandbox, number, &given);
        assert!(answer.get("data").is_none(), "{answer}");
        let said = answer["errors"][0]["message"].as_str().expect("a text");
        assert!(said.contains("annotations.1.value"), "{said}");
    }
    assert_eq!(sandbox.audit(), []);
}

#[test]
fn a_repetition_grows_by_as_many_rows_each_time() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    let given = json!([{"id": annotation(8), "value": {"repetition": 2}}]);
    for _ in 0..2 {
        batch(&sandbox, number, &given);
    }
    let rows: Vec<String> = sandbox
        .audit()
        .into_iter()
        .flat_map(|entry| match entry.effect {
            Effect::Rows { rows, .. } => rows,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(rows.len(), 4);
    assert!(rows.is_sorted() && rows.iter().collect::<std::collections::BTreeSet<_>>().len() == 4, "{rows:?}");
}
