//! Sends to the platform what the back office decided: once, or it is reported as not done.
//!
//! - [`push`](push()) empties an [`Outbox`](crate::sink::Outbox): each entry is examined, and the decision is carried out;
//! - [`plan`] examines each entry and reports the decision: nothing is sent and nothing is written;
//! - `examine` reads what a decision depends on, `judge` (pure) takes it, `carry_out` writes and sends.
//!
//! A mutation whose answer was lost is never sent again blindly (trap 59): the dossier is read again and judged again. What
//! a dossier's state, a message or a row cannot tell is compared with how the dossier was before
//! ([`Witness`](crate::intent::Witness)), which is stored before anything is sent.

mod carry_out;
mod decision;
mod error;
mod examine;
mod judge;
mod push;
mod report;
mod send;
mod tally;

pub use error::PushError;
#[doc(hidden)]
pub use push::QUIET;
pub use push::{Push, ReadBack, plan, push};
pub use report::{Item, Pushed};
