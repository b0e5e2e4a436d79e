//! The real binary on a Grist document: everything against the imitation, over HTTP.

mod bad_input;
mod dying;
mod files;
mod init;
mod office;
mod people;
mod runs;
