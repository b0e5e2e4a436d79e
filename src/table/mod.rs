//! ROOM 4, the workshop: a dossier becomes rows. Pure: no I/O, no clock, no randomness.
//!
//! - [`spec`]: what tables and columns a form asks for, from all its revisions together;
//! - [`layout`]: those tables as they exist in one target, with names and kinds that never change their meaning;
//! - [`naming`]: legible, unique, stable names;
//! - [`row`]: the cells of one dossier in a layout, made by the [`Mapper`];
//! - [`fingerprint`]: what "the same" means.

mod canonical;
mod cell;
mod fixed;
mod infer;
mod mapper;
mod parts;
mod slug;
mod value;
mod withhold;

pub mod fingerprint;
pub mod layout;
pub mod naming;
mod narrow;
pub mod row;
pub mod spec;

pub use fingerprint::{Digest, Fingerprint};
pub use layout::{Layout, LayoutColumn, LayoutTable};
pub use mapper::{DOCUMENT_ONLY, Mapped, Mapper};
pub(crate) use narrow::narrowed;
pub use row::{Cell, ChildRow, Row};
pub use spec::{CellKind, ColumnKey, ColumnSpec, Origin, Part, Spec, TableKey, TableSpec, infer};
