//! Opens the Grist under test: the imitation, or the real one that the environment names. Both are reached through a
//! [`Proxy`], so that a test observes and breaks the same requests on both.

use std::collections::BTreeSet;
use std::time::Duration;

use demarche_numerique::plan::SchemaPlan;
use demarche_numerique::sandbox::grist::{AccessRules, Grist, GristServer, Role, Snapshot};
use demarche_numerique::sink::{GristSink, Prepared, Sink, SinkError};
use demarche_numerique::table::Layout;
use grist_client::{Action, Builder, Client, Doc, DocId, Repeat, SqlRow, Table};
use serde_json::{Value, json};

use super::proxy::{Proxy, http};
use crate::contracts::world::{batch, form, insert, layout, prepare, scope};

/// The tables of the démarche of these tests.
pub const DOSSIERS: &str = "Demarche_12_dossiers";
pub const ENFANTS: &str = "Demarche_12_enfants";

/// The key of somebody else in the fake.
const GUEST: &str = "cle-de-quelqu-un";

enum Server {
    /// It answers until the server is dropped.
    Fake(Grist, #[expect(dead_code, reason = "kept, not read")] GristServer),
    Real,
}

/// A new document on the Grist under test.
pub struct Fixture {
    server: Server,
    upstream: String,
    key: String,
    /// The key and the address of somebody else.
    guest: Option<(String, String)>,
    workspace: i64,
    pub id: DocId,
    pub proxy: Proxy,
}

/// The past of a document.
pub enum Past {
    Fake(Snapshot),
    /// A copy.
    Real(String),
}

/// Access rules for everybody but the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// The structure may not be changed.
    Structure,
    /// Some rows of the dossiers cannot be read.
    Rows,
}

impl Fixture {
    /// A document of a fake.
    pub async fn fake() -> Self {
        let grist = Grist::new();
        let id = DocId::parse(&grist.create_document("Suivi")).expect("an id");
        let server = grist.serve_locally().await.expect("a free port");
        let upstream = server.url();
        grist.add_key(GUEST, None);
        let proxy = Proxy::to(&upstream).await;
        let guest = Some((GUEST.to_owned(), String::new()));
        Self {
            server: Server::Fake(grist, server),
            upstream,
            key: Grist::OWNER.to_owned(),
            guest,
            workspace: 4,
            id,
            proxy,
        }
    }

    /// A document of the real one, named after its test; `None` where none is named.
    pub async fn real(name: &str) -> Option<Self> {
        let (upstream, key) = crate::real_grist::named()?;
        let client = Client::builder(&upstream).key(key.clone()).build().expect("an address");
        let (workspace, id) = crate::real_grist::make(&client, name).await;
        let upstream = client.url().as_str().trim_end_matches('/').trim_end_matches("/api").to_owned();
        let proxy = Proxy::to(&upstream).await;
        let guest = match std::env::var("GRIST_OTHER_KEY").ok().filter(|key| !key.is_empty()) {
            Some(key) => {
                let asked = http().get(format!("{upstream}/api/profile/user")).bearer_auth(&key).send().await;
                let told: Value = asked.expect("an answer").json().await.expect("an account");
                Some((key, told["email"].as_str().expect("an address").to_owned()))
            }
            None => None,
        };
        Some(Self { server: Server::Real, upstream, key, guest, workspace, id, proxy })
    }

    /// Builds a client of the owner, through the proxy.
    pub fn client(&self) -> Builder {
        self.client_of(&self.key)
    }

    fn client_of(&self, key: &str) -> Builder {
        let pace = if self.is_real() { Duration::from_millis(50) } else { Duration::ZERO };
        Client::builder(self.proxy.url()).key(key).retry_base(pace)
    }

    pub fn is_real(&self) -> bool {
        matches!(self.server, Server::Real)
    }

    /// The folder of the document.
    pub fn workspace(&self) -> i64 {
        self.workspace
    }

    /// The key of the owner.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The document, for the owner.
    pub fn doc(&self) -> Doc {
        self.client().build().expect("a client").doc(self.id.clone())
    }

    pub async fn try_open(&self) -> Result<GristSink, SinkError> {
        GristSink::of(self.doc()).open().await
    }

    pub async fn open(&self) -> GristSink {
        self.try_open().await.expect("a document")
    }

    /// The document with two dossiers, which nobody works on.
    pub async fn fill(&self) {
        let sink = self.open().await;
        let prepared = prepare(&sink, &scope()).await;
        sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("a commit");
        sink.close().await.expect("a clean end");
    }

    /// A client of somebody else; `None`, and a line that says so, where no key of somebody else is named.
    pub fn guest(&self) -> Option<Builder> {
        if self.guest.is_none() {
            println!("skipped: no second account of that Grist is named (GRIST_OTHER_KEY)");
        }
        self.guest.as_ref().map(|(key, _)| self.client_of(key))
    }

    /// Lets somebody else in, as an editor.
    pub async fn share(&self) {
        let (key, mail) = self.guest.as_ref().expect("there is somebody else");
        match &self.server {
            Server::Fake(grist, _) => grist.grant(key, self.id.as_str(), Some(Role::Editor)),
            Server::Real => {
                let access = json!({ "delta": { "users": { (mail): "editors" } } });
                self.must("PATCH", "access", Some(access)).await;
            }
        }
    }

