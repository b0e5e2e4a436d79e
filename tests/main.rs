//! Runs every integration test in one binary: one module per area under test.

#![allow(clippy::print_stdout, clippy::print_stderr)]
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
