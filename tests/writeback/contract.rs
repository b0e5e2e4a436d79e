//! Checks the contract of every outbox, in memory and in each target.

use demarche_numerique::api::CorrectionReason;
use demarche_numerique::dossier::DossierState;
use demarche_numerique::fingerprint::Digest;
use demarche_numerique::ids::{DemarcheNumber, DossierNumber, MessageId, Scope};
use demarche_numerique::intent::{
    Action, Answer, Edit, Expected, Intent, IntentId, Move, Progress, Seen, Status, Witness, Words,
};
use demarche_numerique::sink::{
    Entry, Happening, MemoryOutbox, Outbox, OutboxStep, Received, Settlement, SqliteSink, TrailLine,
};
use jiff::Timestamp;
use serde_json::json;

use crate::support::postgres::Database;

pub fn scope() -> Scope {
    Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(12) }
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_772_000_000 + second).expect("an instant of this century")
}

pub fn id(text: &str) -> IntentId {
    IntentId::new(text).expect("a short line")
}

pub fn intent(name: &str, dossier: u32, action: Action) -> Intent {
    Intent {
        id: id(name),
        dossier: DossierNumber::new(dossier),
        author: Some(Words::new("agent@example.org")),
        action,
        expected: Expected::default(),
        requires: None,
        silent: false,
        overrule: false,
    }
}

pub fn message(name: &str, dossier: u32, body: &str) -> Intent {
    intent(name, dossier, Action::Message { body: Words::new(body), attachment: None, correction: None })
}

fn seen(state: &str, content: &str) -> Seen {
    Seen { state: DossierState::from(state), fingerprint: Digest::of(content.as_bytes()) }
}

/// One of each kind, with everything that an intent may say.
fn every_kind() -> Vec<Intent> {
    let words = |text: &str| Words::new(text);
    let edits = vec![
        Edit { annotation: "Avis".to_owned(), row: None, value: "l'avis « 🎉 »\n=1+1".into() },
        Edit { annotation: "Montant".to_owned(), row: Some(2), value: json!(12.5) },
        Edit { annotation: "Choix".to_owned(), row: None, value: json!(["a", "b,c"]) },
    ];
    let correction = Some(CorrectionReason::Incomplete);
    let actions = [
        Action::PasserEnInstruction,
        Action::RepasserEnConstruction,
        Action::RepasserEnInstruction,
        Action::Accepter { motivation: None, justificatif: Some("décision.pdf".into()) },
        Action::Refuser { motivation: words("Hors\ndélai ; \"motif\" 'x'"), justificatif: None },
        Action::ClasserSansSuite { motivation: words("Doublon"), justificatif: None },
        Action::Archiver,
        Action::Desarchiver,
        Action::Message { body: words(&"très long 🎉 ".repeat(9_000)), attachment: None, correction },
        Action::SupprimerMessage { message: MessageId::new("TWVzc2FnZS0x") },
        Action::Annotations { edits },
        Action::AjouterLigne { annotation: "Visites".to_owned() },
        Action::ChangerGroupe { groupe: "Nord".to_owned() },
        Action::Label { label: "urgent".to_owned(), present: true },
        Action::Suivre { follow: false },
        Action::AnnulerDemandeCorrection,
    ];
    let numbered = actions.into_iter().enumerate();
    let mut intents: Vec<Intent> =
        numbered.map(|(n, action)| intent(&format!("n° {n} / é'\" %_"), 7, action)).collect();
    intents[1].expected =
        Expected { state: Some("en_instruction".into()), fingerprint: Some(Digest::of("vu".as_bytes())) };
    intents[2].requires = Some(intents[1].id.clone());
    (intents[3].silent, intents[4].overrule, intents[5].author) = (true, true, None);
    intents
}

async fn pending(outbox: &impl Outbox) -> Vec<Entry> {
    outbox.pending(&scope(), None, 1_000).await.expect("entries")
}

pub async fn put(outbox: &impl Outbox, intents: &[Intent]) -> Received {
    outbox.put(&scope(), intents, at(0)).await.expect("intents")
}

pub async fn entry(outbox: &impl Outbox, name: &str) -> Entry {
    let found = pending(outbox).await.into_iter().find(|entry| entry.id == id(name));
    found.unwrap_or_else(|| panic!("{name} is pending"))
}

