//! People decide in a document of Grist: what they tick is done once, and the document says what became of it.

use std::collections::BTreeMap;

use demarche_numerique::Platform;
use demarche_numerique::intent::{IntentId, Status};
use demarche_numerique::sandbox::grist::{Fault, FaultPlan, Grist, Row};
use demarche_numerique::sandbox::world::Demandeur;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::grist::Taken;
use demarche_numerique::sink::{GristSink, MemorySink, Outbox, Sink, SinkError};
use demarche_numerique::sync::{self, Job};
use demarche_numerique::writeback::{Push, PushError, Pushed, push};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::contract;
use crate::contracts::grist::Place;
use crate::sync_runs::lab::Lab;

const TABLE: &str = "Demarche_1001_dossiers";

#[tokio::test]
async fn an_outbox_in_a_document_keeps_the_contract() {
    let places = std::sync::Mutex::new(Vec::new());
    contract::check(async |_| {
        let place = Place::new().await;
        let sink = place.open().await;
        places.lock().expect("no panic").push(place);
        sink
    })
    .await;
    for place in places.into_inner().expect("no panic") {
        place.assert_sound();
        let shown: Vec<String> = place.rows("Dn_envois").iter().map(|row| row.text("statut").to_owned()).collect();
        let kept: Vec<String> = place.rows("Dn_intentions").iter().map(|row| row.text("statut").to_owned()).collect();
        assert_eq!(shown.len(), kept.len());
        assert_eq!(kept.contains(&"done".to_owned()), shown.contains(&"Fait".to_owned()));
    }
}

#[tokio::test]
async fn an_outbox_in_a_document_keeps_the_contract_where_rules_close_sql() {
    use demarche_numerique::sandbox::grist::{AccessRules, Role};
    let places = std::sync::Mutex::new(Vec::new());
    contract::check(async |_| {
        let place = Place::new().await;
        place.grist.add_key("editeur", Some(Role::Editor));
        place.grist.set_rules(&place.document, AccessRules { any: true, ..AccessRules::default() });
        let sink = GristSink::of(place.doc("editeur")).open().await.expect("a document");
        places.lock().expect("no panic").push(place);
        sink
    })
    .await;
}

/// A platform, a document, and somebody who decides in it.
pub struct Office {
    lab: Lab,
    place: Place,
    /// The agent of each dossier.
    agents: BTreeMap<u32, String>,
}

