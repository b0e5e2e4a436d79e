//! One document: its state, its history and its SQL.

use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::civil::Date;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::actions;
use super::auth::{AccessRules, Role};
use super::bundle::{Bundle, Changes, Touched, merge};
use super::failure::Failure;
use super::state::State;
use super::store::{self, Store};

/// Day that completes partial dates: the sandbox has no clock.
const TODAY: Date = jiff::civil::date(2026, 3, 15);

/// Actions that are kept.
const HISTORY: usize = 1000;

/// A document as it was at some moment.
#[derive(Clone)]
pub struct Snapshot {
    state: State,
    history: Vec<Past>,
    next: u64,
}

/// An action of the history.
#[derive(Clone, Debug)]
pub(super) struct Past {
    pub(super) number: u64,
    /// Differs for every content, and for every content of the actions before it.
    pub(super) hash: String,
    /// Names the tables that it changed. Grist keeps all actions there, marshalled.
    pub(super) body: Vec<u8>,
}

/// The state that changes together.
pub(super) struct Engine {
    id: String,
    pub(super) state: State,
    pub(super) rules: AccessRules,
    pub(super) name: String,
    pub(super) trashed: bool,
    /// Changes that the database lacks yet.
    pending: Changes,
    /// The actions that are kept, oldest first.
    history: Vec<Past>,
    /// The database lacks some of them yet, or has some that are gone.
    past_moved: bool,
    next: u64,
}

pub(super) struct Document {
    pub(super) id: String,
    pub(super) workspace: i64,
    pub(super) in_flight: AtomicUsize,
    engine: Mutex<Engine>,
    store: tokio::sync::Mutex<Store>,
}

/// The result of a bundle.
pub(super) struct Applied {
    pub(super) number: u64,
    /// `None` if nothing was to be done.
    pub(super) hash: Option<String>,
    pub(super) values: Vec<Json>,
    pub(super) modified: bool,
}

impl Applied {
    /// The answer of `/apply`.
    pub(super) fn body(&self) -> Json {
        json!({
            "actionNum": self.number,
            "actionHash": self.hash,
            "retValues": self.values,
            "isModification": self.modified,
        })
    }
}

impl Past {
    /// The action after another one, in a document.
    fn after(last: Option<&Self>, document: &str, number: u64, actions: &[Json], changes: &Changes) -> Self {
        let mut digest = Sha256::new();
        digest.update(last.map_or(document, |last| last.hash.as_str()));
        digest.update(number.to_string());
        actions.iter().for_each(|action| digest.update(action.to_string()));
        let hash = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let tables: Vec<&str> = changes.keys().map(String::as_str).collect();
        Self { number, hash, body: tables.join(" ").into_bytes() }
    }
}

