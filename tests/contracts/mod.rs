//! Checks the contract of `Sink` on every target. A test of one target only goes to the module of that target.

mod comparing;
#[cfg(feature = "sqlite")]
mod documented;
#[cfg(all(feature = "grist", feature = "sqlite"))]
pub mod grist;
pub mod look;
#[cfg(feature = "postgres")]
mod look_postgres;
#[cfg(feature = "postgres")]
mod postgres;
mod retention;
pub mod sink;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod targets_agree;
pub mod world;
