//! Adds the columns in which people decide, and makes intents of what they decided.
//!
//! - `columns`: the columns of the table of dossiers, and where they are in the document now;
//! - `cells`: reads what a row asks for, as intents;
//! - `take`: makes intents of rows that are ticked; [`Taken`] says which;
//! - `outcome`: writes what became of them beside what was asked.
//!
//! A tick is taken by the bundle that puts its intents into the outbox: it is gone when they are there, and stays when they
//! are not. The rows of people are read and written between a question and the bundle that follows it; all that must
//! survive is in the outbox.

mod cells;
mod columns;
mod outcome;
mod take;

use futures_util::future::BoxFuture;
use grist_client::{Action, ColRef, Hidden, Table};

use self::columns::Columns;
use crate::ids::Scope;
use crate::sink::grist::extension::{AddedColumns, Approval, Extension, RowColumns};
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::journal::Notice;
use crate::sink::grist::memory::{ColumnMemory, DocumentMemory, TableMemory};
use crate::sink::grist::outbox::{OutboxLine, OutcomeWriter};
use crate::sink::grist::session::DocumentSession;
use crate::sink::grist::shared::Shared;
use crate::table::LayoutTable;

pub use take::{Declined, Taken};

/// Written beside a tick that another version of its dossier takes away.
pub(super) const CHANGED: &str = "Le dossier a changé depuis que vous avez coché : relisez-le, puis cochez de nouveau";

/// Lets people decide in the table of dossiers.
#[derive(Debug)]
pub(super) struct DecisionTables {
    wanted: bool,
}

impl DecisionTables {
    /// Makes the columns, or keeps up those that are there.
    pub fn new(wanted: bool) -> Self {
        Self { wanted }
    }
}

impl Extension for DecisionTables {
    fn added(&self) -> Option<AddedColumns> {
        Some(AddedColumns::Decisions)
    }

    fn is_wanted(&self) -> bool {
        self.wanted
    }

    fn tables(&self) -> &'static [Shared] {
        &[]
    }

    fn columns(&self, table: &LayoutTable) -> Vec<ColumnMemory> {
        columns::wanted(table)
    }

    fn follow(&self, column: &mut ColumnMemory, found: &Table, hidden: &Hidden, restore: bool) -> Option<Notice> {
        columns::follow(column, found, hidden, restore)
    }

    fn dress(&self, memory: &DocumentMemory, new: &[ColRef]) -> Vec<Action> {
        columns::fill_agent(memory, new).into_iter().collect()
    }

    fn owns_formula(&self, formula: &str) -> bool {
        columns::fills_agent(formula)
    }

    fn row_columns(&self, memory: &TableMemory, structure: &[Table]) -> RowColumns {
        let numbers = memory.find(structure).map(|found| columns::numbers(memory, found)).unwrap_or_default();
        let Some(columns) = Columns::of(memory, structure) else {
            return RowColumns { numbers, ..RowColumns::default() };
        };
        let approval = columns.send.clone().map(|tick| {
            let outcome = columns.outcome.clone();
            Approval { tick, outcome, reason: CHANGED }
        });
        RowColumns { numbers, approval, written: columns.written() }
    }
}

impl OutcomeWriter for DecisionTables {
    fn actions<'a>(
        &'a self,
        session: &'a DocumentSession,
        scope: &'a Scope,
        line: &'a OutboxLine,
    ) -> BoxFuture<'a, Result<Vec<Action>, GristFault>> {
        Box::pin(outcome::actions(session, scope, line))
    }
}
