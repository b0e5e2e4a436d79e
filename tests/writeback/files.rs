//! Files joined to decisions and messages: read from this machine, checked, uploaded, found again.

use std::path::PathBuf;

use demarche_numerique::Platform;
use demarche_numerique::intent::{Action, Status, Words};
use demarche_numerique::sandbox::world::{Effect, State};
use demarche_numerique::sandbox::{Fault, FaultPlan};

use super::{Desk, intent, only};

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
        let desk = Desk::new(platform).await;
        let number = desk.dossier(State::EnInstruction);
        desk.ask(&[intent("a", number, message_with(path.clone())), intent("b", number, accept_with(path.clone()))])
            .await;
        // The answer to the message is lost: it is known again by its file.
        desk.sandbox.plan(FaultPlan::new(Fault::LoseAnswer).operation("DossierEnvoyerMessage").times(1));
        assert_eq!(desk.outcomes().await, [Status::Done; 2], "{platform}");
        let joined: Vec<bool> = desk
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
        desk.assert_settled().await;
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
        let desk = Desk::new(Platform::DemarcheNumerique).await;
        let number = desk.dossier(State::EnInstruction);
        desk.ask(&[intent("a", number, message_with(path))]).await;
        let pushed = desk.pushed().await;
        let (status, reason, told) = only(&pushed);
        assert_eq!((status, reason), (Status::Refused, Some("file")), "{told}");
        assert!(told.contains(words), "{told} should say {words}");
        assert_eq!(desk.done(), [""; 0]);
        desk.assert_settled().await;
    }
}
