//! From what the back office decided to what the platform did: over the sandbox, whose audit is the judge.

mod annotations;
pub mod contract;
mod decisions;
mod faults;
mod files;
mod grist;
mod refusals;
mod restored;
mod retention;
mod seen;
mod targets;
mod undone;

use std::sync::Mutex;
use std::time::Duration;

use demarche_numerique::api::RateLimiter;
use demarche_numerique::fingerprint::{Digest, Fingerprint};
use demarche_numerique::ids::Scope;
use demarche_numerique::intent::{Action, Expected, Intent, IntentId, Status, Words};
use demarche_numerique::privacy::{Filter, FormTypes, Policy};
use demarche_numerique::sandbox::world::{Demandeur, State};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, Sandbox, Server, WorldSpec};
use demarche_numerique::sink::{MemoryOutbox, Outbox};
use demarche_numerique::sync::Stop;
use demarche_numerique::writeback::{Item, Push, PushError, Pushed, plan, push};
use demarche_numerique::{Client, DemarcheNumber, Dossier, DossierNumber, Platform};
use jiff::SignedDuration;

/// An instructeur of the groupe that has the dossiers.
pub const AGENT: &str = "instructeur-1@example.org";

/// A platform, a client that may write, and an outbox.
pub struct PushFixture<O = MemoryOutbox> {
    pub sandbox: Sandbox,
    pub _server: Server,
    pub client: Client,
    pub outbox: O,
    pub scope: Scope,
    pub filter: Filter,
    pub stop: Stop,
    /// The dossiers that pushes read back.
    pub moved: Mutex<Vec<Dossier>>,
}

impl PushFixture {
    /// An empty démarche, and an outbox in memory.
    pub async fn new(platform: Platform) -> Self {
        Self::with(platform, MemoryOutbox::default()).await
    }
}

impl<O: Outbox> PushFixture<O> {
    /// The démarche of every kind of champ.
    pub async fn with(platform: Platform, outbox: O) -> Self {
        let spec = WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(0);
        Self::of(spec, DEMARCHE_COMPLETE, outbox).await
    }

    /// A démarche of a world.
    pub async fn of(spec: WorldSpec, demarche: u32, outbox: O) -> Self {
        let platform = spec.platform.into();
        let sandbox = Sandbox::new(&spec);
        let server = sandbox.serve_locally().await.expect("a free port on loopback");
        let client = Client::builder(platform)
            .url(server.url())
            .token(sandbox.token())
            .retry_base(Duration::from_micros(1))
            // The platform's limit is another test's; this one would take ten minutes by it.
            .limiter(RateLimiter::new(1_000_000, Duration::from_secs(60)))
            .build()
            .expect("valid settings");
        Self {
            sandbox,
            _server: server,
            client,
            outbox,
            scope: Scope { instance: "essai".to_owned(), demarche: DemarcheNumber::new(demarche) },
            filter: Filter::new(Policy::default(), None).expect("the default policy needs no key"),
            stop: Stop::default(),
            moved: Mutex::default(),
        }
    }

    /// A dossier in that state.
    pub fn dossier(&self, state: State) -> u32 {
        let mut world = self.sandbox.world();
        let number = world.submit(self.scope.demarche.get()).expect("the démarche exists");
        // A company may be unknown for a while, and such a dossier cannot be decided.
        let (nom, prenom) = ("Exemple".to_owned(), "Ariane".to_owned());
        let person = Demandeur::PersonnePhysique { civilite: None, nom, prenom };
        world.set_demandeur(number, person);
        if state != State::EnConstruction {
            world.passer_en_instruction(number, Some(1)).expect("legal");
        }
        match state {
            State::Accepte => world.accepter(number, "Complet", Some(1)).expect("legal"),
            State::Refuse => world.refuser(number, "Hors sujet", Some(1)).expect("legal"),
            State::SansSuite => world.classer_sans_suite(number, "Doublon", Some(1)).expect("legal"),
            State::Brouillon | State::EnConstruction | State::EnInstruction => {}
        }
        number
    }

    /// Puts intents into the outbox.
    pub async fn ask(&self, intents: &[Intent]) {
        let received = self.outbox.put(&self.scope, intents, self.sandbox.now()).await.expect("a writable outbox");
        assert_eq!(received.new, intents.len() as u64, "{received:?}");
    }

