//! A copy of a document brings along what waits to be sent, and what was sent since is not in it.

use demarche_numerique::sink::{GristSink, Outbox, Sink, SinkError};
use demarche_numerique::writeback::PushError;
use serde_json::json;

use super::{Office, TABLE};

/// The office goes on in a copy of its document.
fn into_copy(office: &mut Office) -> String {
    let original = office.place.document.clone();
    office.place.document = office.place.grist.copy(&original);
    original
}

fn refused(error: &PushError) -> bool {
    matches!(error, PushError::Outbox(SinkError::Unusable { .. })) && error.to_string().contains("is a copy of")
}

#[tokio::test]
async fn a_copy_of_a_document_sends_nothing_that_waits_in_it() {
    let mut office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Message à l’usager", json!("Bonjour"))]);
    let sink = office.try_open().await.expect("a document");
    sink.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await.expect("taken");
    sink.close().await.expect("a clean end");
    let original = into_copy(&mut office);
    let error = office.try_push().await.expect_err("it is a copy");
    assert!(refused(&error) && error.to_string().contains(&original), "{error}");
    assert_eq!(office.done(number), [""; 0]);
    // The ordinary copy of dossiers goes on, and does not make it another document.
    office.sync().await;
    assert!(refused(&office.try_push().await.expect_err("it is still a copy")));
    let copy = std::mem::replace(&mut office.place.document, original);
    office.push().await;
    assert_eq!(office.done(number), ["dossierEnvoyerMessage"], "the original sends");
    office.place.document = copy;
    assert!(refused(&office.try_push().await.expect_err("what was sent from the original is not sent again")));
    assert_eq!(office.done(number).len(), 1);
}

#[tokio::test]
async fn a_tick_in_a_copy_is_taken_once_an_operator_adopts_it() {
    let mut office = Office::new().await;
    let original = into_copy(&mut office);
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Message à l’usager", json!("Bonjour"))]);
    let sink = office.try_open().await.expect("a document");
    let error = sink.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await.expect_err("it is a copy");
    assert!(matches!(&error, SinkError::Unusable { .. }), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("--adopt")));
    assert!(office.ticked(number), "the tick stays");
    assert_eq!(sink.copied_from().await.expect("an answer"), Some(original));
    sink.adopt().await.expect("adopted");
    assert_eq!(sink.copied_from().await.expect("an answer"), None);
    sink.close().await.expect("a clean end");
    office.push().await;
    assert_eq!(office.done(number), ["dossierEnvoyerMessage"]);
}

#[tokio::test]
async fn a_push_says_that_the_column_of_ticks_is_gone_and_which_rows_make_no_sense() {
    let office = Office::new().await;
    let sink = office.try_open().await.expect("a document");
    let row = office.place.person().add_row(TABLE, &[("decision", json!("Accepter")), ("envoyer", json!(true))]);
    for planned in [true, false] {
        let taken = if planned {
            sink.decisions(&office.lab.scope).await.expect("an answer")
        } else {
            sink.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await.expect("an answer")
        };
        assert_eq!(taken.declined.len(), 1, "{taken:?}");
        assert_eq!((taken.declined[0].row, taken.declined[0].dossier), (row, None));
    }
    sink.close().await.expect("a clean end");
    for change in ["retyped", "removed"] {
        match change {
            "retyped" => office.place.person().retype_column(TABLE, "envoyer", "Text"),
            _ => office.place.person().remove_column(TABLE, "envoyer"),
        }
        let sink = office.try_open().await.expect("a document");
        for planned in [true, false] {
            let taken = if planned {
                sink.decisions(&office.lab.scope).await
            } else {
                sink.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await
            };
            let taken = taken.expect("an answer");
            assert_eq!(taken.intents, []);
            let reason = taken.impossible.expect("the column is not what it was");
            assert!(reason.contains("“Envoyer”") && reason.contains("--restore-columns"), "{change}: {reason}");
        }
        assert_eq!(sink.notices(), Vec::<String>::new(), "{change}: said once");
    }
}

#[tokio::test]
async fn the_journal_names_people() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Message à l’usager", json!("Bonjour"))]);
    office.push().await;
    let lines = office.place.rows("Dn_journal");
    assert!(lines.len() >= 4);
    for line in &lines {
        let agent = line.text("agent");
        assert!(agent.is_empty() || agent.contains('@'), "{}: {agent}", line.text("evenement"));
    }
    let sent = lines.iter().find(|line| line.text("evenement") == "Envoi").expect("it was sent");
    assert_eq!(sent.text("agent"), office.agents[&number]);
    // The trail keeps what the platform knows.
    let sink = GristSink::of(office.place.doc("cle-du-bac-a-sable")).open_read_only().await.expect("a document");
    assert!(sink.trail(&office.lab.scope, None, 99).await.expect("a trail").len() >= 4);
}

#[tokio::test]
async fn the_trail_is_read_whatever_types_people_give_its_columns() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Message à l’usager", json!("Bonjour"))]);
    office.push().await;
    let read = async || {
        let sink = office.try_open().await.expect("a document");
        let lines = sink.trail(&office.lab.scope, None, 99).await.expect("a trail");
        let rest = sink.trail(&office.lab.scope, Some(2), 99).await.expect("a trail");
        sink.close().await.expect("a clean end");
        (lines.iter().map(|line| line.seq).collect::<Vec<_>>(), rest.len())
    };
    let before = read().await;
    assert_eq!(before.1, before.0.len() - 2);
    for (column, kind, own) in
        [("rang", "Text", "Numeric"), ("cle", "Numeric", "Text"), ("empreinte", "Choice", "Text")]
    {
        office.place.person().retype_column("Dn_journal", column, kind);
        assert_eq!(read().await, before, "{column} as {kind}");
        office.place.person().retype_column("Dn_journal", column, own);
        assert_eq!(read().await, before, "{column} as {own} again");
    }
    for (column, kind, own) in
        [("rang", "Text", "Numeric"), ("demarche", "Numeric", "Text"), ("numero", "Text", "Numeric")]
    {
        office.place.person().retype_column("Dn_intentions", column, kind);
        office.place.person().retype_column("Dn_intentions", column, own);
        let sink = office.try_open().await.expect("a document");
        let depth = sink.depth(&office.lab.scope).await.expect("counts");
        assert_eq!(depth.iter().map(|(_, lines)| lines).sum::<u64>(), 1, "{column} after {kind}: {depth:?}");
        sink.begin(&office.lab.scope).await.expect("nothing is missing");
        sink.end(&office.lab.scope).await.expect("an end");
        sink.close().await.expect("a clean end");
    }
}