impl Office {
    async fn new() -> Self {
        let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(6);
        let lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, MemorySink::default()).await;
        let form = lab.client.demarche(lab.scope.demarche).await.expect("a démarche");
        let mut agents = BTreeMap::new();
        for (number, truth) in lab.sandbox.snapshot(DEMARCHE_COMPLETE).dossiers {
            let groupe = form.groupes_instructeurs.iter().find(|groupe| groupe.number.get() == truth.groupe);
            let agent = groupe.and_then(|groupe| groupe.instructeurs.first()).expect("a member");
            agents.insert(number, agent.email.clone());
            // Nothing is decided before the register has told who asks.
            let known = Demandeur::PersonneMorale { siret: "99999999999999".to_owned(), enriched: true };
            lab.sandbox.world().set_demandeur(number, known);
        }
        let office = Self { lab, place: Place::new().await, agents };
        office.sync().await;
        office
    }

    async fn try_open(&self) -> Result<GristSink, SinkError> {
        GristSink::of(self.place.doc(Grist::OWNER)).decisions(true).open().await
    }

    async fn sync(&self) -> Vec<String> {
        let sink = self.try_open().await.expect("a document");
        let run = self.lab.run_into(&sink).await;
        assert!(run.error.is_none(), "{:?}", run.error);
        sink.close().await.expect("a clean end");
        self.place.assert_sound();
        run.report.notices
    }

    /// What `dn push --apply` does: takes what was decided, and empties the outbox.
    async fn try_push(&self) -> Result<(Taken, Pushed), PushError> {
        let sink = self.try_open().await?;
        let taken = sink.take_decisions(&self.lab.scope, self.lab.sandbox.now()).await?;
        let (lab, sandbox) = (&self.lab, self.lab.sandbox.clone());
        let clock = move || sandbox.now();
        let job = Job {
            client: &lab.client,
            sink: &sink,
            scope: lab.scope.clone(),
            filter: &lab.filter,
            settings: lab.settings,
            events: &|_| {},
            stop: lab.stop.clone(),
            clock: &clock,
        };
        let work = Push {
            client: &lab.client,
            outbox: &sink,
            scope: &lab.scope,
            filter: &lab.filter,
            author: None,
            quiet: SignedDuration::ZERO,
            once: false,
            events: &|_| {},
            stop: &lab.stop,
            clock: &clock,
        };
        let pushed = push(&work, async |dossiers| Ok(sync::refresh(&job, dossiers).await.map(drop)?)).await;
        sink.close().await?;
        Ok((taken, pushed?))
    }

    async fn push(&self) -> (Taken, Pushed) {
        self.try_push().await.expect("a push")
    }

    /// A dossier in that state, of those that no test has taken yet.
    fn dossier(&self, state: &str) -> u32 {
        let truth = self.lab.sandbox.snapshot(DEMARCHE_COMPLETE).dossiers;
        let found = truth.iter().find(|(_, truth)| truth.state.as_str() == state && !truth.archived);
        *found.unwrap_or_else(|| panic!("no dossier is {state}")).0
    }

    fn state(&self, number: u32) -> String {
        self.lab.sandbox.dossier(number).expect("a dossier").state.as_str().to_owned()
    }

    fn row(&self, number: u32) -> Row {
        let rows = self.place.rows(TABLE);
        rows.into_iter().find(|row| row.cell("number") == &json!(number)).expect("its row")
    }

    /// The id of the column with that title.
    fn column(&self, title: &str) -> String {
        let columns = self.place.rows("_grist_Tables_column");
        let found = columns.iter().find(|column| column.text("label") == title);
        found.unwrap_or_else(|| panic!("no column is called {title}")).text("colId").to_owned()
    }

    /// Somebody fills in cells by their titles, names the agent and ticks the row.
    fn ask(&self, number: u32, cells: &[(&str, Value)]) {
        let row = self.row(number).id;
        for (title, value) in cells {
            self.place.person().edit(TABLE, row, &self.column(title), value.clone());
        }
        self.place.person().edit(TABLE, row, &self.column("Agent"), json!(self.agents[&number]));
        self.place.person().edit(TABLE, row, &self.column("Envoyer"), json!(true));
    }

    fn told(&self, number: u32) -> String {
        self.row(number).text(&self.column("Suite donnée")).to_owned()
    }

    fn ticked(&self, number: u32) -> bool {
        self.row(number).cell(&self.column("Envoyer")) == &json!(true)
    }

    /// What the platform did to a dossier, by the names of mutations.
    fn done(&self, number: u32) -> Vec<String> {
        let audit = self.lab.sandbox.audit();
        audit.into_iter().filter(|entry| entry.dossier == Some(number)).map(|entry| entry.mutation).collect()
    }
}

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
    assert_eq!(office.place.grist.state_number(&office.place.document), before, "people keep their history (trap 32)");
    let told = office.told(number);
    office.sync().await;
    assert_eq!((office.done(number).len(), office.told(number)), (1, told));
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
    let question = demarche_numerique::sandbox::world::form::stable_id::FIRST_OF_KINDS;
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
async fn people_rename_move_and_delete_columns_of_decisions() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    let person = office.place.person();
    person.rename_column(TABLE, "decision", "choix_du_service");
    person.relabel_column(TABLE, "envoyer", "C’est parti");
    person.rename_table(TABLE, "Demandes");
    let row = office.row_in("Demandes", number);
    for (column, value) in [("choix_du_service", json!("Accepter")), ("agent", json!(office.agents[&number]))] {
        person.edit("Demandes", row.id, column, value);
    }
    person.edit("Demandes", row.id, "envoyer", json!(true));
    office.push().await;
    assert_eq!(office.done(number), ["dossierAccepter"]);
    assert!(office.row_in("Demandes", number).text("suite_donnee").starts_with("Accepté le"));

    let other = office.dossier("en_construction");
    person.remove_column("Demandes", "choix_du_service");
    person.remove_column("Demandes", "suite_donnee");
    let notices = office.sync().await;
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices[0].contains("“Décision” of Demandes was deleted"), "{notices:?}");
    let row = office.row_in("Demandes", other);
    for (column, value) in [("message_a_l_usager", json!("Bonjour")), ("agent", json!(office.agents[&other]))] {
        person.edit("Demandes", row.id, column, value);
    }
    person.edit("Demandes", row.id, "envoyer", json!(true));
    office.push().await;
    assert_eq!(office.done(other), ["dossierEnvoyerMessage"], "the other columns go on");
    let sink = GristSink::of(office.place.doc(Grist::OWNER)).decisions(true).restore_columns(true).open().await;
    let sink = sink.expect("a document");
    let run = office.lab.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    sink.close().await.expect("a clean end");
    assert!(person.columns("Demandes").contains(&"decision".to_owned()));
}

