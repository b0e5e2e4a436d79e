//! Checks what only a document of Grist can promise: bundles that are applied or not, people who work in it, one run at a time.

mod access;
mod dying;
mod files;
mod imitation;
mod leases;
mod pages;
mod people;
mod requests;
mod rows;
mod runs;
mod values;

pub use imitation::Place;
