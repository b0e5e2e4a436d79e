//! Runs whole work cycles: what webhooks named, the sync, the files, the push, the retention; and what people ask for in documents.
//!
//! `dn run` and the commands `sync`, `push` and `retention` stand on this module, and so can a service that has a scheduler of
//! its own: [`CycleRunner::open`] makes everything that a configuration asks for, and [`CycleRunner::cycle`] does the work of
//! one of its jobs (`examples/scheduled_service.rs`). A single step is a method of [`Cycle`].
//!
//! What belongs here knows the settings of [`config`](crate::config), the platform and the targets. It prints nothing, knows
//! neither a terminal nor an exit code, and reads no variable of the environment: the caller gives them with
//! [`Secrets`](crate::config::Secrets). What happens is told by [`CycleEvent`]s, reports and the log (`tracing`).

mod answers;
mod clients;
mod commands;
mod error;
mod event;
mod job;
mod kind;
mod legible;
mod limiters;
mod log;
mod push;
mod retention;
mod runner;
mod steps;
#[doc(hidden)]
pub mod targets;
#[doc(hidden)]
pub mod webhook_paths;
mod widget;

#[doc(hidden)]
pub use clients::{InstanceToken, client_or_anonymous, client_with};
pub use clients::{client, filter};
#[doc(hidden)]
pub use commands::watch_commands;
pub use error::CycleError;
pub use event::CycleEvent;
pub use job::CycleJob;
pub use kind::ErrorKind;
pub use limiters::Limiters;
pub use push::PushOutcome;
pub use runner::{CycleEnd, CycleRunner, Listener};
pub use steps::{Cycle, CycleReport};
#[doc(hidden)]
pub use widget::Widget;

#[cfg(feature = "cli")]
pub(crate) use error::{in_one_line, render};
pub(crate) use legible::legible;
#[cfg(feature = "cli")]
pub(crate) use legible::shortened;
#[cfg(feature = "cli")]
pub(crate) use log::{log_event, log_run_end, outcome};
