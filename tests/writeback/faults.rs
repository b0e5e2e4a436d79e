//! Whatever fails in between: each effect once, or reported; never twice, never missing in silence.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use demarche_numerique::Platform;
use demarche_numerique::intent::{Action, Answer, Edit, Intent, Status};
use demarche_numerique::sandbox::world::{Effect, State};
use demarche_numerique::sandbox::{DemarcheSpec, Fault, FaultPlan, FormSpec, Reset, WorldSpec};
use demarche_numerique::sink::{Outbox, SqliteSink};
use jiff::SignedDuration;
use tokio::sync::Notify;

use crate::support::postgres::Database;

use super::{PushFixture, accept, intent, message, only, refuse};

/// Messages of instructeurs that the platform sent, by their words.
fn said<O: Outbox>(fixture: &PushFixture<O>) -> BTreeMap<String, usize> {
    let mut said = BTreeMap::new();
    for entry in fixture.sandbox.audit() {
        if let Effect::Message { body, .. } = entry.effect {
            *said.entry(body).or_default() += 1;
        }
    }
    said
}

#[tokio::test]
async fn a_message_whose_answer_is_lost_is_there_once() {
    for (fault, sent) in [
        (Fault::LoseAnswer, 1),
        (Fault::Truncate, 1),
        (Fault::CrashAfter, 1),
        (Fault::BadRequestAfter, 1),
        (Fault::CloseBefore, 2),
        (Fault::Crash, 2),
    ] {
        let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
        let number = fixture.dossier(State::EnInstruction);
        fixture.ask(&[intent("a", number, message("Votre dossier est examiné.\nÀ bientôt."))]).await;
        fixture.sandbox.plan(FaultPlan::new(fault.clone()).operation("DossierEnvoyerMessage").times(1));
        assert_eq!(fixture.outcomes().await, [Status::Done], "{fault:?}");
        assert_eq!(said(&fixture).into_values().collect::<Vec<_>>(), [1], "{fault:?}");
        let asked = fixture.sandbox.requests();
        let asked = asked.iter().filter(|request| request.operation.as_deref() == Some("DossierEnvoyerMessage"));
        assert_eq!(asked.count(), sent, "{fault:?}");
        fixture.assert_settled().await;
    }
}

/// The platform drops most control characters of a message: U+000B is what Word makes of shift and enter.
#[tokio::test]
async fn a_message_with_control_characters_whose_answer_is_lost_is_there_once() {
    for platform in Platform::ALL {
        let fixture = PushFixture::new(platform).await;
        let number = fixture.dossier(State::EnInstruction);
        let body = "Ligne un\u{b}ligne deux\u{0}\u{8}\u{e}\u{1f}\u{7f}\u{c}fin";
        fixture.ask(&[intent("a", number, message(body))]).await;
        fixture.sandbox.plan(FaultPlan::new(Fault::LoseAnswer).operation("DossierEnvoyerMessage").times(1));
        assert_eq!(fixture.outcomes().await, [Status::Done], "{platform}");
        let said: Vec<_> = said(&fixture).into_iter().collect();
        assert_eq!(said, [("Ligne unligne deux\u{c}fin".to_owned(), 1)], "{platform}");
        fixture.assert_settled().await;
        fixture.ask(&[intent("b", number, message("\u{1}\u{b}"))]).await;
        let pushed = fixture.pushed().await;
        assert_eq!(only(&pushed).1, Some("empty_message"), "nothing would be left of it");
    }
}

