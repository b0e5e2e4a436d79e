//! Imitates the platform ("bac à sable"): a generated world that answers GraphQL over HTTP.
//!
//! It reproduces what a client must survive, with the platform's own oddities: keyset pages, types that depend on the
//! fragments of the document, silent changes, back-dated deletions, answers that are neither JSON nor GraphQL. Time is
//! virtual, randomness has a seed: a run can be repeated exactly.
//!
//! | démarche | holds |
//! | --- | --- |
//! | [`DEMARCHE_COMPLETE`] (1001) | every kind of champ, repetitions, annotations, three revisions and a draft (a question renamed, one removed, one widened), two questions with the same label, all states, people and companies, messages, avis, labels, corrections, files, tombstones |
//! | [`DEMARCHE_CLONE`] (1002) | a clone of it: the same stable ids, other dossiers |
//! | [`DEMARCHE_LARGE`] (1003) | thirty simple champs, as many dossiers as asked |
//!
//! Every mutation of both schemas is executed by the platform's rules, with its messages. What it really
//! did is in [`Sandbox::audit`], the calls of a webhook are in [`Sandbox::webhooks`]: tests of clients with lost answers compare with
//! them.
//!
//! Start with [`Sandbox`], shape it with [`WorldSpec`], change it through [`World`], break it with [`Fault`] (always,
//! now and then, or at random: [`FaultPlan`]).
//!
//! Modules: `world` (state and rules, no network), `graph` (resolvers), `endpoint` (tokens, faults, log, server).

#![warn(missing_docs)]

mod endpoint;
mod graph;
mod handle;
mod kind;
mod listening;
mod paging;
mod places;
mod platform;
mod random;
mod spec;
mod time;
mod value;

#[cfg(test)]
mod tests;

#[cfg(feature = "grist")]
pub mod grist;
pub mod world;

pub use endpoint::{Fault, FaultPlan, Incoming, Outgoing, RequestInfo, Reset, Server};
pub use handle::{Sandbox, WorldGuard};
pub use kind::Kind;
pub use platform::Platform;
pub use random::Random;
pub use spec::{DEMARCHE_CLONE, DEMARCHE_COMPLETE, DEMARCHE_LARGE, DemarcheSpec, FormSpec, WorldSpec};
pub use time::Language;
pub use value::{Area, AreaSource, FileRecord, RowRecord, Scan, Value};
pub use world::World;

/// The example of the README, run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
