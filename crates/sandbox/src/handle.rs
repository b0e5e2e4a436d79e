//! The handle for tests, the demonstration and the command line.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::endpoint::{Endpoint, Fault, FaultPlan, Incoming, Outgoing, RequestInfo, Server};
use super::graph::Schemas;
use super::spec::WorldSpec;
use super::world::{AuditEntry, DossierTruth, Snapshot, Webhook, World};

type Hook = Box<dyn FnMut(&RequestInfo, &mut World) + Send>;

struct Inner {
    world: Mutex<World>,
    endpoint: Mutex<Endpoint>,
    hooks: Mutex<Vec<Hook>>,
}

/// A platform in memory. Clones share one world.
///
/// ```
/// use demarche_sandbox::{DEMARCHE_LARGE, Sandbox, WorldSpec};
/// use serde_json::json;
///
/// let sandbox = Sandbox::new(&WorldSpec::default());
/// let query = "query Count($n: Int!) { demarche(number: $n) { dossiers(first: 5) { nodes { number state } } } }";
/// let answer = sandbox.graphql(query, &json!({ "n": DEMARCHE_LARGE }));
/// assert_eq!(answer["data"]["demarche"]["dossiers"]["nodes"].as_array().map(Vec::len), Some(5));
/// assert_eq!(sandbox.snapshot(DEMARCHE_LARGE).dossiers.len(), 250);
/// ```
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sandbox")
    }
}

/// The world, locked: everything that can happen to it is a method of [`World`].
pub struct WorldGuard<'a>(MutexGuard<'a, World>);

impl Deref for WorldGuard<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl DerefMut for WorldGuard<'_> {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.0
    }
}

/// A test that panics while it holds the world must not hide its own message behind a poisoned lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sandbox {
    /// Generates the world of a spec.
    #[must_use]
    pub fn new(spec: &WorldSpec) -> Self {
        let inner = Inner { world: Mutex::new(World::new(spec)), endpoint: Mutex::default(), hooks: Mutex::default() };
        Self(Arc::new(inner))
    }

    /// Answers over HTTP; port 0 takes a free port. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn serve(&self, address: SocketAddr) -> io::Result<Server> {
        Server::start(self.clone(), address).await
    }

    /// Answers on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// When no port can be listened on.
    pub async fn serve_locally(&self) -> io::Result<Server> {
        self.serve(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// The world, to look at it or to change it. Requests wait while the guard lives.
    #[must_use]
    pub fn world(&self) -> WorldGuard<'_> {
        WorldGuard(lock(&self.0.world))
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.world().now()
    }

    /// Lets virtual time pass: purges and rebases that fall due happen.
    pub fn advance(&self, by: SignedDuration) {
        self.world().advance(by);
    }

    /// The text of the default token, which sees and does everything until told otherwise.
    #[must_use]
    pub fn token(&self) -> String {
        self.world().tokens[0].text.clone()
    }

    /// The truth about a démarche, to compare a target with.
    #[must_use]
    pub fn snapshot(&self, demarche: u32) -> Snapshot {
        self.world().snapshot(demarche)
    }

    /// The truth about a dossier, if a listing shows it.
    #[must_use]
    pub fn dossier(&self, number: u32) -> Option<DossierTruth> {
        self.world().truth(number)
    }

    /// Returns the effects of mutations, in order: refused mutations are not in
    /// it, those whose answer was lost are.
    #[must_use]
    pub fn audit(&self) -> Vec<AuditEntry> {
        self.world().audit().to_vec()
    }

    /// The webhooks that the platform would have called, in order: one for each change of state, whoever made it.
    #[must_use]
    pub fn webhooks(&self) -> Vec<Webhook> {
        self.world().webhooks().to_vec()
    }

    /// Random life: see [`World::live`].
    pub fn live(&self, demarche: u32, changes: u32, seed: u64) {
        self.world().live(demarche, changes, seed);
    }

    /// Answers one HTTP request without a network; delays and cuts are only described by the answer.
    #[must_use]
    pub fn answer(&self, request: &Incoming) -> Outgoing {
        let (answer, info) = {
            let mut endpoint = lock(&self.0.endpoint);
            endpoint.answer(&mut self.world(), request)
        };
        let mut hooks = lock(&self.0.hooks);
        if !hooks.is_empty() {
            let mut world = self.world();
            for hook in hooks.iter_mut() {
                hook(&info, &mut world);
            }
        }
        answer
    }

    /// Executes one GraphQL request with the default token and gives the body of the answer.
    #[must_use]
    pub fn graphql(&self, query: &str, variables: &Json) -> Json {
        let body = json!({"query": query, "variables": variables});
        self.answer(&Incoming::graphql(Some(&self.token()), &body)).as_json()
    }

    /// Calls `hook` after each request, before its answer leaves: the world can change between two pages.
    ///
    /// The hook must use the world that it is given, not the handle.
    pub fn on_request(&self, hook: impl FnMut(&RequestInfo, &mut World) + Send + 'static) {
        lock(&self.0.hooks).push(Box::new(hook));
    }

    /// Calls `change` once, after the request of that rank (counted from now, from 1).
    pub fn after_request(&self, rank: u32, change: impl FnOnce(&mut World) + Send + 'static) {
        let mut left = rank;
        let mut change = Some(change);
        self.on_request(move |_, world| {
            left = left.saturating_sub(1);
            if left == 0
                && let Some(change) = change.take()
            {
                change(world);
            }
        });
    }

    /// Forgets the hooks.
    pub fn clear_hooks(&self) {
        lock(&self.0.hooks).clear();
    }

    /// Makes the next request fail.
    pub fn fault(&self, fault: Fault) {
        self.plan(FaultPlan::new(fault).times(1));
    }

    /// Makes requests fail as planned; earlier plans strike first.
    pub fn plan(&self, plan: FaultPlan) {
        lock(&self.0.endpoint).plans.push(plan);
    }

    /// Forgets the planned faults.
    pub fn clear_faults(&self) {
        lock(&self.0.endpoint).plans.clear();
    }

    /// Answers 301 to everything, as the former host names of the platform do.
    pub fn redirect(&self, on: bool) {
        lock(&self.0.endpoint).redirects = on;
    }

    /// Serves another schema than the pinned one, as after a release of the platform: `change` gets the text of the pinned
    /// one. What is added has no values.
    ///
    /// # Panics
    ///
    /// When the result is no valid schema.
    pub fn alter_schema(&self, change: impl FnOnce(&str) -> String) {
        let platform = self.world().platform;
        lock(&self.0.endpoint).engine.alter(Schemas::altered(platform, change));
    }

    /// Every request since the last [`Sandbox::reset_log`].
    #[must_use]
    pub fn requests(&self) -> Vec<RequestInfo> {
        lock(&self.0.endpoint).log.clone()
    }

    /// Returns requests that a correct client never sends: `first` above 100, `order`, `last`, `before`, aliases or several
    /// fields at the root, `closed`, `createdSince` with `updatedSince`.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        lock(&self.0.endpoint).violations.clone()
    }

    /// Forgets requests and violations.
    pub fn reset_log(&self) {
        let mut endpoint = lock(&self.0.endpoint);
        endpoint.log.clear();
        endpoint.violations.clear();
    }
}
