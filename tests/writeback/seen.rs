//! Looks for what the platform says that it did: an answer is no proof.

use demarche_numerique::Platform;
use demarche_numerique::api::CorrectionReason;
use demarche_numerique::intent::{Action, Edit, Status, Words};
use demarche_numerique::sandbox::Value;
use demarche_numerique::sandbox::world::State;
use demarche_numerique::sandbox::world::form::stable_id::FIRST_ANNOTATION;

use super::{PushFixture, accept, intent, message, only};

fn note(value: &str) -> Action {
    Action::Annotations {
        edits: vec![Edit { annotation: "Avis du service".to_owned(), row: None, value: value.into() }],
    }
}

#[tokio::test]
async fn a_success_without_effect_is_told_as_such() {
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        let (open, new) = (fixture.dossier(State::EnInstruction), fixture.dossier(State::EnConstruction));
        let decided = fixture.dossier(State::Accepte);
        for mutation in [
            "dossierModifierAnnotations",
            "dossierModifierAnnotationText",
            "dossierModifierAnnotationTextarea",
            "dossierPasserEnInstruction",
            "dossierAccepter",
            "dossierArchiver",
            "dossierModifierAnnotationAjouterLigne",
        ] {
            fixture.sandbox.world().hollow.insert(mutation.to_owned());
        }
        let row = Action::AjouterLigne { annotation: "Versements".to_owned() };
        fixture
            .ask(&[
                intent("a", open, note("Favorable, sous réserve")),
                intent("b", open, accept("Complet")),
                intent("c", new, Action::PasserEnInstruction),
                intent("d", decided, Action::Archiver),
                intent("e", open, row),
            ])
            .await;
        let pushed = fixture.pushed().await;
        let told: Vec<_> = pushed.items.iter().map(|item| (item.status, item.reason.as_deref())).collect();
        let nothing = (Status::Refused, Some("no_effect"));
        assert_eq!(told[..4], [nothing; 4], "{platform}: {:#?}", pushed.items);
        assert_eq!(told[4].0, Status::Ambiguous, "{platform}: {:#?}", pushed.items);
        let words = pushed.items[0].words.as_deref().unwrap_or_default();
        assert!(words.contains("the platform answered that it was done"), "{words}");
        assert_eq!(fixture.done(), [""; 0]);
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn several_annotations_of_which_one_is_without_effect_are_not_done() {
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnInstruction);
        for rank in 0..5 {
            fixture.sandbox.world().annotate_by_api(number, FIRST_ANNOTATION + rank, Value::Empty).expect("it exists");
        }
        fixture.sandbox.world().hollow.insert("dossierModifierAnnotationIntegerNumber".to_owned());
        let edit =
            |annotation: &str, value: serde_json::Value| Edit { annotation: annotation.to_owned(), row: None, value };
        let edits = vec![edit("Avis du service", "Favorable".into()), edit("Score", 12.into())];
        fixture.ask(&[intent("a", number, Action::Annotations { edits })]).await;
        let pushed = fixture.pushed().await;
        // One request for all of them on one platform, one each on the other.
        let expected = match platform {
            Platform::DemarcheNumerique => (Status::Done, None),
            Platform::DematSocial => (Status::Refused, Some("no_effect")),
        };
        assert_eq!((only(&pushed).0, only(&pushed).1), expected, "{platform}");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn a_correction_that_was_forgotten_all_the_same_is_told() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    let body = Words::new("Corrigez le montant.");
    let correction = Some(CorrectionReason::Incorrect);
    fixture.ask(&[intent("a", number, Action::Message { body, attachment: None, correction })]).await;
    // A colleague asks for one between the reading and the sending.
    fixture.sandbox.after_request(2, move |world| {
        world.envoyer_message(number, Some(2), "Et la date.", Some("incorrect"), Vec::new()).expect("it is sent");
    });
    let pushed = fixture.pushed().await;
    assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Ambiguous, Some("correction_forgotten")));
    assert_eq!(fixture.done(), ["dossierEnvoyerMessage"]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_message_that_was_sent_and_deleted_at_once_is_done() {
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnInstruction);
        fixture.ask(&[intent("a", number, message("Bonjour"))]).await;
        fixture.sandbox.on_request(move |request, world| {
            if request.operation.as_deref() == Some("DossierEnvoyerMessage") {
                let id = world.audit().iter().find_map(|entry| match entry.effect {
                    demarche_numerique::sandbox::world::Effect::Message { id, .. } => Some(id),
                    _ => None,
                });
                world.supprimer_message(number, id.expect("it was sent")).expect("it is its author's");
            }
        });
        assert_eq!(fixture.outcomes().await, [Status::Done], "{platform}: its id is there");
        fixture.sandbox.clear_hooks();
        fixture.assert_settled().await;
    }
}
