//! People decide in a document of Grist: what they tick is done once, and the document says what became of it.

mod copies;
mod deciding;
mod dying;
mod people;

use std::collections::BTreeMap;

use demarche_numerique::Platform;
use demarche_numerique::sandbox::grist::{AccessRules, Grist, Role, Row};
use demarche_numerique::sandbox::world::Demandeur;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, DemarcheSpec, FormSpec, Kind, WorldSpec};
use demarche_numerique::sink::grist::Taken;
use demarche_numerique::sink::{GristSink, MemorySink, SinkError};
use demarche_numerique::sync::{self, Job};
use demarche_numerique::writeback::{Push, PushError, Pushed, push};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::contract;
use crate::contracts::grist::Place;
use crate::sync_runs::lab::Lab;

/// The table of dossiers.
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
        Self::of(FormSpec::Complete).await
    }

    async fn of(form: FormSpec) -> Self {
        Self::asking(form, &[]).await
    }

    /// A newer platform, whose instructeurs fill in these too.
    async fn asking(form: FormSpec, annotations: &[(Kind, &str)]) -> Self {
        let demarches = vec![DemarcheSpec::new(DEMARCHE_COMPLETE, form, 8)];
        let spec = WorldSpec { demarches, ..WorldSpec::new(Platform::DemarcheNumerique) };
        let lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, MemorySink::default()).await;
        for (kind, label) in annotations {
            let mut world = lab.sandbox.world();
            world.newer = true;
            world.ask_annotation(DEMARCHE_COMPLETE, *kind, label);
        }
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

    /// Does what `dn push --apply` does: takes what was decided, and empties the outbox.
    async fn try_push(&self) -> Result<(Taken, Pushed), PushError> {
        let sink = self.try_open().await?;
        let taken = sink.take_decisions(&self.lab.scope, self.lab.sandbox.now()).await?;
        let send = async |job: Job<'_, GristSink>| {
            let work = Push {
                client: job.client,
                outbox: job.sink,
                scope: &job.scope,
                filter: job.filter,
                author: None,
                quiet: SignedDuration::ZERO,
                once: false,
                events: &|_| {},
                stop: &job.stop,
                clock: job.clock,
            };
            push(&work, &|dossiers| Box::pin(async { Ok(sync::refresh(&job, dossiers).await.map(drop)?) })).await
        };
        let pushed = self.lab.job(&sink, send).await;
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

    /// Lists what the platform did to a dossier, by the names of mutations.
    fn done(&self, number: u32) -> Vec<String> {
        let audit = self.lab.sandbox.audit();
        audit.into_iter().filter(|entry| entry.dossier == Some(number)).map(|entry| entry.mutation).collect()
    }
}

impl Office {
    fn row_in(&self, table: &str, number: u32) -> Row {
        let rows = self.place.rows(table);
        rows.into_iter().find(|row| row.cell("number") == &json!(number)).expect("its row")
    }
}
