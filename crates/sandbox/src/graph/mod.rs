//! Executes GraphQL on the world: documents are parsed and validated against the pinned schema of the platform, then
//! executed against the same schema widened by what a platform may add on any day.
//!
//! - [`document`]: parsing, validation, and what the platform looks for in the text of a document
//! - [`engine`]: execution, and the form of errors
//! - [`node`]: what resolvers share; [`root`], [`demarche`], [`descriptor`], [`connection`], [`dossier`], [`champ`],
//!   [`column`], [`people`], [`file`]: the resolvers; [`mutation`]: what can be written
//! - [`text`]: answers as text

mod champ;
mod column;
mod connection;
mod demarche;
mod descriptor;
mod document;
mod dossier;
mod engine;
mod file;
mod mutation;
mod node;
mod people;
mod root;
pub(super) mod text;

pub(super) use document::Schemas;
pub(super) use engine::{Answer, Asked, Engine, Scope};
pub(super) use file::{check_blob, check_signature};
