//! ROOM 8, the way back: what the back office decided reaches the platform, once.
//!
//! - [`judge`](judge()): what is to be done about an [`Intent`](crate::intent::Intent), from the dossier as it is now: pure;
//! - [`push`](push()): an [`Outbox`](crate::sink::Outbox) is emptied: each intent judged, sent, read again, settled;
//! - [`plan`]: the same, without sending or writing anything.
//!
//! An answer that was lost is never sent again blindly (trap 59): the dossier is read again and judged again. What cannot
//! be known from a dossier's state, a message or a row, is compared with how the dossier was before
//! ([`Witness`](crate::intent::Witness)), which is stored before anything is sent.

mod annotation;
mod error;
mod history;
mod judge;
mod message;
mod origin;
mod path;
mod people;
mod push;
mod report;
mod send;
mod text;
mod verdict;

pub use annotation::{LocalFile, LocalFiles};
pub use error::PushError;
pub use judge::{Case, judge};
pub use push::{Push, QUIET, ReadBack, plan, push};
pub use report::{Item, Pushed};
pub use verdict::{Conflict, Doubt, Refusal, Step, Verdict};
