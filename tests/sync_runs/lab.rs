//! Platform, client and target under one clock, that of the sandbox.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use demarche_numerique::api::PageSize;
use demarche_numerique::ids::Scope;
use demarche_numerique::privacy::{DossierPart, Filter, Policy};
use demarche_numerique::report::Report;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, Sandbox, Server, WorldSpec};
use demarche_numerique::sink::{MemorySink, QuarantineEntry, Sink};
use demarche_numerique::sync::{self, Event, Job, Run, Settings, Stop, Verification};
use demarche_numerique::{Client, DemarcheNumber, Dossier, DossierNumber, Platform};
use jiff::SignedDuration;

/// One démarche of a sandbox and its copy in a sink.
pub struct Lab<S = MemorySink> {
    pub sandbox: Sandbox,
    /// Serves as long as it is kept.
    pub _server: Server,
    pub client: Client,
    pub sink: S,
    pub scope: Scope,
    pub filter: Filter,
    pub settings: Settings,
    pub stop: Stop,
    pub events: Mutex<Vec<String>>,
}

/// State of a dossier in a target: alive or gone, and its document.
pub type Held = BTreeMap<DossierNumber, (bool, Dossier)>;

impl Lab {
    /// The complete démarche of a platform, with so many dossiers, and an empty target in memory.
    pub async fn new(platform: Platform, dossiers: u32) -> Self {
        Self::of(WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(dossiers), DEMARCHE_COMPLETE).await
    }

    /// A démarche of a world, and an empty target in memory.
    pub async fn of(spec: WorldSpec, demarche: u32) -> Self {
        Self::with_sink(spec, demarche, MemorySink::default()).await
    }
}

impl<S: Sink> Lab<S> {
    /// A démarche of a world, and a target.
    pub async fn with_sink(spec: WorldSpec, demarche: u32, sink: S) -> Self {
        let platform = spec.platform.into();
        let sandbox = Sandbox::new(&spec);
        let server = sandbox.serve_locally().await.expect("a free port on loopback");
        let client = client(&sandbox, &server, platform);
        let filter = Filter::new(Policy::default(), None).expect("the default policy needs no key");
        Self {
            sandbox,
            _server: server,
            client,
            sink,
            scope: Scope { instance: "essai".to_owned(), demarche: DemarcheNumber::new(demarche) },
            filter,
            settings: Settings::default(),
            stop: Stop::default(),
            events: Mutex::default(),
        }
    }

    /// The number of the démarche.
    pub fn demarche(&self) -> u32 {
        self.scope.demarche.get()
    }

    /// One run, whatever becomes of it.
    pub async fn try_run(&self) -> Run {
        self.run_into(&self.sink).await
    }

    /// One run into another sink.
    pub async fn run_into<T: Sink>(&self, sink: &T) -> Run {
        self.job(sink, async |job| sync::run(&job).await).await
    }

