//! Fills in, ticks and reads decisions as an agent does.

use std::collections::BTreeSet;

use demarche_numerique::intent::{IntentId, Status};
use demarche_numerique::plan::{Retention, Terms};
use demarche_numerique::sandbox::grist::Grist;
use demarche_numerique::sandbox::world::form::stable_id;
use demarche_numerique::sandbox::{FormSpec, Kind};
use demarche_numerique::sink::GristSink;
use demarche_numerique::sink::grist::Taken;
use demarche_numerique::sync::{self, Job, Settings};
use serde_json::json;

use super::{Office, TABLE};

#[tokio::test]
async fn a_decision_is_taken_sent_and_told() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Décision", json!("Refuser")), ("Motivation à envoyer", json!("Hors délai"))]);
    let (taken, pushed) = office.push().await;
    assert_eq!((taken.intents.len(), taken.declined.len(), pushed.count(Status::Done)), (1, 0, 1), "{pushed:?}");
    assert_eq!(office.done(number), ["dossierRefuser"]);
    assert_eq!(office.state(number), "refuse");
    let told = office.told(number);
    assert!(told.starts_with("Refusé le ") && told.contains(" h "), "{told}");
    let row = office.row(number);
    assert!(!office.ticked(number));
    for title in ["Décision", "Motivation à envoyer"] {
        assert_eq!(row.text(&office.column(title)), "", "{title} asks no more");
    }
    assert_eq!(row.text("state"), "refuse", "the document shows it at once");
    let sent = office.place.rows("Dn_envois");
    assert_eq!((sent[0].text("statut"), sent[0].text("action")), ("Fait", "Refuser"));
    assert_eq!(sent[0].text("reponse"), told);
    let trail: Vec<String> = office.place.rows("Dn_journal").iter().map(|l| l.text("evenement").to_owned()).collect();
    assert_eq!(trail, ["Demandé", "Envoi", "Réponse", "Réglé"]);
    // Nothing is left to do, and nothing comes back.
    let before = office.place.grist.state_number(&office.place.document);
    office.push().await;
    assert_eq!(
        office.place.grist.state_number(&office.place.document),
        before,
        "people keep their history (Grist trap 32)"
    );
    let told = office.told(number);
    office.sync().await;
    assert_eq!((office.done(number).len(), office.told(number)), (1, told));
}

#[tokio::test]
async fn what_people_wrote_to_decide_goes_with_an_anonymised_dossier() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.lab.sandbox.world().refuser(number, "Hors délai", Some(1)).expect("it is under examination");
    office.sync().await;
    let row = office.row(number).id;
    let written = ["Motivation à envoyer", "Message à l’usager", "Agent", "À écrire : Avis du service"];
    for title in written {
        office.place.person().edit(TABLE, row, &office.column(title), json!("secret"));
    }
    office.place.person().edit(TABLE, row, &office.column("Décision"), json!("Archiver"));
    let sink = office.try_open().await.expect("a document");
    office.lab.wait(24 * 4);
    let finished = Terms { anonymise: "1 day".parse().ok(), purge: None };
    let rules = Retention { finished, ..Retention::default() };
    let retain = async |job: Job<'_, GristSink>| {
        let settings = Settings { allow_deletes: true, ..job.settings };
        sync::retain(&Job { settings, ..job }, &rules, &BTreeSet::new()).await
    };
    let run = office.lab.job(&sink, retain).await;
    assert!(run.error.is_none() && run.report.counts.anonymised > 0, "{run:?}");
    sink.close().await.expect("a clean end");
    let row = office.row(number);
    assert!(!format!("{row:?}").contains("secret"), "{row:?}");
    assert_eq!((row.text("state"), row.text(&office.column("Décision"))), ("refuse", ""));
    office.place.assert_sound();
}

