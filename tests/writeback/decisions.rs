//! Sends decisions: the platform does what was asked.

use demarche_numerique::api::CorrectionReason;
use demarche_numerique::intent::{Action, Edit, Expected, Intent, IntentId, Status, Words};
use demarche_numerique::sandbox::Value;
use demarche_numerique::sandbox::world::form::stable_id::FIRST_ANNOTATION;
use demarche_numerique::sandbox::world::{Effect, State};
use demarche_numerique::sink::Outbox as _;
use demarche_numerique::{DossierState, Platform};

use super::{PushFixture, accept, intent, message, only, refuse};

#[tokio::test]
async fn every_decision_takes_the_steps_that_the_platform_wants() {
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        let new = fixture.dossier(State::EnConstruction);
        let open = fixture.dossier(State::EnInstruction);
        let back = fixture.dossier(State::EnInstruction);
        let again = fixture.dossier(State::Refuse);
        let motivated = Words::new("Doublon");
        fixture
            .ask(&[
                intent("a", new, accept("Dossier complet")),
                intent("b", open, Action::ClasserSansSuite { motivation: motivated, justificatif: None }),
                intent("c", back, Action::RepasserEnConstruction),
                intent("d", again, Action::RepasserEnInstruction),
            ])
            .await;
        assert_eq!(fixture.outcomes().await, [Status::Done; 4]);
        assert_eq!(
            fixture.done(),
            [
                "dossierPasserEnInstruction",
                "dossierAccepter",
                "dossierClasserSansSuite",
                "dossierRepasserEnConstruction",
                "dossierRepasserEnInstruction",
            ]
        );
        let states = [new, open, back, again].map(|number| fixture.state(number));
        assert_eq!(states, ["accepte", "sans_suite", "en_construction", "en_instruction"]);
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn what_the_platform_shows_already_is_not_sent() {
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        let accepted = fixture.dossier(State::Accepte);
        let open = fixture.dossier(State::EnInstruction);
        fixture
            .ask(&[
                intent("a", accepted, accept("Complet")),
                intent("b", accepted, Action::Accepter { motivation: None, justificatif: None }),
                intent("c", open, Action::PasserEnInstruction),
            ])
            .await;
        assert_eq!(fixture.outcomes().await, [Status::AlreadyDone; 3]);
        assert_eq!(fixture.done(), [""; 0]);
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn another_decision_is_overwritten_on_an_operators_word_alone() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::Refuse);
    fixture.ask(&[intent("a", number, accept("Tout compte fait"))]).await;
    let pushed = fixture.pushed().await;
    assert_eq!(
        only(&pushed),
        (Status::Conflict, Some("conflict"), "the dossier is decided already: refuse, not accepte")
    );
    assert_eq!(fixture.done(), [""; 0]);

    fixture.ask(&[Intent { overrule: true, ..intent("b", number, accept("Tout compte fait")) }]).await;
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    assert_eq!(fixture.done(), ["dossierRepasserEnInstruction", "dossierAccepter"]);
    // The same decision for another reason is another decision.
    fixture.ask(&[intent("c", number, accept("Pour autre chose"))]).await;
    assert_eq!(fixture.outcomes().await, [Status::Conflict]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_dossier_that_moved_since_the_person_looked_is_a_conflict_that_shows_both() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnConstruction);
    let expected = Expected { state: Some(DossierState::EnConstruction), fingerprint: None };
    fixture.sandbox.world().passer_en_instruction(number, Some(2)).expect("legal");
    fixture.ask(&[Intent { expected, ..intent("a", number, refuse("Incomplet")) }]).await;
    let pushed = fixture.pushed().await;
    let words = "the person decided on en_construction, the dossier is en_instruction now";
    assert_eq!(only(&pushed), (Status::Conflict, Some("conflict"), words));
    assert_eq!(fixture.done(), [""; 0]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn what_we_moved_ourselves_is_no_conflict() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnConstruction);
    let fingerprint = fixture.fingerprint(number).await;
    let expected = Expected { state: Some(DossierState::EnConstruction), fingerprint: Some(fingerprint) };
    let edits = vec![Edit { annotation: "Avis du service".to_owned(), row: None, value: "Favorable".into() }];
    let seen = |id: &str, action| Intent { expected: expected.clone(), ..intent(id, number, action) };
    fixture
        .ask(&[
            seen("a", Action::Annotations { edits }),
            seen("b", accept("Complet")),
            seen("c", message("Votre aide est accordée.")),
        ])
        .await;
    assert_eq!(fixture.outcomes().await, [Status::Done; 3]);
    // Somebody else's step is one.
    fixture.sandbox.world().repasser_en_instruction(number, Some(2)).expect("legal");
    fixture.ask(&[seen("d", message("Encore un mot."))]).await;
    assert_eq!(fixture.outcomes().await, [Status::Conflict]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn an_intent_waits_for_the_one_that_it_requires_and_fails_with_it() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let (good, bad) = (fixture.dossier(State::EnInstruction), fixture.dossier(State::Refuse));
    let after = |id: &str, of: &str, number| {
        let requires = Some(IntentId::new(of).expect("a short line"));
        Intent { requires, ..intent(id, number, message("Votre dossier est accepté.")) }
    };
    fixture
        .ask(&[
            intent("good", good, accept("Complet")),
            after("tell-good", "good", good),
            intent("bad", bad, accept("Complet")),
            after("tell-bad", "bad", bad),
        ])
        .await;
    assert_eq!(fixture.outcomes().await, [Status::Done, Status::Done, Status::Conflict, Status::Refused]);
    assert_eq!(fixture.done(), ["dossierAccepter", "dossierEnvoyerMessage"]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn annotations_are_written_where_they_differ_on_both_platforms() {
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnInstruction);
        let edit =
            |annotation: &str, value: serde_json::Value| Edit { annotation: annotation.to_owned(), row: None, value };
        let edits = vec![
            edit("Avis du service", "Favorable, sous réserve".into()),
            edit("Complet", "oui".into()),
            edit("Date de commission", "2026-04-01".into()),
            edit("Rendez-vous", "2026-04-01T10:30".into()),
            edit("Score", 12.into()),
        ];
        fixture.ask(&[intent("a", number, Action::Annotations { edits: edits.clone() })]).await;
        // The sandbox fills forms by itself: here is what is to be written over.
        let before = [Value::Empty, false.into(), Value::Empty, Value::Empty, Value::Empty];
        for (rank, value) in (FIRST_ANNOTATION..).zip(before) {
            fixture.sandbox.world().annotate_by_api(number, rank, value).expect("it exists");
        }
        assert_eq!(fixture.outcomes().await, [Status::Done], "{platform}");
        let effects =
            fixture.sandbox.audit().into_iter().filter(|entry| matches!(entry.effect, Effect::Annotation { .. }));
        assert_eq!(effects.count(), 5, "{platform}: {:?}", fixture.sandbox.audit());
        // Four of them are so already.
        let edits = [edits[..4].to_vec(), vec![edit("Score", 13.into())]].concat();
        fixture.ask(&[intent("b", number, Action::Annotations { edits: edits.clone() })]).await;
        assert_eq!(fixture.outcomes().await, [Status::Done], "{platform}");
        assert_eq!(fixture.sandbox.audit().len(), 6, "{platform}");
        fixture.ask(&[intent("c", number, Action::Annotations { edits })]).await;
        assert_eq!(fixture.outcomes().await, [Status::AlreadyDone], "{platform}");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn everything_else_that_can_be_done_is_done_once() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let (open, decided) = (fixture.dossier(State::EnInstruction), fixture.dossier(State::Accepte));
    let correction = Some(CorrectionReason::Incomplete);
    let asks = Action::Message { body: Words::new("Il manque une pièce."), attachment: None, correction };
    let label = fixture.client.demarche(fixture.scope.demarche).await.expect("an answer").labels[0].name.clone();
    fixture
        .ask(&[
            intent("a", open, Action::Suivre { follow: false }),
            intent("b", open, Action::Label { label: label.clone(), present: true }),
            intent("c", open, Action::AjouterLigne { annotation: "Versements".to_owned() }),
            intent("d", open, asks),
            intent("e", open, Action::Label { label, present: false }),
            intent("f", decided, Action::Archiver),
            intent("g", decided, Action::Desarchiver),
        ])
        .await;
    let pushed = fixture.pushed().await;
    let done = pushed.items.iter().filter(|item| item.status == Status::Done).count();
    assert_eq!(done, 7, "{:?}", pushed.items);
    assert_eq!(fixture.state(open), "en_construction", "the correction gives the dossier back");
    assert_eq!(fixture.done().len(), 7, "{:?}", fixture.done());
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_plan_tells_the_steps_and_sends_nothing() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnConstruction);
    fixture
        .ask(&[
            intent("a", number, accept("Complet")),
            intent("b", number, refuse("x")),
            intent("c", 999_999, accept("x")),
        ])
        .await;
    let plan = fixture.plan().await;
    assert_eq!(plan.items[0].steps, ["dossierPasserEnInstruction", "dossierAccepter"]);
    assert_eq!(plan.items[2].reason.as_deref(), Some("no_dossier"));
    assert_eq!(fixture.done(), [""; 0]);
    let trail = fixture.outbox.trail(&fixture.scope, None, 100).await.expect("readable");
    assert_eq!(trail.len(), 3, "nothing but that it was asked: {trail:?}");
}
