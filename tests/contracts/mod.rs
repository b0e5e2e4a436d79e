//! What every target promises, checked on each of them.

#[cfg(feature = "sqlite")]
mod documented;
mod grist;
pub mod look;
pub mod sink;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod targets_agree;
pub mod world;