impl Document {
    /// A new document as Grist makes it: en-US, UTC, and a table that nobody asked for (Grist trap 36).
    pub(super) fn new(id: &str, workspace: i64, name: &str) -> Self {
        let mut bundle = Bundle::new(State::empty(), None);
        let settings = r#"{"locale":"en-US","engine":"python3"}"#;
        let first = [
            json!(["AddRecord", "_grist_DocInfo", null, {
                "schemaVersion": 46, "timezone": "UTC", "documentSettings": settings,
            }]),
            json!(["AddEmptyTable", "Table1"]),
        ];
        for action in &first {
            actions::perform(&mut bundle, action).expect("a document can be made");
        }
        let mut engine = Engine {
            id: id.to_owned(),
            state: bundle.state,
            rules: AccessRules::default(),
            name: name.to_owned(),
            trashed: false,
            pending: Changes::new(),
            history: vec![Past::after(None, id, 1, &first, &Changes::new())],
            past_moved: true,
            next: 2,
        };
        engine.forget_database();
        Self {
            id: id.to_owned(),
            workspace,
            in_flight: AtomicUsize::new(0),
            engine: Mutex::new(engine),
            store: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Executes one SELECT.
    pub(super) async fn query(&self, sql: &str, args: &[Json]) -> Result<Vec<Json>, Failure> {
        let mut store = self.store.lock().await;
        let (updates, past) = self.engine().take_updates();
        store.query(updates, past, sql, args).await
    }

    /// The recent actions, newest first.
    pub(super) fn states(&self) -> Json {
        let history = self.engine().history.clone();
        let states = history.iter().rev().map(|past| json!({ "n": past.number, "h": past.hash }));
        json!({ "states": states.collect::<Vec<_>>() })
    }
}

impl Engine {
    /// Lists what the database lacks: changes of tables, and the history if it moved.
    fn take_updates(&mut self) -> (Vec<store::Update>, Option<Vec<Past>>) {
        let pending = std::mem::take(&mut self.pending);
        let past = std::mem::take(&mut self.past_moved).then(|| self.history.clone());
        (store::updates(&self.state, pending), past)
    }

    fn forget_database(&mut self) {
        let all = self.state.tables.keys().map(|table| (table.clone(), Touched::Whole));
        self.pending.extend(all);
    }

    /// Returns `true` if a role may do these actions under the rules of the document.
    pub(super) fn allows(&self, role: Role, actions: &[Json]) -> Result<(), Failure> {
        if role < Role::Editor {
            return Err(Failure::refused(403, "No write access"));
        }
        if role == Role::Owner {
            return Ok(());
        }
        if self.rules.frozen && actions.iter().any(actions::changes_structure) {
            return Err(Failure::rules("table structure"));
        }
        let hides = |table: &str| self.rules.hidden.iter().any(|(of, _)| of == table);
        if actions::upserted(actions).iter().any(|table| self.rules.unreadable.contains(*table) || hides(table)) {
            return Err(Failure::rules("table read"));
        }
        Ok(())
    }

    /// Does a bundle: all of it, or nothing. Even one that changes nothing takes a number (Grist trap 32).
    pub(super) fn apply(&mut self, actions: &[Json], parse: bool) -> Result<Applied, Failure> {
        if actions.is_empty() {
            return Ok(Applied { number: 0, hash: None, values: Vec::new(), modified: false });
        }
        actions::check(actions)?;
        let mut bundle = Bundle::new(self.state.clone(), parse.then_some(TODAY));
        let mut values = Vec::with_capacity(actions.len());
        for action in actions {
            values.push(actions::perform(&mut bundle, action)?);
        }
        actions::sweep(&mut bundle)?;
        self.state = bundle.state;
        let number = self.next;
        let past = Past::after(self.history.last(), &self.id, number, actions, &bundle.changes);
        merge(&mut self.pending, bundle.changes);
        self.next += 1;
        let hash = Some(past.hash.clone());
        self.history.push(past);
        self.past_moved = true;
        if self.history.len() > HISTORY + HISTORY / 4 {
            self.history.drain(..HISTORY / 4);
        }
        Ok(Applied { number, hash, values, modified: bundle.modified })
    }

    /// Keeps the last actions only.
    pub(super) fn forget_history(&mut self, keep: usize) {
        let gone = self.history.len().saturating_sub(keep);
        self.history.drain(..gone);
        self.past_moved = true;
    }

    /// The number of the last action.
    pub(super) fn last_action(&self) -> u64 {
        self.next - 1
    }

    /// Starts the engine again: references to tables that were made later work from now on (Grist trap 9).
    pub(super) fn reload(&mut self) {
        for table in self.state.tables.values_mut() {
            if table.columns.iter().any(|column| column.dangling) {
                for column in &mut std::sync::Arc::make_mut(table).columns {
                    column.dangling = false;
                }
            }
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot { state: self.state.clone(), history: self.history.clone(), next: self.next }
    }

    pub(super) fn restore(&mut self, snapshot: &Snapshot) {
        self.forget_database();
        self.state = snapshot.state.clone();
        self.history.clone_from(&snapshot.history);
        self.past_moved = true;
        self.next = snapshot.next;
        self.forget_database();
    }
}
