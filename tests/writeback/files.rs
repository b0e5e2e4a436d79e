//! Files joined to decisions and messages: read from this machine, checked, uploaded, found again.

use std::path::PathBuf;

use demarche_numerique::Platform;
use demarche_numerique::intent::{Action, Status, Words};
use demarche_numerique::sandbox::world::{Effect, State};
use demarche_numerique::sandbox::{Fault, FaultPlan};

use super::{PushFixture, intent, only};

fn accept_with(path: PathBuf) -> Action {
    Action::Accepter { motivation: Some(Words::new("Voir le document")), justificatif: Some(path) }
}

fn message_with(path: PathBuf) -> Action {
    Action::Message { body: Words::new("Voir le document"), attachment: Some(path), correction: None }
}

#[tokio::test]
async fn a_file_is_joined_to_a_decision_and_to_a_message_on_both_platforms() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("décision.pdf");
    std::fs::write(&path, b"%PDF-1.4 rien").expect("a writable folder");
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnInstruction);
        fixture
            .ask(&[intent("a", number, message_with(path.clone())), intent("b", number, accept_with(path.clone()))])
            .await;
        // The answer to the message is lost: it is known again by its file.
        fixture.sandbox.plan(FaultPlan::new(Fault::LoseAnswer).operation("DossierEnvoyerMessage").times(1));
        assert_eq!(fixture.outcomes().await, [Status::Done; 2], "{platform}");
        let joined: Vec<bool> = fixture
            .sandbox
            .audit()
            .into_iter()
            .filter_map(|entry| match entry.effect {
                Effect::Message { attachment, .. } => Some(attachment.is_some()),
                Effect::State { justificatif, .. } => Some(justificatif.is_some()),
                _ => None,
            })
            .collect();
        assert_eq!(joined, [true, true], "{platform}");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_sent_refuses_its_intent_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a writable folder");
        path
    };
    let cases = [
        (folder.path().join("absent.pdf"), "No such file"),
        (write("vide.pdf", b""), "empty"),
        (write("programme.exe", b"MZ"), ".exe"),
        (write("lourd.pdf", &vec![0; 20 << 20]), "bytes"),
    ];
    for (path, words) in cases {
        let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
        let number = fixture.dossier(State::EnInstruction);
        fixture.ask(&[intent("a", number, message_with(path))]).await;
        let pushed = fixture.pushed().await;
        let (status, reason, told) = only(&pushed);
        assert_eq!((status, reason), (Status::Refused, Some("file")), "{told}");
        assert!(told.contains(words), "{told} should say {words}");
        assert_eq!(fixture.done(), [""; 0]);
        fixture.assert_settled().await;
    }
}

/// The mutations that the platform executed, without uploads.
fn sent(fixture: &PushFixture) -> Vec<String> {
    fixture.done().into_iter().filter(|mutation| mutation != "createDirectUpload").collect()
}

#[tokio::test]
async fn the_same_words_with_another_file_are_another_message() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("courrier.pdf");
    for platform in Platform::ALL {
        let write = |bytes: &[u8]| std::fs::write(&path, bytes).expect("a writable folder");
        write(b"%PDF-1.4 un");
        let mut fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnInstruction);
        fixture.ask(&[intent("a", number, message_with(path.clone()))]).await;
        let backup = fixture.outbox.clone();
        assert_eq!(fixture.outcomes().await, [Status::Done], "{platform}");
        fixture.outbox = backup.clone();
        assert_eq!(fixture.outcomes().await, [Status::AlreadyDone], "{platform}: the same file is there");
        // As long as before, under the same name.
        write(b"%PDF-1.4 02");
        fixture.outbox = backup;
        assert_eq!(fixture.outcomes().await, [Status::Done], "{platform}: another file is another message");
        assert_eq!(sent(&fixture), ["dossierEnvoyerMessage"; 2], "{platform}");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn a_message_whose_answer_is_lost_is_known_again_though_its_file_changed_since() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("courrier.pdf");
    std::fs::write(&path, b"%PDF-1.4 un").expect("a writable folder");
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, message_with(path.clone()))]).await;
    fixture.sandbox.plan(FaultPlan::new(Fault::LoseAnswer).operation("DossierEnvoyerMessage").times(1));
    // Nor can the dossier be read again at once.
    fixture.sandbox.plan(FaultPlan::new(Fault::Crash).operation("ReadDossier").after(1));
    let waiting = fixture.pushed().await;
    assert_eq!(only(&waiting).0, Status::Pending, "nobody knows what became of it");
    std::fs::write(&path, b"%PDF-1.4 deux").expect("a writable folder");
    fixture.sandbox.clear_faults();
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    assert_eq!(sent(&fixture), ["dossierEnvoyerMessage"]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn the_same_decision_with_another_file_or_with_none_is_a_conflict() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("décision.pdf");
    for platform in Platform::ALL {
        let write = |bytes: &[u8]| std::fs::write(&path, bytes).expect("a writable folder");
        write(b"%PDF-1.4 un");
        let mut fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnInstruction);
        fixture.ask(&[intent("a", number, accept_with(path.clone()))]).await;
        let backup = fixture.outbox.clone();
        assert_eq!(fixture.outcomes().await, [Status::Done], "{platform}");
        fixture.outbox = backup.clone();
        assert_eq!(fixture.outcomes().await, [Status::AlreadyDone], "{platform}: the same file is there");
        write(b"%PDF-1.4 02");
        fixture.outbox = backup;
        let pushed = fixture.pushed().await;
        let (status, reason, words) = only(&pushed);
        assert_eq!((status, reason), (Status::Conflict, Some("conflict")), "{platform}: {words}");
        assert!(words.contains("without the file"), "{platform}: {words}");

        let bare = fixture.dossier(State::Accepte);
        let same = Action::Accepter { motivation: Some(Words::new("Complet")), justificatif: Some(path.clone()) };
        fixture.ask(&[intent("b", bare, same)]).await;
        assert_eq!(only(&fixture.pushed().await).0, Status::Conflict, "{platform}: it has no file");
        assert_eq!(sent(&fixture), ["dossierAccepter"], "{platform}");
        fixture.assert_settled().await;
    }
}
