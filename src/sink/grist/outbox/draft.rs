//! Collects what one bundle writes of intents: all of it is there, or none.

use grist_client::Action;
use serde_json::json;

use super::kept::{OutboxLine, key};
use super::tables::{self, OutboxCounts};
use super::{OutboxLines, ready, shown};
use crate::demarche::Demarche;
use crate::ids::Scope;
use crate::intent::Intent;
use crate::sink::grist::bundles::{self, Unit, Upsert};
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::session::DocumentSession;
use crate::sink::grist::{commit, value};
use crate::sink::{Happening, TrailLine};

/// Rows of intents come before those of people and of the state.
pub(super) const RANK: usize = 2_500;

/// Everything that one bundle writes of intents.
pub(in crate::sink::grist) struct OutboxDraft {
    places: OutboxCounts,
    lines: Vec<(String, OutboxLine)>,
    unit: Unit,
    /// Other actions that go with it.
    actions: Vec<Action>,
    /// True if `Dn_envois` can be written: people may change it as they like.
    shows: bool,
    /// Who the instructeurs are.
    form: Option<Demarche>,
}

impl OutboxDraft {
    /// An empty one. The tables must be [`ready`].
    ///
    /// # Errors
    /// [`GristFault::Altered`] when the trail cannot be written: nothing is done without it.
    pub(in crate::sink::grist) fn new(session: &DocumentSession, scope: &Scope) -> Result<Self, GristFault> {
        if !session.state.shows(tables::of(tables::TRAIL)) {
            return Err(GristFault::Altered(ready::missing(session, tables::TRAIL)));
        }
        let (places, shows) =
            (OutboxCounts::of(&session.state, scope)?, session.state.shows(tables::of(tables::SENDINGS)));
        let form = session.state.form(scope)?;
        Ok(Self { places, lines: Vec::new(), unit: Unit::default(), actions: Vec::new(), shows, form })
    }

    /// An intent that is new, with the line that says so.
    pub(in crate::sink::grist) fn ask(
        &mut self,
        scope: &Scope,
        intent: &Intent,
        at: jiff::Timestamp,
        chain: Option<&str>,
    ) {
        self.places.intents += 1;
        let line = OutboxLine::new(self.places.intents, intent, at, chain);
        self.happened(scope, line, &TrailLine::of_intent(intent, Happening::Asked, at));
    }

    /// An intent as it is now, and what happened to it.
    pub(super) fn happened(&mut self, scope: &Scope, line: OutboxLine, happening: &TrailLine) {
        self.places.lines += 1;
        self.unit.rows.push(shown::happening(scope, self.form.as_ref(), self.places.lines, happening, &line));
        self.unit.rows.push(line.row(scope));
        self.show(scope, &line);
        self.lines.push((key(scope, &line.kept.id), line));
    }

    /// An intent as people see it.
    pub(super) fn show(&mut self, scope: &Scope, line: &OutboxLine) {
        if self.shows {
            self.unit.rows.push(shown::sending(scope, self.form.as_ref(), line));
        }
    }

    /// Something else that must land with it.
    pub(in crate::sink::grist) fn with(&mut self, actions: impl IntoIterator<Item = Action>) {
        self.actions.extend(actions);
    }

    /// A number that no intent of the démarche had before.
    pub(in crate::sink::grist) fn turn(&self) -> i64 {
        self.places.intents + 1
    }

    /// Estimates its bytes.
    pub(in crate::sink::grist) fn weight(&self) -> usize {
        let cells = |row: &Upsert| row.values.iter().map(bundles::weight).sum::<usize>();
        self.unit.rows.iter().map(cells).sum::<usize>() + self.actions.iter().map(|a| a.bytes()).sum::<usize>()
    }

    /// Returns true if there is nothing to send.
    pub(in crate::sink::grist) fn is_empty(&self) -> bool {
        self.unit.rows.is_empty() && self.actions.is_empty()
    }

    /// Sends it, as one bundle.
    ///
    /// # Errors
    /// As [`DocumentSession::send`]; [`GristFault::Refused`] for what no bundle can hold.
    pub(in crate::sink::grist) async fn send(
        mut self,
        session: &mut DocumentSession,
        scope: &Scope,
    ) -> Result<(), GristFault> {
        let values = session.state.changed(vec![(OutboxCounts::key(scope), value::write(&self.places))]);
        self.unit.rows.extend(commit::state(&values));
        let mut bundles = bundles::bundles(Vec::new(), self.unit);
        if bundles.len() > 1 {
            return Err(GristFault::Refused("an intent is too large for one request of Grist".to_owned()));
        }
        let mut bundle = bundles.pop().unwrap_or_default();
        bundle.extend(self.actions);
        session.send(&[], &bundle, false).await?;
        session.state.keep(values);
        session.cache.of::<OutboxLines>().0.extend(self.lines);
        Ok(())
    }
}

/// Updates rows that are there, all those of a key, by `column`.
pub(in crate::sink::grist) fn update(
    table: &str,
    column: &str,
    key: serde_json::Value,
    cells: serde_json::Map<String, serde_json::Value>,
) -> Action {
    let columns: serde_json::Map<String, serde_json::Value> =
        cells.into_iter().map(|(column, cell)| (column, json!([cell]))).collect();
    let options = json!({ "on_many": "all", "add": false });
    Action::Raw(json!(["BulkAddOrUpdateRecord", table, { column: [key] }, columns, options]))
}
