//! HTTP shared by every client of this crate: addresses that a secret may be sent to, secrets, one TLS configuration,
//! reading an answer, failures of a connection that do not pass.
//!
//! Nothing here knows a platform. Each client turns [`Unfit`] into its own error.

mod address;
mod answer;
mod client;
mod failure;
mod pace;
mod secret;
mod tls;

pub(crate) use address::address;
pub(crate) use answer::{BodyError, body, target};
pub(crate) use client::Timeouts;
pub(crate) use client::client;
pub use failure::PermanentFailure;
pub(crate) use pace::Pace;
pub(crate) use secret::Secret;

/// Invalid setting of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// The setting at fault.
    pub setting: &'static str,
    /// The reason. It never quotes the setting.
    pub reason: String,
}
