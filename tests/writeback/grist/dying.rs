//! A push that dies, or loses an answer, at any of its requests; and the push after it.

use demarche_numerique::intent::Status;
use demarche_numerique::sandbox::FormSpec;
use demarche_numerique::sandbox::grist::{Fault, FaultPlan};
use demarche_numerique::sink::Outbox;
use serde_json::{Value, json};

use super::Office;

/// Decision of a person about a dossier that is under examination.
fn everything() -> [(&'static str, Value); 2] {
    [("Décision", json!("Accepter")), ("Message à l’usager", json!("Votre dossier est accepté."))]
}

/// Mutations that it leads to on the platform.
const EXPECTED: [&str; 2] = ["dossierAccepter", "dossierEnvoyerMessage"];

/// A dossier about which the same is decided again and again, and how often a push failed on the way.
struct Attempts {
    office: Office,
    number: u32,
    turn: u32,
}

impl Attempts {
    async fn new() -> Self {
        let office = Office::of(FormSpec::Simple { champs: 3 }).await;
        let number = office.dossier("en_instruction");
        Self { office, number, turn: 0 }
    }

    /// Decides, and gives what the platform did before.
    async fn decide(&mut self) -> usize {
        self.turn += 1;
        if self.turn > 1 {
            self.office.lab.sandbox.world().repasser_en_instruction(self.number, Some(1)).expect("it was decided");
            self.office.lab.wait_minutes(1);
            self.office.sync().await;
        }
        self.office.ask(self.number, &everything());
        self.office.place.grist.reset_log();
        self.office.done(self.number).len()
    }

    /// Counts the requests of an undisturbed push, once the tables of the outbox are there.
    async fn requests(&mut self) -> u32 {
        for _ in 0..2 {
            let before = self.decide().await;
            self.office.push().await;
            self.assert_done_once(before, "undisturbed").await;
        }
        self.decide().await;
        self.office.push().await;
        let requests = u32::try_from(self.office.place.grist.count().requests).expect("a few");
        assert!((15..45).contains(&requests), "{requests} requests");
        requests
    }

    /// Asserts that what was decided is done once, and reported.
    async fn assert_done_once(&self, before: usize, at: &str) {
        let Self { office, number, turn } = self;
        assert_eq!(office.done(*number)[before..], EXPECTED, "{at}");
        // A push that dies once all is settled leaves it to the next run to show the dossier as it is.
        office.sync().await;
        let row = office.row(*number);
        let told = row.text(&office.column("Suite donnée"));
        assert_eq!(told.lines().filter(|line| line.contains(" le ")).count(), 2, "{at}: {told}");
        assert_eq!(row.cell(&office.column("Envoyer")), &json!(false), "{at}");
        assert_eq!(row.text(&office.column("Décision")), "", "{at}");
        assert_eq!(row.text("state"), "accepte", "{at}");
        let sink = office.try_open().await.expect("a document");
        let depth = sink.depth(&office.lab.scope).await.expect("counts");
        assert_eq!(depth, [(Status::Done, u64::from(2 * turn))], "{at}");
        sink.close().await.expect("a clean end");
        office.place.assert_sound();
    }
}

#[tokio::test]
async fn a_push_that_dies_at_any_request_neither_loses_nor_doubles_a_decision() {
    let mut attempts = Attempts::new().await;
    let requests = attempts.requests().await;
    for after in 0..requests {
        for applied in [false, true] {
            let before = attempts.decide().await;
            let office = &attempts.office;
            if applied {
                office.place.grist.plan(FaultPlan::new(Fault::LoseAnswer).after(after).times(1));
            }
            office.place.grist.plan(FaultPlan::new(Fault::CloseBefore).after(after));
            let _died = office.try_push().await;
            office.place.grist.clear_faults();
            office.push().await;
            attempts.assert_done_once(before, &format!("after {after} requests, applied: {applied}")).await;
        }
    }
}

#[tokio::test]
async fn a_lost_answer_of_grist_is_noticed_and_the_push_goes_on() {
    let mut attempts = Attempts::new().await;
    let requests = attempts.requests().await;
    for after in 0..requests {
        let before = attempts.decide().await;
        attempts.office.place.grist.plan(FaultPlan::new(Fault::LoseAnswer).after(after).times(1));
        attempts.office.try_push().await.unwrap_or_else(|error| panic!("after {after} requests: {error}"));
        attempts.office.place.grist.clear_faults();
        attempts.assert_done_once(before, &format!("after {after} requests")).await;
    }
}

#[tokio::test]
async fn the_first_push_of_a_document_dies_at_any_request_and_the_next_one_makes_what_is_missing() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Décision", json!("Accepter"))]);
    let start = office.place.grist.snapshot(&office.place.document);
    let sink = office.try_open().await.expect("a document");
    office.place.grist.reset_log();
    let now = office.lab.sandbox.now();
    sink.take_decisions(&office.lab.scope, now).await.expect("taken");
    let requests = u32::try_from(office.place.grist.count().requests).expect("a few");
    let pages = office.place.rows("_grist_Pages").len();
    drop(sink);
    for after in 0..requests {
        for applied in [false, true] {
            office.place.grist.restore(&office.place.document, &start);
            let sink = office.try_open().await.expect("a document");
            if applied {
                office.place.grist.plan(FaultPlan::new(Fault::LoseAnswer).after(after).times(1));
            }
            office.place.grist.plan(FaultPlan::new(Fault::CloseBefore).after(after));
            let _died = sink.take_decisions(&office.lab.scope, now).await;
            office.place.grist.clear_faults();
            drop(sink);
            let sink = office.try_open().await.expect("a document");
            sink.take_decisions(&office.lab.scope, now).await.expect("taken, if it was not");
            sink.close().await.expect("a clean end");
            let at = format!("after {after} requests, applied: {applied}");
            assert_eq!(office.place.rows("Dn_intentions").len(), 1, "{at}");
            assert_eq!(office.told(number), "En attente d’envoi", "{at}");
            assert_eq!(office.place.rows("_grist_Pages").len(), pages, "{at}");
            let envois = office.place.person().column("Dn_envois", "statut");
            assert!(envois.text("widgetOptions").contains("À vérifier"), "{at}");
            assert_eq!(envois.cell("untieColIdFromLabel"), &json!(true), "{at}");
        }
    }
}
