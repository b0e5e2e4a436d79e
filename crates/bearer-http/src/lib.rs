//! HTTP shared by every client of this crate: addresses that a secret may be sent to, secrets, one TLS configuration,
//! reading an answer, failures of a connection that do not pass.
//!
//! Nothing here knows a platform. Each client turns [`Unfit`] into its own error.

#![warn(missing_docs)]

mod address;
mod answer;
mod client;
mod failure;
mod pace;
mod secret;
mod tls;

pub use address::address;
pub use answer::{BodyError, body, target};
pub use client::Timeouts;
pub use client::client;
pub use failure::PermanentFailure;
pub use pace::Pace;
pub use secret::Secret;

/// Invalid setting of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The setting at fault.
    pub setting: &'static str,
    /// The reason. It never quotes the setting.
    pub reason: String,
}