    /// Something done with a sink. What it tells is kept.
    pub async fn job<T, R>(&self, sink: &T, work: impl AsyncFnOnce(Job<'_, T>) -> R) -> R {
        let sandbox = self.sandbox.clone();
        let clock = move || sandbox.now();
        let events = |event: &Event| self.events.lock().expect("no panic").push(format!("{event:?}"));
        work(Job {
            client: &self.client,
            sink,
            scope: self.scope.clone(),
            filter: &self.filter,
            settings: self.settings,
            events: &events,
            stop: self.stop.clone(),
            clock: &clock,
        })
        .await
    }

    /// One run that must succeed.
    pub async fn run(&self) -> Report {
        let run = self.try_run().await;
        if let Some(error) = run.error {
            panic!("the run failed: {error} ({error:?})");
        }
        run.report
    }

    /// Lets so much time pass on the platform.
    pub fn wait(&self, hours: i64) {
        self.sandbox.advance(SignedDuration::from_hours(hours));
    }

    /// The same in minutes.
    pub fn wait_minutes(&self, minutes: i64) {
        self.sandbox.advance(SignedDuration::from_mins(minutes));
    }

    /// A run that compares the complete listing: a day later.
    pub async fn reconcile(&self) -> Report {
        self.wait(25);
        self.run().await
    }

    /// Returns the contents of the target.
    pub async fn held(&self) -> Held {
        held(&self.sink, &self.scope).await
    }

    /// The dossier as the target holds it; it must be there and alive.
    pub async fn dossier(&self, number: u32) -> Dossier {
        let held = self.held().await;
        let (alive, dossier) = held.get(&DossierNumber::new(number)).expect("the dossier is in the target");
        assert!(alive, "dossier {number} has a tombstone");
        dossier.clone()
    }

    /// Returns true if the target shows the dossier.
    pub async fn shows(&self, number: u32) -> bool {
        self.held().await.get(&DossierNumber::new(number)).is_some_and(|(alive, _)| *alive)
    }

    /// The dossiers in quarantine.
    pub async fn quarantine(&self) -> Vec<QuarantineEntry> {
        self.sink.quarantine(&self.scope).await.expect("a readable target")
    }

    /// Compares the complete listing with the target.
    pub async fn verify(&self) -> Verification {
        sync::verify(&self.client, &self.sink, &self.scope, &self.filter, |_| {})
            .await
            .expect("a listing without holes")
    }

    /// Ends every test of a run: asserts that the target is the platform's truth, dossier by dossier and content by
    /// content; `verify` says so; nothing forbidden was asked; and a second run changes nothing.
    pub async fn assert_exact(&self) {
        self.assert_exact_but(&[]).await;
    }

    /// The same, but for dossiers that are in quarantine.
    pub async fn assert_exact_but(&self, excepted: &[u32]) {
        let truth = self.sandbox.snapshot(self.demarche());
        let held = self.held().await;
        let shown: Vec<u32> = held
            .iter()
            .filter(|(_, (alive, _))| *alive)
            .map(|(n, _)| n.get())
            .filter(|n| !excepted.contains(n))
            .collect();
        let listed: Vec<u32> = truth.dossiers.keys().copied().filter(|n| !excepted.contains(n)).collect();
        assert_eq!(shown, listed, "the numbers shown by the target and by the platform");
        for (number, truth) in &truth.dossiers {
            if excepted.contains(number) {
                continue;
            }
            let (_, dossier) = &held[&DossierNumber::new(*number)];
            assert_eq!(dossier.state.as_str(), truth.state.as_str(), "state of {number}");
            assert_eq!(dossier.archived, truth.archived, "archived mark of {number}");
            assert_eq!(dossier.groupe_instructeur.number.get(), truth.groupe, "groupe of {number}");
            let kept = |part| self.filter.policy().of_part(part).keeps();
            if kept(DossierPart::Motivation) {
                assert_eq!(dossier.motivation, truth.motivation, "motivation of {number}");
            }
            assert_eq!(dossier.messages.len(), truth.messages, "messages of {number}");
            if kept(DossierPart::Usager) {
                assert_eq!(dossier.usager.email, truth.usager, "usager of {number}");
            }
            let seconds = |at: jiff::Timestamp| at.as_second();
            assert_eq!(seconds(dossier.date_derniere_modification), seconds(truth.updated_at), "date of {number}");
            let mut labels: Vec<String> = dossier.labels.iter().map(|label| label.name.clone()).collect();
            labels.sort();
            if self.client.platform() == Platform::DemarcheNumerique {
                assert_eq!(labels, truth.labels, "labels of {number}");
            }
        }

        let fresh = MemorySink::default();
        let run = self.run_into(&fresh).await;
        assert!(run.error.is_none(), "a fresh copy: {:?}", run.error);
        let fresh = held_documents(&fresh, &self.scope).await;
        let ours = held_documents(&self.sink, &self.scope).await;
        for (number, document) in &fresh {
            if !excepted.contains(&number.get()) {
                assert_eq!(ours.get(number), Some(document), "content of {number}");
            }
        }

        let verification = self.verify().await;
        assert!(verification.is_exact(), "verify: {verification:?}");
        assert_eq!(self.sandbox.violations(), Vec::<String>::new());

        let again = self.run().await;
        let counts = again.counts;
        assert_eq!(
            (counts.inserted, counts.updated, counts.deleted, counts.restored, counts.rewritten, again.rows_written),
            (0, 0, 0, 0, 0, 0),
            "a second run changes nothing: {again:?}"
        );
    }
}

/// A client that loses no time between attempts.
pub fn client(sandbox: &Sandbox, server: &Server, platform: Platform) -> Client {
    Client::builder(platform)
        .url(server.url())
        .token(sandbox.token())
        .retry_base(Duration::from_micros(1))
        .build()
        .expect("valid settings")
}

/// A client as a program makes it when it starts: it knows nothing yet of what the platform has.
pub fn fresh_client<S>(lab: &Lab<S>) -> Client {
    Client::builder(lab.client.platform())
        .url(lab.client.url().as_str())
        .token(lab.sandbox.token())
        .retry_base(Duration::from_micros(1))
        .newer_fields(true)
        .build()
        .expect("valid settings")
}

/// Returns the contents of a sink.
pub async fn held<S: Sink>(sink: &S, scope: &Scope) -> Held {
    let mut held = Held::new();
    let mut after = None;
    loop {
        let documents = sink.documents(scope, after, 100).await.expect("a readable target");
        let Some(last) = documents.last() else { return held };
        after = Some(last.number);
        for stored in documents {
            let dossier = serde_json::from_str(&stored.document).expect("a document of ours");
            held.insert(stored.number, (stored.gone.is_none(), dossier));
        }
    }
}

async fn held_documents<S: Sink>(sink: &S, scope: &Scope) -> BTreeMap<DossierNumber, String> {
    let documents = sink.documents(scope, None, 1_000_000).await.expect("a readable target");
    documents.into_iter().filter(|d| d.gone.is_none()).map(|d| (d.number, d.document)).collect()
}

/// A page of so many dossiers.
pub fn pages_of(size: u8) -> PageSize {
    PageSize::new(size).expect("a page size between 1 and 100")
}
