//! Executes mutations as the platform does.
//!
//! Root fields are executed in order, each with its whole answer before the next one starts, as the platform does.
//! Each passes the same checks: the token may write, the file exists, the ids exist, the instructeur may act, the rule of the
//! mutation allows it.
//!
//! - [`call`]: the root fields of a document; [`input`]: refusals before execution
//! - [`context`]: the shared checks; [`perform`]: dispatch, and the audit
//! - [`decision`], [`message`], [`annotation`], [`content`], [`sorting`], [`team`], [`upload`]: the mutations
//! - [`payload`]: the answer

mod annotation;
mod call;
mod content;
mod context;
mod decision;
mod input;
mod message;
mod payload;
mod perform;
mod sorting;
mod team;
mod upload;

pub(super) use call::{Call, Listing};
pub(super) use payload::MutationRoot;
pub(super) use perform::{Outcome, perform};