fn line(entry: &Entry, happening: Happening, second: i64, words: &str) -> TrailLine {
    TrailLine {
        seq: 0,
        at: at(second),
        intent: entry.id.clone(),
        dossier: entry.dossier,
        happening,
        action: "message".to_owned(),
        author: Some("SW5zdHJ1Y3RldXItMQ==".to_owned()),
        mutation: Some("dossierEnvoyerMessage".to_owned()),
        words: Some(words.to_owned()),
        seen: Some(seen("en_instruction", "avant")),
    }
}

fn sending() -> Progress {
    Progress::default().sending("dossierEnvoyerMessage", at(1), Witness::Messages(2), &seen("en_instruction", "avant"))
}

fn ended(status: Status) -> Settlement {
    let words = (status != Status::Done).then(|| "Le dossier est déjà « accepté »".to_owned());
    let reason = (status != Status::Done).then_some("platform");
    Settlement { status, reason, words, after: Some(seen("accepte", "après")) }
}

/// Sends and settles an intent, as a push does.
pub async fn settle(outbox: &impl Outbox, name: &str, status: Status) {
    let entry = entry(outbox, name).await;
    let progress = sending().answered(Answer::Taken);
    let settled = ended(status);
    let line = line(&entry, Happening::Settled, 3, status.as_str());
    let step = OutboxStep { entry: &entry, progress: &progress, settled: Some(&settled), line };
    outbox.write(&scope(), &step).await.expect("a settlement");
}

/// The contract, part by part, each on an outbox of its own.
pub async fn check<O: Outbox>(open: impl AsyncFn(&str) -> O) {
    asking_twice_is_asking_once(&open("asking twice").await).await;
    a_name_that_is_taken_is_told(&open("taken").await).await;
    entries_come_in_order_page_by_page(&open("order").await).await;
    every_intent_comes_back_as_it_was_asked(&open("kinds").await).await;
    what_may_have_been_sent_is_kept(&open("sending").await).await;
    what_ended_is_told_and_moves_are_known(&open("ended").await).await;
    the_trail_tells_everything_in_order(&open("trail").await).await;
    an_operator_has_the_last_word(&open("resolve").await).await;
    another_demarche_is_another_world(&open("scopes").await).await;
}

async fn asking_twice_is_asking_once(outbox: &impl Outbox) {
    assert_eq!(put(outbox, &[]).await, Received::default());
    assert!(pending(outbox).await.is_empty());
    let intents = [message("a", 1, "Bonjour"), message("b", 2, "Bonsoir")];
    assert_eq!(put(outbox, &intents).await, Received { new: 2, known: 0, taken: Vec::new() });
    let more = [intents[1].clone(), message("c", 1, "Encore"), intents[0].clone()];
    assert_eq!(put(outbox, &more).await, Received { new: 1, known: 2, taken: Vec::new() });
    assert_eq!(pending(outbox).await.len(), 3);
    let twice = message("d", 1, "x");
    assert_eq!(put(outbox, &[twice.clone(), twice]).await, Received { new: 1, known: 1, taken: Vec::new() });
    // Also when it is done.
    settle(outbox, "a", Status::Done).await;
    assert_eq!(put(outbox, &intents).await, Received { new: 0, known: 2, taken: Vec::new() });
    assert_eq!(outbox.status(&scope(), &id("a")).await.expect("a status"), Some(Status::Done));
}

async fn a_name_that_is_taken_is_told(outbox: &impl Outbox) {
    put(outbox, &[message("a", 1, "Bonjour")]).await;
    let others = [message("a", 1, "Autre chose"), message("b", 1, "Nouveau"), message("a", 2, "Bonjour")];
    assert_eq!(put(outbox, &others).await, Received { new: 1, known: 0, taken: vec![id("a"), id("a")] });
    assert_eq!(entry(outbox, "a").await.intent, Ok(message("a", 1, "Bonjour")));
}

async fn entries_come_in_order_page_by_page(outbox: &impl Outbox) {
    let intents: Vec<Intent> = (0..250).map(|n| message(&format!("i-{}", (n * 37) % 250), n % 9 + 1, "x")).collect();
    assert_eq!(put(outbox, &intents).await.new, 250);
    let mut after = None;
    let mut read = Vec::new();
    loop {
        let page = outbox.pending(&scope(), after, 100).await.expect("a page");
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 100);
        after = Some(last.seq);
        read.extend(page.into_iter().map(|entry| entry.id));
    }
    assert_eq!(read, intents.into_iter().map(|intent| intent.id).collect::<Vec<_>>());
}