#[tokio::test]
async fn a_message_that_was_taken_before_its_dossier_left_is_not_told_as_refused() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, message("Bonjour"))]).await;
    fixture.sandbox.on_request(move |request, world| {
        if request.operation.as_deref() == Some("DossierEnvoyerMessage") {
            world.delete_without_trace(number);
        }
    });
    let pushed = fixture.pushed().await;
    let (status, reason, _) = only(&pushed);
    assert_eq!((status, reason), (Status::Ambiguous, Some("no_dossier")));
    assert_eq!(said(&fixture).into_values().collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn a_message_is_not_sent_again_while_the_first_may_still_be_under_way() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, message("Bonjour")), intent("b", number, message("Encore"))]).await;
    fixture.sandbox.plan(FaultPlan::new(Fault::CloseBefore).operation("DossierEnvoyerMessage").times(1));
    let pushed = fixture.push_with(SignedDuration::from_mins(2)).await.expect("a push");
    assert_eq!(pushed.count(Status::Pending), 2, "what comes later for the dossier waits: {:?}", pushed.items);
    assert_eq!(said(&fixture).len(), 0);
    // Still too early.
    fixture.sandbox.advance(SignedDuration::from_secs(100));
    assert_eq!(fixture.push_with(SignedDuration::from_mins(2)).await.expect("a push").count(Status::Pending), 2);
    assert_eq!(said(&fixture).len(), 0);
    fixture.sandbox.advance(SignedDuration::from_secs(100));
    assert_eq!(fixture.push_with(SignedDuration::from_mins(2)).await.expect("a push").count(Status::Done), 2);
    assert_eq!(said(&fixture).into_values().collect::<Vec<_>>(), [1, 1]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_message_that_arrives_late_is_found_and_not_sent_again() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, message("Bonjour"))]).await;
    fixture.sandbox.plan(FaultPlan::new(Fault::CloseBefore).operation("DossierEnvoyerMessage").times(1));
    fixture.push_with(SignedDuration::from_mins(2)).await.expect("a push");
    // The platform had it in a queue, and sends it while we wait.
    let arrived = fixture.client.dossier(demarche_numerique::DossierNumber::new(number)).await.expect("an answer");
    let dossier = arrived.expect("it is shown");
    let by = demarche_numerique::api::Author {
        instructeur: demarche_numerique::ids::InstructeurId::new("SW5zdHJ1Y3RldXItMQ=="),
        silent: false,
    };
    let sent = demarche_numerique::api::Mutation::EnvoyerMessage {
        body: "Bonjour".to_owned(),
        attachment: None,
        correction: None,
    };
    fixture.client.apply(&dossier.id, &by, &sent).await.expect("it is sent");
    fixture.sandbox.advance(SignedDuration::from_mins(3));
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    assert_eq!(said(&fixture).into_values().collect::<Vec<_>>(), [1]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn the_same_words_may_be_sent_twice_on_purpose() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, message("Rappel")), intent("b", number, message("Rappel"))]).await;
    fixture.sandbox.plan(FaultPlan::new(Fault::LoseAnswer).operation("DossierEnvoyerMessage"));
    assert_eq!(fixture.outcomes().await, [Status::Done; 2]);
    fixture.sandbox.clear_faults();
    assert_eq!(said(&fixture).into_values().collect::<Vec<_>>(), [2]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_row_is_added_once_whatever_is_lost() {
    for fault in [Fault::LoseAnswer, Fault::CloseBefore] {
        let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
        let number = fixture.dossier(State::EnInstruction);
        fixture.ask(&[intent("a", number, Action::AjouterLigne { annotation: "Versements".to_owned() })]).await;
        let operation = "DossierModifierAnnotationAjouterLigne";
        fixture.sandbox.plan(FaultPlan::new(fault.clone()).operation(operation).times(1));
        assert_eq!(fixture.outcomes().await, [Status::Done], "{fault:?}");
        assert_eq!(fixture.done(), ["dossierModifierAnnotationAjouterLigne"], "{fault:?}");
        fixture.assert_settled().await;
    }
}

#[tokio::test]
async fn what_the_platform_never_does_is_given_up_and_reported() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let (number, other) = (fixture.dossier(State::EnInstruction), fixture.dossier(State::EnInstruction));
    fixture.ask(&[intent("a", number, accept("Complet")), intent("b", other, message("Bonjour"))]).await;
    fixture.sandbox.plan(FaultPlan::new(Fault::Crash).operation("DossierAccepter"));
    fixture.sandbox.plan(FaultPlan::new(Fault::Crash).operation("DossierEnvoyerMessage"));
    let pushed = fixture.pushed().await;
    assert_eq!(pushed.items[0].reason.as_deref(), Some("no_effect"), "{:?}", pushed.items);
    assert_eq!(pushed.items[1].status, Status::Ambiguous, "{:?}", pushed.items);
    assert_eq!(fixture.done(), [""; 0]);
    fixture.sandbox.clear_faults();
    fixture.assert_settled().await;
}

#[tokio::test]
async fn an_outage_leaves_everything_pending_and_is_made_up_for() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, accept("Complet"))]).await;
    for fault in [Fault::Maintenance, Fault::RateLimited(Reset::Absent)] {
        fixture.sandbox.plan(FaultPlan::new(fault));
        fixture.push().await.expect_err("the platform is away");
        fixture.sandbox.clear_faults();
    }
    assert_eq!(fixture.done(), [""; 0]);
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    fixture.assert_settled().await;
}

/// Stores what comes before the answer: whoever takes over knows that something may have been sent.
#[tokio::test]
async fn a_push_that_dies_between_the_sending_and_the_answer_is_taken_over() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let outbox = SqliteSink::open(&folder.path().join("outbox.db")).await.expect("a new file");
    let fixture = PushFixture::with(Platform::DemarcheNumerique, outbox).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, message("Bonjour"))]).await;
    // The answer takes for ever; the push is dropped as soon as the platform has done it.
    let forever = Fault::Slow(Duration::from_secs(3600));
    fixture.sandbox.plan(FaultPlan::new(forever).operation("DossierEnvoyerMessage").times(1));
    let done = async {
        while fixture.sandbox.audit().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = fixture.push() => panic!("the answer never comes"),
        () = done => {}
    }
    let pending = fixture.outbox.pending(&fixture.scope, None, 10).await.expect("readable");
    let last = pending[0].progress.last.clone().expect("it was noted before it was sent");
    assert_eq!((last.key.as_str(), last.answer), ("dossierEnvoyerMessage", Answer::Unknown));
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    assert_eq!(said(&fixture).into_values().collect::<Vec<_>>(), [1]);
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_thousand_intents_under_faults_have_each_effect_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let outbox = SqliteSink::open(&folder.path().join("outbox.db")).await.expect("a new file");
    each_effect_once(outbox, 250).await;
}

