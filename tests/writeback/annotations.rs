//! Annotations of the kinds that a newer Démarche Numérique has, files among them, and corrections that are taken back.

use std::path::PathBuf;

use demarche_numerique::intent::{Action, Edit, Expected, Status, Words};
use demarche_numerique::sandbox::world::{Effect, State};
use demarche_numerique::sandbox::{DEMARCHE_CLONE, DEMARCHE_COMPLETE, Fault, FaultPlan, Kind, WorldSpec};
use demarche_numerique::sink::MemoryOutbox;
use demarche_numerique::{ChampValue, DossierNumber, Platform};
use serde_json::{Value, json};

use super::{Desk, intent, only};

fn edits(values: &[(&str, Value)]) -> Action {
    let edit = |(annotation, value): &(&str, Value)| Edit {
        annotation: (*annotation).to_owned(),
        row: None,
        value: value.clone(),
    };
    Action::Annotations { edits: values.iter().map(edit).collect() }
}

/// A platform whose instructeurs fill in these, newer or not.
async fn asking(platform: Platform, newer: bool, kinds: &[(Kind, &str)]) -> Desk {
    let desk = Desk::new(platform).await;
    {
        let mut world = desk.sandbox.world();
        world.newer = newer;
        for (kind, label) in kinds {
            world.ask_annotation(DEMARCHE_COMPLETE, *kind, label);
        }
    }
    desk
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
    let desk = asking(Platform::DemarcheNumerique, true, &KINDS).await;
    let (number, linked) = (desk.dossier(State::EnInstruction), desk.dossier(State::EnInstruction));
    desk.ask(&[intent("a", number, edits(&values(linked)))]).await;
    assert_eq!(desk.outcomes().await, [Status::Done]);
    let mutations: std::collections::BTreeSet<String> = desk.done().into_iter().collect();
    assert_eq!(mutations.into_iter().collect::<Vec<_>>(), ["dossierModifierAnnotations"]);
    // The world may have given some of these answers already.
    assert!((1..=values(linked).len()).contains(&desk.done().len()), "each is saved once: {:?}", desk.done());
    desk.ask(&[intent("b", number, edits(&values(linked)))]).await;
    assert_eq!(desk.outcomes().await, [Status::AlreadyDone], "what the platform made of them is known again");
    desk.assert_settled().await;
}

#[tokio::test]
async fn a_platform_that_lacks_a_newer_kind_is_not_asked_for_it() {
    for (platform, newer) in [(Platform::DemarcheNumerique, false), (Platform::DematSocial, false)] {
        // Formatted texts are of the younger platform alone.
        let desk = asking(platform, newer, &[KINDS[0]]).await;
        let number = desk.dossier(State::EnInstruction);
        desk.ask(&[intent("a", number, edits(&[("Téléphone", json!("01 99 00 12 34"))]))]).await;
        let planned = desk.plan().await;
        assert_eq!(only(&planned).1, Some("not_available"), "{platform}: the plan says so too");
        let pushed = desk.pushed().await;
        assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Refused, Some("not_available")), "{platform}");
        assert_eq!(desk.done(), [""; 0]);
        desk.assert_settled().await;
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
        let desk = asking(Platform::DemarcheNumerique, true, &[(kind, "Question")]).await;
        let number = desk.dossier(State::EnInstruction);
        desk.ask(&[intent("a", number, edits(&[("Question", value)]))]).await;
        let pushed = desk.pushed().await;
        assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Refused, Some("value")), "{kind:?}");
        assert_eq!(desk.done(), [""; 0]);
    }
}

#[tokio::test]
async fn an_annotation_that_is_named_in_two_ways_is_written_in_neither() {
    let desk = Desk::new(Platform::DemarcheNumerique).await;
    let number = desk.dossier(State::EnInstruction);
    let dossier = desk.client.dossier(DossierNumber::new(number)).await.expect("an answer").expect("it is shown");
    let id = dossier.annotation("Score").expect("it is asked").descriptor.as_str().to_owned();
    desk.ask(&[intent("a", number, edits(&[("Score", json!(1)), (&id, json!(2))]))]).await;
    let pushed = desk.pushed().await;
    assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Refused, Some("value")));
    assert_eq!(desk.done(), [""; 0]);
}

fn file(folder: &tempfile::TempDir, name: &str, content: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("a writable folder");
    path
}