async fn every_intent_comes_back_as_it_was_asked(outbox: &impl Outbox) {
    let intents = every_kind();
    assert_eq!(put(outbox, &intents).await.new, intents.len() as u64);
    let read = pending(outbox).await;
    for (asked, entry) in intents.iter().zip(&read) {
        assert_eq!((&entry.id, entry.dossier), (&asked.id, asked.dossier));
        assert_eq!(entry.intent.as_ref(), Ok(asked));
        assert_eq!(entry.progress, Progress::default());
    }
    assert_eq!(put(outbox, &intents).await.known, intents.len() as u64);
}

async fn what_may_have_been_sent_is_kept(outbox: &impl Outbox) {
    put(outbox, &[message("a", 1, "Bonjour"), message("b", 1, "Bonsoir")]).await;
    let first = entry(outbox, "a").await;
    let progress = sending();
    let step = |progress, second| OutboxStep {
        entry: &first,
        progress,
        settled: None,
        line: line(&first, Happening::Sending, second, ""),
    };
    outbox.write(&scope(), &step(&progress, 1)).await.expect("about to be sent");
    let read = entry(outbox, "a").await;
    assert_eq!(read.progress, progress);
    assert_eq!((read.seq, read.intent), (first.seq, first.intent.clone()));
    let refused =
        progress.clone().answered(Answer::Refused(vec!["Réessayer « plus tard »".to_owned()])).put_off(at(900));
    outbox.write(&scope(), &step(&refused, 2)).await.expect("put off");
    assert_eq!(entry(outbox, "a").await.progress, refused);
    assert_eq!(entry(outbox, "b").await.progress, Progress::default());
    assert_eq!(outbox.status(&scope(), &id("a")).await.expect("a status"), Some(Status::Pending));
    assert!(outbox.moves(&scope(), DossierNumber::new(1)).await.expect("moves").is_empty(), "nothing ended");
}

async fn what_ended_is_told_and_moves_are_known(outbox: &impl Outbox) {
    let all = [Status::Done, Status::AlreadyDone, Status::Refused, Status::Conflict, Status::Ambiguous];
    let intents: Vec<Intent> = all.iter().map(|status| message(status.as_str(), 1, "x")).collect();
    put(outbox, &intents).await;
    put(outbox, &[message("other", 2, "x"), message("left", 3, "x")]).await;
    for status in all {
        settle(outbox, status.as_str(), status).await;
        let told = outbox.status(&scope(), &id(status.as_str())).await.expect("a status");
        assert_eq!(told, Some(status));
    }
    settle(outbox, "other", Status::Done).await;
    assert_eq!(pending(outbox).await.into_iter().map(|entry| entry.id).collect::<Vec<_>>(), [id("left")]);
    let step = Move { before: seen("en_instruction", "avant"), after: seen("accepte", "après") };
    let moves = outbox.moves(&scope(), DossierNumber::new(1)).await.expect("moves");
    assert_eq!(moves, vec![step; all.len()]);
    assert_eq!(outbox.moves(&scope(), DossierNumber::new(2)).await.expect("moves").len(), 1);
    let depth = outbox.depth(&scope()).await.expect("counts");
    let mut counted: Vec<(Status, u64)> = all.iter().map(|status| (*status, 1)).collect();
    counted.push((Status::Pending, 1));
    counted[0].1 = 2;
    counted.sort_unstable();
    assert_eq!(depth, counted);
    assert_eq!(outbox.status(&scope(), &id("unknown")).await.expect("a status"), None);
}

