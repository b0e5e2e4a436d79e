//! Checks the boxes that people tick to ask for runs (Grist traps 41 and 42).

use demarche_numerique::sink::GristSink;
use demarche_numerique::sink::grist::DocumentCommand;
use grist_client::{Action, Repeat};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::fixture::Fixture;
use crate::contracts::world::scope;

traps!(
    trap_41_an_empty_bundle_tells_who_may_write_and_leaves_no_trace,
    trap_42_who_asked_stays_who_asked_when_the_program_takes_the_tick,
);

const TABLE: &str = "Dn_commandes";

async fn trap_41_an_empty_bundle_tells_who_may_write_and_leaves_no_trace(fixture: &Fixture) {
    fixture.fill().await;
    let before = fixture.state_number().await;
    fixture.doc().can_edit().await.expect("an owner");
    assert_eq!(fixture.state_number().await, before);
    // A text that is no token of that Grist, be it the key of its owner.
    for text in ["abc", fixture.key(), "a.b.c"] {
        let client = fixture.client().build().expect("a client").as_person(text.to_owned().into());
        let error = client.doc(fixture.id.clone()).can_edit().await.expect_err("no token");
        assert_eq!(error.kind(), "wrong_key", "{error}");
    }
    assert_eq!(fixture.state_number().await, before);
}

async fn trap_42_who_asked_stays_who_asked_when_the_program_takes_the_tick(fixture: &Fixture) {
    let Some(guest) = fixture.guest() else { return };
    fixture.fill().await;
    fixture.share().await;
    let sink = fixture.open().await;
    sink.offer_commands(&scope()).await.expect("a document of ours");
    sink.close().await.expect("a clean end");
    let row = || async { fixture.rows(TABLE).await.into_iter().next().expect("the row of the démarche") };
    let id = row().await["id"].as_i64().expect("an id");
    // Somebody else ticks two boxes.
    let doc = guest.build().expect("a client").doc(fixture.id.clone());
    let tick = json!({ "synchroniser": true, "verifier": true });
    let values: Map<String, Value> = tick.as_object().expect("cells").clone();
    let action = Action::UpdateRecord { table: TABLE.to_owned(), row: id, values };
    doc.apply(&[action], Repeat::Never).await.expect("an editor may tick");
    let asked = row().await;
    if fixture.is_real() {
        // The imitation computes no formula.
        assert_eq!(asked["demande_par"], "other@example.org");
        assert!(asked["demande_le"].is_number(), "{asked:?}");
    }
    let found = GristSink::read_commands(&fixture.doc()).await.expect("an answer").expect("a table");
    assert!(found.len() == 1 && found[0].needs_work(Timestamp::now()), "{found:?}");

    let sink = fixture.open().await;
    let now = Timestamp::now();
    let words = |_: &_| "En cours".to_owned();
    let taken = sink.take_commands(&scope(), now, &words).await.expect("an answer").expect("two boxes");
    assert_eq!(taken.commands, [DocumentCommand::Sync, DocumentCommand::Verify].into());
    let again = sink.take_commands(&scope(), Timestamp::now(), &words).await.expect("an answer");
    assert_eq!(again, None, "a tick is taken once");
    let under_way = row().await;
    assert_eq!((&under_way["synchroniser"], &under_way["reponse"]), (&json!(false), &json!("En cours")));
    sink.answer_commands(&scope(), &taken, "Terminé").await.expect("it is written");
    sink.close().await.expect("a clean end");
    let ended = row().await;
    assert_eq!((&ended["reponse"], &ended["prise"]), (&json!("Terminé"), &json!("")));
    for column in ["demande_par", "demande_le"] {
        assert_eq!(ended[column], asked[column], "the program took the tick, and did not ask");
    }
    let found = GristSink::read_commands(&fixture.doc()).await.expect("an answer").expect("a table");
    assert!(!found[0].needs_work(Timestamp::now()), "{found:?}");
}