#[tokio::test]
async fn intents_in_postgresql_under_faults_have_each_effect_once() {
    each_effect_once(Database::new().await.sink().await, 25).await;
}

/// Four intents for each of so many dossiers, while one request in five fails and the one who sends is killed.
async fn each_effect_once<O: Outbox>(outbox: O, dossiers: usize) {
    // A short form: what counts here is how often things are sent.
    let short = DemarcheSpec::new(1004, FormSpec::Simple { champs: 1 }, 0);
    let spec = WorldSpec { demarches: vec![short], ..WorldSpec::new(Platform::DemarcheNumerique) };
    let fixture = PushFixture::of(spec, 1004, outbox).await;
    let numbers: Vec<u32> = (0..dossiers).map(|_| fixture.dossier(State::EnConstruction)).collect();
    let mut intents: Vec<Intent> = Vec::new();
    for number in &numbers {
        let edit = Edit { annotation: "Remarque".to_owned(), row: None, value: format!("Vu {number}").into() };
        intents.push(intent(&format!("note-{number}"), *number, Action::Annotations { edits: vec![edit] }));
        let decision = if number % 2 == 0 { accept("Complet") } else { refuse("Hors délai") };
        intents.push(intent(&format!("decide-{number}"), *number, decision));
        intents.push(intent(&format!("tell-{number}"), *number, message(&format!("Décision du dossier {number}"))));
        intents.push(intent(&format!("again-{number}"), *number, message(&format!("Rappel pour {number}"))));
    }
    fixture.ask(&intents).await;
    // One request in five fails, of whatever kind; and the one who sends is killed again and again.
    let faults = [
        Fault::CloseBefore,
        Fault::LoseAnswer,
        Fault::Truncate,
        Fault::GatewayTimeout,
        Fault::Crash,
        Fault::CrashAfter,
        Fault::BadRequestAfter,
        Fault::RateLimited(Reset::Absent),
        Fault::Slow(Duration::from_millis(2)),
    ];
    for (seed, fault) in (1..).zip(faults) {
        fixture.sandbox.plan(FaultPlan::new(fault).share(3, seed));
    }
    let mut kills = 0;
    loop {
        let killed = Arc::new(Notify::new());
        let kill = Arc::clone(&killed);
        fixture.sandbox.after_request(200 + 37 * kills, move |_| kill.notify_one());
        let ended = tokio::select! {
            ended = fixture.push() => Some(ended),
            () = killed.notified() => None,
        };
        fixture.sandbox.clear_hooks();
        kills += 1;
        if matches!(&ended, Some(Ok(pushed)) if pushed.count(Status::Pending) == 0) {
            break;
        }
        assert!(kills < 200, "it never ends: {ended:?}");
    }
    fixture.sandbox.clear_faults();
    let depth: BTreeMap<Status, u64> =
        fixture.outbox.depth(&fixture.scope).await.expect("readable").into_iter().collect();
    assert_eq!(depth, BTreeMap::from([(Status::Done, 4 * dossiers as u64)]), "after {kills} kills");
    assert!(said(&fixture).values().all(|count| *count == 1), "a message was sent twice");
    assert_eq!(said(&fixture).len(), 2 * dossiers);
    let mut effects: BTreeMap<(u32, String), usize> = BTreeMap::new();
    for entry in fixture.sandbox.audit() {
        if !matches!(entry.effect, Effect::Message { .. }) {
            *effects.entry((entry.dossier.expect("of a dossier"), entry.mutation)).or_default() += 1;
        }
    }
    assert_eq!(effects.len(), 3 * dossiers, "one annotation and two steps for each dossier");
    assert!(effects.values().all(|count| *count == 1), "{:?}", effects.iter().find(|(_, count)| **count > 1));
    fixture.assert_settled().await;
}

#[tokio::test]
async fn an_operator_decides_about_what_is_parked() {
    let fixture = PushFixture::new(Platform::DemarcheNumerique).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, message("Bonjour"))]).await;
    fixture.sandbox.plan(FaultPlan::new(Fault::Crash).operation("DossierEnvoyerMessage"));
    let pushed = fixture.pushed().await;
    assert_eq!(only(&pushed).0, Status::Ambiguous);
    fixture.sandbox.clear_faults();
    let id = demarche_numerique::intent::IntentId::new("a").expect("a short line");
    let resolved = fixture.outbox.resolve(&fixture.scope, &id, Status::Pending, fixture.sandbox.now()).await;
    assert!(resolved.expect("a writable outbox"));
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    let done = fixture.outbox.resolve(&fixture.scope, &id, Status::Cancelled, fixture.sandbox.now()).await;
    assert!(!done.expect("a writable outbox"), "what is done is done");
    fixture.assert_settled().await;
}
