//! One integration binary: one module per room under test.
#![cfg(feature = "cli")]

mod architecture;
mod cli;
mod client;
mod contracts;
mod schemas;
mod support;
mod sync_runs;
