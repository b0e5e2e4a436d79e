//! What every client of this crate shares over HTTP: where a secret may be sent, how it is kept, one TLS set-up, how an
//! answer is read, and which failures of a connection last.
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
pub(crate) use answer::{Unread, body, target};
pub(crate) use client::Timeouts;
pub(crate) use client::client;
pub use failure::PermanentFailure;
pub(crate) use pace::Pace;
pub(crate) use secret::Secret;

/// A setting that no client can be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// The setting at fault.
    pub setting: &'static str,
    /// What is wrong with it. It never quotes the setting.
    pub reason: String,
}
