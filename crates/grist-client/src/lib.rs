//! Typed client of Grist: documents, tables, records, user actions, attachments, read-only SQL.
//!
//! It knows nothing of démarches, so any program can use it. It keeps the limits of Grist: two requests in
//! flight per document and one SQL query at a time, across all clones; no body larger than Grist accepts; no bundle with repeated
//! keys; no address that is too long. Errors are named after the action that they call for, and contain no cell value and no key.
//!
//! ```no_run
//! use grist_client::{Action, Client, DocAddress, OnMany, Repeat};
//! use serde_json::json;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let address = DocAddress::parse("https://grist.example.org/o/docs/doc/kZ8mQv2Xw9Lr")?;
//! let client = Client::builder(address.instance.unwrap_or_default()).key(std::env::var("GRIST_API_KEY")?).build()?;
//! let rows = [json!({ "cle": "1", "montant": 12 }), json!({ "cle": "2", "montant": 0 })];
//! let rows = rows.into_iter().filter_map(|row| row.as_object().cloned());
//! let bundle = Action::upserts("Dossiers", &["cle"], rows, OnMany::First)?;
//! client.doc(address.doc).apply(&bundle, Repeat::Safe).await?;
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod action;
mod address;
mod answer;
mod attachment;
mod builder;
mod bundle;
mod client;
mod disposition;
mod doc;
mod error;
mod features;
mod limiter;
mod marshal;
mod messages;
mod records;
mod request;
mod stats;
mod transport;
mod types;
mod wire;

pub use action::{Action, ColumnPatch, ColumnSpec, OnMany};
pub use address::{DocAddress, DocId};
pub use builder::Builder;
pub use client::Client;
pub use doc::{Applied, BODY_BYTES, Doc, Repeat, SqlRow};
pub use error::GristError;
pub use features::Features;
pub use marshal::decode_hex;
pub use stats::Stats;
pub use types::{
    Access, ActionRef, AttachmentId, ColRef, Column, DocInfo, Hidden, Org, RowId, Table, TableRef, Workspace,
};
