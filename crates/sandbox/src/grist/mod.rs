//! Imitates Grist as measured on a real server, with its own state.
//!
//! Documents are held in memory: tables, rows, and Grist's tables about tables. User actions change them, one bundle
//! being one transaction; `POST /sql` executes real SELECTs on a SQLite database that follows. Types, conversions, names,
//! limits and errors are Grist's, oddities included: row ids that are used again, a null that becomes false, an upsert
//! that refuses the same key twice.
//!
//! Start with [`Grist`], make documents, give [`Role`]s to keys, let a [`Person`] change things between two requests,
//! break it with [`FaultPlan`]s, and read the requests in [`Logged`].
//!
//! It does not imitate everything: formulas are stored but never computed, so that summary tables are made and have no rows; sharing
//! and webhooks have no routes.
//!
//! Modules: `cell` (values and conversions), `state`, `table`, `bundle` and `structure` (content of a document and its changes),
//! `actions` (user actions), `store` (SQL), `rest` (routes), `endpoint` (keys, limits, faults).

mod actions;
mod auth;
mod bundle;
mod cell;
mod document;
mod endpoint;
mod failure;
mod fault;
mod handle;
mod identifiers;
mod log;
mod person;
mod request;
mod rest;
mod server;
mod state;
mod store;
mod structure;
mod table;

#[cfg(test)]
mod tests;

pub use auth::{AccessRules, Role};
pub use document::Snapshot;
pub use fault::{Fault, FaultPlan};
pub use handle::{Grist, Hold};
pub use log::{Count, Logged};
pub use person::{Person, Row};
pub use server::GristServer;
