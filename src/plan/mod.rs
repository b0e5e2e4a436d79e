//! ROOM 5, the desk: what is known, what was observed, and therefore what to do. Pure: no I/O, no clock, no randomness.

pub mod changes;
pub mod retention;
pub mod schema;

pub use changes::{Change, Counts, Known, KnownDossier, Observation, Plan, plan};
pub use retention::{Fate, Retention, Term, Terms};
pub use schema::{
    Backfill, MOST_COLUMNS, Remembered, RememberedColumn, RememberedTable, SchemaChange, SchemaPlan, reconcile,
};
