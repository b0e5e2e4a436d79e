//! Runs the binary on a Grist document, against the imitation over HTTP.

mod bad_input;
mod deciding;
mod dying;
mod files;
pub mod harness;
mod init;
mod people;
mod runs;
