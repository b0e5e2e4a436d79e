//! Maps dossiers to rows of tables. Pure: no I/O, no clock, no randomness.
//!
//! Everything that decides which tables, columns, names and cells a form and a dossier become belongs here. Dialects of
//! SQL and types of Grist are in `sink`; changes of a schema are planned in `plan`.
//!
//! - [`spec`]: the tables and columns of a form, from all its revisions together;
//! - [`layout`]: these tables in one target, with names and kinds that never change their meaning;
//! - [`naming`]: legible, unique, stable names;
//! - [`row`]: the cells of one dossier in a layout, made by the [`Mapper`].

mod cell;
mod fixed;
mod infer;
mod mapper;
mod parts;
mod slug;
mod value;
mod withhold;

pub mod layout;
pub mod naming;
mod narrow;
pub mod row;
pub mod spec;

pub use layout::{Layout, LayoutColumn, LayoutTable};
pub use mapper::{DOCUMENT_ONLY, Mapped, Mapper};
pub(crate) use narrow::narrowed;
#[cfg(feature = "grist")]
pub(crate) use parts::kind_of_part;
pub use row::{Cell, ChildRow, Row};
pub use spec::{CellKind, ColumnKey, ColumnSpec, Origin, Part, Spec, TableKey, TableSpec, infer};