async fn the_trail_tells_everything_in_order(outbox: &impl Outbox) {
    put(outbox, &[message("a", 1, "très privé")]).await;
    let entry = entry(outbox, "a").await;
    let progress = sending();
    let sent = line(&entry, Happening::Sending, 1, "1234,5 « = »");
    let step = OutboxStep { entry: &entry, progress: &progress, settled: None, line: sent.clone() };
    outbox.write(&scope(), &step).await.expect("a line");
    settle(outbox, "a", Status::Done).await;
    let trail = outbox.trail(&scope(), None, 100).await.expect("a trail");
    let happenings: Vec<Happening> = trail.iter().map(|line| line.happening).collect();
    assert_eq!(happenings, [Happening::Asked, Happening::Sending, Happening::Settled]);
    assert!(trail.is_sorted_by(|one, next| one.seq < next.seq), "places grow");
    assert_eq!(trail[1], TrailLine { seq: trail[1].seq, ..sent });
    assert_eq!((trail[0].at, trail[0].action.as_str()), (at(0), "message"));
    assert!(!format!("{trail:?}").contains("privé"), "it tells what was done, not what was said");
    let rest = outbox.trail(&scope(), Some(trail[0].seq), 1).await.expect("a page");
    assert_eq!(rest, trail[1..2]);
}

async fn an_operator_has_the_last_word(outbox: &impl Outbox) {
    put(outbox, &[message("a", 1, "x"), message("b", 1, "x"), message("c", 1, "x")]).await;
    settle(outbox, "a", Status::Ambiguous).await;
    settle(outbox, "b", Status::Done).await;
    let resolve = async |name: &str, status| {
        outbox.resolve(&scope(), &id(name), status, at(9)).await.expect("an operator's word")
    };
    assert!(resolve("a", Status::Pending).await);
    let again = entry(outbox, "a").await;
    assert_eq!((again.progress, again.intent), (Progress::default(), Ok(message("a", 1, "x"))));
    assert!(!resolve("b", Status::Pending).await, "what is done is done");
    assert!(!resolve("unknown", Status::Cancelled).await);
    assert!(resolve("c", Status::Cancelled).await);
    assert_eq!(outbox.status(&scope(), &id("c")).await.expect("a status"), Some(Status::Cancelled));
    let trail = outbox.trail(&scope(), None, 100).await.expect("a trail");
    let resolved: Vec<_> = trail.iter().filter(|line| line.happening == Happening::Resolved).collect();
    assert_eq!(
        resolved.iter().map(|line| line.words.as_deref()).collect::<Vec<_>>(),
        [Some("pending"), Some("cancelled")]
    );
}

async fn another_demarche_is_another_world(outbox: &impl Outbox) {
    let others = [
        Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(1) },
        Scope { instance: "ds".to_owned(), demarche: DemarcheNumber::new(12) },
    ];
    put(outbox, &[message("a", 1, "x")]).await;
    for (n, other) in others.iter().enumerate() {
        assert!(outbox.pending(other, None, 10).await.expect("entries").is_empty());
        assert_eq!(outbox.status(other, &id("a")).await.expect("a status"), None);
        let received = outbox.put(other, &[message("a", 1, "autre")], at(n as i64)).await.expect("intents");
        assert_eq!(received.new, 1);
        assert_eq!(outbox.trail(other, None, 10).await.expect("a trail").len(), 1);
        assert_eq!(outbox.depth(other).await.expect("counts"), [(Status::Pending, 1)]);
    }
    settle(outbox, "a", Status::Done).await;
    for other in &others {
        assert_eq!(outbox.status(other, &id("a")).await.expect("a status"), Some(Status::Pending));
        assert!(outbox.moves(other, DossierNumber::new(1)).await.expect("moves").is_empty());
    }
    // What waits is told for all of them, and what is done is not.
    let backlog: Vec<(String, String, u64)> = outbox
        .backlog()
        .await
        .expect("counts")
        .into_iter()
        .map(|waits| (waits.instance, waits.demarche, waits.pending))
        .collect();
    let line = |instance: &str, demarche: &str| (instance.to_owned(), demarche.to_owned(), 1);
    assert_eq!(backlog, [line("dn", "1"), line("ds", "12")]);
}

#[tokio::test]
async fn an_outbox_in_memory_keeps_the_contract() {
    check(async |_| MemoryOutbox::default()).await;
}

#[tokio::test]
async fn an_outbox_in_a_file_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    check(async |part| SqliteSink::open(&folder.path().join(format!("{part}.db"))).await.expect("a file")).await;
}

#[tokio::test]
async fn an_outbox_in_postgresql_keeps_the_contract() {
    check(async |_| Database::new().await.sink().await).await;
}
