//! A typed client of Grist: documents, tables, records, user actions, attachments, read-only SQL.

mod action;
mod client;
mod doc;
mod error;
mod types;

pub use action::{Action, ColumnSpec, ColumnPatch, OnMany};
pub use client::{Builder, Client};
pub use doc::{Applied, Doc, Repeat, SqlRow};
pub use error::GristError;
pub use types::{Access, AttachmentId, ColRef, Column, DocId, DocInfo, Org, RowId, Table, TableRef, Workspace};
