use super::*;
use crate::world::Effect;

const MESSAGE: &str =
    "message { id body email createdAt attachments { filename } correction { reason } } errors { message }";

fn texts(sandbox: &Sandbox) -> Vec<String> {
    let sent = sandbox.audit().into_iter().filter_map(|entry| match entry.effect {
        Effect::Message { body, .. } => Some(body),
        _ => None,
    });
    sent.collect()
}

#[test]
fn a_message_is_sent_dated_and_counted_each_time_it_is_asked() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let number = dossier(&sandbox, State::EnInstruction);
        let before = sandbox.dossier(number).expect("listed");
        let hooks = sandbox.webhooks().len();
        let input = by_one(number, &json!({"body": "<p>Bonjour</p>", "clientMutationId": "same"}));
        let sent = accepted(&sandbox, "dossierEnvoyerMessage", &input, MESSAGE);
        assert_eq!(sent["message"]["body"], "<p>Bonjour</p>");
        assert_eq!(sent["message"]["email"], "instructeur-1@example.org");
        let again = accepted(&sandbox, "dossierEnvoyerMessage", &input, MESSAGE);
        assert_ne!(again["message"]["id"], sent["message"]["id"], "clientMutationId protects from nothing");
        let after = sandbox.dossier(number).expect("listed");
        assert_eq!(after.messages, before.messages + 2);
        assert!(after.updated_at > before.updated_at);
        assert_eq!(sandbox.webhooks().len(), hooks, "messages call no hook");
        assert_eq!(texts(&sandbox), ["<p>Bonjour</p>"; 2]);
    }
}

#[test]
fn empty_messages_and_closed_dossiers_are_refused_in_the_form_of_the_champ() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let send = |number: u32, body: &str| {
            refused(&sandbox, "dossierEnvoyerMessage", &by_one(number, &json!({ "body": body })))
        };
        let open = dossier(&sandbox, State::EnInstruction);
        for blank in ["", "  \n"] {
            assert_eq!(send(open, blank), "Le champ « Votre message » ne peut être vide");
        }
        let (archived, hidden) = (dossier(&sandbox, State::Accepte), dossier(&sandbox, State::Refuse));
        sandbox.world().archiver(archived).expect("decided");
        sandbox.world().delete_by_user(hidden).expect("decided");
        let orphan = dossier(&sandbox, State::EnInstruction);
        sandbox.world().forget_usager(orphan);
        for number in [archived, hidden, orphan] {
            let said = send(number, "Bonjour");
            assert!(said.starts_with("Le champ « Votre message » "), "{said}");
            let reason =
                "Il n’est pas possible d’envoyer un message sur un dossier supprimé, à archiver ou en brouillon";
            assert!(said.ends_with(reason), "{said}");
        }
    }
}

#[test]
fn a_correction_sends_the_dossier_back_and_is_silently_dropped_where_it_makes_no_sense() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let ask = |number: u32, reason: &str| {
        let input = by_one(number, &json!({"body": "Corrigez.", "correction": reason}));
        accepted(&sandbox, "dossierEnvoyerMessage", &input, MESSAGE)["message"]["correction"].clone()
    };
    let number = dossier(&sandbox, State::EnInstruction);
    let hooks = sandbox.webhooks().len();
    assert_eq!(ask(number, "outdated"), json!({"reason": "outdated"}));
    assert_eq!(sandbox.dossier(number).expect("listed").state, State::EnConstruction);
    assert_eq!(sandbox.webhooks().len(), hooks + 1, "the state changed");
    let decided = dossier(&sandbox, State::Accepte);
    for number in [number, decided] {
        assert_eq!(ask(number, "incorrect"), Json::Null, "one waits already, or the dossier is decided");
    }
    assert_eq!(texts(&sandbox).len(), 3, "the messages are sent all the same");
    let dropped = json!({"body": "x", "correction": "wrong"});
    let refused = answer(&sandbox, "dossierEnvoyerMessage", &by_one(number, &dropped), MESSAGE);
    assert!(refused.get("data").is_none(), "a reason that the schema does not know");
}

#[test]
fn one_withdraws_ones_own_message_once_and_with_it_the_correction() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnConstruction);
    let input = by_one(number, &json!({"body": "Corrigez.", "correction": "incomplete"}));
    let sent = accepted(&sandbox, "dossierEnvoyerMessage", &input, MESSAGE)["message"]["id"].clone();
    let withdraw = |instructeur: u32| json!({"messageId": sent, "instructeurId": id("Instructeur", instructeur)});
    let said = "Le message ne peut pas être supprimé";
    assert_eq!(refused(&sandbox, "dossierSupprimerMessage", &withdraw(2)), said, "somebody else’s");
    let shown = "message { body discardedAt correction { reason } } errors { message }";
    let message = accepted(&sandbox, "dossierSupprimerMessage", &withdraw(1), shown)["message"].clone();
    assert_eq!((&message["body"], &message["correction"]), (&json!(""), &Json::Null));
    assert!(message["discardedAt"].is_string());
    assert_eq!(sandbox.world().dossier(number).expect("exists").pending_correction(), None);
    assert_eq!(refused(&sandbox, "dossierSupprimerMessage", &withdraw(1)), said, "twice");
    let system = sandbox.world().dossier(number).map(|dossier| World::extra(dossier).messages.len());
    assert_eq!(system, Some(1), "withdrawn messages stay in the list");
}