impl Office {
    fn row_in(&self, table: &str, number: u32) -> Row {
        let rows = self.place.rows(table);
        rows.into_iter().find(|row| row.cell("number") == &json!(number)).expect("its row")
    }
}

#[tokio::test]
async fn columns_of_decisions_are_there_when_they_are_asked_for_and_new_rows_have_no_zeros() {
    let office = Office::new().await;
    let columns = office.place.person().columns(TABLE);
    let place = |id: &str| columns.iter().position(|column| column == id).expect("a column");
    assert!(place("decision") < place("motivation_a_envoyer") && place("agent") < place("envoyer"));
    assert!(place("suite_donnee") < place("dn_gone_reason"), "before the technical ones: {columns:?}");
    let decision = office.place.person().column(TABLE, "decision");
    assert!(decision.text("widgetOptions").contains("Classer sans suite"));
    assert!(decision.text("widgetOptions").contains("fillColor"));
    let score = office.column("À écrire : Score");
    assert_eq!(office.place.person().column(TABLE, &score).text("type"), "Int");
    for row in office.place.rows(TABLE) {
        assert_eq!(row.cell(&score), &Value::Null, "an answer that nobody gave");
        assert_eq!(row.cell("envoyer"), &json!(false));
    }
    let plain = Place::new().await;
    let run = office.lab.run_into(&plain.open().await).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    assert!(!plain.person().columns(TABLE).contains(&"envoyer".to_owned()));
    assert!(plain.person().tables().iter().all(|table| !table.contains("envois")));
    // Asked for later, they come to the rows that are there, and a second run changes nothing.
    let sink = GristSink::of(plain.doc(Grist::OWNER)).decisions(true).open().await.expect("a document");
    let run = office.lab.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    sink.close().await.expect("a clean end");
    let columns = plain.person().columns(TABLE);
    for row in plain.rows(TABLE) {
        assert_eq!(row.cell(&score), &Value::Null);
    }
    let sink = GristSink::of(plain.doc(Grist::OWNER)).decisions(true).open().await.expect("a document");
    office.lab.run_into(&sink).await;
    sink.close().await.expect("a clean end");
    assert_eq!(plain.person().columns(TABLE), columns);
}