#[tokio::test]
async fn annotations_a_decision_and_a_message_go_in_this_order_under_one_tick() {
    let office = Office::new().await;
    let number = office.dossier("en_construction");
    office.ask(
        number,
        &[
            ("Message à l’usager", json!("Votre dossier est accepté.")),
            ("Décision", json!("Accepter")),
            ("À écrire : Avis du service", json!("Favorable")),
            ("À écrire : Score", json!(12)),
            ("À écrire : Date de commission", json!(1_772_409_600)),
            ("À écrire : Montant accordé", json!(1234.5)),
            ("À écrire : Priorité", json!("Haute")),
            ("À écrire : Prioritaire ?", json!("Oui")),
        ],
    );
    let (taken, pushed) = office.push().await;
    assert_eq!((taken.intents.len(), pushed.count(Status::Done)), (3, 3), "{pushed:?}");
    let done = office.done(number);
    let last: Vec<&str> = done.iter().rev().take(3).rev().map(String::as_str).collect();
    assert_eq!(last, ["dossierPasserEnInstruction", "dossierAccepter", "dossierEnvoyerMessage"], "{done:?}");
    assert!(done.len() > 3, "annotations came before: {done:?}");
    let told = office.told(number);
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("Annotations écrites le "), "{told}");
    assert!(lines[1].starts_with("Accepté le ") && lines[2].starts_with("Message envoyé le "), "{told}");
    let row = office.row(number);
    for title in ["Décision", "Message à l’usager", "À écrire : Score", "À écrire : Avis du service"] {
        let cell = row.cell(&office.column(title));
        assert!(cell.is_null() || cell == &json!(""), "{title}: {cell}");
    }
    // The annotations themselves are there.
    assert_eq!(row.cell(&office.column("Score")), &json!(12));
    assert_eq!(office.sync().await, Vec::<String>::new());
}

#[tokio::test]
async fn places_and_other_dossiers_are_written_into_annotations_by_name_code_and_number() {
    let kinds = [
        (Kind::Pays, "Pays suivi"),
        (Kind::Regions, "Région suivie"),
        (Kind::Departements, "Département suivi"),
        (Kind::DossierLink, "Voir aussi"),
    ];
    let office = Office::asking(FormSpec::Complete, &kinds).await;
    let (number, linked) = (office.dossier("en_instruction"), office.dossier("en_construction"));
    office.ask(number, &[("À écrire : Voir aussi", json!("le mien"))]);
    let (taken, _) = office.push().await;
    assert_eq!((taken.intents.len(), taken.declined.len()), (0, 1));
    assert!(office.told(number).contains("un nombre entier est attendu"), "{}", office.told(number));
    office.ask(
        number,
        &[
            ("À écrire : Pays suivi", json!("Belgique")),
            ("À écrire : Région suivie", json!("11")),
            ("À écrire : Département suivi", json!("Corse-du-Sud")),
            ("À écrire : Voir aussi", json!(linked)),
        ],
    );
    let (taken, pushed) = office.push().await;
    assert_eq!((taken.intents.len(), pushed.count(Status::Done)), (1, 1), "{pushed:?}");
    let row = office.row(number);
    for (_, title) in kinds {
        let cell = row.cell(&office.column(&format!("À écrire : {title}")));
        assert!(cell.is_null() || cell == &json!(""), "{title}: {cell}");
    }
    assert_eq!(row.text(&office.column("Pays suivi")), "Belgique");
    assert_eq!(row.text(&office.column("Département suivi")), "Corse-du-Sud");
    assert_eq!(row.cell(&office.column("Voir aussi")), &json!(linked));
    assert!(!row.text(&office.column("Région suivie")).is_empty());
    assert_eq!(office.sync().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_makes_no_sense_is_not_taken_and_says_what_is_missing() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Décision", json!("Refuser"))]);
    let stray = office.place.person().add_row(TABLE, &[("envoyer", json!(true)), ("decision", json!("Accepter"))]);
    let unknown = office
        .place
        .person()
        .add_row(TABLE, &[("envoyer", json!(true)), ("number", json!(424_242)), ("decision", json!("Accepter"))]);
    let (taken, pushed) = office.push().await;
    assert_eq!((taken.intents.len(), taken.declined.len(), pushed.items.len()), (0, 3, 0));
    assert!(office.told(number).starts_with("Il manque la motivation"), "{}", office.told(number));
    for row in office.place.rows(TABLE) {
        assert_eq!(row.cell("envoyer"), &json!(false));
        if [stray, unknown].contains(&row.id) {
            assert!(row.text("suite_donnee").contains("dossier"), "{}", row.text("suite_donnee"));
        }
    }
    assert!(office.done(number).is_empty());
    // Corrected, it goes.
    office.ask(number, &[("Motivation à envoyer", json!("Doublon"))]);
    office.push().await;
    assert_eq!(office.done(number), ["dossierRefuser"]);
}

#[tokio::test]
async fn a_dossier_that_moved_meanwhile_is_a_conflict_and_the_cells_stay() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Décision", json!("Accepter")), ("Message à l’usager", json!("Bravo"))]);
    office.lab.sandbox.world().refuser(number, "Incomplet", Some(1)).expect("a decision");
    let (_, pushed) = office.push().await;
    assert_eq!((pushed.count(Status::Conflict), pushed.count(Status::Refused)), (1, 1), "{pushed:?}");
    assert!(office.done(number).is_empty(), "nothing was sent");
    let told = office.told(number);
    assert!(told.contains("Conflit : le dossier est refusé depuis ; relisez-le"), "{told}");
    assert!(told.lines().nth(1).is_some_and(|line| line.contains("Pas envoyé")), "{told}");
    let row = office.row(number);
    assert_eq!(row.text(&office.column("Décision")), "Accepter", "the agent may correct it");
    assert!(!office.ticked(number));
}

