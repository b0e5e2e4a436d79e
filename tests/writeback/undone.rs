//! The answer is lost, a colleague acts meanwhile: nothing is done over that person's head.

use demarche_numerique::intent::{Action, Edit, Expected, Intent, Status};
use demarche_numerique::sandbox::world::{Effect, State, World};
use demarche_numerique::sandbox::{Fault, FaultPlan};
use demarche_numerique::{DossierState, Platform};
use jiff::SignedDuration;

use super::{PushFixture, accept, intent, only, refuse};

/// The answer to a mutation is lost, and so is the reading after it; then somebody else acts, and it is pushed again.
async fn meanwhile(fixture: &PushFixture, operation: &str, acts: impl FnOnce(&mut World)) -> (Status, Option<String>) {
    fixture.sandbox.plan(FaultPlan::new(Fault::LoseAnswer).operation(operation).times(1));
    fixture.sandbox.plan(FaultPlan::new(Fault::Crash).operation("ReadDossier").after(1).times(2));
    let pushed = fixture.pushed().await;
    assert_eq!(only(&pushed).0, Status::Pending, "{:?}", pushed.items);
    fixture.sandbox.clear_faults();
    // The dates of the platform are whole seconds: a change within the same one shows no other date.
    fixture.sandbox.advance(SignedDuration::from_secs(2));
    acts(&mut fixture.sandbox.world());
    let done = fixture.done();
    let pushed = fixture.pushed().await;
    assert_eq!(fixture.done(), done, "nothing more is done");
    (only(&pushed).0, only(&pushed).1.map(str::to_owned))
}

#[tokio::test]
async fn a_decision_whose_answer_was_lost_is_not_taken_over_a_reopening() {
    for platform in Platform::ALL {
        for action in [refuse("Hors délai"), accept("Complet")] {
            let fixture = PushFixture::new(platform).await;
            let number = fixture.dossier(State::EnInstruction);
            let fingerprint = Some(fixture.fingerprint(number).await);
            let expected = Expected { state: Some(DossierState::EnInstruction), fingerprint };
            let operation = if matches!(action, Action::Refuser { .. }) { "DossierRefuser" } else { "DossierAccepter" };
            fixture.ask(&[Intent { expected, ..intent("a", number, action) }]).await;
            let told = meanwhile(&fixture, operation, |world| {
                world.repasser_en_instruction(number, Some(2)).expect("legal");
            })
            .await;
            assert_eq!(told, (Status::Done, None), "{platform}: it was done, and is undone by a person");
            assert_eq!(fixture.state(number), "en_instruction");
            fixture.assert_settled().await;
        }
    }
}

#[tokio::test]
async fn a_step_on_the_way_that_was_taken_back_is_a_conflict() {
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnConstruction);
        fixture.ask(&[intent("a", number, accept("Complet"))]).await;
        let told = meanwhile(&fixture, "DossierPasserEnInstruction", |world| {
            world.repasser_en_construction(number, Some(2)).expect("legal");
        })
        .await;
        assert_eq!(told, (Status::Conflict, Some("undone".to_owned())), "{platform}");
        assert_eq!(fixture.state(number), "en_construction");
        fixture.assert_settled().await;
        // On its own it is all that was wanted.
        let other = fixture.dossier(State::EnConstruction);
        fixture.ask(&[intent("b", other, Action::PasserEnInstruction)]).await;
        let told = meanwhile(&fixture, "DossierPasserEnInstruction", |world| {
            world.repasser_en_construction(other, Some(2)).expect("legal");
        })
        .await;
        assert_eq!(told, (Status::Done, None), "{platform}");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn a_step_on_the_way_that_was_taken_back_after_the_decision_was_sent_is_a_conflict() {
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnConstruction);
        fixture.ask(&[intent("a", number, accept("Complet"))]).await;
        // The decision does not arrive, and the dossier cannot be read after it.
        fixture.sandbox.plan(FaultPlan::new(Fault::CloseBefore).operation("DossierAccepter").times(1));
        fixture.sandbox.plan(FaultPlan::new(Fault::Crash).operation("ReadDossier").after(2).times(2));
        let pushed = fixture.pushed().await;
        assert_eq!(only(&pushed).0, Status::Pending, "{:?}", pushed.items);
        fixture.sandbox.clear_faults();
        assert_eq!(fixture.done(), ["dossierPasserEnInstruction"], "{platform}");
        fixture.sandbox.world().repasser_en_construction(number, Some(2)).expect("legal");
        let pushed = fixture.pushed().await;
        assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Conflict, Some("undone")), "{platform}");
        assert_eq!(fixture.done().len(), 1, "{platform}: nothing more is done");
        assert_eq!(fixture.state(number), "en_construction");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn a_decision_that_was_overruled_is_not_overruled_a_second_time() {
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::Accepte);
        fixture.ask(&[Intent { overrule: true, ..intent("a", number, refuse("Hors délai")) }]).await;
        fixture.sandbox.plan(FaultPlan::new(Fault::CloseBefore).operation("DossierRefuser").times(1));
        fixture.sandbox.plan(FaultPlan::new(Fault::Crash).operation("ReadDossier").after(2).times(2));
        let pushed = fixture.pushed().await;
        assert_eq!(only(&pushed).0, Status::Pending, "{:?}", pushed.items);
        fixture.sandbox.clear_faults();
        assert_eq!(fixture.done(), ["dossierRepasserEnInstruction"], "{platform}");
        fixture.sandbox.world().accepter(number, "Complet après examen", Some(2)).expect("legal");
        let pushed = fixture.pushed().await;
        assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Conflict, Some("undone")), "{platform}");
        assert_eq!(fixture.done().len(), 1, "{platform}: nothing more is done");
        assert_eq!(fixture.state(number), "accepte");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn a_decision_of_a_colleague_for_another_reason_stays() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, refuse("Hors délai"))]).await;
    let told = meanwhile(&fixture, "DossierRefuser", |world| {
        world.repasser_en_instruction(number, Some(2)).expect("legal");
        world.refuser(number, "Autre motif", Some(2)).expect("legal");
    })
    .await;
    assert_eq!(told, (Status::Done, None), "the history has ours");
    fixture.assert_settled().await;
}