#[tokio::test]
async fn a_line_that_is_deleted_in_the_list_of_sendings_is_told_and_sent_once() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Message à l’usager", json!("Bonjour"))]);
    let sink = office.try_open().await.expect("a document");
    let taken = sink.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await.expect("taken");
    for row in office.place.rows("Dn_envois") {
        office.place.person().remove_row("Dn_envois", row.id);
    }
    sink.begin(&office.lab.scope).await.expect("a beginning");
    assert!(sink.notices().iter().any(|notice| notice.contains("still to be sent")));
    sink.end(&office.lab.scope).await.expect("an end");
    sink.close().await.expect("a clean end");
    assert_eq!(office.place.rows("Dn_envois").len(), 1);
    office.push().await;
    for table in ["Dn_envois", "Dn_journal"] {
        for row in office.place.rows(table) {
            office.place.person().remove_row(table, row.id);
        }
    }
    let sink = office.try_open().await.expect("a document");
    let again = sink.put(&office.lab.scope, &taken.intents, office.lab.sandbox.now()).await.expect("known");
    assert_eq!((again.new, again.known), (0, 1), "what people delete there is not what is believed");
    sink.close().await.expect("a clean end");
    office.push().await;
    assert_eq!(office.done(number), ["dossierEnvoyerMessage"]);
}

#[tokio::test]
async fn nothing_is_sent_while_a_row_that_is_believed_is_missing_or_edited() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Message à l’usager", json!("Bonjour"))]);
    let sink = office.try_open().await.expect("a document");
    let taken = sink.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await.expect("taken");
    sink.close().await.expect("a clean end");
    let whole = office.place.grist.snapshot(&office.place.document);
    let row = office.place.rows("Dn_intentions").remove(0);

    office.place.person().remove_row("Dn_intentions", row.id);
    let error = office.try_push().await.expect_err("a row is gone");
    assert!(error.to_string().contains("1 rows of Dn_intentions were deleted"), "{error}");
    let sink = office.try_open().await.expect("a document");
    let error = sink.put(&office.lab.scope, &taken.intents, office.lab.sandbox.now()).await.expect_err("a row is gone");
    assert!(matches!(error, SinkError::Altered { .. }), "{error}");
    sink.close().await.expect("a clean end");

    office.place.grist.restore(&office.place.document, &whole);
    office.place.person().edit("Dn_intentions", row.id, "valeur", json!("t:{}"));
    let error = office.try_push().await.expect_err("a row was edited");
    assert!(error.to_string().contains("row 1 of Dn_intentions was edited"), "{error}");

    office.place.grist.restore(&office.place.document, &whole);
    office.place.person().remove_table("Dn_intentions");
    let error = office.try_push().await.expect_err("the table is gone");
    assert!(error.to_string().contains("the table Dn_intentions is missing"), "{error}");
    assert!(office.done(number).is_empty());

    office.place.grist.restore(&office.place.document, &whole);
    office.push().await;
    assert_eq!(office.done(number), ["dossierEnvoyerMessage"]);
}

#[tokio::test]
async fn of_two_pushes_one_works() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &[("Message à l’usager", json!("Bonjour"))]);
    let (first, second) = (office.try_open().await.expect("a document"), office.try_open().await.expect("a document"));
    first.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await.expect("taken");
    first.begin(&office.lab.scope).await.expect("a beginning");
    let error = second.begin(&office.lab.scope).await.expect_err("held");
    assert!(matches!(error, SinkError::Locked { .. }), "{error}");
    let late = second.take_decisions(&office.lab.scope, office.lab.sandbox.now()).await;
    assert_eq!(late.expect("nothing is ticked"), Taken::default());
    first.end(&office.lab.scope).await.expect("an end");
    first.close().await.expect("a clean end");
    drop(second);
    let third = office.try_open().await.expect("the lease is free");
    third.begin(&office.lab.scope).await.expect("a beginning");
    third.end(&office.lab.scope).await.expect("an end");
    third.close().await.expect("a clean end");
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
async fn two_demarches_of_a_document_decide_apart() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    let spec = WorldSpec::new(Platform::DematSocial).only(&[DEMARCHE_COMPLETE]).dossiers(3);
    let mut other = Lab::with_sink(spec, DEMARCHE_COMPLETE, MemorySink::default()).await;
    other.scope.instance = "autre".to_owned();
    let sink = office.try_open().await.expect("a document");
    let run = other.run_into(&sink).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    office.ask(number, &[("Message à l’usager", json!("Bonjour"))]);
    let now = office.lab.sandbox.now();
    assert_eq!(sink.take_decisions(&other.scope, now).await.expect("none"), Taken::default());
    assert_eq!(sink.depth(&other.scope).await.expect("none"), []);
    sink.close().await.expect("a clean end");
    office.push().await;
    assert_eq!(office.done(number), ["dossierEnvoyerMessage"]);
    let tables = office.place.person().tables();
    let outboxes = tables.iter().filter(|table| table.starts_with("Dn_envois")).count();
    assert_eq!(outboxes, 1, "one for the document: {tables:?}");
}

