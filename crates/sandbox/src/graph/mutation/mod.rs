//! Executes mutations as the platform does.
//!
//! Root fields are executed in order, each with its whole answer before the next one starts, as the platform does.
//! Every one walks through the same checks: may the token write, is the file there, do the ids exist, may the
//! instructeur, does the rule allow it.
//!
//! - [`call`]: what a document asks for; [`input`]: what is refused before anything is executed
//! - [`context`]: the checks that all share; [`perform`]: which mutation does what, and the audit
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
