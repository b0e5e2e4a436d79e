//! ROOM 7, the outbox: what the back office decided reaches the platform, once.
//!
//! - [`Intent`]: what somebody wants done to a dossier, under a stable name;
//! - [`judge`](judge()): what is to be done about it, from the dossier as it is now: pure;
//! - [`Outbox`]: where intents wait, and where what became of them is kept with its trail; [`MemoryOutbox`] forgets,
//!   the targets keep;
//! - [`push`](push()): judged, sent, read again, settled; [`plan`]: the same, without sending or writing anything.
//!
//! An answer that was lost is never sent again blindly (trap 59): the dossier is read again and judged again. What cannot
//! be known from a dossier's state, a message or a row, is compared with how the dossier was before ([`Witness`]), which
//! is stored before anything is sent.

mod annotation;
mod error;
mod intent;
mod judge;
mod memory;
mod message;
mod outbox;
mod parts;
mod path;
mod people;
mod progress;
mod push;
mod report;
mod send;
mod verdict;

pub use error::PushError;
pub use intent::{Action, Edit, Expected, Intent, IntentId, InvalidIntentId, Words};
pub use judge::{Case, judge};
pub use memory::MemoryOutbox;
pub use outbox::{Entry, Happening, Outbox, Received, Settlement, Status, Step as OutboxStep, TrailLine};
pub(crate) use parts::Parts;
pub use progress::{Answer, Move, Progress, Sending};
pub use push::{Push, QUIET, plan, push};
pub use report::{Item, Pushed};
pub use verdict::{Conflict, Refusal, Seen, Step, Verdict, Witness};
