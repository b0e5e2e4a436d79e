//! What every client of this crate shares over HTTP: where a secret may be sent, how it is kept, and one TLS set-up.
//!
//! Nothing here knows a platform. Each client turns [`Unfit`] into its own error.

mod address;
mod client;
mod secret;
mod tls;

pub(crate) use address::address;
pub(crate) use client::Timeouts;
pub(crate) use client::client;
pub(crate) use secret::Secret;

/// A setting that no client can be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// The setting at fault.
    pub setting: &'static str,
    /// What is wrong with it. It never quotes the setting.
    pub reason: String,
}
