//! Plans changes of a target: computes them from the state that the target has and the observations of a run. Pure: no
//! I/O, no clock, no randomness.
//!
//! Decisions about rows, tables and terms of retention belong here. Reading the platform is in `observe`, carrying
//! changes out is in `sink`.

pub mod changes;
pub mod decide;
pub mod retention;
pub mod schema;

pub use changes::{Change, Known, KnownDossier, Observation, Plan, plan};
pub use decide::{Effect, FeedEvent, FeedKind, Write, decide, is_emptied};
pub use retention::{Fate, Retention, Term, Terms};
pub use schema::{
    Backfill, MOST_COLUMNS, Remembered, RememberedColumn, RememberedTable, SchemaChange, SchemaPlan, reconcile,
};
