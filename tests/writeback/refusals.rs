//! What cannot be done is told, parked, and in nobody's way.

use demarche_numerique::intent::{Action, Edit, Intent, Status, Words};
use demarche_numerique::sandbox::world::State;
use demarche_numerique::sandbox::world::form::stable_id::FIRST_ANNOTATION;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, DEMARCHE_LARGE};
use demarche_numerique::writeback::PushError;
use demarche_numerique::{Client, Platform};

use super::{Desk, accept, intent, message};

#[tokio::test]
async fn every_refusal_has_a_word_and_the_rest_goes_on() {
    let desk = Desk::new(Platform::DemarcheNumerique).await;
    let open = desk.dossier(State::EnInstruction);
    let new = desk.dossier(State::EnConstruction);
    let decided = desk.dossier(State::Accepte);
    let archived = desk.dossier(State::Accepte);
    desk.sandbox.world().archiver(archived).expect("legal");
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
    desk.ask(&intents).await;
    desk.ask(&[intent("last", open, accept("Complet"))]).await;
    let pushed = desk.pushed().await;
    let told: Vec<_> = pushed.items.iter().filter_map(|item| item.reason.as_deref()).collect();
    assert_eq!(told, words, "{:#?}", pushed.items);
    assert_eq!(pushed.items.last().map(|item| item.status), Some(Status::Done));
    assert_eq!(desk.done(), ["dossierAccepter"]);
    desk.assert_settled().await;
}

#[tokio::test]
async fn what_demat_social_lacks_is_told_as_such() {
    let desk = Desk::new(Platform::DematSocial).await;
    let (open, archived) = (desk.dossier(State::EnInstruction), desk.dossier(State::Accepte));
    desk.sandbox.world().archiver(archived).expect("legal");
    desk.ask(&[intent("a", open, Action::Suivre { follow: false }), intent("b", archived, Action::Desarchiver)]).await;
    let pushed = desk.pushed().await;
    for item in &pushed.items {
        assert_eq!(item.reason.as_deref(), Some("not_available"), "{item:?}");
        assert!(item.words.as_deref().is_some_and(|words| words.contains("demat-social")), "{item:?}");
    }
    desk.assert_settled().await;
}

#[tokio::test]
async fn mandatory_annotations_are_refused_in_the_platforms_words_with_ours() {
    let desk = Desk::new(Platform::DemarcheNumerique).await;
    let number = desk.dossier(State::EnInstruction);
    desk.sandbox.world().require_annotation(DEMARCHE_COMPLETE, FIRST_ANNOTATION + 4, true);
    desk.ask(&[intent("a", number, accept("Complet"))]).await;
    let pushed = desk.pushed().await;
    let words = pushed.items[0].words.as_deref().unwrap_or_default();
    assert_eq!(pushed.items[0].reason.as_deref(), Some("platform"));
    assert!(words.starts_with("Le dossier est déjà en instruction"), "{words}");
    assert!(words.contains("mandatory annotations"), "{words}");
    desk.assert_settled().await;
}

#[tokio::test]
async fn a_dossier_of_another_demarche_is_not_touched() {
    let desk = Desk::new(Platform::DemarcheNumerique).await;
    let spec = demarche_numerique::sandbox::WorldSpec::new(Platform::DemarcheNumerique);
    let other = demarche_numerique::sandbox::Sandbox::new(&spec);
    let number = other.world().submit(DEMARCHE_LARGE).expect("the démarche exists");
    let server = other.serve_locally().await.expect("a free port on loopback");
    let client = Client::builder(Platform::DemarcheNumerique).url(server.url()).token(other.token()).build();
    let desk = Desk { client: client.expect("valid settings"), ..desk };
    desk.ask(&[intent("a", number, accept("Complet"))]).await;
    let pushed = desk.pushed().await;
    assert_eq!(pushed.items[0].reason.as_deref(), Some("other_demarche"), "{:?}", pushed.items);
    assert_eq!(other.audit(), []);
}

#[tokio::test]
async fn a_token_that_may_only_read_ends_the_push_and_settles_nothing() {
    let desk = Desk::new(Platform::DemarcheNumerique).await;
    let number = desk.dossier(State::EnInstruction);
    desk.ask(&[intent("a", number, accept("Complet"))]).await;
    desk.sandbox.world().tokens[0].write_access = false;
    let error = desk.push().await.expect_err("it may not write");
    assert!(matches!(error.split().1, PushError::Mutation(_)));
    desk.sandbox.world().tokens[0].write_access = true;
    assert_eq!(desk.outcomes().await, [Status::Done]);
    desk.assert_settled().await;
}
