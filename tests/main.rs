//! One integration binary: one module per room under test.
#![cfg(feature = "cli")]

mod architecture;
pub mod cli;
mod client;
mod contracts;
mod cycle;
mod documentation;
mod fuzz;
mod grist_client;
mod grist_traps;
mod packaging;
mod real_grist;
mod schemas;
mod simulation;
#[cfg(unix)]
mod soak;
mod support;
mod sync_runs;
mod writeback;
