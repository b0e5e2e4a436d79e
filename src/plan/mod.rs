//! Plans changes of a target: computes them from the state that the target has and the observations of a run. Pure: no
//! I/O, no clock, no randomness.
//!
//! Decisions about rows, tables and terms of retention belong here. Reading the platform is in `observe`, carrying
//! changes out is in `sink`.

mod changes;
pub(crate) mod decide;
pub(crate) mod retention;
mod schema;

#[doc(hidden)]
pub use changes::{Change, Observation, Plan, plan};
pub use changes::{Known, KnownDossier};
#[doc(hidden)]
pub use decide::{Effect, FeedEvent, FeedKind, Write, decide, is_emptied};
#[doc(hidden)]
pub use retention::{Age, DueDossier, due, is_time};
pub use retention::{Fate, InvalidTerm, Retention, RetentionRule, Term, Terms};
#[doc(hidden)]
pub use schema::{Backfill, MOST_COLUMNS, RememberedColumn, RememberedTable, SchemaChange, reconcile};
pub use schema::{Remembered, SchemaPlan};
