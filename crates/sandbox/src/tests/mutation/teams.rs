use super::*;
use crate::world::Effect;

const GROUPE: &str = "groupeInstructeur { number label closed instructeurs { email } } errors { message }";
const WARNED: &str =
    "groupeInstructeur { number label instructeurs { email } } errors { message } warnings { message }";

#[test]
fn a_team_is_made_renamed_filled_and_emptied() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let people = json!([{"email": "nouvelle@example.org"}, {"email": "pas une adresse"}]);
        let attributes = json!({"label": "Corse", "instructeurs": people});
        let input = json!({"demarche": {"number": DEMARCHE_COMPLETE}, "groupeInstructeur": attributes});
        let made = accepted(&sandbox, "groupeInstructeurCreer", &input, WARNED);
        assert_eq!(made["groupeInstructeur"]["label"], "Corse");
        assert_eq!(made["groupeInstructeur"]["instructeurs"], json!([{"email": "nouvelle@example.org"}]));
        assert!(made["warnings"][0]["message"].as_str().is_some_and(|said| said.contains("pas une adresse")));
        refused(&sandbox, "groupeInstructeurCreer", &input);
        let groupe = made["groupeInstructeur"]["number"].as_u64().expect("a number");
        let with = |more: Json| {
            let mut input = more;
            input["groupeInstructeurId"] = id("GroupeInstructeur", groupe).into();
            input
        };
        let shown =
            accepted(&sandbox, "groupeInstructeurModifier", &with(json!({"label": "Îles", "closed": true})), GROUPE);
        assert_eq!(
            (&shown["groupeInstructeur"]["label"], &shown["groupeInstructeur"]["closed"]),
            (&json!("Îles"), &json!(true))
        );
        let one = with(json!({"instructeurs": [{"id": id("Instructeur", 1)}]}));
        let shown = accepted(&sandbox, "groupeInstructeurAjouterInstructeurs", &one, WARNED);
        assert_eq!(shown["groupeInstructeur"]["instructeurs"].as_array().map(Vec::len), Some(2));
        assert_eq!(shown["warnings"], Json::Null);
        let shown = accepted(&sandbox, "groupeInstructeurSupprimerInstructeurs", &one, GROUPE);
        assert_eq!(shown["groupeInstructeur"]["instructeurs"].as_array().map(Vec::len), Some(1));
        assert_eq!(sandbox.audit().len(), 4);
        assert!(sandbox.world().groupe(10011).expect("exists").1.instructeurs.contains(&1), "other teams keep them");
    }
}

#[test]
fn a_token_may_make_teams_in_a_demarche_that_it_does_not_see() {
    let sandbox = empty(Platform::DemarcheNumerique);
    sandbox.world().remove_from_scope(DEMARCHE_COMPLETE);
    let input = json!({"demarche": {"number": DEMARCHE_COMPLETE}, "groupeInstructeur": {"label": "Corse"}});
    accepted(&sandbox, "groupeInstructeurCreer", &input, GROUPE);
    let input = json!({"groupeInstructeurId": id("GroupeInstructeur", 10011), "label": "x"});
    let answer = answer(&sandbox, "groupeInstructeurModifier", &input, GROUPE);
    assert_eq!(answer["errors"][0]["message"], "An object of type GroupeInstructeur was hidden due to permissions");
}

#[test]
fn a_clone_is_a_draft_with_the_same_questions_and_what_cannot_be_cloned_is_named() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let shown = "demarche { number title state revision { champDescriptors { id } } } errors { message }";
        let clone = |number: u32| json!({"demarche": {"number": number}, "title": "Copie"});
        let made = accepted(&sandbox, "demarcheCloner", &clone(DEMARCHE_COMPLETE), shown)["demarche"].clone();
        assert_eq!((&made["title"], &made["state"]), (&json!("Copie"), &json!("brouillon")));
        let query = "{ demarche(number: 1001) { activeRevision { champDescriptors { id } } } }";
        let model = data(&sandbox, query, &json!({}))["demarche"]["activeRevision"].clone();
        assert_eq!(made["revision"], model);
        let number = u32::try_from(made["number"].as_u64().expect("a number")).expect("small");
        assert_eq!(sandbox.audit()[0].effect, Effect::Cloned(number));
        assert!(sandbox.world().submit(number).is_some(), "it takes dossiers");
        assert_eq!(refused(&sandbox, "demarcheCloner", &clone(7)), "La démarche \"7\" ne peut pas être clonée.");
    }
}
