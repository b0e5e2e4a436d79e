use super::*;
use crate::world::Token;

fn ask(sandbox: &Sandbox, token: &str, input: &Json) -> Json {
    raw(sandbox, Some(token), &body("dossierAccepter", input, SHOWN)).1
}

#[test]
fn the_token_comes_first_then_the_file_the_ids_the_rights_and_the_rule() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let reader = sandbox.world().add_token(Token { write_access: false, ..Token::new("reader") });
        let number = dossier(&sandbox, State::EnConstruction);
        let said = |answer: &Json| answer["data"]["dossierAccepter"]["errors"][0]["message"].clone();
        let nothing = json!({"dossierId": "x", "instructeurId": "x", "justificatif": "x"});
        assert_eq!(said(&ask(&sandbox, &reader, &nothing)), "Le jeton utilisé est configuré seulement en lecture");
        let token = sandbox.token();
        assert_eq!(said(&ask(&sandbox, &token, &nothing)), "L’identifiant du fichier téléversé est invalide");
        let mut input = json!({"dossierId": "x", "instructeurId": "x"});
        let answer = ask(&sandbox, &token, &input);
        assert_eq!(answer["errors"][0]["message"], "DossierAccepterPayload not found");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "not_found");
        assert_eq!(answer["errors"][0]["path"], json!(["dossierAccepter"]));
        assert_eq!(answer["data"], json!({"dossierAccepter": null}));
        input["dossierId"] = id("Dossier", number).into();
        assert_eq!(ask(&sandbox, &token, &input)["errors"][0]["message"], "DossierAccepterPayload not found");
        for stranger in [id("Instructeur", 4), id("User", 1), id("Expert", 1)] {
            input["instructeurId"] = stranger.into();
            let words = "L’instructeur n’a pas les droits d’accès à ce dossier";
            assert_eq!(said(&ask(&sandbox, &token, &input)), words);
        }
        input["instructeurId"] = id("Instructeur", 1).into();
        assert_eq!(said(&ask(&sandbox, &token, &input)), "Le dossier est déjà en construction");
        assert_eq!(sandbox.audit(), []);
    }
}

#[test]
fn an_instructeur_writes_where_the_dossier_is_now() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnConstruction);
    let groupe = sandbox.world().add_groupe(DEMARCHE_COMPLETE, "Corse", &[7]).expect("a new name");
    sandbox.world().changer_groupe(number, groupe).expect("of the same démarche");
    let said = refused(&sandbox, "dossierPasserEnInstruction", &by_one(number, &json!({})));
    assert_eq!(said, "L’instructeur n’a pas les droits d’accès à ce dossier");
    let input = by_one(number, &json!({"instructeurId": id("Instructeur", 7)}));
    accepted(&sandbox, "dossierPasserEnInstruction", &input, SHOWN);
}

#[test]
fn what_cannot_be_read_cannot_be_written() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let [hidden, expired, draft, other] = [(); 4].map(|()| dossier(&sandbox, State::EnConstruction));
    sandbox.world().delete_by_user(hidden).expect("open");
    sandbox.world().expire(expired).expect("open");
    let draft = sandbox.world().draft(DEMARCHE_COMPLETE).unwrap_or(draft);
    for number in [hidden, expired, draft] {
        let answer = answer(&sandbox, "dossierPasserEnInstruction", &by_one(number, &json!({})), SHOWN);
        assert_eq!(answer["errors"][0]["message"], "DossierPasserEnInstructionPayload not found");
    }
    sandbox.world().remove_from_scope(DEMARCHE_COMPLETE);
    let answer = answer(&sandbox, "dossierPasserEnInstruction", &by_one(other, &json!({})), SHOWN);
    assert_eq!(answer["errors"][0]["message"], "An object of type Dossier was hidden due to permissions");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "unauthorized");
    assert_eq!(answer["data"], json!({"dossierPasserEnInstruction": null}));
}

#[test]
fn the_client_mutation_id_comes_back_with_a_success_and_with_a_refusal() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnConstruction);
    let input = by_one(number, &json!({"clientMutationId": "mine"}));
    let shown = accepted(&sandbox, "dossierPasserEnInstruction", &input, SHOWN);
    assert_eq!(shown["clientMutationId"], "mine");
    let shown = payload(&sandbox, "dossierPasserEnInstruction", &input, SHOWN);
    assert_eq!((&shown["clientMutationId"], &shown["dossier"]), (&json!("mine"), &Json::Null));
}

#[test]
fn several_root_fields_are_executed_in_order_each_with_its_own_answer() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnConstruction);
    let input = by_one(number, &json!({}));
    let query = "mutation Path($one: DossierPasserEnInstructionInput!, $two: DossierAccepterInput!, $no: Boolean!) {
        __typename
        first: dossierPasserEnInstruction(input: $one) { dossier { state } errors { message } }
        again: dossierPasserEnInstruction(input: $one) { dossier { state } errors { message } }
        never: dossierPasserEnInstruction(input: $one) @include(if: $no) { errors { message } }
        ... on Mutation { dossierAccepter(input: $two) { dossier { state } errors { message } } } }";
    let answer = sandbox.graphql(query, &json!({"one": input, "two": input, "no": false}));
    assert_eq!(
        answer.to_string(),
        json!({"data": {
            "__typename": "Mutation",
            "first": {"dossier": {"state": "en_instruction"}, "errors": null},
            "again": {"dossier": null, "errors": [{"message": "Le dossier est déjà en instruction"}]},
            "dossierAccepter": {"dossier": {"state": "accepte"}, "errors": null},
        }})
        .to_string()
    );
    assert_eq!(sandbox.audit().len(), 2);
}

#[test]
fn a_platform_refuses_what_its_schema_does_not_hold() {
    let sandbox = empty(Platform::DematSocial);
    let number = dossier(&sandbox, State::Accepte);
    let answer = answer(&sandbox, "dossierDesarchiver", &by_one(number, &json!({})), SHOWN);
    assert_eq!(answer.get("data"), None);
    assert!(answer["errors"].to_string().contains("dossierDesarchiver"), "{answer}");
}
