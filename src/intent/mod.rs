//! Describes decisions of the back office that are to be sent to the platform: values under stable names. Pure.
//!
//! - [`Intent`]: who wants what done to which dossier, and the dossier as they saw it;
//! - [`Progress`], [`Status`]: how far it came; stored before anything is sent, so that whoever takes over after a crash
//!   knows what may have been done;
//! - [`Seen`], [`Witness`], [`Move`]: what the dossier was like before and after.
//!
//! Intents wait in a [`sink::Outbox`](crate::sink::Outbox); [`writeback`](crate::writeback) does them.

mod asked;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod parts;
mod progress;
mod seen;
mod status;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) mod strict;

pub use asked::{Action, Edit, Expected, Intent, IntentId, InvalidIntentId, Words};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use parts::Parts;
#[doc(hidden)]
pub use progress::{Answer, Failure, Sending};
pub use progress::{Move, Progress, Waits};
pub use seen::Seen;
#[doc(hidden)]
pub use seen::{There, Witness};
pub use status::Status;
