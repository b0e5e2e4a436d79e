//! Makes the table of commands, takes ticks, and writes what came of them.

use std::collections::BTreeSet;

use grist_client::{Action, Doc, GristError, Repeat};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::command::DocumentCommand;
use super::row::{CommandRow, Hold};
use super::tables::{self, ANSWER, COMMANDS, DEMARCHE, HOLD, KEY, TABLE};
use crate::ids::Scope;
use crate::sink::SinkError;
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::known::DocRecord;
use crate::sink::grist::lease::{self, Holder};
use crate::sink::grist::session::{DocumentSession, again};
use crate::sink::grist::{GristSink, shared};

/// The number of times that ticks are read again which somebody changed while they were being taken.
const TRIES: u32 = 3;

/// Says of commands that a run took them, and died before it could answer.
fn not_done(held: &str) -> String {
    let commands = Hold::read(held).map(|hold| hold.commands).unwrap_or_default();
    let titles: Vec<&str> = commands.into_iter().map(DocumentCommand::title).collect();
    let titles = if titles.is_empty() { String::new() } else { format!(" ({})", titles.join(", ")) };
    format!("Non terminé{titles} : le programme s’est arrêté avant la fin. Cochez de nouveau si c’est encore utile.")
}

/// Holds commands that were taken from a document. Their boxes are empty, and the row waits for the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenCommands {
    /// The commands.
    pub commands: BTreeSet<DocumentCommand>,
    /// Who asked, as the document says; empty where it does not.
    pub by: String,
    /// The cell that names the run that took the row.
    hold: String,
}

