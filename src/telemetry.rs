//! Logs: where they go, in which form, and how their fields are named.
//!
//! Never in a log: tokens, e-mail addresses, names, the values of champs, the bodies of answers. Numbers, counts, states
//! and ids are fine.

#[cfg(feature = "cli")]
mod output;
#[cfg(feature = "cli")]
mod writer;

#[cfg(feature = "cli")]
pub use output::{Log, LogFormat, Writing, filter, start};

/// The number of a démarche.
pub const DEMARCHE_NUMBER: &str = "demarche.number";
/// The number of a dossier.
pub const DOSSIER_NUMBER: &str = "dossier.number";
/// The short name of an instance.
pub const INSTANCE: &str = "instance";
/// The id of a run.
pub const RUN_ID: &str = "run.id";
/// The target, without credentials.
pub const TARGET: &str = "sink";
/// The number of dossiers of a page.
pub const PAGE_SIZE: &str = "page.size";
/// A duration, in milliseconds.
pub const DURATION_MS: &str = "duration_ms";
/// A stable word for why.
pub const REASON: &str = "reason";
/// An outcome.
pub const OUTCOME: &str = "outcome";
