//! The state of the sandbox and its rules: plain data, a virtual clock, no network.
//!
//! - `form`: questions and revisions; `generate`: answers made on demand
//! - `demarche` and `dossier`: the records
//! - `state`: the world itself, its clock and its indexes; `build`: how it starts
//! - `edit`, `silent`, `transition`, `message`, `annotate`, `team`, `deletion`, `revision`: what can happen to it
//! - `blob`: files on their way in; `audit`: what the API was asked for and did, and the calls to webhooks
//! - `live`: all of that at random; `snapshot`: the truth, to compare a target with

mod annotate;
mod audit;
mod blob;
mod build;
mod deletion;
mod demarche;
mod dossier;
mod edit;
pub mod form;
mod generate;
mod live;
mod message;
mod revision;
mod silent;
mod snapshot;
mod state;
mod team;
mod transition;

pub(crate) use annotate::Place;
pub use audit::{AuditEntry, Effect, Webhook};
pub(crate) use blob::{Announced, BadBlob};
pub use demarche::{Demarche, Groupe, Label};
pub use dossier::{
    Avis, Connection, Correction, Demandeur, Dossier, Edit, Extra, Message, Passage, Reason, State, Tombstone,
    Traitement,
};
pub use edit::{Late, Refused};
pub use snapshot::{DossierTruth, Snapshot, TombstoneTruth};
pub use state::{Poison, Token, World};
