//! Reports and parks what cannot be done, in nobody's way.

use std::sync::Arc;

use demarche_numerique::api::CorrectionReason;
use demarche_numerique::intent::{Action, Edit, Intent, Status, Words};
use demarche_numerique::sandbox::world::form::stable_id::FIRST_ANNOTATION;
use demarche_numerique::sandbox::world::{Demandeur, Poison, State};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, DEMARCHE_LARGE};
use demarche_numerique::writeback::PushError;
use demarche_numerique::{Client, Platform};
use jiff::SignedDuration;

use super::{PushFixture, accept, intent, message, only};

#[tokio::test]
async fn every_refusal_has_a_word_and_the_rest_goes_on() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let open = fixture.dossier(State::EnInstruction);
    let new = fixture.dossier(State::EnConstruction);
    let decided = fixture.dossier(State::Accepte);
    let archived = fixture.dossier(State::Accepte);
    fixture.sandbox.world().archiver(archived).expect("legal");
    let edit = |annotation: &str, value: &str| Action::Annotations {
        edits: vec![Edit { annotation: annotation.to_owned(), row: None, value: value.into() }],
    };
    let by = |author: &str, intent: Intent| Intent { author: Some(Words::new(author)), ..intent };
    let groupe = |name: &str| Action::ChangerGroupe { groupe: name.to_owned() };
    let cases = vec![
        ("no_dossier", intent("1", 999_999, accept("x"))),
        ("not_decided", intent("2", open, Action::Archiver)),
        ("no_way", intent("3", new, Action::RepasserEnInstruction)),
        ("conflict", intent("4", decided, Action::RepasserEnConstruction)),
        ("archived", intent("5", archived, message("Bonjour"))),
        ("unknown", intent("6", open, edit("Avis du servisse", "x"))),
        ("value", intent("7", open, edit("Score", "douze"))),
        ("value", intent("8", open, edit("Priorité", "Urgente"))),
        ("unknown", intent("9", open, groupe("Nulle part"))),
        ("unknown", intent("10", open, Action::Label { label: "nulle".to_owned(), present: true })),
        ("not_in_groupe", by("personne@example.org", intent("11", open, message("Bonjour")))),
        ("not_in_groupe", by("instructeur-4@example.org", intent("12", open, accept("Complet")))),
    ];
    let (words, intents): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    fixture.ask(&intents).await;
    fixture.ask(&[intent("last", open, accept("Complet"))]).await;
    let pushed = fixture.pushed().await;
    let told: Vec<_> = pushed.items.iter().filter_map(|item| item.reason.as_deref()).collect();
    assert_eq!(told, words, "{:#?}", pushed.items);
    assert_eq!(pushed.items.last().map(|item| item.status), Some(Status::Done));
    assert_eq!(fixture.done(), ["dossierAccepter"]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn what_demat_social_lacks_is_told_as_such() {
    let fixture = PushFixture::new(Platform::DematSocial).await;
    let (open, archived) = (fixture.dossier(State::EnInstruction), fixture.dossier(State::Accepte));
    fixture.sandbox.world().archiver(archived).expect("legal");
    fixture
        .ask(&[intent("a", open, Action::Suivre { follow: false }), intent("b", archived, Action::Desarchiver)])
        .await;
    let pushed = fixture.pushed().await;
    for item in &pushed.items {
        assert_eq!(item.reason.as_deref(), Some("not_available"), "{item:?}");
        assert!(item.words.as_deref().is_some_and(|words| words.contains("demat-social")), "{item:?}");
    }
    fixture.assert_settled().await;
}

#[tokio::test]
async fn mandatory_annotations_are_refused_in_the_platforms_words_with_ours() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.sandbox.world().annotate_by_api(number, FIRST_ANNOTATION, "").expect("it exists");
    fixture.sandbox.world().require_annotation(DEMARCHE_COMPLETE, FIRST_ANNOTATION, true);
    fixture.ask(&[intent("a", number, accept("Complet"))]).await;
    let pushed = fixture.pushed().await;
    let words = pushed.items[0].words.as_deref().unwrap_or_default();
    assert_eq!(pushed.items[0].reason.as_deref(), Some("platform"));
    assert!(words.starts_with("Le dossier est déjà en instruction"), "{words}");
    assert!(words.contains("mandatory annotations"), "{words}");
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_dossier_of_another_demarche_is_not_touched() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let spec = demarche_numerique::sandbox::WorldSpec::new(Platform::DemarcheNumerique);
    let other = demarche_numerique::sandbox::Sandbox::new(&spec);
    let number = other.world().submit(DEMARCHE_LARGE).expect("the démarche exists");
    let server = other.serve_locally().await.expect("a free port on loopback");
    let client = Client::builder(Platform::DemarcheNumerique).url(server.url()).token(other.token()).build();
    let fixture = PushFixture { client: client.expect("valid settings"), ..fixture };
    fixture.ask(&[intent("a", number, accept("Complet"))]).await;
    let pushed = fixture.pushed().await;
    assert_eq!(pushed.items[0].reason.as_deref(), Some("other_demarche"), "{:?}", pushed.items);
    assert_eq!(other.audit(), []);
}