#[tokio::test]
async fn a_tick_for_a_version_that_is_gone_is_not_taken() {
    let office = Office::new().await;
    let number = office.dossier("en_construction");
    office.ask(number, &[("Décision", json!("Passer en instruction"))]);
    office.lab.wait_minutes(30);
    let question = stable_id::FIRST_OF_KINDS;
    office.lab.sandbox.world().edit(number, question, "une autre réponse").expect("an answer");
    office.sync().await;
    assert!(!office.ticked(number));
    assert!(office.told(number).starts_with("Le dossier a changé depuis"), "{}", office.told(number));
    let (taken, _) = office.push().await;
    assert_eq!(taken, Taken::default());
    // Read again and ticked again, it goes.
    office.ask(number, &[]);
    office.push().await;
    assert_eq!(office.done(number), ["dossierPasserEnInstruction"]);
}

#[tokio::test]
async fn what_waits_is_not_taken_twice() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    let body = ("Message à l’usager", json!("Bonjour"));
    office.ask(number, std::slice::from_ref(&body));
    let sink = office.try_open().await.expect("a document");
    let now = office.lab.sandbox.now();
    assert_eq!(sink.take_decisions(&office.lab.scope, now).await.expect("taken").intents.len(), 1);
    assert_eq!(office.told(number), "En attente d’envoi");
    // Impatient.
    office.ask(number, &[]);
    let again = sink.take_decisions(&office.lab.scope, now).await.expect("looked at");
    assert_eq!((again.intents.len(), again.declined.len()), (0, 1));
    sink.close().await.expect("a clean end");
    office.push().await;
    assert_eq!(office.done(number), ["dossierEnvoyerMessage"]);
    // The same message on purpose, later.
    office.ask(number, &[body]);
    office.push().await;
    assert_eq!(office.done(number), ["dossierEnvoyerMessage"; 2]);
}

#[tokio::test]
async fn what_is_written_while_a_row_waits_is_kept() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Décision", json!("Accepter")), ("Message à l’usager", json!("Un"))]);
    let sink = office.try_open().await.expect("a document");
    sink.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await.expect("taken");
    sink.close().await.expect("a clean end");
    let row = office.row(number).id;
    office.place.person().edit(TABLE, row, &office.column("Message à l’usager"), json!("Deux"));
    office.push().await;
    let row = office.row(number);
    assert_eq!(row.text(&office.column("Message à l’usager")), "Deux");
    assert_eq!(row.text(&office.column("Décision")), "");
    assert_eq!(office.done(number), ["dossierAccepter", "dossierEnvoyerMessage"]);
}

#[tokio::test]
async fn what_is_looked_at_is_not_taken() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Décision", json!("Accepter"))]);
    let before = office.place.grist.state_number(&office.place.document);
    let sink = GristSink::of(office.place.doc(Grist::OWNER)).decisions(true).open_read_only().await;
    let seen = sink.expect("a document").decisions(&office.lab.scope).await.expect("what is ticked");
    assert_eq!(seen.intents.iter().map(|intent| intent.action.word()).collect::<Vec<_>>(), ["accepter"]);
    assert_eq!(office.place.grist.state_number(&office.place.document), before);
    assert!(office.ticked(number));
}

#[tokio::test]
async fn an_id_of_the_desk_names_the_table_the_dossier_and_what_is_asked() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    let asked =
        [("Décision", json!("Accepter")), ("Message à l’usager", json!("Bonjour")), ("À écrire : Score", json!(1))];
    office.ask(number, &asked);
    let (taken, _) = office.push().await;
    let ids: Vec<&IntentId> = taken.intents.iter().map(|intent| &intent.id).collect();
    let start = format!("demarche_1001_dossiers/{number}/1/");
    assert!(ids.iter().all(|id| id.as_str().starts_with(&start)), "{ids:?}");
    assert!(ids[0].as_str().ends_with("/annotations") && ids[2].as_str().ends_with("/message"), "{ids:?}");
}