    async fn with_push<T>(&self, quiet: SignedDuration, work: impl AsyncFnOnce(&Push<'_, O>) -> T) -> T {
        let sandbox = self.sandbox.clone();
        let clock = move || sandbox.now();
        let events = |_: &Item| {};
        work(&Push {
            client: &self.client,
            outbox: &self.outbox,
            scope: &self.scope,
            filter: &self.filter,
            author: Some(AGENT),
            quiet,
            once: false,
            events: &events,
            stop: &self.stop,
            clock: &clock,
        })
        .await
    }

    /// Sends; answers that are lost are looked for at once.
    pub async fn push(&self) -> Result<Pushed, PushError> {
        self.push_with(SignedDuration::ZERO).await
    }

    /// The same, with so long a wait before what must not be done twice is sent again.
    pub async fn push_with(&self, quiet: SignedDuration) -> Result<Pushed, PushError> {
        self.with_push(quiet, async |work| {
            push(work, &|dossiers| {
                self.moved.lock().expect("no panic").extend(dossiers);
                Box::pin(std::future::ready(Ok(())))
            })
            .await
        })
        .await
    }

    /// Lists what would be sent.
    pub async fn plan(&self) -> Pushed {
        self.with_push(SignedDuration::ZERO, async |work| plan(work).await).await.expect("a plan")
    }

    /// A push that must end well.
    pub async fn pushed(&self) -> Pushed {
        self.push().await.unwrap_or_else(|error| panic!("the push failed: {error} ({error:?})"))
    }

    /// Returns the statuses of the only intents of a push.
    pub async fn outcomes(&self) -> Vec<Status> {
        self.pushed().await.items.iter().map(|item| item.status).collect()
    }

    /// The names of what the platform did, in order.
    pub fn done(&self) -> Vec<String> {
        self.sandbox.audit().into_iter().map(|entry| entry.mutation).collect()
    }

    /// The fingerprint under which a target would keep a dossier.
    pub async fn fingerprint(&self, number: u32) -> Fingerprint {
        let dossier = self.client.dossier(DossierNumber::new(number)).await.expect("an answer");
        let form = self.client.demarche(self.scope.demarche).await.expect("an answer");
        let mut dossier = dossier.expect("it is shown");
        self.filter.apply(&mut dossier, &FormTypes::of(&form));
        Digest::of(dossier.document().as_bytes())
    }

    /// The state of a dossier on the platform.
    pub fn state(&self, number: u32) -> String {
        self.sandbox.dossier(number).expect("a dossier that is shown").state.as_str().to_owned()
    }

    /// Ends every test: nothing is left to do, and a second push sends nothing.
    pub async fn assert_settled(&self) {
        let before = self.sandbox.audit();
        let again = self.pushed().await;
        assert_eq!(again.items, [], "a second push finds nothing to do");
        assert_eq!(self.sandbox.audit(), before, "a second push does nothing");
        assert_eq!(self.sandbox.violations(), Vec::<String>::new());
    }
}

/// An intent of that name.
pub fn intent(id: &str, dossier: u32, action: Action) -> Intent {
    Intent {
        id: IntentId::new(id).expect("a short line"),
        dossier: DossierNumber::new(dossier),
        author: None,
        action,
        expected: Expected::default(),
        requires: None,
        silent: false,
        overrule: false,
    }
}

pub fn accept(motivation: &str) -> Action {
    Action::Accepter { motivation: Some(Words::new(motivation)), justificatif: None }
}

pub fn refuse(motivation: &str) -> Action {
    Action::Refuser { motivation: Words::new(motivation), justificatif: None }
}

pub fn message(body: &str) -> Action {
    Action::Message { body: Words::new(body), attachment: None, correction: None }
}

/// The id of the only item, its status and its words.
pub fn only(pushed: &Pushed) -> (Status, Option<&str>, &str) {
    let [item] = pushed.items.as_slice() else { panic!("one intent is expected: {:?}", pushed.items) };
    (item.status, item.reason.as_deref(), item.words.as_deref().unwrap_or_default())
}