#[tokio::test]
async fn a_token_that_may_only_read_ends_the_push_and_settles_nothing() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, accept("Complet"))]).await;
    fixture.sandbox.world().tokens[0].write_access = false;
    let error = fixture.push().await.expect_err("it may not write");
    assert!(matches!(error.split().1, PushError::Mutation(_)));
    fixture.sandbox.world().tokens[0].write_access = true;
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_dossier_under_sva_is_not_given_back() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.sandbox.world().set_sva(number, "2026-06-01".parse().expect("a day"));
    fixture.ask(&[intent("a", number, Action::RepasserEnConstruction)]).await;
    let pushed = fixture.pushed().await;
    assert_eq!(pushed.items[0].reason.as_deref(), Some("sva_svr"), "{:?}", pushed.items);
    // A dossier that does not tell is tried, and given up after a few times.
    let silent = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("b", silent, Action::RepasserEnConstruction)]).await;
    let pushed = fixture.pushed().await;
    assert_eq!(pushed.items[0].reason.as_deref(), Some("no_effect"), "{:?}", pushed.items);
    assert_eq!(fixture.done(), [""; 0]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn what_the_platform_asks_to_try_later_is_tried_later() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    let siret = "99999999999999".to_owned();
    fixture.sandbox.world().set_demandeur(number, Demandeur::PersonneMorale { siret, enriched: false });
    fixture.ask(&[intent("a", number, accept("Complet"))]).await;
    // It was answered: nothing was lost, and the platform's words are told, also while it waits for its time.
    for _ in 0..2 {
        let pushed = fixture.pushed().await;
        let (status, reason, words) = only(&pushed);
        assert_eq!((status, reason), (Status::Pending, Some("later")));
        let said = "Les informations du SIRET du dossier ne sont pas complètes. Veuillez réessayer plus tard.";
        assert!(words.starts_with(said), "{words}");
    }
    fixture.sandbox.advance(SignedDuration::from_mins(16));
    assert_eq!(fixture.outcomes().await, [Status::Pending], "the register has not answered yet");
    fixture.sandbox.world().enrich_demandeur(number);
    assert_eq!(fixture.outcomes().await, [Status::Pending], "its time has not come yet");
    fixture.sandbox.advance(SignedDuration::from_mins(16));
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_correction_that_would_be_forgotten_is_refused() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let (open, decided) = (fixture.dossier(State::EnInstruction), fixture.dossier(State::Accepte));
    let correction = |body: &str| Action::Message {
        body: Words::new(body),
        attachment: None,
        correction: Some(CorrectionReason::Incorrect),
    };
    fixture
        .ask(&[
            intent("first", open, correction("Corrigez le montant.")),
            intent("second", open, correction("Corrigez la date.")),
            intent("decided", decided, correction("Trop tard.")),
        ])
        .await;
    assert_eq!(fixture.outcomes().await, [Status::Done, Status::Refused, Status::Refused]);
    assert_eq!(fixture.done(), ["dossierEnvoyerMessage"]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_batch_that_is_done_in_part_is_told_and_not_repeated() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    let edit =
        |annotation: &str, value: serde_json::Value| Edit { annotation: annotation.to_owned(), row: None, value };
    let edits = vec![edit("Score", 7.into()), edit("Priorité", "Haute".into()), edit("Montant accordé", "12.5".into())];
    fixture.ask(&[intent("a", number, Action::Annotations { edits })]).await;
    // The list loses the choice between the reading of the form and the writing.
    fixture.sandbox.after_request(2, |world| {
        let demarche = world.demarche_mut(DEMARCHE_COMPLETE).expect("it exists");
        for revision in &mut demarche.revisions {
            let question = Arc::make_mut(&mut revision.form).question_mut(FIRST_ANNOTATION + 6).expect("it exists");
            question.options = vec!["Basse".to_owned()];
        }
    });
    let pushed = fixture.pushed().await;
    assert_eq!((pushed.items[0].status, pushed.items[0].reason.as_deref()), (Status::Refused, Some("platform")));
    assert_eq!(fixture.done(), ["dossierModifierAnnotations"; 2], "the other two are written, once");
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_dossier_that_left_is_parked() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnConstruction);
    fixture.ask(&[intent("a", number, accept("Complet"))]).await;
    fixture.sandbox.world().delete_by_user(number).expect("it is not decided");
    let pushed = fixture.pushed().await;
    assert_eq!(pushed.items[0].reason.as_deref(), Some("no_dossier"), "{:?}", pushed.items);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_dossier_that_the_platform_cannot_show_waits_and_is_in_nobodys_way() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let (sick, well) = (fixture.dossier(State::EnInstruction), fixture.dossier(State::EnInstruction));
    fixture.sandbox.world().poison(sick, Poison::Crash);
    fixture.ask(&[intent("a", sick, accept("Complet")), intent("b", well, accept("Complet"))]).await;
    assert_eq!(fixture.outcomes().await, [Status::Pending, Status::Done]);
    fixture.sandbox.world().heal(sick);
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    fixture.assert_settled().await;
}

