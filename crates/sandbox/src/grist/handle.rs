//! The handle for tests, benchmarks and the command line.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::auth::{AccessRules, AccessToken, AccessTokens, Keys, Role};
use super::document::{Document, Snapshot};
use super::fault::{Fault, FaultPlan};
use super::log::{self, Count, Logged};
use super::person::{Person, Row};
use super::server::GristServer;

type Hook = Box<dyn FnMut(&Logged) + Send>;

/// Documents and keys.
pub(super) struct Site {
    pub(super) documents: BTreeMap<String, Arc<Document>>,
    /// Addresses that people gave their documents.
    addresses: BTreeMap<String, String>,
    pub(super) keys: Keys,
    pub(super) tokens: AccessTokens,
}

impl Site {
    /// The id of the document that has this address, or this id.
    pub(super) fn id_of(&self, address: &str) -> String {
        self.addresses.get(address).map_or(address, String::as_str).to_owned()
    }

    /// Makes a document in the one folder and gives its id.
    pub(super) fn create_document(&mut self, name: &str) -> String {
        let id = format!("sandboxDocument{:05}", self.documents.len() + 1);
        self.documents.insert(id.clone(), Arc::new(Document::new(&id, 4, name)));
        id
    }
}

struct Inner {
    site: Mutex<Site>,
    plans: Mutex<Vec<FaultPlan>>,
    log: Mutex<Vec<Logged>>,
    hooks: Mutex<Vec<Hook>>,
    held: watch::Sender<usize>,
}

/// An instance of Grist in memory. Clones share one.
///
/// ```
/// use demarche_sandbox::grist::Grist;
///
/// let grist = Grist::new();
/// let doc = grist.create_document("Suivi");
/// grist.person(&doc).add_table("Notes", &[("texte", "Text")]);
/// grist.person(&doc).add_row("Notes", &[("texte", "=1+1".into())]);
/// assert_eq!(grist.rows(&doc, "Notes")[0].text("texte"), "=1+1");
/// ```
#[derive(Clone)]
pub struct Grist(Arc<Inner>);

/// Requests that reached a document wait while it lives.
#[must_use = "requests go on when it is dropped"]
pub struct Hold(Grist);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.0.held.send_modify(|held| *held -= 1);
    }
}

/// A test that panics while it holds a lock must not hide its own message behind a poisoned one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Grist {
    fn default() -> Self {
        Self::new()
    }
}

impl Grist {
    /// The key of somebody who owns everything.
    pub const OWNER: &str = "cle-du-bac-a-sable";

    /// An instance without documents.
    #[must_use]
    pub fn new() -> Self {
        let mut keys = Keys::default();
        keys.add(Self::OWNER, Some(Role::Owner));
        let site =
            Site { documents: BTreeMap::new(), addresses: BTreeMap::new(), keys, tokens: AccessTokens::default() };
        Self(Arc::new(Inner {
            site: Mutex::new(site),
            plans: Mutex::default(),
            log: Mutex::default(),
            hooks: Mutex::default(),
            held: watch::Sender::new(0),
        }))
    }