/// The files that an annotation holds: name and size.
async fn held(desk: &Desk, number: u32, label: &str) -> Vec<(String, u64)> {
    let dossier = desk.client.dossier(DossierNumber::new(number)).await.expect("an answer").expect("it is shown");
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
        let desk = asking(Platform::DemarcheNumerique, true, &[(Kind::PieceJustificative, "Pièces")]).await;
        let number = desk.dossier(State::EnInstruction);
        let before = held(&desk, number, "Pièces").await;
        let both = [("Pièces", json!([avis, plan])), ("Score", json!(7))];
        desk.ask(&[intent("a", number, edits(&both))]).await;
        if let Some(fault) = fault {
            desk.sandbox.plan(FaultPlan::new(fault).operation("DossierModifierAnnotations").times(1));
        }
        assert_eq!(desk.outcomes().await, [Status::Done]);
        let mut expected = before.clone();
        expected.extend([("avis.pdf".to_owned(), 7), ("plan.pdf".to_owned(), 7)]);
        assert_eq!(held(&desk, number, "Pièces").await, expected, "each is there once");
        let uploads = desk.done().iter().filter(|name| *name == "createDirectUpload").count();
        assert_eq!(uploads, 2, "one upload a file");
        // The same again, and a file of the same name with other bytes.
        desk.ask(&[intent("b", number, edits(&both))]).await;
        assert_eq!(desk.outcomes().await, [Status::AlreadyDone]);
        let other = tempfile::tempdir().expect("a temporary folder");
        let changed = file(&other, "avis.pdf", "un autre avis");
        desk.ask(&[intent("c", number, edits(&[("Pièces", json!(changed))]))]).await;
        assert_eq!(desk.outcomes().await, [Status::Done]);
        assert_eq!(held(&desk, number, "Pièces").await.last(), Some(&("avis.pdf".to_owned(), 13)));
        desk.assert_settled().await;
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_refuses_its_annotations_before_anything_is_sent() {
    let desk = asking(Platform::DemarcheNumerique, true, &[(Kind::PieceJustificative, "Pièces")]).await;
    let number = desk.dossier(State::EnInstruction);
    desk.ask(&[intent("a", number, edits(&[("Score", json!(7)), ("Pièces", json!("/absent/avis.pdf"))]))]).await;
    let pushed = desk.pushed().await;
    assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Refused, Some("file")));
    assert_eq!(desk.done(), [""; 0]);
    desk.assert_settled().await;
}

#[tokio::test]
async fn a_request_for_a_correction_is_taken_back_where_the_platform_can() {
    for newer in [true, false] {
        let desk = asking(Platform::DemarcheNumerique, newer, &[]).await;
        let (waiting, calm) = (desk.dossier(State::EnInstruction), desk.dossier(State::EnInstruction));
        let agent = Some(1);
        desk.sandbox
            .world()
            .envoyer_message(waiting, agent, "Il manque une pièce", Some("incomplete"), Vec::new())
            .expect("legal");
        desk.ask(&[
            intent("a", waiting, Action::AnnulerDemandeCorrection),
            intent("b", calm, Action::AnnulerDemandeCorrection),
        ])
        .await;
        let outcomes = desk.outcomes().await;
        if newer {
            assert_eq!(outcomes, [Status::Done, Status::AlreadyDone]);
            assert!(matches!(desk.sandbox.audit()[0].effect, Effect::CorrectionCancelled(_)));
        } else {
            assert_eq!(outcomes, [Status::Refused, Status::AlreadyDone]);
            assert_eq!(desk.done(), [""; 0]);
        }
        desk.assert_settled().await;
    }
}

#[tokio::test]
async fn intents_that_wait_for_each_other_are_refused() {
    let desk = Desk::new(Platform::DemarcheNumerique).await;
    let number = desk.dossier(State::EnInstruction);
    let say = |id: &str, requires: &str| {
        let body = Action::Message { body: Words::new(format!("Bonjour {id}")), attachment: None, correction: None };
        let mut asked = intent(id, number, body);
        asked.requires = Some(demarche_numerique::intent::IntentId::new(requires).expect("a short line"));
        asked.expected = Expected::default();
        asked
    };
    desk.ask(&[say("a", "b"), say("b", "c"), say("c", "a")]).await;
    for plan in [true, false] {
        let pushed = if plan { desk.plan().await } else { desk.pushed().await };
        let told: Vec<_> = pushed.items.iter().map(|item| (item.status, item.reason.as_deref())).collect();
        assert_eq!(told, [(Status::Refused, Some("requires")); 3], "{pushed:?}");
    }
    assert_eq!(desk.done(), [""; 0]);
    desk.assert_settled().await;
}

#[tokio::test]
async fn a_dossier_that_the_token_does_not_show_waits_and_says_why() {
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE, DEMARCHE_CLONE]).dossiers(0);
    let desk = Desk::of(spec, DEMARCHE_COMPLETE, MemoryOutbox::default()).await;
    let hidden = desk.sandbox.world().submit(DEMARCHE_CLONE).expect("the démarche exists");
    desk.ask(&[intent("a", hidden, Action::PasserEnInstruction)]).await;
    desk.sandbox.world().tokens[0].demarches = Some(std::iter::once(DEMARCHE_COMPLETE).collect());
    for pushed in [desk.plan().await, desk.pushed().await] {
        let (status, reason, words) = only(&pushed);
        assert_eq!((status, reason), (Status::Pending, Some("out_of_scope")), "{words}");
        assert_eq!(pushed.waiting().into_iter().collect::<Vec<_>>(), [("out_of_scope", 1)]);
    }
    assert_eq!(desk.done(), [""; 0]);
}