    /// Lays down a rule.
    pub async fn rule(&self, rule: Rules) {
        match &self.server {
            Server::Fake(grist, _) => {
                let hidden = if rule == Rules::Rows { BTreeSet::from([DOSSIERS.to_owned()]) } else { BTreeSet::new() };
                let frozen = rule == Rules::Structure;
                let rules = AccessRules { any: true, frozen, unreadable: hidden, ..AccessRules::default() };
                grist.set_rules(self.id.as_str(), rules);
            }
            Server::Real => {
                let (table, formula, taken) = match rule {
                    Rules::Structure => ("*", "user.Access != OWNER", "-S"),
                    Rules::Rows => (DOSSIERS, "user.Access != OWNER and rec.number > 1", "-R"),
                };
                self.act(json!([
                    ["AddRecord", "_grist_ACLResources", -1, { "tableId": table, "colIds": "*" }],
                    ["AddRecord", "_grist_ACLRules", null,
                     { "resource": -1, "aclFormula": formula, "permissionsText": taken }],
                ]))
                .await;
            }
        }
    }

    /// Lifts all rules.
    pub async fn lift_rules(&self) {
        match &self.server {
            Server::Fake(grist, _) => grist.set_rules(self.id.as_str(), AccessRules::default()),
            Server::Real => {
                for table in ["_grist_ACLRules", "_grist_ACLResources"] {
                    let rows = self.rows(table).await;
                    let ids: Vec<&Value> = rows.iter().map(|row| &row["id"]).filter(|id| **id != json!(1)).collect();
                    self.act(json!([["BulkRemoveRecord", table, ids]])).await;
                }
            }
        }
    }

    /// The document as it is, to come back to.
    pub async fn past(&self) -> Past {
        match &self.server {
            Server::Fake(grist, _) => Past::Fake(grist.snapshot(self.id.as_str())),
            Server::Real => {
                let copy = json!({ "workspaceId": self.workspace, "documentName": "dn: a copy" });
                let id = self.must("POST", "copy", Some(copy)).await;
                Past::Real(id.as_str().expect("an id").to_owned())
            }
        }
    }

    /// Makes the document what it was once.
    pub async fn restore(&self, past: &Past) {
        match (&self.server, past) {
            (Server::Fake(grist, _), Past::Fake(snapshot)) => grist.restore(self.id.as_str(), snapshot),
            (_, Past::Real(copy)) => {
                self.must("POST", "replace", Some(json!({ "sourceDocId": copy }))).await;
            }
            (Server::Real, Past::Fake(_)) => unreachable!("each has its own past"),
        }
    }

    /// A request of the owner to the document, not through the proxy: status, and body (a text where it is no JSON).
    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/api/docs/{}/{path}", self.upstream, self.id);
        let mut request = http().request(method.parse().expect("a method"), url).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let (status, text) = (answer.status().as_u16(), answer.text().await.expect("a text"));
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// The same, which must succeed.
    pub async fn must(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.send(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// Applies user actions as a browser does, in one bundle, and returns their results.
    pub async fn act(&self, actions: Value) -> Value {
        self.must("POST", "apply?noparse=1", Some(actions)).await["retValues"].take()
    }

    /// The rows of a table, by id.
    pub async fn rows(&self, table: &str) -> Vec<SqlRow> {
        let mut rows = self.beside().table_rows(table).await.expect("rows");
        rows.sort_by_key(|row| row["id"].as_i64());
        rows
    }

    /// Reads a column of each row.
    pub async fn column(&self, table: &str, column: &str) -> Vec<Value> {
        self.rows(table).await.into_iter().map(|mut row| row[column].take()).collect()
    }

    /// The tables with their columns.
    pub async fn tables(&self) -> Vec<Table> {
        self.beside().tables().await.expect("tables")
    }

    /// The ids of the columns of a table, without Grist's own.
    pub async fn columns(&self, table: &str) -> Vec<String> {
        let tables = self.tables().await;
        let found = tables.iter().find(|found| found.id == table).unwrap_or_else(|| panic!("no table {table}"));
        let ids = found.columns.iter().map(|column| column.id.clone());
        ids.filter(|id| id != "manualSort" && !id.starts_with("gristHelper_")).collect()
    }

    /// The document for the owner, not through the proxy.
    fn beside(&self) -> Doc {
        let client = Client::builder(&self.upstream).key(self.key.clone()).build().expect("a client");
        client.doc(self.id.clone())
    }

    /// The number of the last action: bundles that change nothing have one too.
    pub async fn state_number(&self) -> u64 {
        self.must("GET", "states", None).await["states"][0]["n"].as_u64().expect("a number")
    }

    /// Applies a bundle of the owner beside the sink, through the proxy.
    pub async fn apply(&self, actions: &[Action]) -> Vec<Value> {
        self.doc().apply(actions, Repeat::Never).await.expect("applied").ret_values
    }

    /// No key is there twice, and every row of a child table has its dossier.
    pub async fn assert_sound(&self) {
        for table in self.tables().await {
            let key = ["cle", "number"].into_iter().find(|key| table.columns.iter().any(|column| column.id == *key));
            let Some(key) = key.filter(|_| table.id.starts_with("D")) else { continue };
            let mut keys = BTreeSet::new();
            for row in self.rows(&table.id).await {
                assert!(keys.insert(row[key].to_string()), "{} has {} twice", table.id, row[key]);
                let parent = row.get("dossier").filter(|_| !table.id.starts_with("Dn_"));
                let loose = parent.is_some_and(|parent| parent.as_i64().is_none_or(|parent| parent <= 0));
                assert!(!loose, "a row of {} has no dossier: {parent:?}", table.id);
            }
        }
        assert!(self.rows("Dn_baux").await.len() <= 1, "one lease is in force");
    }
}

/// Prepares a démarche that is there already.
pub async fn again(sink: &GristSink, layout: Layout) -> Result<Prepared, SinkError> {
    sink.prepare(&scope(), &form(), SchemaPlan { layout, changes: Vec::new() }).await
}

/// The same with the tables of these tests.
pub async fn ready(sink: &GristSink) -> Prepared {
    again(sink, layout("demarche_12")).await.expect("the same tables")
}
