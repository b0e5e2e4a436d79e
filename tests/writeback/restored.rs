//! An outbox that went back in time: a copy that was put back, a standby that was promoted. What it does not know any more
//! was done all the same.

use demarche_numerique::Platform;
use demarche_numerique::api::CorrectionReason;
use demarche_numerique::intent::{Action, Intent, IntentId, Status, Words};
use demarche_numerique::sandbox::world::{Effect, State};
use demarche_numerique::sink::{Outbox, SqliteSink};
use jiff::SignedDuration;

use super::{PushFixture, accept, intent, message, only, refuse};
use crate::support::postgres::Database;

fn messages<O: Outbox>(fixture: &PushFixture<O>) -> usize {
    fixture.sandbox.audit().iter().filter(|entry| matches!(entry.effect, Effect::Message { .. })).count()
}

fn add_row() -> Action {
    Action::AjouterLigne { annotation: "Versements".to_owned() }
}

#[tokio::test]
async fn what_was_sent_before_the_outbox_went_back_is_not_sent_again() {
    for platform in Platform::ALL {
        let mut fixture = PushFixture::new(platform).await;
        let (open, new) = (fixture.dossier(State::EnInstruction), fixture.dossier(State::EnConstruction));
        fixture
            .ask(&[
                intent("a", open, message("Bonjour\u{b}à vous")),
                intent("b", open, accept("Complet")),
                intent("c", new, Action::PasserEnInstruction),
            ])
            .await;
        let backup = fixture.outbox.clone();
        assert_eq!(fixture.outcomes().await, [Status::Done; 3]);
        let done = fixture.done();
        // Hours later.
        fixture.sandbox.advance(SignedDuration::from_hours(5));
        fixture.outbox = backup;
        assert_eq!(fixture.outcomes().await, [Status::AlreadyDone; 3], "{platform}");
        assert_eq!(fixture.done(), done, "{platform}");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn a_row_that_may_have_been_added_before_is_in_doubt() {
    for platform in Platform::ALL {
        let mut fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnInstruction);
        fixture.ask(&[intent("a", number, add_row())]).await;
        let backup = fixture.outbox.clone();
        assert_eq!(fixture.outcomes().await, [Status::Done]);
        // What the outbox knows of is no reason to doubt.
        fixture.ask(&[intent("b", number, add_row())]).await;
        assert_eq!(fixture.outcomes().await, [Status::Done]);
        fixture.outbox = backup;
        let pushed = fixture.pushed().await;
        assert_eq!(only(&pushed).0, Status::Ambiguous, "{platform}");
        assert_eq!(only(&pushed).1, Some("somebodys_row"), "{platform}");
        assert_eq!(fixture.done().len(), 2, "{platform}");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn the_same_words_asked_several_times_are_counted() {
    let mut fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    let reminder = |id: &str| intent(id, number, message("Rappel"));
    fixture.ask(&[reminder("a"), reminder("b")]).await;
    let backup = fixture.outbox.clone();
    assert_eq!(fixture.outcomes().await, [Status::Done; 2]);
    fixture.outbox = backup;
    fixture.ask(&[reminder("c")]).await;
    assert_eq!(fixture.outcomes().await, [Status::AlreadyDone, Status::AlreadyDone, Status::Done]);
    assert_eq!(messages(&fixture), 3);
    fixture.assert_settled().await;
    // A month later the same words are another reminder.
    fixture.sandbox.advance(SignedDuration::from_hours(30 * 24));
    fixture.ask(&[reminder("d")]).await;
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    assert_eq!(messages(&fixture), 4);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn the_words_of_another_person_or_of_an_earlier_day_are_no_proof() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    let say = |by: u32| fixture.sandbox.world().envoyer_message(number, Some(by), "Rappel", None, Vec::new());
    say(1).expect("it is sent");
    fixture.sandbox.advance(SignedDuration::from_hours(24));
    say(2).expect("it is sent");
    fixture.ask(&[intent("a", number, message("Rappel"))]).await;
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    // By hand, and asked for by the same person at the same moment: once is enough.
    say(1).expect("it is sent");
    fixture.ask(&[intent("b", number, message("Rappel"))]).await;
    assert_eq!(fixture.outcomes().await, [Status::AlreadyDone]);
    assert_eq!(messages(&fixture), 1);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_message_that_was_deleted_since_is_in_doubt() {
    for platform in Platform::ALL {
        let mut fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnInstruction);
        fixture.ask(&[intent("a", number, message("Bonjour"))]).await;
        let backup = fixture.outbox.clone();
        assert_eq!(fixture.outcomes().await, [Status::Done]);
        let Effect::Message { id, .. } = fixture.sandbox.audit()[0].effect else { panic!("a message") };
        fixture.sandbox.world().supprimer_message(number, id).expect("it is its author's");
        fixture.outbox = backup;
        let pushed = fixture.pushed().await;
        assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Ambiguous, Some("deleted")), "{platform}");
        assert_eq!(messages(&fixture), 1, "{platform}");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn a_message_that_nearly_says_the_same_is_in_doubt() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    let shown = "Cliquez <a href=\"https://example.org/1\">ici</a>";
    fixture.sandbox.world().envoyer_message(number, Some(1), shown, None, Vec::new()).expect("it is sent");
    fixture.ask(&[intent("a", number, message("Cliquez <a href=\"https://example.org/2\">ici</a>"))]).await;
    let pushed = fixture.pushed().await;
    assert_eq!((only(&pushed).0, only(&pushed).1), (Status::Ambiguous, Some("alike")));
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_decision_that_was_taken_back_since_is_not_taken_again() {
    for platform in Platform::ALL {
        let mut fixture = PushFixture::new(platform).await;
        let (refused, passed) = (fixture.dossier(State::EnInstruction), fixture.dossier(State::EnConstruction));
        fixture
            .ask(&[intent("a", refused, refuse("Hors délai")), intent("b", passed, Action::PasserEnInstruction)])
            .await;
        let backup = fixture.outbox.clone();
        assert_eq!(fixture.outcomes().await, [Status::Done; 2]);
        let done = fixture.done();
        fixture.sandbox.world().repasser_en_instruction(refused, Some(2)).expect("legal");
        fixture.sandbox.world().repasser_en_construction(passed, Some(2)).expect("legal");
        fixture.outbox = backup;
        let pushed = fixture.pushed().await;
        let told: Vec<_> = pushed.items.iter().map(|item| (item.status, item.reason.as_deref())).collect();
        assert_eq!(told, [(Status::Conflict, Some("undone")); 2], "{platform}: {:?}", pushed.items);
        assert_eq!(fixture.done(), done, "{platform}");
        fixture.assert_settled().await;
    }
}

/// The same, asked for as often as the outbox knows, is no second time.
#[tokio::test]
async fn what_the_outbox_knows_of_is_no_conflict() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnConstruction);
    let correction = Action::Message {
        body: Words::new("Il manque une pièce."),
        attachment: None,
        correction: Some(CorrectionReason::Incomplete),
    };
    fixture
        .ask(&[
            intent("a", number, refuse("Hors délai")),
            intent("b", number, Action::RepasserEnInstruction),
            intent("c", number, refuse("Hors délai")),
            intent("d", number, Action::RepasserEnInstruction),
            intent("e", number, Action::RepasserEnConstruction),
            intent("f", number, Action::PasserEnInstruction),
            intent("g", number, correction),
            intent("h", number, Action::PasserEnInstruction),
            intent("i", number, Action::RepasserEnConstruction),
        ])
        .await;
    let pushed = fixture.pushed().await;
    assert!(pushed.items.iter().all(|item| item.status == Status::Done), "{:#?}", pushed.items);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_message_that_goes_with_a_decision_by_nobody_of_ours_is_parked() {
    for platform in Platform::ALL {
        let mut fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnInstruction);
        let after = |id: &str, of: &str| {
            let requires = Some(IntentId::new(of).expect("a short line"));
            Intent { requires, ..intent(id, number, message("Votre demande est acceptée.")) }
        };
        fixture.ask(&[intent("a", number, accept("Complet")), after("b", "a")]).await;
        let backup = fixture.outbox.clone();
        // A colleague was faster, and surely told the usager.
        fixture.sandbox.world().accepter(number, "Complet", Some(2)).expect("legal");
        let pushed = fixture.pushed().await;
        let told: Vec<_> = pushed.items.iter().map(|item| (item.status, item.reason.as_deref())).collect();
        let parked = (Status::Conflict, Some("decided_elsewhere"));
        assert_eq!(told, [(Status::AlreadyDone, None), parked], "{platform}");
        assert_eq!(messages(&fixture), 0);
        // One that is there already is done, whoever decided.
        fixture
            .sandbox
            .world()
            .envoyer_message(number, Some(1), "Votre demande est acceptée.", None, Vec::new())
            .expect("it is sent");
        fixture.outbox = backup;
        assert_eq!(fixture.outcomes().await, [Status::AlreadyDone; 2], "{platform}");
        // What another intent of ours decided is ours.
        let again = fixture.dossier(State::EnInstruction);
        let tied = Intent {
            requires: Some(IntentId::new("d").expect("a short line")),
            ..intent("e", again, message("Voilà."))
        };
        fixture.ask(&[intent("c", again, accept("Complet")), intent("d", again, accept("Complet")), tied]).await;
        assert_eq!(fixture.outcomes().await, [Status::Done, Status::AlreadyDone, Status::Done], "{platform}");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn clocks_that_differ_are_allowed_for() {
    for (ours, expected) in [(-4 * 60, Status::AlreadyDone), (4 * 60, Status::AlreadyDone)] {
        let mut fixture = PushFixture::new(Platform::DemarcheNumerique).await;
        let number = fixture.dossier(State::EnInstruction);
        // Asked by a server of a database whose clock is off.
        let asked_at = fixture.sandbox.now() + SignedDuration::from_secs(ours);
        let wanted = [intent("a", number, message("Bonjour"))];
        fixture.outbox.put(&fixture.scope, &wanted, asked_at).await.expect("a writable outbox");
        let backup = fixture.outbox.clone();
        assert_eq!(fixture.outcomes().await, [Status::Done]);
        fixture.outbox = backup;
        assert_eq!(fixture.outcomes().await, [expected], "{ours}");
        assert_eq!(messages(&fixture), 1, "{ours}");
    }
}

#[tokio::test]
async fn a_file_that_is_put_back_sends_no_message_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (path, copy) = (folder.path().join("dossiers.db"), folder.path().join("copie.db"));
    let fixture =
        PushFixture::with(Platform::DemarcheNumerique, SqliteSink::open(&path).await.expect("a new file")).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, message("Bonjour")), intent("b", number, add_row())]).await;
    fixture.outbox.close().await.expect("it closes");
    std::fs::copy(&path, &copy).expect("a backup");
    let PushFixture { sandbox, _server, client, scope, filter, stop, moved, .. } = fixture;
    let outbox = SqliteSink::open(&path).await.expect("the file");
    let fixture = PushFixture { sandbox, _server, client, outbox, scope, filter, stop, moved };
    assert_eq!(fixture.outcomes().await, [Status::Done; 2]);
    fixture.outbox.close().await.expect("it closes");
    std::fs::copy(&copy, &path).expect("the backup is put back");
    let PushFixture { sandbox, _server, client, scope, filter, stop, moved, .. } = fixture;
    let outbox = SqliteSink::open(&path).await.expect("the file");
    let fixture = PushFixture { sandbox, _server, client, outbox, scope, filter, stop, moved };
    assert_eq!(fixture.outcomes().await, [Status::AlreadyDone, Status::Ambiguous]);
    assert_eq!(messages(&fixture), 1);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_schema_that_goes_back_sends_no_message_again() {
    let database = Database::new().await;
    let fixture = PushFixture::with(Platform::DemarcheNumerique, database.sink().await).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, message("Bonjour"))]).await;
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    let id = IntentId::new("a").expect("a short line");
    let before = fixture.outbox.of_dossier(&fixture.scope, demarche_numerique::DossierNumber::new(number)).await;
    assert_eq!(before.expect("readable")[0].entry.progress.made.len(), 1, "what it made is kept");
    // As a standby that had not heard of it yet.
    database
        .run("UPDATE dn_status_updates SET status = 'pending', progress = NULL, settled_at = NULL, before_state = NULL")
        .await;
    assert_eq!(fixture.outcomes().await, [Status::AlreadyDone]);
    assert_eq!(fixture.outbox.status(&fixture.scope, &id).await.expect("readable"), Some(Status::AlreadyDone));
    assert_eq!(messages(&fixture), 1);
    fixture.assert_settled().await;
}

/// Progress as an earlier version left it, with counts instead of ids.
#[tokio::test]
async fn what_earlier_versions_sent_is_counted() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    let old = |text: &str| serde_json::from_str(text).expect("it stays readable");
    let progress: demarche_numerique::intent::Progress = old(
        r#"{"sends":1,"last":{"key":"dossierEnvoyerMessage","at":"2026-03-01T00:00:00Z","witness":{"messages":2},"answer":"unknown","times":1}}"#,
    );
    assert_eq!(progress.last.map(|last| last.witness), Some(demarche_numerique::intent::Witness::Messages(2)));
    fixture.ask(&[intent("a", number, message("Rappel")), intent("b", number, message("Rappel"))]).await;
    assert_eq!(fixture.outcomes().await, [Status::Done; 2]);
    assert_eq!(messages(&fixture), 2);
}