impl GristSink {
    /// Reads the rows of the table of commands, in one request. `None` where the document has no such table.
    ///
    /// # Errors
    /// Those of a reading.
    pub async fn read_commands(doc: &Doc) -> Result<Option<Vec<CommandRow>>, GristError> {
        match doc.table_rows(TABLE).await {
            Ok(rows) => Ok(Some(rows.iter().filter_map(CommandRow::read).collect())),
            Err(GristError::NoTable { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ticks a command for a démarche, by row id, as whoever `doc` asks for. Returns false where the row is not there: Grist
    /// shows a person the rows that the rules of the document let that person see.
    ///
    /// # Errors
    /// [`GristError::Forbidden`] and [`GristError::Blocked`] for a person who may not, and those of the way there.
    pub async fn tick_command(doc: &Doc, scope: &Scope, command: DocumentCommand) -> Result<bool, GristError> {
        let rows = match doc.records(TABLE, &[(KEY, vec![scope.to_string().into()])]).await {
            Err(GristError::NoTable { .. }) => return Ok(false),
            rows => rows?,
        };
        let Some(row) = rows.iter().filter_map(CommandRow::read).min_by_key(|row| row.id) else { return Ok(false) };
        let values = Map::from_iter([(command.word().to_owned(), Value::from(true))]);
        let tick = Action::UpdateRecord { table: TABLE.to_owned(), row: row.id, values };
        // An answer that was lost is told: the page shows whether the box is ticked.
        doc.apply(&[tick], Repeat::Never).await.map(|_| true)
    }

    /// Gives a démarche its row in the table of commands, and makes the table if it is not there. The démarche must have
    /// tables: nothing is made for one that no run has seen.
    ///
    /// # Errors
    /// [`SinkError::Locked`] when another run took over, and those of a commit.
    pub async fn offer_commands(&self, scope: &Scope) -> Result<(), SinkError> {
        let session = &mut *self.session.lock().await;
        let offered = again!(session, offer(session, scope));
        self.with_context("the table of commands", offered)
    }

    /// Takes the commands that are ticked for a démarche; `None` where there are none. A row that a dead run took says that its
    /// commands were not done. `words` says in French, of what is taken, that it is under way.
    ///
    /// # Errors
    /// [`SinkError::Locked`] when another run took over, and those of a commit. The ticks are still there then.
    pub async fn take_commands(
        &self,
        scope: &Scope,
        now: Timestamp,
        words: &(dyn Fn(&BTreeSet<DocumentCommand>) -> String + Send + Sync),
    ) -> Result<Option<TakenCommands>, SinkError> {
        let session = &mut *self.session.lock().await;
        let taken = again!(session, take(session, scope, now, words));
        self.with_context("what was asked for", taken)
    }

    /// Writes what came of commands beside them.
    ///
    /// # Errors
    /// [`SinkError::Locked`] when another run took over, and those of a commit.
    pub async fn answer_commands(&self, scope: &Scope, taken: &TakenCommands, words: &str) -> Result<(), SinkError> {
        let session = &mut *self.session.lock().await;
        let answered = again!(session, answer(session, scope, &taken.hold, words));
        self.with_context("an answer to a command", answered)
    }
}

impl CommandRow {
    /// Returns true if somebody ticked a box, or if a run that cannot answer any more took the row.
    #[must_use]
    pub fn needs_work(&self, now: Timestamp) -> bool {
        let nobody =
            Holder { token: String::new(), host: lease::host(), process: i64::from(std::process::id()), since: now };
        !self.ticked.is_empty() || self.is_abandoned(&nobody, now)
    }

    /// Returns true if commands were taken, and the run that took them cannot answer any more.
    fn is_abandoned(&self, me: &Holder, now: Timestamp) -> bool {
        let dead = |hold: Hold| hold.is_orphan(me, now, lease::lives, lease::is_ours);
        // Where a person wrote something else, nobody works on it.
        !self.held.is_empty() && Hold::read(&self.held).is_none_or(dead)
    }
}

async fn offer(session: &mut DocumentSession, scope: &Scope) -> Result<(), GristFault> {
    if !session.state.is_ours() || session.state.memory(scope)?.tables.is_empty() {
        return Ok(());
    }
    let is_new = COMMANDS.find(&session.state.structure).is_none();
    let mut made = if is_new { COMMANDS.create() } else { Vec::new() };
    made.extend(shared::mend(std::slice::from_ref(&COMMANDS), &session.state.structure));
    if !made.is_empty() {
        session.send(&[], &made, false).await?;
        session.reread_structure().await?;
    }
    let mut actions = Vec::new();
    if COMMANDS.find(&session.state.structure).is_some_and(tables::is_bare) {
        let views = session.reader.views().await?;
        actions.extend(tables::dress(&session.state.structure, &views));
    }
    if is_new || rows(session, scope).await?.is_empty() {
        let title = session.state.form(scope)?.map(|form| form.title).filter(|title| !title.is_empty());
        let title = title.map_or_else(|| scope.demarche.to_string(), |title| format!("{} – {title}", scope.demarche));
        let values = shared::row(json!({ KEY: scope.to_string(), DEMARCHE: title }));
        actions.push(Action::AddRecord { table: TABLE.to_owned(), row: None, values });
    }
    if actions.is_empty() {
        return Ok(());
    }
    let shown = actions.len() > 1;
    session.send(&[], &actions, true).await?;
    if shown {
        session.reread_structure().await?;
    }
    Ok(())
}

async fn take(
    session: &mut DocumentSession,
    scope: &Scope,
    now: Timestamp,
    words: &(dyn Fn(&BTreeSet<DocumentCommand>) -> String + Send + Sync),
) -> Result<Option<TakenCommands>, GristFault> {
    let Some(me) = session.me.clone() else { return Err(GristFault::ReadOnly) };
    for _ in 0..TRIES {
        let found = rows(session, scope).await?;
        if let Some(taken) = mine(&found, &me, now) {
            return Ok(Some(taken));
        }
        let Some(row) = found.iter().find(|row| !row.ticked.is_empty()) else {
            for row in found.iter().filter(|row| row.is_abandoned(&me, now)) {
                let cells = shared::row(json!({ ANSWER: not_done(&row.held), HOLD: "" }));
                session.send(&[], &[if_unchanged(row, cells)], true).await?;
            }
            return Ok(None);
        };
        let hold = Hold::of(&me, now, &row.ticked);
        let mut cells = shared::row(json!({ ANSWER: words(&row.ticked), HOLD: hold.text() }));
        cells.extend(row.ticked.iter().map(|command| (command.word().to_owned(), Value::from(false))));
        session.send(&[], &[if_unchanged(row, cells)], false).await?;
        // The bundle writes nothing where the row is not what it was: whether it did is seen in the row alone.
        if let Some(taken) = mine(&rows(session, scope).await?, &me, now) {
            return Ok(Some(taken));
        }
    }
    // Somebody ticks and unticks: the next look finds what is left.
    Ok(None)
}

async fn answer(session: &mut DocumentSession, scope: &Scope, hold: &str, words: &str) -> Result<(), GristFault> {
    let require = shared::row(json!({ KEY: [scope.to_string()], HOLD: [hold] }));
    let cells = shared::row(json!({ ANSWER: words, HOLD: "" }));
    session.send(&[], &[conditional(require, cells)], true).await.map(drop)
}

/// The commands that this run took of these rows.
fn mine(rows: &[CommandRow], me: &Holder, now: Timestamp) -> Option<TakenCommands> {
    rows.iter().find_map(|row| {
        let hold = Hold::read(&row.held).filter(|hold| hold.is_mine(me, now))?;
        Some(TakenCommands { commands: hold.commands, by: row.by.clone(), hold: row.held.clone() })
    })
}

/// The rows of a démarche: one, unless somebody copied it.
async fn rows(session: &DocumentSession, scope: &Scope) -> Result<Vec<CommandRow>, GristFault> {
    let rows: Vec<DocRecord> = session.reader.doc.records(TABLE, &[(KEY, vec![scope.to_string().into()])]).await?;
    let mut rows: Vec<CommandRow> = rows.iter().filter_map(CommandRow::read).collect();
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

/// Writes cells of a row if its boxes, and the run that took it, are still what they were.
fn if_unchanged(row: &CommandRow, cells: Map<String, Value>) -> Action {
    let mut require = shared::row(json!({ KEY: [row.key], HOLD: [row.held] }));
    let boxes = DocumentCommand::ALL.map(|command| (command.word().to_owned(), json!([row.ticked.contains(&command)])));
    require.extend(boxes);
    conditional(require, cells)
}

fn conditional(require: Map<String, Value>, cells: Map<String, Value>) -> Action {
    let cells: Map<String, Value> = cells.into_iter().map(|(column, cell)| (column, json!([cell]))).collect();
    Action::Raw(json!(["BulkAddOrUpdateRecord", TABLE, require, cells, { "on_many": "first", "add": false }]))
}