/// One platform says it, the other fails without a word.
#[tokio::test]
async fn a_correction_that_blocks_is_named_on_both_platforms() {
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        fixture.sandbox.world().demarche_mut(DEMARCHE_COMPLETE).expect("it exists").correction_blocks = true;
        let number = fixture.dossier(State::EnConstruction);
        let asks = Some("incomplete");
        fixture.sandbox.world().envoyer_message(number, Some(1), "Une pièce.", asks, Vec::new()).expect("it is sent");
        fixture.ask(&[intent("a", number, Action::PasserEnInstruction)]).await;
        let first = fixture.push_with(SignedDuration::from_mins(2)).await.expect("a push");
        let expected = match platform {
            Platform::DemarcheNumerique => (Status::Refused, Some("platform")),
            Platform::DematSocial => (Status::Pending, Some("correction_awaited")),
        };
        let (status, reason, words) = only(&first);
        assert_eq!((status, reason), expected, "{platform}: {words}");
        assert!(words.contains("correction"), "{platform}: {words}");
        let sent = || {
            let asked = fixture.sandbox.requests().into_iter();
            asked.filter(|asked| asked.operation.as_deref() == Some("DossierPasserEnInstruction")).count()
        };
        assert_eq!(sent(), 1, "{platform}");
        if platform == Platform::DematSocial {
            fixture.sandbox.advance(SignedDuration::from_hours(1));
            let given_up = fixture.pushed().await;
            assert_eq!((only(&given_up).0, only(&given_up).1), (Status::Refused, Some("correction_awaited")));
            assert_eq!(sent(), 5);
        }
        fixture.assert_settled().await;
    }
}
