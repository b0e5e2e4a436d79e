//! What tests of several rooms stand on.

#[cfg(feature = "postgres")]
pub mod bouncer;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod tls;
