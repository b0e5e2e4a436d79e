use super::*;

#[test]
fn a_dossier_whose_usager_is_gone_is_not_taken_up_again() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::Accepte);
    sandbox.world().forget_usager(number);
    let said = refused(&sandbox, "dossierRepasserEnInstruction", &by_one(number, &json!({})));
    assert_eq!(said, "Le dossier est déjà accepté");
}

#[test]
fn where_silence_is_a_decision_going_back_is_http_500_and_nothing_is_done() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    sandbox.world().demarche_mut(DEMARCHE_COMPLETE).expect("exists").sva = true;
    let before = sandbox.dossier(number);
    let body = body("dossierRepasserEnConstruction", &by_one(number, &json!({})), SHOWN);
    let (status, answer) = raw(&sandbox, Some(&sandbox.token()), &body);
    assert_eq!((status, &answer["errors"][0]["message"]), (500, &json!("Internal Server Error")));
    assert_eq!((sandbox.dossier(number), sandbox.audit().len()), (before, 0));
    let open = dossier(&sandbox, State::EnConstruction);
    let said = refused(&sandbox, "dossierRepasserEnConstruction", &by_one(open, &json!({})));
    assert_eq!(said, "Le dossier est déjà en construction", "the guard is reached from one state only");
}

#[test]
fn mandatory_annotations_are_refused_with_the_words_for_a_wrong_state_on_one_platform_only() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let number = dossier(&sandbox, State::EnInstruction);
        let annotation = crate::world::form::stable_id::FIRST_ANNOTATION;
        sandbox.world().annotate_by_api(number, annotation, "").expect("asked");
        sandbox.world().require_annotation(DEMARCHE_COMPLETE, annotation, true);
        let input = by_one(number, &json!({"motivation": "Vu"}));
        if platform == Platform::DematSocial {
            accepted(&sandbox, "dossierAccepter", &input, SHOWN);
            continue;
        }
        for field in ["dossierAccepter", "dossierRefuser", "dossierClasserSansSuite"] {
            assert_eq!(refused(&sandbox, field, &input), "Le dossier est déjà en instruction", "{field}");
        }
        sandbox.world().annotate_by_api(number, annotation, "Favorable").expect("asked");
        accepted(&sandbox, "dossierAccepter", &input, SHOWN);
    }
}

#[test]
fn nothing_is_decided_before_the_register_has_told_who_asks() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let number = dossier(&sandbox, State::EnInstruction);
        let siret = "99999999999999".to_owned();
        sandbox.world().set_demandeur(number, Demandeur::PersonneMorale { siret, enriched: false });
        let input = by_one(number, &json!({}));
        let said = "Les informations du SIRET du dossier ne sont pas complètes. Veuillez réessayer plus tard.";
        assert_eq!(refused(&sandbox, "dossierAccepter", &input), said);
        sandbox.world().enrich_demandeur(number);
        accepted(&sandbox, "dossierAccepter", &input, SHOWN);
    }
}

#[test]
fn a_pending_correction_blocks_a_published_demarche_that_says_so() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnConstruction);
    let asked = sandbox.world().envoyer_message(number, Some(1), "Corrigez.", Some("incorrect"), Vec::new());
    asked.expect("it is open");
    sandbox.world().demarche_mut(DEMARCHE_COMPLETE).expect("exists").correction_blocks = true;
    let input = by_one(number, &json!({}));
    let said = refused(&sandbox, "dossierPasserEnInstruction", &input);
    assert_eq!(said, "Le dossier est en attente de correction");
    sandbox.world().demarche_mut(DEMARCHE_COMPLETE).expect("exists").brouillon = true;
    accepted(&sandbox, "dossierPasserEnInstruction", &input, SHOWN);
    let world = sandbox.world();
    assert_eq!(world.dossier(number).expect("exists").pending_correction(), None, "the passage resolves it");
}

#[test]
fn a_motivation_is_shown_and_silence_takes_only_the_email_away() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let (loud, quiet) = (dossier(&sandbox, State::EnInstruction), dossier(&sandbox, State::EnInstruction));
        let messages = sandbox.dossier(quiet).expect("listed").messages;
        accepted(&sandbox, "dossierAccepter", &by_one(loud, &json!({})), SHOWN);
        let input = by_one(quiet, &json!({"motivation": "Hors délai", "disableNotification": true}));
        let shown = accepted(&sandbox, "dossierRefuser", &input, SHOWN);
        assert_eq!(shown["dossier"]["motivation"], "Hors délai");
        assert_eq!(sandbox.audit().iter().map(|entry| entry.notified).collect::<Vec<_>>(), [true, false]);
        assert_eq!(sandbox.dossier(quiet).expect("listed").messages, messages + 1, "the message is there");
    }
}
