//! Takes commands from a document: one row a démarche in `Dn_commandes`, in which people tick what is to be done now.
//!
//! - `command`: the commands, their columns and titles;
//! - `tables`: the table, its place on the page *Synchronisation*, and the formulas that say who ticked and when;
//! - `row`: reads a row: what is ticked, and which run took it (pure);
//! - `take`: makes the table and the rows, takes ticks, and writes what came of them.
//!
//! A command is a reason to run now, never a fact. A tick is taken by a bundle that writes only where the row still has the
//! same ticks; the row then names the run that took it until the answer is there. A run that dies in between is found by
//! that name, and the row says that it was not done: no command is carried out twice.

mod command;
mod row;
mod tables;
mod take;

use crate::sink::grist::extension::Extension;
use crate::sink::grist::shared::Shared;

pub use command::DocumentCommand;
pub use row::CommandRow;
pub use take::TakenCommands;

/// Keeps the ids of the table of commands from being given to other tables. The table is made when a program begins to read
/// it ([`GristSink::offer_commands`](super::GristSink::offer_commands)): boxes that nobody reads would be a lie.
#[derive(Debug)]
pub(super) struct CommandFeature;

impl Extension for CommandFeature {
    fn is_wanted(&self) -> bool {
        true
    }

    fn tables(&self) -> &'static [Shared] {
        std::slice::from_ref(&tables::COMMANDS)
    }
}