#[tokio::test]
async fn an_annotation_that_a_colleague_wrote_over_stays() {
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnInstruction);
        let edits = vec![Edit { annotation: "Avis du service".to_owned(), row: None, value: "Favorable".into() }];
        fixture.ask(&[intent("a", number, Action::Annotations { edits })]).await;
        let operation = match platform {
            Platform::DemarcheNumerique => "DossierModifierAnnotations",
            Platform::DematSocial => "DossierModifierAnnotationText",
        };
        let told = meanwhile(&fixture, operation, |world| {
            let place = demarche_numerique::sandbox::world::form::stable_id::FIRST_ANNOTATION;
            world.annotate_by_api(number, place, "Défavorable").expect("it exists");
        })
        .await;
        assert_eq!(told, (Status::Conflict, Some("rewritten".to_owned())), "{platform}");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn what_has_no_history_is_in_doubt_once_the_dossier_moved() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let decided = fixture.dossier(State::Accepte);
    fixture.ask(&[intent("a", decided, Action::Archiver)]).await;
    let told = meanwhile(&fixture, "DossierArchiver", |world| {
        world.desarchiver(decided).expect("legal");
    })
    .await;
    assert_eq!(told, (Status::Ambiguous, Some("lost_answer".to_owned())));
    let groupe = Action::ChangerGroupe { groupe: format!("{}", fixture.scope.demarche.get() * 10 + 2) };
    let open = fixture.dossier(State::EnInstruction);
    let had = fixture.sandbox.dossier(open).expect("shown").groupe;
    fixture.ask(&[intent("b", open, groupe)]).await;
    let told = meanwhile(&fixture, "DossierChangerGroupeInstructeur", |world| {
        world.changer_groupe(open, had).expect("it is of the démarche");
    })
    .await;
    assert_eq!(told, (Status::Ambiguous, Some("lost_answer".to_owned())));
    fixture.assert_settled().await;
}

/// Sends again what was surely not done, unless the dossier is not what the person saw any more.
#[tokio::test]
async fn what_never_arrived_is_sent_again_only_for_what_the_person_saw() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    for (seen, expected) in [(true, Status::Conflict), (false, Status::Done)] {
        let number = fixture.dossier(State::EnInstruction);
        let fingerprint = fixture.fingerprint(number).await;
        let fingerprint = seen.then_some(fingerprint);
        let expected_of = Expected { state: None, fingerprint };
        fixture
            .ask(&[Intent { expected: expected_of, ..intent(&format!("a-{number}"), number, accept("Complet")) }])
            .await;
        fixture.sandbox.plan(FaultPlan::new(Fault::CloseBefore).operation("DossierAccepter").times(1));
        let quiet = SignedDuration::from_mins(2);
        assert_eq!(fixture.push_with(quiet).await.expect("a push").count(Status::Pending), 1);
        fixture.sandbox.advance(SignedDuration::from_mins(1));
        fixture.sandbox.world().touch(number);
        fixture.sandbox.advance(SignedDuration::from_mins(3));
        let pushed = fixture.push_with(quiet).await.expect("a push");
        assert_eq!(only(&pushed).0, expected, "{:?}", pushed.items);
    }
    let decisions = fixture.sandbox.audit().into_iter().filter(|entry| matches!(entry.effect, Effect::State { .. }));
    assert_eq!(decisions.count(), 1);
    fixture.assert_settled().await;
}

/// A failure is tried again less and less often.
#[tokio::test]
async fn failures_are_spaced() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, accept("Complet"))]).await;
    fixture.sandbox.plan(FaultPlan::new(Fault::Crash).operation("DossierAccepter"));
    let quiet = SignedDuration::from_mins(2);
    let mut sent = Vec::new();
    for minute in 0..90 {
        let before = fixture.sandbox.requests().len();
        let pushed = fixture.push_with(quiet).await.expect("a push");
        let asked = fixture.sandbox.requests();
        if asked[before..].iter().any(|request| request.operation.as_deref() == Some("DossierAccepter")) {
            sent.push(minute);
        }
        if pushed.count(Status::Refused) > 0 {
            break;
        }
        let words = pushed.items[0].words.as_deref().unwrap_or_default();
        assert!(words.contains("HTTP 500"), "{words}");
        fixture.sandbox.advance(SignedDuration::from_mins(1));
    }
    assert_eq!(sent.len(), 5, "{sent:?}");
    assert!(sent.windows(3).all(|three| three[2] - three[1] > three[1] - three[0]), "{sent:?}");
    fixture.sandbox.clear_faults();
    fixture.assert_settled().await;
}
