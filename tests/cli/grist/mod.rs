//! The real binary on a Grist document: everything against the imitation, over HTTP.

mod bad_input;
mod deciding;
mod dying;
mod files;
mod init;
pub mod office;
mod people;
mod runs;
