//! Annotations of the kinds that a newer Démarche Numérique has, files among them, and corrections that are taken back.

use std::path::PathBuf;

use demarche_numerique::intent::{Action, Edit, Expected, Status, Words};
use demarche_numerique::sandbox::world::{Effect, State};
use demarche_numerique::sandbox::{DEMARCHE_CLONE, DEMARCHE_COMPLETE, Fault, FaultPlan, Kind, WorldSpec};
use demarche_numerique::sink::MemoryOutbox;
use demarche_numerique::{ChampValue, DossierNumber, Platform};
use serde_json::{Value, json};

use super::{PushFixture, intent, only};

fn edits(values: &[(&str, Value)]) -> Action {
    let edit = |(annotation, value): &(&str, Value)| Edit {
        annotation: (*annotation).to_owned(),
        row: None,
        value: value.clone(),
    };
    Action::Annotations { edits: values.iter().map(edit).collect() }
}

/// A platform whose instructeurs fill in these, newer or not.
async fn asking(platform: Platform, newer: bool, kinds: &[(Kind, &str)]) -> PushFixture {
    let fixture = PushFixture::new(platform).await;
    {
        let mut world = fixture.sandbox.world();
        world.newer = newer;
        for (kind, label) in kinds {
            world.ask_annotation(DEMARCHE_COMPLETE, *kind, label);
        }
    }
    fixture
}

const KINDS: [(Kind, &str); 8] = [
    (Kind::Phone, "Téléphone"),
    (Kind::Iban, "Compte"),
    (Kind::Formatted, "Référence"),
    (Kind::Civilite, "Civilité"),
    (Kind::Pays, "Pays"),
    (Kind::Regions, "Région"),
    (Kind::Departements, "Département"),
    (Kind::DossierLink, "Voir aussi"),
];

fn values(linked: u32) -> Vec<(&'static str, Value)> {
    vec![
        ("Téléphone", json!("+33 1 99 00 12 34")),
        ("Compte", json!("GB82 WEST 1234 5698 7654 32")),
        ("Référence", json!("AB-12")),
        ("Civilité", json!("Madame")),
        ("Pays", json!("Belgique")),
        ("Région", json!("11")),
        ("Département", json!("Corse-du-Sud")),
        ("Voir aussi", json!(linked)),
        ("Avis du service", json!("Favorable")),
    ]
}

#[tokio::test]
async fn every_newer_kind_is_written_with_the_others_in_one_mutation_and_seen() {
    let fixture = asking(Platform::DemarcheNumerique, true, &KINDS).await;
    let (number, linked) = (fixture.dossier(State::EnInstruction), fixture.dossier(State::EnInstruction));
    fixture.ask(&[intent("a", number, edits(&values(linked)))]).await;
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    let mutations: std::collections::BTreeSet<String> = fixture.done().into_iter().collect();
    assert_eq!(mutations.into_iter().collect::<Vec<_>>(), ["dossierModifierAnnotations"]);
    // The world may have given some of these answers already.
    assert!((1..=values(linked).len()).contains(&fixture.done().len()), "each is saved once: {:?}", fixture.done());
    fixture.ask(&[intent("b", number, edits(&values(linked)))]).await;
    assert_eq!(fixture.outcomes().await, [Status::AlreadyDone], "what the platform made of them is known again");
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_platform_that_lacks_a_newer_kind_is_not_asked_for_it() {
    for (platform, newer) in [(Platform::DemarcheNumerique, false), (Platform::DematSocial, false)] {
        // Formatted texts are of the younger platform alone.
        let fixture = asking(platform, newer, &[KINDS[0]]).await;
        let number = fixture.dossier(State::EnInstruction);
        fixture.ask(&[intent("a", number, edits(&[("Téléphone", json!("01 99 00 12 34"))]))]).await;
        let planned = fixture.plan().await;
        assert_eq!(only(&planned).1, Some("not_available"), "{platform}: the plan says so too");
        let pushed = fixture.pushed().await;
        assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Refused, Some("not_available")), "{platform}");
        assert_eq!(fixture.done(), [""; 0]);
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn a_value_that_the_platform_would_refuse_is_not_sent() {
    for (kind, value) in [
        (Kind::Phone, json!("demain")),
        (Kind::Iban, json!("GB83 WEST 1234 5698 7654 32")),
        (Kind::Civilite, json!("Docteur")),
        (Kind::DossierLink, json!("celui d'à côté")),
        (Kind::PieceJustificative, json!([])),
    ] {
        let fixture = asking(Platform::DemarcheNumerique, true, &[(kind, "Question")]).await;
        let number = fixture.dossier(State::EnInstruction);
        fixture.ask(&[intent("a", number, edits(&[("Question", value)]))]).await;
        let pushed = fixture.pushed().await;
        assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Refused, Some("value")), "{kind:?}");
        assert_eq!(fixture.done(), [""; 0]);
    }
}

#[tokio::test]
async fn an_annotation_that_is_named_in_two_ways_is_written_in_neither() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    let dossier = fixture.client.dossier(DossierNumber::new(number)).await.expect("an answer").expect("it is shown");
    let id = dossier.annotation("Score").expect("it is asked").descriptor.as_str().to_owned();
    fixture.ask(&[intent("a", number, edits(&[("Score", json!(1)), (&id, json!(2))]))]).await;
    let pushed = fixture.pushed().await;
    assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Refused, Some("value")));
    assert_eq!(fixture.done(), [""; 0]);
}

fn file(folder: &tempfile::TempDir, name: &str, content: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("a writable folder");
    path
}

