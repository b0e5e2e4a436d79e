//! Runs the binary on a Grist document, against the imitation over HTTP.

mod bad_input;
mod commands;
mod crashing;
mod decisions;
mod files;
pub mod harness;
mod init;
mod runs;
mod user_edits;
mod widget;
mod words;
