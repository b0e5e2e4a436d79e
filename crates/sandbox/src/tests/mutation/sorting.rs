use super::*;
use crate::DEMARCHE_CLONE;
use crate::world::Effect;

#[test]
fn a_dossier_changes_team_within_its_demarche() {
    for platform in Platform::ALL {
        let spec = WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE, DEMARCHE_CLONE]).dossiers(0);
        let sandbox = Sandbox::new(&spec);
        let number = dossier(&sandbox, State::EnConstruction);
        let to = |groupe: u32| json!({"dossierId": id("Dossier", number), "groupeInstructeurId": id("GroupeInstructeur", groupe)});
        let field = "dossierChangerGroupeInstructeur";
        let word = if platform == Platform::DematSocial { "grope" } else { "groupe" };
        assert_eq!(
            refused(&sandbox, field, &to(10011)),
            format!("Le dossier est déjà avec le {word} instructeur: 'Défaut'")
        );
        sandbox.world().change_groupe(10021, Some("Ailleurs"), None).expect("exists");
        let said = "Le groupe instructeur 'Ailleurs' n’appartient pas à la même démarche que le dossier";
        assert_eq!(refused(&sandbox, field, &to(10021)), said);
        let before = sandbox.dossier(number).expect("listed").updated_at;
        accepted(&sandbox, field, &to(10012), SHOWN);
        let after = sandbox.dossier(number).expect("listed");
        assert!(after.groupe == 10012 && after.updated_at > before);
        assert_eq!(sandbox.audit()[0].effect, Effect::Groupe { from: 10011, to: 10012 });
        let answer = answer(&sandbox, field, &to(9), SHOWN);
        assert_eq!(answer["errors"][0]["message"], "DossierChangerGroupeInstructeurPayload not found");
    }
}

#[test]
fn labels_date_nothing_and_are_put_once() {
    let spec = WorldSpec::default().only(&[DEMARCHE_COMPLETE, DEMARCHE_CLONE]).dossiers(0);
    let sandbox = Sandbox::new(&spec);
    let number = dossier(&sandbox, State::EnConstruction);
    let input = |label: u64| json!({"dossierId": id("Dossier", number), "labelId": id("Label", label)});
    let (put, take) = ("dossierAjouterLabel", "dossierSupprimerLabel");
    assert_eq!(refused(&sandbox, take, &input(10012)), "Ce label n’est pas associé au dossier");
    let said = "Ce label n’appartient pas à la même démarche que le dossier";
    assert_eq!(refused(&sandbox, put, &input(10021)), said);
    let before = sandbox.dossier(number).expect("listed").updated_at;
    let shown = "label { name } dossier { labels { name } } errors { message }";
    let payload = accepted(&sandbox, put, &input(10012), shown);
    assert_eq!(
        (&payload["label"]["name"], &payload["dossier"]["labels"]),
        (&json!("Urgent"), &json!([{"name": "Urgent"}]))
    );
    assert_eq!(refused(&sandbox, put, &input(10012)), "Ce label est déjà associé au dossier");
    let payload = accepted(&sandbox, take, &input(10012), shown);
    assert_eq!(payload["dossier"]["labels"], json!([]));
    assert_eq!(sandbox.dossier(number).expect("listed").updated_at, before);
    let effects: Vec<_> = sandbox.audit().into_iter().map(|entry| entry.effect).collect();
    assert_eq!(effects, [Effect::Label { id: 10012, on: true }, Effect::Label { id: 10012, on: false }]);
}

#[test]
fn following_is_the_default_and_dates_the_dossier_only_when_it_changes_something() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnConstruction);
    let shown = "instructeur { email } dossier { instructeurs { email } } errors { message }";
    let follow = |more: Json| accepted(&sandbox, "dossierBasculeSuivi", &by_one(number, &more), shown);
    let updated_at = || sandbox.dossier(number).expect("listed").updated_at;
    let before = updated_at();
    let payload = follow(json!({}));
    assert_eq!(payload["instructeur"]["email"], "instructeur-1@example.org");
    assert_eq!(payload["dossier"]["instructeurs"].as_array().map(Vec::len), Some(1));
    let followed = updated_at();
    assert!(followed > before);
    follow(json!({"follow": true}));
    assert_eq!(updated_at(), followed);
    let payload = follow(json!({"follow": false}));
    assert_eq!(payload["dossier"]["instructeurs"], json!([]));
    assert!(updated_at() > followed);
}