/// The files that an annotation holds: name and size.
async fn held(fixture: &PushFixture, number: u32, label: &str) -> Vec<(String, u64)> {
    let dossier = fixture.client.dossier(DossierNumber::new(number)).await.expect("an answer").expect("it is shown");
    match &dossier.annotation(label).expect("it is asked").value {
        ChampValue::Files(files) => files.iter().map(|file| (file.filename.clone(), file.byte_size)).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn files_are_added_to_an_annotation_once_whatever_becomes_of_the_answer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (avis, plan) = (file(&folder, "avis.pdf", "un avis"), file(&folder, "plan.pdf", "un plan"));
    for fault in [None, Some(Fault::LoseAnswer)] {
        let fixture = asking(Platform::DemarcheNumerique, true, &[(Kind::PieceJustificative, "Pièces")]).await;
        let number = fixture.dossier(State::EnInstruction);
        let before = held(&fixture, number, "Pièces").await;
        let both = [("Pièces", json!([avis, plan])), ("Score", json!(7))];
        fixture.ask(&[intent("a", number, edits(&both))]).await;
        if let Some(fault) = fault {
            fixture.sandbox.plan(FaultPlan::new(fault).operation("DossierModifierAnnotations").times(1));
        }
        assert_eq!(fixture.outcomes().await, [Status::Done]);
        let mut expected = before.clone();
        expected.extend([("avis.pdf".to_owned(), 7), ("plan.pdf".to_owned(), 7)]);
        assert_eq!(held(&fixture, number, "Pièces").await, expected, "each is there once");
        let uploads = fixture.done().iter().filter(|name| *name == "createDirectUpload").count();
        assert_eq!(uploads, 2, "one upload a file");
        // The same again, and a file of the same name with other bytes.
        fixture.ask(&[intent("b", number, edits(&both))]).await;
        assert_eq!(fixture.outcomes().await, [Status::AlreadyDone]);
        let other = tempfile::tempdir().expect("a temporary folder");
        let changed = file(&other, "avis.pdf", "un autre avis");
        fixture.ask(&[intent("c", number, edits(&[("Pièces", json!(changed))]))]).await;
        assert_eq!(fixture.outcomes().await, [Status::Done]);
        assert_eq!(held(&fixture, number, "Pièces").await.last(), Some(&("avis.pdf".to_owned(), 13)));
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_refuses_its_annotations_before_anything_is_sent() {
    let fixture = asking(Platform::DemarcheNumerique, true, &[(Kind::PieceJustificative, "Pièces")]).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, edits(&[("Score", json!(7)), ("Pièces", json!("/absent/avis.pdf"))]))]).await;
    let pushed = fixture.pushed().await;
    assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Refused, Some("file")));
    assert_eq!(fixture.done(), [""; 0]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_request_for_a_correction_is_taken_back_where_the_platform_can() {
    for newer in [true, false] {
        let fixture = asking(Platform::DemarcheNumerique, newer, &[]).await;
        let (waiting, calm) = (fixture.dossier(State::EnInstruction), fixture.dossier(State::EnInstruction));
        let agent = Some(1);
        fixture
            .sandbox
            .world()
            .envoyer_message(waiting, agent, "Il manque une pièce", Some("incomplete"), Vec::new())
            .expect("legal");
        fixture
            .ask(&[
                intent("a", waiting, Action::AnnulerDemandeCorrection),
                intent("b", calm, Action::AnnulerDemandeCorrection),
            ])
            .await;
        let outcomes = fixture.outcomes().await;
        if newer {
            assert_eq!(outcomes, [Status::Done, Status::AlreadyDone]);
            assert!(matches!(fixture.sandbox.audit()[0].effect, Effect::CorrectionCancelled(_)));
        } else {
            assert_eq!(outcomes, [Status::Refused, Status::AlreadyDone]);
            assert_eq!(fixture.done(), [""; 0]);
        }
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn intents_that_wait_for_each_other_are_refused() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    let say = |id: &str, requires: &str| {
        let body = Action::Message { body: Words::new(format!("Bonjour {id}")), attachment: None, correction: None };
        let mut asked = intent(id, number, body);
        asked.requires = Some(demarche_numerique::intent::IntentId::new(requires).expect("a short line"));
        asked.expected = Expected::default();
        asked
    };
    fixture.ask(&[say("a", "b"), say("b", "c"), say("c", "a")]).await;
    for plan in [true, false] {
        let pushed = if plan { fixture.plan().await } else { fixture.pushed().await };
        let told: Vec<_> = pushed.items.iter().map(|item| (item.status, item.reason.as_deref())).collect();
        assert_eq!(told, [(Status::Refused, Some("requires")); 3], "{pushed:?}");
    }
    assert_eq!(fixture.done(), [""; 0]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_dossier_that_the_token_does_not_show_waits_and_says_why() {
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE, DEMARCHE_CLONE]).dossiers(0);
    let fixture = PushFixture::of(spec, DEMARCHE_COMPLETE, MemoryOutbox::default()).await;
    let hidden = fixture.sandbox.world().submit(DEMARCHE_CLONE).expect("the démarche exists");
    fixture.ask(&[intent("a", hidden, Action::PasserEnInstruction)]).await;
    fixture.sandbox.world().tokens[0].demarches = Some(std::iter::once(DEMARCHE_COMPLETE).collect());
    for pushed in [fixture.plan().await, fixture.pushed().await] {
        let (status, reason, words) = only(&pushed);
        assert_eq!((status, reason), (Status::Pending, Some("out_of_scope")), "{words}");
        assert_eq!(pushed.waiting().into_iter().collect::<Vec<_>>(), [("out_of_scope", 1)]);
    }
    assert_eq!(fixture.done(), [""; 0]);
}
