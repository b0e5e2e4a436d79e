//! Serves the world over HTTP: tokens, limits, faults, the log, the server. GraphQL itself belongs in `graph`.
//!
//! - [`message`]: one HTTP request and its answer, without a network
//! - [`answer`]: the rules, in the order in which the platform applies them; [`auth`]: tokens; [`stored`]: named queries;
//!   [`storage`]: files sent and fetched
//! - [`fault`]: what can go wrong on purpose; [`log`]: what was asked
//! - [`http`]: the same over a socket

mod answer;
mod auth;
mod fault;
mod http;
mod log;
mod message;
mod storage;
mod stored;

pub(super) use answer::Endpoint;
pub use fault::{Fault, FaultPlan, Reset};
pub use http::Server;
pub use log::RequestInfo;
pub use message::{Incoming, Outgoing};
