//! The columns in which people decide, and what becomes of what they decided.
//!
//! - `columns`: what the table of dossiers gets for it, and where that is in the document now;
//! - `cells`: what a row asks for, as intents;
//! - `take`: rows that are ticked become intents; [`Taken`] says which;
//! - `told`: what became of them is written beside what was asked.
//!
//! A tick is taken by the bundle that puts its intents into the outbox: it is gone when they are there, and stays when they
//! are not. The rows of people are read and written between a question and the bundle that follows it; all that must
//! survive is in the outbox.

/// What a ticked row says when another version of its dossier comes before the tick is taken.
pub(super) const CHANGED: &str = "Le dossier a changé depuis que vous avez coché : relisez-le, puis cochez de nouveau";

mod cells;
mod columns;
mod take;
mod told;

pub(super) use columns::{Columns, blank, colours, compare, placed, wanted};
pub use take::{Declined, Taken};
pub(super) use told::told;
