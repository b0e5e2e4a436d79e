//! The watch: runs on their rhythm, unattended, by any number of workers.
//!
//! - [`Schedule`]: when a job has its ticks (pure);
//! - [`History`], [`due()`], [`Due`]: whether a job is due, from what its target says of the last runs (pure);
//! - [`first`]: which of the jobs that are due comes first (pure);
//! - [`Board`]: the state of every job, for whoever asks;
//! - [`hints`]: what the platform's webhooks tell, and what is made of it;
//! - [`metrics()`], [`late()`]: the same as metrics and as what is too old (pure); [`Door`]: both over HTTP;
//! - [`alerts()`], [`Told`]: what somebody is to be woken for, once (pure);
//! - `ledger` (feature `postgres`): the requests of a token, shared by all workers;
//! - [`serve`]: the loop. It knows neither platform nor target: a [`Desk`] does the work.
//!
//! A tick is a hint to look, never an order: whoever takes a job asks its target, under the target's own lock, when it was
//! last done. So a tick that was missed is made up for, and one that another worker has used is not used twice.

mod alerts;
mod board;
mod door;
#[cfg(test)]
mod door_tests;
mod due;
mod entry;
mod facts;
#[cfg(test)]
mod freshness_tests;
pub mod hints;
#[cfg(test)]
mod hints_tests;
#[cfg(feature = "postgres")]
mod ledger;
mod metrics;
#[cfg(test)]
mod metrics_tests;
mod pick;
mod ready;
mod schedule;
mod service;
#[cfg(test)]
mod service_tests;

pub use alerts::{Alert, Incident, Limits, News, Told, Trouble, alerts};
pub use board::{Board, InstanceState, JobKey, JobState};
pub use door::{Door, View};
pub use due::{Due, Ended, History, LOOK_BACK, due};
pub use facts::{Changed, Found, Runs};
pub use metrics::metrics;
pub use pick::{Waiting, first};
pub use ready::late;
pub use schedule::{InvalidSchedule, Schedule, Ticks, seed};
pub use service::{Attempt, Clock, Desk, Options, Plan, Planned, serve};
