//! Whole runs against the sandbox. Names begin with the trap of docs/traps.md that they cover.

mod crashing;
mod deleting;
mod evolving;
mod files;
mod hinted;
pub mod lab;
mod look;
mod losing;
#[cfg(feature = "sqlite")]
mod mending;
mod moving;
mod newer;
mod privacy;
mod refused;
mod repeating;
mod retention;
mod schema_questions;
mod selecting;
mod side_questions;
mod silent;
pub mod survey;
mod transport;
mod typing;
