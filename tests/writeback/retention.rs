//! Removes from intents, in every target, what people wrote and in whose name; never the fact itself.

use demarche_numerique::ids::DossierNumber;
use demarche_numerique::intent::{Action, Edit, Status, Words};
use demarche_numerique::plan::Change;
use demarche_numerique::sink::{GristSink, Outbox, Sink, SqliteSink};

use super::contract::{at, entry, id, intent, message, put, scope, settle};
use crate::contracts::grist::Place;
use crate::contracts::world::{batch, insert, prepare, row};
use crate::support::postgres::Database;
use crate::sync_runs::survey::occurs;

/// Two dossiers about which something was decided: the first is purged, the second anonymised.
async fn check<T: Outbox + Sink>(target: &T) {
    let prepared = prepare(target, &scope()).await;
    target.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("a commit");
    let words = |text: &str| Words::new(text);
    let edits = vec![Edit { annotation: "Avis".to_owned(), row: None, value: "secret quatre".into() }];
    let intents = [
        intent("a", 1, Action::Refuser { motivation: words("secret un"), justificatif: Some("secret.pdf".into()) }),
        message("b", 1, "secret deux"),
        intent("c", 2, Action::Accepter { motivation: Some(words("secret trois")), justificatif: None }),
        intent("d", 2, Action::Annotations { edits }),
        intent("e", 2, Action::Archiver),
        message("f", 1, "à envoyer"),
        message("g", 3, "d'un autre"),
    ];
    put(target, &intents).await;
    for (name, status) in [
        ("a", Status::Done),
        ("b", Status::Refused),
        ("c", Status::Done),
        ("d", Status::Done),
        ("e", Status::Cancelled),
        ("g", Status::Refused),
    ] {
        settle(target, name, status).await;
    }
    let was = row(2, "deux");
    let left = Box::new(demarche_numerique::table::Row { light: was.light.sealed(), ..*row(2, "reste") });
    let changes = vec![Change::Purge(DossierNumber::new(1)), Change::Anonymise(left)];
    for second in [2, 3] {
        target.commit(&prepared, &batch(second, changes.clone())).await.expect("a commit");
    }

    let trail = target.trail(&scope(), None, 1_000).await.expect("the trail");
    for line in trail.iter().filter(|line| ["a", "b", "c", "d", "e"].contains(&line.intent.as_str())) {
        assert!(line.author.as_deref().is_none_or(|author| author == "[non conservé]"), "{line:?}");
        assert!(line.words.as_deref().is_none_or(|words| words == "[non conservé]"), "{line:?}");
    }
    let others = trail.iter().filter(|line| line.intent.as_str() == "g" && line.author.is_some()).count();
    assert!(others > 0, "the trail of another dossier stays: {trail:?}");
    for (name, status) in
        [("a", Status::Done), ("b", Status::Refused), ("e", Status::Cancelled), ("f", Status::Pending)]
    {
        assert_eq!(target.status(&scope(), &id(name)).await.expect("a status"), Some(status), "{name}");
    }
    assert_eq!(put(target, &intents).await.new, 0, "no decision is asked for a second time");
    let waiting = entry(target, "f").await;
    assert_eq!(waiting.intent.as_ref(), Ok(&intents[5]), "what is still to be sent stays whole");
    settle(target, "f", Status::Done).await;
    assert_eq!(target.trail(&scope(), None, 1_000).await.expect("it is read").len(), trail.len() + 1);
    let last = target.trail(&scope(), None, 1_000).await.expect("it is read").pop().expect("a line");
    assert_eq!(last.at, at(3));
}

#[tokio::test]
async fn what_was_written_in_decisions_goes_from_a_file_and_its_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dossiers.db");
    let sink = SqliteSink::open(&path).await.expect("a file");
    check(&sink).await;
    sink.check().await.expect("a sound file");
    sink.close().await.expect("the log is folded in");
    let bytes = std::fs::read(&path).expect("the file");
    for secret in ["secret un", "secret deux", "secret trois", "secret quatre", "secret.pdf"] {
        assert!(!occurs(&bytes, secret), "{secret}");
    }
    assert!(occurs(&bytes, "d'un autre"));
}

#[tokio::test]
async fn what_was_written_in_decisions_goes_from_postgresql() {
    let database = Database::new().await;
    let sink = database.sink().await;
    check(&sink).await;
    sink.check().await.expect("a sound schema");
}

#[tokio::test]
async fn what_was_written_in_decisions_goes_from_a_document() {
    let place = Place::new().await;
    let sink: GristSink = place.open().await;
    check(&sink).await;
    place.assert_sound();
    let told =
        format!("{:?}", ["Dn_intentions", "Dn_envois", "Dn_journal", "Dn_dossiers"].map(|table| place.rows(table)));
    assert!(!told.contains("secret") && told.contains("agent@example.org"), "{told}");
    let of = |row: &demarche_numerique::sandbox::grist::Row| row.text("agent").to_owned();
    let agents: Vec<String> = place.rows("Dn_envois").iter().map(of).collect();
    assert_eq!(agents.iter().filter(|agent| *agent == "[non conservé]").count(), 5, "{agents:?}");
}
