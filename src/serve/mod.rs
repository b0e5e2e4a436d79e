//! Schedules jobs for any number of workers, with health, metrics and alerts. The loop knows neither platform nor target.
//!
//! - [`Schedule`]: when a job has its ticks (pure);
//! - [`History`], [`due()`], [`Due`]: whether a job is due, from what its target says of the last runs (pure);
//! - [`first`]: which of the jobs that are due comes first (pure);
//! - [`StatusBoard`]: the state of every job, for whoever asks;
//! - [`AskedJobs`]: the jobs that somebody asks for now;
//! - [`hints`]: what the platform's webhooks tell, and what is made of it;
//! - [`metrics()`], [`late()`]: the same as metrics and as what is too old (pure); [`Endpoint`]: both over HTTP;
//! - [`WidgetSource`]: a page for people who work in a Grist document, served by the endpoint;
//! - [`alerts()`], [`Told`]: the alerts to send, each once (pure);
//! - `shared_limit` (feature `postgres`): the requests of a token, shared by all workers;
//! - [`serve`]: the loop. It knows neither platform nor target: a [`JobRunner`] does the work.
//!
//! A tick is a hint to look, never an order: whoever takes a job asks its target, under the target's own lock, when it was
//! last done. So a tick that was missed is made up for, and one that another worker has used is not used twice.

mod alerts;
mod asked;
mod budget;
mod due;
mod endpoint;
#[cfg(test)]
mod endpoint_tests;
mod entry;
mod facts;
#[cfg(test)]
mod freshness_tests;
#[doc(hidden)]
pub mod hints;
#[cfg(test)]
mod hints_tests;
mod metrics;
#[cfg(test)]
mod metrics_tests;
mod pick;
mod ready;
mod schedule;
mod service;
#[cfg(test)]
mod service_tests;
#[cfg(feature = "postgres")]
mod shared_limit;
mod status_board;
mod widget;

#[doc(hidden)]
pub use alerts::{Alert, Incident, Limits, News, Told, Trouble, alerts};
pub use asked::AskedJobs;
#[doc(hidden)]
pub use due::{Due, Ended, History, LOOK_BACK, due};
#[doc(hidden)]
pub use endpoint::{Endpoint, View};
#[doc(hidden)]
pub use facts::{Changed, Found, Runs};
#[doc(hidden)]
pub use metrics::metrics;
#[doc(hidden)]
pub use pick::{Waiting, first};
#[doc(hidden)]
pub use ready::late;
pub use schedule::{InvalidSchedule, Schedule};
#[doc(hidden)]
pub use schedule::{Ticks, seed};
pub use service::{Clock, JobOutcome, JobRunner, Planned, ServiceOptions, ServicePlan, serve};
#[doc(hidden)]
pub use status_board::{InstanceState, JobState, RunLine, RunProgress};
pub use status_board::{JobKey, StatusBoard};
#[doc(hidden)]
pub use widget::{Verdicts, WidgetCommand, WidgetJob, WidgetRefusal, WidgetSource, WidgetState};
