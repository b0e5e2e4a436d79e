use super::*;
use crate::world::Effect;

const STATES: [State; 5] =
    [State::EnConstruction, State::EnInstruction, State::Accepte, State::Refuse, State::SansSuite];

/// Mutation, the states from which it is legal, the state that it leads to.
const PASSAGES: [(&str, &[State], State); 6] = [
    ("dossierPasserEnInstruction", &[State::EnConstruction], State::EnInstruction),
    ("dossierRepasserEnConstruction", &[State::EnInstruction], State::EnConstruction),
    ("dossierRepasserEnInstruction", &[State::Accepte, State::Refuse, State::SansSuite], State::EnInstruction),
    ("dossierAccepter", &[State::EnInstruction], State::Accepte),
    ("dossierRefuser", &[State::EnInstruction], State::Refuse),
    ("dossierClasserSansSuite", &[State::EnInstruction], State::SansSuite),
];

#[test]
fn each_passage_is_legal_from_its_states_and_refused_in_words_from_the_others() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        for (field, legal, to) in PASSAGES {
            for from in STATES {
                let number = dossier(&sandbox, from);
                let decides = to.is_terminated();
                let input = by_one(number, &if decides { json!({"motivation": "Vu"}) } else { json!({}) });
                if !legal.contains(&from) {
                    let said = format!("Le dossier est déjà {}", from.in_words());
                    assert_eq!(refused(&sandbox, field, &input), said, "{platform} {field} from {from:?}");
                    continue;
                }
                let before = sandbox.dossier(number).expect("listed");
                let hooks = sandbox.webhooks().len();
                let shown = accepted(&sandbox, field, &input, SHOWN);
                assert_eq!(shown["dossier"]["state"], to.as_str(), "{platform} {field} from {from:?}");
                let after = sandbox.dossier(number).expect("listed");
                assert!(after.updated_at > before.updated_at, "{field} dates the dossier");
                assert_eq!(after.messages, before.messages + 1, "the platform writes to the usager");
                let audit = sandbox.audit();
                let entry = audit.last().expect("an entry");
                assert_eq!((entry.mutation.as_str(), entry.dossier), (field, Some(number)));
                assert_eq!((entry.instructeur, entry.notified), (Some(1), true));
                let motivation = decides.then(|| "Vu".to_owned());
                assert_eq!(entry.effect, Effect::State { from, to, motivation, justificatif: None });
                let hook = sandbox.webhooks().last().expect("a hook").clone();
                assert_eq!(sandbox.webhooks().len(), hooks + 1);
                assert_eq!((hook.dossier, hook.state), (number, to));
            }
        }
    }
}

#[test]
fn dates_of_a_state_that_was_left_stay_and_the_history_says_who_did_what() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnConstruction);
    let step = |field: &str| {
        let decides = if field == "dossierRefuser" { json!({"motivation": "Non"}) } else { json!({}) };
        accepted(&sandbox, field, &by_one(number, &decides), SHOWN);
        sandbox.world().dossier(number).expect("exists").clone()
    };
    let first = step("dossierPasserEnInstruction");
    let back = step("dossierRepasserEnConstruction");
    assert_eq!(back.en_instruction_at, first.en_instruction_at);
    assert!(back.en_construction_at > first.en_construction_at);
    step("dossierPasserEnInstruction");
    let refused = step("dossierRefuser");
    assert_eq!(refused.motivation(), Some("Non"));
    let again = step("dossierRepasserEnInstruction");
    assert_eq!((again.processed_at, again.motivation()), (refused.processed_at, None));
    let events: Vec<_> = again.history.iter().map(|step| (step.event, step.agent)).collect();
    assert_eq!(
        events,
        [
            ("depose", None),
            ("passe_en_instruction", Some(1)),
            ("repasse_en_construction", Some(1)),
            ("passe_en_instruction", Some(1)),
            ("refuse", Some(1)),
            ("repasse_en_instruction", Some(1)),
        ]
    );
    assert!(World::extra(&again).instructeurs.contains(&1), "who takes a dossier follows it");
}

#[test]
fn archiving_needs_a_decision_and_taking_back_needs_an_archive() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let (open, decided) = (dossier(&sandbox, State::EnInstruction), dossier(&sandbox, State::Accepte));
        let said = match platform {
            Platform::DemarcheNumerique => {
                "Un dossier ne peut être déplacé dans « à archiver » qu’une fois le traitement terminé"
            }
            Platform::DematSocial => "Un dossier ne peut être archivé qu’une fois le traitement terminé",
        };
        assert_eq!(refused(&sandbox, "dossierArchiver", &by_one(open, &json!({}))), said);
        let before = sandbox.dossier(decided).expect("listed").updated_at;
        let hooks = sandbox.webhooks().len();
        let shown = accepted(&sandbox, "dossierArchiver", &by_one(decided, &json!({})), SHOWN);
        assert_eq!(shown["dossier"]["archived"], true);
        assert!(sandbox.dossier(decided).expect("listed").updated_at > before);
        assert_eq!(sandbox.webhooks().len(), hooks, "no change of state, no hook");
        if platform == Platform::DemarcheNumerique {
            let said = "Un dossier non archivé ne peut pas être désarchivé";
            assert_eq!(refused(&sandbox, "dossierDesarchiver", &by_one(open, &json!({}))), said);
            let shown = accepted(&sandbox, "dossierDesarchiver", &by_one(decided, &json!({})), SHOWN);
            assert_eq!(shown["dossier"]["archived"], false);
        }
        let kinds: Vec<_> = sandbox.audit().into_iter().map(|entry| (entry.effect, entry.notified)).collect();
        assert_eq!(kinds[0], (Effect::Archived(true), false));
    }
}
