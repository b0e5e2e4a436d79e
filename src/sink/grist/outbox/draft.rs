//! What one bundle writes of intents: all of it is there, or none.

use serde_json::json;

use super::kept::{Line, key};
use super::{ready, shown};
use crate::demarche::Demarche;
use crate::ids::Scope;
use crate::intent::Intent;
use crate::sink::grist::desk::Desk;
use crate::sink::grist::fault::Fault;
use crate::sink::grist::split::{self, Unit, Upsert};
use crate::sink::grist::state::{Places, Slot};
use crate::sink::grist::{commit, shared, value};
use crate::sink::{Happening, TrailLine};
use grist_client::Action;

/// Rows of intents come before those of people and of the state.
pub(super) const RANK: usize = 2_500;

/// What one bundle writes of intents.
pub(in crate::sink::grist) struct Draft {
    places: Places,
    lines: Vec<(String, Line)>,
    unit: Unit,
    /// What else goes with it.
    actions: Vec<Action>,
    /// Whether `Dn_envois` can be written: it is people's to spoil.
    shows: bool,
    /// Who the instructeurs are.
    form: Option<Demarche>,
}

impl Draft {
    /// An empty one. The tables must be [`ready`].
    ///
    /// # Errors
    /// [`Fault::Altered`] when the trail cannot be written: nothing is done without it.
    pub(in crate::sink::grist) fn new(desk: &Desk, scope: &Scope) -> Result<Self, Fault> {
        if !desk.state.shows(shared::TRAIL) {
            return Err(Fault::Altered(ready::missing(desk, shared::TRAIL)));
        }
        let (places, shows) = (desk.state.places(scope)?, desk.state.shows(shared::SENDINGS));
        let form = desk.state.form(scope)?;
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
        let line = Line::new(self.places.intents, intent, at, chain);
        self.happened(scope, line, &TrailLine::of_intent(intent, Happening::Asked, at));
    }

    /// An intent as it is now, and what happened to it.
    pub(super) fn happened(&mut self, scope: &Scope, line: Line, happening: &TrailLine) {
        self.places.lines += 1;
        self.unit.rows.push(shown::happening(scope, self.form.as_ref(), self.places.lines, happening, &line));
        self.unit.rows.push(line.row(scope));
        self.show(scope, &line);
        self.lines.push((key(scope, &line.kept.id), line));
    }

    /// An intent as people see it.
    pub(super) fn show(&mut self, scope: &Scope, line: &Line) {
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

    /// How many bytes it is of, about.
    pub(in crate::sink::grist) fn weight(&self) -> usize {
        let cells = |row: &Upsert| row.values.iter().map(split::weight).sum::<usize>();
        self.unit.rows.iter().map(cells).sum::<usize>() + self.actions.iter().map(|a| a.bytes()).sum::<usize>()
    }

    /// Whether there is nothing to send.
    pub(in crate::sink::grist) fn is_empty(&self) -> bool {
        self.unit.rows.is_empty() && self.actions.is_empty()
    }

    /// Sends it, as one bundle.
    ///
    /// # Errors
    /// As [`Desk::send`]; [`Fault::Refused`] for what no bundle can hold.
    pub(in crate::sink::grist) async fn send(mut self, desk: &mut Desk, scope: &Scope) -> Result<(), Fault> {
        let values = desk.state.changed(vec![(Slot::Outbox.key(scope), value::write(&self.places))]);
        self.unit.rows.extend(commit::state(&values));
        let mut bundles = split::bundles(Vec::new(), self.unit);
        if bundles.len() > 1 {
            return Err(Fault::Refused("an intent is too large for one request of Grist".to_owned()));
        }
        let mut bundle = bundles.pop().unwrap_or_default();
        bundle.extend(self.actions);
        desk.send(&[], &bundle, false).await?;
        desk.state.keep(values);
        desk.lines.extend(self.lines);
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
