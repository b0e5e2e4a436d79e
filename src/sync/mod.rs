//! Runs: one sync of one démarche into one target, from the checkpoint to the report.
//!
//! The order of the steps of a run belongs here, with quarantine, remap, repair, retention and `verify`. Where to read
//! is decided in `observe`, changes in `plan`; when a run is due is decided in `serve`.
//!
//! There is one mode. A first run, an ordinary run and a sweep are the same walk from different starts; a plan is the
//! same run over a sink that writes nothing ([`Preview`](crate::sink::Preview)).

mod address;
mod ahead;
mod commit;
mod deletions;
mod documents;
mod error;
mod event;
mod fields;
mod files;
mod form;
mod listing;
mod quarantine;
mod refresh;
mod refused;
mod register;
mod remap;
mod retention;
mod rows;
mod run;
mod selecting;
mod setbacks;
mod settings;
mod stop;
mod verify;

#[doc(hidden)]
pub use address::check_instance;
pub use error::SyncError;
pub use event::Event;
#[doc(hidden)]
pub use fields::client_of;
pub use files::files;
#[doc(hidden)]
pub use quarantine::next_try;
#[doc(hidden)]
pub use refresh::{HINT, PUSH, refresh};
pub use refresh::{Looked, look};
#[doc(hidden)]
pub use refused::REFUSED_BY_TARGET;
#[doc(hidden)]
pub use register::{ColumnSource, Register, RegisterColumn, RegisterTable, register};
pub use remap::remap;
pub use retention::retain;
#[doc(hidden)]
pub use retention::retention_due;
pub use run::{Job, Run, run};
pub use settings::Settings;
pub use stop::Stop;
pub use verify::{Verification, repair, verify};