/// What somebody decides of a dossier that is under examination.
fn everything(score: u32) -> [(&'static str, Value); 3] {
    [
        ("Décision", json!("Accepter")),
        ("Message à l’usager", json!("Votre dossier est accepté.")),
        ("À écrire : Score", json!(score)),
    ]
}

/// What it leads to on the platform.
const EXPECTED: [&str; 3] = ["dossierModifierAnnotations", "dossierAccepter", "dossierEnvoyerMessage"];

/// A dossier about which the same is decided again and again, and how often a push failed on the way.
struct Attempts {
    office: Office,
    number: u32,
    turn: u32,
}

impl Attempts {
    async fn new() -> Self {
        let office = Office::new().await;
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
        self.office.ask(self.number, &everything(self.turn));
        self.office.place.grist.reset_log();
        self.office.done(self.number).len()
    }

    /// How many requests an undisturbed push takes, once the tables of the outbox are there.
    async fn requests(&mut self) -> u32 {
        for _ in 0..2 {
            let before = self.decide().await;
            self.office.push().await;
            self.assert_done_once(before, "undisturbed").await;
        }
        self.decide().await;
        self.office.push().await;
        let requests = u32::try_from(self.office.place.grist.count().requests).expect("a few");
        assert!((20..60).contains(&requests), "{requests} requests");
        requests
    }

    /// What was decided is done once, and told.
    async fn assert_done_once(&self, before: usize, at: &str) {
        let Self { office, number, turn } = self;
        assert_eq!(office.done(*number)[before..], EXPECTED, "{at}");
        let row = office.row(*number);
        let told = row.text(&office.column("Suite donnée"));
        assert_eq!(told.lines().filter(|line| line.contains(" le ")).count(), 3, "{at}: {told}");
        assert_eq!(row.cell(&office.column("Envoyer")), &json!(false), "{at}");
        assert_eq!(row.text(&office.column("Décision")), "", "{at}");
        assert_eq!((row.text("state"), row.cell(&office.column("Score"))), ("accepte", &json!(turn)), "{at}");
        let sink = office.try_open().await.expect("a document");
        let depth = sink.depth(&office.lab.scope).await.expect("counts");
        assert_eq!(depth, [(Status::Done, u64::from(3 * turn))], "{at}");
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

#[tokio::test]
async fn an_id_of_the_desk_names_the_table_the_dossier_and_what_is_asked() {
    let office = Office::new().await;
    let number = office.dossier("en_instruction");
    office.ask(number, &everything(1));
    let (taken, _) = office.push().await;
    let ids: Vec<&IntentId> = taken.intents.iter().map(|intent| &intent.id).collect();
    let start = format!("demarche_1001_dossiers/{number}/1/");
    assert!(ids.iter().all(|id| id.as_str().starts_with(&start)), "{ids:?}");
    assert!(ids[0].as_str().ends_with("/annotations") && ids[2].as_str().ends_with("/message"), "{ids:?}");
}