    /// Answers over HTTP; port 0 takes a free port. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn serve(&self, address: SocketAddr) -> io::Result<GristServer> {
        GristServer::start(self.clone(), address).await
    }

    /// Answers on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// When no port can be listened on.
    pub async fn serve_locally(&self) -> io::Result<GristServer> {
        self.serve(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Makes a document, in the state of a new one, and gives its id.
    #[must_use = "a document is known by its id"]
    pub fn create_document(&self, name: &str) -> String {
        self.site().create_document(name)
    }

    /// The ids of all documents.
    #[must_use]
    pub fn documents(&self) -> Vec<String> {
        self.site().documents.keys().cloned().collect()
    }

    /// Makes a key known, with a role in all documents, or none.
    pub fn add_key(&self, key: &str, everywhere: Option<Role>) {
        self.site().keys.add(key, everywhere);
    }

    /// Gives a document an address of its own, which the API takes in place of its id.
    pub fn set_address(&self, document: &str, address: &str) {
        self.site().addresses.insert(address.to_owned(), document.to_owned());
    }

    /// Makes a key one of a service account.
    pub fn make_service(&self, key: &str) {
        self.site().keys.serve(key);
    }

    /// Makes a copy of a document and gives its id.
    #[must_use = "a document is known by its id"]
    pub fn copy(&self, document: &str) -> String {
        let copy = self.create_document("Copie");
        self.restore(&copy, &self.snapshot(document));
        copy
    }

    /// Gives a key a role in one document, or takes it away.
    pub fn grant(&self, key: &str, document: &str, role: Option<Role>) {
        self.site().keys.grant(key, document, role);
    }

    /// Gives an access token to a custom widget of a document that the person with this key has open. A viewer gets one that
    /// only reads, whatever is asked for.
    #[must_use = "a token is known by itself"]
    pub fn access_token(&self, document: &str, key: &str, read_only: bool) -> String {
        let token = AccessToken { document: document.to_owned(), key: key.to_owned(), read_only, expired: false };
        self.site().tokens.give(token)
    }

    /// Ends the time of every access token.
    pub fn expire_access_tokens(&self) {
        self.site().tokens.expire();
    }

    /// Forgets a key.
    pub fn revoke(&self, key: &str) {
        self.site().keys.remove(key);
    }

    /// Sets the access rules of a document.
    ///
    /// # Panics
    ///
    /// When there is no such document, as all methods that take one.
    pub fn set_rules(&self, document: &str, rules: AccessRules) {
        self.document(document).engine().rules = rules;
    }

    /// Puts a document in the bin, or takes it out.
    pub fn trash(&self, document: &str, trashed: bool) {
        self.document(document).engine().trashed = trashed;
    }

    /// Somebody who works in the document, in their browser.
    #[must_use]
    pub fn person(&self, document: &str) -> Person {
        Person::new(self.document(document))
    }

    /// The rows of a table, by id.
    #[must_use]
    pub fn rows(&self, document: &str, table: &str) -> Vec<Row> {
        self.person(document).rows(table)
    }

    /// The number of the last action: what the first of `/states` says. Bundles that change nothing count (Grist trap 32).
    #[must_use]
    pub fn state_number(&self, document: &str) -> u64 {
        self.document(document).engine().last_action()
    }

    /// The document as it is, to be restored later.
    #[must_use]
    pub fn snapshot(&self, document: &str) -> Snapshot {
        self.document(document).engine().snapshot()
    }

    /// Puts a document back to what it was (Grist trap 7).
    pub fn restore(&self, document: &str, snapshot: &Snapshot) {
        self.document(document).engine().restore(snapshot);
    }

    /// Makes the next request fail.
    pub fn fault(&self, fault: Fault) {
        self.plan(FaultPlan::new(fault).times(1));
    }

    /// Makes requests fail as planned; earlier plans strike first.
    pub fn plan(&self, plan: FaultPlan) {
        lock(&self.0.plans).push(plan);
    }

    /// Forgets the planned faults.
    pub fn clear_faults(&self) {
        lock(&self.0.plans).clear();
    }

    /// Lets requests wait that reached a document: they stay in flight.
    pub fn hold(&self) -> Hold {
        self.0.held.send_modify(|held| *held += 1);
        Hold(self.clone())
    }

    /// Calls `hook` after each request, before its answer leaves: a person may act between two requests.
    pub fn on_request(&self, hook: impl FnMut(&Logged) + Send + 'static) {
        lock(&self.0.hooks).push(Box::new(hook));
    }

    /// Calls `change` once, after the request of that rank (counted from now, from 1).
    pub fn after_request(&self, rank: u32, change: impl FnOnce() + Send + 'static) {
        let mut left = rank;
        let mut change = Some(change);
        self.on_request(move |_| {
            left = left.saturating_sub(1);
            if left == 0
                && let Some(change) = change.take()
            {
                change();
            }
        });
    }

    /// Forgets the hooks.
    pub fn clear_hooks(&self) {
        lock(&self.0.hooks).clear();
    }

    /// Every request since the last [`Grist::reset_log`].
    #[must_use]
    pub fn requests(&self) -> Vec<Logged> {
        lock(&self.0.log).clone()
    }

    /// Sums over these requests.
    #[must_use]
    pub fn count(&self) -> Count {
        log::total(&lock(&self.0.log))
    }

    /// The same by route.
    #[must_use]
    pub fn count_by_route(&self) -> BTreeMap<String, Count> {
        log::by_route(&lock(&self.0.log))
    }

    /// Forgets the requests.
    pub fn reset_log(&self) {
        lock(&self.0.log).clear();
    }

    pub(super) fn site(&self) -> MutexGuard<'_, Site> {
        lock(&self.0.site)
    }

    fn document(&self, id: &str) -> Arc<Document> {
        let document = self.site().documents.get(id).cloned();
        document.unwrap_or_else(|| panic!("there is no document {id} in this sandbox"))
    }

    pub(super) fn strike(&self, route: &str, write: bool, body: &[u8]) -> Option<Fault> {
        let mut plans = lock(&self.0.plans);
        plans.iter_mut().find_map(|plan| plan.strikes(route, write, body).then(|| plan.fault.clone()))
    }

    pub(super) fn record(&self, request: Logged) {
        // A hook may use the handle: nothing else is locked while it runs.
        let mut hooks = std::mem::take(&mut *lock(&self.0.hooks));
        for hook in &mut hooks {
            hook(&request);
        }
        let mut kept = lock(&self.0.hooks);
        hooks.append(&mut kept);
        *kept = hooks;
        lock(&self.0.log).push(request);
    }

    pub(super) async fn wait_while_held(&self) {
        let mut held = self.0.held.subscribe();
        // The sender lives as long as this handle.
        drop(held.wait_for(|held| *held == 0).await);
    }
}
